#include "src/worker/session.hpp"

#include "src/core/error.hpp"
#include "src/core/statistics.hpp"
#include "src/worker/device_lost.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

namespace fdkbench {
namespace {

constexpr int kBaselineSlot = -1;  // in TimingEvent
constexpr int kBaselineReplays = 5;
constexpr double kClose = 1.02;
constexpr int kCloseRounds = 5;
/// Wider than kClose: another process may see them in another order.
constexpr double kWorthTiming = 1.03;
constexpr int kCandidateReplays = 1;  // the race looks closer
// A device that idled this long may have lowered its clock.
constexpr std::chrono::milliseconds kIdle{20};
constexpr std::chrono::milliseconds kLeastWarmUp{10};
constexpr std::chrono::milliseconds kMostWarmUp{300};
/// Replays this close to each other come from a steady clock.
constexpr double kSteady = 0.005;
/// The energy counter, which ticks every 20 to 100 ms, is followed for at least this long, and
/// looked at after every so many microseconds of work.
constexpr std::chrono::milliseconds kLeastEnergy{200};
constexpr std::chrono::milliseconds kMostEnergy{1000};
constexpr double kEnergyStepUs = 10'000;
// A first estimate this many times the baseline's is not worth more than one replay.
constexpr double kHopelessFactor = 4;

using Clock = std::chrono::steady_clock;

/// See PrepareRequest::baselines.
std::vector<std::unique_ptr<Runnable>> named_of(std::vector<std::unique_ptr<Runnable>> all,
                                                const std::vector<std::string>& names) {
    const auto is_named = [&](const std::unique_ptr<Runnable>& runnable) {
        return std::ranges::find(names, runnable->name()) != names.end();
    };
    if (!names.empty() && std::ranges::count_if(all, is_named) == std::ssize(names)) {
        std::erase_if(all, std::not_fn(is_named));
    }
    return all;
}

}  // namespace

void Session::open(std::size_t device) {
    if (device_ == device) {
        return;
    }
    prepared_.reset();
    data_.reset();
    device_.reset();
    const std::vector<DeviceInfo> devices = backend_->devices();
    backend_->open(device);
    info_ = devices.at(device);
    device_ = device;
    data_.emplace(*backend_);
}

Session::Prepared& Session::prepared() {
    if (!prepared_) {
        throw Error(ExitCode::kInternal, "no problem is prepared: send a prepare request first");
    }
    return *prepared_;
}

protocol::CeilingsReply Session::ceilings(const protocol::CeilingsRequest& request) {
    open(request.device);
    return {.ceilings = backend_->ceilings()};
}

References Session::references(const Problem& problem) {
    const auto product = [&](const Buffer& weights) {
        std::vector<float> y(static_cast<std::size_t>(problem.shape.m * problem.shape.n));
        backend_->reference(host_.x_values(), weights, y, problem.shape);
        return y;
    };
    References references;
    references.kernel = product(data_->kernel_values());
    if (problem.format.quantised()) {
        references.original = product(data_->plain_values());
    }
    return references;
}

std::unique_ptr<Buffer> Session::workspace_for(const Runnable& runnable) {
    if (runnable.workspace_bytes() == 0) {
        return nullptr;
    }
    auto workspace = backend_->allocate(runnable.workspace_bytes());
    backend_->fill(*workspace, std::byte{0});
    return workspace;
}

double Session::floor_us(const Problem& problem) {
    const double matmul_flops_per_us = backend_->matmul_tflop_s() * 1e6;
    return std::max(backend_->read_floor_us(problem.bytes_moved()),
                    problem.flops() / matmul_flops_per_us);
}

/// Times those that are as fast as the fastest, as far as a first look can tell, side by side:
/// which one is the best should not differ from process to process.
void Session::look_closer(std::vector<Contestant>& baselines) {
    const auto by_time = [](const Contestant& baseline) { return baseline.timed.time_us; };
    const double least_us = by_time(*std::ranges::min_element(baselines, {}, by_time));
    std::vector<Contestant*> close;
    for (Contestant& baseline : baselines) {
        if (by_time(baseline) <= kClose * least_us) {
            close.push_back(&baseline);
        }
    }
    std::vector<std::vector<double>> times_us(close.size());
    for (int round = 0; close.size() > 1 && round < kCloseRounds; ++round) {
        next_place();
        for (std::size_t i = 0; i < close.size(); ++i) {
            times_us[i].push_back(time_in_place(*close[i]));
        }
    }
    for (std::size_t i = 0; i < close.size() && close.size() > 1; ++i) {
        close[i]->timed.time_us = median(std::move(times_us[i]));
    }
}

/// All that work, of those that are named.
std::vector<Session::Contestant> Session::timed_baselines(const Problem& problem,
                                                          const std::vector<std::string>& names) {
    std::vector<Contestant> baselines;
    std::string failure = "it has none";
    for (auto& runnable : named_of(backend_->baselines(problem), names)) {
        Contestant baseline;
        baseline.workspace = workspace_for(*runnable);
        try {
            baseline.rotation = data_->baseline_rotation(baseline.workspace.get());
            baseline.timed = record_timed(
                *backend_, *runnable, baseline.rotation, {.replays = kBaselineReplays});
        } catch (const DeviceLost& error) {
            throw EnvironmentError(
                fmt::format("device fault in baseline {}: {}", runnable->name(), error.what()));
        } catch (const CandidateError& error) {
            failure = fmt::format("{}: {}", runnable->name(), error.what());
            continue;
        }
        baseline.runnable = std::move(runnable);
        baselines.push_back(std::move(baseline));
    }
    if (baselines.empty()) {
        throw EnvironmentError(
            fmt::format("no library algorithm for {}: {}", to_string(problem), failure));
    }
    return baselines;
}

/// Keeps the best algorithm, and the first that works. Returns PrepareReply::close_baselines.
std::vector<std::string> Session::choose_baselines(Prepared& prepared,
                                                   const std::vector<std::string>& names) {
    std::vector<Contestant> all = timed_baselines(prepared.problem, names);
    look_closer(all);
    const auto best = std::ranges::min_element(
        all, {}, [](const Contestant& baseline) { return baseline.timed.time_us; });
    std::vector<std::string> close{all.front().runnable->name()};
    for (auto baseline = all.begin() + 1; baseline != all.end(); ++baseline) {
        if (baseline->timed.time_us <= kWorthTiming * best->timed.time_us) {
            close.push_back(baseline->runnable->name());
        }
    }
    if (best != all.begin()) {
        prepared.first = std::move(all.front());
    }
    prepared.best = std::move(*best);
    return close;
}

protocol::PrepareReply Session::prepare(const protocol::PrepareRequest& request) {
    const Problem& problem = request.problem;
    validate(problem);
    validate(request.policy);
    const InputsKey inputs(request.policy);
    open(request.device);
    prepared_.reset();
    require_launch_mode(request.policy.launch_mode, info_);

