#include "tests/catch.hpp"
#include "tests/kernels/points.hpp"

#include <algorithm>
#include <map>
#include <set>

using namespace fdkbench;
using namespace fdkbench::testing;

namespace {

std::vector<Problem> all_problems() {
    std::vector<Problem> all;
    for (const std::int64_t m : {1, 3, 8, 16, 256}) {
        for (const Problem& problem : ragged_problems(m, ElementType::kBf16)) {
            all.push_back(problem);
        }
        for (const Problem& problem : large_problems(m, ElementType::kFp16)) {
            all.push_back(problem);
        }
    }
    return all;
}

/// How many CTAs bring x together, in the points that fragment_mma tries on an H100.
std::set<std::int64_t> clusters(std::int64_t m, std::int64_t k) {
    const Family& family = family_named("fragment_mma");
    const Problem problem{{m, 4096, k}, {4, 64}, ElementType::kBf16};
    std::set<std::int64_t> found;
    for (const Params& point : valid_points(family, problem, h100())) {
        found.insert(point.number("cluster"));
    }
    return found;
}

/// What cuTensorMapEncodeTiled demands, and that no two elements lie in one place.
void check_map(const TensorMap& map) {
    CAPTURE(to_string(map.operand));
    REQUIRE(map.box.size() == map.size.size());
    REQUIRE(map.strides.size() + 1 == map.size.size());
    std::map<std::uint64_t, std::uint64_t> size_of_stride;
    for (std::size_t i = 0; i < map.size.size(); ++i) {
        CHECK(map.size[i] >= 1);
        CHECK(map.box[i] >= 1);
        CHECK(map.box[i] <= 256);
        if (i > 0) {
            CHECK(map.strides[i - 1] % 16 == 0);
            if (map.size[i] > 1) {
                CHECK(size_of_stride.emplace(map.strides[i - 1], map.size[i]).second);
            }
        }
    }
    std::uint64_t bytes = map.size[0] * map.element_bytes;
    for (const auto& [stride, size] : size_of_stride) {
        CHECK(stride >= bytes);  // rows do not overlap
        bytes = stride * size;
    }
    const std::uint32_t inner = map.box[0] * map.element_bytes;
    CHECK(inner % 16 == 0);
    CHECK((!map.swizzled || inner <= 128));
}

void check_step(const Family& family, const LaunchStep& step, const DeviceInfo& device) {
    const std::string& text = kernel_source(family).source.text;
    CHECK(text.find(' ' + step.kernel + '(') != std::string::npos);
    CHECK(step.grid[0] >= 1);
    CHECK(step.grid[0] <= 0x7fffffffu);
    CHECK(std::max(step.grid[1], step.grid[2]) <= 65535);
    CHECK(std::min(step.grid[1], step.grid[2]) >= 1);
    const std::uint32_t threads = step.block[0] * step.block[1] * step.block[2];
    CHECK(threads % 32 == 0);
    CHECK(threads >= 32);
    CHECK(threads <= static_cast<std::uint32_t>(device.max_threads_per_block));
    CHECK(step.shared_bytes <= static_cast<std::uint32_t>(device.shared_bytes_per_block));
    CHECK(step.cluster >= 1);
    CHECK(step.cluster <= 8);
    CHECK(step.grid[0] % step.cluster == 0);
    for (const TensorMap& map : step.tensor_maps) {
        check_map(map);
    }
}

}  // namespace

TEST_CASE("Every problem is claimed by a family, and a family that declines says why") {
    const DeviceInfo device = h100();
    for (const Problem& problem : all_problems()) {
        CAPTURE(to_string(problem));
        CHECK_FALSE(claimants("cuda", problem, device).empty());
        for (const Family& family : families()) {
            if (family.backend == "cuda") {
                const auto reason = family.declines(problem, device);
                CHECK((!reason || !reason->empty()));
            }
        }
    }
}

TEST_CASE("Axes have distinct names and distinct values") {
    const DeviceInfo device = h100();
    for (const Problem& problem : all_problems()) {
        for (const Family* family : claimants("cuda", problem, device)) {
            CAPTURE(family->name, to_string(problem));
            std::set<std::string> names;
            for (const Axis& axis : family->axes(problem, device)) {
                CAPTURE(axis.name);
                CHECK(names.insert(axis.name).second);
                CHECK_FALSE(axis.values.empty());
                const std::set<ParamValue> values(axis.values.begin(), axis.values.end());
                CHECK(values.size() == axis.values.size());
            }
        }
    }
}

TEST_CASE("Every point is skipped with a reason or has a plan that the device can launch") {
    const DeviceInfo device = GENERATE(h100(), rtx_3090());
    CAPTURE(device.name);
    for (const Problem& problem : all_problems()) {
        for (const Family* family : claimants("cuda", problem, device)) {
            for (const Params& point : all_points(*family, problem, device)) {
                CAPTURE(family->name, to_string(problem), to_string(point));
                if (const auto reason = family->skips(problem, point, device)) {
                    CHECK_FALSE(reason->empty());
                    continue;
                }
                const LaunchPlan plan = family->plan(problem, point, device);
                CHECK_FALSE(plan.steps.empty());
                for (const LaunchStep& step : plan.steps) {
                    if (step.kind == LaunchStep::Kind::kKernel) {
                        check_step(*family, step, device);
                    }
                }
            }
        }
    }
}

