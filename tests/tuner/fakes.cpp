#include "tests/tuner/fakes.hpp"

#include "kernels/registry.hpp"
#include "src/core/hash.hpp"
#include "tests/catch.hpp"

#include <algorithm>

namespace fdkbench::fakes {

namespace {

constexpr const char* kSource = "kernels/common/types.cuh";  // any file that is built in

LaunchPlan tile_plan(const Problem& problem, const Params& params, const DeviceInfo& /*device*/) {
    LaunchStep step;
    step.kernel = "fake";
    const std::int64_t tile = params.number("tile");
    step.grid[0] = static_cast<std::uint32_t>(ceil_div(problem.shape.n, tile));
    step.grid[1] = static_cast<std::uint32_t>(problem.shape.m);
    return {{step}, 0};
}

LaunchPlan waiting_plan(const Problem& problem, const Params& params, const DeviceInfo& device) {
    LaunchPlan plan = tile_plan(problem, params, device);
    plan.steps.front().waits_for_predecessor = true;
    return plan;
}

std::optional<std::string> never(const Problem& /*problem*/, const DeviceInfo& /*device*/) {
    return std::nullopt;
}

std::optional<std::string> skips_nothing(const Problem& /*problem*/,
                                         const Params& /*params*/,
                                         const DeviceInfo& /*device*/) {
    return std::nullopt;
}

/// 3 tiles × 2 warps, less one point.
const RegisterFamily kFakeMm({
    .name = "fake_mm",
    .backend = "fake",
    .source = kSource,
    .summary = "",
    .declines = never,
    .axes =
        [](const Problem&, const DeviceInfo&) {
            return std::vector<Axis>{{"tile", {2, 1, 4}}, {"warps", {4, 8}}};
        },
    .skips =
        [](const Problem&, const Params& params, const DeviceInfo&) -> std::optional<std::string> {
        if (params.number("tile") == 4 && params.number("warps") == 8) {
            return "tile 4 × warps 8 needs too many registers";
        }
        return std::nullopt;
    },
    .plan = tile_plan,
});

/// Two split-K values, and a first point that is not valid. Its kernels wait for their predecessor.
const RegisterFamily kFakeMv({
    .name = "fake_mv",
    .backend = "fake",
    .source = kSource,
    .summary = "",
    .layout = Layout::kFragment,
    .declines = [](const Problem& problem, const DeviceInfo&) -> std::optional<std::string> {
        if (problem.shape.m > 8) {
            return "m is above 8";
        }
        return std::nullopt;
    },
    .axes =
        [](const Problem&, const DeviceInfo&) {
            return std::vector<Axis>{
                {"split_k", {2, 1}}, {"tile", {64, 32}}, {"decode", {"prmt", "table"}}};
        },
    .skips =
        [](const Problem&, const Params& params, const DeviceInfo&) -> std::optional<std::string> {
        if (params.number("tile") == 64 && params.word("decode") == "prmt") {
            return "prmt needs tile 32";
        }
        return std::nullopt;
    },
    .plan = waiting_plan,
});

const RegisterFamily kFakeHost({
    .name = "fake_host",
    .backend = "host",
    .source = kSource,
    .summary = "",
    .declines = never,
    .axes =
        [](const Problem&, const DeviceInfo&) {
            return std::vector<Axis>{{"tile", {1, 2, 4, 8}}};
        },
    .skips = skips_nothing,
    .plan = tile_plan,
});

bool names_any(const std::set<std::string>& parts, const std::string& name) {
    return std::any_of(parts.begin(), parts.end(), [&](const std::string& part) {
        return name.find(part) != std::string::npos;
    });
}

class FakeWorker final : public Worker {
  public:
    explicit FakeWorker(World& world) : world_(world) {
        world_.events.emplace_back("worker");
        number_ = world_.count("worker");
    }

    protocol::HelloReply hello() override {
        const auto device = world_.devices.find(world_.count("worker"));
        protocol::HelloReply reply;
        reply.devices = {device == world_.devices.end() ? DeviceInfo() : device->second};
        return reply;
    }
    protocol::CeilingsReply ceilings(const protocol::CeilingsRequest& /*request*/) override {
        return {};
    }

