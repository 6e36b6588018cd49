#include "results/dispatch_table.hpp"
#include "results/table_cost.hpp"
#include "tests/catch.hpp"
#include "tests/results/fixture.hpp"

#include <fmt/format.h>

#include <set>

using namespace fdkbench;

namespace {

struct Kernel {
    std::int64_t warps = 1;
    Layout layout = Layout::kCanonical;
    bool repeatable = true;
    bool with_library = false;
    bool follows_m = true;
};

/// A store with a run under way, into which kernels that follow m by tiles of 16 rows are put.
struct Fixture {
    Fixture() { store.begin_run(fictional_run()); }
    void add(const Kernel& kernel,
             std::int64_t m,
             double ratio,
             const WeightFormat& format = {4, 64}) {
        Problem problem = small_problem(m);
        problem.format = format;
        Candidate added = candidate(kernel.warps, problem);
        added.layout = kernel.layout;
        added.plan.steps.front().grid = {1, 1, 1};
        if (kernel.with_library) {
            added.plan.steps.emplace_back().kind = LaunchStep::Kind::kMatmul;
        }
        if (kernel.follows_m) {
            added.plan.tiling = RowTiling{.m_tile = 16};
        }
        Measurement measurement = correct(ratio);
        measurement.repeatable = kernel.repeatable;
        store.add(added, hash_of(added) + std::to_string(format.bits), measurement);
    }
    /// "m:warps" of every entry.
    [[nodiscard]] std::string text(const TableRules& rules) const {
        std::string text;
        for (const TableEntry& entry : read_table(store, "", rules).entries) {
            text += fmt::format("{}{}:{}",
                                text.empty() ? "" : " ",
                                entry.problem.shape.m,
                                entry.params.number("warps"));
        }
        return text;
    }
    [[nodiscard]] std::string cost(const std::string& what, const TableRules& rules) const {
        return cost_text(
            what,
            table_costs(read_table(store, "", rules), read_table(store, ""), rules.weights),
            rules.limit() > 0);
    }
    TemporaryFolder folder;
    Store store = Store::open(folder / "a.db");
};

}  // namespace

TEST_CASE("A repeatable table has no kernel whose results differed, and says what that costs") {
    Fixture fixture;
    fixture.add({.warps = 1, .repeatable = false}, 1, 4);
    fixture.add({.warps = 2}, 1, 3.2);
    fixture.add({.warps = 2}, 16, 2);
    CHECK(fixture.text({}) == "1:1 16:2");
    CHECK(fixture.text({.repeatable = true}) == "1:2 16:2");
    const std::string cost = fixture.cost("--repeatable", {.repeatable = true});
    // √1.25 = 1.118
    CHECK(cost ==
          "--repeatable costs, over 2 cells: geometric mean 11.8 %, worst 25.0 % (m=1 n=128 k=256 "
          "bits=4 group_size=64 bf16)\n"
          "  n=128 k=256 bits=4 group_size=64 bf16: geometric mean 11.8 %, worst 25.0 % (m=1)\n");
}

TEST_CASE("What no kernel keeps to is left out and said") {
    Fixture fixture;
    fixture.add({.warps = 1, .repeatable = false}, 1, 4);
    fixture.add({.warps = 1, .repeatable = false}, 16, 4);
    fixture.add({.warps = 2}, 1, 3, {2, 64});
    CHECK(fixture.text({.repeatable = true}) == "1:2");
    CHECK_THAT(fixture.cost("--repeatable", {.repeatable = true}),
               ContainsSubstring("bits=4 group_size=64 bf16: left out for m = 1, 16: no kernel "
                                 "keeps to --repeatable"));
}

TEST_CASE("A batch-invariant table has one kernel for every m of a matrix") {
    Fixture fixture;
    for (const std::int64_t m : {1, 5, 64}) {
        fixture.add({.warps = 1}, m, m == 1 ? 5 : 1);
        fixture.add({.warps = 2}, m, m == 64 ? 5 : 1);
        fixture.add({.warps = 4}, m, 4);
        fixture.add({.warps = 8, .repeatable = false}, m, 6);
        fixture.add({.warps = 16, .with_library = true}, m, 7);
        fixture.add({.warps = 32, .follows_m = false}, m, 8);
    }
    const TableRules rules{.batch_invariant = true};
    CHECK(fixture.text(rules) == "1:4 5:4 64:4");
    const DispatchTable table = read_table(fixture.store, "", rules);
    std::set<std::string> hashes;
    std::int64_t next = 1;
    for (const TableEntry& entry : table.entries) {
        hashes.insert(entry.binary_hash);
        CHECK(for_m(entry.plan, 1) == for_m(table.entries.front().plan, 1));
        CHECK_FALSE(has_matmul(entry.plan));
        CHECK(entry.repeatable);
        CHECK(entry.first_m == next);
        next = entry.last_m.value_or(0) + 1;
    }
    CHECK(hashes.size() == 1);
    CHECK_FALSE(table.entries.back().last_m.has_value());
    CHECK_THAT(
        fixture.cost("--batch-invariant", rules),
        ContainsSubstring("100.0 % more time in all; geometric mean 100.0 %, worst 100.0 %"));

    TableRules weighted = rules;
    weighted.weights = {{64, 1}};
    CHECK(fixture.text(weighted) == "1:2 5:2 64:2");
}

