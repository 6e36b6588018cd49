#include "src/model/quantise_model.hpp"

#include "src/core/error.hpp"
#include "src/core/json.hpp"
#include "src/core/mapped_file.hpp"
#include "src/core/safetensors_header.hpp"
#include "src/model/model_files.hpp"
#include "src/model/partial_file.hpp"
#include "src/model/safetensors_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <sys/stat.h>
#include <utility>

namespace fdkbench {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kCopiedAtOnce = std::uint64_t{1} << 24U;

/// A tensor of the input on its way.
struct Entry {
    const Tensor* tensor = nullptr;
    std::optional<QuantisedTensor> quantised;  // none: it is copied
    std::size_t first = 0;                     // of what is written for it, in OutputFile::specs
};

struct OutputFile {
    fs::path path;
    std::vector<Entry> entries;
    std::vector<TensorSpec> specs;
    std::map<std::string, std::string> metadata;
};

QuantisedTensor quantised(const Tensor& tensor, const QuantiseRequest& request) {
    const ElementType own =
        tensor.type == TensorType::kF16 ? ElementType::kFp16 : ElementType::kBf16;
    QuantisedTensor result;
    result.name = weight_owner(tensor.name).value();
    result.n = tensor.shape.at(0);
    result.k = tensor.shape.at(1);
    result.format = {request.bits, request.group_size == 0 ? result.k : request.group_size};
    result.type = request.type.value_or(own);
    result.layout = request.layout;
    return result;
}

/// Plans a shard's tensors into an output; counts those that are copied.
void add_shard(const ModelFiles::Shard& shard,
               const QuantiseRequest& request,
               OutputFile& output,
               QuantiseReport& report) {
    output.metadata.insert(shard.file.metadata().begin(), shard.file.metadata().end());
    for (const Tensor& tensor : shard.file.tensors()) {
        Entry entry{&tensor, std::nullopt, output.specs.size()};
        const TensorFate fate = request.choice.fate(tensor, request.bits, request.group_size);
        if (fate == TensorFate::kQuantised) {
            entry.quantised = quantised(tensor, request);
            std::ranges::move(parts_of(*entry.quantised), std::back_inserter(output.specs));
            output.metadata["fdkbench:" + entry.quantised->name] = description_of(*entry.quantised);
        } else {
            report.copied[fate].push_back(tensor.name);
            output.specs.push_back({tensor.name, tensor.type, tensor.shape, tensor.bytes.size()});
        }
        output.entries.push_back(std::move(entry));
    }
}

std::vector<OutputFile> planned(const ModelFiles& model,
                                const QuantiseRequest& request,
                                QuantiseReport& report) {
    std::vector<OutputFile> outputs;
    for (const ModelFiles::Shard& shard : model.shards()) {
        if (names_index(request.output)) {
            outputs.emplace_back().path = request.output.parent_path() / shard.path.filename();
        } else if (outputs.empty()) {
            outputs.emplace_back().path = request.output;
        }
        add_shard(shard, request, outputs.back(), report);
    }
    return outputs;
}

void require_distinct(const QuantiseRequest& request, const std::vector<OutputFile>& outputs) {
    std::set<std::string_view> names;
    for (const OutputFile& output : outputs) {
        for (const TensorSpec& spec : output.specs) {
            if (!names.insert(spec.name).second) {
                throw UsageError(fmt::format(
                    "{} has a tensor {} already, a name that quantising needs: leave the tensor of "
                    "that name out with --skip",
                    request.input.string(),
                    safetensors::shown(spec.name)));
            }
        }
    }
}

void require_something(const QuantiseRequest& request,
                       const std::vector<OutputFile>& outputs,
                       const QuantiseReport& report) {
    const bool something = std::ranges::any_of(outputs, [](const OutputFile& output) {
        return std::ranges::any_of(output.entries, [](const Entry& e) { return !!e.quantised; });
    });
    if (something) {
        return;
    }
    const auto count = [&](TensorFate fate) {
        const auto found = report.copied.find(fate);
        return found == report.copied.end() ? 0 : found->second.size();
    };
    throw UsageError(fmt::format(
        "nothing in {} is to be quantised: of its tensors {} are no 2-d BF16, F16 or F32 tensors "
        "NAME.weight, {} do not match --tensors, {} match --skip, and {} have rows that are not "
        "whole groups (-g)",
        request.input.string(),
        count(TensorFate::kOther),
        count(TensorFate::kNotChosen),
        count(TensorFate::kSkipped),
        count(TensorFate::kOddGroups)));
}

/// Device and number of a file that is there.
std::optional<std::pair<dev_t, ino_t>> identity(const fs::path& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0
               ? std::optional(std::pair(status.st_dev, status.st_ino))
               : std::nullopt;
}

/// Refuses outputs that would take the place of an input, or of what is no file.
void require_replaceable(const QuantiseRequest& request,
                         const ModelFiles& model,
                         const std::vector<OutputFile>& outputs) {
    std::set<std::optional<std::pair<dev_t, ino_t>>> inputs{identity(request.input)};
    for (const ModelFiles::Shard& shard : model.shards()) {
        inputs.insert(identity(shard.path));
    }
    std::vector<fs::path> paths{request.output};
    std::ranges::transform(outputs, std::back_inserter(paths), &OutputFile::path);
    for (const fs::path& path : paths) {
        std::error_code ignored;
        const fs::file_status status = fs::status(path, ignored);
        if (!fs::exists(status)) {
            continue;
        }
        if (!fs::is_regular_file(status)) {
            throw UsageError(
                fmt::format("cannot write {}: there is something that is not a file; "
                            "choose another -o",
                            path.string()));
        }
        if (inputs.contains(identity(path))) {
            throw UsageError(fmt::format("{} is read and would be replaced: choose another -o{}",
                                         path.string(),
                                         outputs.size() > 1 ? ", in another folder" : ""));
        }
    }
}

/// Progress through all tensors.
class Meter {
  public:
    Meter(const std::vector<OutputFile>& outputs, const QuantiseProgress& progress)
        : progress_(progress) {
        for (const OutputFile& output : outputs) {
            for (const Entry& entry : output.entries) {
                total_ += entry.tensor->bytes.size();
            }
        }
    }
    void advance(const std::string& tensor, std::uint64_t bytes) {
        done_ += bytes;
        progress_(tensor, done_, total_);
    }

