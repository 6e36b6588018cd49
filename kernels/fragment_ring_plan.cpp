#include "kernels/fragment_ring_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace fdkbench {
namespace {

constexpr std::array<int, 6> kStages{8, 6, 5, 4, 3, 2};
constexpr int kFewStages = 3;
constexpr int kMostConsumerWarps = 16;
constexpr int kFewestConsumerWarps = 2;
constexpr double kWorthTrying = 1.35;  // times the least work an SM has
constexpr std::uint64_t kPanelK = 64;

/// Row blocks, over all of k, that the SM with the most work has.
double work(const Problem& problem, const FragmentRingTiling& ring, const DeviceInfo& device) {
    const std::int64_t ctas = ceil_div(ring.format.row_blocks(), ring.row_blocks) * ring.cluster *
                              ceil_div(problem.shape.m, ring.m_tile);
    return static_cast<double>(ceil_div(ctas, device.units) * ring.row_blocks) / ring.cluster;
}

bool too_short(const FragmentRingTiling& ring) {
    return ring.rounds() < 2 && (ring.k_parts > 1 || ring.cluster > 1);
}

std::optional<std::string> skips_cut(const Problem& problem,
                                     const FragmentRingTiling& ring,
                                     const RingCuts& cuts,
                                     const DeviceInfo& device) {
    const double own = work(problem, ring, device);
    for (const int cluster : cuts.clusters) {
        for (const int row_blocks : cuts.row_blocks) {
            FragmentRingTiling other = ring;
            other.cluster = cluster;
            other.row_blocks = row_blocks;
            const double others = work(problem, other, device);
            const bool wider = cluster == ring.cluster && row_blocks > ring.row_blocks;
            if (!too_short(other) && (own > others * kWorthTrying || (wider && own >= others))) {
                return fmt::format(
                    "{} row blocks and cluster {} leave an SM the work of {:.4g} row blocks, {} "
                    "and {} of {:.4g}",
                    ring.row_blocks,
                    ring.cluster,
                    own,
                    row_blocks,
                    cluster,
                    others);
            }
        }
    }
    return std::nullopt;
}

std::optional<std::string> skips_stages(const FragmentRingTiling& ring, const DeviceInfo& device) {
    const int useful = std::max(ring.rounds(), kStages.back());
    if (ring.stages > useful) {
        return fmt::format("stages {}: only {} have something to hold", ring.stages, useful);
    }
    const bool deeper_fits = std::ranges::any_of(kStages, [&](int depth) {
        FragmentRingTiling deeper = ring;
        deeper.stages = depth;
        return depth > ring.stages && depth <= useful &&
               deeper.shared_bytes() <= device.shared_bytes_per_block;
    });
    if (deeper_fits && ring.stages != kFewStages) {
        return fmt::format("stages {}: more fit as well", ring.stages);
    }
    return std::nullopt;
}

}  // namespace

std::vector<ParamValue> ring_stages() {
    std::vector<ParamValue> values;
    for (const int depth : kStages) {
        values.emplace_back(std::int64_t{depth});
    }
    return values;
}

std::optional<std::string> ring_skips(const Problem& problem,
                                      const FragmentRingTiling& ring,
                                      const RingCuts& cuts,
                                      int registers,
                                      const DeviceInfo& device) {
    if (ring.consumer_warps > kMostConsumerWarps || ring.consumer_warps < kFewestConsumerWarps) {
        return fmt::format("{} warps that multiply, {} to {} are tried",
                           ring.consumer_warps,
                           kFewestConsumerWarps,
                           kMostConsumerWarps);
    }
    if (!ring.divides()) {
        return fmt::format(
            "unroll {}: stages of {} weights are not whole panels of {} and whole "
            "or equal parts of 4 groups of {}",
            ring.format.unroll,
            ring.stage_k(),
            kPanelK,
            ring.format.group_size);
    }
    if (too_short(ring)) {
        return fmt::format("k {} is less than two stages of {} for each of cluster {}",
                           ring.format.k,
                           ring.stage_k(),
                           ring.cluster);
    }
    if (auto reason = skips_cut(problem, ring, cuts, device)) {
        return reason;
    }
    if (auto reason = skips_stages(ring, device)) {
        return reason;
    }
    // Of a producer warp group that gives its registers away, little is left.
    const int threads = ring.gives_registers() ? ring.consumers() : ring.threads();
    return fragment_exceeds(device, threads, registers, ring.shared_bytes());
}

LaunchPlan ring_plan(const std::string& family,
                     const Problem& problem,
                     const FragmentRingTiling& ring) {
    const std::int64_t ctas = ceil_div(ring.format.row_blocks(), ring.row_blocks) * ring.cluster;
    LaunchPlan plan =
        fragment_plan(family, problem, ctas, ring.m_tile, ring.threads(), ring.shared_bytes());
    LaunchStep& step = plan.steps.front();
    step.cluster = static_cast<std::uint32_t>(ring.cluster);
    step.waits_for_predecessor = true;

    const auto k = static_cast<std::uint64_t>(problem.shape.k);
    // Rows of x are farther apart than panels, which the driver takes.
    const std::uint64_t panel_k = ring.whole_panels() ? kPanelK : k;
    const auto blocks = static_cast<std::uint64_t>(ring.format.blocks());
    const auto quads = static_cast<std::uint64_t>(ring.format.group_quads());
    const auto row_blocks = static_cast<std::uint64_t>(ring.format.row_blocks());
    const auto number = [](int value) { return static_cast<std::uint32_t>(value); };
    using enum TensorMap::Operand;
    step.tensor_maps = {
        {.operand = kX,
         .element_bytes = 2,
         .size = {panel_k, static_cast<std::uint64_t>(problem.shape.m), k / panel_k},
         .strides = {k * 2, kPanelK * 2},
         .box = {kPanelK,
                 number(ring.x_rows(static_cast<int>(problem.shape.m))),
                 number(ring.box_panels())},
         .swizzled = true,
         .row_step = number(ring.x_row_step())},
        {.operand = kW,
         .element_bytes = 4,
         .size = {128, blocks, row_blocks},
         .strides = {512, blocks * 512},
         .box = {128, number(ring.stage_blocks()), number(ring.row_blocks)},
         .swizzled = false},
        {.operand = kScales,
         .element_bytes = 4,
         .size = {32, quads, row_blocks},
         .strides = {128, quads * 128},
         .box = {32, number(ring.slot_quads()), number(ring.row_blocks)},
         .swizzled = false},
    };
    return plan;
}

}  // namespace fdkbench