namespace {

bool calls(const KernelSource& source, const std::string& call) {
    const auto has = [&](const EmbeddedFile& file) {
        return file.text.find(call) != std::string::npos;
    };
    return has(source.source) || std::ranges::any_of(source.headers, has);
}

}  // namespace

TEST_CASE("A kernel's plan says that it waits for its predecessor where its source does") {
    const DeviceInfo device = GENERATE(h100(), rtx_3090());
    int waiting = 0;
    for (const Problem& problem : all_problems()) {
        for (const Family* family : claimants("cuda", problem, device)) {
            CAPTURE(device.name, family->name, to_string(problem));
            const bool waits = calls(kernel_source(*family), "wait_for_predecessors();");
            for (const Params& point : valid_points(*family, problem, device)) {
                const LaunchPlan plan = family->plan(problem, point, device);
                CHECK(plan.steps.front().waits_for_predecessor ==
                      (waits && device.compute_capability >= 90));
            }
            waiting += waits ? 1 : 0;
        }
    }
    CHECK(waiting > 0);
}

TEST_CASE("The best guess, the first value of every axis, is never skipped") {
    const DeviceInfo device = GENERATE(h100(), rtx_3090());
    CAPTURE(device.name);
    for (const Problem& problem : all_problems()) {
        for (const Family* family : claimants("cuda", problem, device)) {
            const Params best_guess = all_points(*family, problem, device).front();
            const auto reason = family->skips(problem, best_guess, device);
            CAPTURE(family->name, to_string(problem), to_string(best_guess), reason.value_or(""));
            CHECK_FALSE(reason.has_value());
        }
    }
}

TEST_CASE("A family has a real choice of points, but not more than a sweep can measure") {
    const DeviceInfo device = h100();
    for (const Problem& problem : all_problems()) {
        for (const Family* family : claimants("cuda", problem, device)) {
            const std::size_t valid = valid_points(*family, problem, device).size();
            CAPTURE(family->name, to_string(problem), valid);
            CHECK(valid >= 2);
            CHECK(valid <= 64);
        }
    }
}

TEST_CASE("A ring is found for layers of any height") {
    const DeviceInfo device = h100();
    const auto ring = std::ranges::find(families(), "fragment_ring", &Family::name);
    for (const std::int64_t n : {256, 1024, 14336, 24576, 25088, 28672, 32768, 151936}) {
        for (const std::int64_t m : {1, 16, 32}) {
            for (const int bits : {8, 4, 2, 1}) {
                const Problem problem{{m, n, 8192}, {bits, 64}, ElementType::kBf16};
                CAPTURE(to_string(problem));
                CHECK(ring->declines(problem, device).value_or("") == "");
            }
        }
    }
}

TEST_CASE("Groups that divide no stage of wgmma still have a kernel for many tokens") {
    const Problem problem{{64, 4096, 9216}, {1, 96}, ElementType::kBf16};
    const auto claimed = claimants("cuda", problem, h100());
    CHECK(std::ranges::any_of(
        claimed, [](const Family* family) { return family->layout == Layout::kFragment; }));
}

TEST_CASE("The fragment layout has a kernel for every number of tokens of large layers") {
    const DeviceInfo device = GENERATE(h100(), rtx_3090());
    const std::int64_t k = GENERATE(4096, 8192, 14336, 28672);
    for (const int bits : {8, 4, 2, 1}) {
        for (const std::int64_t m : {1, 3, 4, 8, 16, 33, 64, 256}) {
            const Problem problem{{m, 8192, k}, {bits, 64}, ElementType::kBf16};
            std::size_t points = 0;
            for (const Family* family : claimants("cuda", problem, device)) {
                if (family->layout == Layout::kFragment) {
                    points += valid_points(*family, problem, device).size();
                }
            }
            CAPTURE(device.name, to_string(problem));
            CHECK(points > 0);
        }
    }
}

TEST_CASE("A point that needs more shared memory than the device has is skipped saying so") {
    DeviceInfo small = h100();
    small.shared_bytes_per_block = 16 * 1024;
    const Problem problem{{1, 8192, 8192}, {4, 64}, ElementType::kBf16};
    const Family& family = family_named("lut_mv");
    const auto reason =
        family.skips(problem, all_points(family, problem, small).front(), small).value_or("");
    CHECK_THAT(reason, ContainsSubstring("49152 bytes of shared memory"));
    CHECK_THAT(reason, ContainsSubstring("16384"));
}

TEST_CASE("The dequantised weights fit the workspace of unfused") {
    const DeviceInfo device = h100();
    const Problem problem{{64, 1001, 1152}, {2, 32}, ElementType::kFp16};
    const Family& family = family_named("unfused");
    const LaunchPlan plan =
        family.plan(problem, all_points(family, problem, device).front(), device);
    CHECK(plan.workspace_bytes == 1001 * 1152 * 2);
    REQUIRE(plan.steps.size() == 2);
    CHECK(plan.steps[1].kind == LaunchStep::Kind::kMatmul);
}

TEST_CASE("CTAs share x where there is much of it") {
    using Clusters = std::set<std::int64_t>;
    CHECK(clusters(1, 4096) == Clusters{1});
    CHECK(clusters(1, 8192) == Clusters{1, 2});
    CHECK(clusters(4, 4096) == Clusters{2});
}
