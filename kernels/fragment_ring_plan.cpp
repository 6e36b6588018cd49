#include "kernels/fragment_ring_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <iterator>

namespace fdkbench {
namespace {

constexpr std::array<int, 6> kStages{8, 6, 5, 4, 3, 2};
constexpr int kFewStages = 3;
constexpr int kMostConsumerWarps = 16;
constexpr int kFewestConsumerWarps = 2;
constexpr double kWorthTrying = 1.35;  // times the least work an SM has
constexpr std::uint64_t kPanelK = 64;
constexpr std::uint64_t kNarrowestTile = 32;  // of wgmma
constexpr std::uint64_t kWidestTile = 256;
constexpr std::int64_t kManyTokens = 64;  // beyond, smaller tiles may leave room for more stages

std::uint32_t number(int value) {
    return static_cast<std::uint32_t>(value);
}

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

/// As copies of blocks of the fragment layout see w and its scales.
std::vector<TensorMap> block_maps(const FragmentRingTiling& ring) {
    const auto blocks = static_cast<std::uint64_t>(ring.format.blocks());
    const auto quads = static_cast<std::uint64_t>(ring.format.group_quads());
    const auto row_blocks = static_cast<std::uint64_t>(ring.format.row_blocks());
    return {{.operand = TensorMap::Operand::kW,
             .element_bytes = 4,
             .size = {128, blocks, row_blocks},
             .strides = {512, blocks * 512},
             .box = {128, number(ring.stage_blocks()), number(ring.row_blocks)},
             .swizzled = false},
            {.operand = TensorMap::Operand::kScales,
             .element_bytes = 4,
             .size = {32, quads, row_blocks},
             .strides = {128, quads * 128},
             .box = {32, number(ring.slot_quads()), number(ring.row_blocks)},
             .swizzled = false}};
}

/// [panels][rows][64] of 16-bit elements [rows, k]; rows of k are farther apart than panels, which
/// the driver takes.
TensorMap panel_map(TensorMap::Operand operand,
                    std::int64_t rows,
                    const FragmentRingTiling& ring,
                    int box_rows,
                    int box_panels) {
    const auto k = static_cast<std::uint64_t>(ring.format.k);
    const std::uint64_t panel_k = ring.whole_panels() ? kPanelK : k;
    return {.operand = operand,
            .element_bytes = 2,
            .size = {panel_k, static_cast<std::uint64_t>(rows), k / panel_k},
            .strides = {k * 2, kPanelK * 2},
            .box = {kPanelK, number(box_rows), number(box_panels)},
            .swizzled = true};
}

}  // namespace

std::vector<ParamValue> ring_stages() {
    std::vector<ParamValue> values;
    for (const int depth : kStages) {
        values.emplace_back(std::int64_t{depth});
    }
    return values;
}

std::optional<std::string> lacks_wgmma(const DeviceInfo& device) {
    if (device.arch != "sm_90a") {
        return "needs wgmma, which only sm_90a has";
    }
    return std::nullopt;
}

FragmentRingTiling wgmma_tiling(const FragmentTiling& format, const Params& params) {
    const auto value = [&](const char* name) { return static_cast<int>(params.number(name)); };
    return wgmma_ring(format,
                      {.m_tile = value("m_tile"),
                       .row_warp_groups = value("row_warp_groups"),
                       .k_warp_groups = value("k_warp_groups"),
                       .stages = value("stages"),
                       .cluster = value("cluster")});
}

std::vector<Axis> wgmma_axes(std::vector<ParamValue> unrolls, std::int64_t m) {
    const auto widest = static_cast<std::int64_t>(
        std::clamp(std::bit_ceil(static_cast<std::uint64_t>(m)), kNarrowestTile, kWidestTile));
    std::vector<ParamValue> m_tiles{widest};
    for (std::int64_t tile = widest / 2; tile >= kManyTokens; tile /= 2) {
        m_tiles.emplace_back(tile);
    }
    return {
        {"row_warp_groups", {std::int64_t{2}, std::int64_t{1}, std::int64_t{3}, std::int64_t{4}}},
        {"k_warp_groups", {std::int64_t{2}, std::int64_t{1}, std::int64_t{4}}},
        {"unroll", std::move(unrolls)},
        {"stages", ring_stages()},
        {"cluster", {std::int64_t{2}, std::int64_t{1}}},
        {"m_tile", std::move(m_tiles)},
    };
}

std::optional<std::string> wgmma_skips(const Problem& problem,
                                       const FragmentRingTiling& ring,
                                       int registers,
                                       const DeviceInfo& device) {
    // 4 × row_warp_groups.
    const RingCuts cuts{.row_blocks = {4, 8, 12, 16}, .clusters = {1, 2}};
    return ring_skips(problem, ring, cuts, ring.m_tile / 2 + registers, device);
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

    using enum TensorMap::Operand;
    const auto m = static_cast<int>(problem.shape.m);
    TensorMap x = panel_map(kX, m, ring, ring.m_tile, ring.box_panels());
    if (ring.x_row_step() < ring.m_tile) {
        x.row_step = number(ring.x_row_step());
        x.whole_depth = x.box[2];
        fit_box(x.box, plan, x, m);
    }
    step.tensor_maps.push_back(std::move(x));
    if (problem.format.quantised()) {
        std::ranges::copy(block_maps(ring), std::back_inserter(step.tensor_maps));
    } else {
        step.tensor_maps.push_back(
            panel_map(kW, problem.shape.n, ring, ring.rows(), ring.panels()));
    }
    return plan;
}

}  // namespace fdkbench
