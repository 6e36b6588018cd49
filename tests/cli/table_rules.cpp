#include "tests/catch.hpp"
#include "tests/cli/library.hpp"
#include "tests/cli/program.hpp"
#include "tests/cli/refused.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

using namespace fdkbench::test;

namespace {

/// A database with three m of one matrix, and the cache that it was compiled into.
const TemporaryFolder& swept() {
    static const TemporaryFolder folder;
    static const ProgramResult sweep = run_fdkbench(joined(
        host_sweep(
            folder.path("a.db"), folder.path("cache"), {"1x96x512", "5x96x512", "64x96x512"}),
        {"-g", "64", "-j", "2", "--include", "host_lut"}));
    INFO(sweep.err);
    REQUIRE(sweep.exit_code == 0);
    return folder;
}

ProgramResult export_table(const std::vector<std::string>& more) {
    return run_fdkbench(
        joined({"export-table", "--db", swept().path("a.db"), "--cache-dir", swept().path("cache")},
               more));
}

ProgramResult explain(const std::vector<std::string>& more) {
    return run_fdkbench(joined({"explain", "--db", swept().path("a.db")}, more));
}

std::vector<std::string> problem(int m) {
    return {"-m", std::to_string(m), "-n", "96", "-k", "512", "-b", "4"};
}

/// "family name=value …" of the entry of a table in JSON that is for m.
std::string kernel_for(const std::string& table, int m) {
    const ProgramResult found = run_shell(
        "python3 -c \"\nimport json\n"
        "for e in json.load(open('" +
        table + "'))['entries']:\n    m = " + std::to_string(m) +
        "\n    if e['first_m'] <= m <= (e['last_m'] or m):\n"
        "        print(e['family'], *(f'{k}={v}' for k, v in e['params'].items()))\n\"");
    INFO(found.err);
    REQUIRE(found.exit_code == 0);
    return found.out;
}

std::string value(const std::string& table, const std::string& python) {
    const ProgramResult found = run_shell("python3 -c \"import json; t = json.load(open('" + table +
                                          "')); print(" + python + ")\"");
    INFO(found.err);
    REQUIRE(found.exit_code == 0);
    return found.out;
}

/// The line that begins with this word, without it and the spaces behind it; "" without one.
std::string line_of(const std::string& text, const std::string& word) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with(word + " ")) {
            return line.substr(line.find_first_not_of(' ', word.size())) + "\n";
        }
    }
    return "";
}

/// Multiplies 64 rows whose products are all rounding, and rows of them alone and by five; prints
/// how many values differ.
constexpr const char* kCompareRows = R"(
#include <cstdio>
#include <cstring>
#include <fdk.h>
#include <random>
#include <vector>
int main(int, char** argv) {
    constexpr int kN = 96, kK = 512, kM = 64;
    const fdk_format format{.n = kN, .k = kK, .group_size = 64, .bits = 4, .type = FDK_BF16, .layout = FDK_CANONICAL};
    std::vector<float> w(kN * kK);
    std::vector<uint16_t> x(kM * kK), scale(kN * kK / 64);
    std::vector<uint8_t> weights(kN * kK / 2);
    std::mt19937 random;
    std::normal_distribution<float> normal;
    for (float& value : w) value = normal(random);
    for (uint16_t& value : x) value = 0x3f00 + random() % 256;
    for (int row = 0; row < kM; ++row)
        for (int i = 0; i < kK / 2; ++i) x[row * kK + kK / 2 + i] = x[row * kK + i] ^ 0x8000;
    fdk_table* table = nullptr;
    fdk_matrix* matrix = nullptr;
    if (fdk_quantise(&format, w.data(), FDK_FP32, nullptr, weights.data(), scale.data())) return 1;
    for (int row = 0; row < kN; ++row) {
        std::memcpy(&weights[row * kK / 2 + kK / 4], &weights[row * kK / 2], kK / 4);
        std::memcpy(&scale[row * 8 + 4], &scale[row * 8], 8);
    }
    if (fdk_table_load(argv[1], &table)) return 1;
    if (fdk_matrix_create(
            table, &format, weights.data(), scale.data(), nullptr, nullptr, &matrix)) return 1;
    alignas(16) static uint16_t from[kM * kK], to[kM * kN], all[kM * kN];
    const auto multiply = [&](int first, int m, uint16_t* y) {
        std::memcpy(from, &x[first * kK], m * kK * 2);
        return fdk_matmul(matrix, nullptr, from, m, y) == FDK_OK;
    };
    if (!multiply(0, kM, all)) return 1;
    int different = 0, zero = 0;
    for (const int m : {1, 5})
        for (int first = 0; first + m <= kM; ++first) {
            if (!multiply(first, m, to)) return 1;
            for (int i = 0; i < m * kN; ++i) different += to[i] != all[first * kN + i];
        }
    for (const uint16_t y : all) zero += y == 0;
    std::printf("%d different, %s\n", different, zero < kM * kN / 2 ? "none by chance" : "zeros");
}
)";

}  // namespace

