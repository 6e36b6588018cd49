#include "src/cuda/cuda_backend.hpp"
#include "tests/catch.hpp"
#include "tests/kernels/compile.hpp"
#include "tests/kernels/points.hpp"

#include <random>

using namespace fdkbench;
using namespace fdkbench::testing;

namespace {

constexpr int kPointsPerFamily = 3;

/// Problems of every kind, one token, eight or many.
std::vector<Problem> mixed_problems() {
    std::vector<Problem> all;
    for (const std::int64_t m : {1, 8, 256}) {
        for (const ElementType type : {ElementType::kBf16, ElementType::kFp16}) {
            const std::vector<Problem> some = ragged_problems(m, type);
            all.insert(all.end(), some.begin(), some.end());
        }
    }
    return all;
}

template <class T>
const T& pick(const std::vector<T>& from, std::mt19937& random) {
    return from.at(random() % from.size());
}

/// Families for the instructions of some architectures say so.
bool needs_another(const Family& family, const DeviceInfo& device) {
    const bool wgmma = family.name == "fragment_wgmma" || family.name == "dense_wgmma";
    return (wgmma && device.arch != "sm_90a") ||
           (family.name == "fragment_ring" && device.compute_capability < 90);
}

/// Compiles points of the family drawn from all problems that it claims.
void compile_some(KernelCompiler& compiler,
                  const Family& family,
                  const DeviceInfo& device,
                  std::mt19937& random) {
    std::vector<Problem> claimed;
    for (const Problem& problem : mixed_problems()) {
        if (!family.declines(problem, device) && !valid_points(family, problem, device).empty()) {
            claimed.push_back(problem);
        }
    }
    if (claimed.empty()) {
        CAPTURE(family.name, device.arch);
        CHECK(needs_another(family, device));
        return;
    }
    for (int i = 0; i < kPointsPerFamily; ++i) {
        const Problem& problem = pick(claimed, random);
        const Params point = pick(valid_points(family, problem, device), random);
        CAPTURE(family.name, to_string(problem), to_string(point));
        const CompileOutput output = compile_point(compiler, family, problem, point, device);
        CAPTURE(output.log);
        CHECK(output.ok);
    }
}

void compile_for(const std::string& arch, int compute_capability, std::int64_t shared_bytes) {
    const auto compiler = make_nvrtc_compiler();
    DeviceInfo device = with_arch(h100(), arch, compute_capability);
    device.shared_bytes_per_block = shared_bytes;
    std::mt19937 random(static_cast<unsigned>(compute_capability));
    for (const Family& family : families()) {
        if (family.backend == "cuda") {
            compile_some(*compiler, family, device, random);
        }
    }
}

}  // namespace

TEST_CASE("Points drawn at random compile for sm_80") {
    compile_for("sm_80", 80, 166912);
}
TEST_CASE("Points drawn at random compile for sm_86") {
    compile_for("sm_86", 86, 101376);
}
TEST_CASE("Points drawn at random compile for sm_89") {
    compile_for("sm_89", 89, 101376);
}
TEST_CASE("Points drawn at random compile for sm_90a") {
    compile_for("sm_90a", 90, 232448);
}
TEST_CASE("Points drawn at random compile for sm_100a") {
    compile_for("sm_100a", 100, 232448);
}
