#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace fdkbench::protocol {

/// The other end is gone.
struct ChannelClosed {
    std::string how;  ///< "exit code 3" or "signal 9 (Killed)"
};

/// A child process spoken to in lines over its standard input and output; its standard error is
/// inherited. It leads a process group of its own, so that a terminal's Ctrl-C reaches only the
/// parent; the whole group is killed (SIGKILL) and the child reaped on destruction and when the
/// child ends. The first channel sets the parent's SIGPIPE to ignored, its SIGCHLD to the default.
class ProcessChannel {
  public:
    /// Starts argv[0] (a path, or a name looked up in PATH) with the arguments; throws
    /// EnvironmentError when it cannot.
    explicit ProcessChannel(const std::vector<std::string>& argv);
    ~ProcessChannel();
    ProcessChannel(const ProcessChannel&) = delete;
    ProcessChannel& operator=(const ProcessChannel&) = delete;

    /// Sends one line (without its newline). False when the child is gone. Waits while the pipe is
    /// full; a child that then reads nothing for 30 s is killed.
    bool send(const std::string& line);
    /// The next complete line, if one has arrived by the deadline; nothing on timeout or when the
    /// child is gone (then closed() says how). Lines that a child wrote before its end still come.
    std::optional<std::string> receive(std::chrono::milliseconds timeout);
    [[nodiscard]] const std::optional<ChannelClosed>& closed() const { return closed_; }
    /// Ends the child at once.
    void kill();

  private:
    std::optional<std::string> take_line();
    bool read_some();
    [[nodiscard]] bool ended() const;
    void close_when_ended();

    pid_t pid_ = -1;
    int read_fd_ = -1;
    int write_fd_ = -1;
    std::string pending_;      // read, not yet taken
    std::size_t scanned_ = 0;  // of pending_, known to hold no newline
    std::optional<ChannelClosed> closed_;
};

}  // namespace fdkbench::protocol
