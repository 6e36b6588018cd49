#include "src/cli/check_report.hpp"

#include "results/extrapolation.hpp"
#include "src/core/counted.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fdkbench {
namespace {

std::string kernel_text(const std::string& family, const Params& params) {
    return fmt::format("{} {}", family, to_string(params));
}

/// Why there is no time: "correctness: …".
std::string fault_text(const CheckedChoice& choice) {
    return choice.measurement ? failure_text(*choice.measurement) : "not measured";
}

std::string line_of(const CheckedChoice& choice) {
    const Candidate& candidate = choice.candidate;
    const std::string problem = to_string(candidate.problem) + (choice.extrapolated ? " *" : "");
    const std::string kernel = kernel_text(candidate.family, candidate.params);
    if (!choice.timed()) {
        return fmt::format("{:<52} {}: {}\n", problem, kernel, fault_text(choice));
    }
    const std::string best = kernel_text(choice.best->family, choice.best->params);
    return fmt::format("{:<52} {:>7.2f} {:>9.2f} {:>9.2f} {:>7.3f} {:<6}  {}{}\n",
                       problem,
                       100 * choice.loss(),
                       *choice.measurement->time_us,
                       choice.best->time_us,
                       *choice.measurement->ratio,
                       choice.slower() ? "SLOWER" : "faster",
                       kernel,
                       choice.loss() > 0 ? "; best: " + best : "");
}

}  // namespace

bool CheckedChoice::timed() const {
    return best && measurement && measurement->status == CandidateStatus::kCorrect;
}

bool CheckedChoice::wrong() const {
    return measurement && measurement->status != CandidateStatus::kCorrect &&
           measurement->status != CandidateStatus::kThrottled;
}

double CheckedChoice::loss() const {
    return std::max(1.0, best->ratio / *measurement->ratio) - 1;
}

bool CheckedChoice::slower() const {
    return *measurement->ratio < 1;
}

CheckReport::CheckReport(std::vector<CheckedChoice> all, LossLimits limits)
    : all_(std::move(all)), limits_(limits) {
    std::vector<HeldOut> losses;
    for (const CheckedChoice& choice : all_) {
        if (choice.timed()) {
            losses.push_back({choice.candidate.problem, choice.loss()});
            worst_loss_ = std::max(worst_loss_, choice.loss());
        }
    }
    mean_loss_ = mean_loss(losses);
}

std::size_t CheckReport::wrong() const {
    return static_cast<std::size_t>(std::ranges::count_if(all_, &CheckedChoice::wrong));
}

std::size_t CheckReport::slower() const {
    return static_cast<std::size_t>(std::ranges::count_if(all_, [](const CheckedChoice& choice) {
        return choice.timed() && choice.slower() && choice.candidate.problem.shape.m <= kFewTokens;
    }));
}

std::size_t CheckReport::unmeasured() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        all_, [](const CheckedChoice& choice) { return !choice.timed() && !choice.wrong(); }));
}

std::string CheckReport::text() const {
    std::string text = fmt::format("{:<52} {:>7} {:>9} {:>9} {:>7} {:<6}  {}\n",
                                   "problem",
                                   "loss %",
                                   "time_us",
                                   "best_us",
                                   "ratio",
                                   "",
                                   "the table's kernel (* extrapolated)");
    for (const CheckedChoice& choice : all_) {
        text += line_of(choice);
    }
    return text + fmt::format(
                      "{}: loss {:.2f} % (geometric mean), {:.2f} % at worst; slower than the "
                      "baseline at m <= {}: {}; wrong: {}; not measured: {}\n",
                      counted(all_.size(), "problem"),
                      100 * mean_loss_,
                      100 * worst_loss_,
                      kFewTokens,
                      slower(),
                      wrong(),
                      unmeasured());
}

Json CheckReport::json() const {
    Json problems = Json::array();
    for (const CheckedChoice& choice : all_) {
        Json json = choice.candidate.problem;
        json["family"] = choice.candidate.family;
        json["params"] = choice.candidate.params;
        json["extrapolated"] = choice.extrapolated;
        json["status"] = choice.measurement ? Json(to_string(choice.measurement->status)) : Json();
        if (choice.timed()) {
            json["time_us"] = *choice.measurement->time_us;
            json["ratio"] = *choice.measurement->ratio;
            json["loss"] = choice.loss();
            json["best"] = {{"family", choice.best->family},
                            {"params", choice.best->params},
                            {"time_us", choice.best->time_us},
                            {"ratio", choice.best->ratio}};
        }
        problems.push_back(json);
    }
    return {{"event", "table_check"},
            {"problems", problems},
            {"mean_loss", mean_loss_},
            {"worst_loss", worst_loss_},
            {"slower", slower()},
            {"wrong", wrong()},
            {"not_measured", unmeasured()}};
}

std::string CheckReport::broken() const {
    std::string text;
    if (mean_loss_ > limits_.mean) {
        text += fmt::format(
            "the geometric mean of the losses, {:.2f} %, is above {:.2f} % "
            "(--max-mean-loss)\n",
            100 * mean_loss_,
            100 * limits_.mean);
    }
    if (worst_loss_ > limits_.worst) {
        text += fmt::format("the worst loss, {:.2f} %, is above {:.2f} % (--max-loss)\n",
                            100 * worst_loss_,
                            100 * limits_.worst);
    }
    if (slower() > 0) {
        text += fmt::format("at m <= {} {} slower than the baseline\n",
                            kFewTokens,
                            counted(slower(), "choice is", "choices are"));
    }
    if (wrong() > 0) {
        text += fmt::format("{} wrong\n", counted(wrong(), "choice is", "choices are"));
    }
    return text;
}

std::string check_plan_text(const std::vector<Problem>& problems, const DispatchTable& table) {
    std::string text = fmt::format("to check: {}", counted(problems.size(), "problem"));
    const Problem* last = nullptr;
    for (const Problem& problem : problems) {
        if (last == nullptr || matrix_of(*last) != matrix_of(problem)) {
            text += fmt::format("\n  {}{}: m =",
                                matrix_text(problem),
                                has_matrix(table, problem) ? "" : " (not swept)");
        }
        text += fmt::format(" {}", problem.shape.m);
        last = &problem;
    }
    return text + "\n";
}

}  // namespace fdkbench
