#include "src/core/bundle.hpp"

#include "src/core/error.hpp"
#include "src/core/hash.hpp"
#include "src/core/json_members.hpp"
#include "src/core/mapped_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>
#include <string_view>

namespace fdkbench {
namespace {

constexpr std::string_view kMagic = "fdkbench-bundle ";
constexpr std::size_t kLongestFirstLine = 128;

std::string_view text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Takes bundles apart; its messages name the file.
class Reader {
  public:
    explicit Reader(const std::filesystem::path& path)
        : path_(path), file_(map_file(path, "bundle")), rest_(file_.bytes) {}

    Bundle read() {
        const Json index = index_of(first_line());
        Bundle bundle;
        try {
            bundle.table = index.at("table");
            for (const Json& binary : index.at("binaries")) {
                add(bundle,
                    binary.at("hash").get_ref<const std::string&>(),
                    integer_from<std::uint64_t>(binary.at("bytes")));
            }
        } catch (const Json::exception& error) {
            fail_damaged(error.what());
        } catch (const std::invalid_argument& error) {
            fail_damaged(error.what());
        }
        if (!rest_.empty()) {
            fail_damaged(fmt::format("{} bytes too many", rest_.size()));
        }
        return bundle;
    }

  private:
    struct FirstLine {
        std::uint64_t index_bytes = 0;
        std::string_view index_hash;
    };

    [[noreturn]] void fail(const std::string& why) const {
        throw UsageError(fmt::format("{} {}", path_.string(), why));
    }
    [[noreturn]] void fail_damaged(const std::string& why) const {
        fail(
            fmt::format("is a damaged bundle ({}): copy it again, or write it again with fdkbench "
                        "export-table --bundle",
                        why));
    }

    std::span<const std::byte> take(std::uint64_t bytes, std::string_view what) {
        if (bytes > rest_.size()) {
            fail_damaged(
                fmt::format("it ends {} bytes before the end of {}", bytes - rest_.size(), what));
        }
        const auto taken = rest_.first(static_cast<std::size_t>(bytes));
        rest_ = rest_.subspan(taken.size());
        return taken;
    }

    FirstLine first_line() {
        const std::string_view begin =
            text_of(rest_.first(std::min(rest_.size(), kLongestFirstLine)));
        if (!begin.starts_with(kMagic)) {
            fail("is no bundle: write one with fdkbench export-table --bundle");
        }
        std::string_view line = begin.substr(0, begin.find('\n'));
        const std::size_t line_bytes = line.size() + 1;
        line.remove_prefix(kMagic.size());
        const auto version = number_from(line);
        if (version && *version != Bundle::kVersion) {
            fail(
                fmt::format("is a bundle of version {}, this program reads version {}: write it "
                            "again with fdkbench export-table --bundle of this version",
                            *version,
                            Bundle::kVersion));
        }
        const auto bytes = number_from(line);
        if (!version || !bytes || line_bytes > begin.size()) {
            fail_damaged("its first line is cut or changed");
        }
        take(line_bytes, "its first line");
        return {*bytes, line};
    }

    /// The number in front of a line, which is taken from it with the blank behind.
    static std::optional<std::uint64_t> number_from(std::string_view& line) {
        std::uint64_t number = 0;
        const char* end = line.data() + line.size();
        const auto [stop, error] = std::from_chars(line.data(), end, number);
        if (error != std::errc() || stop == end || *stop != ' ') {
            return std::nullopt;
        }
        line.remove_prefix(static_cast<std::size_t>(stop - line.data()) + 1);
        return number;
    }

    Json index_of(const FirstLine& line) {
        const auto bytes = take(line.index_bytes, "its index");
        if (sha256(bytes) != line.index_hash) {
            fail_damaged("its index does not have the hash that the first line tells");
        }
        try {
            return Json::parse(text_of(bytes));
        } catch (const Json::exception& error) {
            fail_damaged(error.what());
        }
    }

    void add(Bundle& bundle, const std::string& hash, std::uint64_t bytes) {
        const auto binary = take(bytes, "kernel " + hash);
        Bundle::Binary copy(binary.begin(), binary.end());
        // Of the copy: the file may change meanwhile.
        if (sha256(copy) != hash) {
            fail_damaged(fmt::format("kernel {} does not have this hash", hash));
        }
        bundle.binaries.emplace(hash, std::move(copy));
    }

    const std::filesystem::path& path_;
    MappedFile file_;
    std::span<const std::byte> rest_;
};

}  // namespace

std::string to_bytes(const Bundle& bundle) {
    Json index;
    index["table"] = bundle.table;
    index["binaries"] = Json::array();
    for (const auto& [hash, binary] : bundle.binaries) {
        index["binaries"].push_back({{"hash", hash}, {"bytes", binary.size()}});
    }
    const std::string text = to_line(index);
    std::string bytes =
        fmt::format("{}{} {} {}\n", kMagic, Bundle::kVersion, text.size(), sha256(text)) + text;
    for (const auto& [hash, binary] : bundle.binaries) {
        bytes += text_of(binary);
    }
    return bytes;
}

Bundle read_bundle(const std::filesystem::path& path) {
    return Reader(path).read();
}

}  // namespace fdkbench
