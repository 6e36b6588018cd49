#include "tuner/shard.hpp"

#include "src/core/error.hpp"
#include "tests/catch.hpp"
#include "tuner/problems.hpp"

#include <map>

using namespace fdkbench;
using Catch::Matchers::ContainsSubstring;

namespace {

using Variables = std::map<std::string, std::string>;

Shard automatic(const Variables& variables) {
    return shard_from("auto", [&](const std::string& name) -> std::optional<std::string> {
        const auto entry = variables.find(name);
        return entry == variables.end() ? std::nullopt : std::optional(entry->second);
    });
}

Shard typed(const std::string& text) {
    return shard_from(text, [](const std::string&) { return std::nullopt; });
}

Variables slurm_array(const std::string& id,
                      const std::string& first,
                      const std::string& last,
                      const std::string& count,
                      const std::string& step = "1") {
    return {{"SLURM_ARRAY_TASK_ID", id},
            {"SLURM_ARRAY_TASK_MIN", first},
            {"SLURM_ARRAY_TASK_MAX", last},
            {"SLURM_ARRAY_TASK_COUNT", count},
            {"SLURM_ARRAY_TASK_STEP", step}};
}

void check_refused(const Variables& variables, const std::string& why) {
    INFO(why);
    CHECK_THROWS_AS(automatic(variables), UsageError);
    CHECK_THROWS_WITH(automatic(variables), ContainsSubstring(why) && ContainsSubstring("i/n"));
}

}  // namespace

TEST_CASE("Shares follow each other, are nearly equal and together the whole") {
    for (const std::size_t cells : {0, 1, 5, 12, 97}) {
        for (std::size_t count = 1; count <= 14; ++count) {
            std::size_t next = 0;
            for (std::size_t index = 1; index <= count; ++index) {
                const Share share = share_of({index, count}, cells);
                CHECK(share.first == next);
                const std::size_t size = share.last - share.first;
                CHECK((size == cells / count || size == cells / count + 1));
                next = share.last;
            }
            CHECK(next == cells);
        }
    }
    CHECK(share_of({2, 3}, 5) == Share{2, 4});
    CHECK(share_of({3, 3}, 2) == Share{2, 2});
}

TEST_CASE("A share keeps neighbours: one weight matrix with several m") {
    ProblemAxes axes;
    axes.m = {16, 1};
    axes.n = {"k"};
    axes.k = {512, 256};
    axes.group_size = {"64"};
    axes.bits = {4};
    axes.types = {ElementType::kBf16};
    const std::vector<Problem> problems = problems_from(axes);
    const auto first = cells_of(share_of({1, 2}, problems.size()), problems);
    REQUIRE(first.size() == 2);
    CHECK(first[0].shape == Shape{1, 256, 256});
    CHECK(first[1].shape == Shape{16, 256, 256});
    const auto second = cells_of(share_of({2, 2}, problems.size()), problems);
    REQUIRE(second.size() == 2);
    CHECK(second[0].shape == Shape{1, 512, 512});
    CHECK(cells_of(share_of({5, 5}, problems.size()), problems).empty());
}

TEST_CASE("A typed share is i/n with i from 1 to n") {
    CHECK(typed("1/1") == Shard{1, 1});
    CHECK(typed("3/8") == Shard{3, 8});
    for (const std::string text :
         {"", "3", "/", "0/3", "4/3", "-1/3", "1/0", "1/3/5", "a/b", "1/ 3", "1/2000000", "Auto"}) {
        INFO(text);
        CHECK_THROWS_AS(typed(text), UsageError);
        CHECK_THROWS_WITH(typed(text),
                          ContainsSubstring("'" + text + "'") && ContainsSubstring("1/4"));
    }
}

