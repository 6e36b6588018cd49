#include "results/ledger.hpp"
#include "results/stored_rows.hpp"
#include "results/winners.hpp"
#include "src/cli/build_info.hpp"
#include "src/cli/commands.hpp"
#include "src/cli/device_choice.hpp"
#include "src/cli/interrupt.hpp"
#include "src/cli/output.hpp"
#include "src/cli/policy_choice.hpp"
#include "src/cli/progress.hpp"
#include "src/cli/verdict.hpp"
#include "src/core/counted.hpp"
#include "src/core/error.hpp"
#include "tuner/remeasure.hpp"
#include "tuner/search_space.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <random>

namespace fdkbench {
namespace {

/// What does not hold is measured in so many processes before it is said aloud.
constexpr int kProcesses = 3;

struct Verified {
    const StoredRow* row = nullptr;
    bool wins = true;                    ///< its cell; else a table takes it in the winner's place
    std::optional<Candidate> candidate;  ///< none when this program cannot build it
    std::string binary_hash;             ///< that its source compiles to now
    Trial trial;
};

/// So many of the rows, drawn at random, in their order.
std::vector<ServedRow> drawn(const std::vector<ServedRow>& rows, double percent) {
    const auto count =
        static_cast<std::size_t>(std::ceil(percent / 100 * static_cast<double>(rows.size())));
    std::vector<ServedRow> sample;
    std::sample(rows.begin(),
                rows.end(),
                std::back_inserter(sample),
                count,
                std::mt19937(std::random_device{}()));
    return sample;
}

std::string interval(const Measurement& measurement) {
    const auto text = [](const std::optional<double>& value) {
        return value ? fmt::format("{:.3f}", *value) : std::string("-");
    };
    return fmt::format("{} [{}, {}]",
                       text(measurement.ratio),
                       text(measurement.ratio_lo),
                       text(measurement.ratio_hi));
}

void print(const std::vector<Verified>& all) {
    fmt::print("{:<52} {:<14} {:<22} {:<22} {}\n", "cell", "family", "stored", "now", "");
    for (const Verified& verified : all) {
        const Measurement* now = verified.trial.now();
        const bool other_code =
            !verified.binary_hash.empty() && verified.binary_hash != verified.row->binary_hash;
        fmt::print(
            "{:<52} {:<14} {:<22} {:<22} {}{}{}\n",
            to_string(verified.row->problem),
            verified.row->family,
            interval(verified.row->measurement),
            now != nullptr && now->ratio ? interval(*now) : "",
            verified.trial.judgement().text,
            verified.wins ? "" : " (not the winner: the table keeps its matrix to its layout)",
            other_code ? " (its machine code has changed since)" : "");
    }
}

/// Measures everything once, then again what is in doubt.
void measure(std::vector<Verified>& all,
             const SweepOptions& options,
             WorkerFactory& factory,
             const std::atomic<bool>& stop) {
    const std::unique_ptr<SweepListener> listener = only_warnings();
    for (int process = 0; process < kProcesses && !stop; ++process) {
        std::vector<Verified*> doubtful;
        std::vector<Candidate> candidates;
        for (Verified& verified : all) {
            if (verified.candidate && verified.trial.in_doubt()) {
                doubtful.push_back(&verified);
                candidates.push_back(*verified.candidate);
            }
        }
        std::vector<Remeasured> results = remeasure(options, factory, candidates, *listener, stop);
        for (std::size_t i = 0; i < doubtful.size(); ++i) {
            Verified& verified = *doubtful[i];
            if (results[i].measurement) {
                if (!results[i].binary_hash.empty()) {
                    verified.binary_hash = results[i].binary_hash;
                }
                verified.trial.add(std::move(*results[i].measurement));
            } else if (!results[i].left_out.empty()) {
                verified.trial.add_nothing(results[i].left_out);
            }
        }
    }
}

std::vector<Verified> verify_all(const std::vector<ServedRow>& rows,
                                 const SweepOptions& options,
                                 WorkerFactory& factory,
                                 const std::atomic<bool>& stop) {
    std::vector<Verified> all;
    for (const auto& [row, wins] : rows) {
        all.push_back({.row = &row,
                       .wins = wins,
                       .candidate = rebuilt_candidate(row.family, row.problem, row.params, options),
                       .binary_hash = "",
                       .trial = Trial(row.measurement, row.problem)});
        Verified& verified = all.back();
        if (!verified.candidate) {
            verified.trial.add_nothing("this fdkbench has no such kernel; sweep again");
        }
    }
    measure(all, options, factory, stop);
    return all;
}

std::string ledger(const std::vector<Verified>& all, const DeviceChoice& device) {
    LedgerHeader header;
    header.device = device.info();
    header.driver = driver_version(header.device);
    header.compiler = device.program.hello.compiler;
    header.commit = kCommit;
    header.date = fmt::format(
        "{:%Y-%m-%dT%H:%M:%SZ}",
        fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())));
    std::vector<VerifiedKernel> kernels;
    for (const Verified& verified : all) {
        // A throttled device cannot be timed on, but its output was checked.
        const Measurement* now = verified.trial.now();
        if (now != nullptr && verified.trial.judgement().verdict != Verdict::kWrong) {
            kernels.push_back({verified.binary_hash,
                               verified.row->family,
                               verified.row->params,
                               verified.row->problem,
                               now->accuracy->nrmse});
        }
    }
    return ledger_text(header, kernels);
}

}  // namespace

