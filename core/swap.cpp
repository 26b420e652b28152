#include "swap.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

namespace truemeans {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// What counts as better: above what rounding the sums could feign.
constexpr double kLeastGain = 1e-10;
// Clusters of each kind that are paired (python -m benchmarks refine).
constexpr std::size_t kMostRanked = 64;
constexpr int kMostHalvings = 12;
// Begun across the widest feature, the second widest, or at the farthest row.
constexpr std::size_t kWays = 3;

}  // namespace

SwapSearch::SwapSearch(Clusters clusters, std::size_t patience)
    : clusters_(std::move(clusters)),
      best_(clusters_.centroids()),
      best_inertia_(kInfinity),
      patience_(patience),
      removals_(clusters_.k()),
      splits_(clusters_.k()),
      mass_(clusters_.k()),
      sums_(clusters_.k() * clusters_.d()) {}

void SwapSearch::start() {
    if (is_started_) return;
    clusters_.converge(kInfinity);
    keep();
    is_started_ = true;
}

void SwapSearch::keep() {
    best_ = clusters_.centroids();
    best_inertia_ = clusters_.total();
}

bool SwapSearch::run(std::size_t most, double seconds) {
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + std::chrono::duration<double>(seconds);
    start();
    for (std::size_t i = 0; i < most; ++i) {
        if (n_failed_ >= patience_) return true;
        if (!is_ranked_) rank();
        if (next_ == pairs_.size()) {
            if (!turn()) return true;
            continue;
        }
        const Pair pair = pairs_[next_++];
        ++n_tried_;
        if (attempt(static_cast<std::size_t>(pair.split), static_cast<std::size_t>(pair.removed))) {
            keep();
            ++n_kept_;
            n_failed_ = 0;
            is_ranked_ = false;
            if (way_ != 0) turn_to(0);
        } else {
            ++n_failed_;
            failures_.insert(key(pair.split, pair.removed));
        }
        if (Clock::now() >= end) return false;
    }
    return n_failed_ >= patience_;
}

// Another way to halve clusters, once all pairs have failed with this one.
bool SwapSearch::turn() {
    if (way_ + 1 == kWays) return false;
    turn_to(way_ + 1);
    return true;
}

void SwapSearch::turn_to(std::size_t way) {
    way_ = way;
    for (Split& split : splits_) split.version = 0;
    is_ranked_ = false;
}

// The same rows, halved in the same way.
std::uint64_t SwapSearch::key(Index s, Index r) const {
    const std::uint64_t vs = clusters_.version(static_cast<std::size_t>(s));
    return (vs * kWays + way_) << 32 | clusters_.version(static_cast<std::size_t>(r));
}

bool SwapSearch::attempt(std::size_t s, std::size_t r) {
    const double before = clusters_.total();
    clusters_.begin();
    divide(s);
    const std::vector<Index> halved = clusters_.members(s), freed = clusters_.members(r);
    const std::vector<char> upper = upper_;
    double reach = 0.0;
    find_receivers(r, reach);
    for (std::size_t m = 0; m < freed.size(); ++m)
        clusters_.move(freed[m], static_cast<std::size_t>(to_[m]));
    for (std::size_t m = 0; m < halved.size(); ++m)
        if (upper[m]) clusters_.move(halved[m], r);
    if (clusters_.converge(before * (1.0 - kLeastGain))) return true;
    clusters_.undo();
    return false;
}

// The pairs worth trying, best first, without those that failed and have not changed since.
void SwapSearch::rank() {
    const std::size_t k = clusters_.k(), most = std::min(k, kMostRanked);
    std::vector<Index> cheap(k), dear(k);
    for (std::size_t j = 0; j < k; ++j) {
        cheap[j] = dear[j] = static_cast<Index>(j);
        if (!is_current(removals_[j], j)) measure_removal(j);
        if (splits_[j].version != clusters_.version(j))
            splits_[j] = {divide(j), clusters_.version(j)};
    }
    const auto removal = [&](Index j) { return removals_[static_cast<std::size_t>(j)].cost; };
    const auto gain = [&](Index j) { return splits_[static_cast<std::size_t>(j)].gain; };
    const auto first = [&](std::vector<Index>& list, auto less) {
        std::partial_sort(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(most),
                          list.end(), less);
        list.resize(most);
    };
    first(cheap, [&](Index a, Index b) {
        return removal(a) < removal(b) || (removal(a) == removal(b) && a < b);
    });
    first(dear, [&](Index a, Index b) { return gain(a) > gain(b) || (gain(a) == gain(b) && a < b); });
    pairs_.clear();
    for (const Index s : dear)
        for (const Index r : cheap) {
            if (s == r || !(gain(s) > 0.0)) continue;
            if (!failures_.contains(key(s, r))) pairs_.push_back({gain(s) - removal(r), s, r});
        }
    std::stable_sort(pairs_.begin(), pairs_.end(),
                     [](const Pair& a, const Pair& b) { return a.gain > b.gain; });
    next_ = 0;
    is_ranked_ = true;
}

bool SwapSearch::is_current(const Removal& removal, std::size_t j) const {
    if (removal.version != clusters_.version(j)) return false;
    for (const auto& [l, version] : removal.receivers)
        if (clusters_.version(static_cast<std::size_t>(l)) != version) return false;
    return true;
}

