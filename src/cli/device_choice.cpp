#include "src/cli/device_choice.hpp"

#include "src/cli/build_info.hpp"
#include "src/core/error.hpp"
#include "src/core/nvidia_driver.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

namespace fdkbench {
const std::vector<std::string>& backends() {
    static const std::vector<std::string> names{"cuda", "host"};
    return names;
}

WorkerProgram ask_worker(const std::string& backend, const Launcher& launcher) {
    namespace fs = std::filesystem;
    const fs::path path =
        fs::read_symlink("/proc/self/exe").parent_path() / ("fdkbench-worker-" + backend);
    WorkerProgram program{backend, path.string(), {}, {}};
    program.command.launcher = launcher;
    // Code for a CPU is compiled for the one that will run it.
    program.command.compiles_under_launcher = backend == "host";
    if (!fs::exists(path)) {
        program.problem = fmt::format("{} was not built", path.filename().string());
        return program;
    }
    try {
        program.hello = worker_processes(program.command).worker()->hello();
        if (program.hello.devices.empty()) {
            program.problem = "no device found";
        }
    } catch (const std::exception& error) {
        program.problem = error.what();
    }
    return program;
}

namespace {

/// Backend of an id: "cuda" of "cuda:1"; empty when it names none.
std::string backend_of(const std::string& id) {
    const std::string word = id.substr(0, id.find(':'));
    return std::ranges::find(backends(), word) != backends().end() ? word : "";
}

/// The devices of the first of the backends that has any; why not those before it.
std::vector<DeviceChoice> first_devices(const std::vector<std::string>& backends,
                                        const Launcher& launcher,
                                        std::vector<std::string>& seen) {
    for (const std::string& backend : backends) {
        const WorkerProgram program = ask_worker(backend, launcher);
        std::vector<DeviceChoice> found;
        for (std::size_t i = 0; i < program.hello.devices.size(); ++i) {
            found.push_back({program, i});
        }
        if (!found.empty()) {
            return found;
        }
        seen.push_back(fmt::format("{}: {}", backend, program.problem));
    }
    return {};
}

DeviceChoice device_called(const std::string& id, const Launcher& launcher) {
    std::vector<std::string> seen;
    const std::string asked = backend_of(id);
    for (const std::string& backend : backends()) {
        if (!asked.empty() && backend != asked) {
            continue;
        }
        const WorkerProgram program = ask_worker(backend, launcher);
        if (!program.problem.empty()) {
            seen.push_back(fmt::format("{}: {}", backend, program.problem));
        }
        for (std::size_t i = 0; i < program.hello.devices.size(); ++i) {
            const std::string& name = program.hello.devices[i].id;
            if (id == name || id == backend) {
                return {program, i};
            }
            seen.push_back(name);
        }
    }
    throw EnvironmentError(fmt::format(
        "--device '{}' is not there ({}): fdkbench devices lists all", id, fmt::join(seen, "; ")));
}

}  // namespace

std::vector<DeviceChoice> choose_devices(const std::vector<std::string>& ids,
                                         const Launcher& launcher) {
    const bool all = ids == std::vector<std::string>{"all"};
    if (ids.empty() || all) {
        std::vector<std::string> seen;
        // Who asks for all GPUs does not mean the CPU.
        std::vector<DeviceChoice> found =
            first_devices(all ? std::vector<std::string>{"cuda"} : backends(), launcher, seen);
        if (found.empty()) {
            throw EnvironmentError(fmt::format("there is no {} to measure: {}{}",
                                               all ? "GPU" : "device",
                                               fmt::join(seen, "; "),
                                               all ? "; --device host takes the CPU" : ""));
        }
        if (!all) {
            found.erase(found.begin() + 1, found.end());
        }
        return found;
    }
    if (std::ranges::find(ids, "all") != ids.end()) {
        throw UsageError(
            fmt::format("--device {} is not possible: give 'all' alone, or the devices by name",
                        fmt::join(ids, " ")));
    }
    std::vector<DeviceChoice> chosen;
    for (const std::string& id : ids) {
        DeviceChoice device = device_called(id, launcher);
        const bool again = std::ranges::any_of(
            chosen, [&](const DeviceChoice& other) { return other.info().id == device.info().id; });
        if (!again) {
            chosen.push_back(std::move(device));
        }
    }
    return chosen;
}

DeviceChoice choose_one_device(const std::vector<std::string>& ids, const Launcher& launcher) {
    std::vector<DeviceChoice> chosen = choose_devices(ids, launcher);
    if (chosen.size() > 1) {
        throw UsageError(
            fmt::format("this command uses one device, and {} are named: give one of "
                        "them with --device",
                        chosen.size()));
    }
    return chosen.front();
}

SweepOptions machine_sweep_options(const MachineOptions& machine, const DeviceChoice& device) {
    SweepOptions options;
    options.device = device.info();
    options.device_index = device.index;
    options.compiler = device.program.hello.compiler;
    options.jobs = machine.jobs;
    options.cache_dir = machine.cache_dir;
    options.timeouts = machine.timeouts;
    return options;
}

RunRecord run_record(const DeviceChoice& device,
                     const MeasuringPolicy& policy,
                     const std::string& command) {
    RunRecord run;
    run.device = device.info();
    run.policy = policy;
    run.compiler = device.program.hello.compiler;
    run.driver = driver_version(run.device);
    run.commit = kCommit;
    run.command = command;
    return run;
}

std::string driver_version(const DeviceInfo& device) {
    return device.backend == "cuda" ? nvidia_driver_version() : "";
}

}  // namespace fdkbench
