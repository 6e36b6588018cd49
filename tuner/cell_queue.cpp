#include "tuner/cell_queue.hpp"

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

std::vector<std::size_t> CellQueue::take() {
    const std::lock_guard lock(mutex_);
    std::vector<std::size_t> taken;
    for (; next_ < plan_.cells.size(); ++next_) {
        const CellPlan& cell = plan_.cells[next_];
        if (!cell.has_work()) {
            continue;
        }
        if (!taken.empty() && !share_weights(plan_.cells[taken.front()].problem, cell.problem)) {
            break;
        }
        taken.push_back(next_);
    }
    return taken;
}

}  // namespace fdkbench
