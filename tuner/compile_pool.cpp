#include "tuner/compile_pool.hpp"

#include "src/core/error.hpp"
#include "tuner/request_channel.hpp"
#include "tuner/scratch_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <unistd.h>
#include <vector>

namespace fdkbench {

namespace {

std::vector<std::string> compile_argv(const WorkerCommand& command, const std::string& scratch) {
    std::vector<std::string> words;
    if (command.compiles_under_launcher && !command.launcher.empty()) {
        words = command.argv();  // the scratch folder need not exist where it leads
    } else {
        words = {"/usr/bin/env", "TMPDIR=" + scratch, command.path};
    }
    words.emplace_back("--compile");
    return words;
}

/// One thread for each process, so that compilers never wait for a coordinator that measures.
class CompileProcesses final : public CompilePool {
  public:
    CompileProcesses(const WorkerCommand& command, int jobs, std::chrono::seconds timeout)
        : argv_(compile_argv(command, scratch_.path().string())),
          jobs_(static_cast<std::size_t>(std::max(1, jobs))),
          timeout_(timeout) {
        // What starts it would end with an exit code, as if each request had killed it.
        if (::access(command.path.c_str(), X_OK) != 0) {
            throw EnvironmentError(
                fmt::format("cannot start {}: {}: check that it exists and may be run",
                            command.path,
                            std::strerror(errno)));
        }
    }

    ~CompileProcesses() override {
        {
            const std::lock_guard lock(mutex_);
            closing_ = true;
        }
        work_.notify_all();
        for (std::thread& thread : threads_) {
            thread.join();
        }
    }
    CompileProcesses(const CompileProcesses&) = delete;
    CompileProcesses(CompileProcesses&&) = delete;
    CompileProcesses& operator=(const CompileProcesses&) = delete;
    CompileProcesses& operator=(CompileProcesses&&) = delete;

    void submit(std::size_t ticket, const protocol::CompileRequest& request) override {
        {
            const std::lock_guard lock(mutex_);
            queue_.push_back({ticket, request});
        }
        work_.notify_one();
        if (threads_.size() < jobs_) {
            threads_.emplace_back([this] { serve(); });
        }
    }

    std::optional<CompileDone> next(std::chrono::milliseconds timeout) override {
        std::unique_lock lock(mutex_);
        finished_.wait_for(lock, timeout, [this] { return fault_ || !done_.empty(); });
        if (fault_) {
            std::rethrow_exception(fault_);
        }
        if (done_.empty()) {
            return std::nullopt;
        }
        CompileDone done = std::move(done_.front());
        done_.pop_front();
        return done;
    }

  private:
    struct Job {
        std::size_t ticket;
        protocol::CompileRequest request;
    };

    void serve() {
        RequestChannel channel("compiler process", argv_, &closing_);
        try {
            while (const auto job = take()) {
                give({job->ticket, compile(channel, job->request)});
            }
        } catch (const Interrupted&) {
            return;  // the pool is closing
        } catch (...) {
            const std::lock_guard lock(mutex_);
            fault_ = std::current_exception();
            finished_.notify_all();
        }
    }

    protocol::CompileReply compile(RequestChannel& channel,
                                   const protocol::CompileRequest& request) const {
        try {
            return channel.ask<protocol::CompileReply>(request, timeout_);
        } catch (const WorkerLost& lost) {
            if (lost.status() == CandidateStatus::kTimeout) {
                return failed(fmt::format("{} (--compile-timeout)", lost.what()));
            }
        }
        // One death, for instance for want of memory, says nothing about the kernel.
        try {
            return channel.ask<protocol::CompileReply>(request, timeout_);
        } catch (const WorkerLost& lost) {
            return failed(fmt::format("compiler process died twice: {}", lost.what()));
        }
    }

    static protocol::CompileReply failed(const std::string& message) {
        protocol::CompileReply reply;
        reply.status = CandidateStatus::kCompile;
        reply.message = message;
        return reply;
    }

    std::optional<Job> take() {
        std::unique_lock lock(mutex_);
        work_.wait(lock, [this] { return closing_ || !queue_.empty(); });
        if (closing_) {
            return std::nullopt;
        }
        Job job = std::move(queue_.front());
        queue_.pop_front();
        return job;
    }

    void give(CompileDone done) {
        {
            const std::lock_guard lock(mutex_);
            done_.push_back(std::move(done));
        }
        finished_.notify_one();
    }

    ScratchFolder scratch_;
    std::vector<std::string> argv_;
    std::size_t jobs_;
    std::chrono::seconds timeout_;
    std::mutex mutex_;  ///< guards queue_, done_ and fault_
    std::condition_variable work_;
    std::condition_variable finished_;
    std::deque<Job> queue_;
    std::deque<CompileDone> done_;
    std::exception_ptr fault_;
    std::atomic<bool> closing_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace

std::unique_ptr<CompilePool> compile_processes(const WorkerCommand& command,
                                               int jobs,
                                               std::chrono::seconds timeout) {
    return std::make_unique<CompileProcesses>(command, jobs, timeout);
}

}  // namespace fdkbench
