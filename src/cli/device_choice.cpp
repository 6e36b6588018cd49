#include "src/cli/device_choice.hpp"

#include "src/core/error.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

namespace fdkbench {
const std::vector<std::string>& backends() {
    static const std::vector<std::string> names{"cuda", "host"};
    return names;
}

WorkerProgram ask_worker(const std::string& backend, const std::vector<std::string>& launcher) {
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

DeviceChoice choose_device(const std::string& id, const std::vector<std::string>& launcher) {
    const std::string asked_backend = id.substr(0, id.find(':'));
    const bool is_backend =
        std::find(backends().begin(), backends().end(), asked_backend) != backends().end();
    std::vector<std::string> seen;
    for (const std::string& backend : backends()) {
        if (is_backend && backend != asked_backend) {
            continue;
        }
        const WorkerProgram program = ask_worker(backend, launcher);
        if (!program.problem.empty()) {
            seen.push_back(fmt::format("{}: {}", backend, program.problem));
        }
        for (std::size_t i = 0; i < program.hello.devices.size(); ++i) {
            const std::string& name = program.hello.devices[i].id;
            if (id.empty() || id == name || id == backend) {
                return {program, i};
            }
            seen.push_back(name);
        }
    }
    throw EnvironmentError(
        id.empty() ? fmt::format("there is no device to measure: {}", fmt::join(seen, "; "))
                   : fmt::format("--device '{}' is not there ({}): fdkbench devices lists all",
                                 id,
                                 fmt::join(seen, "; ")));
}

}  // namespace fdkbench
