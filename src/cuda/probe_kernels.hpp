#pragma once

#include "src/core/embedded_file.hpp"

#include <array>

namespace fdkbench {

/// Loads that a thread of kernel read_U has in flight.
inline constexpr std::array kReadUnrolls{1, 2, 4, 8, 16};
/// Most words that a block of any read kernel can have in flight: threads × unroll.
inline constexpr int kMaxReadTile = 8192;
/// What a thread's words must be, exclusive-ored, for it to write to y.
inline constexpr unsigned kReadMagic = 0x9e3779b9;

/// The kernels that measure the device itself. All have the project's kernel arguments, of which
/// they use few.
/// - read_1 … read_16: reads 16-byte words from w up to x once, each CTA one slice of m words;
/// - fill: writes pseudo-random bf16 numbers of magnitude 1/8 to 2 to the m 16-byte words of y;
/// - empty: nothing.
const EmbeddedFile& probe_source();
/// Kernel delay, with the same arguments: each thread is busy for m clock cycles.
const EmbeddedFile& delay_source();

}  // namespace fdkbench
