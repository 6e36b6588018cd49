#include "tuner/shard.hpp"

#include "src/core/counted.hpp"
#include "src/core/error.hpp"
#include "tuner/problems.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

namespace fdkbench {

namespace {

constexpr std::size_t kMostShards = 1'000'000;

std::optional<std::size_t> number_from(std::string_view text) {
    std::size_t number = 0;
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    return error == std::errc() && rest == end ? std::optional(number) : std::nullopt;
}

/// The number in a variable, nothing when it is not set.
std::optional<std::size_t> number_in(const Environment& environment, const std::string& name) {
    const std::optional<std::string> text = environment(name);
    if (!text) {
        return std::nullopt;
    }
    const std::optional<std::size_t> number = number_from(*text);
    if (!number) {
        throw UsageError(fmt::format(
            "--shard auto: {}='{}' is no number: type --shard i/n instead", name, *text));
    }
    return number;
}

std::size_t needed(const Environment& environment, const std::string& name) {
    const std::optional<std::size_t> number = number_in(environment, name);
    if (!number) {
        throw UsageError(fmt::format(
            "--shard auto: {} is not set beside the other variables: type --shard i/n instead",
            name));
    }
    return *number;
}

Shard counted_from_zero(std::size_t rank, std::size_t count, const std::string& source) {
    if (rank >= count || count > kMostShards) {
        throw UsageError(
            fmt::format("--shard auto: {} says number {} (from 0) of {}: type --shard i/n instead",
                        source,
                        rank,
                        count));
    }
    return {rank + 1, count};
}

/// The place of this task in the array's range. Of a list, as in --array=1,4,5, Slurm tells a task
/// only the ends and the length, and no step that fits.
std::optional<Shard> slurm_array(const Environment& environment) {
    const auto id = number_in(environment, "SLURM_ARRAY_TASK_ID");
    if (!id) {
        return std::nullopt;
    }
    const std::size_t first = needed(environment, "SLURM_ARRAY_TASK_MIN");
    const std::size_t last = needed(environment, "SLURM_ARRAY_TASK_MAX");
    const std::size_t count = needed(environment, "SLURM_ARRAY_TASK_COUNT");
    const std::size_t step = number_in(environment, "SLURM_ARRAY_TASK_STEP").value_or(1);
    if (step == 0 || *id < first || *id > last || (last - first) / step + 1 != count ||
        (*id - first) % step != 0) {
        throw UsageError(
            fmt::format("--shard auto: this Slurm array of {} from {} to {} is no range in "
                        "which task {} has a place: use --array=1-n, or type --shard i/n",
                        counted(count, "task"),
                        first,
                        last,
                        *id));
    }
    return counted_from_zero((*id - first) / step, count, "the Slurm array");
}

/// Its number of shares is not among what Kubernetes sets by itself.
std::optional<Shard> kubernetes_job(const Environment& environment) {
    const auto index = number_in(environment, "JOB_COMPLETION_INDEX");
    if (!index) {
        return std::nullopt;
    }
    for (const std::string name : {"FDKBENCH_SHARDS", "JOB_COMPLETIONS"}) {
        if (const auto count = number_in(environment, name)) {
            return counted_from_zero(*index, *count, "the Kubernetes job with " + name);
        }
    }
    throw UsageError(
        "--shard auto: Kubernetes sets JOB_COMPLETION_INDEX but not how many there are: set "
        "FDKBENCH_SHARDS (or JOB_COMPLETIONS) to the job's completions, or type --shard i/n");
}

/// A launcher that tells each process its number, from 0, and how many there are.
struct Ranks {
    const char* rank;
    const char* count;
};
constexpr std::array kRanks{Ranks{"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"},
                            Ranks{"PMI_RANK", "PMI_SIZE"},
                            Ranks{"MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_SIZE"},
                            Ranks{"SLURM_PROCID", "SLURM_NTASKS"}};

Shard shard_of(const Environment& environment) {
    if (const auto shard = slurm_array(environment)) {
        return *shard;
    }
    if (const auto shard = kubernetes_job(environment)) {
        return *shard;
    }
    std::string names = "SLURM_ARRAY_TASK_ID, JOB_COMPLETION_INDEX";
    for (const auto& [rank_name, count_name] : kRanks) {
        if (const auto rank = number_in(environment, rank_name)) {
            return counted_from_zero(*rank, needed(environment, count_name), rank_name);
        }
        names += std::string(", ") + rank_name;
    }
    throw UsageError(fmt::format(
        "--shard auto finds none of {} in the environment: type --shard i/n, for example 1/4",
        names));
}

}  // namespace

Shard shard_from(const std::string& text, const Environment& environment) {
    if (text == "auto") {
        return shard_of(environment);
    }
    const std::size_t slash = std::min(text.find('/'), text.size());
    const auto index = number_from(std::string_view(text).substr(0, slash));
    const auto count = number_from(std::string_view(text).substr(std::min(slash + 1, text.size())));
    if (!index || !count || *index < 1 || *index > *count || *count > kMostShards) {
        throw UsageError(
            fmt::format("--shard '{}' is no share: write i/n with 1 <= i <= n <= {}, for example "
                        "1/4, or auto",
                        text,
                        kMostShards));
    }
    return {*index, *count};
}

Share share_of(const Shard& shard, std::size_t cells) {
    // The first `larger` shares have one cell more.
    const std::size_t size = cells / shard.count;
    const std::size_t larger = cells % shard.count;
    const auto end_of = [&](std::size_t shares) {
        return shares * size + std::min(shares, larger);
    };
    return {end_of(shard.index - 1), end_of(shard.index)};
}

std::vector<Problem> cells_of(const Share& share, std::vector<Problem> problems) {
    const std::vector<Problem> cells = in_plan_order(std::move(problems));
    const auto at = [&](std::size_t index) {
        return cells.begin() + static_cast<std::ptrdiff_t>(index);
    };
    return {at(share.first), at(share.last)};
}

}  // namespace fdkbench
