#include "src/worker/checking.hpp"

#include "src/core/accuracy.hpp"
#include "src/core/half.hpp"
#include "src/worker/device_lost.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace fdkbench {
namespace {

constexpr std::uint16_t kPoison = 0xffff;  // a NaN in bf16 and in fp16

double rms(std::span<const float> values) {
    double squares = 0;
    for (const float value : values) {
        squares += static_cast<double>(value) * value;
    }
    return std::sqrt(squares / static_cast<double>(values.size()));
}

/// Elements for which something holds: the first, and how many.
struct Hits {
    std::size_t first = 0;
    std::size_t count = 0;
};

template <typename Holds>
Hits find(std::size_t begin, std::size_t end, Holds holds) {
    Hits hits{.first = begin};
    for (std::size_t i = begin; i < end; ++i) {  // without a branch: there are millions
        hits.count += holds(i) ? 1 : 0;
    }
    while (hits.count > 0 && !holds(hits.first)) {
        ++hits.first;
    }
    return hits;
}

std::string coordinate(std::size_t index, std::int64_t n) {
    const auto row_length = static_cast<std::size_t>(n);
    return fmt::format("y[{},{}]", index / row_length, index % row_length);
}

}  // namespace

Checker::Output Checker::run(Runnable& runnable, const Arguments& arguments) const {
    backend_.fill(y_, std::byte{0xff});
    runnable.launch(arguments);
    waiting([&] { backend_.synchronize(); });
    Output output(y_.bytes() / sizeof(std::uint16_t));
    backend_.download(std::as_writable_bytes(std::span(output)), y_, 0);
    return output;
}

Accuracy Checker::accuracy(const Output& output,
                           std::int64_t rows,
                           std::span<const float> reference) const {
    const auto count = static_cast<std::size_t>(rows * problem_.shape.n);
    return compare(std::span(output).first(count), problem_.type, reference.first(count));
}

std::string Checker::written_fault(const Output& output, std::int64_t rows) const {
    const std::int64_t n = problem_.shape.n;
    const auto count = static_cast<std::size_t>(rows * n);
    const auto poisoned = [&](std::size_t i) { return output[i] == kPoison; };
    const Hits behind = find(count, output.size(), [&](std::size_t i) { return !poisoned(i); });
    if (behind.count > 0) {
        return fmt::format("writes behind the output of {} rows: first at {}, {} elements",
                           rows,
                           coordinate(behind.first, n),
                           behind.count);
    }
    const Hits unwritten = find(0, count, poisoned);
    if (unwritten.count > 0) {
        return fmt::format("leaves elements unwritten: first {}, {} of {} elements",
                           coordinate(unwritten.first, n),
                           unwritten.count,
                           count);
    }
    return {};
}

std::string Checker::value_fault(const Output& output, std::int64_t rows, double nrmse) const {
    if (nrmse <= max_nrmse_) {
        return {};
    }
    const auto count = static_cast<std::size_t>(rows * problem_.shape.n);
    const std::span<const float> expected(references_.kernel.data(), count);
    const auto got = [&](std::size_t i) { return from_bits16(output[i], problem_.type); };
    // Some element must be off by more than this, or nrmse would be within the gate.
    const double allowed = max_nrmse_ * rms(expected);
    const Hits off =
        find(0, count, [&](std::size_t i) { return !(std::abs(got(i) - expected[i]) <= allowed); });
    return fmt::format(
        "nrmse {:.3g} > {:g}: first at {}: got {:.6g}, expected {:.6g}; {} of {} elements are off",
        nrmse,
        max_nrmse_,
        coordinate(off.first, problem_.shape.n),
        got(off.first),
        expected[off.first],
        off.count,
        count);
}

std::string Checker::fault_of(const Output& output, std::int64_t rows) const {
    const std::string fault = written_fault(output, rows);
    return fault.empty()
               ? value_fault(output, rows, accuracy(output, rows, references_.kernel).nrmse)
               : fault;
}

Verdict Checker::check(Runnable& runnable,
                       std::span<const Arguments> rotation,
                       const LaunchPlan& plan) const {
    const std::int64_t m = problem_.shape.m;
    Verdict verdict;
    const Output first = run(runnable, rotation.front());
    verdict.fault = written_fault(first, m);
    if (!verdict.fault.empty()) {
        return verdict;
    }
    const Accuracy error = accuracy(first, m, references_.kernel);
    if (std::isfinite(error.nrmse)) {
        verdict.accuracy = error;
        verdict.accuracy_original =
            references_.original.empty() ? error : accuracy(first, m, references_.original);
    }
    verdict.fault = value_fault(first, m, error.nrmse);
    if (!verdict.fault.empty()) {
        return verdict;
    }

    const Output second = run(runnable, rotation.back());
    verdict.repeatable = first == second;
    if (!*verdict.repeatable) {
        verdict.fault = fault_of(second, m);
        if (!verdict.fault.empty()) {
            verdict.fault = "second run: " + verdict.fault;
            return verdict;
        }
    }

    // Kernels are launched for fewer rows, too: for a tile that lacks one, and for one that lacks
    // many, of which some kernels bring only those that there are.
    const std::int64_t tile = plan.tiling ? std::min(m, plan.tiling->m_tile) : m;
    for (const std::int64_t fewer : std::set{m - 1, tile / 2 + 1}) {
        if (fewer < 1 || fewer >= m) {
            continue;
        }
        Arguments ragged = rotation.front();
        ragged.m = static_cast<std::int32_t>(fewer);
        verdict.fault = fault_of(run(runnable, ragged), fewer);
        if (!verdict.fault.empty()) {
            verdict.fault = fmt::format("with m = {}: {}", fewer, verdict.fault);
            break;
        }
    }
    return verdict;
}

}  // namespace fdkbench
