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

TEST_CASE("What NVML reads arrives in the units that are promised") {
    setenv("FAKE_NVML_READINGS", "1", 1);
    const Nvml nvml("GPU-fake");
    const Conditions now = nvml.conditions();
    CHECK(now.sm_clock_mhz == 1980);
    CHECK(now.power_w.value_or(0) == Approx(345.6));
    CHECK(now.temperature_c == 61);
    CHECK(now.throttle_reasons == std::vector<std::string>{"sw_power_cap", "hw_thermal_slowdown"});
    CHECK(nvml.energy_uj() == 1.234e6);
    CHECK_FALSE(Nvml("GPU-other").energy_uj());
    unsetenv("FAKE_NVML_READINGS");
}

TEST_CASE("What this NVML does not tell is absent") {
    const Nvml nvml("GPU-fake");
    const Conditions now = nvml.conditions();
    CHECK_FALSE(nvml.energy_uj());
    CHECK_FALSE(now.sm_clock_mhz);
    CHECK_FALSE(now.power_w);
    CHECK_FALSE(now.temperature_c);
    CHECK(now.throttle_reasons.empty());
}
