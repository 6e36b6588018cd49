#include "tests/catch.hpp"
#include "tests/faults/fault_sweep.hpp"

#include <cuda_runtime_api.h>

using namespace fdkbench::test;

namespace {

/// Of the first device, in bytes; asking opens the device.
std::size_t free_memory() {
    std::size_t free_bytes = 0;
    std::size_t total_bytes = 0;
    REQUIRE(cudaMemGetInfo(&free_bytes, &total_bytes) == cudaSuccess);
    return free_bytes;
}

}  // namespace

TEST_CASE("A sweep on a GPU survives every fault, and says of each what it was") {
    int devices = 0;
    if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) {
        skip_program("there is no GPU");
    }
    const std::size_t free_before = free_memory();
    FaultSweep sweep("cuda", "dense_mv");
    sweep.run();
    sweep.check_every_fault_has_its_status();
    sweep.check_good_candidates_are_undisturbed();
    sweep.check_workers_started_no_more_often_than_needed();
    sweep.check_nothing_is_left_behind();
    // A worker that is still there holds several hundred MiB.
    CHECK(free_memory() + (std::size_t{64} << 20) >= free_before);
}
