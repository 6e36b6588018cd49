#include "src/protocol/process_channel.hpp"

#include "src/core/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <string_view>
#include <sys/wait.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>

namespace fdkbench::protocol {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// A process that the child left behind may hold its output open, so the child's death is also
// looked for this often.
constexpr milliseconds kDeathCheck{100};
constexpr milliseconds kExitGrace{2000};
constexpr milliseconds kWriteStall{30000};
constexpr std::size_t kReadBytes = 65536;

[[noreturn]] void fail(const std::string& program, int error) {
    throw EnvironmentError(fmt::format("cannot start {}: {}: check that it exists and may be run",
                                       program,
                                       std::generic_category().message(error)));
}

std::string describe(int status) {
    if (WIFSIGNALED(status)) {
        const int signal = WTERMSIG(status);
        return fmt::format("signal {} ({})", signal, ::strsignal(signal));
    }
    return fmt::format("exit code {}", WEXITSTATUS(status));
}

/// A file descriptor, closed at the end of its scope unless released.
class Descriptor {
  public:
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor() {
        if (fd_ >= 0) {
            ::close(fd_);
        }
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
    Descriptor& operator=(Descriptor&&) = delete;
    [[nodiscard]] int get() const { return fd_; }
    int release() { return std::exchange(fd_, -1); }

  private:
    int fd_;
};

struct Pipe {
    Descriptor read;
    Descriptor write;
};

/// Both ends are closed in other children. They lie above the standard streams, even where the
/// parent runs without those, so that the child's dup2() cannot overwrite one.
Pipe open_pipe(const std::string& program) {
    std::array<int, 2> fds{};
    if (::pipe2(fds.data(), O_CLOEXEC) != 0) {
        fail(program, errno);
    }
    const Descriptor low_read(fds[0]);
    const Descriptor low_write(fds[1]);
    Pipe pipe{Descriptor(::fcntl(fds[0], F_DUPFD_CLOEXEC, STDERR_FILENO + 1)),
              Descriptor(::fcntl(fds[1], F_DUPFD_CLOEXEC, STDERR_FILENO + 1))};
    if (pipe.read.get() < 0 || pipe.write.get() < 0) {
        fail(program, errno);
    }
    return pipe;
}

/// Writing to a child that has died must be an error value, not the parent's death; and a parent
/// started with SIGCHLD ignored would never learn how a child ended.
void set_signals() {
    static const bool kDone = [] {
        std::signal(SIGPIPE, SIG_IGN);
        std::signal(SIGCHLD, SIG_DFL);
        return true;
    }();
    static_cast<void>(kDone);
}

pid_t spawn(const std::vector<std::string>& argv, int in_fd, int out_fd) {
    std::vector<char*> arguments;
    for (const std::string& argument : argv) {
        arguments.push_back(const_cast<char*>(argument.c_str()));
    }
    arguments.push_back(nullptr);

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in_fd, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out_fd, STDOUT_FILENO);

    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
    sigaddset(&signals, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);

    pid_t pid = -1;
    const int error =
        ::posix_spawnp(&pid, arguments[0], &actions, &attributes, arguments.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
        fail(argv[0], error);
    }
    return pid;
}

bool wait_readable(int fd, milliseconds timeout) {
    pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
    return ::poll(&entry, 1, static_cast<int>(timeout.count())) > 0;
}

}  // namespace

ProcessChannel::ProcessChannel(const std::vector<std::string>& argv) {
    if (argv.empty()) {
        throw std::invalid_argument("a child process needs a program");
    }
    set_signals();
    Pipe input = open_pipe(argv[0]);
    Pipe output = open_pipe(argv[0]);
    // Only these ends: the child's may block, as programs expect.
    ::fcntl(input.write.get(), F_SETFL, O_NONBLOCK);
    ::fcntl(output.read.get(), F_SETFL, O_NONBLOCK);
    pid_ = spawn(argv, input.read.get(), output.write.get());
    write_fd_ = input.write.release();
    read_fd_ = output.read.release();
}

ProcessChannel::~ProcessChannel() {
    kill();
}

bool ProcessChannel::send(const std::string& line) {
    const std::string text = line + '\n';
    std::string_view rest = text;
    auto stalled_at = Clock::now() + kWriteStall;
    while (!rest.empty() && !closed_) {
        const ssize_t written = ::write(write_fd_, rest.data(), rest.size());
        if (written >= 0) {
            rest.remove_prefix(static_cast<std::size_t>(written));
            stalled_at = Clock::now() + kWriteStall;
        } else if (errno == EAGAIN) {
            // The child may itself be waiting for its output to be read.
            std::array<pollfd, 2> entries{pollfd{.fd = write_fd_, .events = POLLOUT, .revents = 0},
                                          pollfd{.fd = read_fd_, .events = POLLIN, .revents = 0}};
            ::poll(entries.data(), entries.size(), static_cast<int>(kDeathCheck.count()));
            read_some();
            if (ended() || Clock::now() > stalled_at) {
                kill();
            }
        } else if (errno != EINTR) {
            close_when_ended();
        }
    }
    return rest.empty();
}

std::optional<std::string> ProcessChannel::receive(milliseconds timeout) {
    const auto deadline = Clock::now() + timeout;
    while (true) {
        if (std::optional<std::string> line = take_line()) {
            return line;
        }
        if (closed_) {
            return std::nullopt;
        }
        const auto left =
            std::max(milliseconds(0), std::chrono::ceil<milliseconds>(deadline - Clock::now()));
        if (wait_readable(read_fd_, std::min(left, kDeathCheck))) {
            read_some();
        } else if (ended()) {
            kill();
        } else if (left == milliseconds(0)) {
            return std::nullopt;
        }
    }
}

std::optional<std::string> ProcessChannel::take_line() {
    const std::size_t end = pending_.find('\n', scanned_);
    if (end == std::string::npos) {
        scanned_ = pending_.size();
        return std::nullopt;
    }
    std::string line = pending_.substr(0, end);
    pending_.erase(0, end + 1);
    scanned_ = 0;
    return line;
}

/// Reads what is there; false when that is nothing.
bool ProcessChannel::read_some() {
    const std::size_t size = pending_.size();
    pending_.resize(size + kReadBytes);
    const ssize_t count = ::read(read_fd_, pending_.data() + size, kReadBytes);
    pending_.resize(size + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (count == 0 && !closed_) {
        close_when_ended();
    }
    return count > 0;
}

bool ProcessChannel::ended() const {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == pid_;
}

/// The child has closed a pipe: gives it a moment to end in its own way.
void ProcessChannel::close_when_ended() {
    const auto deadline = Clock::now() + kExitGrace;
    while (!ended() && Clock::now() < deadline) {
        std::this_thread::sleep_for(milliseconds(1));
    }
    kill();
}

void ProcessChannel::kill() {
    if (closed_) {
        return;
    }
    // Before the child is reaped: until then nobody else can get its number.
    ::kill(-pid_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    closed_ = ChannelClosed{describe(status)};
    while (read_some()) {
    }
    ::close(std::exchange(read_fd_, -1));
    ::close(std::exchange(write_fd_, -1));
}

}  // namespace fdkbench::protocol
