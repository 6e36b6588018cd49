#include "src/core/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <stdexcept>
#include <utility>

namespace fdkbench {
namespace {

constexpr double kTail = 0.025;                        // of a two-sided 95 % interval
constexpr double kNormalQuantile = 1.959963984540054;  // of 1 − kTail
constexpr std::size_t kMinForInterval = 6;  // with 5 samples even the full range holds only 93.75 %
constexpr std::size_t kMaxExact = 50;
constexpr int kRace = 0;  // Sample::process

double element(std::vector<double>& values, std::size_t rank) {
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(rank);
    std::nth_element(values.begin(), at, values.end());
    return *at;
}

/// Rank, from 1 and from either end, of the Walsh averages that bound the interval: the largest c
/// with P(W < c) ≤ kTail, W being the signed-rank statistic of n samples.
std::size_t exact_cut(std::size_t n) {
    // probability[w] of the statistic: each rank joins the sum or not, with equal chance.
    std::vector<double> probability(n * (n + 1) / 2 + 1, 0.0);
    probability[0] = 1;
    std::size_t largest = 0;
    for (std::size_t rank = 1; rank <= n; ++rank) {
        largest += rank;
        for (std::size_t w = largest + 1; w-- > 0;) {
            probability[w] = (probability[w] + (w >= rank ? probability[w - rank] : 0.0)) / 2;
        }
    }
    std::size_t cut = 0;
    double below = probability[0];  // P(W ≤ cut)
    while (below <= kTail) {
        below += probability[++cut];
    }
    return cut;
}

/// The same by the normal approximation with continuity correction, for large n.
std::size_t normal_cut(std::size_t n) {
    const auto size = static_cast<double>(n);
    const double mean = size * (size + 1) / 4;
    const double deviation = std::sqrt(size * (size + 1) * (2 * size + 1) / 24);
    return static_cast<std::size_t>(mean + 0.5 - kNormalQuantile * deviation);
}

std::vector<double> log_ratios(std::span<const Sample> samples) {
    std::vector<double> logs;
    logs.reserve(samples.size());
    for (const Sample& sample : samples) {
        const double ratio =
            std::sqrt(sample.baseline_before_us * sample.baseline_after_us) / sample.time_us;
        if (!(sample.time_us > 0) || !(ratio > 0) || !std::isfinite(ratio)) {
            throw std::invalid_argument("a sample's times must be positive and finite");
        }
        logs.push_back(std::log(ratio));
    }
    return logs;
}

std::vector<double> walsh_averages(const std::vector<double>& values) {
    std::vector<double> averages;
    averages.reserve(values.size() * (values.size() + 1) / 2);
    for (std::size_t i = 0; i < values.size(); ++i) {
        for (std::size_t j = i; j < values.size(); ++j) {
            averages.push_back((values[i] + values[j]) / 2);
        }
    }
    return averages;
}

}  // namespace

double median(std::vector<double> values) {
    if (values.empty()) {
        throw std::invalid_argument("the median of nothing");
    }
    const std::size_t middle = values.size() / 2;
    const double upper = element(values, middle);
    if (values.size() % 2 == 1) {
        return upper;
    }
    const double lower =
        *std::max_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(middle));
    return (lower + upper) / 2;
}

double RatioEstimate::half_width() const {
    return (hi - lo) / 2 / ratio;
}

double median_time_us(std::span<const Sample> samples) {
    std::vector<double> times;
    times.reserve(samples.size());
    for (const Sample& sample : samples) {
        times.push_back(sample.time_us);
    }
    return median(std::move(times));
}

std::vector<Sample> decisive_samples(std::span<const Sample> samples) {
    std::vector<Sample> decisive(samples.begin(), samples.end());
    if (processes(decisive) > 2) {
        std::erase_if(decisive, [](const Sample& sample) { return sample.process == kRace; });
    }
    return decisive;
}

namespace {

/// Of the logarithms of independent ratios, by Hodges and Lehmann.
RatioEstimate ratio_of(const std::vector<double>& logs) {
    std::vector<double> averages = walsh_averages(logs);
    const double estimate = median(averages);
    if (logs.size() == 1) {
        return {
            .ratio = std::exp(estimate), .lo = 0, .hi = std::numeric_limits<double>::infinity()};
    }
    double lo = 0;
    double hi = 0;
    if (logs.size() < kMinForInterval) {
        const auto [min, max] = std::minmax_element(logs.begin(), logs.end());
        lo = estimate + 2 * (*min - estimate);
        hi = estimate + 2 * (*max - estimate);
    } else {
        const std::size_t cut =
            logs.size() <= kMaxExact ? exact_cut(logs.size()) : normal_cut(logs.size());
        lo = element(averages, cut - 1);
        hi = element(averages, averages.size() - cut);
    }
    return {.ratio = std::exp(estimate), .lo = std::exp(lo), .hi = std::exp(hi)};
}

}  // namespace

RatioEstimate paired_ratio(std::span<const Sample> samples) {
    if (samples.empty()) {
        throw std::invalid_argument("a ratio needs at least one sample");
    }
    std::map<int, std::vector<Sample>> by_process;
    for (const Sample& sample : decisive_samples(samples)) {
        by_process[sample.process].push_back(sample);
    }
    if (by_process.size() == 1) {
        return ratio_of(log_ratios(by_process.begin()->second));
    }
    std::vector<double> medians;
    for (const auto& [process, own] : by_process) {
        medians.push_back(median(log_ratios(own)));
    }
    return ratio_of(medians);
}

double NoiseBudget::resolvable(int processes, int blocks) const {
    const double samples = static_cast<double>(processes) * blocks;
    const double variance =
        process * process / processes + (block * block + replay * replay) / samples;
    return kNormalQuantile * std::sqrt(2 * variance);
}

namespace {

double mean(const std::vector<double>& values) {
    double sum = 0;
    for (const double value : values) {
        sum += value;
    }
    return sum / static_cast<double>(values.size());
}

double variance(const std::vector<double>& values) {
    const double middle = mean(values);
    double squares = 0;
    for (const double value : values) {
        squares += (value - middle) * (value - middle);
    }
    return squares / static_cast<double>(values.size() - 1);
}

void require(bool form) {
    if (!form) {
        throw std::invalid_argument(
            "nested samples need two processes, blocks and replays at least, and as many "
            "everywhere");
    }
}

}  // namespace

NoiseBudget noise_budget(const NestedSamples& logs) {
    require(logs.size() >= 2);
    const std::size_t blocks = logs[0].size();
    require(blocks >= 2);
    const std::size_t replays = logs[0][0].size();
    require(replays >= 2);
    std::vector<double> within_blocks;
    std::vector<double> within_processes;
    std::vector<double> process_means;
    for (const auto& process : logs) {
        require(process.size() == blocks);
        std::vector<double> block_means;
        for (const auto& block : process) {
            require(block.size() == replays);
            within_blocks.push_back(variance(block));
            block_means.push_back(mean(block));
        }
        within_processes.push_back(variance(block_means));
        process_means.push_back(mean(block_means));
    }
    const double replay_variance = mean(within_blocks);
    const double block_means_variance = mean(within_processes);
    NoiseBudget budget;
    budget.replay = std::sqrt(replay_variance);
    budget.block = std::sqrt(
        std::max(0.0, block_means_variance - replay_variance / static_cast<double>(replays)));
    budget.process = std::sqrt(std::max(
        0.0, variance(process_means) - block_means_variance / static_cast<double>(blocks)));
    return budget;
}

}  // namespace fdkbench
