#include "src/fdk/device_notice.hpp"

#include "tests/catch.hpp"

using namespace fdkbench;

namespace {

DeviceInfo h100() {
    DeviceInfo device;
    device.id = "cuda:1";
    device.backend = "cuda";
    device.name = "NVIDIA H100 80GB HBM3";
    device.units = 132;
    device.cache_bytes = 50 << 20;
    device.memory_gb_s = 3352.32;
    return device;
}

std::string notice(const DeviceInfo& measured, const DeviceInfo& here) {
    return device_notice("a.fdk", measured, here);
}

}  // namespace

TEST_CASE("Devices that are alike are so whatever their names") {
    DeviceInfo other = h100();
    other.id = "cuda:0";
    other.name = "Another name";
    other.key = "Another key";
    other.memory_bytes = 1;
    CHECK(notice(h100(), other).empty());
}

TEST_CASE("Each figure that differs is named with both of its values") {
    DeviceInfo other = h100();
    other.units = 114;
    CHECK(notice(h100(), other) ==
          "the table a.fdk was measured on a device with 132 SMs, cuda:1 has 114 SMs: its kernels "
          "run here, but others may be faster; sweep on this device and write a bundle of that");
    other = h100();
    other.cache_bytes = (50 << 20) + (1 << 19);
    CHECK_THAT(notice(h100(), other),
               ContainsSubstring("with 50 MiB of L2, cuda:1 has 50.5 MiB of L2:"));
    other = h100();
    other.memory_gb_s = 4916.74;
    CHECK_THAT(notice(h100(), other),
               ContainsSubstring("with 3352 GB/s of memory bandwidth, cuda:1 has 4917 GB/s of"));
    other.units = 114;
    CHECK_THAT(notice(other, h100()),
               ContainsSubstring("with 114 SMs, 4917 GB/s of memory bandwidth, cuda:1 has 132 SMs, "
                                 "3352 GB/s of memory bandwidth:"));
    DeviceInfo cpu;
    cpu.id = "host";
    cpu.backend = "host";
    cpu.units = 2;
    DeviceInfo larger = cpu;
    larger.units = 8;
    CHECK_THAT(notice(larger, cpu), ContainsSubstring("with 8 cores, host has 2 cores:"));
}

TEST_CASE("The memory bandwidth may differ by a tenth") {
    DeviceInfo other = h100();
    for (const double share : {0.92, 1.0, 1.09}) {
        other.memory_gb_s = share * h100().memory_gb_s;
        CHECK(notice(h100(), other).empty());
        CHECK(notice(other, h100()).empty());
    }
    for (const double share : {0.9, 1.11}) {
        other.memory_gb_s = share * h100().memory_gb_s;
        CHECK_FALSE(notice(h100(), other).empty());
        CHECK_FALSE(notice(other, h100()).empty());
    }
}

TEST_CASE("What one of the devices does not tell is not compared") {
    DeviceInfo unknown;
    unknown.backend = "cuda";
    CHECK(notice(unknown, h100()).empty());
    CHECK(notice(h100(), unknown).empty());
    unknown.units = 114;
    CHECK_THAT(notice(unknown, h100()), ContainsSubstring("with 114 SMs, cuda:1 has 132 SMs:"));
}
