#include "src/protocol/messages.hpp"

#include "src/core/json_members.hpp"

namespace fdkbench::protocol {
namespace {

void members(ConstOr<ErrorReply> auto& message, auto& visit) {
    visit("code", message.code);
    visit("message", message.message);
}

void members(ConstOr<HelloRequest> auto& /*message*/, auto& /*visit*/) {}

void members(ConstOr<HelloReply> auto& message, auto& visit) {
    visit("version", message.version);
    visit("backend", message.backend);
    visit("compiler", message.compiler);
    visit("devices", message.devices);
    visit("versions", message.versions);
}

void members(ConstOr<CeilingsRequest> auto& message, auto& visit) {
    visit("device", message.device);
}

void members(ConstOr<CeilingsReply> auto& message, auto& visit) {
    visit("ceilings", message.ceilings);
}

void members(ConstOr<PrepareRequest> auto& message, auto& visit) {
    visit("device", message.device);
    visit("problem", message.problem);
    visit("policy", message.policy);
    visit("baselines", message.baselines);
    visit("floor", message.floor);
}

void members(ConstOr<PrepareReply> auto& message, auto& visit) {
    visit("baseline", message.baseline);
    visit("baseline_us", message.baseline_us);
    visit("baseline_first_us", message.baseline_first_us);
    visit("close_baselines", message.close_baselines);
    visit("floor_us", message.floor_us);
    visit("empty_launch_us", message.empty_launch_us);
    visit("copies", message.copies);
    visit("compute_processes", message.compute_processes);
}

void members(ConstOr<CheckRequest> auto& message, auto& visit) {
    visit("slot", message.slot);
    visit("binary", message.binary);
    visit("plan", message.plan);
    visit("layout", message.layout);
}

void members(ConstOr<CheckReply> auto& message, auto& visit) {
    visit("status", message.status);
    visit("message", message.message);
    visit("accuracy", message.accuracy);
    visit("accuracy_original", message.accuracy_original);
    visit("repeatable", message.repeatable);
    visit("resources", message.resources);
    visit("time_us", message.time_us);
    visit("worker_ends", message.worker_ends);
}

void members(ConstOr<BlockRequest> auto& message, auto& visit) {
    visit("slots", message.slots);
}

void members(ConstOr<TimingEvent> auto& message, auto& visit) {
    visit("slot", message.slot);
}

void members(ConstOr<FaultEvent> auto& message, auto& visit) {
    visit("message", message.message);
}

void members(ConstOr<EnergyRequest> auto& message, auto& visit) {
    visit("slot", message.slot);
}

void members(ConstOr<EnergyReply> auto& message, auto& visit) {
    visit("energy_uj", message.energy_uj);
}

void members(ConstOr<BlockReply> auto& message, auto& visit) {
    visit("before", message.before);
    visit("after", message.after);
    visit("baseline_before_us", message.baseline_before_us);
    visit("baseline_after_us", message.baseline_after_us);
    visit("baseline_first_us", message.baseline_first_us);
    visit("times_us", message.times_us);
}

void members(ConstOr<CompileRequest> auto& message, auto& visit) {
    visit("cache_dir", message.cache_dir);
    visit("family", message.family);
    visit("options", message.options);
    visit("arch", message.arch);
    visit("compile_key", message.compile_key);
}

void members(ConstOr<CompileReply> auto& message, auto& visit) {
    visit("status", message.status);
    visit("message", message.message);
    visit("binary_hash", message.binary_hash);
    visit("binary", message.binary);
    visit("seconds", message.seconds);
}

}  // namespace

FDKBENCH_JSON_MEMBERS(ErrorReply, {"reply"})
FDKBENCH_JSON_MEMBERS(HelloRequest, {"request"})
FDKBENCH_JSON_MEMBERS(HelloReply, {"reply"})
FDKBENCH_JSON_MEMBERS(CeilingsRequest, {"request"})
FDKBENCH_JSON_MEMBERS(CeilingsReply, {"reply"})
FDKBENCH_JSON_MEMBERS(PrepareRequest, {"request"})
FDKBENCH_JSON_MEMBERS(PrepareReply, {"reply"})
FDKBENCH_JSON_MEMBERS(CheckRequest, {"request"})
FDKBENCH_JSON_MEMBERS(CheckReply, {"reply"})
FDKBENCH_JSON_MEMBERS(BlockRequest, {"request"})
FDKBENCH_JSON_MEMBERS(BlockReply, {"reply"})
FDKBENCH_JSON_MEMBERS(TimingEvent, {"event"})
FDKBENCH_JSON_MEMBERS(FaultEvent, {"event"})
FDKBENCH_JSON_MEMBERS(EnergyRequest, {"request"})
FDKBENCH_JSON_MEMBERS(EnergyReply, {"reply"})
FDKBENCH_JSON_MEMBERS(CompileRequest, {"request"})
FDKBENCH_JSON_MEMBERS(CompileReply, {"reply"})

}  // namespace fdkbench::protocol
