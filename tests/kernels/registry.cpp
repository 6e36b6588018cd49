#include "kernels/registry.hpp"

#include "tests/catch.hpp"

#include <algorithm>

using namespace fdkbench;

namespace {

std::vector<EmbeddedFile> small_tree() {
    return {
        {"kernels/a.cu", "// a\n#include \"kernels/common/outer.cuh\"\nint a;\n"},
        {"kernels/common/outer.cuh", "#include \"kernels/common/inner.cuh\"\nint outer;\n"},
        {"kernels/common/inner.cuh", "  #  include \"kernels/common/outer.cuh\"\nint inner;\n"},
        {"kernels/common/unrelated.cuh", "int unrelated;\n"},
    };
}

}  // namespace

TEST_CASE("Every family of the project registers itself, sorted by name") {
    std::vector<std::string> names;
    for (const Family& family : families()) {
        names.push_back(family.name);
    }
    CHECK(std::ranges::is_sorted(names));
    for (const char* name : {"dense_mma",
                             "dense_mv",
                             "dense_wgmma",
                             "fragment_imma",
                             "fragment_mma",
                             "fragment_ring",
                             "fragment_wgmma",
                             "host_dense",
                             "host_lut",
                             "lut_mma",
                             "lut_mv",
                             "unfused"}) {
        CAPTURE(name);
        CHECK(std::ranges::count(names, name) == 1);
    }
}

TEST_CASE("A family says all that others need to know of it") {
    for (const Family& family : families()) {
        CAPTURE(family.name);
        CHECK((family.backend == "cuda" || family.backend == "host"));
        CHECK_FALSE(family.summary.empty());
        CHECK(family.declines != nullptr);
        CHECK(family.axes != nullptr);
        CHECK(family.skips != nullptr);
        CHECK(family.plan != nullptr);
    }
}

TEST_CASE("A family is found by name, and an unknown name is named") {
    CHECK(family_named("lut_mv").source == "kernels/lut_mv.cu");
    CHECK_THROWS_AS(family_named("lut_nv"), std::out_of_range);
    CHECK_THROWS_WITH(family_named("lut_nv"), ContainsSubstring("lut_nv"));
}

TEST_CASE("A family's source is embedded with every header that it includes") {
    for (const Family& family : families()) {
        CAPTURE(family.name);
        const KernelSource& source = kernel_source(family);
        CHECK(source.source.path == family.source);
        CHECK(source.digest.size() == 64);
        CHECK(std::ranges::is_sorted(source.headers, {}, &EmbeddedFile::path));
        CHECK(&kernel_source(family) == &source);
    }
    const KernelSource& lut_mv = kernel_source(family_named("lut_mv"));
    CHECK(std::ranges::count(lut_mv.headers, "kernels/common/types.cuh", &EmbeddedFile::path) == 1);
}

TEST_CASE("Device sources include nothing but the project's own headers") {
    for (const Family& family : families()) {
        if (family.backend != "cuda") {
            continue;
        }
        CAPTURE(family.name);
        std::vector<EmbeddedFile> files = kernel_source(family).headers;
        files.push_back(kernel_source(family).source);
        for (const EmbeddedFile& file : files) {
            CAPTURE(file.path);
            CHECK(file.text.find("#include <") == std::string::npos);
        }
    }
}

TEST_CASE("Headers are collected through other headers, once, and unrelated ones are not") {
    const KernelSource source = resolve_source(small_tree(), "kernels/a.cu");
    REQUIRE(source.headers.size() == 2);
    CHECK(source.headers[0].path == "kernels/common/inner.cuh");
    CHECK(source.headers[1].path == "kernels/common/outer.cuh");
}

TEST_CASE("The digest changes with every text that is part of the kernel, and with no other") {
    const std::string before = resolve_source(small_tree(), "kernels/a.cu").digest;
    for (std::size_t i = 0; i < 4; ++i) {
        std::vector<EmbeddedFile> files = small_tree();
        files[i].text += "// changed\n";
        const std::string after = resolve_source(files, "kernels/a.cu").digest;
        CAPTURE(files[i].path);
        CHECK((after == before) == (files[i].path == "kernels/common/unrelated.cuh"));
    }
}

TEST_CASE("A missing header is an error that names it") {
    std::vector<EmbeddedFile> files = small_tree();
    files.erase(files.begin() + 2);
    CHECK_THROWS_AS(resolve_source(files, "kernels/a.cu"), std::logic_error);
    CHECK_THROWS_WITH(resolve_source(files, "kernels/a.cu"),
                      ContainsSubstring("kernels/common/inner.cuh"));
    CHECK_THROWS_AS(resolve_source(files, "kernels/none.cu"), std::logic_error);
}

TEST_CASE("Problem defines fix n, k, the weight format and the type, but not m") {
    const Problem problem{{3, 4096, 1024}, {4, 64}, ElementType::kFp16};
    CHECK(
        problem_defines(problem) ==
        std::vector<std::string>{
            "-DFDK_N=4096", "-DFDK_K=1024", "-DFDK_BITS=4", "-DFDK_GROUP_SIZE=64", "-DFDK_FP16=1"});
}
