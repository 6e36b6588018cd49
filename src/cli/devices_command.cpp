#include "src/cli/commands.hpp"
#include "src/cli/device_choice.hpp"
#include "src/core/json.hpp"

#include <fmt/format.h>

#include <cmath>

namespace fdkbench {
namespace {

std::string human_bytes(std::int64_t bytes) {
    const double mib = static_cast<double>(bytes) / (1 << 20);
    if (mib >= 1024) {
        return fmt::format("{:.1f} GiB", mib / 1024);
    }
    return fmt::format("{:.4g} MiB", mib);
}

void print_device(const DeviceInfo& device) {
    fmt::print("{}  {}\n", device.id, device.name);
    const auto line = [](const std::string& what, const std::string& value) {
        if (!value.empty()) {
            fmt::print("  {:<22} {}\n", what, value);
        }
    };
    if (device.backend == "cuda") {
        line("compute capability",
             fmt::format("{}.{} ({})",
                         device.compute_capability / 10,
                         device.compute_capability % 10,
                         device.arch));
        line("SMs", std::to_string(device.units));
        line("L2", human_bytes(device.cache_bytes));
        line("shared memory per CTA", human_bytes(device.shared_bytes_per_block));
    } else {
        line("cores", std::to_string(device.units));
        line("ISA", device.isa);
        line("last-level cache", human_bytes(device.cache_bytes));
    }
    line("memory", human_bytes(device.memory_bytes));
    line("uuid", device.uuid);
    for (const auto& [what, value] : device.facts) {
        line(what, value);
    }
}

void print_ceilings(const std::vector<Ceiling>& ceilings) {
    fmt::print("  measured ceilings\n");
    for (const Ceiling& ceiling : ceilings) {
        const std::string size =
            ceiling.bytes > 0 ? fmt::format("{:.1f} MB", static_cast<double>(ceiling.bytes) / 1e6)
                              : std::string();
        fmt::print(
            "    {:<8} {:>10}  {:>9.4g} {}\n", ceiling.what, size, ceiling.value, ceiling.unit);
    }
}

}  // namespace

ExitCode run_devices(const DevicesOptions& options) {
    Json all = Json::array();
    bool any = false;
    for (const std::string& backend : backends()) {
        const WorkerProgram program = ask_worker(backend, options.launcher);
        if (!program.problem.empty()) {
            fmt::print(stderr, "{}: {}\n", backend, program.problem);
            continue;
        }
        std::unique_ptr<Worker> worker;
        if (options.measure) {
            worker = worker_processes(program.command).worker();
        }
        for (std::size_t i = 0; i < program.hello.devices.size(); ++i) {
            any = true;
            const DeviceInfo& device = program.hello.devices[i];
            std::vector<Ceiling> ceilings;
            if (worker) {
                ceilings = worker->ceilings({i}).ceilings;
            }
            if (options.json) {
                Json json = device;
                json["compiler"] = program.hello.compiler;
                if (worker) {
                    json["ceilings"] = ceilings;
                }
                all.push_back(json);
                continue;
            }
            print_device(device);
            fmt::print("  {:<22} {}\n", "kernel compiler", program.hello.compiler);
            for (const auto& [what, version] : program.hello.versions) {
                fmt::print("  {:<22} {}\n", what, version);
            }
            if (worker) {
                print_ceilings(ceilings);
            }
        }
    }
    if (options.json) {
        fmt::print("{}\n", all.dump(2));
    }
    return any ? ExitCode::kDone : ExitCode::kEnvironment;
}

}  // namespace fdkbench
