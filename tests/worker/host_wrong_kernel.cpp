#include "src/core/error.hpp"
#include "src/host/host_backend.hpp"
#include "tests/catch.hpp"
#include "tests/worker/real_check.hpp"

using namespace fdkbench;
using namespace fdkbench::testing;

TEST_CASE("A worker finds a CPU kernel with a planted fault incorrect, and only that one") {
    const auto compiler = make_system_compiler();
    try {
        (void)compiler->version();
    } catch (const EnvironmentError& error) {
        skip_program(error.what());
    }
    const Family& family = family_named("host_lut");
    const auto check = [&](const KernelSource& source) {
        return real_check(make_host_backend(), *compiler, family, source);
    };
    const auto right = check(kernel_source(family));
    CHECK(right.message == "");
    CHECK(right.status == CandidateStatus::kCorrect);
    CHECK(right.time_us > 0);

    // Every row of a tile is scaled by the first row's scales.
    const auto wrong =
        check(patched(family, "scales + r * kGroups + first_scale", "scales + first_scale"));
    CHECK(wrong.status == CandidateStatus::kCorrectness);
    CHECK_THAT(wrong.message, ContainsSubstring("nrmse"));
    CHECK(wrong.time_us == 0);
}
