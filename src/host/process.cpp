#include "src/host/process.hpp"

#include "src/core/descriptor.hpp"
#include "src/core/error.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace fdkbench {
namespace {

[[noreturn]] void throw_cannot_start(const std::string& program, int error) {
    throw EnvironmentError(fmt::format("cannot start {}: {}", program, std::strerror(error)));
}

/// The error number of posix_spawnp; 0 is success.
int spawn(pid_t& child, const std::vector<std::string>& argv, const char* folder, int output) {
    std::vector<char*> pointers;
    pointers.reserve(argv.size() + 1);
    for (const std::string& argument : argv) {
        pointers.push_back(const_cast<char*>(argument.c_str()));
    }
    pointers.push_back(nullptr);

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
    posix_spawn_file_actions_addchdir_np(&actions, folder);
    const int error =
        posix_spawnp(&child, pointers[0], &actions, nullptr, pointers.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

std::string read_all(int fd) {
    std::string text;
    std::array<char, 4096> buffer{};
    while (true) {
        const ssize_t count = ::read(fd, buffer.data(), buffer.size());
        if (count > 0) {
            text.append(buffer.data(), static_cast<std::size_t>(count));
        } else if (count == 0 || errno != EINTR) {
            return text;
        }
    }
}

}  // namespace

std::optional<ProcessResult> run_process(const std::vector<std::string>& argv,
                                         const std::filesystem::path& folder) {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) {
        throw_cannot_start(argv[0], errno);
    }
    const Descriptor read_end(ends[0]);
    Descriptor write_end(ends[1]);

    pid_t child = 0;
    const int error = spawn(child, argv, folder.c_str(), write_end.get());
    write_end.close();
    if (error == ENOENT || error == EACCES || error == ENOTDIR) {
        return std::nullopt;
    }
    if (error != 0) {
        throw_cannot_start(argv[0], error);
    }
    ProcessResult result;
    result.output = read_all(read_end.get());
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    result.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return result;
}

}  // namespace fdkbench
