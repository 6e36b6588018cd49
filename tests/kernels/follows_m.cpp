#include "tests/catch.hpp"
#include "tests/kernels/points.hpp"

#include <algorithm>
#include <array>

using namespace fdkbench;
using namespace fdkbench::testing;

namespace {

constexpr std::array kOwnM{1, 3, 8, 16, 24, 33, 128, 256};

/// 1 … 130, then some, around multiples of tiles.
std::vector<std::int64_t> other_m() {
    std::vector<std::int64_t> all{191,
                                  192,
                                  193,
                                  200,
                                  255,
                                  256,
                                  257,
                                  300,
                                  511,
                                  512,
                                  513,
                                  4096,
                                  5000,
                                  65535,
                                  65536,
                                  1 << 20,
                                  1 << 24};
    for (std::int64_t m = 1; m <= 130; ++m) {
        all.push_back(m);
    }
    return all;
}

std::vector<Problem> some_problems(std::int64_t m) {
    std::vector<Problem> all{{{m, 8192, 8192}, {16, 0}, ElementType::kBf16}};
    for (const int bits : {8, 4, 2, 1}) {
        all.push_back({{m, 1001, 1152}, {bits, 64}, ElementType::kBf16});
        all.push_back({{m, 8192, 8192}, {bits, 64}, ElementType::kFp16});
    }
    return all;
}

DeviceInfo processor() {
    DeviceInfo device;
    device.id = "host";
    device.backend = "host";
    device.name = "Fictional";
    device.arch = "native";
    device.units = 8;
    device.isa = "avx2";
    return device;
}

std::vector<DeviceInfo> devices() {
    return {h100(), rtx_3090(), processor()};
}

bool has_values(const Params& point, const std::vector<Axis>& axes) {
    return std::ranges::all_of(axes, [&](const Axis& axis) {
        return std::ranges::any_of(point.items(), [&](const auto& item) {
            return item.first == axis.name && std::ranges::count(axis.values, item.second) > 0;
        });
    });
}

/// The first, the last and some between: a plan has no more to do with m in one than in another.
std::vector<Params> some_points(const Family& family,
                                const Problem& problem,
                                const DeviceInfo& device) {
    const std::vector<Params> all = valid_points(family, problem, device);
    std::vector<Params> some;
    const std::size_t step = std::max<std::size_t>(1, all.size() / 3);
    for (std::size_t i = 0; i < all.size(); i += step) {
        some.push_back(all[i]);
    }
    some.push_back(all.back());
    return some;
}

/// Calls `visit(family, problem, device)`.
template <typename Visit>
void for_each_claim(const Visit& visit) {
    for (const DeviceInfo& device : devices()) {
        for (const std::int64_t m : kOwnM) {
            for (const Problem& problem : some_problems(m)) {
                for (const Family* family : claimants(device.backend, problem, device)) {
                    visit(*family, problem, device);
                }
            }
        }
    }
}

/// Why the device cannot launch it, or it leaves rows out; "" when all is well.
std::string fault_of(const LaunchPlan& plan, const Family& family, std::int64_t m) {
    const std::int64_t m_tile = plan.tiling.value().m_tile;
    bool covered = m <= m_tile || family.backend == "host";
    for (const LaunchStep& step : plan.steps) {
        const auto [x, y, z] = step.grid;
        if (std::min({x, y, z}) < 1 || x > 0x7fffffffu || std::max(y, z) > 65535 ||
            x % step.cluster != 0) {
            return "the grid cannot be launched";
        }
        for (const TensorMap& map : step.tensor_maps) {
            if (map.operand == TensorMap::Operand::kX &&
                map.size[1] != static_cast<std::uint64_t>(m)) {
                return "the tensor map has other rows";
            }
            if (map.operand == TensorMap::Operand::kX && map.box[1] * plan.tiling->tiles(m) < m) {
                return "boxes leave rows out";
            }
        }
        const bool has_tiles = step.grid_per_tile != LaunchStep().grid_per_tile;
        covered = covered || has_tiles || step.kind == LaunchStep::Kind::kMatmul;
    }
    return covered ? "" : "rows are left out";
}

}  // namespace

TEST_CASE("A plan follows m to the plan that the family has there") {
    const std::vector<std::int64_t> all_m = other_m();
    std::int64_t same = 0;
    for_each_claim([&](const Family& family, const Problem& problem, const DeviceInfo& device) {
        const std::vector<Params> points = some_points(family, problem, device);
        for (const std::int64_t m : all_m) {
            Problem other = problem;
            other.shape.m = m;
            std::vector<Axis> axes;
            if (!family.declines(other, device)) {
                axes = family.axes(other, device);
            }
            for (const Params& point : points) {
                const LaunchPlan own = family.plan(problem, point, device);
                const auto plan = for_m(own, m);
                // Whether a sweep of the other problem has the point.
                const bool accepted =
                    !axes.empty() && has_values(point, axes) && !family.skips(other, point, device);
                const bool right = plan ? plan == family.plan(other, point, device) &&
                                              fault_of(*plan, family, m).empty()
                                        : !accepted && m > own.tiling.value().most_m;
                same += accepted ? 1 : 0;
                if (!right) {
                    CAPTURE(device.name, family.name, to_string(problem), to_string(point));
                    FAIL("m " << m << ": " << (plan ? fault_of(*plan, family, m) : "no plan"));
                }
            }
        }
    });
    CHECK(same > 10000);
}

TEST_CASE("A plan for its own m is the same, and only kernels for few tokens are for few rows") {
    for_each_claim([&](const Family& family, const Problem& problem, const DeviceInfo& device) {
        for (const Params& point : some_points(family, problem, device)) {
            CAPTURE(family.name, to_string(problem), to_string(point));
            const LaunchPlan plan = family.plan(problem, point, device);
            CHECK(for_m(plan, problem.shape.m) == plan);
            const std::int64_t most_m = plan.tiling.value().most_m;
            if (family.name == "dense_mv" || family.name == "lut_mv") {
                CHECK(most_m == point.number("m_tile"));
            } else {
                CHECK(most_m >= 65535);
            }
        }
    });
}

TEST_CASE("What a kernel is compiled from does not depend on m") {
    for (const Problem& problem : some_problems(1)) {
        Problem other = problem;
        other.shape.m = 300;
        CHECK(problem_defines(problem) == problem_defines(other));
    }
}
