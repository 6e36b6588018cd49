#include "tuner/cell_queue.hpp"

#include <algorithm>
#include <tuple>

namespace fdkbench {

namespace {

bool share_weights(const Problem& a, const Problem& b) {
    const auto key = [](const Problem& p) {
        return std::tuple(p.type, p.shape.k, p.shape.n, p.format.bits, p.format.group_size);
    };
    return key(a) == key(b);
}

}  // namespace

CellQueue::CellQueue(const SweepPlan& plan, std::size_t lanes) : plan_(plan), lanes_(lanes) {
    const auto work = static_cast<std::size_t>(
        std::ranges::count_if(plan.cells, [](const CellPlan& cell) { return cell.has_work(); }));
    most_ = std::max<std::size_t>(1, lanes == 1 ? work : work / (2 * lanes));
}

std::vector<std::size_t> CellQueue::take() {
    const std::lock_guard lock(mutex_);
    std::vector<std::size_t> taken;
    for (; next_ < plan_.cells.size(); ++next_) {
        const CellPlan& cell = plan_.cells[next_];
        if (!cell.has_work()) {
            continue;
        }
        if (taken.size() == most_) {
            break;
        }
        if (!taken.empty() && !share_weights(plan_.cells[taken.front()].problem, cell.problem)) {
            break;
        }
        taken.push_back(next_);
    }
    return taken;
}

}  // namespace fdkbench
