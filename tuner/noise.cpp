#include "tuner/noise.hpp"

#include "src/core/error.hpp"
#include "tuner/compile_feed.hpp"
#include "tuner/device_worker.hpp"

#include <fmt/format.h>

#include <cmath>

namespace fdkbench {

namespace {

/// Compiles one candidate.
protocol::CompileReply compiled(const SweepOptions& options,
                                WorkerFactory& factory,
                                const Candidate& candidate,
                                const std::atomic<bool>& stop) {
    const auto pool = factory.compile_pool(1);
    pool->submit(0, compile_request(options, candidate));
    while (!stop) {
        if (const auto done = pool->next(std::chrono::milliseconds{100})) {
            return done->reply;
        }
    }
    throw Interrupted();
}

[[noreturn]] void fail(const Candidate& candidate, const std::string& why) {
    throw EnvironmentError(fmt::format(
        "cannot time {} on {}: {}", candidate.family, to_string(candidate.problem), why));
}

}  // namespace

NestedSamples measure_noise(const SweepOptions& options,
                            WorkerFactory& factory,
                            const Candidate& candidate,
                            const NoiseEffort& effort,
                            SweepListener& listener,
                            const std::atomic<bool>& stop) {
    const protocol::CompileReply binary = compiled(options, factory, candidate, stop);
    if (binary.status != CandidateStatus::kCorrect) {
        fail(candidate, binary.message);
    }
    NestedSamples samples;
    DeviceUse use;
    const std::vector<int> slots(static_cast<std::size_t>(effort.replays), 0);
    for (int process = 0; process < effort.processes; ++process) {
        DeviceWorker worker(options, factory, use, listener);
        try {
            worker.prepare(candidate.problem, {}, false);
            const auto checked = worker.check({0, binary.binary, candidate.plan, candidate.layout});
            if (checked.status != CandidateStatus::kCorrect) {
                fail(candidate, checked.message);
            }
            auto& blocks = samples.emplace_back();
            for (int block = 0; block < effort.blocks; ++block) {
                if (stop) {
                    throw Interrupted();
                }
                const protocol::BlockReply reply = worker.block({slots});
                const double baseline =
                    std::log(reply.baseline_before_us * reply.baseline_after_us) / 2;
                auto& replays = blocks.emplace_back();
                for (const double time_us : reply.times_us) {
                    replays.push_back(baseline - std::log(time_us));
                }
            }
        } catch (const WorkerLost& lost) {
            fail(candidate, lost.what());
        } catch (const CellUnavailable& fault) {
            fail(candidate, fault.what());
        }
    }
    return samples;
}

}  // namespace fdkbench
