#include "kernels/registry.hpp"

#include <algorithm>
#include <bit>

namespace fdkbench {
namespace {

using std::to_string;

constexpr std::int64_t kMaxTokens = 8;
constexpr std::int64_t kMaxSums = 16;            // accumulators of a lane, in registers
constexpr std::int64_t kStageBytes = 64 * 1024;  // leaves room for a table on every architecture
constexpr std::int64_t kStageMultiple = 4096;    // a multiple of every tile
constexpr std::int64_t kBankBytes = 128;         // of shared memory that a warp reads at once
constexpr std::int64_t kEnoughTiles = 4;         // in a row, to keep warps busy

std::int64_t codes_per_vector(const Problem& problem, std::int64_t vector_bytes) {
    return vector_bytes * 8 / problem.format.bits;
}

std::int64_t tiles_of_row(const Problem& problem, std::int64_t vector_bytes) {
    return ceil_div(problem.shape.k, 32 * codes_per_vector(problem, vector_bytes));
}

/// Rows must stay aligned, and a vector or a group must end where the other does.
bool fits_rows(const Problem& problem, std::int64_t vector_bytes) {
    const std::int64_t vector = codes_per_vector(problem, vector_bytes);
    const std::int64_t group = problem.format.group_size;
    const std::int64_t unit = std::min<std::int64_t>(vector, 8);
    return problem.shape.k % vector == 0 &&
           (group % vector == 0 || (vector % group == 0 && group % unit == 0));
}

std::int64_t widest_vector_bytes(const Problem& problem) {
    std::int64_t bytes = 16;
    while (!fits_rows(problem, bytes)) {
        bytes /= 2;
    }
    return bytes;
}

bool uses_table(const Params& params) {
    return params.word("decode") == "table16" || params.word("decode") == "table32";
}

/// Of one byte's values in the table.
std::int64_t entry_bytes(const Problem& problem, const Params& params) {
    return 8 / problem.format.bits * (params.word("decode") == "table32" ? 4 : 2);
}

std::int64_t shared_bytes(const Problem& problem, const Params& params) {
    const std::int64_t table =
        uses_table(params) ? 256 * params.number("replicas") * entry_bytes(problem, params) : 0;
    return table + params.number("m_tile") * params.number("stage_k") * 2;
}

std::optional<std::string> declines(const Problem& problem, const DeviceInfo& device) {
    if (!problem.format.quantised()) {
        return "reads packed weights of 8, 4, 2 or 1 bits only";
    }
    if (problem.shape.m > kMaxTokens) {
        return "is for m up to " + to_string(kMaxTokens);
    }
    return declines_device(device);
}

Axis decode_axis(int bits) {
    switch (bits) {
        case 8:
            return {"decode", {"table32"}};
        case 4:
            return {"decode", {"table16", "table32"}};
        case 2:
            return {"decode", {"table16", "prmt"}};
        default:
            return {"decode", {"select", "table16"}};
    }
}

Axis replicas_axis(int bits) {
    if (bits >= 4) {
        return {"replicas", {32, 16}};
    }
    return {"replicas", {bits == 2 ? 16 : 8}};
}

std::vector<Axis> axes(const Problem& problem, const DeviceInfo&) {
    const auto m = static_cast<std::uint64_t>(problem.shape.m);
    const auto m_tile = static_cast<std::int64_t>(std::bit_ceil(m));
    const auto whole_k = ceil_div(problem.shape.k, kStageMultiple) * kStageMultiple;
    const auto widest = widest_vector_bytes(problem);
    Axis vector_bytes{"vector_bytes", {widest}};
    if (widest > 1 && fits_rows(problem, widest / 2)) {
        vector_bytes.values.emplace_back(widest / 2);
    }
    return {
        {"rows_per_warp",
         m_tile * 4 <= kMaxSums ? std::vector<ParamValue>{4, 2} : std::vector<ParamValue>{2, 1}},
        {"warps", {8, 16}},
        {"split_k", {1, 2, 4}},
        decode_axis(problem.format.bits),
        replicas_axis(problem.format.bits),
        vector_bytes,
        {"stage_k", {std::min(whole_k, kStageBytes / (2 * m_tile))}},
        {"m_tile", {m_tile}},
    };
}

std::optional<std::string> skips_split(const Problem& problem, const Params& params) {
    const auto split_k = params.number("split_k");
    const auto vector_bytes = params.number("vector_bytes");
    const auto stage_k = params.number("stage_k");
    const auto tiles = tiles_of_row(problem, vector_bytes);
    if (tiles < split_k) {
        return "a row has only " + to_string(tiles) + " tiles of vector_bytes " +
               to_string(vector_bytes) + " for split_k " + to_string(split_k);
    }
    const auto round = split_k * 32 * codes_per_vector(problem, vector_bytes);
    if (stage_k < problem.shape.k && stage_k % round != 0) {
        return "stage_k " + to_string(stage_k) + " is no multiple of the " + to_string(round) +
               " weights of split_k " + to_string(split_k) + " tiles";
    }
    return std::nullopt;
}

std::optional<std::string> skips(const Problem& problem,
                                 const Params& params,
                                 const DeviceInfo& device) {
    const auto replicas = params.number("replicas");
    const auto entry = entry_bytes(problem, params);
    if (uses_table(params) && replicas * entry > kBankBytes) {
        return "replicas " + to_string(replicas) + " × " + to_string(entry) +
               "-byte entries is more than the " + to_string(kBankBytes) +
               " bytes that the banks serve at once";
    }
    const auto widest = widest_vector_bytes(problem);
    if (params.number("vector_bytes") < widest && tiles_of_row(problem, widest) >= kEnoughTiles) {
        return "a row has enough tiles of vector_bytes " + to_string(widest);
    }
    if (auto reason = exceeds_shared(shared_bytes(problem, params), device)) {
        return reason;
    }
    return skips_split(problem, params);
}

LaunchPlan plan(const Problem& problem, const Params& params, const DeviceInfo&) {
    const auto warps = params.number("warps");
    const auto cta_rows = warps / params.number("split_k") * params.number("rows_per_warp");
    LaunchStep step;
    step.kernel = "lut_mv";
    step.grid[0] = static_cast<std::uint32_t>(ceil_div(problem.shape.n, cta_rows));
    step.block[0] = static_cast<std::uint32_t>(warps * 32);
    step.shared_bytes = static_cast<std::uint32_t>(shared_bytes(problem, params));
    const auto m_tile = params.number("m_tile");
    return {.steps = {step},
            .workspace_bytes = 0,
            .tiling = RowTiling{.m_tile = m_tile, .most_m = m_tile}};
}

const RegisterFamily registration{{
    .name = "lut_mv",
    .backend = "cuda",
    .source = "kernels/lut_mv.cu",
    .summary = "8-, 4-, 2- and 1-bit weights × few activations on CUDA cores",
    .declines = declines,
    .axes = axes,
    .skips = skips,
    .plan = plan,
}};

}  // namespace
}  // namespace fdkbench