    host_.prepare(problem, inputs);
    const double factor =
        request.policy.cache == CachePolicy::kHot ? 0 : request.policy.cache_bytes_factor;
    const auto budget_bytes =
        static_cast<std::int64_t>(std::ceil(factor * static_cast<double>(info_.cache_bytes)));
    data_->prepare(problem, inputs, host_, budget_bytes);

    Prepared prepared;
    prepared.problem = problem;
    prepared.policy = request.policy;
    prepared.references = references(problem);
    protocol::PrepareReply reply;
    reply.close_baselines = choose_baselines(prepared, request.baselines);
    prepared_ = std::move(prepared);

    const Contestant& best = prepared_->best;
    const Contestant& first = prepared_->first ? *prepared_->first : best;
    reply.baseline = best.runnable->name();
    reply.baseline_us = best.timed.time_us;
    reply.baseline_first_us = first.timed.time_us;
    if (request.floor) {
        reply.floor_us = floor_us(problem);
        reply.empty_launch_us = backend_->empty_launch_us();
    }
    reply.copies = copies_within(budget_bytes, problem.weight_bytes() + problem.scale_bytes());
    reply.compute_processes = backend_->compute_processes();
    return reply;
}

protocol::CheckReply Session::check(const protocol::CheckRequest& request) {
    prepared().slots.erase(request.slot);
    // Its own fault it is not when these do not fit.
    data_->upload_weights(request.layout);
    protocol::CheckReply reply;
    try {
        check_into(reply, request);
    } catch (const CandidateError& error) {
        reply.status = error.status();
        reply.message = error.what();
        reply.worker_ends = dynamic_cast<const DeviceLost*>(&error) != nullptr || !device_works();
    } catch (const EnvironmentError& error) {
        reply.status = CandidateStatus::kConstraints;
        reply.message = error.what();
    }
    return reply;
}

/// A fault of an earlier launch also surfaces as the error of whatever was asked of the device
/// next.
bool Session::device_works() {
    try {
        backend_->synchronize();
    } catch (const CandidateError&) {
        return false;
    }
    return true;
}

void Session::check_into(protocol::CheckReply& reply, const protocol::CheckRequest& request) {
    Prepared& current = prepared();
    const LaunchMode mode = current.policy.launch_mode;
    if (const auto reason = launch_constraint(request.plan, mode)) {
        throw CandidateError(CandidateStatus::kConstraints, *reason);
    }
    Contestant candidate;
    candidate.runnable = backend_->load(request.binary, request.plan, current.problem, mode);
    reply.resources = candidate.runnable->resources();
    candidate.workspace = workspace_for(*candidate.runnable);

    candidate.rotation = data_->candidate_rotation(request.layout, candidate.workspace.get());
    const Checker checker(
        *backend_, current.problem, data_->y(), current.references, current.policy.max_nrmse);
    const Verdict verdict = checker.check(*candidate.runnable, candidate.rotation, request.plan);
    reply.accuracy = verdict.accuracy;
    reply.accuracy_original = verdict.accuracy_original;
    reply.repeatable = verdict.repeatable;
    if (!verdict.fault.empty()) {
        reply.status = CandidateStatus::kCorrectness;
        reply.message = verdict.fault;
        return;
    }

    candidate.timed = record_timed(*backend_,
                                   *candidate.runnable,
                                   candidate.rotation,
                                   {.replays = kCandidateReplays,
                                    .hopeless_us = kHopelessFactor * current.best.timed.time_us});
    reply.time_us = candidate.timed.time_us;
    current.slots.insert_or_assign(request.slot, std::move(candidate));
}

Session::Contestant& Session::contestant(int slot) {
    auto& slots = prepared().slots;
    const auto found = slots.find(slot);
    if (found == slots.end()) {
        throw Error(ExitCode::kInternal, fmt::format("slot {} holds no checked candidate", slot));
    }
    return found->second;
}

void Session::next_place() {
    place_ = (place_ + 1) % DeviceData::kPlaces;
}

/// With x and y in the block's place.
double Session::time_in_place(Contestant& contestant) {
    if (contestant.place != place_) {
        data_->move(contestant.rotation, place_);
        record_again(*backend_, *contestant.runnable, contestant.rotation, contestant.timed);
        contestant.place = place_;
    }
    return time_settled(*backend_, contestant.timed);
}

/// Until two replays in a row take the same time.
void Session::warm_up(Replay& replay) {
    const auto start = Clock::now();
    double last_us = time_once(replay);
    while (Clock::now() - start < kMostWarmUp) {
        const double time_us = time_once(replay);
        const bool steady = std::abs(time_us - last_us) <= kSteady * last_us;
        if (steady && Clock::now() - start >= kLeastWarmUp) {
            return;
        }
        last_us = time_us;
    }
}

protocol::BlockReply Session::block(const protocol::BlockRequest& request,
                                    const std::function<void(int slot)>& timing) {
    Prepared& current = prepared();
    std::vector<Contestant*> contestants;
    for (const int slot : request.slots) {
        contestants.push_back(&contestant(slot));
    }
    if (Clock::now() - worked_at_ > kIdle) {
        warm_up(*current.best.timed.replay);
    }
    next_place();

    protocol::BlockReply reply;
    reply.before = backend_->conditions();
    reply.baseline_before_us = time_in_place(current.best);
    for (std::size_t i = 0; i < contestants.size(); ++i) {
        timing(request.slots[i]);
        reply.times_us.push_back(time_in_place(*contestants[i]));
    }
    timing(kBaselineSlot);
    if (current.first) {
        reply.baseline_first_us = time_in_place(*current.first);
    }
    reply.baseline_after_us = time_in_place(current.best);
    reply.after = backend_->conditions();
    if (!current.first) {
        reply.baseline_first_us = (reply.baseline_before_us + reply.baseline_after_us) / 2;
    }
    worked_at_ = Clock::now();
    return reply;
}

/// Counts from one tick of the counter to another, so that its step does not matter.
protocol::EnergyReply Session::energy(const protocol::EnergyRequest& request) {
    const TimedReplay& timed = contestant(request.slot).timed;
    const double replay_us = timed.time_us * static_cast<double>(timed.launches);
    const auto step = static_cast<std::size_t>(std::ceil(kEnergyStepUs / replay_us));
    struct Reading {
        double energy_uj = 0;
        std::size_t replays = 0;
        Clock::time_point at;
    };
    std::optional<Reading> first;
    std::optional<double> last_uj = backend_->energy_uj();
    const auto start = Clock::now();
    for (std::size_t replays = step; last_uj && Clock::now() - start < kMostEnergy;
         replays += step) {
        waiting([&] { timed.replay->run(step); });
        const std::optional<double> now_uj = backend_->energy_uj();
        if (!now_uj || now_uj == last_uj) {
            continue;
        }
        last_uj = now_uj;
        const Reading reading{*now_uj, replays, Clock::now()};
        if (!first) {
            first = reading;
        } else if (reading.at - first->at >= kLeastEnergy) {
            const auto calls =
                static_cast<double>((reading.replays - first->replays) * timed.launches);
            return {.energy_uj = (reading.energy_uj - first->energy_uj) / calls};
        }
    }
    return {};
}

}  // namespace fdkbench
