#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace fdkbench {

/// A last line on a terminal's standard error that is drawn again and again; nothing elsewhere.
class TerminalLine {
  public:
    TerminalLine();
    ~TerminalLine() { clear(); }
    TerminalLine(const TerminalLine&) = delete;
    TerminalLine& operator=(const TerminalLine&) = delete;
    TerminalLine(TerminalLine&&) = delete;
    TerminalLine& operator=(TerminalLine&&) = delete;

    [[nodiscard]] bool terminal() const { return terminal_; }
    /// Shows the text, cut to the terminal's width, unless the last one is too young; only then is
    /// `text` called.
    void draw(const std::function<std::string()>& text);
    /// Makes room for another line.
    void clear();

  private:
    bool terminal_;
    bool drawn_ = false;
    std::chrono::steady_clock::time_point last_draw_;
};

/// "[#####...............]".
std::string bar_text(std::uint64_t done, std::uint64_t total);

/// When something that began with this object will be done.
class Eta {
  public:
    /// ", ETA 1m30s"; empty before anything and after everything is done.
    [[nodiscard]] std::string text(std::uint64_t done, std::uint64_t total) const;

  private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace fdkbench
