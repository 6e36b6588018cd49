#include "src/core/available_memory.hpp"

#include <fstream>
#include <string>

namespace fdkbench {

std::optional<std::int64_t> available_memory_bytes() {
    std::ifstream meminfo("/proc/meminfo");
    std::string name;
    std::int64_t kib = 0;
    std::string rest;
    while (meminfo >> name >> kib) {
        if (name == "MemAvailable:") {
            return kib * 1024;
        }
        std::getline(meminfo, rest);
    }
    return std::nullopt;
}

}  // namespace fdkbench
