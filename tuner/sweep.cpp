#include "tuner/sweep.hpp"

#include "tuner/cell_queue.hpp"
#include "tuner/sweep_lane.hpp"

#include <fmt/format.h>

#include <exception>
#include <mutex>
#include <thread>

namespace fdkbench {

namespace {

using Clock = std::chrono::steady_clock;

/// Devices of one kind that differ by more than this do not belong into one table unmentioned.
constexpr double kSlowSibling = 1.03;

/// Passes on what lanes tell from their threads, one at a time.
class LockedListener final : public SweepListener {
  public:
    explicit LockedListener(SweepListener& listener) : listener_(listener) {}

    void compiled(const Candidate& candidate, const protocol::CompileReply& reply) override {
        pass([&] { listener_.compiled(candidate, reply); });
    }
    void cell_started(std::size_t index, const Problem& problem) override {
        pass([&] { listener_.cell_started(index, problem); });
    }
    void cell_prepared(const Problem& problem, const protocol::PrepareReply& reply) override {
        pass([&] { listener_.cell_prepared(problem, reply); });
    }
    void candidate_done(const Candidate& candidate, const Measurement& result) override {
        pass([&] { listener_.candidate_done(candidate, result); });
    }
    void candidate_known(const Candidate& candidate) override {
        pass([&] { listener_.candidate_known(candidate); });
    }
    void cell_progress(const Problem& problem, const std::optional<Leader>& leader) override {
        pass([&] { listener_.cell_progress(problem, leader); });
    }
    void confirming(const Problem& problem, std::size_t kernels) override {
        pass([&] { listener_.confirming(problem, kernels); });
    }
    void cell_done(std::size_t index,
                   const Problem& problem,
                   const std::optional<Leader>& leader) override {
        pass([&] { listener_.cell_done(index, problem, leader); });
    }
    void warning(const std::string& message) override {
        pass([&] { listener_.warning(message); });
    }

  private:
    template <typename Call>
    void pass(Call call) {
        const std::lock_guard lock(mutex_);
        call();
    }

    SweepListener& listener_;
    std::mutex mutex_;
};

/// Compares the baselines of devices that should be equal.
class Siblings {
  public:
    explicit Siblings(SweepListener& listener) : listener_(listener) {}

    void add(const DeviceInfo& device, double baseline_us) {
        const std::lock_guard lock(mutex_);
        for (const auto& [other, other_us] : seen_) {
            if (baseline_us > kSlowSibling * other_us) {
                report(device, baseline_us, other, other_us);
            } else if (other_us > kSlowSibling * baseline_us) {
                report(other, other_us, device, baseline_us);
            }
        }
        seen_.emplace_back(device, baseline_us);
    }

  private:
    void report(const DeviceInfo& slow, double slow_us, const DeviceInfo& fast, double fast_us) {
        listener_.warning(fmt::format(
            "{} ({}) is {:.0f} % slower than {} on the same baseline ({:.2f} us, {:.2f} us): look "
            "at its clocks, power limit and other users with nvidia-smi",
            slow.id,
            slow.uuid,
            100 * (slow_us / fast_us - 1),
            fast.id,
            slow_us,
            fast_us));
    }

    SweepListener& listener_;
    std::mutex mutex_;
    std::vector<std::pair<DeviceInfo, double>> seen_;
};

}  // namespace

DeviceSeconds sum(const std::vector<DeviceSeconds>& devices) {
    DeviceSeconds total;
    for (const DeviceSeconds& device : devices) {
        total.prepare += device.prepare;
        total.check += device.check;
        total.race += device.race;
        total.energy += device.energy;
    }
    return total;
}

void add(SweepOutcome& total, const SweepOutcome& part) {
    total.complete = total.complete && part.complete;
    total.left_out.insert(total.left_out.end(), part.left_out.begin(), part.left_out.end());
    total.measured += part.measured;
    for (const auto& [status, count] : part.statuses) {
        total.statuses[status] += count;
    }
    total.changed.insert(total.changed.end(), part.changed.begin(), part.changed.end());
    total.seconds.resize(std::max(total.seconds.size(), part.seconds.size()));
    for (std::size_t i = 0; i < part.seconds.size(); ++i) {
        total.seconds[i] = sum({total.seconds[i], part.seconds[i]});
    }
}

SweepOutcome run_sweep(std::vector<SweepLane>& lanes,
                       const SweepPlan& plan,
                       SweepListener& listener,
                       const std::atomic<bool>& stop) {
    const auto deadline = lanes.at(0).options.deadline;
    std::atomic<bool> failed = false;
    const auto stopping = [&] { return stop || failed || (deadline && Clock::now() >= *deadline); };
    listener.planned(plan.cells.size(), plan.candidates, plan.already_measured);

    LockedListener locked(listener);
    Siblings siblings(locked);
    CellQueue queue(plan, lanes.size());
    SweepOutcome outcome;
    outcome.seconds.resize(lanes.size());
    std::mutex mutex;  // guards outcome and fault
    std::exception_ptr fault;
    const auto run_lane = [&](std::size_t index) {
        SweepLane& lane = lanes[index];
        LaneRunner runner(lane, plan, locked, stopping);
        try {
            if (lanes.size() > 1 && !stopping()) {
                if (const auto baseline_us = runner.first_baseline_us()) {
                    siblings.add(lane.options.device, *baseline_us);
                }
            }
            runner.run(queue);
        } catch (const DeviceChanged& changed) {
            locked.warning(changed.what());
            const std::lock_guard lock(mutex);
            outcome.changed.push_back(lane.options.device.id);
        } catch (...) {
            failed = true;
            const std::lock_guard lock(mutex);
            fault = fault ? fault : std::current_exception();
        }
        const std::lock_guard lock(mutex);
        add(outcome, runner.outcome());
        outcome.seconds[index] = runner.seconds();
    };
    std::vector<std::thread> threads;
    for (std::size_t i = 1; i < lanes.size(); ++i) {
        threads.emplace_back(run_lane, i);
    }
    run_lane(0);
    for (std::thread& thread : threads) {
        thread.join();
    }
    if (fault) {
        std::rethrow_exception(fault);
    }
    return outcome;
}

}  // namespace fdkbench
