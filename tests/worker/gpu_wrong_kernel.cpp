#include "src/cuda/cuda_backend.hpp"
#include "tests/catch.hpp"
#include "tests/worker/real_check.hpp"

using namespace fdkbench;
using namespace fdkbench::testing;

TEST_CASE("A worker finds a GPU kernel with a planted fault incorrect, and only that one") {
    if (make_cuda_backend()->devices().empty()) {
        skip_program("no CUDA device");
    }
    const auto compiler = make_nvrtc_compiler();
    const Family& family = family_named("lut_mv");
    const auto check = [&](const KernelSource& source) {
        return real_check(make_cuda_backend(), *compiler, family, source);
    };
    const auto right = check(kernel_source(family));
    CHECK(right.message == "");
    CHECK(right.status == CandidateStatus::kCorrect);
    CHECK(right.time_us > 0);

    // Groups are summed without their scales.
    const auto wrong = check(patched(family, "+= scale * finish(", "+= finish("));
    CHECK(wrong.status == CandidateStatus::kCorrectness);
    CHECK_THAT(wrong.message, ContainsSubstring("nrmse"));
    CHECK(wrong.time_us == 0);
}
