// Moves of single samples, after Lloyd's iterations have ended:
// J. A. Hartigan, M. A. Wong, "Algorithm AS 136", Applied Statistics 28 (1979).
#include <algorithm>
#include <limits>

#include "clusters.hpp"

namespace truemeans {
namespace {

// A single sample moves only where that gains more than rounding could feign.
constexpr double kLeastGain = 1e-12;

}  // namespace

void Clusters::shift(std::size_t j, const double* x, double w, double sign) {
    const double after = weight_[j] + sign * w;
    double* c = centroids_.data() + j * d_;
    for (std::size_t f = 0; f < d_; ++f) c[f] += sign * (x[f] - c[f]) * (w / after);
    weight_[j] = after;
    field_.put(j, c);
}

// A row of weight w leaves its cluster for one of weight W only where |x - b|^2 is below `leaves`
// times 1 + w / W, and |a - b|^2 <= 2 |x - a|^2 + 2 |x - b|^2.
double Clusters::hartigan_reach(Index i, std::size_t from, double& leaves) const {
    const double w = row_weight(i), rest = weight_[from] - w;
    if (!(rest > 0.0)) return 0.0;
    const double near = sq_dist(row(i), centroid(from));
    leaves = weight_[from] / rest * near;
    return 2.0 * (near + leaves * (1.0 + w / lightest_));
}

// At least that of any of its rows.
double Clusters::hartigan_reach(std::size_t from) const {
    double reach = 0.0, leaves = 0.0;
    const double w = heaviest_[from], rest = weight_[from] - w, near = radius_[from];
    if (is_touched_[from] || !(rest > 0.0)) {  // what was measured is no longer so, or no bound
        for (const Index i : members_[from])
            reach = std::max(reach, hartigan_reach(i, from, leaves));
        return reach;
    }
    reach = 2.0 * (near + weight_[from] / rest * near * (1.0 + w / lightest_));
    return reach * (1.0 + 1e-12);
}

// Row x of weight w leaves cluster a for b where W_b w/(W_b + w) |x - b|^2 < W_a w/(W_a - w)
// |x - a|^2, which is what the inertia gains once both means have followed.
bool Clusters::hartigan_step(Index i, std::size_t from) {
    if (members_[from].size() == 1) return false;
    double leaves = 0.0;
    const double w = row_weight(i), reach = hartigan_reach(i, from, leaves);
    double best = leaves * (1.0 - kLeastGain);
    std::size_t to = from;
    for (const Near& other : neighbours_) {
        if (other.gap >= reach) break;
        const auto l = static_cast<std::size_t>(other.cluster);
        const double v = weight_[l] / (weight_[l] + w) * sq_dist(row(i), centroid(l));
        if (v < best) {
            best = v;
            to = l;
        }
    }
    if (to == from) return false;
    move(i, to);
    shift(from, row(i), w, -1.0);
    shift(to, row(i), w, 1.0);
    return true;
}

// Eight rows at a time are asked whether any gains by moving; seldom does one.
bool Clusters::hartigan_rows(std::size_t from) {
    bool any = false;
    pending_ = members_[from];
    Nearby others = nearby();
    for (std::size_t first = 0; first < pending_.size(); first += 8) {
        const std::size_t n = std::min<std::size_t>(8, pending_.size() - first);
        std::uint32_t gaining = kernels_.rows_gaining(
            rows_.data(), d_, pending_.data() + first, n, weights_.data(), centroid(from),
            weight_[from], 1.0 - kLeastGain, others, turned_.data());
        bool moved = false;
        for (std::size_t m = 0; m < n; ++m, gaining >>= 1)
            // Once a row has moved, what the others gain is another matter.
            if (moved || (gaining & 1u)) moved = hartigan_step(pending_[first + m], from) || moved;
        if (moved) others = nearby();
        any |= moved;
    }
    return any;
}

bool Clusters::hartigan_round() {
    bool any = false;
    waiting_.clear();
    lightest_ = std::numeric_limits<double>::infinity();
    for (const Index j : field_.clusters()) {
        const auto at = static_cast<std::size_t>(j);
        if (is_unsettled_[at]) waiting_.push_back(j);
        if (weight_[at] > 0.0) lightest_ = std::min(lightest_, weight_[at]);
    }
    for (const Index index : waiting_) {
        const auto j = static_cast<std::size_t>(index);
        is_unsettled_[j] = 0;
        if (members_[j].size() < 2) continue;
        pause(members_[j].size());
        field_.find_near(j, centroid(j), hartigan_reach(j), neighbours_);
        if (!neighbours_.empty()) any = hartigan_rows(j) || any;
    }
    return any;
}

}  // namespace truemeans
