#include "src/cli/driver_version.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <sstream>

namespace fdkbench {

std::string driver_version() {
    // "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.159.04  Release Build …"
    std::ifstream file("/proc/driver/nvidia/version");
    std::string line;
    std::getline(file, line);
    std::istringstream words(line);
    for (std::string word; words >> word;) {
        const bool numeric = std::all_of(word.begin(), word.end(), [](unsigned char c) {
            return std::isdigit(c) != 0 || c == '.';
        });
        if (numeric && std::count(word.begin(), word.end(), '.') >= 1)
            return word;
    }
    return "";
}

}  // namespace fdkbench
