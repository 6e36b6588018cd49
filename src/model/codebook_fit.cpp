#include "src/model/codebook_fit.hpp"

#include "src/core/half.hpp"
#include "src/core/parallel.hpp"
#include "src/core/quantise.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace fdkbench {
namespace {

constexpr std::size_t kParts = 16;
constexpr std::size_t kBitPatterns = 65536;
/// Reached only by codebooks of 256 entries, whose error then changes in the sixth digit.
constexpr int kMaxIterations = 2000;

std::vector<double> as_doubles(std::span<const std::uint16_t> codebook, ElementType type) {
    std::vector<double> values;
    for (const std::uint16_t entry : codebook) {
        values.push_back(from_bits16(entry, type));
    }
    return values;
}

std::vector<std::uint16_t> rounded(std::span<const double> codebook, ElementType type) {
    const double greatest = type == ElementType::kFp16 ? 65504 : 3e38;
    std::vector<std::uint16_t> entries;
    for (const double value : codebook) {
        entries.push_back(
            to_bits16(static_cast<float>(std::clamp(value, -greatest, greatest)), type));
    }
    return entries;
}

/// Scaled weights in ascending order, with sums over all that come before each of them.
class Points {
  public:
    void add(float value, double mass, double moment) {
        values_.push_back(value);
        masses_.push_back(masses_.back() + mass);
        moments_.push_back(moments_.back() + moment);
    }
    [[nodiscard]] std::size_t size() const { return values_.size(); }
    /// The first point above `value`.
    [[nodiscard]] std::size_t above(double value) const {
        return static_cast<std::size_t>(std::ranges::upper_bound(values_, value) - values_.begin());
    }
    /// The first point before which there is this share of the mass.
    [[nodiscard]] std::size_t quantile(double share) const {
        const auto found = std::ranges::lower_bound(masses_, share * masses_.back());
        return std::min(static_cast<std::size_t>(found - masses_.begin()), size());
    }
    /// The best entry for the points [begin, end); `otherwise` where they have no mass.
    [[nodiscard]] double centre(std::size_t begin, std::size_t end, double otherwise) const {
        const double mass = begin < end ? masses_[end] - masses_[begin] : 0;
        return mass > 0 ? (moments_[end] - moments_[begin]) / mass : otherwise;
    }

  private:
    std::vector<double> values_;
    std::vector<double> masses_{0};
    std::vector<double> moments_{0};
};

/// Every entry the centre of an equal share of the mass.
std::vector<double> equal_shares(const Points& points, std::size_t entries) {
    std::vector<double> codebook;
    for (std::size_t i = 0; i < entries; ++i) {
        const auto share = [&](std::size_t j) {
            return points.quantile(static_cast<double>(j) / static_cast<double>(entries));
        };
        const std::size_t begin = std::min(share(i), points.size() - 1);
        codebook.push_back(points.centre(begin, std::max(begin + 1, share(i + 1)), 0));
    }
    std::ranges::sort(codebook);
    return codebook;
}

/// Moves each entry to the centre of the points that are nearest to it, until none moves.
std::vector<double> lloyd(const Points& points, std::vector<double> codebook) {
    std::vector<std::size_t> ends(codebook.size(), points.size());
    for (int iteration = 0; iteration < kMaxIterations; ++iteration) {
        const std::vector<std::size_t> before = ends;
        for (std::size_t i = 0; i + 1 < codebook.size(); ++i) {
            ends[i] = points.above((codebook[i] + codebook[i + 1]) / 2);
        }
        if (iteration > 0 && ends == before) {
            break;
        }
        for (std::size_t i = 0; i < codebook.size(); ++i) {
            codebook[i] = points.centre(i == 0 ? 0 : ends[i - 1], ends[i], codebook[i]);
        }
        // The centre of a single point is the mean of what was rounded to it, which may lie beyond
        // an entry without points.
        std::ranges::sort(codebook);
    }
    return codebook;
}

}  // namespace

CodebookFit::CodebookFit(const WeightFormat& format, ElementType type)
    : format_(format), type_(type), parts_(kParts, std::vector<Sums>(kBitPatterns)) {}

void CodebookFit::add(std::span<const std::uint16_t> weights, int threads) {
    const auto group_size = static_cast<std::size_t>(format_.group_size);
    const std::size_t groups = weights.size() / group_size;
    const auto add_group = [&](std::span<const std::uint16_t> group, std::vector<Sums>& sums) {
        const float scale = from_bits16(group_scale(group, format_.bits, type_), type_);
        const double mass = static_cast<double>(scale) * scale;
        for (const std::uint16_t weight : group) {
            Sums& sum = sums[scaled(weight, scale, type_)];
            sum.mass += mass;
            sum.moment += static_cast<double>(scale) * from_bits16(weight, type_);
        }
    };
    parallel_for(kParts, threads, [&](std::size_t first, std::size_t last) {
        for (std::size_t part = first; part < last; ++part) {
            for (std::size_t i = groups * part / kParts; i < groups * (part + 1) / kParts; ++i) {
                add_group(weights.subspan(i * group_size, group_size), parts_[part]);
            }
        }
    });
}

std::vector<CodebookFit::Sums> CodebookFit::totals() const {
    std::vector<Sums> totals = parts_.front();
    for (std::size_t part = 1; part < parts_.size(); ++part) {
        for (std::size_t i = 0; i < totals.size(); ++i) {
            totals[i].mass += parts_[part][i].mass;
            totals[i].moment += parts_[part][i].moment;
        }
    }
    return totals;
}

std::vector<std::uint16_t> CodebookFit::codebook() const {
    const std::vector<Sums> sums = totals();
    std::vector<std::size_t> patterns;
    for (std::size_t pattern = 0; pattern < sums.size(); ++pattern) {
        if (sums[pattern].mass > 0) {
            patterns.push_back(pattern);
        }
    }
    const auto value = [&](std::size_t pattern) {
        return from_bits16(static_cast<std::uint16_t>(pattern), type_);
    };
    std::ranges::stable_sort(patterns, {}, value);
    Points points;
    for (const std::size_t pattern : patterns) {
        points.add(value(pattern), sums[pattern].mass, sums[pattern].moment);
    }

    std::vector<std::uint16_t> best = uniform_codebook(format_.bits, type_);
    if (points.size() == 0) {
        return best;
    }
    // The squared error, less what no codebook changes.
    const auto error = [&](std::span<const std::uint16_t> codebook) {
        const std::vector<std::uint8_t> indices = codebook_indices(codebook, type_);
        const std::vector<double> values = as_doubles(codebook, type_);
        double total = 0;
        for (const std::size_t pattern : patterns) {
            const double entry = values[indices[pattern]];
            total += entry * (entry * sums[pattern].mass - 2 * sums[pattern].moment);
        }
        return total;
    };
    // Neither start is the better one for all weights.
    for (const std::vector<double>& start :
         {as_doubles(best, type_), equal_shares(points, best.size())}) {
        std::vector<std::uint16_t> fitted = rounded(lloyd(points, start), type_);
        if (error(fitted) < error(best)) {
            best = std::move(fitted);
        }
    }
    return best;
}

}  // namespace fdkbench
