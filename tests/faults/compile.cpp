#include "tests/kernels/compile.hpp"

#include "kernels/registry.hpp"
#include "src/cuda/cuda_backend.hpp"
#include "tests/catch.hpp"
#include "tests/faults/fault.hpp"
#include "tests/kernels/points.hpp"

using namespace fdkbench;
using namespace fdkbench::testing;

TEST_CASE("Every faulty GPU kernel compiles, but for the one that must not") {
    const auto compiler = make_nvrtc_compiler();
    const DeviceInfo device = h100();
    const Problem problem{{3, 128, 256}, {16, 0}, ElementType::kBf16};
    const Family& family = family_named("faulty");
    for (const Params& point : all_points(family, problem, device)) {
        const std::string& fault = point.word("fault");
        if (fault == "compiles_for_minutes") {
            continue;
        }
        const CompileOutput output = compile_point(*compiler, family, problem, point, device);
        CAPTURE(fault, output.log);
        CHECK(output.ok == (fault != "unknown_name"));
        CHECK((local_bytes(output.log) >= 4096) == (fault == "spills"));
    }
}
