#include "src/core/nvidia_driver.hpp"

#include <fstream>
#include <regex>

namespace fdkbench {

std::string nvidia_driver_version() {
    // "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.159.04  Release Build …"
    std::ifstream file("/proc/driver/nvidia/version");
    std::string line;
    std::getline(file, line);
    std::smatch match;
    return std::regex_search(line, match, std::regex(R"( (\d+\.\d+(\.\d+)?) )")) ? match[1].str()
                                                                                 : "";
}

}  // namespace fdkbench
