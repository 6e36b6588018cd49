#include "tests/kernels/mma_emulation/device.hpp"

#include "kernels/common/element.cuh"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <numeric>
#include <random>
#include <stdexcept>
#include <ucontext.h>
#include <utility>
#include <vector>

Index3 threadIdx;
Index3 blockIdx;

namespace emulation {
namespace {

/// Where threads wait until `expected` of them have come.
struct Barrier {
    int expected = 0;
    int arrived = 0;
    int generation = 0;
};

struct Copy {
    void* to;
    const void* from;
    int valid_bytes;
};

struct Thread {
    static constexpr std::size_t kStackBytes = 64 * 1024;
    ucontext_t context{};
    std::unique_ptr<std::byte[]> stack{new std::byte[kStackBytes]};
    std::vector<std::vector<Copy>> groups{{}};  ///< of copies; the last one is still open
    MmaOperands operands{};
    ByteOperands bytes{};
    uint32 given = 0;
    uint32 taken = 0;
    bool finished = false;
};

struct Cta {
    std::vector<Thread> threads;
    std::vector<Barrier> warps;
    Barrier all;
    ucontext_t scheduler{};
    const std::function<void()>* kernel = nullptr;
    std::exception_ptr failure;
    bool late_copies = false;
    bool progress = false;
};
Cta* cta = nullptr;
std::vector<Range> allowed;

Thread& self() {
    return cta->threads[static_cast<std::size_t>(threadIdx.x)];
}

/// `last` is called by the thread that comes last, before the others go on.
void wait_at(Barrier& barrier, const std::function<void()>& last) {
    cta->progress = true;
    if (++barrier.arrived == barrier.expected) {
        last();
        barrier.arrived = 0;
        ++barrier.generation;
        return;
    }
    for (const int generation = barrier.generation; generation == barrier.generation;) {
        swapcontext(&self().context, &cta->scheduler);
    }
}

void copy_now(const Copy& copy) {
    std::memset(copy.to, 0, 16);
    std::memcpy(copy.to, copy.from, static_cast<std::size_t>(copy.valid_bytes));
}

/// Element (row, slot) of a warp's A or B: PTX ISA, "Matrix fragments for mma.m16n8k16".
float a_at(const Thread* lanes, int row, int slot) {
    const int lane = row % 8 * 4 + slot % 8 / 2;
    const uint32 pair = lanes[lane].operands.a[row / 8 + slot / 8 * 2];
    return to_float(static_cast<uint16>(pair >> (slot % 2 * 16)));
}
float b_at(const Thread* lanes, int slot, int column) {
    const int lane = column * 4 + slot % 8 / 2;
    const uint32 pair = lanes[lane].operands.b[slot / 8];
    return to_float(static_cast<uint16>(pair >> (slot % 2 * 16)));
}

void multiply_warp(const Thread* lanes) {
    for (int row = 0; row < 16; ++row) {
        for (int column = 0; column < 8; ++column) {
            float sum = 0;
            for (int slot = 0; slot < 16; ++slot) {
                sum += a_at(lanes, row, slot) * b_at(lanes, slot, column);
            }
            lanes[row % 8 * 4 + column / 2].operands.sums[row / 8 * 2 + column % 2] += sum;
        }
    }
}

/// The same for mma.m16n8k32.
int a_byte(const Thread* lanes, int row, int slot) {
    const int lane = row % 8 * 4 + slot % 16 / 4;
    const uint32 four = lanes[lane].bytes.a[row / 8 + slot / 16 * 2];
    return static_cast<uint8>(four >> (slot % 4 * 8));
}
int b_byte(const Thread* lanes, int slot, int column) {
    const int lane = column * 4 + slot % 16 / 4;
    return static_cast<int8>(lanes[lane].bytes.b[slot / 16] >> (slot % 4 * 8));
}

void multiply_warp_bytes(const Thread* lanes) {
    for (int row = 0; row < 16; ++row) {
        for (int column = 0; column < 8; ++column) {
            int sum = 0;
            for (int slot = 0; slot < 32; ++slot) {
                sum += a_byte(lanes, row, slot) * b_byte(lanes, slot, column);
            }
            lanes[row % 8 * 4 + column / 2].bytes.sums[row / 8 * 2 + column % 2] +=
                static_cast<uint32>(sum);
        }
    }
}

/// The warp of the running thread: `last` is given its lanes when all have come.
void meet_warp(const std::function<void(Thread*)>& last) {
    const int warp = threadIdx.x / 32;
    wait_at(cta->warps[static_cast<std::size_t>(warp)],
            [&] { last(cta->threads.data() + static_cast<std::ptrdiff_t>(warp) * 32); });
}

void thread_main() {
    try {
        (*cta->kernel)();
    } catch (...) {
        cta->failure = std::current_exception();
    }
    self().finished = true;
    cta->progress = true;
    swapcontext(&self().context, &cta->scheduler);
}

}  // namespace

void run_cta(Index3 block, int threads, unsigned seed, const std::function<void()>& kernel) {
    Cta state;
    state.threads = std::vector<Thread>(static_cast<std::size_t>(threads));
    state.warps.assign(static_cast<std::size_t>(threads / 32), Barrier{32});
    state.all.expected = threads;
    state.kernel = &kernel;
    state.late_copies = seed % 2 == 1;
    cta = &state;
    blockIdx = block;
    for (Thread& thread : state.threads) {
        getcontext(&thread.context);
        thread.context.uc_stack.ss_sp = thread.stack.get();
        thread.context.uc_stack.ss_size = Thread::kStackBytes;
        makecontext(&thread.context, thread_main, 0);
    }
    std::vector<int> order(static_cast<std::size_t>(threads));
    std::iota(order.begin(), order.end(), 0);
    std::mt19937 random(seed);
    const auto unfinished = [&] {
        return std::any_of(state.threads.begin(), state.threads.end(), [](const Thread& thread) {
            return !thread.finished;
        });
    };
    while (!state.failure && unfinished()) {
        std::shuffle(order.begin(), order.end(), random);
        state.progress = false;
        for (const int index : order) {
            threadIdx.x = index;
            if (!self().finished && !state.failure) {
                swapcontext(&state.scheduler, &self().context);
            }
        }
        if (!state.progress) {
            throw std::logic_error("threads wait for others that never come");
        }
    }
    if (state.failure) {
        std::rethrow_exception(state.failure);
    }
}

void mma(const MmaOperands& operands) {
    self().operands = operands;
    meet_warp(multiply_warp);
}

void mma(const ByteOperands& operands) {
    self().bytes = operands;
    meet_warp(multiply_warp_bytes);
}

uint32 exchange_lanes(uint32 value, int lanes) {
    self().given = value;
    meet_warp([&](Thread* warp) {
        for (int lane = 0; lane < 32; ++lane) {
            warp[lane].taken = warp[lane ^ lanes].given;
        }
    });
    return self().taken;
}

void copy_async_16(void* to, const void* from, int valid_bytes) {
    check_access(to, 16);
    check_access(from, valid_bytes > 0 ? 16 : 1);
    const Copy copy{to, from, valid_bytes};
    if (cta->late_copies) {
        self().groups.back().push_back(copy);
    } else {
        copy_now(copy);
    }
}

void commit_async_copies() {
    self().groups.emplace_back();
}

void wait_async_copies(int pending) {
    auto& groups = self().groups;
    while (static_cast<int>(groups.size()) > pending + 1) {
        std::for_each(groups.front().begin(), groups.front().end(), copy_now);
        groups.erase(groups.begin());
    }
}

void allow_accesses(std::vector<Range> ranges) {
    allowed = std::move(ranges);
}

void check_access(const void* address, int bytes) {
    const auto begin = reinterpret_cast<std::uintptr_t>(address);
    if (begin % static_cast<std::uintptr_t>(bytes) != 0) {
        throw std::logic_error("address is not a multiple of the access's size");
    }
    const bool inside = std::any_of(allowed.begin(), allowed.end(), [&](const Range& range) {
        const auto first = reinterpret_cast<std::uintptr_t>(range.begin);
        return begin >= first && begin + static_cast<std::size_t>(bytes) <= first + range.bytes;
    });
    if (!inside) {
        throw std::logic_error("access outside the kernel's memory");
    }
}

}  // namespace emulation

void __syncthreads() {
    emulation::wait_at(emulation::cta->all, [] {});
}
