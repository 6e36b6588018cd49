#include "results/extrapolation.hpp"

#include "tests/catch.hpp"
#include "tests/results/fixture.hpp"

#include <cmath>
#include <set>

using namespace fdkbench;

namespace {

constexpr int kUnits = 100;

/// A kernel called `name` on a square matrix, without a time.
TableEntry kernel(const std::string& name, std::int64_t m, std::int64_t extent) {
    TableEntry entry;
    entry.problem = {{m, extent, extent}, {4, 64}, ElementType::kBf16};
    entry.family = name;
    entry.layout = Layout::kFragment;
    LaunchStep step;
    step.grid = {kUnits, 1, 1};
    entry.plan.steps = {step};
    entry.plan.tiling = RowTiling{.m_tile = 16};
    entry.nrmse = 0.001;
    entry.repeatable = true;
    return entry;
}

/// The same, measured; the baseline takes 1 µs for 2^20 weights.
TableEntry measured(const std::string& name, std::int64_t m, std::int64_t extent, double time_us) {
    TableEntry entry = kernel(name, m, extent);
    entry.baseline_us = static_cast<double>(extent * extent) / 0x1p20;
    entry.time_us = time_us;
    entry.ratio = entry.baseline_us / time_us;
    return entry;
}

TableEntry predicted(const CostModel& model, const TableEntry& candidate) {
    const std::vector<TableEntry> found = model.predicted({candidate});
    REQUIRE(found.size() == 1);
    return found[0];
}

/// The family that serves m = 1 of a square matrix.
std::string chosen(const std::vector<TableEntry>& all, std::int64_t extent) {
    std::set<std::string> names;
    for (const TableEntry& entry : all) {
        names.insert(entry.family);
    }
    std::vector<TableEntry> candidates;
    for (const std::string& name : names) {
        candidates.push_back(kernel(name, 1, extent));
    }
    const auto entries = extrapolated_entries(CostModel(all, kUnits), candidates);
    REQUIRE(entries.size() == 1);
    return entries[0].family;
}

/// `small` is the fastest at 4096², `large` at 8192², `both` nearly so at either.
std::vector<TableEntry> two_matrices() {
    return {measured("small", 1, 4096, 10),
            measured("large", 1, 4096, 13),
            measured("both", 1, 4096, 10.2),
            measured("small", 1, 8192, 50),
            measured("large", 1, 8192, 40),
            measured("both", 1, 8192, 40.8)};
}

}  // namespace

TEST_CASE("The kernel that is near the fastest at all neighbours is chosen between them") {
    CHECK(chosen(two_matrices(), 5792) == "both");
    CHECK(chosen(two_matrices(), 4160) == "small");
    CHECK(chosen(two_matrices(), 8100) == "large");
}

TEST_CASE("Of two kernels that are about as good on the whole the steadier one is chosen") {
    const std::vector<TableEntry> all{measured("fastest", 1, 4096, 10),
                                      measured("unsteady", 1, 4096, 10),
                                      measured("steady", 1, 4096, 10.5),
                                      measured("other", 1, 8192, 40),
                                      measured("unsteady", 1, 8192, 44),
                                      measured("steady", 1, 8192, 42)};
    const CostModel model(all, kUnits);
    const auto time_us = [&](const std::string& name) {
        return predicted(model, kernel(name, 1, 5792)).time_us;
    };
    CHECK(time_us("steady") < time_us("unsteady"));
    CHECK(time_us("steady") > time_us("unsteady") * 0.97);
}

TEST_CASE("Between two matrices the time per weight is their geometric mean, by distance") {
    const CostModel model({measured("a", 1, 2048, 1), measured("a", 1, 8192, 64)}, kUnits);
    const TableEntry middle = predicted(model, kernel("a", 1, 4096));
    // 1/4 and 1 µs for 2^20 weights, so 1/2; the baseline 1 everywhere.
    CHECK(middle.time_us == Approx(8));
    CHECK(middle.baseline_us == Approx(16));
    CHECK(middle.ratio == Approx(2));
    CHECK(middle.extrapolated);
    CHECK_FALSE(middle.ratio_lo);
    CHECK_FALSE(middle.ratio_hi);

    const auto evidence = model.evidence(kernel("a", 1, 4000));
    REQUIRE(evidence.size() == 2);
    CHECK(evidence[0].problem.shape.n == 2048);
    CHECK(evidence[0].weight > 0.5);
    CHECK(evidence[0].weight + evidence[1].weight == Approx(1));
}

