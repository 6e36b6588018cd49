#include "src/core/artifact_cache.hpp"
#include "src/worker/checking.hpp"
#include "src/worker/device_data.hpp"
#include "tests/cuda/gpu.hpp"
#include "tests/kernels/compile.hpp"
#include "tests/kernels/points.hpp"

#include <algorithm>
#include <map>
#include <set>

using namespace fdkbench;
using namespace fdkbench::test;
using namespace fdkbench::testing;

namespace {

/// y = x · wᵀ on the CPU, for the small problems of these tests.
std::vector<float> product(std::span<const float> x, std::span<const float> w, const Shape& shape) {
    std::vector<float> y;
    for (std::int64_t row = 0; row < shape.m; ++row) {
        for (std::int64_t column = 0; column < shape.n; ++column) {
            double sum = 0;
            for (std::int64_t i = 0; i < shape.k; ++i) {
                sum += static_cast<double>(x[row * shape.k + i]) * w[column * shape.k + i];
            }
            y.push_back(static_cast<float>(sum));
        }
    }
    return y;
}

bool uses_library(const Family& family, const Problem& problem, const Params& params) {
    const LaunchPlan plan = family.plan(problem, params, gpu_info());
    return std::ranges::any_of(
        plan.steps, [](const LaunchStep& step) { return step.kind == LaunchStep::Kind::kMatmul; });
}

/// Launches the best guess of a family three times, on whole and on ragged m.
void run_once(const Family& family,
              const Problem& problem,
              const Params& params,
              const InputsKey& inputs) {
    CAPTURE(family.name, to_string(problem), to_string(params));
    const auto compiler = make_nvrtc_compiler();
    const CompileOutput output = compile_point(*compiler, family, problem, params, gpu_info());
    REQUIRE(output.ok);
    const TemporaryFile file(output.binary);
    const LaunchPlan plan = family.plan(problem, params, gpu_info());
    const auto runnable = gpu().load(file.path(), plan, problem, LaunchMode::kPlain);

    HostData host;
    host.prepare(problem, inputs);
    DeviceData data(gpu());
    data.prepare(problem, inputs, host, 0);
    const auto workspace = gpu().allocate(std::max<std::uint64_t>(plan.workspace_bytes, 256));
    gpu().fill(*workspace, std::byte{0});
    References references;
    references.kernel = product(host.x_values(), host.kernel_weights(), problem.shape);
    const Checker checker(gpu(), problem, data.y(), references, 4e-3);
    const auto rotation = data.candidate_rotation(family.layout, workspace.get());
    CHECK(checker.check(*runnable, rotation, plan).fault.empty());
}

struct Case {
    Shape shape;
    ElementType type = ElementType::kBf16;
    CodebookValues codebook = CodebookValues::kUniform;
    std::int64_t group_size = 64;
};

const std::vector<Case>& cases() {
    static const std::vector<Case> all{
        {{3, 136, 1152}},
        {{33, 136, 1152}},
        {{4, 136, 4096}},  // long enough for fragment_mma to share x in a cluster
        {{3, 136, 1152}, ElementType::kFp16, CodebookValues::kUneven},
        {{33, 136, 1152}, ElementType::kFp16, CodebookValues::kUneven},
        {{3, 136, 1152}, ElementType::kFp16},
        // k ends within what a tensor copy of x takes.
        {{3, 136, 1056}, ElementType::kBf16, CodebookValues::kUneven, 32},
        {{33, 136, 1056}, ElementType::kBf16, CodebookValues::kUneven, 32},
    };
    return all;
}

using Ran = std::map<std::string, std::set<int>>;

/// Runs each family on each bit width that it claims; returns these.
Ran run_families(bool with_library) {
    gpu();
    Ran ran;
    for (const int bits : {16, 8, 4, 2, 1}) {
        for (const Case& each : cases()) {
            const Problem problem{each.shape, {bits, bits == 16 ? 0 : each.group_size}, each.type};
            InputsKey inputs({});
            inputs.codebook = each.codebook;
            for (const Family* family : claimants("cuda", problem, gpu_info())) {
                const Params params = valid_points(*family, problem, gpu_info()).front();
                if (uses_library(*family, problem, params) == with_library) {
                    run_once(*family, problem, params, inputs);
                    ran[family->name].insert(bits);
                }
            }
        }
    }
    return ran;
}

/// Those that claim large problems of the device, as sweeps have them.
Ran claimed(bool with_library) {
    Ran all;
    for (const int bits : {16, 8, 4, 2, 1}) {
        for (const std::int64_t m : {1, 64}) {
            const Problem problem{{m, 4096, 4096}, {bits, bits == 16 ? 0 : 64}, ElementType::kBf16};
            for (const Family* family : claimants("cuda", problem, gpu_info())) {
                const Params params = valid_points(*family, problem, gpu_info()).front();
                if (uses_library(*family, problem, params) == with_library) {
                    all[family->name].insert(bits);
                }
            }
        }
    }
    return all;
}

}  // namespace

TEST_CASE("Every family runs on every bit width", "[kernels]") {
    CHECK(run_families(false) == claimed(false));
}

TEST_CASE("Families that call the library run on every bit width", "[library]") {
    CHECK(run_families(true) == claimed(true));
}
