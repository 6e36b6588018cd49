#include "src/core/error.hpp"
#include "src/cuda/cuda_backend.hpp"
#include "tests/catch.hpp"

#include <stdexcept>

using namespace fdkbench;

TEST_CASE("Listing devices works with and without a driver") {
    CHECK_NOTHROW(make_cuda_backend()->devices());
}

TEST_CASE("A device that is not there cannot be opened") {
    CHECK_THROWS_AS(make_cuda_backend()->open(99), EnvironmentError);
    CHECK_THROWS_WITH(make_cuda_backend()->open(99), ContainsSubstring("cuda:99"));
}

TEST_CASE("A backend without an opened device allocates nothing") {
    CHECK_THROWS_AS(make_cuda_backend()->allocate(16), std::logic_error);
}

TEST_CASE("The versions of runtime and NVRTC are known without a driver") {
    const auto versions = cuda_versions();
    REQUIRE(versions.size() >= 2);
    CHECK(versions[0].first == "CUDA runtime");
    CHECK(std::stoi(versions[0].second) >= 12);
    CHECK(versions[1].first == "NVRTC");
    CHECK_THAT(make_nvrtc_compiler()->version(),
               ContainsSubstring("nvrtc " + versions[1].second + " "));
}
