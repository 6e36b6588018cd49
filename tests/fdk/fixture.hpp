#pragma once

#include "results/dispatch_table.hpp"
#include "src/core/backend.hpp"
#include "src/core/bundle.hpp"
#include "src/fdk/fdk.h"
#include "tests/temporary.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace fdkbench::test {

/// Bundles of kernels that were compiled for the test, not measured.
class BundleMaker {
  public:
    BundleMaker(DeviceInfo device, std::unique_ptr<KernelCompiler> compiler);

    /// An entry for the problem with the first valid point of a family. By `time_us` intervals are
    /// chosen.
    void add(const std::string& family,
             const Problem& problem,
             LaunchMode mode = LaunchMode::kPlain,
             double time_us = 1);
    /// A file in the maker's folder. `table`: to change before, but for intervals.
    [[nodiscard]] std::string write() const;

    DispatchTable table;

  private:
    DeviceInfo device_;
    std::unique_ptr<KernelCompiler> compiler_;
    std::map<std::string, Bundle::Binary> binaries_;
    TemporaryFolder folder_;
};

using Table = std::unique_ptr<fdk_table, decltype(&fdk_table_free)>;
using MatrixHandle = std::unique_ptr<fdk_matrix, decltype(&fdk_matrix_free)>;

/// Fails the test with what the library says.
Table load(const std::string& path);
void require_ok(fdk_status status);

/// Random weights as fdk_quantise() makes them, or plain ones.
struct Weights {
    fdk_format format{};
    std::vector<std::uint8_t> weight_data;
    std::vector<std::uint16_t> scale;
    std::vector<float> values;  ///< [n,k], dequantised

    [[nodiscard]] const void* scale_or_null() const {
        return scale.empty() ? nullptr : scale.data();
    }
};
Weights random_weights(const Problem& problem, unsigned seed);
MatrixHandle make_matrix(const fdk_table* table, const Weights& weights, const char* device);

std::vector<std::uint16_t> random_activations(const Problem& problem, unsigned seed);

/// Error of y against the product of the activations with the dequantised weights.
double nrmse(const std::vector<std::uint16_t>& y,
             const std::vector<std::uint16_t>& x,
             const Weights& weights,
             const Problem& problem);

/// What the library says of a call that must fail so.
std::string refusal(fdk_status actual, fdk_status expected);

}  // namespace fdkbench::test
