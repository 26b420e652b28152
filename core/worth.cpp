#include "worth.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace truemeans {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int kMostHalvings = 12;

}  // namespace

void Worth::find_receivers(const Clusters& clusters, std::size_t j) {
    const double* own = clusters.centroid(j);
    const auto& members = clusters.members(j);
    to_.resize(members.size());
    alternative_.resize(members.size());
    with_width(clusters.d(), [&](auto d) {
        order_.clear();
        double nearest = kInfinity;
        for (std::size_t l = 0; l < clusters.k(); ++l) {
            if (l == j) continue;
            const double gap = sq_dist_of(own, clusters.centroid(l), d);
            nearest = std::min(nearest, gap);
            order_.emplace_back(gap, static_cast<Index>(l));
        }
        // A row within R of its own centroid is within R + g of the nearest other one, so no
        // centroid beyond 2 R + g of the own one is its nearest.
        const double reach = 2.0 * std::sqrt(clusters.radius(j)) + std::sqrt(nearest);
        const double most = reach * reach * (1.0 + 1e-12);
        std::erase_if(order_, [&](const auto& other) { return other.first > most; });
        std::sort(order_.begin(), order_.end());
        for (std::size_t m = 0; m < members.size(); ++m) {
            const double* x = clusters.row(members[m]);
            const double near = clusters.near(members[m]);
            double best = kInfinity;
            for (const auto& [gap, l] : order_) {
                // |own - l| <= |x - own| + |x - l|, and (a + b)^2 <= 2 a^2 + 2 b^2.
                if (gap > 2.0 * (near + best)) break;
                const double v = sq_dist_of(x, clusters.centroid(static_cast<std::size_t>(l)), d);
                if (v < best) {
                    best = v;
                    to_[m] = l;
                }
            }
            alternative_[m] = best;
        }
    });
}

double Worth::removal(const Clusters& clusters, std::size_t j) {
    find_receivers(clusters, j);
    const auto& members = clusters.members(j);
    const std::size_t d = clusters.d();
    mass_.resize(clusters.k());
    sums_.resize(clusters.k() * d);
    heirs_.clear();
    double cost = 0.0;
    for (std::size_t m = 0; m < members.size(); ++m) {
        const auto l = static_cast<std::size_t>(to_[m]);
        const double w = clusters.row_weight(members[m]);
        const double* x = clusters.row(members[m]);
        if (mass_[l] == 0.0) heirs_.push_back(to_[m]);
        mass_[l] += w;
        for (std::size_t f = 0; f < d; ++f) sums_[l * d + f] += w * x[f];
        cost += w * alternative_[m];
    }
    // The means that take the rows in will follow them.
    for (const Index index : heirs_) {
        const auto l = static_cast<std::size_t>(index);
        double shift = 0.0;
        for (std::size_t f = 0; f < d; ++f) {
            const double e = sums_[l * d + f] / mass_[l] - clusters.centroid(l)[f];
            shift += e * e;
            sums_[l * d + f] = 0.0;
        }
        cost -= shift * (mass_[l] * mass_[l] / (clusters.weight(l) + mass_[l]));
        mass_[l] = 0.0;
    }
    return cost - clusters.cost(j);
}

// upper_: a first guess at the second half of a cluster.
void Worth::begin_halves(const Clusters& clusters, std::size_t j) {
    const auto& members = clusters.members(j);
    const std::size_t d = clusters.d();
    const double* c = clusters.centroid(j);
    means_.assign(d, 0.0);
    for (const Index i : members)
        for (std::size_t f = 0; f < d; ++f) {
            const double e = clusters.row(i)[f] - c[f];
            means_[f] += clusters.row_weight(i) * e * e;
        }
    const auto widest = std::max_element(means_.begin(), means_.end()) - means_.begin();
    const auto f = static_cast<std::size_t>(widest);
    for (std::size_t m = 0; m < members.size(); ++m)
        upper_[m] = clusters.row(members[m])[f] > c[f];
}

double Worth::halves(const Clusters& clusters, std::size_t j) {
    const auto& members = clusters.members(j);
    const double* c = clusters.centroid(j);
    upper_.assign(members.size(), 0);
    if (members.size() < 2) return 0.0;
    begin_halves(clusters, j);
    return with_width(clusters.d(), [&](auto d) {
        double few[6];  // both means, in registers
        means_.resize(2 * d);
        double* low = d <= 3 ? few : means_.data();
        double* high = low + d;
        double gain = 0.0;
        for (int round = 0; round < kMostHalvings; ++round) {
            double below = 0.0, above = 0.0;
            std::fill(low, low + 2 * d, 0.0);
            for (std::size_t m = 0; m < members.size(); ++m) {
                const double w = clusters.row_weight(members[m]);
                const double* x = clusters.row(members[m]);
                const double up = upper_[m] ? w : 0.0, down = w - up;
                above += up;
                below += down;
                for (std::size_t f = 0; f < d; ++f) {
                    high[f] += up * (x[f] - c[f]);
                    low[f] += down * (x[f] - c[f]);
                }
            }
            if (!(below > 0.0 && above > 0.0)) return 0.0;
            gain = 0.0;
            for (std::size_t f = 0; f < d; ++f) {
                gain += low[f] * low[f] / below + high[f] * high[f] / above;
                low[f] = low[f] / below + c[f];
                high[f] = high[f] / above + c[f];
            }
            bool changed = false;
            for (std::size_t m = 0; m < members.size(); ++m) {
                const double* x = clusters.row(members[m]);
                const char side = sq_dist_of(x, high, d) < sq_dist_of(x, low, d);
                changed |= side != upper_[m];
                upper_[m] = side;
            }
            if (!changed) break;
        }
        return gain;
    });
}

}  // namespace truemeans
