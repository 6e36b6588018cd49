#pragma once

#include "src/core/backend.hpp"
#include "src/worker/worker_main.hpp"

#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fdkbench {

inline constexpr std::int64_t kFakeCacheBytes = 100'000;
inline constexpr double kFakeCandidateUs = 5;
inline constexpr double kFakeSlowUs = 100;
/// Times of the three fake baseline algorithms; the second is the best.
inline constexpr double kFakeBaselineUs[] = {12, 10, 14};

/// What a fake backend has done so far; outlives it.
struct FakeState {
    int backends = 0;
    double rested_us = 0;  ///< between replays
    std::vector<std::size_t> opened;
    int compute_capability = 0;     ///< of its devices
    std::vector<LaunchMode> modes;  ///< of the candidates loaded
    std::size_t live_bytes = 0;
    std::size_t peak_bytes = 0;
    std::size_t memory_bytes = 64 << 20;  ///< allocate() fails beyond
    int held = 0;                         ///< how often hold() was called
    std::vector<std::vector<Arguments>> recorded;
    std::vector<std::string> replayed;  ///< names of runnables, in order
    bool lost = false;                  ///< every wait fails from now on
    bool counts_energy = false;
    double energy_uj = 0;
    std::optional<int> compute_processes;
    /// Times of the baseline algorithms, "algorithm 1" and so on; one that has 0 fails.
    std::vector<double> baseline_us{std::begin(kFakeBaselineUs), std::end(kFakeBaselineUs)};
    bool noisy = false;  ///< prints to standard output like a careless library
};

/// A backend that computes on host memory and in simulated time. A "binary" is a file name that
/// says what the candidate does (fake_backend.cpp, `Trick`).
std::unique_ptr<Backend> make_fake_backend(std::shared_ptr<FakeState> state);

/// A compiler that writes its options down as the binary and fails when one is "-DBAD".
std::unique_ptr<KernelCompiler> make_fake_compiler();

WorkerParts fake_parts(std::shared_ptr<FakeState> state);

Problem small_problem();

}  // namespace fdkbench
