#include "src/fdk/matrix.hpp"

#include "src/core/fragment.hpp"
#include "src/core/parallel.hpp"
#include "src/fdk/status.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

namespace fdkbench {
namespace {

/// The widest access that kernels make to x and y.
constexpr std::uintptr_t kAlignment = 16;

void* address_of(const std::unique_ptr<Buffer>& buffer) {
    return buffer ? buffer->data() : nullptr;
}

template <typename Values>
std::unique_ptr<Buffer> uploaded(ServingDevice& device, const Values& values) {
    return values.empty() ? nullptr : device.upload(std::as_bytes(std::span(values)));
}

bool same_kernel(const ServingEntry& a, const ServingEntry& b) {
    return a.binary_hash == b.binary_hash && a.plan == b.plan && a.launch_mode == b.launch_mode &&
           a.layout == b.layout;
}

void require_aligned(const char* name, const void* address) {
    if (address == nullptr || reinterpret_cast<std::uintptr_t>(address) % kAlignment != 0) {
        throw StatusError(
            FDK_INVALID_ARGUMENT,
            fmt::format("{} is at {}: give memory of the matrix's device at a multiple of {} bytes",
                        name,
                        address,
                        kAlignment));
    }
}

}  // namespace

Matrix::Matrix(std::shared_ptr<ServingDevice> device,
               const ServingTable& table,
               const std::vector<const ServingEntry*>& entries,
               const QuantisedMatrix& weights)
    : device_(std::move(device)), problem_(entries.front()->problem) {
    codebook_ = uploaded(*device_, weights.codebook);
    for (auto entry = entries.begin(); entry != entries.end(); ++entry) {
        const auto alike = std::find_if(entries.begin(), entry, [&](const ServingEntry* other) {
            return same_kernel(*other, **entry);
        });
        m_.push_back((*entry)->problem.shape.m);
        if (alike == entry) {
            upload(weights, **entry);
            kernels_.push_back(bound(table, **entry));
            kernel_for_.push_back(kernels_.back().get());
        } else {
            kernel_for_.push_back(kernel_for_[static_cast<std::size_t>(alike - entries.begin())]);
        }
    }
    launch_each_once();
}

void Matrix::upload(const QuantisedMatrix& weights, const ServingEntry& entry) {
    const auto [place, is_new] = operands_.try_emplace(entry.layout);
    if (!is_new) {
        return;
    }
    const auto keep = [&](const auto& matrix) {
        place->second = {uploaded(*device_, matrix.weight_data), uploaded(*device_, matrix.scale)};
    };
    if (entry.layout == Layout::kFragment && problem_.format.quantised()) {
        keep(to_fragments(weights, problem_.shape, problem_.format, hardware_threads()));
    } else {
        keep(weights);
    }
}

std::unique_ptr<BoundKernel> Matrix::bound(const ServingTable& table, const ServingEntry& entry) {
    // Not shared between kernels: each finds in its own the counters that it left there.
    std::unique_ptr<Buffer> workspace;
    if (entry.plan.workspace_bytes > 0) {
        workspace = device_->zeros(entry.plan.workspace_bytes);
    }
    const Operands& operands = operands_.at(entry.layout);
    Arguments arguments;
    arguments.w = address_of(operands.w);
    arguments.scales = address_of(operands.scales);
    arguments.codebook = address_of(codebook_);
    arguments.workspace = address_of(workspace);
    workspaces_.push_back(std::move(workspace));
    return device_->bind({entry.binary_hash, table.binaries.at(entry.binary_hash)},
                         entry.plan,
                         entry.problem,
                         entry.launch_mode,
                         arguments);
}

void Matrix::launch_each_once() {
    const Shape& shape = problem_.shape;
    const std::int64_t row_bytes = 2 * m_.back();
    const auto x = device_->zeros(static_cast<std::size_t>(row_bytes * shape.k));
    const auto y = device_->zeros(static_cast<std::size_t>(row_bytes * shape.n));
    for (std::size_t i = 0; i < m_.size(); ++i) {
        kernel_for_[i]->launch(
            device_->own_stream(), x->data(), static_cast<std::int32_t>(m_[i]), y->data());
    }
    device_->synchronize();
}

void Matrix::multiply(void* stream, const void* x, std::int64_t m, void* y) {
    if (m == 0) {
        return;
    }
    const auto found = std::ranges::lower_bound(m_, m);
    if (found == m_.end() || *found != m) {
        throw StatusError(FDK_NO_ENTRY,
                          fmt::format("the table has no kernel for m={} with n={} k={} bits={}, "
                                      "only for m = {}: give x one of these numbers of rows, or "
                                      "sweep this m, too",
                                      m,
                                      problem_.shape.n,
                                      problem_.shape.k,
                                      problem_.format.bits,
                                      fmt::join(m_, ", ")));
    }
    require_aligned("x", x);
    require_aligned("y", y);
    kernel_for_[static_cast<std::size_t>(found - m_.begin())]->launch(
        stream, x, static_cast<std::int32_t>(m), y);
}

}  // namespace fdkbench
