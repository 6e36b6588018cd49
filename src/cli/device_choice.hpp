#pragma once

#include "tuner/worker.hpp"

#include <string>
#include <vector>

namespace fdkbench {

/// A worker program beside this one, with what it answered to hello.
struct WorkerProgram {
    std::string backend;  ///< "cuda" or "host"
    WorkerCommand command;
    protocol::HelloReply hello;
    std::string problem;  ///< why it could not be asked; empty when it answered
};

/// The backends there can be, GPUs first.
const std::vector<std::string>& backends();

/// Asks the worker program of a backend, which stands beside this program; `launcher` may be empty.
WorkerProgram ask_worker(const std::string& backend, const std::vector<std::string>& launcher);

/// One device and how to reach it.
struct DeviceChoice {
    WorkerProgram program;
    std::size_t index = 0;  ///< into program.hello.devices
    [[nodiscard]] const DeviceInfo& info() const { return program.hello.devices.at(index); }
};

/// The device called `id` ("cuda:1", "cuda" for the first GPU, "host"); empty: the best there is,
/// as workers under `launcher` see it. Throws EnvironmentError listing the devices there are.
DeviceChoice choose_device(const std::string& id, const std::vector<std::string>& launcher);

}  // namespace fdkbench
