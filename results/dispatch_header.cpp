#include "results/dispatch_table.hpp"
#include "src/core/json.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <limits>

namespace fdkbench {

namespace {

/// What stands between the provenance and the data: the types.
constexpr const char* kTypes =
    R"(/// What cuTensorMapEncodeTiled makes a kernel's CUtensorMap from, the dimension that varies fastest
/// first; element strides 1, no interleaving, 256-byte L2 promotion, zeros outside. Addresses are
/// multiples of 16.
struct TensorMap {
    std::string_view operand;  ///< whose address it takes: "x", "w" or "scales"
    int element_bytes;         ///< 2: 16-bit integers, 4: 32-bit integers
    int rank;
    std::uint64_t size[3];     ///< of x, the second is m of the launch
    std::uint64_t strides[2];  ///< bytes, of all dimensions but the first
    std::uint32_t box[3];
    bool swizzled;              ///< 128-byte swizzle in shared memory
    std::uint32_t row_step;     ///< where not 0, the box follows m: box()
    std::uint32_t whole_depth;  ///< where not 0, its third size with all rows of a tile, else 1
};

/// One launch of a kernel.
struct Step {
    const char* kernel;  ///< exported name; empty: the library's matmul with weights [n,k]
    std::uint32_t grid[3];           ///< for the m that was measured
    std::uint32_t grid_per_tile[3];  ///< where not 0, grid is this times the tiles of x
    std::uint32_t block[3];
    std::uint32_t cluster;       ///< CTAs per cluster along x
    std::uint32_t shared_bytes;  ///< dynamic shared memory
    bool waits_for_predecessor;  ///< may begin before the launch before it has ended
    int tensor_map_count;        ///< parameters by value, in front of the pointers
    TensorMap tensor_maps[3];
};

/// The kernel that is taken to be the fastest for an interval of m.
struct Entry {
    std::int64_t first_m;
    std::int64_t last_m;
    std::int64_t m;  ///< that was measured: grid, workspace, time, ratio and error are for it
    std::int64_t n;
    std::int64_t k;
    int bits;
    std::int64_t group_size;  ///< 0 when bits is 16
    std::string_view type;    ///< of activations, scales and output: "bf16" or "fp16"
    std::string_view family;
    std::string_view params;  ///< JSON
    std::string_view layout;  ///< of the weights
    std::string_view launch_mode;  ///< when timed: "plain", or "dependent": overlapping launches
    std::string_view binary_hash;
    std::size_t first_step;  ///< index into kSteps
    std::size_t steps;
    std::uint64_t workspace_bytes;
    std::uint64_t workspace_bytes_per_tile;  ///< 0: workspace_bytes is for every m
    std::int64_t m_tile;  ///< rows of x that are a tile
    std::int64_t most_m;  ///< rows of x that one launch takes: split more
    double time_us;
    double ratio;  ///< baseline time / time: above 1 is faster than the baseline
    double ratio_lo;  ///< 95 % interval of ratio; 0 where one sample gives none
    double ratio_hi;  ///< infinity where one sample gives none
    double nrmse;
    bool extrapolated;  ///< not swept: chosen by a cost model, with its time, ratio and error
};
)";

constexpr const char* kLookup = R"(
/// The entry for this problem, or a null pointer. It was measured for it only where its m is this.
constexpr const Entry* find(std::int64_t m,
                            std::int64_t n,
                            std::int64_t k,
                            int bits,
                            std::int64_t group_size,
                            std::string_view type = "bf16") {
    for (const Entry& entry : kEntries) {
        if (entry.first_m <= m && m <= entry.last_m && entry.n == n && entry.k == k &&
            entry.bits == bits && entry.group_size == group_size && entry.type == type) {
            return &entry;
        }
    }
    return nullptr;
}

/// The grid of a step of the entry along an axis, for m ≤ most_m rows of x.
constexpr std::uint32_t grid(const Entry& entry, const Step& step, int axis, std::int64_t m) {
    const auto tiles = static_cast<std::uint32_t>((m + entry.m_tile - 1) / entry.m_tile);
    return step.grid_per_tile[axis] == 0 ? step.grid[axis] : step.grid_per_tile[axis] * tiles;
}

/// A size of the box of an entry's tensor map, for m rows of x.
constexpr std::uint32_t box(const Entry& entry,
                            const TensorMap& map,
                            int dimension,
                            std::int64_t m) {
    if (map.row_step == 0 || dimension == 0) {
        return map.box[dimension];
    }
    const std::int64_t rows = (m + map.row_step - 1) / map.row_step * map.row_step;
    const bool whole = rows >= entry.m_tile;
    if (dimension == 1) {
        return static_cast<std::uint32_t>(whole ? entry.m_tile : rows);
    }
    if (map.whole_depth == 0) {
        return map.box[dimension];
    }
    return whole ? map.whole_depth : 1;
}

/// The workspace of the entry for m ≤ most_m rows of x.
constexpr std::uint64_t workspace_bytes(const Entry& entry, std::int64_t m) {
    const auto tiles = static_cast<std::uint64_t>((m + entry.m_tile - 1) / entry.m_tile);
    return entry.workspace_bytes_per_tile == 0 ? entry.workspace_bytes
                                               : entry.workspace_bytes_per_tile * tiles;
}

}  // namespace fdkbench_table
)";

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// A C++ string literal. Bytes other than plain ASCII are octal escapes, which end by themselves.
std::string literal(std::string_view text) {
    std::string result = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            result += '\\';
            result += c;
        } else if (byte < 0x20 || byte > 0x7e || c == '?') {
            result += fmt::format("\\{:03o}", byte);
        } else {
            result += c;
        }
    }
    return result + '"';
}

