#include "src/cuda/built_kernels.hpp"
#include "src/cuda/cuda_backend.hpp"
#include "src/cuda/probe_kernels.hpp"
#include "tests/catch.hpp"

#include <cstring>
#include <map>
#include <memory>
#include <regex>
#include <string>
#include <vector>

using namespace fdkbench;

namespace {

const EmbeddedFile kScale{"kernels/scale.cu",
                          "extern \"C\" __global__ void scale(float* y) {\n"
                          "    y[threadIdx.x] *= FACTOR;\n"
                          "}\n"};

CompileOutput compile(const EmbeddedFile& source,
                      const std::vector<EmbeddedFile>& headers,
                      const std::vector<std::string>& options,
                      const std::string& arch) {
    return make_nvrtc_compiler()->compile(source, headers, options, arch);
}

bool is_elf(const std::vector<std::byte>& binary) {
    return binary.size() > 64 && std::memcmp(binary.data(), "\177ELF", 4) == 0;
}

}  // namespace

TEST_CASE("A kernel becomes the same cubin every time, and another one with other options") {
    const std::string arch = GENERATE("sm_80", "sm_90a", "sm_100a");
    const CompileOutput first = compile(kScale, {}, {"-DFACTOR=2.0f"}, arch);
    INFO(first.log);
    REQUIRE(first.ok);
    CHECK(is_elf(first.binary));
    CHECK(compile(kScale, {}, {"-DFACTOR=2.0f"}, arch).binary == first.binary);
    CHECK(compile(kScale, {}, {"-DFACTOR=3.0f"}, arch).binary != first.binary);
}

TEST_CASE("Each architecture gets its own code") {
    CHECK(compile(kScale, {}, {"-DFACTOR=2.0f"}, "sm_80").binary !=
          compile(kScale, {}, {"-DFACTOR=2.0f"}, "sm_90a").binary);
}

TEST_CASE("A syntax error is reported with file and line") {
    const CompileOutput output = compile(
        {"kernels/bad.cu", "__global__ void f() {\n    int;;;\n    oops\n}\n"}, {}, {}, "sm_80");
    CHECK_FALSE(output.ok);
    CHECK(output.binary.empty());
    CHECK_THAT(output.log, ContainsSubstring("kernels/bad.cu(4)"));
}

TEST_CASE("Warnings of a good kernel are kept") {
    const CompileOutput output = compile(
        {"kernels/w.cu", "__global__ void f() {\n    int unused = 1;\n}\n"}, {}, {}, "sm_80");
    CHECK(output.ok);
    CHECK_THAT(output.log, ContainsSubstring("unused"));
}

TEST_CASE("Headers are found by their paths, also from other headers") {
    const EmbeddedFile source{"kernels/a.cu",
                              "#include \"kernels/common/outer.cuh\"\n"
                              "__global__ void f(int* y) { *y = outer(); }\n"};
    const std::vector<EmbeddedFile> headers{
        {"kernels/common/inner.cuh", "#pragma once\n__device__ inline int inner() { return 7; }\n"},
        {"kernels/common/outer.cuh",
         "#pragma once\n#include \"kernels/common/inner.cuh\"\n"
         "__device__ inline int outer() { return inner(); }\n"}};
    const CompileOutput output = compile(source, headers, {}, "sm_90a");
    INFO(output.log);
    CHECK(output.ok);

    const CompileOutput without = compile(source, {}, {}, "sm_90a");
    CHECK_FALSE(without.ok);
    CHECK_THAT(without.log, ContainsSubstring("outer.cuh"));
}

TEST_CASE("Sources are C++20") {
    CHECK(compile({"kernels/c.cu",
                   "template <typename T> concept Small = sizeof(T) < 4;\n"
                   "__global__ void f() { static_assert(Small<char>); }\n"},
                  {},
                  {},
                  "sm_80")
              .ok);
}

TEST_CASE("An architecture that NVRTC does not know is a failed compilation that says so") {
    const CompileOutput output = compile(kScale, {}, {"-DFACTOR=1.0f"}, "sm_12345");
    CHECK_FALSE(output.ok);
    CHECK_THAT(output.log, ContainsSubstring("gpu-architecture"));
}

TEST_CASE("The compiler's version has a build number and the fixed options") {
    CHECK(std::regex_match(make_nvrtc_compiler()->version(),
                           std::regex(R"(nvrtc \d+\.\d+\.\d+ --std=c\+\+20)")));
}

TEST_CASE("A kernel that only the assembler refuses is a failed compilation, too") {
    const CompileOutput output = compile({"kernels/large.cu",
                                          "extern \"C\" __global__ void large(int* y) {\n"
                                          "    __shared__ int all[200000];\n"
                                          "    all[threadIdx.x * 100] = y[0];\n"
                                          "    __syncthreads();\n"
                                          "    y[1] = all[y[2]];\n"
                                          "}\n"},
                                         {},
                                         {},
                                         "sm_90a");
    CHECK_FALSE(output.ok);
    CHECK_THAT(output.log, ContainsSubstring("shared"));
}

TEST_CASE("The probe kernels compile without warnings") {
    const std::string arch = GENERATE("sm_80", "sm_86", "sm_90a", "sm_100a", "sm_120a");
    const CompileOutput output = compile(probe_source(), {}, {}, arch);
    CHECK(output.log == "");
    REQUIRE(output.ok);
    const std::string text(reinterpret_cast<const char*>(output.binary.data()),
                           output.binary.size());
    for (const int unroll : kReadUnrolls) {
        CHECK_THAT(text, ContainsSubstring("read_" + std::to_string(unroll)));
    }
    const CompileOutput delay = compile(delay_source(), {}, {}, arch);
    CHECK(delay.log == "");
    CHECK(delay.ok);
}

TEST_CASE("The kernels that were built are there for all bits, on 8.x and 9.x at least") {
    std::map<int, std::vector<int>> bits_of;
    for (const BuiltKernels& built : built_kernels()) {
        CAPTURE(built.compute_capability, built.bits);
        bits_of[built.compute_capability].push_back(built.bits);
        const std::string text(built.cubin.begin(), built.cubin.end());
        CHECK(text.starts_with("\177ELF"));
        for (const char* kernel : built.bits == 0 ? std::vector{"quantise"}
                                                  : std::vector{"pack_weights", "pack_scales"}) {
            CHECK_THAT(text, ContainsSubstring(kernel));
        }
    }
    CHECK(bits_of.contains(80));
    CHECK(bits_of.contains(90));
    for (const auto& [capability, bits] : bits_of) {
        CHECK(bits == std::vector{0, 8, 4, 2, 1});
    }
}
