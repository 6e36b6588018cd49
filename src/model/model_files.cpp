#include "src/model/model_files.hpp"

#include "src/core/error.hpp"
#include "src/core/mapped_file.hpp"
#include "src/core/safetensors_header.hpp"

#include <fmt/format.h>

#include <map>
#include <set>

namespace fdkbench {
namespace {

namespace fs = std::filesystem;
using safetensors::Fault;
using safetensors::shown;

/// Tensors by the name of their shard.
using Index = std::map<std::string, std::vector<std::string>>;

bool is_shard_name(const std::string& name) {
    return name.ends_with(".safetensors") && name.find('/') == std::string::npos &&
           name.find('\0') == std::string::npos;
}

Index parse_index(std::string_view text) {
    if (text.size() > safetensors::kMaxHeaderBytes) {
        throw Fault(fmt::format("it has {} bytes, but at most {} are allowed",
                                text.size(),
                                safetensors::kMaxHeaderBytes));
    }
    const safetensors::Header header = safetensors::parse_header(text);
    const auto map = header.find("weight_map");
    if (map == header.end() || !map->is_object() || map->empty()) {
        throw Fault("it has no object 'weight_map' with the tensors' files");
    }
    Index index;
    for (const auto& [tensor, shard] : map->items()) {
        if (!shard.is_string() || !is_shard_name(shard.get_ref<const std::string&>())) {
            throw Fault(fmt::format("tensor {}: {} is not the name of a safetensors file beside it",
                                    shown(tensor),
                                    shown(shard.dump(-1, ' ', true))));
        }
        index[shard.get_ref<const std::string&>()].push_back(tensor);
    }
    return index;
}

Index read_index(const fs::path& path) {
    const MappedFile file = map_file(path, "index");
    try {
        return parse_index({reinterpret_cast<const char*>(file.bytes.data()), file.bytes.size()});
    } catch (const Fault& fault) {
        throw UsageError(fmt::format(
            "{} is not a sound index of safetensors files: {}", path.string(), fault.what()));
    }
}

std::set<std::string_view> names_in(const SafetensorsFile& file) {
    std::set<std::string_view> names;
    for (const Tensor& tensor : file.tensors()) {
        names.insert(tensor.name);
    }
    return names;
}

void require_named_tensors(const fs::path& index,
                           const ModelFiles::Shard& shard,
                           const std::vector<std::string>& tensors) {
    const std::set<std::string_view> held = names_in(shard.file);
    for (const std::string& tensor : tensors) {
        if (!held.contains(tensor)) {
            throw UsageError(
                fmt::format("{} has tensor {} in {}, which does not hold it: fetch both again",
                            index.string(),
                            shown(tensor),
                            shard.path.filename().string()));
        }
    }
}

void require_distinct(const fs::path& index, const std::vector<ModelFiles::Shard>& shards) {
    std::map<std::string_view, const fs::path*> seen;
    for (const ModelFiles::Shard& shard : shards) {
        for (const Tensor& tensor : shard.file.tensors()) {
            const auto [first, added] = seen.emplace(tensor.name, &shard.path);
            if (!added) {
                throw UsageError(fmt::format("{}: tensor {} is in {} and again in {}",
                                             index.string(),
                                             shown(tensor.name),
                                             first->second->filename().string(),
                                             shard.path.filename().string()));
            }
        }
    }
}

}  // namespace

bool names_index(const fs::path& path) {
    return path.extension() == ".json";
}

ModelFiles::ModelFiles(const fs::path& path) {
    if (!names_index(path)) {
        shards_.push_back({path, SafetensorsFile(path)});
        return;
    }
    for (const auto& [name, tensors] : read_index(path)) {
        const fs::path file = path.parent_path() / name;
        shards_.push_back({file, SafetensorsFile(file)});
        require_named_tensors(path, shards_.back(), tensors);
    }
    require_distinct(path, shards_);
}

}  // namespace fdkbench
