#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fdkbench {

/// A compiled kernel in the cache.
struct Artifact {
    std::string hash;            ///< SHA-256 of the binary: the kernel's identity
    std::filesystem::path path;  ///< the binary, readable and loadable in place
};

/// Key of a compilation: everything that can change its output.
/// `source_digest` covers the source and all headers it includes.
std::string compile_key(std::string_view source_digest,
                        std::span<const std::string> options,
                        std::string_view arch,
                        std::string_view compiler);

/// Throws an Error (exit code 3) when a kernel's content no longer is what the cache names it by:
/// to be called right before it is loaded, possibly long after it was found. A file that is not
/// named by a hash is none of the cache's.
void require_intact(const std::filesystem::path& binary);

/// The binary that the cache in `directory` has under this hash; nothing where there is none, or
/// what is there is damaged. Changes nothing.
std::optional<std::vector<std::byte>> cached_binary(const std::filesystem::path& directory,
                                                    const std::string& hash);

/// Compiled kernels by compile key, on disk, shared by any number of processes.
/// `keys/<key>` holds the key and the hash of `objects/<hash>`; both are published by atomic
/// rename. A key file that is not this key's, and an object whose content does not match its name,
/// are removed and treated as absent.
class ArtifactCache {
  public:
    /// Creates the folders; throws EnvironmentError naming the folder and --cache-dir.
    explicit ArtifactCache(const std::filesystem::path& directory);
    [[nodiscard]] std::optional<Artifact> find(const std::string& key) const;
    /// Throws EnvironmentError when the disk is full or not writable.
    Artifact publish(const std::string& key, std::span<const std::byte> binary) const;
    /// Removes what processes that were killed while they published left behind.
    void remove_leftovers() const;

  private:
    std::filesystem::path directory_;
};

}  // namespace fdkbench
