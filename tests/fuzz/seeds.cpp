#include "results/dispatch_table.hpp"
#include "src/core/bundle.hpp"
#include "src/core/hash.hpp"
#include "src/protocol/messages.hpp"
#include "tests/fuzz/read_all.hpp"
#include "tests/results/sql.hpp"

#include <sqlite3.h>

using namespace fdkbench;
namespace fs = std::filesystem;

namespace {

/// Writes one seed of a fuzzer.
class Seeds {
  public:
    explicit Seeds(fs::path folder) : folder_(std::move(folder)) {}
    [[nodiscard]] fs::path path(const std::string& fuzzer) {
        fs::create_directories(folder_ / fuzzer);
        return folder_ / fuzzer / ("seed-" + std::to_string(count_++));
    }
    void add(const std::string& fuzzer, std::string_view text) {
        fuzz::write_file(path(fuzzer), text);
    }

  private:
    fs::path folder_;
    int count_ = 0;
};

LaunchPlan plan() {
    LaunchPlan plan = candidate(4).plan;
    plan.steps.front().waits_for_predecessor = true;
    plan.steps.emplace_back().kind = LaunchStep::Kind::kMatmul;
    plan.workspace_bytes = 1024;
    plan.tiling = RowTiling{.m_tile = 8, .most_m = 64, .workspace_bytes_per_tile = 128};
    return plan;
}

void add_json(Seeds& seeds) {
    const RunRecord run = fictional_run();
    for (const Json& json : {Json(candidate(4).params),
                             Json(small_problem()),
                             Json(plan()),
                             Json(plan().steps.front()),
                             Json(run.device),
                             Json(run.policy),
                             Json(Conditions{}),
                             Json(Ceiling{"read", 1 << 20, 3.25, "GB/s"}),
                             Json(Accuracy{0.5, 1e-3}),
                             Json(KernelResources{64, 1024, 0})}) {
        seeds.add("json", to_line(json));
    }
}

void add_requests(Seeds& seeds) {
    using namespace protocol;
    seeds.add("protocol", to_line(request_json(HelloRequest{})));
    seeds.add("protocol", to_line(request_json(CeilingsRequest{1})));
    seeds.add(
        "protocol",
        to_line(request_json(PrepareRequest{0, small_problem(), {}, {"first", "best"}, false})));
    seeds.add("protocol",
              to_line(request_json(CheckRequest{1, "/cache/kernel", plan(), Layout::kFragment})));
    seeds.add("protocol", to_line(request_json(BlockRequest{{1, 2}})));
    seeds.add("protocol", to_line(request_json(EnergyRequest{1})));
    seeds.add(
        "protocol",
        to_line(request_json(CompileRequest{"/cache", "lut_mv", {"-DA=1"}, "sm_90a", "key"})));
}

void add_replies(Seeds& seeds) {
    using namespace protocol;
    HelloReply hello;
    hello.devices = {fictional_run().device};
    hello.versions = {{"runtime", "13.0"}};
    CheckReply check;
    check.accuracy = Accuracy{0.5, 1e-3};
    check.repeatable = true;
    check.resources = KernelResources{64, 1024, 0};
    PrepareReply prepared;
    prepared.close_baselines = {"first", "best"};
    prepared.floor_us = 1.25;
    prepared.empty_launch_us = 0.5;
    BlockReply block;
    block.times_us = {1.5, 2};
    for (const Json& json : {Json(ErrorReply{3, "no device"}),
                             Json(hello),
                             Json(CeilingsReply{{Ceiling{"read", 1 << 20, 3.25, "GB/s"}}}),
                             Json(prepared),
                             Json(check),
                             Json(block),
                             Json(TimingEvent{-1}),
                             Json(EnergyReply{2.5}),
                             Json(CompileReply{})}) {
        seeds.add("protocol", to_line(json));
    }
}

void add_safetensors(Seeds& seeds) {
    const std::string header = R"({"__metadata__":{"a":"b"},)"
                               R"("weight":{"dtype":"BF16","shape":[2,2],"data_offsets":[0,8]},)"
                               R"("x":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}})";
    std::string file(8, '\0');
    file[0] = static_cast<char>(header.size());
    seeds.add("safetensors", file + header + std::string(12, '?'));
}

void add_model(Seeds& seeds) {
    seeds.add("model", R"({"metadata":{"total_size":0},"weight_map":{"x":"x.safetensors"}})");
    seeds.add("model", "-1, -0.5 0.5\n1e0");
    const std::string header =
        R"({"a.weight":{"dtype":"BF16","shape":[2,4],"data_offsets":[0,16]},)"
        R"("b.weight":{"dtype":"F32","shape":[1,4],"data_offsets":[16,32]},)"
        R"("b.scale":{"dtype":"F16","shape":[1],"data_offsets":[32,34]}})";
    std::string file(8, '\0');
    file[0] = static_cast<char>(header.size());
    seeds.add("model", file + header + std::string(34, '?'));
}

/// As small as SQLite allows: a mutation then meets something that matters.
void add_database(Seeds& seeds, const fs::path& path) {
    sqlite3* handle = nullptr;
    sqlite3_open(path.c_str(), &handle);
    const std::string sql = "PRAGMA journal_mode = DELETE; PRAGMA page_size = 512; VACUUM INTO '" +
                            seeds.path("database").string() + "'";
    fuzz::require(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK,
                  "the seed database can be written");
    sqlite3_close(handle);
}

void add_databases(Seeds& seeds) {
    const fs::path newest = fuzz::scratch_folder() / "seed.db";
    fuzz::write_database(newest);
    add_database(seeds, newest);
    const fs::path older = fuzz::scratch_folder() / "version_1.db";
    make_version_1(older);
    add_database(seeds, older);
}

void add_rows(Seeds& seeds) {
    for (int column = 0; column < 30; ++column) {
        for (const std::string value : {"1", "", "{\"warps\":4}", "bf16"}) {
            const char name = static_cast<char>(column);
            seeds.add("rows", std::string{name, static_cast<char>(column % 5)} + value);
        }
    }
    seeds.add("rows", std::string{10, '\0'} + to_line(Json(plan())));
}

void add_bundle(Seeds& seeds) {
    const std::string content = "a kernel";
    TableEntry entry;
    entry.problem = small_problem();
    entry.plan = plan();
    entry.binary_hash = sha256(content);
    DispatchTable table;
    table.entries = {entry};
    Bundle bundle{.table = Json::parse(to_json_text(table)), .binaries = {}};
    const auto bytes = std::as_bytes(std::span(content));
    bundle.binaries.emplace(entry.binary_hash, Bundle::Binary(bytes.begin(), bytes.end()));
    const std::string whole = to_bytes(bundle);
    seeds.add("bundle", whole);
    const std::string behind_first_line = whole.substr(whole.find('\n') + 1);
    seeds.add(
        "bundle",
        behind_first_line.substr(0, behind_first_line.size() - content.size()) + '\n' + content);
}

}  // namespace

/// Writes small valid inputs of every fuzzer into folders of their names.
int main(int argc, char** argv) {
    fuzz::require(argc == 2, "the argument is a folder");
    Seeds seeds{fs::path(argv[1])};
    add_json(seeds);
    add_requests(seeds);
    add_replies(seeds);
    add_safetensors(seeds);
    add_model(seeds);
    add_databases(seeds);
    add_rows(seeds);
    add_bundle(seeds);
    const std::string content = "a kernel";
    seeds.add("cache", std::string(64, 'a') + ' ' + sha256(content) + '\n' + content);
    return 0;
}
