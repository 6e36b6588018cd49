#pragma once

#include "src/host/dnnl_matmul.hpp"
#include "src/host/host_runnable.hpp"
#include "src/host/memory.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace fdkbench {

/// oneDNN's matmul of 16-bit weights, in their type or (where the CPU or oneDNN lacks it) in f32.
/// Other forms of the weights than the plain 16-bit ones are made once for each address and kept,
/// so the weights at an address must not change during the runnable's life.
class DnnlRunnable : public HostRunnable {
  public:
    /// Throws dnnl::error when oneDNN cannot do it.
    DnnlRunnable(const Problem& problem, DnnlMatmul::Weights weights);

    void prepare(const Arguments& arguments) override { (void)weights_for(arguments.w); }
    void launch(const Arguments& arguments) override;
    [[nodiscard]] std::string name() const override;

  private:
    const void* weights_for(const void* w);
    [[nodiscard]] std::unique_ptr<HostBuffer> converted(const void* w);

    Problem problem_;
    DnnlMatmul::Weights weights_;
    bool in_f32_;
    DnnlMatmul matmul_;
    std::map<const void*, std::unique_ptr<HostBuffer>> converted_;
    std::vector<float> x_;  ///< of the f32 form
    std::vector<float> y_;
};

}  // namespace fdkbench
