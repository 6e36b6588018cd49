#include "tuner/cell_session.hpp"

#include "src/core/statistics.hpp"

#include <algorithm>

namespace fdkbench {

namespace {

/// How soon a waiting session sees that it should stop.
constexpr std::chrono::milliseconds kWait{200};

void set_times(Measurement& measurement, const Problem& problem, double floor_us) {
    const double time_us = median_time_us(measurement.samples);
    measurement.time_us = time_us;
    measurement.gb_s = static_cast<double>(problem.bytes_moved()) / time_us * 1e-3;
    measurement.tflop_s = problem.flops() / time_us * 1e-6;
    measurement.floor_us = floor_us;
    measurement.floor_pct = 100 * floor_us / time_us;
}

void set_ratio(Measurement& measurement) {
    const RatioEstimate estimate = paired_ratio(measurement.samples);
    measurement.ratio = estimate.ratio;
    // One sample has no interval.
    if (measurement.samples.size() > 1) {
        measurement.ratio_lo = estimate.lo;
        measurement.ratio_hi = estimate.hi;
    }
}

}  // namespace

CellSession::CellSession(SweepContext& context, const CellPlan& plan)
    : context_(context), problem_(plan.problem) {
    for (const Candidate& candidate : plan.candidates) {
        entries_.emplace_back().candidate = &candidate;
    }
}

void CellSession::run() {
    try {
        check_all();
        race_all();
    } catch (...) {
        // A row is final: with the few samples of a race that has only begun, one lucky sample
        // would win the cell for ever. Those candidates are measured again by another sweep.
        record_timed(slots_in(State::kChecked), RaceRounds{}.least);
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
        if (entry.compiled->status != CandidateStatus::kCorrect) {
            fail(slot, entry.compiled->status, entry.compiled->message);
        } else if (!kernels_.emplace(hash, candidate.plan).second ||
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
    prepared_ = context_.worker.prepare(problem_);
    for (Entry& entry : entries_) {
        entry.loaded = false;
    }
    if (first) {
        context_.listener.cell_prepared(problem_, *prepared_);
    }
}

void CellSession::check(int slot) {
    Entry& entry = entries_[slot];
    try {
        entry.checked =
            context_.worker.check({slot, entry.compiled->binary, entry.candidate->plan});
    } catch (const WorkerLost& lost) {
        fail(slot, lost.status(), lost.what());
        return;
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
    std::vector<Racer> racers;
    for (const int slot : slots_in(State::kChecked)) {
        racers.push_back({slot, entries_[slot].checked.time_us});
    }
    RaceRounds rounds;
    if (context_.options.quick) {
        rounds.most = rounds.least;
    }
    race_.emplace(racers, context_.options.policy.seed, rounds);
    for (RaceStep step = race_->next(); !step.block.empty(); step = race_->next()) {
        record_timed(step.dropped);
        run_block(step.block);
        context_.listener.cell_progress(problem_, leader());
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
    } catch (const WorkerLost&) {
        retry_alone(ready);
    }
}

void CellSession::retry_alone(const std::vector<int>& slots) {
    for (const int slot : slots) {
        load({slot});
        if (entries_[slot].state != State::kChecked) {
            continue;
        }
        try {
            take_block({slot}, context_.worker.block({{slot}}));
        } catch (const WorkerLost& lost) {
            fail(slot, lost.status(), lost.what());
        }
    }
}

void CellSession::take_block(const std::vector<int>& slots, const protocol::BlockReply& block) {
    race_->add(slots, block);
    baselines_us_.push_back(block.baseline_before_us);
    baselines_us_.push_back(block.baseline_after_us);
    baselines_first_us_.push_back(block.baseline_first_us);
}

Measurement CellSession::measurement_of(int slot) const {
    const protocol::CheckReply& checked = entries_[slot].checked;
    Measurement measurement;
    measurement.accuracy = checked.accuracy;
    measurement.accuracy_original = checked.accuracy_original;
    measurement.repeatable = checked.repeatable;
    measurement.resources = checked.resources;
    if (race_ && !race_->samples(slot).empty()) {
        measurement.samples = race_->samples(slot);
        measurement.baseline_us = median(baselines_us_);
        measurement.baseline_first_us = median(baselines_first_us_);
        set_times(measurement, problem_, prepared_->floor_us);
        set_ratio(measurement);
    }
    return measurement;
}

void CellSession::record_timed(const std::vector<int>& slots, int least_samples) {
    for (const int slot : slots) {
        const Measurement measurement = measurement_of(slot);
        if (std::ssize(measurement.samples) >= least_samples) {
            record(slot, measurement);
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
    ++context_.outcome.measured;
    ++context_.outcome.statuses[measurement.status];
    context_.listener.candidate_done(*entry.candidate, measurement);
}

}  // namespace fdkbench
