#include "src/model/codebook.hpp"

#include "src/core/error.hpp"
#include "tests/catch.hpp"
#include "tests/temporary.hpp"

using namespace fdkbench;

namespace {

std::vector<float> read(const std::string& text, int bits) {
    return read_codebook(test::TemporaryFile(text).path(), bits);
}

void check_refused(const std::string& text, int bits, const std::string& why) {
    CAPTURE(text);
    CHECK_THROWS_AS(read(text, bits), UsageError);
    CHECK_THROWS_WITH(read(text, bits), ContainsSubstring(why));
}

}  // namespace

TEST_CASE("A codebook file holds ascending numbers, however they are set apart") {
    CHECK(read("-1 1", 1) == std::vector<float>{-1, 1});
    CHECK(read("\n-1.5,-2e-1\r\n\t0.25, 1\n", 2) == std::vector<float>{-1.5F, -0.2F, 0.25F, 1});
}

TEST_CASE("A codebook file of anything else is refused with what it should hold") {
    check_refused("", 1, "it holds 0: write 2 ascending numbers for 1 bits");
    check_refused("-1 0 1", 1, "it holds 3");
    check_refused("-1 0 1", 2, "it holds 3: write 4");
    check_refused("1 -1", 1, "-1 comes after 1");
    check_refused("1 1", 1, "1 comes after 1");
    check_refused("-1 one", 1, "\"one\" is no number");
    check_refused("-1 1x", 1, "\"1x\" is no number");
    check_refused("-1 nan", 1, "\"nan\" is no number");
    check_refused("-inf 1", 1, "\"-inf\" is no number");
    check_refused("-1 1e99", 1, "\"1e99\" is no number");
    check_refused(std::string("-1 1\0", 5), 1, "is no number");
    check_refused(std::string(200'000, ' '), 1, "it has 200000 bytes");
    CHECK_THROWS_AS(read_codebook("/no such file", 4), UsageError);
    CHECK_THROWS_AS(read_codebook("/dev/zero", 4), UsageError);
}
