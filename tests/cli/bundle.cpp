#include "src/core/bundle.hpp"

#include "tests/catch.hpp"
#include "tests/cli/library.hpp"
#include "tests/cli/program.hpp"

#include <fstream>
#include <iterator>
#include <sstream>

using namespace fdkbench::test;

namespace {

std::string content(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// A database with the shape of the example, and the cache that it was compiled into.
const TemporaryFolder& swept() {
    static const TemporaryFolder folder;
    static const ProgramResult sweep =
        run_fdkbench(joined(host_sweep(folder.path("a.db"), folder.path("cache"), {"5x96x512"}),
                            {"-g", "64", "-j", "2", "--include", "host_lut"}));
    INFO(sweep.err);
    REQUIRE(sweep.exit_code == 0);
    return folder;
}

std::vector<std::string> export_bundle(const std::string& bundle, const std::string& cache) {
    return {"export-table",
            "--db",
            swept().path("a.db"),
            "--cache-dir",
            swept().path(cache),
            "--bundle",
            bundle};
}

}  // namespace

TEST_CASE("A bundle that was swept is what the example multiplies with") {
    const TemporaryFolder folder;
    const std::string bundle = folder.path("host.fdk");
    const ProgramResult exported = run_fdkbench(export_bundle(bundle, "cache"));
    INFO(exported.err);
    REQUIRE(exported.exit_code == 0);
    CHECK(exported.out.empty());
    CHECK_THAT(exported.err, ContainsSubstring("1 entries, 1 kernels"));

    const std::string example = compiled_example(folder.path("example"));
    const ProgramResult multiplied = run_shell("'" + example + "' '" + bundle + "'");
    INFO(multiplied.err);
    CHECK(multiplied.exit_code == 0);
    CHECK_THAT(multiplied.out, ContainsSubstring("error against the product of floats: 0."));
    CHECK(multiplied.err.empty());

    fdkbench::Bundle other = fdkbench::read_bundle(bundle);
    other.table["device"]["units"] = 1000;
    const std::string elsewhere = folder.path("elsewhere.fdk");
    std::ofstream(elsewhere, std::ios::binary) << to_bytes(other);
    const ProgramResult noticed = run_shell("'" + example + "' '" + elsewhere + "'");
    CHECK(noticed.exit_code == 0);
    CHECK_THAT(noticed.err, ContainsSubstring("elsewhere.fdk was measured on a device with 1000"));

    std::string bytes = content(bundle);
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 0x10);
    std::ofstream(bundle, std::ios::binary) << bytes;
    const ProgramResult damaged = run_shell("'" + example + "' '" + bundle + "'");
    CHECK(damaged.exit_code == 1);
    CHECK_THAT(damaged.err, ContainsSubstring("damaged bundle"));
}

TEST_CASE("Two m that were swept are enough to multiply for any") {
    const TemporaryFolder folder;
    const ProgramResult sweep = run_fdkbench(
        joined(host_sweep(folder.path("a.db"), folder.path("cache"), {"1x96x512", "12x96x512"}),
               {"-g", "64", "-j", "2", "--include", "host_lut"}));
    INFO(sweep.err);
    REQUIRE(sweep.exit_code == 0);
    const std::string bundle = folder.path("host.fdk");
    const ProgramResult exported = run_fdkbench({"export-table",
                                                 "--db",
                                                 folder.path("a.db"),
                                                 "--cache-dir",
                                                 folder.path("cache"),
                                                 "--bundle",
                                                 bundle});
    INFO(exported.err);
    REQUIRE(exported.exit_code == 0);
    CHECK_THAT(exported.err, ContainsSubstring("2 entries, "));
    const std::string example = compiled_example(folder.path("example"));
    for (const int m : {1, 2, 3, 7, 11, 12, 13, 40, 511, 512, 513, 1500}) {
        INFO("m " << m);
        const ProgramResult multiplied =
            run_shell("'" + example + "' '" + bundle + "' " + std::to_string(m));
        INFO(multiplied.err << multiplied.out);
        CHECK(multiplied.exit_code == 0);
    }
}

TEST_CASE("The header is one for C programs, too") {
    const TemporaryFolder folder;
    const std::string program = folder.path("program.c");
    std::ofstream(program) << "#include <fdk.h>\nint main(void) { return *fdk_last_error(); }\n";
    const ProgramResult result = run_shell(
        "cc -std=c11 -Wall -Wextra -Wpedantic -Werror '" + program + "' " + against_library() +
        " -o '" + folder.path("program") + "' && '" + folder.path("program") + "'");
    INFO(result.err);
    CHECK(result.exit_code == 0);
}

TEST_CASE("The readme shows the example as it is") {
    const std::string readme = content(source() + "/README.md");
    const std::string example = content(source() + "/scripts/example.cpp");
    const std::size_t begin = example.find("    fdk_table* table");
    const std::size_t end = example.find("\n\n", begin);
    REQUIRE(end != std::string::npos);
    CHECK_THAT(readme, ContainsSubstring(example.substr(begin, end - begin)));
}

TEST_CASE("Without the compiled kernels there is no bundle, but what to do") {
    const TemporaryFolder folder;
    const ProgramResult missing = run_fdkbench(export_bundle(folder.path("b.fdk"), "elsewhere"));
    CHECK(missing.exit_code == 3);
    CHECK_THAT(missing.err,
               ContainsSubstring("lacks 1 of the table's 1 kernels") &&
                   ContainsSubstring("--cache-dir") && ContainsSubstring("fdkbench verify"));
    CHECK_FALSE(std::filesystem::exists(folder.path("b.fdk")));

    const ProgramResult verified = run_fdkbench({"verify",
                                                 "--device",
                                                 "host",
                                                 "--db",
                                                 swept().path("a.db"),
                                                 "--cache-dir",
                                                 swept().path("elsewhere")});
    INFO(verified.err);
    CHECK(verified.exit_code != 2);  // it may have drifted, or be measured too coarsely
    CHECK(run_fdkbench(export_bundle(folder.path("b.fdk"), "elsewhere")).exit_code == 0);
    REQUIRE(run_fdkbench(export_bundle(folder.path("c.fdk"), "cache")).exit_code == 0);
    CHECK(content(folder.path("b.fdk")) == content(folder.path("c.fdk")));
}

TEST_CASE("A bundle goes into a file that can be written, and nothing else is asked for") {
    const ProgramResult nowhere = run_fdkbench(export_bundle("/absent/b.fdk", "cache"));
    CHECK(nowhere.exit_code == 3);
    CHECK_THAT(nowhere.err, ContainsSubstring("/absent/b.fdk"));
    for (const std::vector<std::string>& more :
         {std::vector<std::string>{"--format", "csv"}, std::vector<std::string>{"-o", "x"}}) {
        CHECK(run_fdkbench(joined(export_bundle("b.fdk", "cache"), more)).exit_code == 2);
    }
    CHECK(run_fdkbench({"export-table", "--bundle", ""}).exit_code == 2);
}
