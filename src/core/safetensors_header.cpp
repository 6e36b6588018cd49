#include "src/core/safetensors_header.hpp"

#include "src/core/json.hpp"

#include <fmt/format.h>

#include <array>
#include <set>

namespace fdkbench::safetensors {
namespace {

constexpr int kHeaderDepth = 3;  // the header, a tensor, its shape

/// Refuses what a header cannot hold while it is parsed: repeated keys, of which the parser would
/// keep the last, and structures deeper than any of the format.
class HeaderGuard {
  public:
    bool operator()(int depth, Header::parse_event_t event, const Header& parsed) {
        using Event = Header::parse_event_t;
        if (event == Event::object_start || event == Event::array_start) {
            if (depth >= kHeaderDepth) {
                throw Fault("its header is nested too deep");
            }
            keys_.at(static_cast<std::size_t>(depth)).clear();
        } else if (event == Event::key) {
            const auto& key = parsed.get_ref<const std::string&>();
            if (!keys_.at(static_cast<std::size_t>(depth) - 1).insert(key).second) {
                throw Fault(fmt::format("its header holds {} twice", shown(key)));
            }
        }
        return true;
    }

  private:
    std::array<std::set<std::string>, kHeaderDepth> keys_;
};

}  // namespace

Header parse_header(std::string_view text) {
    try {
        Header header = Header::parse(text, HeaderGuard());
        if (!header.is_object()) {
            throw Fault("its header is not a JSON object");
        }
        return header;
    } catch (const Header::parse_error& error) {
        throw Fault(fmt::format("its header is not JSON (byte {})", error.byte));
    } catch (const Header::exception&) {
        throw Fault("its header is not JSON: a number is out of range");
    }
}

std::string shown(std::string_view word) {
    constexpr std::size_t kShownBytes = 80;
    const bool cut = word.size() > kShownBytes;
    return to_line(Json(std::string(word.substr(0, kShownBytes)) + (cut ? "…" : "")));
}

}  // namespace fdkbench::safetensors
