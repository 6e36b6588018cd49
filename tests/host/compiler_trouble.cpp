#include "src/core/error.hpp"
#include "src/host/host_backend.hpp"
#include "tests/catch.hpp"
#include "tests/host/fixture.hpp"

#include <cstdlib>
#include <filesystem>

using namespace fdkbench;
using namespace fdkbench::test;

namespace {

/// A compiler that knows its version and does what $FDKBENCH_TEST_TROUBLE says with a kernel.
constexpr std::string_view kScript =
    "#!/bin/sh\n"
    "case \"$*\" in\n"
    "*--version*) echo 'Troubled C++ 1.0' ;;\n"
    "*-dM*) echo '#define __AVX2__ 1' ;;\n"
    "*) eval \"$FDKBENCH_TEST_TROUBLE\" ;;\n"
    "esac\n";

/// The program's system compiler from now on.
void use_script() {
    static const TemporaryFile script(kScript);
    std::filesystem::permissions(script.path(), std::filesystem::perms::owner_all);
    setenv("CXX", script.path().c_str(), 1);
}

CompileOutput compile_with(const std::string& trouble) {
    use_script();
    setenv("FDKBENCH_TEST_TROUBLE", trouble.c_str(), 1);
    return make_system_compiler()->compile({"kernels/some.kernel.cpp", ""}, {}, {}, "native");
}

}  // namespace

TEST_CASE("A compiler that the machine stops is an environment error, not a kernel's failure") {
    struct Case {
        std::string trouble;
        std::string message;
    };
    const Case stopped =
        GENERATE(Case{"kill -9 $$", "signal 9"},
                 Case{"echo 'kernel.s: No space left on device'; exit 1", "No space left"},
                 Case{"echo 'fork: Cannot allocate memory'; exit 1", "Cannot allocate memory"},
                 Case{"echo 'cc1plus: out of memory allocating 65536 bytes'; exit 1", "out of m"},
                 Case{"echo 'Killed signal terminated program cc1plus'; exit 1", "Killed signal"});
    CHECK_THROWS_AS(compile_with(stopped.trouble), EnvironmentError);
    CHECK_THROWS_WITH(compile_with(stopped.trouble),
                      ContainsSubstring(stopped.message) && ContainsSubstring("TMPDIR"));
}

TEST_CASE("A compiler that complains of the kernel gives a failed compilation with its log") {
    const CompileOutput output = compile_with("echo 'kernel.cpp:1: error: no such thing'; exit 1");
    CHECK_FALSE(output.ok);
    CHECK_THAT(output.log, ContainsSubstring("no such thing"));
}

TEST_CASE("A compiler that writes nothing is an environment error") {
    CHECK_THROWS_AS(compile_with("exit 0"), EnvironmentError);
}

TEST_CASE("A missing folder for temporary files is an environment error that names TMPDIR") {
    use_script();
    const char* old = std::getenv("TMPDIR");
    const std::string kept = old != nullptr ? old : "";
    setenv("TMPDIR", "/nowhere/at/all", 1);
    CHECK_THROWS_AS(compile_with("exit 1"), EnvironmentError);
    CHECK_THROWS_WITH(compile_with("exit 1"), ContainsSubstring("set TMPDIR"));
    old != nullptr ? setenv("TMPDIR", kept.c_str(), 1) : unsetenv("TMPDIR");
}
