#pragma once

#include "src/core/backend.hpp"

#include <span>
#include <string>

namespace fdkbench {

/// Compiles to a cubin for `arch`. The same source, options and NVRTC give the same bytes.
/// A program that cannot be compiled is ok = false with NVRTC's log; throws EnvironmentError when
/// NVRTC itself cannot be used.
CompileOutput nvrtc_compile(const EmbeddedFile& source,
                            std::span<const EmbeddedFile> headers,
                            std::span<const std::string> options,
                            const std::string& arch);

/// "13.0.88", as the library itself says.
const std::string& nvrtc_version();

}  // namespace fdkbench