    protocol::PrepareReply prepare(const protocol::PrepareRequest& request) override {
        const std::int64_t m = request.problem.shape.m;
        begin("prepare m=" + std::to_string(m));
        if (world_.dies_in_prepare) {
            throw WorkerLost(CandidateStatus::kRuntime, "worker died: signal 9 (Killed)");
        }
        if (const auto error = world_.prepare_errors.find(m);
            error != world_.prepare_errors.end()) {
            throw Error(error->second);
        }
        slots_.clear();
        drift_ = world_.drift(number_, m);
        world_.prepares.push_back(request);
        protocol::PrepareReply reply;
        reply.baseline = "library";
        reply.baseline_us = world_.baseline_us;
        reply.baseline_first_us = 110;
        reply.close_baselines = world_.close_baselines;
        if (request.floor) {
            reply.floor_us = 20;
            reply.empty_launch_us = 0.5;
        }
        reply.copies = 4;
        reply.compute_processes = world_.compute_processes;
        return reply;
    }

    protocol::CheckReply check(const protocol::CheckRequest& request,
                               std::chrono::milliseconds limit) override {
        world_.last_limit = limit;
        world_.layouts[request.binary] = request.layout;
        begin("check " + request.binary);
        const std::size_t died_once =
            std::erase_if(world_.dies_once_in_check, [&](const std::string& part) {
                return request.binary.find(part) != std::string::npos;
            });
        if (died_once > 0 || names_any(world_.dies_in_check, request.binary)) {
            throw WorkerLost(CandidateStatus::kTimeout, "worker gave no answer within 60 s");
        }
        protocol::CheckReply reply;
        for (const auto& [part, status] : world_.check_results) {
            if (request.binary.find(part) != std::string::npos) {
                reply.status = status;
                reply.message = "as the test wishes";
                reply.worker_ends = status == CandidateStatus::kRuntime;
                return reply;
            }
        }
        slots_[request.slot] = request.binary;
        reply.accuracy = Accuracy{0.1, 0.001};
        reply.resources = KernelResources{32, 0, 0};
        reply.time_us = time_of(request.binary);
        return reply;
    }

    protocol::EnergyReply energy(const protocol::EnergyRequest& request) override {
        begin("energy " + slots_.at(request.slot));
        return {world_.energy_uj};
    }

    protocol::BlockReply block(const protocol::BlockRequest& request,
                               std::chrono::milliseconds /*limit*/) override {
        begin("block " + std::to_string(request.slots.size()));
        world_.on_block();
        protocol::BlockReply reply;
        reply.baseline_before_us = replay(100);
        reply.baseline_after_us = replay(100);
        reply.baseline_first_us = replay(110);
        if (!world_.conditions.empty()) {
            reply.before = reply.after = world_.conditions.back();
            world_.conditions.pop_back();
        }
        for (const int slot : request.slots) {
            const std::string& binary = slots_.at(slot);
            const std::size_t died_once = std::erase_if(
                world_.dies_once_in_block,
                [&](const std::string& part) { return binary.find(part) != std::string::npos; });
            if (died_once > 0 || names_any(world_.dies_in_block, binary)) {
                throw WorkerLost(world_.death,
                                 "worker died: signal 11",
                                 world_.announces_slots ? std::optional(slot) : std::nullopt);
            }
            reply.times_us.push_back(replay(time_of(binary)));
            ++world_.samples;
        }
        return reply;
    }

  private:
    void begin(const std::string& event) {
        world_.events.push_back(event);
        world_.overlaps += world_.compiling > 0 ? 1 : 0;
    }
    double time_of(const std::string& binary) const {
        for (const auto& [part, time_us] : world_.times_us) {
            if (binary.find(part) != std::string::npos) {
                return drift_ * time_us;
            }
        }
        return drift_ * 100;
    }
    double replay(double time_us) {
        return time_us * std::normal_distribution<>(1, world_.noise)(world_.random);
    }

    World& world_;
    std::size_t number_ = 0;
    double drift_ = 1;
    std::map<int, std::string> slots_;
};

/// Finishes one request at every other call of next().
class FakePool final : public CompilePool {
  public:
    explicit FakePool(World& world) : world_(world) {}

    void submit(std::size_t ticket, const protocol::CompileRequest& request) override {
        queue_.emplace_back(ticket, request);
        ++world_.compiling;
        ++world_.compiles;
    }

