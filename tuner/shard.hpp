#pragma once

#include "src/core/problem.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace fdkbench {

/// One of `count` shares of a sweep; index counts from 1.
struct Shard {
    std::size_t index = 1;
    std::size_t count = 1;
    friend bool operator==(const Shard&, const Shard&) = default;
};

/// The cells [first, last) of a list.
struct Share {
    std::size_t first = 0;
    std::size_t last = 0;
    friend bool operator==(const Share&, const Share&) = default;
};

/// The value of an environment variable; nothing when it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// "2/8", or "auto" for what the first of these says: a Slurm array, a Kubernetes indexed job, an
/// MPI launcher, the tasks of a Slurm job. Throws UsageError.
Shard shard_from(const std::string& text, const Environment& environment);

/// A shard's share of so many cells: neighbours, so that it compiles little that others compile.
/// Shares follow each other, differ by at most one cell and are together the whole.
Share share_of(const Shard& shard, std::size_t cells);

/// The cells that the share names, in the order of a plan.
std::vector<Problem> cells_of(const Share& share, std::vector<Problem> problems);

}  // namespace fdkbench
