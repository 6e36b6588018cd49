#include "tuner/device_worker.hpp"

#include "src/core/error.hpp"

#include <fmt/format.h>

namespace fdkbench {

namespace {
constexpr int kMostLosses = 3;
}  // namespace

template <typename Call>
auto DeviceWorker::ask(Call call) {
    try {
        auto reply = call(*worker_);
        losses_in_a_row_ = 0;
        return reply;
    } catch (const WorkerLost& lost) {
        worker_.reset();
        if (++losses_in_a_row_ == kMostLosses) {
            throw EnvironmentError(
                fmt::format("the worker for {} was lost {} times in a row ({}); look at the "
                            "device with 'fdkbench devices', then start the same sweep again: "
                            "what was measured is kept",
                            options_.device.id,
                            kMostLosses,
                            lost.what()));
        }
        throw;
    } catch (const Error& error) {
        if (error.code() == ExitCode::kEnvironment) {
            throw CellUnavailable(error.what());
        }
        throw;
    }
}

protocol::PrepareReply DeviceWorker::prepare(const Problem& problem) {
    while (true) {
        if (!worker_) {
            worker_ = factory_.worker();
        }
        try {
            return ask([&](Worker& worker) {
                return worker.prepare({options_.device_index, problem, options_.policy});
            });
        } catch (const WorkerLost&) {
            continue;  // ask() ends this after a few
        }
    }
}

protocol::CheckReply DeviceWorker::check(const protocol::CheckRequest& request) {
    auto reply = ask([&](Worker& worker) { return worker.check(request); });
    if (reply.worker_ends) {
        worker_.reset();
    }
    return reply;
}

protocol::BlockReply DeviceWorker::block(const protocol::BlockRequest& request) {
    return ask([&](Worker& worker) { return worker.block(request); });
}

}  // namespace fdkbench
