#include "src/core/measuring_policy.hpp"

#include <fmt/format.h>

namespace fdkbench {

std::string MeasuringPolicy::key() const {
    return fmt::format("cold{}-{}-seed{}-nrmse{}-v1", cache_bytes_factor, inputs, seed, max_nrmse);
}

}  // namespace fdkbench
