#include "clusters.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace truemeans {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// A single sample moves only where that gains more than rounding could feign.
constexpr double kLeastGain = 1e-12;
constexpr int kMostRounds = 50;
constexpr double kRoundsLeft = 100.0;
constexpr int kSureRounds = 2;

}  // namespace

Clusters::Clusters(std::vector<double> rows, std::vector<double> weights,
                   std::vector<double> centroids, std::vector<Index> labels,
                   std::function<void()> check)
    : check_(std::move(check)),
      d_(rows.size() / weights.size()),
      rows_(std::move(rows)),
      weights_(std::move(weights)),
      centroids_(std::move(centroids)),
      label_(std::move(labels)) {
    const std::size_t n = weights_.size(), k = centroids_.size() / d_;
    weight_.resize(k);
    cost_.resize(k);
    radius_.resize(k);
    near_.resize(n);
    place_.resize(n);
    members_.resize(k);
    version_.resize(k);
    is_unsettled_.resize(k);
    is_touched_.resize(k);
    has_moved_.resize(k);
    is_dirty_.resize(k);
    for (std::size_t i = 0; i < n; ++i) {
        const auto to = static_cast<std::size_t>(label_[i]);
        place_[i] = static_cast<Index>(members_[to].size());
        members_[to].push_back(static_cast<Index>(i));
    }
    for (std::size_t j = 0; j < k; ++j) touch(j);
}

double Clusters::total() const {
    double sum = 0.0;
    for (const double c : cost_) sum += c;
    return sum;
}

void Clusters::touch(std::size_t j) {
    version_[j] = ++n_versions_;
    is_dirty_[j] = 1;
    is_unsettled_[j] = 1;
    if (is_touched_[j]) return;
    is_touched_[j] = 1;
    touched_.push_back(static_cast<Index>(j));
}

void Clusters::move(Index i, std::size_t to) {
    const auto at = static_cast<std::size_t>(i);
    const auto from = static_cast<std::size_t>(label_[at]);
    if (recording_) journal_.push_back({i, static_cast<Index>(from)});
    auto& old = members_[from];
    const Index last = old.back();
    old[static_cast<std::size_t>(place_[at])] = last;
    place_[static_cast<std::size_t>(last)] = place_[at];
    old.pop_back();
    place_[at] = static_cast<Index>(members_[to].size());
    members_[to].push_back(i);
    label_[at] = static_cast<Index>(to);
    touch(from);
    touch(to);
}

void Clusters::measure(std::size_t j) {
    double cost = 0.0, radius = 0.0;
    for (const Index i : members_[j]) {
        const double v = sq_dist(row(i), centroid(j));
        near_[static_cast<std::size_t>(i)] = v;
        cost += row_weight(i) * v;
        radius = std::max(radius, v);
    }
    cost_[j] = cost;
    radius_[j] = radius;
}

void Clusters::recentre() {
    for (const Index j : moved_) has_moved_[static_cast<std::size_t>(j)] = 0;
    moved_.swap(touched_);
    touched_.clear();
    for (const Index index : moved_) {
        const auto j = static_cast<std::size_t>(index);
        has_moved_[j] = 1;
        is_touched_[j] = 0;
        double* c = centroids_.data() + j * d_;
        double w = 0.0;
        for (const Index i : members_[j]) w += row_weight(i);
        weight_[j] = w;
        if (w > 0.0) {  // an empty cluster keeps its centroid
            std::fill(c, c + d_, 0.0);
            for (const Index i : members_[j])
                for (std::size_t f = 0; f < d_; ++f) c[f] += row_weight(i) * row(i)[f];
            for (std::size_t f = 0; f < d_; ++f) c[f] /= w;
        }
        measure(j);
    }
}

// The clusters whose centroids lie within `reach` (squared) of this one's, the moved ones or all.
void Clusters::find_neighbours(std::size_t j, double reach, bool all) {
    neighbours_.clear();
    const auto offer = [&](std::size_t l) {
        const double gap = sq_dist(centroid(j), centroid(l));
        if (l != j && gap < reach) neighbours_.push_back({gap, static_cast<Index>(l)});
    };
    if (all) {
        for (std::size_t l = 0; l < k(); ++l) offer(l);
    } else {
        for (const Index l : moved_) offer(static_cast<std::size_t>(l));
    }
    std::sort(neighbours_.begin(), neighbours_.end(), [](const Near& a, const Near& b) {
        return a.gap < b.gap || (a.gap == b.gap && a.cluster < b.cluster);
    });
}

