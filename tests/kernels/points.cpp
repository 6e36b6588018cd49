#include "tests/kernels/points.hpp"

namespace fdkbench::testing {

DeviceInfo h100() {
    DeviceInfo device;
    device.id = "cuda:0";
    device.backend = "cuda";
    device.name = "NVIDIA H100 80GB HBM3";
    device.arch = "sm_90a";
    device.compute_capability = 90;
    device.units = 132;
    device.cache_bytes = std::int64_t{50} << 20;
    device.memory_bytes = std::int64_t{80} << 30;
    device.shared_bytes_per_block = 232448;
    device.max_threads_per_block = 1024;
    return device;
}

DeviceInfo rtx_3090() {
    DeviceInfo device = with_arch(h100(), "sm_86", 86);
    device.name = "NVIDIA GeForce RTX 3090";
    device.units = 82;
    device.cache_bytes = std::int64_t{6} << 20;
    device.memory_bytes = std::int64_t{24} << 30;
    device.shared_bytes_per_block = 101376;
    return device;
}

DeviceInfo with_arch(DeviceInfo device, const std::string& arch, int compute_capability) {
    device.arch = arch;
    device.compute_capability = compute_capability;
    return device;
}

std::vector<Params> all_points(const Family& family,
                               const Problem& problem,
                               const DeviceInfo& device) {
    std::vector<Params> points{Params{}};
    for (const Axis& axis : family.axes(problem, device)) {
        std::vector<Params> longer;
        for (const Params& point : points) {
            for (const ParamValue& value : axis.values) {
                longer.push_back(point);
                longer.back().set(axis.name, value);
            }
        }
        points = std::move(longer);
    }
    return points;
}

std::vector<Params> valid_points(const Family& family,
                                 const Problem& problem,
                                 const DeviceInfo& device) {
    std::vector<Params> valid;
    for (Params& point : all_points(family, problem, device)) {
        if (!family.skips(problem, point, device)) {
            valid.push_back(std::move(point));
        }
    }
    return valid;
}

std::vector<const Family*> claimants(const std::string& backend,
                                     const Problem& problem,
                                     const DeviceInfo& device) {
    std::vector<const Family*> claiming;
    for (const Family& family : families()) {
        if (family.backend == backend && !family.declines(problem, device)) {
            claiming.push_back(&family);
        }
    }
    return claiming;
}

std::vector<Problem> ragged_problems(std::int64_t m, ElementType type) {
    constexpr std::int64_t kN = 1001;
    constexpr std::int64_t kManyGroups = 1152;  // 9 · 128
    constexpr std::int64_t kOneGroup = 1056;    // 33 · 32
    std::vector<Problem> all{{{m, kN, kManyGroups}, {16, 0}, type}};
    for (const int bits : {8, 4, 2, 1}) {
        for (const std::int64_t group_size : {32, 64, 128}) {
            all.push_back({{m, kN, kManyGroups}, {bits, group_size}, type});
        }
        all.push_back({{m, kN, kOneGroup}, {bits, kOneGroup}, type});
    }
    return all;
}

std::vector<Problem> large_problems(std::int64_t m, ElementType type) {
    std::vector<Problem> all{{{m, 8192, 8192}, {16, 0}, type}};
    for (const int bits : {8, 4, 2, 1}) {
        all.push_back({{m, 8192, 8192}, {bits, 64}, type});
    }
    return all;
}

}  // namespace fdkbench::testing
