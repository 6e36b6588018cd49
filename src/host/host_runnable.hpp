#pragma once

#include "src/core/backend.hpp"

namespace fdkbench {

/// What every runnable of the host shares; a launch returns when y is written.
class HostRunnable : public Runnable {
  public:
    /// Does what must not be timed, before the first launch with these arguments.
    virtual void prepare(const Arguments& /*arguments*/) {}
    [[nodiscard]] KernelResources resources() const override { return {}; }
    [[nodiscard]] std::uint64_t workspace_bytes() const override { return 0; }
};

}  // namespace fdkbench
