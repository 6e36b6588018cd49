#include "src/model/safetensors_writer.hpp"

#include "src/core/error.hpp"
#include "tests/catch.hpp"
#include "tests/temporary.hpp"

#include <fstream>

using namespace fdkbench;
namespace fs = std::filesystem;

namespace {

const std::vector<TensorSpec> kSpecs = {
    {"bytes", TensorType::kU8, {3}, 3},
    {"wide", TensorType::kF64, {2}, 16},
    {"none", TensorType::kF32, {4, 0}, 0},
    {"half \"quoted\" ü", TensorType::kBf16, {1, 3}, 6},
    {"single", TensorType::kF32, {}, 4},
};

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

void write_all(SafetensorsWriter& writer) {
    writer.write(3, 4, bytes_of("ef"));
    writer.write(1, 0, bytes_of("0123456789abcdef"));
    writer.write(3, 0, bytes_of("abcd"));
    writer.write(0, 0, bytes_of("xyz"));
    writer.write(4, 0, bytes_of("four"));
}

std::size_t files_in(const std::string& folder) {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

std::string text_of(const Tensor& tensor) {
    return {reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size()};
}

}  // namespace

TEST_CASE("What is written in pieces is read as it was, each tensor aligned") {
    const test::TemporaryFolder folder;
    const fs::path path = folder / "out";
    SafetensorsWriter writer(path, kSpecs, {{"made by", "a test"}, {"lines", "a\nb"}});
    write_all(writer);
    writer.finish();
    writer.commit();
    CHECK(fs::file_size(path) == writer.bytes());
    CHECK(files_in(folder.path()) == 1);

    const SafetensorsFile file(path);
    CHECK(file.metadata() ==
          std::map<std::string, std::string>{{"made by", "a test"}, {"lines", "a\nb"}});
    REQUIRE(file.tensors().size() == kSpecs.size());
    const std::vector<std::string> contents = {"xyz", "0123456789abcdef", "", "abcdef", "four"};
    for (std::size_t i = 0; i < kSpecs.size(); ++i) {
        CAPTURE(kSpecs[i].name);
        const Tensor& tensor = file.tensor(kSpecs[i].name);
        CHECK(tensor.type == kSpecs[i].type);
        CHECK(tensor.shape == kSpecs[i].shape);
        CHECK(text_of(tensor) == contents[i]);
        // A file is mapped to the begin of a page.
        const auto width = static_cast<std::uintptr_t>(bits_of(tensor.type) / 8);
        CHECK(reinterpret_cast<std::uintptr_t>(tensor.bytes.data()) % width == 0);
    }
}

TEST_CASE("A file without tensors or metadata can be written") {
    const test::TemporaryFolder folder;
    SafetensorsWriter writer(folder / "out", {}, {});
    writer.finish();
    writer.commit();
    const SafetensorsFile file(folder / "out");
    CHECK(file.tensors().empty());
    CHECK(file.metadata().empty());
}

TEST_CASE("A file that is not committed leaves what had its name, and nothing else") {
    const test::TemporaryFolder folder;
    std::ofstream(folder / "out") << "before";
    {
        SafetensorsWriter writer(folder / "out", kSpecs, {});
        write_all(writer);
        writer.finish();
        SafetensorsWriter moved(std::move(writer));
        CHECK(files_in(folder.path()) == 2);
    }
    CHECK(files_in(folder.path()) == 1);
    CHECK(fs::file_size(folder / "out") == 6);
}

TEST_CASE("Pieces outside their tensor, and missing ones, are faults") {
    const test::TemporaryFolder folder;
    SafetensorsWriter writer(folder / "out", kSpecs, {});
    CHECK_THROWS_AS(writer.write(0, 0, bytes_of("four")), std::logic_error);
    CHECK_THROWS_AS(writer.write(0, 3, bytes_of("1")), std::logic_error);
    CHECK_THROWS_AS(writer.write(0, ~std::uint64_t{0}, bytes_of("1")), std::logic_error);
    CHECK_THROWS_AS(writer.write(5, 0, bytes_of("1")), std::logic_error);
    CHECK_THROWS_AS(writer.finish(), std::logic_error);
}

TEST_CASE("What cannot be written is refused by its name") {
    const test::TemporaryFolder folder;
    CHECK_THROWS_AS(SafetensorsWriter(folder / "no/out", kSpecs, {}), EnvironmentError);
    CHECK_THROWS_WITH(SafetensorsWriter(folder / "no/out", kSpecs, {}),
                      ContainsSubstring("no/out: No such file or directory"));
    const std::vector<TensorSpec> huge = {{"a", TensorType::kU8, {1L << 60U}, 1UL << 60U}};
    CHECK_THROWS_AS(SafetensorsWriter(folder / "out", huge, {}), EnvironmentError);
    const std::map<std::string, std::string> long_text = {{"a", std::string(100'000'001, 'a')}};
    CHECK_THROWS_AS(SafetensorsWriter(folder / "out", kSpecs, long_text), UsageError);
    CHECK(files_in(folder.path()) == 0);
}