TEST_CASE("Beyond the ends slowness stays within what was measured") {
    const CostModel model(two_matrices(), kUnits);
    const double fastest = predicted(model, kernel("both", 1, 1 << 20)).time_us / 1.02;
    const double slow = predicted(model, kernel("small", 1, 1 << 20)).time_us / fastest;
    CHECK(slow > 1.1);
    CHECK(slow < 1.25 * 1.07);  // and half of the spread
}

TEST_CASE("What was measured at few matrices must be better to be chosen") {
    std::vector<TableEntry> all = two_matrices();
    all.push_back(measured("once", 1, 4096, 10));
    const CostModel model(all, kUnits);
    const auto time_us = [&](const std::string& name) {
        return predicted(model, kernel(name, 1, 5792)).time_us;
    };
    CHECK(time_us("once") > time_us("both"));
    CHECK(time_us("once") < time_us("large"));
    CHECK(model.predicted({kernel("never", 1, 5792)}).empty());
    CHECK(model.predicted({kernel("both", 16, 5792)}).empty());

    TableEntry other = kernel("both", 1, 5792);
    other.problem.format.group_size = 128;
    CHECK(model.predicted({other}).empty());
    CHECK(model.swept_m(other.problem).empty());
}

TEST_CASE("A parameter that equals k stands for all of k") {
    TableEntry swept = measured("a", 1, 4096, 10);
    swept.params.set("stage_k", 8192L);
    const CostModel model({swept}, kUnits);
    TableEntry candidate = kernel("a", 1, 5120);
    CHECK(model.predicted({candidate}).empty());
    candidate.params.set("stage_k", 5120L);
    const double whole_us = predicted(model, candidate).time_us;
    candidate.params.set("stage_k", 4096L);
    CHECK(predicted(model, candidate).time_us == Approx(1.1 * whole_us));
}

TEST_CASE("For a kernel that was measured nowhere the most similar of its family stands") {
    const auto with = [](TableEntry entry, std::int64_t warps, std::int64_t stages) {
        entry.params.set("warps", warps);
        entry.params.set("stages", stages);
        return entry;
    };
    const std::vector<TableEntry> measured_kernels{with(measured("a", 1, 4096, 10), 4, 2),
                                                   with(measured("a", 1, 4096, 12), 8, 2),
                                                   with(measured("a", 1, 4096, 15), 8, 4),
                                                   with(measured("a", 1, 8192, 40), 4, 2),
                                                   measured("b", 1, 8192, 44)};
    const CostModel model(measured_kernels, kUnits);
    const auto time_us = [&](std::int64_t warps, std::int64_t stages) {
        return predicted(model, with(kernel("a", 1, 5792), warps, stages)).time_us;
    };
    // Both parameters of (16, 3) are others everywhere; (8, 3) is nearest to the faster of two at
    // the one matrix, and to (4, 2) at the other.
    CHECK(time_us(16, 3) == Approx(1.1 * 1.1 * time_us(4, 2)));
    CHECK(time_us(8, 3) > 1.1 * time_us(4, 2));
    CHECK(model.evidence(with(kernel("a", 1, 5792), 8, 3))[0].differing +
              model.evidence(with(kernel("a", 1, 5792), 8, 3))[1].differing ==
          3);
    CHECK(model.evidence(with(kernel("a", 1, 5792), 8, 2))[1].differing == 0);
    CHECK(model.predicted({with(kernel("b", 1, 5792), 4, 2)}).empty());

    SECTION("not for one that failed at some matrix, or where none may") {
        const TableEntry wrong = with(kernel("a", 1, 8192), 16, 3);
        const CostModel knowing(
            measured_kernels, kUnits, {{{wrong.problem, wrong.family, wrong.params}}});
        CHECK(knowing.predicted({with(kernel("a", 1, 5792), 16, 3)}).empty());
        CHECK(knowing.predicted({with(kernel("a", 1, 5792), 8, 3)}).size() == 1);
        const CostModel strict(measured_kernels, kUnits, std::nullopt);
        CHECK(strict.predicted({with(kernel("a", 1, 5792), 8, 3)}).empty());
        CHECK(strict.predicted({with(kernel("a", 1, 5792), 8, 2)}).size() == 1);
    }
}

