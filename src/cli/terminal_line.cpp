#include "src/cli/terminal_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <sys/ioctl.h>
#include <unistd.h>

namespace fdkbench {
namespace {

using Clock = std::chrono::steady_clock;

std::string human_time(double seconds) {
    const long whole = static_cast<long>(seconds + 0.5);
    if (whole >= 3600) {
        return fmt::format("{}h{:02}m", whole / 3600, whole / 60 % 60);
    }
    if (whole >= 60) {
        return fmt::format("{}m{:02}s", whole / 60, whole % 60);
    }
    return fmt::format("{}s", whole);
}

}  // namespace

TerminalLine::TerminalLine() : terminal_(isatty(STDERR_FILENO) != 0) {}

void TerminalLine::draw(const std::function<std::string()>& text) {
    // Ten frames a second are enough for people and cost what is shown nothing.
    if (!terminal_ || Clock::now() - last_draw_ < std::chrono::milliseconds(100)) {
        return;
    }
    last_draw_ = Clock::now();
    std::string shown = text();
    winsize size{};
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1) {
        shown.resize(std::min<std::size_t>(shown.size(), size.ws_col - 1U));
    }
    fmt::print(stderr, "\r\033[K{}", shown);
    std::fflush(stderr);
    drawn_ = true;
}

void TerminalLine::clear() {
    if (drawn_) {
        fmt::print(stderr, "\r\033[K");
    }
    drawn_ = false;
}

std::string bar_text(std::uint64_t done, std::uint64_t total) {
    constexpr std::uint64_t kWidth = 20;
    const std::uint64_t filled = total == 0 ? 0 : std::min(kWidth, done * kWidth / total);
    return fmt::format("[{}{}]", std::string(filled, '#'), std::string(kWidth - filled, '.'));
}

std::string Eta::text(std::uint64_t done, std::uint64_t total) const {
    if (done == 0 || total <= done) {
        return "";
    }
    const double elapsed = std::chrono::duration<double>(Clock::now() - start_).count();
    return fmt::format(
        ", ETA {}",
        human_time(elapsed * static_cast<double>(total - done) / static_cast<double>(done)));
}

}  // namespace fdkbench
