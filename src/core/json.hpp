#pragma once

#include "src/core/candidate.hpp"
#include "src/core/device_info.hpp"
#include "src/core/measurement.hpp"
#include "src/core/measuring_policy.hpp"

#include <nlohmann/json.hpp>

/// JSON of the core types, keys equal to the member names (and to the SQL columns). Readers throw
/// nlohmann::json::exception or std::invalid_argument on anything that is not what a writer wrote:
/// an unknown or missing key, another type, a number out of range. JSON has no infinity and no NaN:
/// such a double is written as "inf", "-inf" or "nan", and read back from it.
namespace fdkbench {

using Json = nlohmann::ordered_json;

/// One line without its newline; bytes that are not UTF-8 (in a compiler's log) become U+FFFD,
/// where Json::dump would throw.
std::string to_line(const Json& json);

void to_json(Json& json, const Params& params);  ///< {"warps": 4, "decode": "prmt"}
void from_json(const Json& json, Params& params);
void to_json(Json& json, const Problem& value);  ///< m n k bits group_size type
void from_json(const Json& json, Problem& value);
void to_json(Json& json, const TensorMap& value);
void from_json(const Json& json, TensorMap& value);
void to_json(Json& json, const LaunchStep& value);
void from_json(const Json& json, LaunchStep& value);
void to_json(Json& json, const RowTiling& value);
void from_json(const Json& json, RowTiling& value);
void to_json(Json& json, const LaunchPlan& value);
void from_json(const Json& json, LaunchPlan& value);
void to_json(Json& json, const DeviceInfo& value);
void from_json(const Json& json, DeviceInfo& value);
void to_json(Json& json, const Ceiling& value);
void from_json(const Json& json, Ceiling& value);
void to_json(Json& json, const MeasuringPolicy& value);
void from_json(const Json& json, MeasuringPolicy& value);
void to_json(Json& json, const Conditions& value);
void from_json(const Json& json, Conditions& value);
void to_json(Json& json, const Accuracy& value);
void from_json(const Json& json, Accuracy& value);
void to_json(Json& json, const KernelResources& value);
void from_json(const Json& json, KernelResources& value);

}  // namespace fdkbench
