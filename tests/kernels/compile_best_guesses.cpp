#include "src/cuda/cuda_backend.hpp"
#include "tests/catch.hpp"
#include "tests/kernels/compile.hpp"
#include "tests/kernels/points.hpp"

using namespace fdkbench;
using namespace fdkbench::testing;

namespace {

void compiles_without_spills(const Problem& problem) {
    const auto compiler = make_nvrtc_compiler();
    const DeviceInfo device = h100();
    for (const Family* family : claimants("cuda", problem, device)) {
        const Params best_guess = all_points(*family, problem, device).front();
        CAPTURE(family->name, to_string(problem), to_string(best_guess));
        const CompileOutput output = compile_point(*compiler, *family, problem, best_guess, device);
        CAPTURE(output.log);
        REQUIRE(output.ok);
        CHECK_FALSE(output.binary.empty());
        CHECK(local_bytes(output.log) == 0);
    }
}

}  // namespace

TEST_CASE("For one bf16 token every best guess compiles for an H100 and keeps to its registers") {
    for (const Problem& problem : ragged_problems(1, ElementType::kBf16)) {
        compiles_without_spills(problem);
    }
}

TEST_CASE(
    "For eight fp16 tokens every best guess compiles for an H100 and keeps to its registers") {
    for (const Problem& problem : ragged_problems(8, ElementType::kFp16)) {
        compiles_without_spills(problem);
    }
}

TEST_CASE("For 64 bf16 tokens every best guess compiles for an H100 and keeps to its registers") {
    for (const Problem& problem : large_problems(64, ElementType::kBf16)) {
        compiles_without_spills(problem);
    }
}

TEST_CASE("Spills in a compiler's log are seen") {
    CHECK(local_bytes("0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads") == 0);
    CHECK(local_bytes("8 bytes stack frame, 4 bytes spill stores, 4 bytes spill loads") == 16);
    CHECK(local_bytes("nothing") == -1);
}
