#include "src/core/bundle.hpp"

#include "src/core/error.hpp"
#include "src/core/hash.hpp"
#include "tests/catch.hpp"
#include "tests/temporary.hpp"

#include <fmt/format.h>

#include <algorithm>

using namespace fdkbench;
using namespace fdkbench::test;

namespace {

Bundle::Binary binary(std::size_t bytes, unsigned char first) {
    Bundle::Binary content(bytes);
    for (std::size_t i = 0; i < bytes; ++i) {
        content[i] = static_cast<std::byte>(first + 7 * i);
    }
    return content;
}

Bundle small_bundle() {
    Bundle bundle;
    bundle.table = {{"schema", "fdkbench-table"}, {"entries", Json::array({1, "two\n", 3.5})}};
    for (const auto& content : {binary(1000, 1), binary(1, 2), binary(77, 3)}) {
        bundle.binaries.emplace(sha256(content), content);
    }
    return bundle;
}

Bundle read_text(std::string_view text) {
    const TemporaryFile file(text);
    return read_bundle(file.path());
}

/// What is said of a file that must be refused.
std::string refusal(std::string_view text) {
    try {
        read_text(text);
    } catch (const UsageError& error) {
        return error.what();
    }
    FAIL("the file was taken");
    return "";
}

/// A bundle with this index and what follows it, whose first line is right.
std::string with_index(const std::string& index, const std::string& rest = "") {
    return fmt::format("fdkbench-bundle 1 {} {}\n{}{}", index.size(), sha256(index), index, rest);
}

}  // namespace

TEST_CASE("A bundle is read as it was written") {
    const Bundle bundle = small_bundle();
    const std::string bytes = to_bytes(bundle);
    const Bundle read = read_text(bytes);
    CHECK(read.table == bundle.table);
    CHECK(read.binaries == bundle.binaries);
    CHECK(to_bytes(read) == bytes);

    const Bundle empty{.table = Json::object(), .binaries = {}};
    CHECK(read_text(to_bytes(empty)).table == empty.table);
}

TEST_CASE("A bundle that is cut off anywhere is refused") {
    const std::string bytes = to_bytes(small_bundle());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const std::string message = refusal(bytes.substr(0, size));
        INFO(size << " bytes: " << message);
        CHECK_THAT(message, ContainsSubstring("export-table --bundle"));
    }
    CHECK_THAT(refusal(bytes.substr(0, bytes.size() - 1)),
               ContainsSubstring("ends 1 bytes before the end of kernel"));
}

TEST_CASE("A bundle with any changed byte is refused") {
    const std::string bytes = to_bytes(small_bundle());
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        std::string changed = bytes;
        changed[at] = static_cast<char>(changed[at] ^ 1);
        INFO("byte " << at);
        CHECK_FALSE(refusal(changed).empty());
    }
    CHECK_THAT(refusal(bytes + "x"), ContainsSubstring("1 bytes too many"));
}

TEST_CASE("A file that is no bundle, or of another version, says so") {
    CHECK_THAT(refusal(""), ContainsSubstring("is no bundle"));
    CHECK_THAT(refusal("{\"schema\": \"fdkbench-table\"}"), ContainsSubstring("is no bundle"));
    std::string newer = to_bytes(small_bundle());
    newer.replace(0, 17, "fdkbench-bundle 2");
    CHECK_THAT(refusal(newer),
               ContainsSubstring("version 2") && ContainsSubstring("reads version 1"));
    CHECK_THROWS_AS(read_bundle("/absent/file"), UsageError);
    CHECK_THROWS_AS(read_bundle("/dev/zero"), UsageError);
}

TEST_CASE("An index that is not what is written is refused, whatever its hash") {
    const std::string hash = sha256(std::string_view("ab"));
    CHECK(read_text(with_index(R"({"table":1,"binaries":[]})")).table == 1);
    for (const std::string index : {"",
                                    "[]",
                                    "nothing",
                                    R"({"binaries":[]})",
                                    R"({"table":{}})",
                                    R"({"table":{},"binaries":[1]})",
                                    R"({"table":{},"binaries":[{"hash":1,"bytes":2}]})",
                                    R"({"table":{},"binaries":[{"hash":"x","bytes":-2}]})",
                                    R"({"table":{},"binaries":[{"hash":"x","bytes":2}]})",
                                    R"({"table":{},"binaries":[{"hash":"x","bytes":1e99}]})"}) {
        INFO(index);
        CHECK_THAT(refusal(with_index(index, "ab")), ContainsSubstring("damaged"));
    }
    const std::string right =
        fmt::format(R"({{"table":{{}},"binaries":[{{"hash":"{}","bytes":2}}]}})", hash);
    CHECK(read_text(with_index(right, "ab")).binaries.contains(hash));
    const std::string huge = fmt::format(
        R"({{"table":{{}},"binaries":[{{"hash":"{}","bytes":18446744073709551615}}]}})", hash);
    CHECK_THAT(refusal(with_index(huge, "ab")), ContainsSubstring("before the end"));
}
