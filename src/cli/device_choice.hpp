#pragma once

#include "tuner/worker.hpp"

#include <string>
#include <vector>

namespace fdkbench {

/// A worker program beside this one, with what it answered to hello.
struct WorkerProgram {
    std::string backend;  ///< "cuda" or "host"
    std::string path;
    protocol::HelloReply hello;
    std::string problem;  ///< why it could not be asked; empty when it answered
};

/// The backends there can be, GPUs first.
const std::vector<std::string>& backends();

/// Asks the worker program of a backend, which stands beside this program.
WorkerProgram ask_worker(const std::string& backend);

/// One device and how to reach it.
struct DeviceChoice {
    WorkerProgram program;
    std::size_t index = 0;  ///< into program.hello.devices
    [[nodiscard]] const DeviceInfo& info() const { return program.hello.devices.at(index); }
};

/// The devices called `ids` ("cuda:1", "cuda" for the first GPU, "host", "all" for all GPUs or else
/// the host), each once; without any, the best there is. Throws EnvironmentError listing the
/// devices there are.
std::vector<DeviceChoice> choose_devices(const std::vector<std::string>& ids);

}  // namespace fdkbench
