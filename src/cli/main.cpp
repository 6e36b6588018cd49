#include "src/cli/parse.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <system_error>

namespace fdkbench {
namespace {

/// What was printed must have arrived; a reader that closed the pipe had enough.
void require_written_output() {
    errno = 0;
    if ((std::fflush(stdout) != 0 || std::ferror(stdout) != 0) && errno != EPIPE) {
        throw EnvironmentError(fmt::format("cannot write to standard output: {}",
                                           errno == 0 ? "an error" : std::strerror(errno)));
    }
}

ExitCode fdkbench_main(int argc, const char* const* argv) {
    try {
        const ExitCode code = parse_command_line(argc, argv)();
        require_written_output();
        return code;
    } catch (const Error& error) {
        fmt::print(stderr, "fdkbench: {}\n", error.what());
        return error.code();
    } catch (const std::system_error& error) {
        // fmt::print cannot write to standard output.
        const bool had_enough = error.code() == std::errc::broken_pipe;
        if (!had_enough) {
            fmt::print(stderr, "fdkbench: {}\n", error.what());
        }
        return had_enough ? ExitCode::kDone : ExitCode::kEnvironment;
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
