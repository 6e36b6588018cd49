#include "src/cli/extrapolator.hpp"

#include "src/core/error.hpp"
#include "tests/catch.hpp"
#include "tests/kernels/points.hpp"
#include "tests/results/fixture.hpp"
#include "tuner/search_space.hpp"

#include <algorithm>
#include <cmath>
#include <set>

using namespace fdkbench;

namespace {

DeviceInfo device() {
    DeviceInfo device = testing::h100();
    device.key = device.name;
    return device;
}

Problem matrix(std::int64_t m, std::int64_t n, std::int64_t k, int bits = 4) {
    return {{m, n, k}, {bits, 64}, ElementType::kBf16};
}

std::vector<Candidate> candidates(const Problem& problem) {
    SweepOptions options;
    options.device = device();
    options.compiler = fictional_run().compiler;
    return enumerate_candidates(problem, chosen_families(options), options).candidates;
}

/// Every candidate of three matrices, with times that are no device's: family and parameters alone
/// say which is the fastest.
struct Fixture {
    Fixture() {
        RunRecord run = fictional_run();
        run.device = device();
        store.begin_run(run);
        for (const std::int64_t extent : {4096, 6144, 8192}) {
            for (const std::int64_t m : {1, 16, 64}) {
                for (const Candidate& candidate : candidates(matrix(m, extent, extent))) {
                    const auto place = std::hash<std::string>()(
                        candidate.family + to_string(candidate.params) + std::to_string(m));
                    store.add(candidate,
                              candidate.compile_key,
                              correct(2 + static_cast<double>(place % 1000) / 1000));
                }
            }
        }
    }
    TemporaryFolder folder;
    Store store = Store::open(folder / "a.db");
};

}  // namespace

TEST_CASE("GPU kernels serve matrices that were not swept, with launches made for them") {
    const Fixture fixture;
    const DispatchTable table = read_table(fixture.store, "");
    REQUIRE(table.entries.size() == 9);
    const Extrapolator extrapolator(fixture.store, table, {});
    for (const auto& [n, k] : {std::pair{5120, 5120}, {13824, 5120}, {1024, 4096}, {3584, 18944}}) {
        const std::vector<TableEntry> entries = extrapolator.entries(matrix(0, n, k));
        INFO(n << "x" << k);
        REQUIRE(entries.size() == 3);
        CHECK(entries.front().first_m == 1);
        CHECK_FALSE(entries.back().last_m);
        for (const TableEntry& entry : entries) {
            CHECK(entry.extrapolated);
            CHECK(entry.layout == entries.front().layout);
            CHECK(entry.binary_hash.empty());
            // It is what a sweep would try there, and much of that can be predicted.
            const std::vector<Candidate> all = candidates(entry.problem);
            const auto found = std::ranges::find_if(all, [&](const Candidate& candidate) {
                return candidate.family == entry.family && candidate.params == entry.params &&
                       candidate.plan == entry.plan;
            });
            CHECK(found != all.end());
            const auto known = std::ranges::count_if(all, [&](const Candidate& candidate) {
                TableEntry kernel;
                kernel.problem = candidate.problem;
                kernel.family = candidate.family;
                kernel.params = candidate.params;
                return !extrapolator.model().predicted({kernel}).empty();
            });
            CAPTURE(entry.problem.shape.m, all.size());
            CHECK(known > (n == k ? 0.8 : 0.4) * static_cast<double>(all.size()));
        }
    }
}

TEST_CASE("A matrix that no kernel or measurement fits has no entries") {
    const Fixture fixture;
    const Extrapolator extrapolator(fixture.store, read_table(fixture.store, ""), {});
    CHECK(extrapolator.entries(matrix(0, 5120, 5120, 2)).empty());
    CHECK_THROWS_AS(extrapolator.entries(matrix(0, 5120, 5100)), UsageError);
}

TEST_CASE("A device that another version described is refused with what to do") {
    const Fixture fixture;
    const DispatchTable table = read_table(fixture.store, "");
    run_sql(fixture.folder / "a.db", "UPDATE device SET facts = '{}'");
    CHECK_THROWS_WITH(Extrapolator(fixture.store, table, {}), ContainsSubstring("sweep again"));
}
