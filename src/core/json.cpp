#include "src/core/json.hpp"

#include "src/core/json_members.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace fdkbench {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

void members(ConstOr<Problem> auto& problem, auto& visit) {
    visit("m", problem.shape.m);
    visit("n", problem.shape.n);
    visit("k", problem.shape.k);
    visit("bits", problem.format.bits);
    visit("group_size", problem.format.group_size);
    visit("type", problem.type);
}

void members(ConstOr<TensorMap> auto& map, auto& visit) {
    visit("operand", map.operand);
    visit("element_bytes", map.element_bytes);
    visit("size", map.size);
    visit("strides", map.strides);
    visit("box", map.box);
    visit("swizzled", map.swizzled);
    visit.unless_default("row_step", map.row_step);
    visit.unless_default("whole_depth", map.whole_depth);
}

void members(ConstOr<LaunchStep> auto& step, auto& visit) {
    visit("kind", step.kind);
    visit("kernel", step.kernel);
    visit("grid", step.grid);
    visit.unless_default("grid_per_tile", step.grid_per_tile);
    visit("block", step.block);
    visit("cluster", step.cluster);
    visit("shared_bytes", step.shared_bytes);
    visit.unless_default("waits_for_predecessor", step.waits_for_predecessor);
    visit.unless_default("tensor_maps", step.tensor_maps);
}

void members(ConstOr<RowTiling> auto& tiling, auto& visit) {
    visit("m_tile", tiling.m_tile);
    visit("most_m", tiling.most_m);
    visit.unless_default("workspace_bytes_per_tile", tiling.workspace_bytes_per_tile);
}

void members(ConstOr<LaunchPlan> auto& plan, auto& visit) {
    visit("steps", plan.steps);
    visit("workspace_bytes", plan.workspace_bytes);
    visit("tiling", plan.tiling);
}

void members(ConstOr<DeviceInfo> auto& device, auto& visit) {
    visit("id", device.id);
    visit("backend", device.backend);
    visit("key", device.key);
    visit("name", device.name);
    visit("uuid", device.uuid);
    visit("arch", device.arch);
    visit("compute_capability", device.compute_capability);
    visit("units", device.units);
    visit("cache_bytes", device.cache_bytes);
    visit("memory_bytes", device.memory_bytes);
    visit("memory_gb_s", device.memory_gb_s);
    visit("shared_bytes_per_block", device.shared_bytes_per_block);
    visit("max_threads_per_block", device.max_threads_per_block);
    visit("isa", device.isa);
    visit("facts", device.facts);
}

void members(ConstOr<Ceiling> auto& ceiling, auto& visit) {
    visit("what", ceiling.what);
    visit("bytes", ceiling.bytes);
    visit("value", ceiling.value);
    visit("unit", ceiling.unit);
}

void members(ConstOr<MeasuringPolicy> auto& policy, auto& visit) {
    visit("cache", policy.cache);
    visit("cache_bytes_factor", policy.cache_bytes_factor);
    visit("inputs", policy.inputs);
    visit("inputs_file", policy.inputs_file);
    visit.unless_default("codebook", policy.codebook);
    visit("seed", policy.seed);
    visit("max_nrmse", policy.max_nrmse);
    visit("allow_throttling", policy.allow_throttling);
    visit.unless_default("launch_mode", policy.launch_mode);
}

void members(ConstOr<Conditions> auto& conditions, auto& visit) {
    visit("sm_clock_mhz", conditions.sm_clock_mhz);
    visit("power_w", conditions.power_w);
    visit("temperature_c", conditions.temperature_c);
    visit("throttle_reasons", conditions.throttle_reasons);
}

void members(ConstOr<Accuracy> auto& accuracy, auto& visit) {
    visit("rmse", accuracy.rmse);
    visit("nrmse", accuracy.nrmse);
}

void members(ConstOr<KernelResources> auto& resources, auto& visit) {
    visit("registers", resources.registers);
    visit("shared_bytes", resources.shared_bytes);
    visit("local_bytes", resources.local_bytes);
}

void require_sound(const TensorMap& map) {
    const std::size_t rank = map.size.size();
    const std::size_t least = map.whole_depth != 0 ? 3 : 2;
    if (rank < least || map.box.size() != rank || map.strides.size() + 1 != rank) {
        throw std::invalid_argument(
            fmt::format("a tensor map of {} sizes, {} strides and a box of {}",
                        rank,
                        map.strides.size(),
                        map.box.size()));
    }
}

void require_sound(const RowTiling& tiling) {
    for (const std::int64_t rows : {tiling.m_tile, tiling.most_m}) {
        if (rows < 1 || rows > RowTiling::kAnyNumber) {
            throw std::invalid_argument(fmt::format("a tiling of {} rows", rows));
        }
    }
}

}  // namespace

