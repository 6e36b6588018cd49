#pragma once

#include "kernels/registry.hpp"
#include "src/core/backend.hpp"
#include "tests/temporary.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace fdkbench::test {

/// Ends the program as skipped where there is no system compiler.
void require_compiler();

/// The opened host backend, one for all tests of a program.
Backend& host();
DeviceInfo host_device();

/// Options of one candidate, as the tuner makes them.
std::vector<std::string> candidate_options(const Problem& problem, const Params& params);

/// Compiles a candidate, or a source that was changed on purpose; fails the test with the log.
std::unique_ptr<TemporaryFile> compile_kernel(const KernelSource& source,
                                              const Problem& problem,
                                              const Params& params);

/// Random weights in a format, and the same dequantised.
struct Weights {
    std::vector<std::byte> packed;  ///< canonical, or 16-bit elements
    std::vector<std::uint16_t> scale;
    std::vector<std::uint16_t> codebook;
    std::vector<float> values;  ///< [n,k]
};
Weights random_weights(const Problem& problem, unsigned seed);
std::vector<std::uint16_t> random_activations(const Problem& problem, unsigned seed);

/// x · wᵀ in double.
std::vector<float> product(const std::vector<std::uint16_t>& x,
                           const Weights& weights,
                           const Problem& problem);

/// Runs a loaded kernel on NaN-poisoned output with guard bytes behind it; fails the test when a
/// guard byte changed. Returns y.
std::vector<std::uint16_t> run_kernel(Runnable& runnable,
                                      const Problem& problem,
                                      const std::vector<std::uint16_t>& x,
                                      const Weights& weights);

}  // namespace fdkbench::test
