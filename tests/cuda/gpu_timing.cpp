#include "src/core/statistics.hpp"
#include "tests/cuda/gpu.hpp"

#include <set>

using namespace fdkbench;
using namespace fdkbench::test;

namespace {

/// A kernel that is busy for m clock cycles.
std::unique_ptr<Runnable> spinning_kernel() {
    return load_kernel(kernel_text("const long long start = clock64();\n"
                                   "while (clock64() - start < m) {\n}"),
                       one_step(1, 1));
}

double typical_us(Runnable& runnable, std::size_t launches, std::int32_t m) {
    Arguments arguments;
    arguments.m = m;
    const std::vector<Arguments> rotation(launches, arguments);
    const auto replay = gpu().record(runnable, rotation);
    for (int warm_up = 0; warm_up < 10; ++warm_up) {
        replay->time_us();
    }
    return median({replay->time_us(), replay->time_us(), replay->time_us(), replay->time_us()});
}

}  // namespace

TEST_CASE("A launch takes the same time in a short replay as in a long one") {
    const auto kernel = (gpu(), spinning_kernel());
    const double few = typical_us(*kernel, 50, 20'000);
    CHECK(few > 0);
    CHECK(typical_us(*kernel, 200, 20'000) == Approx(few).epsilon(0.3));
}

TEST_CASE("A kernel that works twice as long is timed twice as long") {
    const auto kernel = (gpu(), spinning_kernel());
    const double once = typical_us(*kernel, 50, 30'000);
    CHECK(typical_us(*kernel, 50, 60'000) == Approx(2 * once).epsilon(0.3));
}

TEST_CASE("An empty kernel takes little, but not nothing") {
    const auto empty = (gpu(), load_kernel(kernel_text(""), one_step(1, 32)));
    const double empty_us = typical_us(*empty, 300, 0);
    CHECK(empty_us > 0);
    CHECK(empty_us < typical_us(*spinning_kernel(), 50, 30'000));
}

TEST_CASE("A replay goes through its rotation in order, each time") {
    const auto append =
        (gpu(),
         load_kernel(kernel_text("int* list = (int*)y;\nlist[++list[0]] = m;"), one_step(1, 1)));
    const auto y = to_gpu(std::vector<int>(16));
    std::vector<Arguments> rotation(3);
    for (int i = 0; i < 3; ++i) {
        rotation[i].y = y->data();
        rotation[i].m = 10 + i;
    }
    const auto replay = gpu().record(*append, rotation);
    gpu().fill(*y, std::byte{0});
    replay->time_us();
    replay->time_us();
    const auto list = from_gpu<int>(*y);
    CHECK(std::vector<int>(list.begin(), list.begin() + 7) ==
          std::vector<int>{6, 10, 11, 12, 10, 11, 12});
}

TEST_CASE("Reading more takes longer, and a measured size is remembered") {
    const double small = gpu().read_floor_us(2'000'000);
    const double large = gpu().read_floor_us(64'000'000);
    CHECK(small > 0);
    CHECK(large > 3 * small);
    CHECK(large < 64 * small);
    CHECK(gpu().read_floor_us(2'000'000) == small);
    CHECK(gpu().read_floor_us(100) > 0);
}

TEST_CASE("The ceilings are complete and positive") {
    const auto ceilings = gpu().ceilings();
    std::set<std::string> kinds;
    double read_gb_s = 0;
    for (const Ceiling& ceiling : ceilings) {
        INFO(ceiling.what << " " << ceiling.bytes << " " << ceiling.value << " " << ceiling.unit);
        CHECK(ceiling.value > 0);
        kinds.insert(ceiling.what);
        if (ceiling.what == "read") {
            // More bytes in flight never read slower, but for some noise.
            CHECK(ceiling.value > 0.9 * read_gb_s);
            read_gb_s = ceiling.value;
        }
        std::printf("%-7s %10.1f MB %10.2f %s\n",
                    ceiling.what.c_str(),
                    static_cast<double>(ceiling.bytes) * 1e-6,
                    ceiling.value,
                    ceiling.unit.c_str());
    }
    CHECK(kinds == std::set<std::string>{"read", "copy", "launch", "matmul"});
    CHECK(gpu().matmul_tflop_s() == ceilings.back().value);
}