TEST_CASE("A task of a Slurm array takes its place in the array's list") {
    CHECK(automatic(slurm_array("1", "1", "4", "4")) == Shard{1, 4});
    CHECK(automatic(slurm_array("3", "0", "3", "4")) == Shard{4, 4});
    CHECK(automatic(slurm_array("10", "4", "16", "5", "3")) == Shard{3, 5});
    CHECK(automatic(slurm_array("7", "7", "7", "1")) == Shard{1, 1});
    Variables without_step = slurm_array("2", "1", "4", "4");
    without_step.erase("SLURM_ARRAY_TASK_STEP");
    CHECK(automatic(without_step) == Shard{2, 4});
}

TEST_CASE("A Slurm array that is a list is refused by each of its tasks") {
    for (const std::string id : {"1", "4", "5"}) {
        check_refused(slurm_array(id, "1", "5", "3"),
                      "array of 3 tasks from 1 to 5 is no range in which task " + id);
    }
    check_refused(slurm_array("3", "1", "7", "3", "3"), "task 3");
    check_refused(slurm_array("9", "1", "7", "7"), "task 9");
    check_refused(slurm_array("0", "0", "0", "0"), "task 0");
    check_refused(slurm_array("1", "1", "1", "1", "0"), "task 1");
    check_refused(slurm_array("x", "1", "7", "7"), "SLURM_ARRAY_TASK_ID='x'");
    Variables variables = slurm_array("1", "1", "4", "4");
    variables.erase("SLURM_ARRAY_TASK_COUNT");
    check_refused(variables, "SLURM_ARRAY_TASK_COUNT is not set");
}

TEST_CASE("A Kubernetes indexed job says its index; the number of shards is set beside it") {
    CHECK(automatic({{"JOB_COMPLETION_INDEX", "0"}, {"FDKBENCH_SHARDS", "3"}}) == Shard{1, 3});
    CHECK(automatic({{"JOB_COMPLETION_INDEX", "2"}, {"JOB_COMPLETIONS", "3"}}) == Shard{3, 3});
    check_refused({{"JOB_COMPLETION_INDEX", "2"}}, "FDKBENCH_SHARDS");
    check_refused({{"JOB_COMPLETION_INDEX", "3"}, {"FDKBENCH_SHARDS", "3"}},
                  "number 3 (from 0) of 3");
}

TEST_CASE("A process of an MPI launcher or a Slurm job takes the share of its rank") {
    CHECK(automatic({{"OMPI_COMM_WORLD_RANK", "1"}, {"OMPI_COMM_WORLD_SIZE", "4"}}) == Shard{2, 4});
    CHECK(automatic({{"PMI_RANK", "0"}, {"PMI_SIZE", "2"}}) == Shard{1, 2});
    CHECK(automatic({{"MV2_COMM_WORLD_RANK", "5"}, {"MV2_COMM_WORLD_SIZE", "6"}}) == Shard{6, 6});
    CHECK(automatic({{"SLURM_PROCID", "2"}, {"SLURM_NTASKS", "3"}}) == Shard{3, 3});
    check_refused({{"PMI_RANK", "0"}}, "PMI_SIZE is not set");
    check_refused({{"SLURM_PROCID", "3"}, {"SLURM_NTASKS", "3"}}, "SLURM_PROCID says number 3");
    check_refused({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "99999999"}}, "99999999");
}

TEST_CASE("Of several sources the array comes first, and the Slurm tasks last") {
    Variables variables = slurm_array("2", "1", "4", "4");
    variables.insert({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "1"}});
    CHECK(automatic(variables) == Shard{2, 4});
    CHECK(automatic({{"SLURM_PROCID", "0"},
                     {"SLURM_NTASKS", "1"},
                     {"OMPI_COMM_WORLD_RANK", "1"},
                     {"OMPI_COMM_WORLD_SIZE", "2"}}) == Shard{2, 2});
}

TEST_CASE("Without any source the message names what is looked for") {
    for (const std::string name :
         {"SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX", "OMPI_COMM_WORLD_RANK", "SLURM_PROCID"}) {
        check_refused({}, name);
    }
}
