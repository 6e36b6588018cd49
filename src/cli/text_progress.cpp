#include "src/cli/progress.hpp"
#include "src/core/counted.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
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

std::string describe(const std::optional<Leader>& leader) {
    if (!leader) {
        return "no correct kernel yet";
    }
    return fmt::format("{:.2f} us, {:.2f}x, {} {}",
                       leader->time_us,
                       leader->ratio,
                       leader->family,
                       to_string(leader->params));
}

void print_warning(const std::string& message) {
    fmt::print(stderr, "warning: {}\n", message);
}

class TextProgress : public SweepListener {
  public:
    TextProgress() : terminal_(isatty(STDERR_FILENO) != 0), start_(Clock::now()) {}
    ~TextProgress() override { clear(); }

    void planned(std::size_t cells, std::size_t candidates, std::size_t already) override {
        cells_ = cells;
        total_ = candidates - already;
        line(fmt::format("{}, {}, {} already measured",
                         counted(cells, "cell"),
                         counted(candidates, "candidate"),
                         already));
        start_ = Clock::now();
    }
    void compiled(const Candidate&, const protocol::CompileReply&) override {
        ++compiled_;
        draw();
    }
    void cell_started(std::size_t /*index*/, const Problem& problem) override {
        label_ = to_string(problem);
        leader_.reset();
        draw();
    }
    void candidate_done(const Candidate&, const Measurement&) override {
        ++done_;
        draw();
    }
    void candidate_known(const Candidate&) override {
        ++done_;
        draw();
    }
    void cell_progress(const Problem&, const std::optional<Leader>& leader) override {
        leader_ = leader;
        draw();
    }
    void confirming(const Problem& problem, std::size_t /*kernels*/) override {
        if (!confirming_) {
            line("timing the finalists again in fresh processes");
        }
        confirming_ = true;
        label_ = "again " + to_string(problem);
        leader_.reset();
        draw();
    }
    void cell_done(std::size_t index,
                   const Problem& problem,
                   const std::optional<Leader>& leader) override {
        if (!terminal_) {
            line(fmt::format("[{}/{}] {}: {}{}",
                             index + 1,
                             cells_,
                             to_string(problem),
                             describe(leader),
                             eta()));
        }
    }
    void warning(const std::string& message) override {
        clear();
        print_warning(message);
    }

  private:
    void line(const std::string& text) {
        clear();
        fmt::print(stderr, "{}\n", text);
    }
    void clear() {
        if (terminal_ && drawn_) {
            fmt::print(stderr, "\r\033[K");
        }
        drawn_ = false;
    }
    [[nodiscard]] std::string eta() const {
        if (done_ == 0 || total_ <= done_) {
            return "";
        }
        const double elapsed = std::chrono::duration<double>(Clock::now() - start_).count();
        return fmt::format(
            ", ETA {}",
            human_time(elapsed * static_cast<double>(total_ - done_) / static_cast<double>(done_)));
    }
    void draw() {
        // Ten frames a second are enough for people and cost the measurement nothing.
        if (!terminal_ || Clock::now() - last_draw_ < std::chrono::milliseconds(100)) {
            return;
        }
        last_draw_ = Clock::now();
        constexpr std::size_t kWidth = 20;
        const std::size_t filled = total_ == 0 ? 0 : std::min(kWidth, done_ * kWidth / total_);
        std::string text = fmt::format("[{}{}] {}/{} kernels, {} compiled{} | {}: {}",
                                       std::string(filled, '#'),
                                       std::string(kWidth - filled, '.'),
                                       done_,
                                       total_,
                                       compiled_,
                                       eta(),
                                       label_,
                                       describe(leader_));
        winsize size{};
        if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1) {
            text.resize(std::min<std::size_t>(text.size(), size.ws_col - 1U));
        }
        fmt::print(stderr, "\r\033[K{}", text);
        std::fflush(stderr);
        drawn_ = true;
    }

    bool terminal_;
    bool drawn_ = false;
    bool confirming_ = false;
    Clock::time_point start_;
    Clock::time_point last_draw_;
    std::size_t cells_ = 0;
    std::size_t total_ = 0;
    std::size_t done_ = 0;
    std::size_t compiled_ = 0;
    std::string label_;
    std::optional<Leader> leader_;
};

class OnlyWarnings : public SweepListener {
  public:
    void warning(const std::string& message) override { print_warning(message); }
};

}  // namespace

std::unique_ptr<SweepListener> only_warnings() {
    return std::make_unique<OnlyWarnings>();
}

std::unique_ptr<SweepListener> text_progress() {
    return std::make_unique<TextProgress>();
}

}  // namespace fdkbench
