#include "src/core/json.hpp"

#include "tests/fuzz/fuzz.hpp"

using namespace fdkbench;

/// Any line as any of the core's types.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Json json = Json::parse(fuzz::text_of(data, size), nullptr, false);
    if (json.is_discarded()) {
        return 0;
    }
    fuzz::read_as<Params>(json);
    fuzz::read_as<Problem>(json);
    fuzz::read_as<LaunchStep>(json);
    fuzz::read_as<LaunchPlan>(json);
    fuzz::read_as<DeviceInfo>(json);
    fuzz::read_as<Ceiling>(json);
    fuzz::read_as<Conditions>(json);
    fuzz::read_as<MeasuringPolicy>(json);
    fuzz::read_as<Accuracy>(json);
    fuzz::read_as<KernelResources>(json);
    return 0;
}