TEST_CASE("A batch-invariant table asks for a kernel that serves any m without the library") {
    const auto [kernel, served] = GENERATE(table<Kernel, bool>({{{.warps = 1}, true},
                                                                {{.repeatable = false}, false},
                                                                {{.with_library = true}, false},
                                                                {{.follows_m = false}, false}}));
    Fixture fixture;
    fixture.add(kernel, 1, 2);
    CHECK(fixture.text({.batch_invariant = true}).empty() != served);
    // Only that is what library steps and results that differ are refused for.
    CHECK(fixture.text({.max_kernels = 1}).empty() != kernel.follows_m);
}

TEST_CASE("Every matrix has its own few kernels, in the layout that the table has") {
    Fixture fixture;
    fixture.add({.warps = 1, .layout = Layout::kFragment}, 1, 9);
    fixture.add({.warps = 2, .layout = Layout::kFragment}, 16, 9);
    fixture.add({.warps = 4, .layout = Layout::kFragment}, 1, 2);
    fixture.add({.warps = 4, .layout = Layout::kFragment}, 16, 2);
    fixture.add({.warps = 8}, 1, 8);
    fixture.add({.warps = 8}, 16, 8);
    fixture.add({.warps = 1}, 1, 2, {2, 64});
    CHECK(fixture.text({}) == "1:1 1:1 16:2");
    fixture.add({.warps = 1, .layout = Layout::kFragment}, 16, 3);
    fixture.add({.warps = 2, .layout = Layout::kFragment}, 1, 1);
    CHECK(fixture.text({.max_kernels = 2}) == "1:1 1:1 16:2");
    CHECK(fixture.text({.max_kernels = 1}) == "1:1 1:1 16:1");
    for (const TableEntry& entry : read_table(fixture.store, "", {.max_kernels = 1}).entries) {
        CHECK(entry.layout ==
              (entry.problem.format.bits == 4 ? Layout::kFragment : Layout::kCanonical));
    }
}

TEST_CASE("The cost of few kernels is that of the m that occur") {
    Fixture fixture;
    fixture.add({.warps = 1}, 1, 4);   // 5 us
    fixture.add({.warps = 1}, 16, 1);  // 20 us
    fixture.add({.warps = 2}, 1, 2);   // 10 us
    fixture.add({.warps = 2}, 16, 2);  // 10 us
    // 1: 25 us, 2: 20 us, of 15
    const auto cost = [&](const RowCounts& weights) {
        return fixture.cost("x", {.max_kernels = 1, .weights = weights});
    };
    CHECK_THAT(
        cost({}),
        ContainsSubstring("33.3 % more time in all") && ContainsSubstring("worst 100.0 % (m=1 "));
    // 1: 70 us, 2: 110 us, of 60
    CHECK_THAT(
        cost({{1, 10}, {16, 1}}),
        ContainsSubstring("16.7 % more time in all") && ContainsSubstring("worst 100.0 % (m=16 "));
    CHECK_THAT(cost({{16, 1}}), ContainsSubstring("0.0 % more time in all"));
    // 32 was not measured: two tiles.
    CHECK_THAT(cost({{32, 1}}), ContainsSubstring("0.0 % more time in all"));
}

TEST_CASE("Of many matrices those that lose most are listed") {
    Fixture fixture;
    for (std::int64_t i = 1; i <= 12; ++i) {
        const WeightFormat format{4, 8 * i};
        fixture.add({.warps = 1, .repeatable = false}, 1, 2 + static_cast<double>(i), format);
        fixture.add({.warps = 2}, 1, 2, format);
    }
    const std::string cost = fixture.cost("--repeatable", {.repeatable = true});
    CHECK_THAT(cost,
               ContainsSubstring("over 12 cells") && ContainsSubstring("most of 12 matrices"));
    CHECK(std::count(cost.begin(), cost.end(), '\n') == 10);
    CHECK(cost.find("group_size=96 bf16: geo") < cost.find("group_size=88 bf16: geo"));
    CHECK_THAT(cost, !ContainsSubstring("group_size=32 bf16: geo"));
}
