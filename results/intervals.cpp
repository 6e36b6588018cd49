#include "results/intervals.hpp"

#include <algorithm>
#include <limits>

namespace fdkbench {

namespace {

double launch_us(const TableEntry& entry, const RowTiling& tiling, std::int64_t m) {
    const auto tiles = static_cast<double>(tiling.tiles(m));
    const auto own = static_cast<double>(tiling.tiles(entry.problem.shape.m));
    return entry.time_us * std::max(1.0, tiles / own);
}

/// The last m for which `low` is taken, from its own m to the one before that of `high`.
std::int64_t boundary(const TableEntry& low, const TableEntry& high) {
    std::int64_t last = low.problem.shape.m;
    std::int64_t beyond = high.problem.shape.m;
    if (!low.plan.tiling) {
        return last;
    }
    if (!high.plan.tiling) {
        return beyond - 1;
    }
    // At the m of `high`, `low` is not taken, nor is it where it has as many tiles. But where these
    // are as many as for its own m, its measurement says more, and of several launches none was
    // made there.
    const double lost_us = predicted_us(low, beyond);
    const bool has_lost = lost_us > low.time_us && beyond <= low.plan.tiling->most_m;
    // The prediction for `high` is its own time, and that for `low` never falls.
    while (beyond - last > 1) {
        const std::int64_t middle = last + (beyond - last) / 2;
        const double low_us = predicted_us(low, middle);
        const bool stays = low_us <= predicted_us(high, middle) && !(has_lost && low_us == lost_us);
        (stays ? last : beyond) = middle;
    }
    return last;
}

}  // namespace

double predicted_us(const TableEntry& entry, std::int64_t m) {
    if (!entry.plan.tiling) {
        return std::numeric_limits<double>::infinity();
    }
    const RowTiling& tiling = *entry.plan.tiling;
    const std::int64_t rest = m % tiling.most_m;
    const double whole = static_cast<double>(m / tiling.most_m);
    return (whole > 0 ? whole * launch_us(entry, tiling, tiling.most_m) : 0) +
           (rest > 0 ? launch_us(entry, tiling, rest) : 0);
}

double served_us(const TableEntry& entry, std::int64_t m) {
    return m == entry.problem.shape.m ? entry.time_us : predicted_us(entry, m);
}

void set_intervals(std::vector<TableEntry>& entries) {
    for (std::size_t i = 0; i < entries.size(); ++i) {
        TableEntry& entry = entries[i];
        const std::int64_t m = entry.problem.shape.m;
        const bool follows = entry.plan.tiling.has_value();
        if (i == 0) {
            entry.first_m = follows ? 1 : m;
        } else {
            const std::int64_t last = entries[i - 1].last_m.value();
            entry.first_m = follows ? last + 1 : m;
        }
        if (i + 1 < entries.size()) {
            entry.last_m = boundary(entry, entries[i + 1]);
        } else if (!follows) {
            entry.last_m = m;
        } else {
            entry.last_m.reset();
        }
    }
}

}  // namespace fdkbench
