#include "tests/cuda/gpu.hpp"

using namespace fdkbench;
using namespace fdkbench::test;

// A fault destroys the context: nothing else can be tested in this program.
TEST_CASE("A kernel that traps is a runtime failure, reported when the device is waited for") {
    const auto kernel =
        (gpu(), load_kernel(kernel_text("asm volatile(\"trap;\");"), one_step(1, 1)));
    CHECK_NOTHROW(kernel->launch({}));
    const auto error = candidate_error([] { gpu().synchronize(); });
    CHECK(error.status() == CandidateStatus::kRuntime);
    CHECK_THAT(error.what(), ContainsSubstring("cudaError"));

    const auto later = candidate_error([] { gpu().allocate(16); });
    CHECK(later.status() == CandidateStatus::kRuntime);
}