ExitCode run_verify(const VerifyOptions& options) {
    require_folder(options.ledger);
    const MachineOptions& machine = options.machine;
    const DeviceChoice device = choose_one_device(machine.devices, machine.launcher);
    const Store store = Store::open_read_only(machine.db);
    const std::vector<std::string> known = policies(store, device.info().key);
    if (known.empty()) {
        throw UsageError(
            fmt::format("the database {} has no measurements of {} ({}): run fdkbench sweep first",
                        machine.db,
                        device.info().id,
                        device.info().key));
    }
    const std::string policy = chosen_policy(known, options.policy);
    fmt::print(stderr, "{}", policy_note(store, device.info().key, policy, options.policy));
    const std::vector<ServedRow> rows =
        drawn(served_rows(store, device.info().key, policy), options.sample_pct);
    const std::atomic<bool>& stop = stop_on_interrupt();
    WorkerFactory factory =
        worker_processes(device.program.command, machine.timeouts.compile, &stop);
    SweepOptions sweep = machine_sweep_options(machine, device);
    sweep.policy = measuring_policy(store, policy);
    const std::vector<Verified> all = verify_all(rows, sweep, factory, stop);
    print(all);
    const auto count = [&](Verdict verdict) {
        return std::ranges::count_if(all, [&](const Verified& verified) {
            return verified.trial.judgement().verdict == verdict;
        });
    };
    fmt::print("{} measured again: {} hold, {} drifted, {} wrong, {} not measured\n",
               counted(all.size(), "kernel"),
               count(Verdict::kHolds),
               count(Verdict::kDrifted),
               count(Verdict::kWrong),
               count(Verdict::kNotMeasured));
    if (stop) {
        fmt::print(stderr, "Interrupted.\n");
        return ExitCode::kGateFailed;
    }
    if (!options.ledger.empty()) {
        write_output(options.ledger, ledger(all, device));
    }
    if (count(Verdict::kDrifted) + count(Verdict::kWrong) > 0) {
        fmt::print(stderr, "What does not hold is measured anew by fdkbench sweep --force.\n");
        return ExitCode::kGateFailed;
    }
    if (count(Verdict::kNotMeasured) > 0) {
        throw EnvironmentError(fmt::format("{} of {} could not be measured now; the table says why",
                                           count(Verdict::kNotMeasured),
                                           counted(all.size(), "kernel")));
    }
    return ExitCode::kDone;
}

}  // namespace fdkbench
