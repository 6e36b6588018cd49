#include "src/cli/device_choice.hpp"

#include "src/core/error.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>

namespace fdkbench {
namespace {

WorkerProgram ask(const std::string& backend) {
    namespace fs = std::filesystem;
    WorkerProgram program;
    program.backend = backend;
    const fs::path path =
        fs::read_symlink("/proc/self/exe").parent_path() / ("fdkbench-worker-" + backend);
    program.path = path.string();
    if (!fs::exists(path)) {
        program.problem = fmt::format("{} was not built", path.filename().string());
        return program;
    }
    try {
        program.hello = worker_processes(program.path).worker()->hello();
        if (program.hello.devices.empty())
            program.problem = "no device found";
    } catch (const std::exception& error) {
        program.problem = error.what();
    }
    return program;
}

}  // namespace

std::vector<WorkerProgram> worker_programs(const std::string& backend) {
    std::vector<WorkerProgram> programs;
    for (const std::string name : {"cuda", "host"}) {
        if (backend.empty() || backend == name)
            programs.push_back(ask(name));
    }
    return programs;
}

DeviceChoice choose_device(const std::string& id) {
    const std::string backend = id.substr(0, id.find(':'));
    std::vector<std::string> seen;
    for (WorkerProgram& program : worker_programs("")) {
        if (!program.problem.empty()) {
            seen.push_back(fmt::format("{}: {}", program.backend, program.problem));
            continue;
        }
        for (std::size_t i = 0; i < program.hello.devices.size(); ++i) {
            const std::string& name = program.hello.devices[i].id;
            if (id.empty() || id == name || id == program.backend)
                return {program, i};
            seen.push_back(name);
        }
    }
    throw EnvironmentError(fmt::format("--device '{}' is not there; this machine has: {}",
                                       id.empty() ? "any" : id,
                                       fmt::join(seen, "; ")));
}

}  // namespace fdkbench
