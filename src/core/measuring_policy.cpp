#include "src/core/measuring_policy.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace fdkbench {

std::string_view to_string(CachePolicy policy) {
    return policy == CachePolicy::kCold ? "cold" : "hot";
}

CachePolicy cache_policy_from(std::string_view word) {
    for (const auto policy : {CachePolicy::kCold, CachePolicy::kHot}) {
        if (word == to_string(policy)) {
            return policy;
        }
    }
    throw std::invalid_argument(fmt::format("unknown cache policy '{}'", word));
}

std::string MeasuringPolicy::key() const {
    const std::string cold =
        cache == CachePolicy::kCold ? fmt::format("{}", cache_bytes_factor) : "";
    return fmt::format("{}{}-{}-seed{}-nrmse{}{}-v3",
                       to_string(cache),
                       cold,
                       inputs,
                       seed,
                       max_nrmse,
                       allow_throttling ? "-throttled" : "");
}

}  // namespace fdkbench
