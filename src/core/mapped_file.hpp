#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

namespace fdkbench {

/// A file in memory. The content stays on disk until it is read; the file must not be shortened
/// meanwhile.
struct MappedFile {
    std::shared_ptr<const void> memory;  ///< what `bytes` live in
    std::span<const std::byte> bytes;
};

/// Throws UsageError for what cannot be opened or is no plain file; `what` ("safetensors file")
/// says in the message what it should be.
MappedFile map_file(const std::filesystem::path& path, std::string_view what);

/// Lets go of the memory behind a part of a mapped file, which is not needed soon.
void release_mapped(std::span<const std::byte> part);

}  // namespace fdkbench
