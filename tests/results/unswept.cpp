#include "results/unswept.hpp"

#include "tests/catch.hpp"

using namespace fdkbench;

namespace {

Problem matrix(std::int64_t n, std::int64_t k, std::int64_t group_size = 64) {
    return {{0, n, k}, {4, group_size}, ElementType::kBf16};
}

std::string between(const std::vector<Problem>& swept) {
    const Problem found = unswept_matrix(swept);
    CHECK(found.format == swept.front().format);
    CHECK(found.shape.k % found.format.group_size == 0);
    return std::to_string(found.shape.n) + "x" + std::to_string(found.shape.k);
}

}  // namespace

TEST_CASE("An m that few matrices have is not common, unless all are so") {
    using Numbers = std::vector<std::int64_t>;
    CHECK(common_m({{1, 3}, {16, 2}, {40, 1}}) == Numbers{1, 16});
    CHECK(common_m({{1, 2}, {16, 1}}) == Numbers{1});
    CHECK(common_m({{1, 5}, {16, 2}, {40, 1}}) == Numbers{1, 16});
    CHECK(common_m({{1, 1}, {16, 1}}) == Numbers{1, 16});
    CHECK(common_m({}).empty());
}

TEST_CASE("Between two m lies their geometric middle, if any number does") {
    using Numbers = std::vector<std::int64_t>;
    CHECK(middles({1, 4, 16, 64, 256}) == Numbers{2, 8, 32, 128});
    CHECK(middles({1, 2, 4}) == Numbers{3});
    CHECK(middles({1, 3}) == Numbers{2});
    CHECK(middles({5}).empty());
    CHECK(middles({}).empty());
}

TEST_CASE("The matrix between the swept ones stands in their widest gap") {
    CHECK(between({matrix(4096, 4096), matrix(6144, 6144), matrix(8192, 8192)}) == "5120x5120");
    CHECK(between({matrix(8192, 8192), matrix(4096, 4096), matrix(5120, 5120)}) == "6400x6400");
    CHECK(between({matrix(4096, 14336), matrix(4096, 4096)}) == "4096x7680");
}

TEST_CASE("Beside a single matrix is one of 1.5 times its extents") {
    CHECK(between({matrix(4096, 4096)}) == "6144x6144");
    CHECK(between({matrix(64, 256)}) == "256x512");
    CHECK(between({matrix(256, 256)}) == "512x512");
}

TEST_CASE("It was not swept, however near others are, and its k has whole groups") {
    CHECK(between({matrix(256, 256), matrix(512, 512), matrix(512, 768)}) == "384x384");
    CHECK(between({matrix(256, 320), matrix(256, 384)}) == "256x256");
    CHECK(between({matrix(256, 1000, 500), matrix(256, 3000, 500)}) == "256x1500");
}

TEST_CASE(
    "A table is checked at the middle m of every matrix and at every common m between matrices") {
    DispatchTable table;
    for (const auto& [n, m] :
         {std::pair{64, 1}, {64, 4}, {64, 16}, {128, 1}, {128, 11}, {128, 16}}) {
        TableEntry entry;
        entry.problem = matrix(n, 256);
        entry.problem.shape.m = m;
        table.entries.push_back(entry);
    }
    std::vector<Shape> shapes;
    for (const Problem& problem : unswept_problems(table)) {
        shapes.push_back(problem.shape);
    }
    CHECK(shapes == std::vector<Shape>{{4, 128, 256}, {1, 256, 256}, {16, 256, 256}});
    CHECK(unswept_problems({}).empty());
}
