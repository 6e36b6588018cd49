#pragma once

#include "src/core/accuracy.hpp"
#include "src/model/codebook.hpp"
#include "src/model/tensor_choice.hpp"
#include "src/model/tensor_quantiser.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fdkbench {

/// What is quantised, and how.
struct QuantiseRequest {
    std::filesystem::path input;   ///< as ModelFiles takes it
    std::filesystem::path output;  ///< a safetensors file; or an index, for an input with an index
    int bits = 4;
    std::int64_t group_size = 64;  ///< 0: one group a row
    TensorChoice choice{"", std::string(kDefaultSkip)};
    CodebookSource codebook;
    Layout layout = Layout::kCanonical;
    std::optional<ElementType> type;  ///< none: fp16 for F16 tensors, else bf16
};

/// What became of a model.
struct QuantiseReport {
    struct Row {
        QuantisedTensor tensor;
        SquareSums sums;
    };
    std::vector<Row> quantised;
    std::map<TensorFate, std::vector<std::string>> copied;  ///< names of tensors
    std::uint64_t bytes_before = 0;                         ///< of all safetensors files
    std::uint64_t bytes_after = 0;
};

/// What is being done; `done` and `total` in bytes of the input.
using QuantiseProgress =
    std::function<void(const std::string& tensor, std::uint64_t done, std::uint64_t total)>;

/// Quantises a model into new files, a piece of a tensor at a time. A tensor NAME.weight that the
/// choice takes becomes three (QuantisedTensor), described in the file's metadata under
/// "fdkbench:NAME"; everything else, metadata too, is copied. An output that is an index gets
/// shards of the same names as the input's beside it.
///
/// Files take their names only when all of them are complete, the index last. Throws UsageError and
/// EnvironmentError, also where an output is one of the inputs or nothing is to be quantised.
/// `progress` is called between pieces; what it throws ends the work, and nothing is left behind.
QuantiseReport quantise_model(const QuantiseRequest& request, const QuantiseProgress& progress);

}  // namespace fdkbench
