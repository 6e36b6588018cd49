#pragma once

#include "tuner/worker.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace fdkbench {

/// At most `jobs` processes of the program with --compile, each started when there is work for it
/// and killed with the pool. A request during which one dies is tried once more in a fresh one; the
/// second death, or `timeout` without an answer, gives it the status `compile`. Without a
/// launcher the processes get a TMPDIR of their own, so that what killed ones leave there goes with
/// the pool. Throws EnvironmentError when there is no such program, or no temporary folder can be
/// made.
std::unique_ptr<CompilePool> compile_processes(const WorkerCommand& command,
                                               int jobs,
                                               std::chrono::seconds timeout);

}  // namespace fdkbench
