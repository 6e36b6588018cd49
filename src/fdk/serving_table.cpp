#include "src/fdk/serving_table.hpp"

#include "src/core/error.hpp"
#include "src/core/json_members.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <limits>

namespace fdkbench {
namespace {

constexpr std::int64_t kNoEnd = std::numeric_limits<std::int64_t>::max();

const std::string& word(const Json& json, const char* key) {
    return json.at(key).get_ref<const std::string&>();
}

/// Reads a member where there is one.
template <typename Value>
void read_known(const Json& json, const char* key, Value& value) {
    if (json.contains(key)) {
        read_value(json[key], value);
    }
}

DeviceInfo device_of(const Json& json) {
    DeviceInfo device;
    device.backend = word(json, "backend");
    device.name = word(json, "name");
    device.arch = word(json, "arch");
    read_known(json, "units", device.units);
    read_known(json, "cache_bytes", device.cache_bytes);
    read_known(json, "memory_gb_s", device.memory_gb_s);
    return device;
}

/// The members of an entry that are its problem's.
Problem problem_of(const Json& entry) {
    Json problem;
    for (const char* key : {"m", "n", "k", "bits", "group_size", "type"}) {
        problem[key] = entry.at(key);
    }
    return problem.get<Problem>();
}

void require_known_order(const ServingEntry& entry, int schema_version) {
    constexpr int kNewOrder = 4;
    if (schema_version < kNewOrder && entry.layout == Layout::kFragment &&
        entry.problem.format.bits == 2) {
        throw std::invalid_argument(
            "kernels for another order of 2-bit weights: sweep them again first");
    }
}

ServingEntry entry_of(const Json& json) {
    ServingEntry entry{.problem = problem_of(json),
                       .layout = layout_from(word(json, "layout")),
                       .launch_mode = launch_mode_from(word(json, "launch_mode")),
                       .plan = json.at("launch").get<LaunchPlan>(),
                       .binary_hash = word(json, "binary_hash")};
    validate(entry.problem);
    const std::int64_t m = entry.problem.shape.m;
    entry.first_m = json.contains("first_m") ? integer_from<std::int64_t>(json["first_m"]) : m;
    entry.last_m = m;
    if (json.contains("last_m")) {
        const Json& last_m = json["last_m"];
        entry.last_m = last_m.is_null() ? kNoEnd : integer_from<std::int64_t>(last_m);
    }
    const bool is_wide = entry.first_m != entry.last_m;
    if (entry.first_m < 1 || entry.first_m > m || m > entry.last_m ||
        (is_wide && !for_m(entry.plan, m))) {
        throw std::invalid_argument(fmt::format(
            "an entry for m={} cannot be for {} to {}", m, entry.first_m, entry.last_m));
    }
    return entry;
}

ServingTable table_of(Bundle bundle) {
    const Json& json = bundle.table;
    if (word(json, "schema") != "fdkbench-table") {
        throw std::invalid_argument("no dispatch table");
    }
    const auto version = integer_from<int>(json.at("schema_version"));
    if (version < ServingTable::kOldestSchemaVersion || version > ServingTable::kSchemaVersion) {
        throw std::invalid_argument(fmt::format("a table of version {}, not {} to {}",
                                                version,
                                                ServingTable::kOldestSchemaVersion,
                                                ServingTable::kSchemaVersion));
    }
    ServingTable table;
    table.device = device_of(json.at("device"));
    for (const Json& entry : json.at("entries")) {
        table.entries.push_back(entry_of(entry));
        require_known_order(table.entries.back(), version);
        if (!bundle.binaries.contains(table.entries.back().binary_hash)) {
            throw std::invalid_argument(
                fmt::format("no kernel {}", table.entries.back().binary_hash));
        }
    }
    table.binaries = std::move(bundle.binaries);
    return table;
}

}  // namespace

std::vector<const ServingEntry*> ServingTable::entries_for(Problem matrix) const {
    std::vector<const ServingEntry*> found;
    for (const ServingEntry& entry : entries) {
        matrix.shape.m = entry.problem.shape.m;
        if (entry.problem == matrix) {
            found.push_back(&entry);
        }
    }
    std::ranges::sort(found, {}, [](const ServingEntry* entry) { return entry->problem.shape.m; });
    return found;
}

ServingTable read_serving_table(const std::filesystem::path& path) {
    Bundle bundle = read_bundle(path);
    std::string why;
    try {
        ServingTable table = table_of(std::move(bundle));
        table.name = path.string();
        return table;
    } catch (const Json::exception& error) {
        why = error.what();
    } catch (const std::invalid_argument& error) {
        why = error.what();
    } catch (const UsageError& error) {
        why = error.what();
    }
    throw UsageError(
        fmt::format("the bundle {} holds what this library cannot use ({}): write it "
                    "again with fdkbench export-table --bundle of this version",
                    path.string(),
                    why));
}

}  // namespace fdkbench
