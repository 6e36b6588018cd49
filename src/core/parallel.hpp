#pragma once

#include <cstddef>
#include <functional>

namespace fdkbench {

/// Calls work(begin, end) for consecutive parts of [0, count), one part per thread, and waits.
/// `work` must not throw.
void parallel_for(std::size_t count,
                  int threads,
                  const std::function<void(std::size_t begin, std::size_t end)>& work);

/// Threads that the machine runs at once; at least 1.
int hardware_threads();

}  // namespace fdkbench
