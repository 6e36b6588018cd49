#pragma once

#include <string>
#include <vector>

namespace fdkbench {

/// A text file of the repository that was built into the program (scripts/embed.py).
struct EmbeddedFile {
    std::string path;  ///< from the repository root: "kernels/lut_mv.cu"
    std::string text;
};

}  // namespace fdkbench