// to_ and alternative_: the nearest other centroid of each member, and its squared distance.
void SwapSearch::find_receivers(std::size_t j, double& reach) {
    const double* own = clusters_.centroid(j);
    order_.clear();
    for (std::size_t l = 0; l < clusters_.k(); ++l)
        if (l != j)
            order_.emplace_back(clusters_.sq_dist(own, clusters_.centroid(l)), static_cast<Index>(l));
    std::sort(order_.begin(), order_.end());
    const auto& members = clusters_.members(j);
    to_.resize(members.size());
    alternative_.resize(members.size());
    reach = 0.0;
    for (std::size_t m = 0; m < members.size(); ++m) {
        const double* x = clusters_.row(members[m]);
        const double near = clusters_.sq_dist(x, own);
        double best = kInfinity;
        for (const auto& [gap, l] : order_) {
            // |own - l| <= |x - own| + |x - l|, and (a + b)^2 <= 2 a^2 + 2 b^2.
            if (gap > 2.0 * (near + best)) break;
            const double v = clusters_.sq_dist(x, clusters_.centroid(static_cast<std::size_t>(l)));
            if (v < best) {
                best = v;
                to_[m] = l;
            }
        }
        alternative_[m] = best;
        reach = std::max(reach, 2.0 * (near + best));
    }
}

void SwapSearch::measure_removal(std::size_t j) {
    Removal& removal = removals_[j];
    find_receivers(j, removal.reach);
    const auto& members = clusters_.members(j);
    const std::size_t d = clusters_.d();
    removal.receivers.clear();
    double cost = 0.0;
    for (std::size_t m = 0; m < members.size(); ++m) {
        const auto l = static_cast<std::size_t>(to_[m]);
        const double w = clusters_.row_weight(members[m]);
        const double* x = clusters_.row(members[m]);
        if (mass_[l] == 0.0) removal.receivers.emplace_back(to_[m], clusters_.version(l));
        mass_[l] += w;
        for (std::size_t f = 0; f < d; ++f) sums_[l * d + f] += w * x[f];
        cost += w * alternative_[m];
    }
    // The means that take the rows in will follow them.
    for (const auto& [index, version] : removal.receivers) {
        const auto l = static_cast<std::size_t>(index);
        double shift = 0.0;
        for (std::size_t f = 0; f < d; ++f) {
            const double e = sums_[l * d + f] / mass_[l] - clusters_.centroid(l)[f];
            shift += e * e;
            sums_[l * d + f] = 0.0;
        }
        cost -= shift * (clusters_.weight(l) * mass_[l] / (clusters_.weight(l) + mass_[l]));
        mass_[l] = 0.0;
    }
    removal.cost = cost - clusters_.cost(j);
    removal.version = clusters_.version(j);
}

// upper_: a first guess at the second half of a cluster.
void SwapSearch::begin_halves(std::size_t j) {
    const auto& members = clusters_.members(j);
    const std::size_t d = clusters_.d();
    const double* c = clusters_.centroid(j);
    if (way_ == 2) {
        const double* far = c;
        double most = -1.0;
        for (const Index i : members) {
            const double v = clusters_.sq_dist(clusters_.row(i), c);
            if (v > most) {
                most = v;
                far = clusters_.row(i);
            }
        }
        for (std::size_t m = 0; m < members.size(); ++m) {
            const double* x = clusters_.row(members[m]);
            upper_[m] = clusters_.sq_dist(x, far) < clusters_.sq_dist(x, c);
        }
        return;
    }
    std::vector<std::pair<double, std::size_t>> widths(d);
    for (std::size_t f = 0; f < d; ++f) {
        double sum = 0.0;
        for (const Index i : members) {
            const double e = clusters_.row(i)[f] - c[f];
            sum += clusters_.row_weight(i) * e * e;
        }
        widths[f] = {-sum, f};
    }
    const std::size_t rank = std::min(way_, d - 1);
    std::nth_element(widths.begin(), widths.begin() + static_cast<std::ptrdiff_t>(rank),
                     widths.end());
    const std::size_t f = widths[rank].second;
    for (std::size_t m = 0; m < members.size(); ++m)
        upper_[m] = clusters_.row(members[m])[f] > c[f];
}

// Two means of one cluster; upper_ says who belongs to
// the second half. Returns what the inertia loses by it.
double SwapSearch::divide(std::size_t j) {
    const auto& members = clusters_.members(j);
    const std::size_t d = clusters_.d();
    const double* c = clusters_.centroid(j);
    upper_.assign(members.size(), 0);
    if (members.size() < 2) return 0.0;
    begin_halves(j);
    std::vector<double> means(2 * d);
    double gain = 0.0;
    for (int round = 0; round < kMostHalvings; ++round) {
        double weight[2] = {0.0, 0.0};
        std::fill(means.begin(), means.end(), 0.0);
        for (std::size_t m = 0; m < members.size(); ++m) {
            const std::size_t side = upper_[m] ? 1 : 0;
            const double w = clusters_.row_weight(members[m]);
            const double* x = clusters_.row(members[m]);
            weight[side] += w;
            for (std::size_t f = 0; f < d; ++f) means[side * d + f] += w * (x[f] - c[f]);
        }
        if (!(weight[0] > 0.0 && weight[1] > 0.0)) return 0.0;
        gain = 0.0;
        for (std::size_t f = 0; f < d; ++f) {
            gain += means[f] * means[f] / weight[0] + means[d + f] * means[d + f] / weight[1];
            means[f] = means[f] / weight[0] + c[f];
            means[d + f] = means[d + f] / weight[1] + c[f];
        }
        bool changed = false;
        for (std::size_t m = 0; m < members.size(); ++m) {
            const double* x = clusters_.row(members[m]);
            const char side = clusters_.sq_dist(x, means.data() + d) <
                              clusters_.sq_dist(x, means.data());
            changed = changed || side != upper_[m];
            upper_[m] = side;
        }
        if (!changed) break;
    }
    return gain;
}

}  // namespace truemeans
