#include "results/dispatch_table.hpp"
#include "tests/catch.hpp"
#include "tests/results/fixture.hpp"

#include <cstdlib>

using namespace fdkbench;

namespace {

std::string find_compiler() {
    for (const char* name : {"c++", "g++", "clang++"}) {
        if (std::system((std::string("command -v ") + name + " >/dev/null").c_str()) == 0) {
            return name;
        }
    }
    skip_program("no C++ compiler to compile the exported header with");
}

/// Compiles main.cpp in the folder, warnings being errors.
bool compile(const TemporaryFolder& folder, const std::string& options) {
    static const std::string compiler = find_compiler();
    const std::string command = compiler + " -std=c++17 -Wall -Wextra -Wpedantic -Werror " +
                                (folder / "main.cpp").string() + " " + options;
    return std::system(command.c_str()) == 0;
}

DispatchTable table() {
    DispatchTable table;
    table.device_name = "Fictional 100 \"quoted\" \\ ?\?/ ünïcode";
    table.device_arch = "sm_90a";
    table.date = "2026-01-02T03:04:05.678Z";
    for (const int m : {1, 16}) {
        const Candidate kernel = candidate(m, small_problem(m));
        TableEntry entry;
        entry.problem = kernel.problem;
        entry.first_m = m == 1 ? 1 : 7;
        entry.family = kernel.family;
        entry.params = kernel.params;
        entry.plan = kernel.plan;
        entry.binary_hash = hash_of(kernel);
        entry.time_us = 12.5;
        entry.ratio = 3;
        table.entries.push_back(entry);
    }
    table.entries[0].last_m = 6;
    table.entries[1].plan.tiling =
        RowTiling{.m_tile = 8, .most_m = 4096, .workspace_bytes_per_tile = 2048};
    table.entries[1].plan.steps[0].grid = {3, 2, 1};
    table.entries[1].plan.steps[0].grid_per_tile = {0, 1, 0};
    LaunchStep matmul;
    matmul.kind = LaunchStep::Kind::kMatmul;
    table.entries[1].plan.steps.push_back(matmul);
    table.entries[1].plan.workspace_bytes = 4096;
    table.entries[1].plan.steps[0].waits_for_predecessor = true;
    table.entries[1].launch_mode = LaunchMode::kDependent;
    table.entries[1].plan.steps[0].tensor_maps = {{.operand = TensorMap::Operand::kX,
                                                   .element_bytes = 2,
                                                   .size = {64, 16, 4},
                                                   .strides = {512, 128},
                                                   .box = {64, 8, 2},
                                                   .swizzled = true,
                                                   .row_step = 4,
                                                   .whole_depth = 2},
                                                  {.operand = TensorMap::Operand::kW,
                                                   .element_bytes = 4,
                                                   .size = {128, 4, 8},
                                                   .strides = {512, 2048},
                                                   .box = {128, 1, 2},
                                                   .swizzled = false}};
    return table;
}

}  // namespace

