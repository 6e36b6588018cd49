#include "src/core/error.hpp"
#include "src/host/host_backend.hpp"
#include "src/host/toolchain.hpp"
#include "tests/catch.hpp"
#include "tests/host/fixture.hpp"

#include <cstdlib>
#include <filesystem>

using namespace fdkbench;
using namespace fdkbench::test;

namespace {

CompileOutput compile_text(const std::string& text, const std::vector<std::string>& options = {}) {
    const EmbeddedFile source{"kernels/some.kernel.cpp", text};
    const EmbeddedFile header{"kernels/common/some.hpp", "constexpr int kAnswer = 42;\n"};
    return make_system_compiler()->compile(source, std::vector{header}, options, "native");
}

}  // namespace

TEST_CASE("A source with headers and options becomes a loadable binary") {
    require_compiler();
    const CompileOutput output = compile_text(
        "#include \"kernels/common/some.hpp\"\n"
        "extern \"C\" void answer(const void* a, int, int) {\n"
        "    **(int* const*)a = kAnswer + FDK_MORE;\n"
        "}\n",
        {"-DFDK_MORE=1"});
    INFO(output.log);
    REQUIRE(output.ok);
    const TemporaryFile file(output.binary);
    LaunchPlan plan;
    plan.steps.resize(1);
    plan.steps[0].kernel = "answer";
    const auto kernel = host().load(file.path(), plan, {}, LaunchMode::kPlain);
    int answer = 0;
    kernel->launch({.x = &answer});
    CHECK(answer == 43);
    CHECK(kernel->name() == "answer");
}

TEST_CASE("A source that does not compile gives the compiler's log and leaves no files") {
    require_compiler();
    const TemporaryPlace place;
    const CompileOutput output = compile_text("int f() { return undeclared_name; }\n");
    CHECK_FALSE(output.ok);
    CHECK(output.binary.empty());
    CHECK_THAT(output.log, ContainsSubstring("undeclared_name"));
    CHECK_THAT(output.log, ContainsSubstring("kernels/some.kernel.cpp:1"));
    CHECK(std::filesystem::is_empty(place.path()));
}

TEST_CASE("A plan with a library matmul is refused: no host family has one") {
    require_compiler();
    const CompileOutput output = compile_text("extern \"C\" void fill(void*, int, int) {}\n");
    REQUIRE(output.ok);
    const TemporaryFile binary(output.binary);
    LaunchPlan plan;
    plan.steps.resize(2);
    plan.steps[0].kernel = "fill";
    plan.steps[1].kind = LaunchStep::Kind::kMatmul;
    try {
        host().load(binary.path(), plan, {}, LaunchMode::kPlain);
        FAIL("it was loaded");
    } catch (const CandidateError& error) {
        CHECK(error.status() == CandidateStatus::kConstraints);
    }
}

TEST_CASE("A binary without a step's function is a candidate's failure") {
    require_compiler();
    const CompileOutput output = compile_text("");
    REQUIRE(output.ok);
    const TemporaryFile empty(output.binary);
    LaunchPlan plan;
    plan.steps.resize(1);
    plan.steps[0].kernel = "absent_function";
    CHECK_THROWS_AS(host().load(empty.path(), plan, {}, LaunchMode::kPlain), CandidateError);
    CHECK_THROWS_WITH(host().load(empty.path(), plan, {}, LaunchMode::kPlain),
                      ContainsSubstring("absent_function"));
}

TEST_CASE("Compiling twice gives the same bytes, and another option gives others") {
    require_compiler();
    const Family& family = family_named("host_dense");
    const KernelSource& source = kernel_source(family);
    const auto binary = [&](std::int64_t rows) {
        const Problem problem{{1, 64, 256}, {16, 0}, ElementType::kBf16};
        Params params;
        params.set("rows_per_tile", rows);
        params.set("unroll", std::int64_t{1});
        params.set("m_tile", std::int64_t{1});
        return make_system_compiler()
            ->compile(source.source, source.headers, candidate_options(problem, params), "native")
            .binary;
    };
    const auto first = binary(1);
    CHECK(!first.empty());
    CHECK(first == binary(1));
    CHECK(first != binary(2));
}

TEST_CASE("The version names the compiler and what native means") {
    require_compiler();
    const std::string version = make_system_compiler()->version();
    const Toolchain& toolchain = system_toolchain();
    CHECK_THAT(version, ContainsSubstring(toolchain.version));
    CHECK_THAT(version, ContainsSubstring(toolchain.isa));
    CHECK_THAT(version, ContainsSubstring(toolchain.digest));
    CHECK(version.find('\n') == std::string::npos);
}

TEST_CASE("A compiler that is not there is an environment error that names it") {
    CHECK_THROWS_WITH(find_toolchain("/nowhere/g++"), ContainsSubstring("/nowhere/g++"));
    CHECK_THROWS_AS(find_toolchain("/nowhere/g++"), EnvironmentError);

    const std::string path = std::getenv("PATH");
    setenv("PATH", "/nowhere", 1);
    CHECK_THROWS_WITH(find_toolchain(nullptr), ContainsSubstring("apt install g++"));
    setenv("PATH", path.c_str(), 1);
}
