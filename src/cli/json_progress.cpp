#include "src/cli/progress.hpp"
#include "src/core/json.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace fdkbench {
namespace {

template <typename T>
void put(Json& json, const char* name, const std::optional<T>& value) {
    if (value) {
        json[name] = *value;
    }
}

Json leader_json(const std::optional<Leader>& leader) {
    if (!leader) {
        return nullptr;
    }
    return {{"family", leader->family},
            {"params", leader->params},
            {"time_us", leader->time_us},
            {"ratio", leader->ratio}};
}

class JsonProgress : public SweepListener {
  public:
    void planned(std::size_t cells, std::size_t candidates, std::size_t already) override {
        emit({{"event", "planned"},
              {"cells", cells},
              {"candidates", candidates},
              {"already_measured", already}});
    }
    void compiled(const Candidate& candidate, const protocol::CompileReply& reply) override {
        emit({{"event", "compiled"},
              {"family", candidate.family},
              {"params", candidate.params},
              {"status", to_string(reply.status)},
              {"binary_hash", reply.binary_hash},
              {"seconds", reply.seconds}});
    }
    void cell_prepared(const Problem& problem, const protocol::PrepareReply& reply) override {
        Json json{{"event", "cell_prepared"},
                  {"problem", problem},
                  {"baseline", reply.baseline},
                  {"baseline_us", reply.baseline_us},
                  {"baseline_first_us", reply.baseline_first_us}};
        put(json, "floor_us", reply.floor_us);
        json["copies"] = reply.copies;
        emit(json);
    }
    void candidate_done(const Candidate& candidate, const Measurement& result) override {
        Json json{{"event", "measured"},
                  {"problem", candidate.problem},
                  {"family", candidate.family},
                  {"params", candidate.params},
                  {"status", to_string(result.status)}};
        if (!result.message.empty()) {
            json["message"] = result.message;
        }
        put(json, "time_us", result.time_us);
        put(json, "ratio", result.ratio);
        put(json, "ratio_lo", result.ratio_lo);
        put(json, "ratio_hi", result.ratio_hi);
        if (result.accuracy) {
            json["nrmse"] = result.accuracy->nrmse;
        }
        json["samples"] = result.samples.size();
        emit(json);
    }
    void confirming(const Problem& problem, std::size_t kernels) override {
        emit({{"event", "confirming"}, {"problem", problem}, {"kernels", kernels}});
    }
    void cell_done(std::size_t index,
                   const Problem& problem,
                   const std::optional<Leader>& leader) override {
        emit({{"event", "cell_done"},
              {"index", index},
              {"problem", problem},
              {"best", leader_json(leader)}});
    }
    void warning(const std::string& message) override {
        emit({{"event", "warning"}, {"message", message}});
    }

  private:
    /// A reader that went away does not end the sweep; main reports it at the end.
    static void emit(const Json& json) {
        std::fputs((to_line(json) + "\n").c_str(), stdout);
        std::fflush(stdout);
    }
};

}  // namespace

std::unique_ptr<SweepListener> json_progress() {
    return std::make_unique<JsonProgress>();
}

}  // namespace fdkbench