TEST_CASE("The exported header compiles alone and finds entries at compile time") {
    const TemporaryFolder folder;
    write_file(folder / "table.hpp", to_header(table()));
    write_file(folder / "main.cpp", R"(#include "table.hpp"
#include "table.hpp"

constexpr const fdkbench_table::Entry* kFound = fdkbench_table::find(16, 128, 256, 4, 64);
static_assert(kFound->family == "lut_mv");
static_assert(kFound->params == "{\"warps\":16,\"decode\":\"prmt\"}");
static_assert(kFound->time_us == 12.5 && kFound->ratio == 3);
static_assert(kFound->ratio_lo == 0 && kFound->ratio_hi > 1e300);  // no interval
static_assert(kFound->steps == 2 && kFound->first_step == 1 && kFound->workspace_bytes == 4096);
static_assert(fdkbench_table::kSteps[kFound->first_step].block[0] == 512);
static_assert(*fdkbench_table::kSteps[kFound->first_step + 1].kernel == 0);
static_assert(kFound->launch_mode == "dependent" && kFound[-1].launch_mode == "plain");
static_assert(fdkbench_table::kSteps[kFound->first_step].waits_for_predecessor);
static_assert(!fdkbench_table::kSteps[0].waits_for_predecessor);
static_assert(fdkbench_table::kSteps[0].tensor_map_count == 0);
static_assert(fdkbench_table::kSteps[1].tensor_map_count == 2);
static_assert(fdkbench_table::kSteps[1].tensor_maps[0].operand == "x");
static_assert(fdkbench_table::kSteps[1].tensor_maps[0].rank == 3);
static_assert(fdkbench_table::kSteps[1].tensor_maps[0].swizzled);
static_assert(fdkbench_table::kSteps[1].tensor_maps[1].size[2] == 8);
static_assert(fdkbench_table::kSteps[1].tensor_maps[1].strides[1] == 2048);
static_assert(fdkbench_table::kSteps[1].tensor_maps[1].box[0] == 128);
static_assert(fdkbench_table::find(7, 128, 256, 4, 64) == kFound && kFound->m == 16);
static_assert(fdkbench_table::find(std::int64_t{1} << 40, 128, 256, 4, 64) == kFound);
static_assert(fdkbench_table::find(6, 128, 256, 4, 64) == kFound - 1 && kFound[-1].m == 1);
static_assert(fdkbench_table::find(0, 128, 256, 4, 64) == nullptr);
static_assert(kFound->m_tile == 8 && kFound->most_m == 4096);
static_assert(kFound[-1].m_tile == 1 && kFound[-1].most_m == 1);  // its plan follows no other m
constexpr const fdkbench_table::Step& kStep = fdkbench_table::kSteps[kFound->first_step];
static_assert(grid(*kFound, kStep, 0, 17) == 3 && grid(*kFound, kStep, 1, 17) == 3);
static_assert(grid(*kFound, kStep, 1, 16) == kStep.grid[1]);
static_assert(workspace_bytes(*kFound, 16) == 4096 && workspace_bytes(*kFound, 17) == 6144);
static_assert(workspace_bytes(kFound[-1], 1) == 0);
static_assert(box(*kFound, kStep.tensor_maps[0], 1, 3) == 4);
static_assert(box(*kFound, kStep.tensor_maps[0], 1, 5) == 8);
static_assert(box(*kFound, kStep.tensor_maps[0], 1, 17) == 8);  // a tile
static_assert(box(*kFound, kStep.tensor_maps[0], 2, 3) == 1);
static_assert(box(*kFound, kStep.tensor_maps[0], 2, 5) == 2);
static_assert(box(*kFound, kStep.tensor_maps[1], 1, 3) == 1);  // not of x
static_assert(fdkbench_table::find(16, 128, 256, 4, 32) == nullptr);
static_assert(fdkbench_table::find(16, 128, 256, 4, 64, "fp16") == nullptr);
static_assert(fdkbench_table::kArch == "sm_90a");

int main(int argc, char**) {
    const fdkbench_table::Entry* entry = fdkbench_table::find(argc, 128, 256, 4, 64);
    return entry != nullptr && entry->binary_hash == "hash-key1" &&
                   fdkbench_table::kDevice == "Fictional 100 \"quoted\" \\ ?\?/ ünïcode"
               ? 0
               : 1;
}
)");
    const std::string program = (folder / "program").string();
    REQUIRE(compile(folder, "-o " + program));
    CHECK(std::system(program.c_str()) == 0);
}

TEST_CASE("A header without entries still compiles") {
    const TemporaryFolder folder;
    write_file(folder / "table.hpp", to_header(DispatchTable{}));
    write_file(folder / "main.cpp",
               "#include \"table.hpp\"\n"
               "static_assert(fdkbench_table::find(1, 1, 1, 4, 64) == nullptr);\n");
    CHECK(compile(folder, "-fsyntax-only"));
}
