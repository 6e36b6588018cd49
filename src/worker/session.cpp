#include "src/worker/session.hpp"

#include "src/core/error.hpp"
#include "src/worker/device_lost.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace fdkbench {
namespace {

constexpr int kBaselineReplays = 5;
constexpr int kCandidateReplays = 3;
// A first estimate this many times the baseline's is not worth more than one replay.
constexpr double kHopelessFactor = 4;

void validate(const MeasuringPolicy& policy) {
    if (policy.inputs != "normal") {
        throw UsageError(fmt::format("inputs must be normal, not '{}'", policy.inputs));
    }
    if (!(policy.cache_bytes_factor >= 0 && policy.cache_bytes_factor <= 1000)) {
        throw UsageError(fmt::format("--cache-bytes-factor must be between 0 and 1000, not {:g}",
                                     policy.cache_bytes_factor));
    }
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
    cache_bytes_ = devices.at(device).cache_bytes;
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
    const auto product = [&](std::span<const float> weights) {
        std::vector<float> y(static_cast<std::size_t>(problem.shape.m * problem.shape.n));
        backend_->reference(host_.x_values(), weights, y, problem.shape);
        return y;
    };
    References references;
    references.kernel = product(host_.kernel_weights());
    if (problem.format.quantised()) {
        references.original = product(host_.plain().values);
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

/// Keeps the best algorithm, and the first that works.
void Session::time_baselines(Prepared& prepared) {
    std::vector<Contestant> all;
    std::string failure = "it has none";
    for (auto& runnable : backend_->baselines(prepared.problem)) {
        Contestant baseline;
        baseline.workspace = workspace_for(*runnable);
        try {
            baseline.timed = record_timed(*backend_,
                                          *runnable,
                                          data_->baseline_rotation(baseline.workspace.get()),
                                          {.replays = kBaselineReplays});
        } catch (const DeviceLost& error) {
            throw EnvironmentError(
                fmt::format("device fault in baseline {}: {}", runnable->name(), error.what()));
        } catch (const CandidateError& error) {
            failure = fmt::format("{}: {}", runnable->name(), error.what());
            continue;
        }
        baseline.runnable = std::move(runnable);
        all.push_back(std::move(baseline));
    }
    if (all.empty()) {
        throw EnvironmentError(
            fmt::format("no library algorithm for {}: {}", to_string(prepared.problem), failure));
    }
    const auto best = std::ranges::min_element(
        all, {}, [](const Contestant& baseline) { return baseline.timed.time_us; });
    if (best != all.begin()) {
        prepared.first = std::move(all.front());
    }
    prepared.best = std::move(*best);
}

protocol::PrepareReply Session::prepare(const protocol::PrepareRequest& request) {
    const Problem& problem = request.problem;
    validate(problem);
    validate(request.policy);
    open(request.device);
    prepared_.reset();

    host_.prepare(problem, request.policy.seed);
    const auto budget_bytes = static_cast<std::int64_t>(
        std::ceil(request.policy.cache_bytes_factor * static_cast<double>(cache_bytes_)));
    data_->prepare(problem, request.policy.seed, host_, budget_bytes);

    Prepared prepared;
    prepared.problem = problem;
    prepared.policy = request.policy;
    prepared.references = references(problem);
    time_baselines(prepared);
    prepared_ = std::move(prepared);

    const Contestant& best = prepared_->best;
    const Contestant& first = prepared_->first ? *prepared_->first : best;
    return {.baseline = best.runnable->name(),
            .baseline_us = best.timed.time_us,
            .baseline_first_us = first.timed.time_us,
            .floor_us = floor_us(problem),
            .copies = static_cast<std::int64_t>(data_->candidate_rotation(nullptr).size())};
}

protocol::CheckReply Session::check(const protocol::CheckRequest& request) {
    prepared().slots.erase(request.slot);
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
    Contestant candidate;
    candidate.runnable = backend_->load(request.binary, request.plan, current.problem);
    reply.resources = candidate.runnable->resources();
    candidate.workspace = workspace_for(*candidate.runnable);

    const auto rotation = data_->candidate_rotation(candidate.workspace.get());
    const Checker checker(
        *backend_, current.problem, data_->y(), current.references, current.policy.max_nrmse);
    const Verdict verdict = checker.check(*candidate.runnable, rotation);
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
                                   rotation,
                                   {.replays = kCandidateReplays,
                                    .hopeless_us = kHopelessFactor * current.best.timed.time_us});
    reply.time_us = candidate.timed.time_us;
    current.slots.insert_or_assign(request.slot, std::move(candidate));
}

protocol::BlockReply Session::block(const protocol::BlockRequest& request) {
    Prepared& current = prepared();
    std::vector<Replay*> replays;
    for (const int slot : request.slots) {
        const auto found = current.slots.find(slot);
        if (found == current.slots.end()) {
            throw Error(ExitCode::kInternal,
                        fmt::format("slot {} holds no checked candidate", slot));
        }
        replays.push_back(found->second.timed.replay.get());
    }

    protocol::BlockReply reply;
    reply.baseline_before_us = time_once(*current.best.timed.replay);
    for (Replay* replay : replays) {
        reply.times_us.push_back(time_once(*replay));
    }
    if (current.first) {
        reply.baseline_first_us = time_once(*current.first->timed.replay);
    }
    reply.baseline_after_us = time_once(*current.best.timed.replay);
    if (!current.first) {
        reply.baseline_first_us = (reply.baseline_before_us + reply.baseline_after_us) / 2;
    }
    return reply;
}

}  // namespace fdkbench
