#include "src/core/measurement.hpp"

#include "src/core/arithmetic.hpp"
#include "src/core/statistics.hpp"

#include <fmt/format.h>

#include <set>

namespace fdkbench {

std::string failure_text(const Measurement& measurement) {
    const std::string& message = measurement.message;
    return fmt::format(
        "{}: {}", to_string(measurement.status), message.substr(0, message.find('\n')));
}

int processes(const std::vector<Sample>& samples) {
    std::set<int> numbers;
    for (const Sample& sample : samples) {
        numbers.insert(sample.process);
    }
    return static_cast<int>(numbers.size());
}

void summarise(Measurement& measurement, const Problem& problem) {
    const double time_us = median_time_us(decisive_samples(measurement.samples));
    measurement.time_us = time_us;
    measurement.gb_s = gb_s(problem.bytes_moved(), time_us);
    measurement.tflop_s = problem.flops() / time_us * 1e-6;
    if (measurement.floor_us) {
        measurement.floor_pct = 100 * *measurement.floor_us / time_us;
    }
    const RatioEstimate estimate = paired_ratio(measurement.samples);
    measurement.ratio = estimate.ratio;
    if (measurement.samples.size() > 1) {
        measurement.ratio_lo = estimate.lo;
        measurement.ratio_hi = estimate.hi;
    }
}

}  // namespace fdkbench
