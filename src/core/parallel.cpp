#include "src/core/parallel.hpp"

#include <algorithm>
#include <thread>
#include <vector>

namespace fdkbench {

void parallel_for(std::size_t count,
                  int threads,
                  const std::function<void(std::size_t begin, std::size_t end)>& work) {
    const std::size_t parts = static_cast<std::size_t>(std::max(1, threads));
    const std::size_t length = (count + parts - 1) / parts;
    std::vector<std::jthread> others;
    for (std::size_t begin = length; begin < count; begin += length) {
        others.emplace_back(work, begin, std::min(begin + length, count));
    }
    work(0, std::min(length, count));
}

int hardware_threads() {
    return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

}  // namespace fdkbench
