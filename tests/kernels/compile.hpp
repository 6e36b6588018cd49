#pragma once

#include "kernels/registry.hpp"
#include "src/core/backend.hpp"

namespace fdkbench::testing {

/// One point of a family, compiled for the device's architecture; the log has ptxas's figures.
CompileOutput compile_point(KernelCompiler& compiler,
                            const Family& family,
                            const Problem& problem,
                            const Params& params,
                            const DeviceInfo& device);

/// The same of a source that was changed on purpose.
CompileOutput compile_source(KernelCompiler& compiler,
                             const KernelSource& source,
                             const Problem& problem,
                             const Params& params,
                             const DeviceInfo& device);

/// Bytes of stack and spills, over all functions that the log reports; -1 when it reports none.
int local_bytes(const std::string& log);

}  // namespace fdkbench::testing