std::string literal(double value) {
    return std::isfinite(value) ? fmt::format("{}", value)
                                : "std::numeric_limits<double>::infinity()";
}

std::string tensor_map_text(const TensorMap& map) {
    return fmt::format("TensorMap{{{}, {}, {}, {{{}}}, {{{}}}, {{{}}}, {}, {}, {}}}",
                       literal(to_string(map.operand)),
                       map.element_bytes,
                       map.size.size(),
                       fmt::join(map.size, ", "),
                       fmt::join(map.strides, ", "),
                       fmt::join(map.box, ", "),
                       map.swizzled,
                       map.row_step,
                       map.whole_depth);
}

std::string step_text(const LaunchStep& step) {
    std::string maps;
    for (const TensorMap& map : step.tensor_maps) {
        maps += (maps.empty() ? "" : ", ") + tensor_map_text(map);
    }
    return fmt::format("    Step{{{}, {{{}}}, {{{}}}, {{{}}}, {}, {}, {}, {}, {{{}}}}},\n",
                       literal(step.kernel),
                       fmt::join(step.grid, ", "),
                       fmt::join(step.grid_per_tile, ", "),
                       fmt::join(step.block, ", "),
                       step.cluster,
                       step.shared_bytes,
                       step.waits_for_predecessor,
                       step.tensor_maps.size(),
                       maps);
}

std::string last_m_text(const TableEntry& entry) {
    return entry.last_m ? std::to_string(*entry.last_m)
                        : "std::numeric_limits<std::int64_t>::max()";
}

std::string entry_text(const TableEntry& entry, std::size_t first_step) {
    const auto& [shape, format, type] = entry.problem;
    const RowTiling tiling =
        entry.plan.tiling.value_or(RowTiling{.m_tile = shape.m, .most_m = shape.m});
    return fmt::format("    Entry{{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}",
                       entry.first_m,
                       last_m_text(entry),
                       shape.m,
                       shape.n,
                       shape.k,
                       format.bits,
                       format.group_size,
                       literal(to_string(type)),
                       literal(entry.family),
                       literal(Json(entry.params).dump()),
                       literal(to_string(entry.layout)),
                       literal(to_string(entry.launch_mode)),
                       literal(entry.binary_hash),
                       first_step) +
           fmt::format(", {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}},\n",
                       entry.plan.steps.size(),
                       entry.plan.workspace_bytes,
                       tiling.workspace_bytes_per_tile,
                       tiling.m_tile,
                       tiling.most_m,
                       literal(entry.time_us),
                       literal(entry.ratio),
                       literal(entry.ratio_lo.value_or(0)),
                       literal(entry.ratio_hi.value_or(kInfinity)),
                       literal(entry.nrmse),
                       entry.extrapolated);
}

std::string provenance(const DispatchTable& table) {
    std::string text;
    for (const auto& [name, value] : {std::pair{"kDevice", &table.device_name},
                                      std::pair{"kDeviceKey", &table.device_key},
                                      std::pair{"kArch", &table.device_arch},
                                      std::pair{"kDriver", &table.driver},
                                      std::pair{"kCompiler", &table.compiler},
                                      std::pair{"kCommit", &table.commit},
                                      std::pair{"kDate", &table.date},
                                      std::pair{"kPolicy", &table.policy},
                                      std::pair{"kRules", &table.rules}}) {
        text += fmt::format("inline constexpr std::string_view {} = {};\n", name, literal(*value));
    }
    return text;
}

/// One array; std::array, because a plain one cannot be empty.
std::string array_text(std::string_view type,
                       std::string_view name,
                       std::size_t size,
                       const std::string& items) {
    return fmt::format(
        "\ninline constexpr std::array<{}, {}> {}{{{{\n{}}}}};\n", type, size, name, items);
}

}  // namespace

std::string to_header(const DispatchTable& table) {
    std::string steps;
    std::string entries;
    std::size_t step_count = 0;
    for (const TableEntry& entry : table.entries) {
        entries += entry_text(entry, step_count);
        for (const LaunchStep& step : entry.plan.steps) {
            steps += step_text(step);
            ++step_count;
        }
    }
    return fmt::format(
               "// The fastest kernels for each problem, written by fdkbench export-table.\n"
               "#pragma once\n\n"
               "#include <array>\n#include <cstddef>\n#include <cstdint>\n#include <limits>\n"
               "#include <string_view>\n\n"
               "namespace fdkbench_table {{\n\n"
               "// Where the table comes from; driver, compiler and commit are those of the newest "
               "run.\n"
               "{}\n",
               provenance(table)) +
           kTypes + array_text("Step", "kSteps", step_count, steps) +
           array_text("Entry", "kEntries", table.entries.size(), entries) + kLookup;
}

}  // namespace fdkbench
