#include "tests/cuda/gpu.hpp"

#include <numeric>

using namespace fdkbench;
using namespace fdkbench::test;

TEST_CASE("A device describes itself") {
    const DeviceInfo device = (gpu(), gpu_info());
    CHECK(device.id == "cuda:0");
    CHECK(device.backend == "cuda");
    CHECK_THAT(device.key, ContainsSubstring(device.name));
    CHECK_THAT(device.key, ContainsSubstring(std::to_string(device.units) + " SMs"));
    CHECK(device.uuid.size() == std::string("GPU-00000000-0000-0000-0000-000000000000").size());
    CHECK_THAT(device.arch, ContainsSubstring("sm_" + std::to_string(device.compute_capability)));
    CHECK((device.arch.back() == 'a') == (device.compute_capability >= 90));
    CHECK(device.units > 0);
    CHECK(device.cache_bytes > 0);
    CHECK(device.memory_bytes > device.cache_bytes);
    CHECK(device.memory_gb_s > 0);
    CHECK(device.shared_bytes_per_block >= 48 << 10);
    CHECK(device.max_threads_per_block >= 1024);
    REQUIRE_FALSE(device.facts.empty());
}

TEST_CASE("Memory keeps what is put into it") {
    std::vector<int> values(100'000);
    std::iota(values.begin(), values.end(), 1);
    const auto buffer = to_gpu(values);
    CHECK(buffer->bytes() == 400'000);
    CHECK(reinterpret_cast<std::uintptr_t>(buffer->data()) % 256 == 0);
    CHECK(from_gpu<int>(*buffer) == values);

    SECTION("an upload with an offset changes that part only") {
        const std::vector<int> part{-1, -2};
        gpu().upload(*buffer, 8, std::as_bytes(std::span(part)));
        values[2] = -1;
        values[3] = -2;
        CHECK(from_gpu<int>(*buffer) == values);
    }
    SECTION("a download with an offset begins there") {
        std::vector<int> part(3);
        gpu().download(std::as_writable_bytes(std::span(part)), *buffer, 40);
        CHECK(part == std::vector<int>{11, 12, 13});
    }
    SECTION("a copy takes the smaller size") {
        const auto small = to_gpu(std::vector<int>{0, 0});
        gpu().copy(*small, *buffer);
        CHECK(from_gpu<int>(*small) == std::vector<int>{1, 2});
    }
    SECTION("a fill sets every byte") {
        gpu().fill(*buffer, std::byte{0xff});
        CHECK(from_gpu<int>(*buffer) == std::vector<int>(values.size(), -1));
    }
}

TEST_CASE("An impossible size names the bytes needed and free, and leaves the device usable") {
    CHECK_THROWS_AS(gpu().allocate(std::size_t{1} << 42), EnvironmentError);
    CHECK_THROWS_WITH(gpu().allocate(std::size_t{1} << 42), ContainsSubstring("needs 4096.00 GiB"));
    CHECK_THROWS_WITH(gpu().allocate(std::size_t{1} << 42), ContainsSubstring("are free"));
    CHECK(from_gpu<int>(*to_gpu(std::vector<int>{5})) == std::vector<int>{5});
}
