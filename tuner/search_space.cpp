#include "tuner/search_space.hpp"

#include "kernels/registry.hpp"
#include "src/core/artifact_cache.hpp"
#include "src/core/error.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <regex>
#include <stdexcept>

namespace fdkbench {

namespace {

/// A point of a family's space: for each axis the index of its value.
using Point = std::vector<std::size_t>;

/// Steps to the next point of the product, the last axis fastest; false after the last one.
bool advance(Point& point, const std::vector<Axis>& axes) {
    for (std::size_t i = axes.size(); i-- > 0;) {
        if (++point[i] < axes[i].values.size()) {
            return true;
        }
        point[i] = 0;
    }
    return false;
}

Params params_at(const Point& point, const std::vector<Axis>& axes) {
    std::vector<std::pair<std::string, ParamValue>> items;
    items.reserve(axes.size());
    for (std::size_t i = 0; i < axes.size(); ++i) {
        items.emplace_back(axes[i].name, axes[i].values[point[i]]);
    }
    return Params(std::move(items));
}

std::vector<Point> all_points(const std::vector<Axis>& axes) {
    std::vector<Point> points;
    Point point(axes.size(), 0);
    do {
        points.push_back(point);
    } while (advance(point, axes));
    return points;
}

/// The candidates of one family on one problem, added to a cell.
class FamilySpace {
  public:
    /// `behind`: another family that claims the problem leaves it behind.
    FamilySpace(const Family& family, bool behind, const SweepOptions& options, CellPlan& cell)
        : family_(family),
          behind_(behind),
          options_(options),
          cell_(cell),
          axes_(family.axes(cell.problem, options.device)) {}

    void add_candidates() {
        for (const Axis& axis : axes_) {
            if (axis.values.empty()) {
                skip(fmt::format("no value of {} is possible", axis.name));
                return;
            }
        }
        std::vector<Point> points = all_points(axes_);
        if (options_.quick || behind_) {
            const std::size_t all = points.size();
            points = first_choices();
            if (!options_.quick) {
                skip(fmt::format("more than one step from its first choice; --include '^{}$' tries "
                                 "all, without the families that leave it behind",
                                 family_.name),
                     all - points.size());
            }
        }
        for (const Point& point : points) {
            add(params_at(point, axes_));
        }
    }

  private:
    [[nodiscard]] std::vector<Point> first_choices() const {
        Point centre(axes_.size(), 0);
        do {
            if (!family_.skips(cell_.problem, params_at(centre, axes_), options_.device)) {
                return star(centre);
            }
        } while (advance(centre, axes_));
        return {Point(axes_.size(), 0)};
    }

    [[nodiscard]] std::vector<Point> star(const Point& centre) const {
        std::vector<Point> points{centre};
        for (std::size_t axis = 0; axis < axes_.size(); ++axis) {
            for (std::size_t value = 0; value < axes_[axis].values.size(); ++value) {
                if (value != centre[axis]) {
                    points.push_back(centre);
                    points.back()[axis] = value;
                }
            }
        }
        return points;
    }

    void skip(const std::string& reason, std::size_t points = 1) {
        if (points > 0) {
            cell_.skipped[fmt::format("{}: {}", family_.name, reason)] += static_cast<int>(points);
        }
    }

    void add(const Params& params) {
        if (const auto reason = family_.skips(cell_.problem, params, options_.device)) {
            skip(*reason);
            return;
        }
        Candidate candidate = make_candidate(family_, cell_.problem, params, options_);
        if (const auto reason = launch_constraint(candidate.plan, options_.policy.launch_mode)) {
            skip(*reason);
            return;
        }
        cell_.candidates.push_back(std::move(candidate));
    }

    const Family& family_;
    const bool behind_;
    const SweepOptions& options_;
    CellPlan& cell_;
    std::vector<Axis> axes_;
};

std::optional<std::regex> expression(const std::string& option,
                                     const std::string& text,
                                     const std::vector<std::string>& names) {
    if (text.empty()) {
        return std::nullopt;
    }
    try {
        return std::regex(text);
    } catch (const std::regex_error& error) {
        throw UsageError(
            fmt::format("{} '{}' is no regular expression ({}); the families to choose from: {}",
                        option,
                        text,
                        error.what(),
                        fmt::join(names, ", ")));
    }
}

}  // namespace

std::vector<const Family*> chosen_families(const SweepOptions& options) {
    std::vector<const Family*> of_backend;
    std::vector<std::string> names;
    for (const Family& family : families()) {
        if (family.backend == options.device.backend) {
            of_backend.push_back(&family);
            names.push_back(family.name);
        }
    }
    const auto include = expression("--include", options.include, names);
    const auto exclude = expression("--exclude", options.exclude, names);
    std::vector<const Family*> chosen;
    for (const Family* family : of_backend) {
        if ((!include || std::regex_search(family->name, *include)) &&
            !(exclude && std::regex_search(family->name, *exclude))) {
            chosen.push_back(family);
        }
    }
    if (chosen.empty()) {
        throw UsageError(
            fmt::format("--include '{}' and --exclude '{}' leave no kernel family for the {} "
                        "backend; the families to choose from: {}",
                        options.include,
                        options.exclude,
                        options.device.backend,
                        fmt::join(names, ", ")));
    }
    return chosen;
}

CellPlan enumerate_candidates(const Problem& problem,
                              const std::vector<const Family*>& families,
                              const SweepOptions& options) {
    require_launch_mode(options.policy.launch_mode, options.device);
    CellPlan cell;
    cell.problem = problem;
    std::vector<const Family*> claimants;
    for (const Family* family : families) {
        if (const auto reason = family->declines(problem, options.device)) {
            ++cell.skipped[fmt::format("{}: {}", family->name, *reason)];
        } else {
            claimants.push_back(family);
        }
    }
    std::stable_partition(
        claimants.begin(), claimants.end(), [](const Family* family) { return !family->fallback; });
    bool behind = false;
    for (const Family* family : claimants) {
        FamilySpace(*family, family->fallback && behind, options, cell).add_candidates();
        behind = behind || (!family->fallback && !cell.candidates.empty());
    }
    return cell;
}

Candidate make_candidate(const Family& family,
                         const Problem& problem,
                         const Params& params,
                         const SweepOptions& options) {
    Candidate candidate;
    candidate.family = family.name;
    candidate.params = params;
    candidate.problem = problem;
    candidate.layout = problem.format.quantised() ? family.layout : Layout::kCanonical;
    candidate.plan = family.plan(problem, params, options.device);
    candidate.options = problem_defines(problem);
    for (std::string& define : defines(params)) {
        candidate.options.push_back(std::move(define));
    }
    candidate.compile_key = compile_key(
        kernel_source(family).digest, candidate.options, options.device.arch, options.compiler);
    return candidate;
}

std::optional<Candidate> rebuilt_candidate(const std::string& family,
                                           const Problem& problem,
                                           const Params& params,
                                           const SweepOptions& options) {
    try {
        const Family& found = family_named(family);
        const std::vector<Axis> axes = found.axes(problem, options.device);
        const bool same_names =
            std::ranges::equal(axes, params.items(), [](const Axis& axis, const auto& item) {
                return axis.name == item.first;
            });
        return same_names ? std::optional(make_candidate(found, problem, params, options))
                          : std::nullopt;
    } catch (const std::out_of_range&) {
        return std::nullopt;
    }
}

}  // namespace fdkbench