TEST_CASE("A batch-invariant bundle gives a row bit for bit at m = 1, 5 and 64") {
    const TemporaryFolder folder;
    const std::string table = folder.path("table.json");
    const ProgramResult written = export_table({"--batch-invariant", "-o", table});
    INFO(written.err);
    REQUIRE(written.exit_code == 0);
    CHECK_THAT(written.err,
               ContainsSubstring("--batch-invariant costs, over 3 cells: ") &&
                   ContainsSubstring(" more time in all; geometric mean "));
    CHECK(value(table, "len({e['binary_hash'] for e in t['entries']})") == "1\n");
    CHECK(value(table, "t['entries'][0]['first_m'], t['entries'][-1]['last_m']") == "1 None\n");

    const std::string bundle = folder.path("host.fdk");
    REQUIRE(export_table({"--batch-invariant", "--bundle", bundle}).exit_code == 0);
    const std::string source = folder.path("rows.cpp");
    std::ofstream(source) << kCompareRows;
    const ProgramResult compared =
        run_shell("c++ -std=c++20 '" + source + "' " + against_library() + " -o '" +
                  folder.path("rows") + "' && '" + folder.path("rows") + "' '" + bundle + "'");
    INFO(compared.err);
    CHECK(compared.exit_code == 0);
    CHECK(compared.out == "0 different, none by chance\n");
}

TEST_CASE("What is explained is what the table has, whatever the rules") {
    const TemporaryFolder folder;
    for (const std::vector<std::string>& rules : {std::vector<std::string>{},
                                                  {"--repeatable"},
                                                  {"--max-kernels", "1"},
                                                  {"--max-kernels", "2", "--weights", "1:100,64:1"},
                                                  {"--batch-invariant", "--weights", "1:1"}}) {
        const std::string table = folder.path("table.json");
        REQUIRE(export_table(joined({"-o", table}, rules)).exit_code == 0);
        std::string typed;
        for (const std::string& word : rules) {
            typed += (typed.empty() ? "" : " ") + word;
        }
        CHECK(value(table, "t['rules']") == typed + "\n");
        for (const int m : {1, 3, 5, 30, 64, 100}) {
            const ProgramResult why = explain(joined(problem(m), rules));
            INFO("m " << m << "\n" << why.out << why.err);
            REQUIRE(why.exit_code == 0);
            CHECK(line_of(why.out, "kernel") == kernel_for(table, m));
            CHECK_FALSE(line_of(why.out, "entry").empty());
            CHECK_FALSE(line_of(why.out, "runner-up").empty());
            CHECK_FALSE(line_of(why.out, "oneDNN").empty());
            CHECK(line_of(why.out, "measured").empty() != line_of(why.out, "predicted").empty());
        }
    }
}

