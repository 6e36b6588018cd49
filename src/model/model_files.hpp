#pragma once

#include "src/core/safetensors.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace fdkbench {

/// Whether a path is one of an index, by its name: "*.json".
bool names_index(const std::filesystem::path& path);

/// A model on disk: a safetensors file, or several, its shards, with an index beside them
/// ("model.safetensors.index.json": its "weight_map" has a shard's name for every tensor).
class ModelFiles {
  public:
    struct Shard {
        std::filesystem::path path;
        SafetensorsFile file;
    };

    /// Opens all files. Throws UsageError naming the file and the fault: for files that
    /// SafetensorsFile refuses, an index that is none or names a tensor that its shard does not
    /// hold, shards that are not beside their index, and tensors that are there twice.
    explicit ModelFiles(const std::filesystem::path& path);

    /// In the order of their names; one without an index.
    [[nodiscard]] const std::vector<Shard>& shards() const { return shards_; }

  private:
    std::vector<Shard> shards_;
};

}  // namespace fdkbench
