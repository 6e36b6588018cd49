#pragma once

#include "results/table_entry.hpp"
#include "src/core/json.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fdkbench {

/// The best configuration for each (n, k, bits, group size, type) and intervals of m, on one
/// device. Entries of one matrix (the same but for m) all read one layout: the one that is best for
/// all m together. Entries may come from several runs; driver, compiler and commit are those of the
/// newest.
struct DispatchTable {
    static constexpr int kSchemaVersion = 6;
    std::string device_key;
    std::string device_name;
    std::string device_backend;  ///< "cuda" or "host"
    std::string device_arch;     ///< what its kernels are compiled for: "sm_90a"
    /// As far as they are known: units, cache_bytes and memory_gb_s of DeviceInfo.
    std::map<std::string, Json> device_figures;
    std::string driver;
    std::string compiler;
    std::string commit;
    std::string date;                 ///< ISO 8601, UTC, of the newest measurement
    std::string policy;               ///< MeasuringPolicy::key()
    std::string rules;                ///< for people, as they were typed: "--max-kernels 2"
    std::vector<TableEntry> entries;  ///< sorted by n, k, bits, group_size, type, m
    /// For people, a line for each m that was measured to be more than 3 % faster in another layout
    /// than it is, or is predicted to be, in this one, or has a kernel in another layout only.
    std::vector<std::string> layout_costs;
};

/// Reads the winners from a database. `device` is a device's id, key, name or uuid, and may be
/// empty when the database holds one device only; throws UsageError listing the devices there are
/// otherwise. `policy` chooses among several measuring policies (chosen_policy()). A matrix none of
/// whose kernels keeps to the rules is left out.
DispatchTable read_table(const Store& store,
                         const std::string& device,
                         const TableRules& rules = {},
                         const std::string& policy = {});

/// The entry that serves the problem; null without one.
const TableEntry* entry_for(const DispatchTable& table, const Problem& problem);

/// Whether it has entries of the problem's matrix, whatever their m.
bool has_matrix(const DispatchTable& table, const Problem& problem);

/// JSON as described by results/dispatch-table.schema.json.
std::string to_json_text(const DispatchTable& table);
/// A self-contained C++17 header of constexpr data with a constexpr lookup.
std::string to_header(const DispatchTable& table);
/// One line per entry, with a header row.
std::string to_csv(const DispatchTable& table);

}  // namespace fdkbench
