#include "src/cli/commands.hpp"
#include "src/cli/interrupt.hpp"
#include "src/cli/output.hpp"
#include "src/cli/terminal_line.hpp"
#include "src/core/counted.hpp"
#include "tuner/worker.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace fdkbench {
namespace {

/// A name from a file as a terminal may show it.
std::string printable(std::string name) {
    std::ranges::replace_if(
        name, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
    return name;
}

std::string human_bytes(std::uint64_t bytes) {
    double amount = static_cast<double>(bytes);
    for (const char* unit : {"bytes", "KB", "MB"}) {
        if (amount < 1000) {
            return fmt::format("{:.4g} {}", amount, unit);
        }
        amount /= 1000;
    }
    return fmt::format("{:.4g} GB", amount);
}

std::string table_of(const QuantiseReport& report) {
    std::string text = fmt::format("{:>7} {:>7} {:>4} {:>6} {:>4} {:>9} {:>9}  {}\n",
                                   "n",
                                   "k",
                                   "bits",
                                   "group",
                                   "type",
                                   "rmse",
                                   "nrmse",
                                   "tensor");
    for (const auto& [tensor, sums] : report.quantised) {
        const Accuracy accuracy = accuracy_of(sums);
        text += fmt::format("{:>7} {:>7} {:>4} {:>6} {:>4} {:>9.3e} {:>9.3e}  {}.weight\n",
                            tensor.n,
                            tensor.k,
                            tensor.format.bits,
                            tensor.format.group_size,
                            to_string(tensor.type),
                            accuracy.rmse,
                            accuracy.nrmse,
                            printable(tensor.name));
    }
    return text;
}

std::string why_copied(TensorFate fate) {
    switch (fate) {
        case TensorFate::kNotChosen:
            return "not matched by --tensors";
        case TensorFate::kSkipped:
            return "matched by --skip";
        case TensorFate::kOddGroups:
            return "with rows that are not whole groups";
        case TensorFate::kOther:
        case TensorFate::kQuantised:
            break;
    }
    return "that are no 2-d weights";
}

/// "2 matched by --skip (a.weight, b.weight)"; other tensors that are no weights go unnamed.
std::string copied_text(TensorFate fate, const std::vector<std::string>& names) {
    std::string text = fmt::format("{} {}", names.size(), why_copied(fate));
    if (fate == TensorFate::kSkipped || fate == TensorFate::kOddGroups) {
        constexpr std::size_t kNamed = 4;
        std::vector<std::string> named;
        for (std::size_t i = 0; i < std::min(kNamed, names.size()); ++i) {
            named.push_back(printable(names[i]));
        }
        text += fmt::format(" ({}{})", fmt::join(named, ", "), names.size() > kNamed ? ", …" : "");
    }
    return text;
}

std::string summary_of(const QuantiseRequest& request, const QuantiseReport& report) {
    SquareSums all;
    const QuantiseReport::Row* worst = &report.quantised.front();
    for (const QuantiseReport::Row& row : report.quantised) {
        all += row.sums;
        if (accuracy_of(row.sums).nrmse > accuracy_of(worst->sums).nrmse) {
            worst = &row;
        }
    }
    std::string text = fmt::format(
        "{} quantised: nrmse {:.3e} over all their weights, at most "
        "{:.3e} ({}.weight)\n",
        counted(report.quantised.size(), "tensor"),
        accuracy_of(all).nrmse,
        accuracy_of(worst->sums).nrmse,
        printable(worst->tensor.name));
    std::vector<std::string> copied;
    for (const auto& [fate, names] : report.copied) {
        copied.push_back(copied_text(fate, names));
    }
    if (!copied.empty()) {
        text += fmt::format("copied: {}\n", fmt::join(copied, ", "));
    }
    text += fmt::format(
        "{}: {} from {}, {:.2f} times smaller\n",
        request.output.string(),
        human_bytes(report.bytes_after),
        human_bytes(report.bytes_before),
        static_cast<double>(report.bytes_before) / static_cast<double>(report.bytes_after));
    return text;
}

}  // namespace

ExitCode run_quantise(const QuantiseRequest& request) {
    const std::atomic<bool>& stop = stop_on_interrupt();
    QuantiseReport report;
    try {
        TerminalLine line;
        const Eta eta;
        report = quantise_model(
            request, [&](const std::string& tensor, std::uint64_t done, std::uint64_t total) {
                if (stop) {
                    throw Interrupted();
                }
                line.draw([&] {
                    return fmt::format("{} {} of {}{} | {}",
                                       bar_text(done, total),
                                       human_bytes(done),
                                       human_bytes(total),
                                       eta.text(done, total),
                                       printable(tensor));
                });
            });
    } catch (const Interrupted&) {
        fmt::print(stderr, "Interrupted; {} is not written.\n", request.output.string());
        return ExitCode::kGateFailed;
    }
    write_output("", table_of(report) + summary_of(request, report));
    return ExitCode::kDone;
}

}  // namespace fdkbench
