#include "tuner/device_worker.hpp"

#include "src/core/counted.hpp"
#include "src/core/error.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fdkbench {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kMostLosses = 3;
/// A machine that others use as well may stop for a moment.
constexpr std::chrono::seconds kLeastPatience{5};
constexpr int kPatience = 3;

std::string kind_and_uuid(const DeviceInfo& device) {
    return fmt::format("'{}'{}{}", device.key, device.uuid.empty() ? "" : " ", device.uuid);
}

}  // namespace

template <typename Call>
auto DeviceWorker::ask(double& seconds, Call call) {
    const auto start = Clock::now();
    const auto count_time = [&] {
        seconds += std::chrono::duration<double>(Clock::now() - start).count();
    };
    try {
        auto reply = call(*worker_);
        count_time();
        return reply;
    } catch (const WorkerLost&) {
        count_time();
        worker_.reset();
        throw;
    } catch (const Error& error) {
        if (error.code() == ExitCode::kEnvironment) {
            throw CellUnavailable(error.what());
        }
        throw;
    }
}

void DeviceWorker::count_loss(const WorkerLost& lost) {
    if (++unexplained_losses_ < kMostLosses) {
        return;
    }
    throw EnvironmentError(
        fmt::format("the worker for {} was lost {} times with no candidate to blame ({}); look at "
                    "the device with 'fdkbench devices', then start the same sweep again: what was "
                    "measured is kept",
                    options_.device.id,
                    kMostLosses,
                    lost.what()));
}

DeviceWorker::Milliseconds DeviceWorker::limit() const {
    if (longest_check_.count() == 0) {
        return options_.timeouts.candidate;
    }
    return std::min<Milliseconds>(
        options_.timeouts.candidate,
        std::max<Milliseconds>(kLeastPatience, kPatience * longest_check_));
}

/// A launcher may give every process another device, and indices move when a GPU falls off the bus.
void DeviceWorker::start() {
    auto worker = factory_.worker();
    const auto begun = Clock::now();
    const auto devices = worker->hello().devices;
    use_.seconds.prepare += std::chrono::duration<double>(Clock::now() - begun).count();
    const DeviceInfo& wanted = options_.device;
    const DeviceInfo* found =
        options_.device_index < devices.size() ? &devices[options_.device_index] : nullptr;
    if (found == nullptr || found->key != wanted.key || found->uuid != wanted.uuid) {
        throw DeviceChanged(fmt::format(
            "{} was {} and is {} for a worker that has just been started: nothing more is "
            "measured there, its rows are kept; see that every worker gets the same device "
            "(CUDA_VISIBLE_DEVICES takes its UUID), then start the same sweep again",
            wanted.id,
            kind_and_uuid(wanted),
            found == nullptr ? "not there" : kind_and_uuid(*found)));
    }
    worker_ = std::move(worker);
}

void DeviceWorker::look_for_others(const protocol::PrepareReply& prepared) {
    const int others = prepared.compute_processes.value_or(0) - 1;
    if (others <= 0 || use_.shared) {
        return;
    }
    use_.shared = true;
    listener_.warning(
        fmt::format("{} ({}) is used by {} at the same time: timings may be disturbed; nvidia-smi "
                    "lists who it is",
                    options_.device.id,
                    options_.device.uuid,
                    counted(others, "other process", "other processes")));
}

protocol::PrepareReply DeviceWorker::prepare(const Problem& problem,
                                             const std::vector<std::string>& baselines,
                                             bool floor) {
    longest_check_ = Milliseconds{0};
    while (true) {
        try {
            if (!worker_) {
                start();
            }
            auto reply = ask(use_.seconds.prepare, [&](Worker& worker) {
                return worker.prepare(
                    {options_.device_index, problem, options_.policy, baselines, floor});
            });
            look_for_others(reply);
            return reply;
        } catch (const WorkerLost& lost) {
            count_loss(lost);
        }
    }
}

protocol::CheckReply DeviceWorker::check(const protocol::CheckRequest& request) {
    const auto start = Clock::now();
    auto reply =
        ask(use_.seconds.check, [&](Worker& worker) { return worker.check(request, limit()); });
    if (reply.status == CandidateStatus::kCorrect) {
        longest_check_ =
            std::max(longest_check_, std::chrono::ceil<Milliseconds>(Clock::now() - start));
    }
    if (reply.worker_ends) {
        worker_.reset();
    }
    return reply;
}

protocol::BlockReply DeviceWorker::block(const protocol::BlockRequest& request) {
    try {
        auto reply =
            ask(use_.seconds.race, [&](Worker& worker) { return worker.block(request, limit()); });
        unexplained_losses_ = 0;
        return reply;
    } catch (const WorkerLost& lost) {
        if (!lost.slot()) {
            count_loss(lost);
        }
        throw;
    }
}

protocol::EnergyReply DeviceWorker::energy(const protocol::EnergyRequest& request) {
    return ask(use_.seconds.energy, [&](Worker& worker) { return worker.energy(request); });
}

}  // namespace fdkbench
