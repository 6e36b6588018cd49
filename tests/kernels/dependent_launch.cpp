#include "src/cuda/cuda_backend.hpp"
#include "tests/catch.hpp"
#include "tests/kernels/compile.hpp"
#include "tests/kernels/patched.hpp"
#include "tests/kernels/points.hpp"

using namespace fdkbench;
using namespace fdkbench::testing;

namespace {

const Problem kProblem{{1, 1024, 1024}, {4, 64}, ElementType::kBf16};

/// The best guess on the device, of this source.
std::vector<std::byte> machine_code(const Family& family,
                                    const KernelSource& source,
                                    const DeviceInfo& device) {
    const Params params = first_values(family.axes(kProblem, device));
    const CompileOutput output =
        compile_source(*make_nvrtc_compiler(), source, kProblem, params, device);
    CAPTURE(output.log);
    REQUIRE(output.ok);
    return output.binary;
}

bool changes_code(const Family& family, const std::string& call, const DeviceInfo& device) {
    return machine_code(family, patched(family, "    " + call + ";\n", ""), device) !=
           machine_code(family, kernel_source(family), device);
}

}  // namespace

TEST_CASE("A kernel that says so lets dependents begin and waits, where there is such a launch") {
    int waiting = 0;
    for (const Family* family : claimants("cuda", kProblem, h100())) {
        const Params params = first_values(family->axes(kProblem, h100()));
        if (launch_constraint(family->plan(kProblem, params, h100()), LaunchMode::kDependent)) {
            continue;
        }
        ++waiting;
        for (const char* call : {"begin_dependents()", "wait_for_predecessors()"}) {
            CAPTURE(family->name, call);
            CHECK(changes_code(*family, call, h100()));
            if (!family->declines(kProblem, rtx_3090())) {
                CHECK_FALSE(changes_code(*family, call, rtx_3090()));
            }
        }
    }
    CHECK(waiting >= 1);
}
