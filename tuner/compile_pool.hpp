#pragma once

#include "tuner/worker.hpp"

#include <memory>
#include <string>

namespace fdkbench {

/// At most `jobs` processes of `path --compile`, each started when there is work for it and killed
/// with the pool. One that dies, or is busy for ten minutes, gives its request the status `compile`
/// and is started again for the next.
std::unique_ptr<CompilePool> compile_processes(const std::string& path, int jobs);

}  // namespace fdkbench
