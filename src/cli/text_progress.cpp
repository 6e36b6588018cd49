#include "src/cli/progress.hpp"
#include "src/cli/terminal_line.hpp"
#include "src/core/counted.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace fdkbench {
namespace {

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
    void planned(std::size_t cells, std::size_t candidates, std::size_t already) override {
        cells_ = cells;
        total_ = candidates - already;
        line(fmt::format("{}, {}, {} already measured",
                         counted(cells, "cell"),
                         counted(candidates, "candidate"),
                         already));
        eta_ = Eta();
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
        if (!line_.terminal()) {
            line(fmt::format("[{}/{}] {}: {}{}",
                             index + 1,
                             cells_,
                             to_string(problem),
                             describe(leader),
                             eta_.text(done_, total_)));
        }
    }
    void warning(const std::string& message) override {
        line_.clear();
        print_warning(message);
    }

  private:
    void line(const std::string& text) {
        line_.clear();
        fmt::print(stderr, "{}\n", text);
    }
    void draw() {
        line_.draw([&] {
            return fmt::format("{} {}/{} kernels, {} compiled{} | {}: {}",
                               bar_text(done_, total_),
                               done_,
                               total_,
                               compiled_,
                               eta_.text(done_, total_),
                               label_,
                               describe(leader_));
        });
    }

    TerminalLine line_;
    Eta eta_;
    bool confirming_ = false;
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