std::string to_line(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

FDKBENCH_JSON_MEMBERS(Problem)
FDKBENCH_JSON_MEMBERS(TensorMap)
FDKBENCH_JSON_MEMBERS(LaunchStep)
FDKBENCH_JSON_MEMBERS(RowTiling)
FDKBENCH_JSON_MEMBERS(LaunchPlan)
FDKBENCH_JSON_MEMBERS(DeviceInfo)
FDKBENCH_JSON_MEMBERS(Ceiling)
FDKBENCH_JSON_MEMBERS(MeasuringPolicy)
FDKBENCH_JSON_MEMBERS(Conditions)
FDKBENCH_JSON_MEMBERS(Accuracy)
FDKBENCH_JSON_MEMBERS(KernelResources)

void to_json(Json& json, const Params& params) {
    json = Json::object();
    for (const auto& [name, value] : params.items()) {
        json[name] = std::visit([](const auto& typed) { return Json(typed); }, value);
    }
}

void from_json(const Json& json, Params& params) {
    params = Params();
    for (const auto& [name, value] : json.get_ref<const Json::object_t&>()) {
        if (value.is_string()) {
            params.set(name, value.get<std::string>());
        } else {
            params.set(name, integer_from<std::int64_t>(value));
        }
    }
}

std::string_view word_of(CandidateStatus value) {
    return to_string(value);
}

std::string_view word_of(ElementType value) {
    return to_string(value);
}

std::string_view word_of(Layout value) {
    return to_string(value);
}

std::string_view word_of(CachePolicy value) {
    return to_string(value);
}

std::string_view word_of(CodebookValues value) {
    return to_string(value);
}

std::string_view word_of(LaunchMode value) {
    return to_string(value);
}

std::string_view word_of(TensorMap::Operand value) {
    return to_string(value);
}

std::string_view word_of(LaunchStep::Kind value) {
    return value == LaunchStep::Kind::kKernel ? "kernel" : "matmul";
}

void from_word(std::string_view word, CandidateStatus& value) {
    value = candidate_status_from(word);
}

void from_word(std::string_view word, ElementType& value) {
    value = element_type_from(word);
}

void from_word(std::string_view word, Layout& value) {
    value = layout_from(word);
}

void from_word(std::string_view word, CachePolicy& value) {
    value = cache_policy_from(word);
}

void from_word(std::string_view word, CodebookValues& value) {
    value = codebook_values_from(word);
}

void from_word(std::string_view word, LaunchMode& value) {
    value = launch_mode_from(word);
}

void from_word(std::string_view word, TensorMap::Operand& value) {
    value = operand_from(word);
}

void from_word(std::string_view word, LaunchStep::Kind& value) {
    for (const auto kind : {LaunchStep::Kind::kKernel, LaunchStep::Kind::kMatmul}) {
        if (word == word_of(kind)) {
            value = kind;
            return;
        }
    }
    throw std::invalid_argument(fmt::format("unknown kind of step '{}'", word));
}

Json double_json(double value) {
    if (std::isnan(value)) {
        return "nan";
    }
    if (std::isinf(value)) {
        return value > 0 ? "inf" : "-inf";
    }
    return value;
}

double double_from(const Json& json) {
    if (json.is_number()) {
        return json.get<double>();
    }
    for (const double value : {kInfinity, -kInfinity, kNan}) {
        if (json == double_json(value)) {
            return value;
        }
    }
    throw std::invalid_argument(json.dump() + " is not a number");
}

const Json& array_from(const Json& json, std::optional<std::size_t> size) {
    if (!json.is_array() || (size && json.size() != *size)) {
        throw std::invalid_argument(json.dump() + " is not an array of the right length");
    }
    return json;
}

MemberReader::MemberReader(const Json& json, std::initializer_list<std::string_view> envelope)
    : json_(json), known_(envelope) {
    if (!json.is_object()) {
        throw std::invalid_argument(json.dump() + " is not an object");
    }
}

const Json* MemberReader::find(const char* name) {
    known_.emplace_back(name);
    const auto member = json_.find(name);
    return member == json_.end() ? nullptr : &*member;
}

const Json& MemberReader::required(const char* name) {
    const Json* json = find(name);
    if (json == nullptr) {
        throw std::invalid_argument(fmt::format("'{}' is missing", name));
    }
    return *json;
}

void MemberReader::finish() const {
    for (const auto& item : json_.items()) {
        if (std::find(known_.begin(), known_.end(), item.key()) == known_.end()) {
            throw std::invalid_argument(fmt::format("unknown key '{}'", item.key()));
        }
    }
}

}  // namespace fdkbench