    std::optional<CompileDone> next(std::chrono::milliseconds /*timeout*/) override {
        busy_ = !busy_;
        if (busy_ || queue_.empty()) {
            return std::nullopt;
        }
        const auto [ticket, request] = queue_.front();
        queue_.pop_front();
        --world_.compiling;
        std::string name = request.family;
        for (const std::string& option : request.options) {
            name += " " + option;
        }
        protocol::CompileReply reply;
        if (names_any(world_.compile_failures, name)) {
            reply.status = CandidateStatus::kCompile;
            reply.message = "error: the test wants it";
            return CompileDone{ticket, reply};
        }
        reply.binary = name;
        reply.binary_hash = sha256(names_any(world_.same_code, name) ? "same" : name);
        return CompileDone{ticket, reply};
    }

  private:
    World& world_;
    std::deque<std::pair<std::size_t, protocol::CompileRequest>> queue_;
    bool busy_ = false;
};

std::string identity(const Candidate& candidate, const std::optional<std::string>& hash) {
    if (!hash) {
        return candidate.compile_key;
    }
    std::string text = *hash + " " + std::string(to_string(candidate.layout));
    for (const LaunchStep& step : candidate.plan.steps) {
        text += " " + std::to_string(step.grid[0]);
    }
    return text;
}

}  // namespace

std::optional<std::string> MemorySink::binary_hash(const std::string& compile_key) {
    const auto entry = hashes.find(compile_key);
    return entry == hashes.end() ? std::nullopt : std::optional(entry->second);
}

void MemorySink::remember_binary(const std::string& compile_key, const std::string& hash) {
    hashes[compile_key] = hash;
}

bool MemorySink::measured(const Candidate& candidate, const std::optional<std::string>& hash) {
    return std::any_of(rows.begin(), rows.end(), [&](const Row& row) {
        return row.candidate.problem == candidate.problem &&
               identity(row.candidate, row.hash) == identity(candidate, hash);
    });
}

void MemorySink::record(const Candidate& candidate,
                        const std::optional<std::string>& hash,
                        const Measurement& measurement) {
    std::erase_if(rows, [&](const Row& row) {
        return row.candidate.problem == candidate.problem &&
               identity(row.candidate, row.hash) == identity(candidate, hash);
    });
    rows.push_back({candidate, hash, measurement});
}

int MemorySink::begin_attempt(const Candidate& /*candidate*/, const std::string& hash) {
    attempts.insert(hash);
    const auto found = crashes.find(hash);
    return found == crashes.end() ? 0 : found->second;
}

void MemorySink::end_attempt(const Candidate& /*candidate*/, const std::string& hash) {
    attempts.erase(hash);
}

std::vector<Finalist> MemorySink::unconfirmed(const Problem& problem, int processes) {
    const auto rank = [](const Row& row) {
        return std::pair(fdkbench::processes(row.measurement.samples) > 1, row.measurement.ratio);
    };
    const Row* best = nullptr;
    for (const Row& row : rows) {
        if (row.candidate.problem == problem && row.measurement.ratio &&
            (best == nullptr || rank(row) > rank(*best))) {
            best = &row;
        }
    }
    if (best == nullptr || fdkbench::processes(best->measurement.samples) >= processes) {
        return {};
    }
    return {{best->candidate.family, best->candidate.params, *best->hash, best->measurement}};
}

void MemorySink::decide(const Problem& problem, double margin, int /*processes*/) {
    decisions.emplace_back(problem, margin);
}

bool MemorySink::decided(const Problem& /*problem*/, int /*processes*/) {
    return false;
}

const Row& MemorySink::row(const std::string& option) const {
    const auto has_option = [&](const Row& row) {
        return std::ranges::find(row.candidate.options, option) != row.candidate.options.end();
    };
    REQUIRE(std::ranges::count_if(rows, has_option) == 1);
    return *std::ranges::find_if(rows, has_option);
}

std::size_t World::count(const std::string& event_start) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        events, [&](const std::string& event) { return event.starts_with(event_start); }));
}

WorkerFactory World::factory() {
    return {[this] { return std::make_unique<FakeWorker>(*this); },
            [this](int) { return std::make_unique<FakePool>(*this); }};
}

SweepOptions sweep_options(const std::vector<std::int64_t>& m, const std::vector<int>& bits) {
    SweepOptions options;
    for (const std::int64_t rows : m) {
        for (const int width : bits) {
            options.problems.push_back(
                {{rows, 64, 64}, {width, width == 16 ? 0 : 32}, ElementType::kBf16});
        }
    }
    options.device.id = "fake:0";
    options.device.backend = "fake";
    options.device.arch = "fake_1";
    options.compiler = "fakec 1.0";
    options.cache_dir = "/nonexistent/fdkbench-cache";
    return options;
}

}  // namespace fdkbench::fakes
