#include "src/cli/commands.hpp"

#include <fmt/format.h>

#include <exception>

namespace fdkbench {
namespace {

ExitCode run(const DevicesOptions& options) {
    return run_devices(options);
}
ExitCode run(const SweepCommandOptions& options) {
    return run_sweep_command(options);
}
ExitCode run(const ExportOptions& options) {
    return run_export(options);
}
ExitCode run(const QueryOptions& options) {
    return run_query(options);
}
ExitCode run(const VersionOptions&) {
    return run_version();
}
ExitCode run(const HelpOptions& options) {
    fmt::print("{}", options.text);
    return ExitCode::kDone;
}

ExitCode fdkbench_main(int argc, const char* const* argv) {
    try {
        return std::visit([](const auto& options) { return run(options); },
                          parse_command_line(argc, argv));
    } catch (const Error& error) {
        fmt::print(stderr, "fdkbench: {}\n", error.what());
        return error.code();
    } catch (const std::exception& error) {
        fmt::print(stderr, "fdkbench: internal error: {}\n", error.what());
        return ExitCode::kInternal;
    }
}

}  // namespace
}  // namespace fdkbench

int main(int argc, char** argv) {
    return static_cast<int>(fdkbench::fdkbench_main(argc, argv));
}
