#pragma once

#include "src/core/backend.hpp"
#include "src/worker/server.hpp"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fdkbench {

/// Of the libraries a worker uses, for people: {"CUDA runtime", "13.0"}, …
using Versions = std::vector<std::pair<std::string, std::string>>;

/// What makes one worker program.
struct WorkerParts {
    std::string backend;  ///< "cuda" or "host"
    std::function<std::unique_ptr<Backend>()> make_backend;
    std::function<std::unique_ptr<KernelCompiler>()> make_compiler;
    std::function<Versions()> versions;
};

/// Answers hello, ceilings, prepare, check and block for the devices of one backend.
Server device_server(const WorkerParts& parts);

/// Answers hello (with no devices) and compile; makes no backend.
Server compile_server(const WorkerParts& parts);

/// The worker program: serves standard input until it ends; what is not answered 3 s later dies
/// with the process, and so does a compiler that it runs. Standard output is the protocol's
/// alone: whatever else is printed there goes to standard error. `--compile` makes it a compile
/// worker. Returns the exit code.
int worker_main(int argc, char** argv, const WorkerParts& parts);

}  // namespace fdkbench
