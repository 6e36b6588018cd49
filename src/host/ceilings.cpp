#include "src/host/ceilings.hpp"

#include "src/core/arithmetic.hpp"
#include "src/host/dnnl_matmul.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <functional>
#include <limits>

// The program is built for any CPU of its architecture, these loops for the one they run on.
// TSan would be called by what chooses between them, before it is there.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__SANITIZE_THREAD__)
#define FDKBENCH_WIDEST __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define FDKBENCH_WIDEST
#endif

namespace fdkbench {
namespace {

constexpr std::int64_t kMiB = 1 << 20;
constexpr std::int64_t kLine = 64;

typedef std::uint64_t Line __attribute__((vector_size(kLine)));

/// Keeps a value that nothing reads from being optimised away.
void keep(const Line& value) {
    asm volatile("" : : "m"(value));
}

/// Reads `lines` cache lines in `kStreams` equal streams at once.
template <int kStreams>
inline __attribute__((always_inline)) void read_lines(const Line* from, std::int64_t lines) {
    std::array<Line, kStreams> sums{};
    const std::int64_t length = lines / kStreams;
    for (std::int64_t i = 0; i < length; ++i) {
        for (int stream = 0; stream < kStreams; ++stream) {
            sums[stream] += from[stream * length + i];
        }
    }
    for (std::int64_t i = length * kStreams; i < lines; ++i) {
        sums[0] += from[i];
    }
    for (const Line& sum : sums) {
        keep(sum);
    }
}

using ReadLoop = void (*)(const Line*, std::int64_t);

FDKBENCH_WIDEST void read_one_stream(const Line* from, std::int64_t lines) {
    read_lines<1>(from, lines);
}
FDKBENCH_WIDEST void read_two_streams(const Line* from, std::int64_t lines) {
    read_lines<2>(from, lines);
}
FDKBENCH_WIDEST void read_four_streams(const Line* from, std::int64_t lines) {
    read_lines<4>(from, lines);
}

double time_us(const std::function<void()>& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double, std::micro> spent =
        std::chrono::steady_clock::now() - start;
    return spent.count();
}

/// The shortest of several runs, at least 5 and 30 ms of them.
double best_time_us(const std::function<void()>& work) {
    constexpr double kEnoughUs = 30e3;
    constexpr int kLeastRuns = 5;
    double best_us = std::numeric_limits<double>::infinity();
    double total_us = 0;
    for (int run = 0; run < kLeastRuns || total_us < kEnoughUs; ++run) {
        const double run_us = time_us(work);
        best_us = std::min(best_us, run_us);
        total_us += run_us;
    }
    return best_us;
}

}  // namespace

const HostBuffer& HostCeilings::arena(std::int64_t bytes) {
    const auto needed = static_cast<std::size_t>(std::max(bytes, cold_bytes_));
    if (!arena_ || arena_->bytes() < needed) {
        arena_.reset();
        arena_ = std::make_unique<HostBuffer>(needed);
        std::memset(arena_->data(), 1, needed);
    }
    return *arena_;
}

double HostCeilings::read_floor_us(std::int64_t bytes) {
    const std::int64_t lines = std::max<std::int64_t>(1, (bytes + kLine - 1) / kLine);
    if (const auto known = read_floors_us_.find(lines); known != read_floors_us_.end()) {
        return known->second;
    }
    constexpr std::int64_t kPageLines = 4096 / kLine;
    const std::int64_t step = std::max(lines, kPageLines);
    const HostBuffer& memory = arena(lines * kLine);
    const auto* first = static_cast<const Line*>(memory.data());
    const std::int64_t copies =
        std::max<std::int64_t>(1, static_cast<std::int64_t>(memory.bytes()) / kLine / step);

    const int parts = pool_.threads();
    double floor_us = std::numeric_limits<double>::infinity();
    for (const ReadLoop loop : {read_one_stream, read_two_streams, read_four_streams}) {
        wait_for_quiet_threads();
        const double pass_us = best_time_us([&] {
            for (std::int64_t copy = 0; copy < copies; ++copy) {
                const Line* from = first + copy * step;
                pool_.run(parts, parts, [=](int part) {
                    const std::int64_t begin = lines * part / parts;
                    loop(from + begin, lines * (part + 1) / parts - begin);
                });
            }
        });
        floor_us = std::min(floor_us, pass_us / static_cast<double>(copies));
    }
    read_floors_us_[lines] = floor_us;
    return floor_us;
}

double HostCeilings::copy_gb_s() {
    const std::int64_t half = cold_bytes_ / 2;
    auto* to = static_cast<char*>(arena(cold_bytes_).data());
    const int parts = pool_.threads();
    const double us = best_time_us([&] {
        pool_.run(parts, parts, [=](int part) {
            const std::int64_t begin = half * part / parts;
            const std::int64_t end = half * (part + 1) / parts;
            std::memcpy(to + begin, to + half + begin, static_cast<std::size_t>(end - begin));
        });
    });
    return gb_s(2 * half, us);
}

double HostCeilings::empty_launch_us() {
    if (!empty_launch_us_) {
        constexpr int kLaunches = 1000;
        const int threads = pool_.threads();
        const double all_us = best_time_us([&] {
            for (int launch = 0; launch < kLaunches; ++launch) {
                pool_.run(threads, threads, [](int) {});
            }
        });
        empty_launch_us_ = all_us / kLaunches;
    }
    return *empty_launch_us_;
}

double HostCeilings::matmul_tflop_s() {
    if (!matmul_tflop_s_) {
        constexpr std::int64_t kSize = 2048;
        const bool bf16 = dnnl_supports(ElementType::kBf16);
        DnnlMatmul matmul(bf16 ? DnnlMatmul::Type::bf16 : DnnlMatmul::Type::f32,
                          {kSize, kSize, kSize},
                          DnnlMatmul::Weights::kLibrary);
        const std::size_t bytes = std::size_t{kSize} * kSize * sizeof(float);
        const HostBuffer x(bytes);
        const HostBuffer w(std::max(bytes, matmul.weight_bytes()));
        const HostBuffer y(bytes);
        // Ones in every half of every type: subnormals would be slow on some CPUs.
        std::memset(x.data(), 0x3f, x.bytes());
        std::memset(w.data(), 0x3f, w.bytes());
        wait_for_quiet_threads();
        const double us = best_time_us([&] { matmul.run(x.data(), w.data(), y.data()); });
        matmul_tflop_s_ = 2.0 * kSize * kSize * kSize / us * 1e-6;
    }
    return *matmul_tflop_s_;
}

std::vector<Ceiling> HostCeilings::all() {
    std::vector<Ceiling> ceilings;
    for (const std::int64_t bytes : {kMiB, 4 * kMiB, 16 * kMiB, 64 * kMiB, 256 * kMiB}) {
        ceilings.push_back({"read", bytes, gb_s(bytes, read_floor_us(bytes)), "GB/s"});
    }
    ceilings.push_back({"copy", cold_bytes_, copy_gb_s(), "GB/s"});
    ceilings.push_back({"launch", 0, empty_launch_us(), "us"});
    ceilings.push_back({"matmul", 0, matmul_tflop_s(), "TFLOP/s"});
    return ceilings;
}

}  // namespace fdkbench
