#pragma once

#include "results/store.hpp"
#include "tests/temporary.hpp"

#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace fdkbench {

using test::TemporaryFolder;

inline RunRecord fictional_run(const std::string& device = "Fictional 100") {
    RunRecord run;
    run.device.id = "cuda:0";
    run.device.backend = "cuda";
    run.device.key = device + ", sm_90, 4 SMs";
    run.device.name = device;
    run.device.uuid = "GPU-" + device;
    run.device.arch = "sm_90a";
    run.device.units = 4;
    run.device.memory_gb_s = 3352.32;
    run.compiler = "nvrtc 13.0";
    run.driver = "580.1";
    run.commit = "abcdef";
    run.command = "fdkbench sweep";
    return run;
}

inline Problem small_problem(std::int64_t m = 1) {
    Problem problem;
    problem.shape = {m, 128, 256};
    problem.format = {4, 64};
    return problem;
}

/// A candidate that differs from others by `warps` in parameters, launch and compile key.
inline Candidate candidate(std::int64_t warps, const Problem& problem = small_problem()) {
    Candidate result;
    result.family = "lut_mv";
    result.params.set("warps", warps);
    result.params.set("decode", std::string("prmt"));
    result.problem = problem;
    LaunchStep step;
    step.kernel = "lut_mv";
    step.block = {static_cast<std::uint32_t>(32 * warps), 1, 1};
    step.grid = {static_cast<std::uint32_t>(problem.shape.m), 1, 1};
    result.plan.steps = {step};
    result.compile_key = "key" + std::to_string(warps);
    return result;
}

inline std::string hash_of(const Candidate& candidate) {
    return "hash-" + candidate.compile_key;
}

/// A correct, timed kernel with `samples` samples.
inline Measurement correct(double ratio, int registers = 64, int samples = 3) {
    Measurement result;
    result.accuracy = Accuracy{0.001, 0.002};
    result.accuracy_original = Accuracy{0.01, 0.1};
    result.repeatable = true;
    result.resources = KernelResources{registers, 1024, 0};
    result.time_us = 20 / ratio;
    result.ratio = ratio;
    result.ratio_lo = ratio * 0.99;
    result.ratio_hi = ratio * 1.01;
    result.baseline_us = 20;
    result.baseline_first_us = 21;
    result.gb_s = 1000;
    result.tflop_s = 1.5;
    result.floor_us = 5;
    result.floor_pct = 25 * ratio;
    for (int i = 0; i < samples; ++i) {
        result.samples.push_back({20 / ratio + i, 20, 20.5, 0, {}});
    }
    return result;
}

/// One sample gives a ratio without an interval.
inline Measurement single_sample(double ratio) {
    Measurement result = correct(ratio, 64, 1);
    result.ratio_lo.reset();
    result.ratio_hi.reset();
    return result;
}

inline Measurement failed(CandidateStatus status, const std::string& message = "because") {
    Measurement result;
    result.status = status;
    result.message = message;
    return result;
}

/// First column of the first row, "" without one.
inline std::string value(const Store& store, const std::string& sql) {
    const QueryResult result = store.query(sql);
    return result.rows.empty() ? "" : result.rows[0][0].text.value_or("NULL");
}

inline void write_file(const std::filesystem::path& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
}

inline std::string bytes_of(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// Changes a database as another program would.
inline void run_sql(const std::filesystem::path& path, const std::string& sql) {
    sqlite3* handle = nullptr;
    const bool done = sqlite3_open(path.c_str(), &handle) == SQLITE_OK &&
                      sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
    const std::string message = sqlite3_errmsg(handle);
    sqlite3_close(handle);
    if (!done) {
        throw std::runtime_error(message);
    }
}

}  // namespace fdkbench