TEST_CASE("An explanation has the figures of the measurement") {
    const ProgramResult why = explain(problem(5));
    REQUIRE(why.exit_code == 0);
    CHECK_THAT(why.out, ContainsSubstring("m=5 n=96 k=512 bits=4 group_size=64 bf16 on "));
    CHECK_THAT(line_of(why.out, "measured"),
               ContainsSubstring(" us, ratio ") && ContainsSubstring(" of the floor, nrmse ") &&
                   ContainsSubstring("repeatable"));
    const ProgramResult other = explain(problem(7));
    REQUIRE(other.exit_code == 0);
    CHECK_THAT(line_of(other.out, "predicted"),
               ContainsSubstring(" us by its tiles of rows, from the measurement at m = "));
}

TEST_CASE("A format that was not swept is refused with the nearest and the sweep that adds it") {
    check_refused(explain({"-m", "16", "-n", "100", "-k", "512", "-b", "2", "-t", "fp16"}),
                  2,
                  {"n=100 k=512 bits=2 group_size=64 fp16",
                   "n=96 k=512 bits=4 group_size=64 bf16",
                   "fdkbench sweep --shape 16x100x512 -b 2 -g 64 -t fp16 --device host --db "});
    check_refused(explain({"-m", "1", "-n", "96", "-k", "512", "-b", "16"}),
                  2,
                  {"fdkbench sweep --shape 1x96x512 -b 16 --device host --db "});
}

TEST_CASE("A matrix that was not swept is extrapolated, marked, for every m and by the rules") {
    const TemporaryFolder folder;
    const std::string table = folder.path("table.json");
    const ProgramResult written =
        export_table({"--extrapolate", "64x768", "96x512", "100x500", "-o", table});
    CHECK(written.exit_code == 2);
    CHECK_THAT(written.err, ContainsSubstring("500") && ContainsSubstring("64"));

    const ProgramResult more =
        export_table({"--extrapolate", "64x768", "96x512", "--batch-invariant", "-o", table});
    INFO(more.err);
    REQUIRE(more.exit_code == 0);
    CHECK_THAT(more.err,
               ContainsSubstring("n=96 k=512 bits=4 group_size=64 bf16: swept") &&
                   ContainsSubstring(" extrapolated; "));
    CHECK(value(table, "sorted({(e['n'], e['extrapolated']) for e in t['entries']})") ==
          "[(64, True), (96, False)]\n");
    const std::string added = "[e for e in t['entries'] if e['n'] == 64]";
    CHECK(value(table, "len({str(e['params']) for e in " + added + "})") == "1\n");
    CHECK(value(table, added + "[0]['first_m'], " + added + "[-1]['last_m']") == "1 None\n");
    CHECK(value(table, "t['entries'][0]['binary_hash'] + str(t['entries'][0]['ratio_lo'])") ==
          "None\n");
    const ProgramResult csv = export_table({"--extrapolate", "64x768", "--format", "csv"});
    CHECK_THAT(csv.out, ContainsSubstring(",extrapolated\n") && ContainsSubstring(",true\n"));
    const std::string header = folder.path("table.hpp");
    REQUIRE(
        export_table({"--extrapolate", "64x768", "--format", "header", "-o", header}).exit_code ==
        0);
    const std::string program = folder.path("lookup.cpp");
    std::ofstream(program)
        << "#include \"" << header
        << "\"\nstatic_assert(fdkbench_table::find(500, 64, 768, 4, 64)->extrapolated);\n"
           "static_assert(!fdkbench_table::find(500, 96, 512, 4, 64)->extrapolated);\n"
           "int main() {}\n";
    CHECK(run_shell("c++ -std=c++17 -Wall -Wextra -Werror -fsyntax-only " + program).exit_code ==
          0);
    check_refused(export_table({"--extrapolate", "64x768", "--bundle", folder.path("a.fdk")}),
                  2,
                  {"--extrapolate", "--bundle", "sweep"});
    for (const char* matrix : {"64", "64x", "1x2x3", "axb", "0x64"}) {
        check_refused(export_table({"--extrapolate", matrix}),
                      2,
                      {matrix == std::string("0x64") ? "n 0" : matrix});
    }
}

