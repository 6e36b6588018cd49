#pragma once

#include "src/core/problem.hpp"
#include "src/core/safetensors.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace fdkbench {

/// Quantises weights that lie on a GPU.
class Quantiser {
  public:
    virtual ~Quantiser() = default;

    /// Memory of the device. weights [n,k]; weight_data and scale as the layout has them.
    struct Operands {
        const void* weights = nullptr;
        TensorType weights_type = TensorType::kBf16;  ///< or kF16, kF32
        Layout layout = Layout::kCanonical;           ///< of weight_data and scale
        std::uint8_t* weight_data = nullptr;
        std::uint16_t* scale = nullptr;
    };
    struct NotFinite {
        std::size_t index = 0;
        float value = 0;
    };

    /// Writes what quantise() (src/core/quantise.hpp) gives for these weights, rounded to the
    /// problem's type; to the bit, unless weights of one group of 1 or 2 bits differ by so much
    /// that their sum in double depends on its order. Starts on `stream`, a cudaStream_t, and waits
    /// for it. Returns the first weight that is not finite in that type; the output is then of no
    /// use. One call after the other. Throws CandidateError, EnvironmentError.
    virtual std::optional<NotFinite> quantise(void* stream,
                                              const Operands& operands,
                                              const Problem& problem,
                                              std::span<const std::uint16_t> codebook) = 0;
};

/// Of a GPU by its number in CUDA's order. Throws EnvironmentError when there is no such device, it
/// cannot be used, or this program has no kernel for it. Needs no compiler.
std::unique_ptr<Quantiser> make_quantiser(int index);

}  // namespace fdkbench
