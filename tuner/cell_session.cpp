#include "tuner/cell_session.hpp"

#include "src/core/statistics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

namespace fdkbench {

namespace {

/// How soon a waiting session sees that it should stop.
constexpr std::chrono::milliseconds kWait{200};

/// So many discarded blocks in a row of luck are none: the device cannot time this now.
constexpr int kMostDiscards = 5;
/// A throttled device gets a moment to recover, and twice as long every time.
constexpr std::chrono::milliseconds kRecovery{20};
/// What has run before and then does not end may have met a machine that stood still: once.
constexpr int kMostStalls = 2;
/// A kernel during which the machine went down this often is not run again.
constexpr int kMostCrashes = 2;

void raise(std::optional<double>& most, const std::optional<double>& value) {
    if (value && (!most || *value > *most)) {
        most = value;
    }
}

}  // namespace

CellSession::CellSession(SweepContext& context, const CellTask& task)
    : context_(context), task_(task), problem_(task.plan.problem) {
    for (std::size_t i = 0; i < task.plan.candidates.size(); ++i) {
        Entry& entry = entries_.emplace_back();
        entry.candidate = &task.plan.candidates[i];
        if (confirming()) {
            entry.gathered = task.prior.at(i);
        }
    }
}

void CellSession::run() {
    try {
        check_all();
        race_all();
    } catch (...) {
        // A row is final: with the few samples of a race that has only begun, one lucky sample
        // would win the cell for ever. Those candidates are measured again by another sweep.
        record_timed(slots_in(State::kChecked), task_.limits.least_rounds);
        throw;
    }
}

std::optional<Leader> CellSession::leader() const {
    const int slot = race_ ? race_->leader() : -1;
    if (slot < 0) {
        return std::nullopt;
    }
    const Candidate& candidate = *entries_.at(slot).candidate;
    const Measurement measurement = measurement_of(slot);
    return Leader{candidate.family, candidate.params, *measurement.time_us, *measurement.ratio};
}

std::vector<std::string> CellSession::close_baselines() const {
    return prepared_ ? prepared_->close_baselines : std::vector<std::string>();
}

void CellSession::stop_if_asked() const {
    if (context_.stopping()) {
        throw Interrupted();
    }
}

std::vector<int> CellSession::slots_in(State state) const {
    std::vector<int> slots;
    for (std::size_t slot = 0; slot < entries_.size(); ++slot) {
        if (entries_[slot].state == state) {
            slots.push_back(static_cast<int>(slot));
        }
    }
    return slots;
}

void CellSession::check_all() {
    if (context_.options.device.backend == "host") {
        await_compiles();  // they would take the cores that are measured
    }
    take_compiled();
    while (true) {
        const std::vector<int> compiled = slots_in(State::kCompiled);
        const bool compiling = !slots_in(State::kCompiling).empty();
        if (!compiled.empty() || compiling) {
            ensure_worker();
        }
        if (!compiled.empty()) {
            check(compiled.front());
        } else if (!compiling) {
            return;
        }
        context_.compiles.collect(compiled.empty() ? kWait : std::chrono::milliseconds{0});
        take_compiled();
    }
}

void CellSession::await_compiles() {
    for (const Entry& entry : entries_) {
        while (context_.compiles.find(entry.candidate->compile_key) == nullptr) {
            stop_if_asked();
            context_.compiles.collect(kWait);
        }
    }
}

void CellSession::take_compiled() {
    for (const int slot : slots_in(State::kCompiling)) {
        Entry& entry = entries_[slot];
        const Candidate& candidate = *entry.candidate;
        entry.compiled = context_.compiles.find(candidate.compile_key);
        if (entry.compiled == nullptr) {
            continue;
        }
        const std::string& hash = entry.compiled->binary_hash;
        if (confirming()) {
            // Code that has changed since is no longer the kernel that was measured.
            entry.state = hash == task_.hashes.at(slot) ? State::kCompiled : State::kDone;
        } else if (entry.compiled->status != CandidateStatus::kCorrect) {
            fail(slot, entry.compiled->status, entry.compiled->message);
        } else if (!kernels_.emplace(hash, candidate.plan, candidate.layout).second ||
                   (!context_.options.force && context_.sink.measured(candidate, hash))) {
            entry.state = State::kDone;
            context_.listener.candidate_known(candidate);
        } else {
            entry.state = State::kCompiled;
        }
    }
}

void CellSession::ensure_worker() {
    stop_if_asked();
    if (prepared_ && context_.worker.running()) {
        return;
    }
    const bool first = !prepared_;
    prepared_ = context_.worker.prepare(problem_, task_.baselines, !confirming());
    for (Entry& entry : entries_) {
        entry.loaded = false;
    }
    if (first && !confirming()) {
        if (const auto time_us = prepared_->empty_launch_us) {
            context_.sink.set_empty_launch(*time_us);
        }
        context_.listener.cell_prepared(problem_, *prepared_);
    }
}

/// Notes that it is about to run. False, and recorded, when the machine does not survive it.
bool CellSession::survived_machine(int slot) {
    const Entry& entry = entries_[slot];
    const int crashes = context_.sink.begin_attempt(*entry.candidate, entry.compiled->binary_hash);
    if (crashes < kMostCrashes) {
        return true;
    }
    fail(slot,
         CandidateStatus::kRuntime,
         fmt::format("the machine went down {} times while this was checked", crashes));
    return false;
}

void CellSession::check(int slot) {
    Entry& entry = entries_[slot];
    const bool first_run = entry.state == State::kCompiled && !confirming();
    if (first_run && !survived_machine(slot)) {
        return;
    }
    try {
        entry.checked = context_.worker.check(
            {slot, entry.compiled->binary, entry.candidate->plan, entry.candidate->layout});
    } catch (const WorkerLost& lost) {
        if (forgiven(slot, lost)) {
            return;
        }
        entry.checked = {};
        entry.checked.status = lost.status();
        entry.checked.message = lost.what();
    }
    if (first_run) {
        context_.sink.end_attempt(*entry.candidate, entry.compiled->binary_hash);
    }
    if (entry.checked.status != CandidateStatus::kCorrect) {
        fail(slot, entry.checked.status, entry.checked.message);
        return;
    }
    entry.state = State::kChecked;
    entry.loaded = true;
}

void CellSession::load(const std::vector<int>& slots) {
    const auto missing = [&] {
        return std::find_if(slots.begin(), slots.end(), [&](int slot) {
            return entries_[slot].state == State::kChecked && !entries_[slot].loaded;
        });
    };
    ensure_worker();
    for (auto slot = missing(); slot != slots.end(); slot = missing()) {
        check(*slot);
        ensure_worker();
    }
}

void CellSession::race_all() {
    using Clock = std::chrono::steady_clock;
    std::vector<Racer> racers;
    for (const int slot : slots_in(State::kChecked)) {
        racers.push_back(
            {slot, entries_[slot].checked.time_us, slot == 0 && task_.plan.first_stays});
    }
    race_.emplace(racers, context_.options.policy.seed, task_.limits);
    const auto deadline = Clock::now() + context_.options.race_time;
    for (RaceStep step = race_->next(); !step.block.empty();
         step = race_->next(Clock::now() >= deadline)) {
        record_timed(step.dropped);
        run_block(step.block);
        context_.listener.cell_progress(problem_, leader());
    }
    if (task_.energy) {
        read_energy();
    }
    record_timed(slots_in(State::kChecked));
}

void CellSession::run_block(const std::vector<int>& slots) {
    load(slots);
    std::vector<int> ready;
    for (const int slot : slots) {
        if (entries_[slot].state == State::kChecked) {
            ready.push_back(slot);
        }
    }
    if (ready.empty()) {
        return;
    }
    try {
        take_block(ready, context_.worker.block({ready}));
    } catch (const WorkerLost& lost) {
        blame(lost, ready);
    }
}

/// Whether it gets another chance.
bool CellSession::forgiven(int slot, const WorkerLost& lost) {
    Entry& entry = entries_[slot];
    const bool ran_before = entry.state == State::kChecked || confirming();
    return ran_before && lost.status() == CandidateStatus::kTimeout && ++entry.stalls < kMostStalls;
}

/// The slot that the worker had announced is to blame; the others come again.
void CellSession::blame(const WorkerLost& lost, const std::vector<int>& slots) {
    std::vector<int> again = slots;
    if (lost.slot() && !forgiven(*lost.slot(), lost)) {
        std::erase(again, *lost.slot());
    }
    race_->put_back(again);
    if (again.size() < slots.size()) {
        fail(*lost.slot(), lost.status(), lost.what());
    }
}

void CellSession::take_block(const std::vector<int>& slots, const protocol::BlockReply& block) {
    for (const int slot : slots) {
        Measurement& gathered = entries_[slot].gathered;
        for (const Conditions* conditions : {&block.before, &block.after}) {
            raise(gathered.power_w, conditions->power_w);
            raise(gathered.temperature_c, conditions->temperature_c);
        }
    }
    const auto objection = clocks_.objection(block);
    if (objection && !context_.options.policy.allow_throttling) {
        discard(slots, *objection);
        return;
    }
    race_->add(slots, block);
    for (const int slot : slots) {
        entries_[slot].discards = 0;
    }
    baselines_us_.push_back(block.baseline_before_us);
    baselines_us_.push_back(block.baseline_after_us);
    baselines_first_us_.push_back(block.baseline_first_us);
}

void CellSession::discard(const std::vector<int>& slots, const std::string& objection) {
    std::vector<int> again;
    int times = 0;
    for (const int slot : slots) {
        Entry& entry = entries_[slot];
        ++entry.gathered.discarded;
        times = std::max(times, ++entry.discards);
        if (entry.discards < kMostDiscards) {
            again.push_back(slot);
        } else if (std::ssize(race_->samples(slot)) >= task_.limits.least_rounds) {
            record(slot, measurement_of(slot));  // enough for an interval
            race_->remove(slot);
        } else if (confirming()) {
            // What was measured before holds.
            race_->remove(slot);
            entry.state = State::kDone;
        } else {
            fail(slot,
                 CandidateStatus::kThrottled,
                 fmt::format("{} blocks in a row discarded, the last because {}; free the device "
                             "of other work or let it cool and sweep again, or count such blocks "
                             "with --allow-throttling",
                             entry.discards,
                             objection));
        }
    }
    race_->put_back(again);
    std::this_thread::sleep_for(kRecovery * (1 << times));
}

void CellSession::read_energy() {
    for (const int slot : slots_in(State::kChecked)) {
        Entry& entry = entries_[slot];
        if (entry.gathered.energy_uj || !entry.loaded) {
            continue;
        }
        try {
            entry.gathered.energy_uj = context_.worker.energy({slot}).energy_uj;
        } catch (const WorkerLost&) {
            return;  // its times are there
        }
        if (!entry.gathered.energy_uj) {
            return;  // the device does not count it
        }
    }
}

Measurement CellSession::measurement_of(int slot) const {
    const protocol::CheckReply& checked = entries_[slot].checked;
    Measurement measurement = entries_[slot].gathered;
    measurement.accuracy = checked.accuracy;
    measurement.accuracy_original = checked.accuracy_original;
    measurement.repeatable = checked.repeatable;
    measurement.resources = checked.resources;
    if (race_ && !race_->samples(slot).empty()) {
        const int process = processes(measurement.samples);
        for (Sample sample : race_->samples(slot)) {
            sample.process = process;
            measurement.samples.push_back(sample);
        }
        if (!confirming()) {
            measurement.baseline_us = median(baselines_us_);
            measurement.baseline_first_us = median(baselines_first_us_);
            measurement.floor_us = prepared_->floor_us;
        }
        summarise(measurement, problem_);
    }
    return measurement;
}

void CellSession::record_timed(const std::vector<int>& slots, int least_samples) {
    for (const int slot : slots) {
        if (std::ssize(race_ ? race_->samples(slot) : std::vector<Sample>()) >= least_samples) {
            record(slot, measurement_of(slot));
        }
    }
}

void CellSession::fail(int slot, CandidateStatus status, const std::string& message) {
    Measurement measurement = measurement_of(slot);
    measurement.status = status;
    measurement.message = message;
    record(slot, measurement);
    if (race_) {
        race_->remove(slot);
    }
}

void CellSession::record(int slot, const Measurement& measurement) {
    Entry& entry = entries_[slot];
    std::optional<std::string> hash;
    if (entry.compiled->status == CandidateStatus::kCorrect) {
        hash = entry.compiled->binary_hash;
    }
    context_.sink.record(*entry.candidate, hash, measurement);
    entry.state = State::kDone;
    if (!confirming()) {
        ++context_.outcome.measured;
        ++context_.outcome.statuses[measurement.status];
        context_.listener.candidate_done(*entry.candidate, measurement);
    }
}

}  // namespace fdkbench