TEST_CASE("A kernel whose last wave is full is chosen where full waves were seen to be faster") {
    // Each takes as long as its busiest unit: rows of `a` fill the device at 4000, of `b` at 6000.
    const auto with_grid = [](TableEntry entry, std::int64_t rows) {
        entry.plan.steps[0].grid[0] =
            static_cast<std::uint32_t>(ceil_div(entry.problem.shape.n, rows));
        return entry;
    };
    const auto busiest = [&](const std::string& name, std::int64_t extent, std::int64_t rows) {
        const double waves = std::ceil(static_cast<double>(ceil_div(extent, rows)) / kUnits);
        return with_grid(
            measured(name, 1, extent, waves * static_cast<double>(rows * extent) / 1e4), rows);
    };
    std::vector<TableEntry> all;
    for (const std::int64_t extent : {4000, 8000, 9000, 16000}) {
        all.push_back(busiest("a", extent, 40));
        all.push_back(busiest("b", extent, 60));
    }
    const CostModel model(all, kUnits);
    for (const std::int64_t extent : {6000, 12000}) {
        const double a = predicted(model, with_grid(kernel("a", 1, extent), 40)).time_us;
        const double b = predicted(model, with_grid(kernel("b", 1, extent), 60)).time_us;
        INFO(extent);
        CHECK((a > b) == (busiest("a", extent, 40).time_us > busiest("b", extent, 60).time_us));
    }
}

TEST_CASE("Entries of an extrapolated matrix are for every m, in one layout, and marked") {
    std::vector<TableEntry> all;
    std::vector<TableEntry> candidates;
    for (const std::int64_t m : {1, 16, 64}) {
        all.push_back(measured("a", m, 4096, 10));
        all.push_back(measured("b", m, 4096, m == 16 ? 9 : 11));
        TableEntry canonical = measured("c", m, 4096, m == 64 ? 9 : 12);
        canonical.layout = Layout::kCanonical;
        all.push_back(canonical);
    }
    for (TableEntry entry : all) {
        entry.problem.shape.n = 5120;
        candidates.push_back(entry);
    }
    const CostModel model(all, kUnits);
    CHECK(model.swept_m(all[0].problem) == std::vector<std::int64_t>{1, 16, 64});
    const auto entries = extrapolated_entries(model, candidates);
    REQUIRE(entries.size() == 3);
    CHECK(entries[0].family == "a");
    CHECK(entries[1].family == "b");
    CHECK(entries[2].family == "a");
    CHECK(entries[0].first_m == 1);
    CHECK_FALSE(entries[2].last_m);
    for (const TableEntry& entry : entries) {
        CHECK(entry.extrapolated);
        CHECK(entry.layout == Layout::kFragment);
        CHECK(entry.nrmse == 0.001);
    }
    const auto few = extrapolated_entries(model, candidates, {.max_kernels = 1});
    REQUIRE(few.size() == 3);
    CHECK(few[0].family == few[1].family);

    DispatchTable table;
    table.entries = {measured("a", 1, 8192, 40)};
    CHECK_FALSE(has_matrix(table, candidates[0].problem));
    add_entries(table, entries);
    CHECK(has_matrix(table, candidates[0].problem));
    CHECK(table.entries[0].problem.shape.n == 5120);
    CHECK(table.entries[3].problem.shape.n == 8192);
    const TableEntry* served = entry_for(table, {{500, 5120, 4096}, {4, 64}, ElementType::kBf16});
    REQUIRE(served != nullptr);
    CHECK(served->extrapolated);
    CHECK(extrapolated_entries(CostModel({}, kUnits), candidates).empty());
}

TEST_CASE("Each matrix in turn is left out to see what a choice by the others loses") {
    std::vector<TableEntry> all = two_matrices();
    const std::vector<HeldOut> found = held_out(all, kUnits);
    REQUIRE(found.size() == 2);
    // By 8192² alone `large` serves 4096², by 4096² alone `small` serves 8192².
    CHECK(found[0].problem.shape.n == 4096);
    CHECK(found[0].loss == Approx(0.3));
    CHECK(found[1].loss == Approx(0.25));
    CHECK(mean_loss(found) == Approx(std::sqrt(1.3 * 1.25) - 1));
    std::erase_if(all, [](const TableEntry& entry) { return entry.problem.shape.n == 8192; });
    CHECK(held_out(all, kUnits).empty());
    CHECK(mean_loss({}) == 0);
}
