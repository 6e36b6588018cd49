#pragma once

#include "src/core/problem.hpp"

#include <cstdint>
#include <filesystem>
#include <vector>

namespace fdkbench {

/// Where the codebooks of quantised tensors come from.
struct CodebookSource {
    enum class Kind {
        kUniform,  ///< uniform_codebook()
        kKmeans,   ///< CodebookFit, for every tensor anew
        kGiven,
    };
    Kind kind = Kind::kUniform;
    std::vector<float> values;  ///< of kGiven: [2^bits], ascending
};

/// Reads a text file of 2^bits ascending numbers with blanks, new lines or commas between them.
/// Throws UsageError naming the file and what is wrong with it.
std::vector<float> read_codebook(const std::filesystem::path& path, int bits);

}  // namespace fdkbench