// A centroid more than twice as far from the own one as a row cannot be nearer to the row.
bool Clusters::lloyd_round() {
    pending_.clear();
    waiting_.clear();
    for (std::size_t j = 0; j < k(); ++j) {
        if (members_[j].empty()) continue;
        check_();
        find_neighbours(j, 4.0 * radius_[j], has_moved_[j] != 0);
        if (neighbours_.empty()) continue;
        for (const Index i : members_[j]) {
            double best = near_[static_cast<std::size_t>(i)];
            const double reach = 4.0 * best;
            auto to = static_cast<Index>(j);
            for (const Near& other : neighbours_) {
                if (other.gap >= reach) break;
                const double v = sq_dist(row(i), centroid(static_cast<std::size_t>(other.cluster)));
                if (v < best) {
                    best = v;
                    to = other.cluster;
                }
            }
            if (to != static_cast<Index>(j)) {
                pending_.push_back(i);
                waiting_.push_back(to);
            }
        }
    }
    for (std::size_t p = 0; p < pending_.size(); ++p)
        move(pending_[p], static_cast<std::size_t>(waiting_[p]));
    return !pending_.empty();
}

void Clusters::shift(std::size_t j, const double* x, double w, double sign) {
    const double after = weight_[j] + sign * w;
    double* c = centroids_.data() + j * d_;
    for (std::size_t f = 0; f < d_; ++f) c[f] += sign * (x[f] - c[f]) * (w / after);
    weight_[j] = after;
}

// J. A. Hartigan, M. A. Wong, "Algorithm AS 136", Applied Statistics 28 (1979): row x of weight w
// leaves cluster a for b where W_b w/(W_b + w) |x - b|^2 < W_a w/(W_a - w) |x - a|^2, which is
// what the inertia gains once both means have followed.
bool Clusters::hartigan_step(Index i, std::size_t from) {
    const double w = row_weight(i), rest = weight_[from] - w;
    if (!(rest > 0.0) || members_[from].size() == 1) return false;
    const double near = sq_dist(row(i), centroid(from));
    const double leaves = weight_[from] / rest * near;
    // |x - b|^2 must be below |x - a|^2 times the factors of both weights, and
    // |a - b|^2 <= 2 |x - a|^2 + 2 |x - b|^2.
    const double reach = 2.0 * (near + leaves * (1.0 + w / lightest_));
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
    shift(from, row(i), w, -1.0);
    shift(to, row(i), w, 1.0);
    move(i, to);
    return true;
}

bool Clusters::hartigan_round() {
    bool any = false;
    waiting_.clear();
    for (std::size_t j = 0; j < k(); ++j)
        if (is_unsettled_[j]) waiting_.push_back(static_cast<Index>(j));
    for (const Index index : waiting_) {
        const auto j = static_cast<std::size_t>(index);
        is_unsettled_[j] = 0;
        if (members_[j].size() < 2) continue;
        check_();
        find_neighbours(j, kInfinity, true);
        if (neighbours_.empty()) continue;
        lightest_ = kInfinity;
        for (const Near& other : neighbours_)
            lightest_ = std::min(lightest_, weight_[static_cast<std::size_t>(other.cluster)]);
        pending_ = members_[j];
        for (const Index i : pending_) any = hartigan_step(i, j) || any;
    }
    return any;
}

bool Clusters::converge(double goal) {
    double last = kInfinity;
    for (int round = 0; round < kMostRounds; ++round) {
        recentre();
        const double now = total();
        // The gains of the rounds shrink, so what is many gains away is not reached.
        if (round > kSureRounds && now > goal && kRoundsLeft * (last - now) < now - goal) return false;
        last = now;
        if (!lloyd_round() && !hartigan_round()) break;
    }
    recentre();
    return total() < goal;
}

void Clusters::begin() {
    saved_ = {centroids_, weight_, cost_, radius_, version_};
    journal_.clear();
    std::fill(is_dirty_.begin(), is_dirty_.end(), 0);
    recording_ = true;
}

void Clusters::undo() {
    recording_ = false;
    const std::vector<Step> steps = std::move(journal_);
    journal_.clear();
    for (auto step = steps.rbegin(); step != steps.rend(); ++step)
        move(step->row, static_cast<std::size_t>(step->from));
    centroids_ = saved_.centroids;
    for (std::size_t j = 0; j < k(); ++j)
        if (is_dirty_[j]) measure(j);
    weight_ = saved_.weight;
    cost_ = saved_.cost;
    radius_ = saved_.radius;
    version_ = saved_.version;
    for (const Index j : touched_) {
        is_touched_[static_cast<std::size_t>(j)] = 0;
        is_unsettled_[static_cast<std::size_t>(j)] = 0;
    }
    touched_.clear();
}

}  // namespace truemeans
