#include "src/host/cpu_info.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sched.h>
#include <sstream>
#include <sys/utsname.h>
#include <thread>
#include <unistd.h>

namespace fdkbench {
namespace {

constexpr std::int64_t kMiB = 1 << 20;

std::string first_line(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

/// What follows "NAME<spaces>:" on the first line that begins with NAME.
std::string field(const char* path, const std::string& name) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        const std::size_t colon = line.find(':');
        if (line.starts_with(name) && colon != std::string::npos) {
            const std::size_t start = line.find_first_not_of(" \t", colon + 1);
            return start == std::string::npos ? std::string() : line.substr(start);
        }
    }
    return {};
}

/// "32768K" or "1M" in bytes; 0 for anything else.
std::int64_t size_of(const std::string& text) {
    std::istringstream in(text);
    std::int64_t number = 0;
    char unit = 0;
    in >> number >> unit;
    if (unit == 'K') {
        return number * 1024;
    }
    return unit == 'M' ? number * kMiB : number;
}

}  // namespace

std::string cpu_model() {
    std::string model = field("/proc/cpuinfo", "model name");
    if (model.empty()) {
        utsname system{};
        uname(&system);
        model = std::string(system.machine) + " CPU";
        const std::string part = field("/proc/cpuinfo", "CPU part");
        model += part.empty() ? "" : " part " + part;
    }
    return model;
}

int usable_cores() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) == 0) {
        return std::max(1, CPU_COUNT(&set));
    }
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

std::vector<CpuCache> cpu_caches() {
    std::vector<CpuCache> caches;
    std::error_code missing;
    const std::filesystem::path folder = "/sys/devices/system/cpu/cpu0/cache";
    for (const auto& entry : std::filesystem::directory_iterator(folder, missing)) {
        const std::string type = first_line(entry.path() / "type");
        const std::string level = first_line(entry.path() / "level");
        const std::int64_t bytes = size_of(first_line(entry.path() / "size"));
        if ((type == "Data" || type == "Unified") && bytes > 0) {
            caches.push_back(
                {"L" + level + (type == "Data" ? "d" : ""), std::atoi(level.c_str()), bytes});
        }
    }
    std::ranges::sort(caches, {}, &CpuCache::level);
    return caches;
}

std::int64_t last_level_cache_bytes(const std::vector<CpuCache>& caches) {
    constexpr std::int64_t kUnknown = 32 * kMiB;
    return std::clamp(caches.empty() ? kUnknown : caches.back().bytes, kMiB, 64 * kMiB);
}

std::int64_t total_memory_bytes() {
    return static_cast<std::int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
}

}  // namespace fdkbench
