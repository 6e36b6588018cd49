#include "src/cuda/nvml.hpp"

#include "tests/catch.hpp"

#include <cstdlib>
#include <string>

using namespace fdkbench;

namespace {

std::optional<int> processes_told(int processes) {
    setenv("FAKE_NVML_PROCESSES", std::to_string(processes).c_str(), 1);
    return Nvml("GPU-fake").compute_processes();
}

}  // namespace

TEST_CASE("NVML tells how many processes compute on a device") {
    for (const int processes : {0, 1, 2, 64, 65, 1000}) {
        CHECK(processes_told(processes) == processes);
    }
}

TEST_CASE("Where NVML does not tell, nothing is known") {
    CHECK_FALSE(processes_told(-1));
    CHECK_FALSE(Nvml("GPU-other").compute_processes());
}

TEST_CASE("What this NVML does not have is absent") {
    const Nvml nvml("GPU-fake");
    CHECK_FALSE(nvml.energy_uj());
    CHECK_FALSE(nvml.conditions().sm_clock_mhz);
    CHECK(nvml.conditions().throttle_reasons.empty());
}
