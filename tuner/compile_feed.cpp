#include "tuner/compile_feed.hpp"

namespace fdkbench {

protocol::CompileRequest compile_request(const SweepOptions& options, const Candidate& candidate) {
    return {options.cache_dir,
            candidate.family,
            candidate.options,
            options.device.arch,
            candidate.compile_key};
}

void CompileFeed::request(const CellPlan& cell) {
    for (const Candidate& candidate : cell.candidates) {
        if (!replies_.try_emplace(candidate.compile_key).second) {
            continue;
        }
        if (!pool_) {
            pool_ = factory_.compile_pool(options_.jobs);
        }
        tickets_.push_back(&candidate);
        pool_->submit(tickets_.size() - 1, compile_request(options_, candidate));
    }
}

void CompileFeed::collect(std::chrono::milliseconds timeout) {
    if (!pool_) {
        return;
    }
    auto done = pool_->next(timeout);
    while (done) {
        take(*done);
        done = pool_->next(std::chrono::milliseconds{0});
    }
}

const protocol::CompileReply* CompileFeed::find(const std::string& compile_key) const {
    const auto entry = replies_.find(compile_key);
    return entry == replies_.end() || !entry->second ? nullptr : &*entry->second;
}

void CompileFeed::take(const CompileDone& done) {
    const Candidate& candidate = *tickets_.at(done.ticket);
    if (done.reply.status == CandidateStatus::kCorrect &&
        sink_.binary_hash(candidate.compile_key) != done.reply.binary_hash) {
        sink_.remember_binary(candidate.compile_key, done.reply.binary_hash);
    }
    replies_[candidate.compile_key] = done.reply;
    listener_.compiled(candidate, done.reply);
}

}  // namespace fdkbench