  private:
    const QuantiseProgress& progress_;
    std::uint64_t done_ = 0;
    std::uint64_t total_ = 0;
};

void copy(const Entry& entry, SafetensorsWriter& writer, const Advance& advance) {
    std::span<const std::byte> rest = entry.tensor->bytes;
    for (std::uint64_t offset = 0; !rest.empty();) {
        const auto piece = rest.first(std::min<std::size_t>(rest.size(), kCopiedAtOnce));
        writer.write(entry.first, offset, piece);
        release_mapped(piece);
        offset += piece.size();
        rest = rest.subspan(piece.size());
        advance(piece.size());
    }
}

SquareSums write_quantised(const Entry& entry,
                           const CodebookSource& source,
                           SafetensorsWriter& writer,
                           const Advance& advance) {
    std::array<std::uint64_t, 3> offsets{};
    const auto sink = [&](QuantisedPart part, std::span<const std::byte> piece) {
        const auto place = static_cast<std::size_t>(part);
        writer.write(entry.first + place, offsets.at(place), piece);
        offsets.at(place) += piece.size();
    };
    return quantise_tensor(*entry.tensor, *entry.quantised, source, sink, advance);
}

SafetensorsWriter write_file(const OutputFile& output,
                             const QuantiseRequest& request,
                             Meter& meter,
                             QuantiseReport& report) {
    SafetensorsWriter writer(output.path, output.specs, output.metadata);
    for (const Entry& entry : output.entries) {
        const Advance advance = [&](std::uint64_t bytes) {
            meter.advance(entry.tensor->name, bytes);
        };
        advance(0);
        if (entry.quantised) {
            report.quantised.push_back(
                {*entry.quantised, write_quantised(entry, request.codebook, writer, advance)});
        } else {
            copy(entry, writer, advance);
        }
    }
    writer.finish();
    report.bytes_after += writer.bytes();
    return writer;
}

PartialFile write_index(const fs::path& path, const std::vector<OutputFile>& outputs) {
    std::uint64_t total = 0;
    std::map<std::string, std::string> map;
    for (const OutputFile& output : outputs) {
        for (const TensorSpec& spec : output.specs) {
            total += spec.bytes;
            map.emplace(spec.name, output.path.filename().string());
        }
    }
    const std::string text =
        Json{{"metadata", {{"total_size", total}}}, {"weight_map", map}}.dump(2) + "\n";
    PartialFile file(path, text.size());
    file.write(0, std::as_bytes(std::span(text)));
    file.finish();
    return file;
}

}  // namespace

QuantiseReport quantise_model(const QuantiseRequest& request, const QuantiseProgress& progress) {
    if (names_index(request.output) && !names_index(request.input)) {
        throw UsageError(
            fmt::format("{} has no shards, so that {} cannot be their index: choose "
                        "-o NAME.safetensors",
                        request.input.string(),
                        request.output.string()));
    }
    const ModelFiles model(request.input);
    QuantiseReport report;
    const std::vector<OutputFile> outputs = planned(model, request, report);
    require_something(request, outputs, report);
    require_distinct(request, outputs);
    require_replaceable(request, model, outputs);

    Meter meter(outputs, progress);
    std::vector<SafetensorsWriter> writers;
    for (const OutputFile& output : outputs) {
        writers.push_back(write_file(output, request, meter, report));
    }
    std::vector<PartialFile> index;
    if (names_index(request.output)) {
        index.push_back(write_index(request.output, outputs));
    }
    for (const ModelFiles::Shard& shard : model.shards()) {
        report.bytes_before += fs::file_size(shard.path);
    }
    std::ranges::for_each(writers, &SafetensorsWriter::commit);
    std::ranges::for_each(index, &PartialFile::commit);
    return report;
}

}  // namespace fdkbench
