#pragma once

#include "results/store.hpp"
#include "src/cli/options.hpp"
#include "tuner/sweep.hpp"

#include <string>
#include <vector>

namespace fdkbench {

/// Words before each device worker: {"srun", "-G1"}; may be empty.
using Launcher = std::vector<std::string>;

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
WorkerProgram ask_worker(const std::string& backend, const Launcher& launcher);

/// One device and how to reach it.
struct DeviceChoice {
    WorkerProgram program;
    std::size_t index = 0;  ///< into program.hello.devices
    [[nodiscard]] const DeviceInfo& info() const { return program.hello.devices.at(index); }
};

/// The devices called `ids` ("cuda:1", "cuda" for the first GPU, "host", "all" for all GPUs or else
/// the host) as workers under `launcher` see them, each once; without any, the best there is.
/// Throws EnvironmentError listing the devices there are, UsageError for "all" beside others.
std::vector<DeviceChoice> choose_devices(const std::vector<std::string>& ids,
                                         const Launcher& launcher);

/// The same for a command that uses one device: throws UsageError when more are asked for.
DeviceChoice choose_one_device(const std::vector<std::string>& ids, const Launcher& launcher);

/// What every command that measures has in common: the device, the compiler and the machine's
/// options.
SweepOptions machine_sweep_options(const MachineOptions& machine, const DeviceChoice& device);

/// What is recorded of a run with the command line `command`.
RunRecord run_record(const DeviceChoice& device,
                     const MeasuringPolicy& policy,
                     const std::string& command);

/// Of the device's driver, for the record; "" on the host.
std::string driver_version(const DeviceInfo& device);

}  // namespace fdkbench
