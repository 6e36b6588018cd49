#pragma once

#include "kernels/family.hpp"
#include "src/core/embedded_file.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fdkbench {

/// Adds a family to families(); a family's descriptor defines one of these at namespace scope.
struct RegisterFamily {
    explicit RegisterFamily(Family family);
};

/// Adds source texts to those under kernels/, for families that are defined elsewhere.
struct RegisterSources {
    explicit RegisterSources(const std::vector<EmbeddedFile>& files);
};

/// All families, sorted by name.
const std::vector<Family>& families();

/// The family called `name`; throws std::out_of_range naming it.
const Family& family_named(std::string_view name);

/// A family's source and every header it includes, directly or not, as embedded in the program.
struct KernelSource {
    EmbeddedFile source;
    std::vector<EmbeddedFile> headers;  ///< sorted by path
    std::string digest;                 ///< SHA-256 over all of it, for compile keys
};
/// Safe to call from any thread.
const KernelSource& kernel_source(const Family& family);
/// The source at `path` with the headers that it includes as "kernels/…", all out of `files`;
/// throws std::logic_error naming a file that is not there.
KernelSource resolve_source(std::span<const EmbeddedFile> files, const std::string& path);

}  // namespace fdkbench
