#include "results/ledger.hpp"
#include "results/stored_rows.hpp"
#include "results/winners.hpp"
#include "src/cli/build_info.hpp"
#include "src/cli/commands.hpp"
#include "src/cli/device_choice.hpp"
#include "src/cli/interrupt.hpp"
#include "src/cli/output.hpp"
#include "src/cli/progress.hpp"
#include "src/core/counted.hpp"
#include "src/core/error.hpp"
#include "tuner/remeasure.hpp"
#include "tuner/search_space.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <random>

namespace fdkbench {
namespace {

/// Less than this is no drift, however narrow the intervals.
constexpr double kLeastDrift = 0.01;
/// What does not hold is measured in so many processes before it is said aloud.
constexpr int kProcesses = 3;

enum class Verdict { kHolds, kDrifted, kWrong, kNotMeasured };

struct Verified {
    const StoredRow* row = nullptr;
    std::optional<Candidate> candidate;  ///< none when this program cannot build it
    Remeasured now;
    Verdict verdict = Verdict::kNotMeasured;
};

/// So many of the winners, drawn at random, in their order.
std::vector<StoredRow> drawn(std::vector<StoredRow> winners, double percent) {
    const auto count =
        static_cast<std::size_t>(std::ceil(percent / 100 * static_cast<double>(winners.size())));
    std::vector<StoredRow> sample;
    std::sample(winners.begin(),
                winners.end(),
                std::back_inserter(sample),
                count,
                std::mt19937(std::random_device{}()));
    return sample;
}

Verdict judge(const Measurement& stored, const Measurement& now) {
    if (now.status == CandidateStatus::kThrottled) {
        return Verdict::kNotMeasured;
    }
    if (now.status != CandidateStatus::kCorrect) {
        return Verdict::kWrong;
    }
    // One sample has no interval, and says too little to be contradicted.
    const bool known = stored.ratio_lo && stored.ratio_hi && now.ratio_lo && now.ratio_hi;
    const bool apart =
        known && (*now.ratio_hi < *stored.ratio_lo || *now.ratio_lo > *stored.ratio_hi);
    const bool far = std::abs(*now.ratio / *stored.ratio - 1) > kLeastDrift;
    return apart && far ? Verdict::kDrifted : Verdict::kHolds;
}

std::string interval(const Measurement& measurement) {
    return fmt::format("{:.3f} [{:.3f}, {:.3f}]",
                       measurement.ratio.value_or(0),
                       measurement.ratio_lo.value_or(0),
                       measurement.ratio_hi.value_or(0));
}

std::string outcome_of(const Verified& verified) {
    const std::optional<Measurement>& now = verified.now.measurement;
    switch (verified.verdict) {
        case Verdict::kHolds:
            return "holds";
        case Verdict::kDrifted:
            return fmt::format("DRIFTED {:+.1f} %",
                               100 * (*now->ratio / *verified.row->measurement.ratio - 1));
        case Verdict::kWrong:
            return fmt::format("WRONG: {}: {}",
                               to_string(now->status),
                               now->message.substr(0, now->message.find('\n')));
        case Verdict::kNotMeasured:
            return "not measured: " + (now ? now->message : verified.now.left_out);
    }
    return "";
}

void print(const std::vector<Verified>& all) {
    fmt::print("{:<52} {:<12} {:<22} {:<22} {}\n", "cell", "family", "stored", "now", "");
    for (const Verified& verified : all) {
        const std::optional<Measurement>& now = verified.now.measurement;
        const bool other_code = now && !verified.now.binary_hash.empty() &&
                                verified.now.binary_hash != verified.row->binary_hash;
        fmt::print("{:<52} {:<12} {:<22} {:<22} {}{}\n",
                   to_string(verified.row->problem),
                   verified.row->family,
                   interval(verified.row->measurement),
                   now && now->ratio ? interval(*now) : "",
                   outcome_of(verified),
                   other_code ? " (its machine code has changed since)" : "");
    }
}

/// Adds what another process measured. None of these is a race.
void add(Remeasured& sum, Remeasured more, const Problem& problem) {
    if (!more.measurement) {
        sum.left_out = more.left_out;
        return;
    }
    std::vector<Sample>& samples = more.measurement->samples;
    const std::vector<Sample> before =
        sum.measurement ? sum.measurement->samples : std::vector<Sample>();
    for (Sample& sample : samples) {
        sample.process = 1 + processes(before);
    }
    if (!before.empty() && !samples.empty()) {
        samples.insert(samples.end(), before.begin(), before.end());
        summarise(*more.measurement, problem);
    }
    sum = std::move(more);
}

/// Measures everything once, then again what has drifted or could not be timed. What was wrong once
/// stays wrong.
void measure(std::vector<Verified>& all,
             const SweepOptions& options,
             WorkerFactory& factory,
             const std::atomic<bool>& stop) {
    const std::unique_ptr<SweepListener> listener = only_warnings();
    for (int process = 0; process < kProcesses && !stop; ++process) {
        std::vector<Verified*> doubtful;
        std::vector<Candidate> candidates;
        for (Verified& verified : all) {
            const bool in_doubt =
                verified.verdict == Verdict::kDrifted || verified.verdict == Verdict::kNotMeasured;
            if (in_doubt && verified.candidate) {
                doubtful.push_back(&verified);
                candidates.push_back(*verified.candidate);
            }
        }
        std::vector<Remeasured> results = remeasure(options, factory, candidates, *listener, stop);
        for (std::size_t i = 0; i < doubtful.size(); ++i) {
            Verified& verified = *doubtful[i];
            add(verified.now, std::move(results[i]), verified.row->problem);
            if (verified.now.measurement) {
                verified.verdict = judge(verified.row->measurement, *verified.now.measurement);
            }
        }
    }
}

std::vector<Verified> verify_all(const std::vector<StoredRow>& rows,
                                 const SweepOptions& options,
                                 WorkerFactory& factory,
                                 const std::atomic<bool>& stop) {
    std::vector<Verified> all;
    for (const StoredRow& row : rows) {
        Verified& verified = all.emplace_back();
        verified.row = &row;
        verified.candidate = rebuilt_candidate(row.family, row.problem, row.params, options);
        if (!verified.candidate) {
            verified.now.left_out = "this fdkbench has no such kernel; sweep again";
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
        const std::optional<Measurement>& now = verified.now.measurement;
        if (now && (now->status == CandidateStatus::kCorrect ||
                    now->status == CandidateStatus::kThrottled)) {
            kernels.push_back({verified.now.binary_hash,
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
    const MachineOptions& machine = options.machine;
    const DeviceChoice device = choose_one_device(machine.devices, machine.launcher);
    const Store store = Store::open_read_only(machine.db);
    const std::string policy = newest_policy(store, device.info().key);
    if (policy.empty()) {
        throw UsageError(
            fmt::format("the database {} has no measurements of {} ({}): run fdkbench sweep first",
                        machine.db,
                        device.info().id,
                        device.info().key));
    }
    const std::vector<StoredRow> rows =
        drawn(winner_rows(store, device.info().key, policy), options.sample_pct);
    const std::atomic<bool>& stop = stop_on_interrupt();
    WorkerFactory factory =
        worker_processes(device.program.command, machine.timeouts.compile, &stop);
    SweepOptions sweep = machine_sweep_options(machine, device);
    sweep.policy = measuring_policy(store, policy);
    const std::vector<Verified> all = verify_all(rows, sweep, factory, stop);
    print(all);
    const auto count = [&](Verdict verdict) {
        return std::ranges::count(all, verdict, &Verified::verdict);
    };
    fmt::print("{} measured again: {} hold, {} drifted, {} wrong, {} not measured\n",
               counted(all.size(), "winner"),
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
                                           counted(all.size(), "winner")));
    }
    return ExitCode::kDone;
}

}  // namespace fdkbench
