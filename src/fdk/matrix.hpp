#pragma once

#include "src/core/fragment.hpp"
#include "src/core/quantise.hpp"
#include "src/core/serving.hpp"
#include "src/fdk/serving_table.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <variant>
#include <vector>

namespace fdkbench {

/// Weights on a device with the kernels that multiply them.
class Matrix {
  public:
    /// In the layout that they come in; of 16-bit ones weight_data alone, canonical.
    using Weights = std::variant<QuantisedMatrix, FragmentMatrix>;

    /// `entries`: those of a problem, by m, at least one. Launches every kernel once. Throws what
    /// the device throws.
    Matrix(std::shared_ptr<ServingDevice> device,
           const ServingTable& table,
           const std::vector<const ServingEntry*>& entries,
           const Weights& weights);

    /// The m that the entries were measured for, ascending.
    [[nodiscard]] const std::vector<std::int64_t>& m() const { return m_; }
    /// As fdk_matmul(). Throws StatusError and CandidateError.
    void multiply(void* stream, const void* x, std::int64_t m, void* y);

  private:
    /// Weights in one layout.
    struct Operands {
        std::unique_ptr<Buffer> w;
        std::unique_ptr<Buffer> scales;
    };

    /// A kernel and the m that it is for.
    struct Route {
        std::int64_t first_m;
        std::int64_t last_m;
        std::int64_t most_rows;  ///< of one launch; more are split
        BoundKernel* kernel;
    };

    void upload(const Weights& weights, const ServingEntry& entry);
    std::unique_ptr<BoundKernel> bound(const ServingTable& table,
                                       const ServingEntry& entry,
                                       std::int64_t most_rows);
    void launch_each_once();
    [[nodiscard]] const Route& route(std::int64_t m) const;

    std::shared_ptr<ServingDevice> device_;
    Problem problem_;  ///< its m does not count
    std::unique_ptr<Buffer> codebook_;
    std::map<Layout, Operands> operands_;
    std::vector<std::unique_ptr<Buffer>> workspaces_;
    std::vector<std::unique_ptr<BoundKernel>> kernels_;  ///< entries may share one
    std::vector<std::int64_t> m_;
    std::vector<Route> routes_;  ///< by m
};

}  // namespace fdkbench