TEST_CASE("An explanation of a matrix that was not swept says so, by what, and how to measure it") {
    const ProgramResult why =
        explain({"-m", "7", "-n", "64", "-k", "768", "-b", "4", "--repeatable"});
    INFO(why.err);
    REQUIRE(why.exit_code == 0);
    CHECK_THAT(line_of(why.out, "choice"), ContainsSubstring("EXTRAPOLATED"));
    CHECK_THAT(line_of(why.out, "measured"),
               ContainsSubstring("n=96 k=512") && ContainsSubstring("weight 100 %"));
    CHECK_THAT(line_of(why.out, "to measure"),
               ContainsSubstring("fdkbench sweep --shape 7x64x768 -b 4 -g 64 --device host --db "));
    CHECK_FALSE(line_of(why.out, "kernel").empty());
    CHECK_FALSE(line_of(why.out, "predicted").empty());
}

TEST_CASE("Rules that nothing keeps to are refused, and so is what is no rule") {
    check_refused(export_table({"--max-nrmse", "1e-9"}), 2, {"--max-nrmse 1e-09", "ask for less"});
    check_refused(explain(joined(problem(5), {"--max-nrmse", "1e-9"})),
                  2,
                  {"--max-nrmse 1e-09", "ask for less"});
    for (const auto& words : std::vector<std::vector<std::string>>{{"--weights", "1:2"},
                                                                   {"--max-kernels", "0"},
                                                                   {"--max-kernels", "-1"},
                                                                   {"--max-kernels", "two"},
                                                                   {"--max-nrmse", "-1"}}) {
        check_refused(export_table(words), 2, {words[0]});
        check_refused(explain(joined(problem(5), words)), 2, {words[0]});
    }
    for (const char* weights : {"1",
                                "1:",
                                ":1",
                                "0:1",
                                "1:0",
                                "1:-3",
                                "1:nan",
                                "1:inf",
                                "1:2,,3:4",
                                "1.5:2",
                                "16777217:1",
                                "a:b",
                                "1:2x"}) {
        check_refused(export_table({"--max-kernels", "2", "--weights", weights}),
                      2,
                      {std::string("--weights '") + weights + "'", "as in --weights 1:100,16:10"});
    }
    check_refused(export_table({"--batch-invariant", "--max-kernels", "2"}),
                  2,
                  {"--batch-invariant", "--max-kernels"});
}

TEST_CASE("An explanation needs one problem") {
    for (const std::string option : {"-m", "-n", "-k", "-b"}) {
        std::vector<std::string> words = problem(5);
        const auto found = std::ranges::find(words, option);
        words.erase(found, found + 2);
        check_refused(explain(words), 2, {option, "fdkbench explain --help"});
    }
    check_refused(explain({"-m", "0", "-n", "96", "-k", "512", "-b", "4"}), 2, {"m 0"});
    check_refused(explain({"-m", "1", "-n", "x", "-k", "512", "-b", "4"}), 2, {"'x'"});
    check_refused(explain({"-m", "1", "-n", "96", "-k", "500", "-b", "4"}), 2, {"500", "64"});
    check_refused(explain({"-m", "1", "-n", "96", "-k", "512", "-b", "3"}), 2, {"bits 3"});
    check_refused(explain(joined(problem(5), {"-t", "fp8"})), 2, {"fp8"});
    check_refused(explain(joined(problem(5), {"--device", "cuda:7"})), 2, {"cuda:7", "--device"});
    const TemporaryFolder folder;
    check_refused(run_fdkbench(joined({"explain", "--db", folder.path("none.db")}, problem(5))),
                  2,
                  {"none.db"});
}
