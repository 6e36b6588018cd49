#include "src/fdk/matrix.hpp"

#include "src/core/parallel.hpp"
#include "src/fdk/status.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
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

/// Of kernels whose workspace grows with m, where no more was measured.
constexpr std::int64_t kMostRowsInWorkspace = 512;

bool same_kernel(const ServingEntry& a, const ServingEntry& b) {
    return a.binary_hash == b.binary_hash && a.launch_mode == b.launch_mode &&
           a.layout == b.layout && (a.plan == b.plan || for_m(a.plan, b.problem.shape.m) == b.plan);
}

/// Rows of x that the kernel of `first` is launched for at once, so that it serves all entries that
/// it is the same for.
std::int64_t most_rows(const ServingEntry& first, const std::vector<const ServingEntry*>& entries) {
    std::int64_t own = 0;
    std::int64_t last = 0;
    for (const ServingEntry* entry : entries) {
        if (same_kernel(first, *entry)) {
            own = std::max(own, entry->problem.shape.m);
            last = std::max(last, entry->last_m);
        }
    }
    if (!first.plan.tiling) {
        return own;
    }
    const RowTiling& tiling = *first.plan.tiling;
    if (tiling.workspace_bytes_per_tile != 0) {
        last = std::min(last, std::max(own, kMostRowsInWorkspace));
    }
    return std::min(last, tiling.most_m);
}

}  // namespace

Matrix::Matrix(std::shared_ptr<ServingDevice> device,
               const ServingTable& table,
               const std::vector<const ServingEntry*>& entries,
               const Weights& weights)
    : device_(std::move(device)), problem_(entries.front()->problem) {
    codebook_ = std::visit([&](const auto& matrix) { return uploaded(*device_, matrix.codebook); },
                           weights);
    for (auto entry = entries.begin(); entry != entries.end(); ++entry) {
        const auto alike = std::find_if(entries.begin(), entry, [&](const ServingEntry* other) {
            return same_kernel(*other, **entry);
        });
        Route route{.first_m = (*entry)->first_m,
                    .last_m = (*entry)->last_m,
                    .most_rows = most_rows(**alike, entries),
                    .kernel = nullptr};
        if (alike == entry) {
            upload(weights, **entry);
            kernels_.push_back(bound(table, **entry, route.most_rows));
            route.kernel = kernels_.back().get();
        } else {
            route.kernel = routes_[static_cast<std::size_t>(alike - entries.begin())].kernel;
        }
        m_.push_back((*entry)->problem.shape.m);
        routes_.push_back(route);
    }
    launch_each_once();
}

void Matrix::upload(const Weights& weights, const ServingEntry& entry) {
    const auto [place, is_new] = operands_.try_emplace(entry.layout);
    if (!is_new) {
        return;
    }
    Operands& operands = place->second;
    const auto keep = [&](const auto& matrix) {
        operands = {uploaded(*device_, matrix.weight_data), uploaded(*device_, matrix.scale)};
    };
    const auto& [shape, format, type] = problem_;
    const bool wants_fragments = entry.layout == Layout::kFragment && format.quantised();
    const auto* fragments = std::get_if<FragmentMatrix>(&weights);
    if (wants_fragments == (fragments != nullptr)) {
        std::visit(keep, weights);
    } else if (wants_fragments) {
        keep(to_fragments(std::get<QuantisedMatrix>(weights), shape, format, hardware_threads()));
    } else {
        keep(from_fragments(*fragments, shape, format, hardware_threads()));
    }
}

std::unique_ptr<BoundKernel> Matrix::bound(const ServingTable& table,
                                           const ServingEntry& entry,
                                           std::int64_t most_rows) {
    const LaunchPlan plan = for_m(entry.plan, most_rows).value_or(entry.plan);
    // Not shared between kernels: each finds in its own the counters that it left there.
    std::unique_ptr<Buffer> workspace;
    if (plan.workspace_bytes > 0) {
        workspace = device_->zeros(plan.workspace_bytes);
    }
    const Operands& operands = operands_.at(entry.layout);
    Arguments arguments;
    arguments.w = address_of(operands.w);
    arguments.scales = address_of(operands.scales);
    arguments.codebook = address_of(codebook_);
    arguments.workspace = address_of(workspace);
    workspaces_.push_back(std::move(workspace));
    return device_->bind({entry.binary_hash, table.binaries.at(entry.binary_hash)},
                         plan,
                         entry.problem,
                         entry.launch_mode,
                         arguments);
}

void Matrix::launch_each_once() {
    std::vector<std::pair<BoundKernel*, std::int32_t>> launches;
    std::int64_t most = 1;
    for (const Route& route : routes_) {
        const std::int64_t last_m = std::min(route.last_m, route.most_rows);
        for (const std::int32_t m :
             route.kernel->first_launches(std::min(route.first_m, last_m), last_m)) {
            launches.emplace_back(route.kernel, m);
            most = std::max<std::int64_t>(most, m);
        }
    }
    const Shape& shape = problem_.shape;
    const auto x = device_->zeros(static_cast<std::size_t>(2 * most * shape.k));
    const auto y = device_->zeros(static_cast<std::size_t>(2 * most * shape.n));
    for (const auto& [kernel, m] : launches) {
        kernel->launch(device_->own_stream(), x->data(), m, y->data());
    }
    device_->synchronize();
}

const Matrix::Route& Matrix::route(std::int64_t m) const {
    const auto beyond = std::ranges::upper_bound(routes_, m, {}, &Route::first_m);
    if (beyond == routes_.begin() || std::prev(beyond)->last_m < m) {
        throw StatusError(FDK_NO_ENTRY,
                          fmt::format("the table has no kernel for m={} with n={} k={} bits={}, "
                                      "only for m = {}, as it was written by an older version: "
                                      "give x one of these numbers of rows, or sweep and write the "
                                      "bundle again",
                                      m,
                                      problem_.shape.n,
                                      problem_.shape.k,
                                      problem_.format.bits,
                                      fmt::join(m_, ", ")));
    }
    return *std::prev(beyond);
}

void Matrix::multiply(void* stream, const void* x, std::int64_t m, void* y) {
    if (m == 0) {
        return;
    }
    if (m < 0) {
        throw StatusError(FDK_INVALID_ARGUMENT,
                          fmt::format("x cannot have m={} rows: give 0 or more", m));
    }
    const Route& route = this->route(m);
    require_aligned("x", x, kAlignment);
    require_aligned("y", y, kAlignment);
    for (std::int64_t done = 0; done < m; done += route.most_rows) {
        const std::int64_t rows = std::min(m - done, route.most_rows);
        route.kernel->launch(stream,
                             static_cast<const std::uint16_t*>(x) + done * problem_.shape.k,
                             static_cast<std::int32_t>(rows),
                             static_cast<std::uint16_t*>(y) + done * problem_.shape.n);
    }
}

}  // namespace fdkbench
