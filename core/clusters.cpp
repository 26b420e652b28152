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
constexpr double kRoundsLeft = 50.0;
constexpr int kSureRounds = 2;
// Rows between two looks at the clock: looking takes as long as a few rows.
constexpr std::size_t kPause = 4096;

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
    centroids_.resize(centroids_.size() + d_, kInfinity);
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
    is_saved_.resize(k);
    for (std::size_t i = 0; i < n; ++i) {
        const auto to = static_cast<std::size_t>(label_[i]);
        place_[i] = static_cast<Index>(members_[to].size());
        members_[to].push_back(static_cast<Index>(i));
    }
    for (std::size_t j = 0; j < k; ++j) {
        touch(j);
        all_.push_back(static_cast<Index>(j));
    }
    active_ = all_;
}

double Clusters::total() const {
    double sum = 0.0;
    for (const double c : cost_) sum += c;
    return sum;
}

void Clusters::pause(std::size_t n_rows) {
    n_unchecked_ += n_rows;
    if (n_unchecked_ < kPause) return;
    n_unchecked_ = 0;
    check_();
}

void Clusters::save(std::size_t j) {
    if (!recording_ || is_saved_[j]) return;
    is_saved_[j] = 1;
    saved_.push_back(static_cast<Index>(j));
    states_.push_back({weight_[j], cost_[j], radius_[j], version_[j]});
    old_centroids_.insert(old_centroids_.end(), centroid(j), centroid(j) + d_);
}

void Clusters::touch(std::size_t j) {
    save(j);
    version_[j] = ++n_versions_;
    is_unsettled_[j] = 1;
    if (is_touched_[j]) return;
    is_touched_[j] = 1;
    touched_.push_back(static_cast<Index>(j));
}

void Clusters::move(Index i, std::size_t to) {
    const auto at = static_cast<std::size_t>(i);
    const auto from = static_cast<std::size_t>(label_[at]);
    touch(from);
    touch(to);
    if (recording_) journal_.push_back({i, static_cast<Index>(from)});
    auto& old = members_[from];
    const Index last = old.back();
    old[static_cast<std::size_t>(place_[at])] = last;
    place_[static_cast<std::size_t>(last)] = place_[at];
    old.pop_back();
    place_[at] = static_cast<Index>(members_[to].size());
    members_[to].push_back(i);
    label_[at] = static_cast<Index>(to);
}

void Clusters::close(std::size_t j) {
    touch(j);
    std::fill_n(centroids_.begin() + static_cast<std::ptrdiff_t>(j * d_), d_, kInfinity);
}

void Clusters::confine(const std::vector<std::size_t>& centres, std::size_t most) {
    if (centres.size() * most >= k()) {
        active_ = all_;
        return;
    }
    active_.assign(1, static_cast<Index>(spare()));
    for (const std::size_t j : centres) {
        neighbours_.clear();
        for (std::size_t l = 0; l < k(); ++l)
            neighbours_.push_back({sq_dist(centroid(j), centroid(l)), static_cast<Index>(l)});
        std::nth_element(neighbours_.begin(),
                         neighbours_.begin() + static_cast<std::ptrdiff_t>(most),
                         neighbours_.end(), [](const Near& a, const Near& b) {
                             return a.gap < b.gap || (a.gap == b.gap && a.cluster < b.cluster);
                         });
        for (std::size_t m = 0; m < most; ++m) active_.push_back(neighbours_[m].cluster);
    }
    std::sort(active_.begin(), active_.end());
    active_.erase(std::unique(active_.begin(), active_.end()), active_.end());
}

void Clusters::measure(std::size_t j) {
    with_width(d_, [&](auto d) {
        double cost = 0.0, radius = 0.0;
        const double* c = centroid(j);
        for (const Index i : members_[j]) {
            const double v = sq_dist_of(row(i), c, d);
            near_[static_cast<std::size_t>(i)] = v;
            cost += row_weight(i) * v;
            radius = std::max(radius, v);
        }
        cost_[j] = cost;
        radius_[j] = radius;
    });
}

void Clusters::recentre() {
    for (const Index j : moved_) has_moved_[static_cast<std::size_t>(j)] = 0;
    moved_.swap(touched_);
    touched_.clear();
    for (const Index index : moved_) {
        const auto j = static_cast<std::size_t>(index);
        has_moved_[j] = 1;
        is_touched_[j] = 0;
        with_width(d_, [&](auto d) {
            double* c = centroids_.data() + j * d_;
            double few[3];  // sums in registers
            double* sum = d <= 3 ? few : c;
            double w = 0.0;
            for (const Index i : members_[j]) w += row_weight(i);
            weight_[j] = w;
            if (!(w > 0.0)) return;  // an empty cluster keeps its centroid
            std::fill(sum, sum + d, 0.0);
            for (const Index i : members_[j])
                for (std::size_t f = 0; f < d; ++f) sum[f] += row_weight(i) * row(i)[f];
            for (std::size_t f = 0; f < d; ++f) c[f] = sum[f] / w;
        });
        measure(j);
    }
}

// The clusters among these whose centroids lie within `reach` (squared) of this one's.
void Clusters::find_neighbours(std::size_t j, double reach, const std::vector<Index>& among) {
    neighbours_.clear();
    with_width(d_, [&](auto d) {
        const double* c = centroid(j);
        for (const Index index : among) {
            const auto l = static_cast<std::size_t>(index);
            const double gap = sq_dist_of(c, centroid(l), d);
            if (gap < reach && l != j) neighbours_.push_back({gap, index});
        }
    });
    std::sort(neighbours_.begin(), neighbours_.end(), [](const Near& a, const Near& b) {
        return a.gap < b.gap || (a.gap == b.gap && a.cluster < b.cluster);
    });
}

// A centroid more than twice as far from the own one as a row cannot be nearer to the row.
bool Clusters::lloyd_round() {
    pending_.clear();
    waiting_.clear();
    for (const Index index : active_) {
        const auto j = static_cast<std::size_t>(index);
        if (members_[j].empty()) continue;
        pause(members_[j].size());
        find_neighbours(j, 4.0 * radius_[j], has_moved_[j] ? active_ : moved_);
        if (neighbours_.empty()) continue;
        with_width(d_, [&](auto d) {
            for (const Index i : members_[j]) {
                double best = near_[static_cast<std::size_t>(i)];
                const double reach = 4.0 * best;
                Index to = index;
                for (const Near& other : neighbours_) {
                    if (other.gap >= reach) break;
                    const double v =
                        sq_dist_of(row(i), centroid(static_cast<std::size_t>(other.cluster)), d);
                    if (v < best) {
                        best = v;
                        to = other.cluster;
                    }
                }
                if (to != index) {
                    pending_.push_back(i);
                    waiting_.push_back(to);
                }
            }
        });
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

// A row of weight w leaves its cluster for one of weight W only where |x - b|^2 is below `leaves`
// times 1 + w / W, and |a - b|^2 <= 2 |x - a|^2 + 2 |x - b|^2.
double Clusters::hartigan_reach(Index i, std::size_t from, double& leaves) const {
    const double w = row_weight(i), rest = weight_[from] - w;
    if (!(rest > 0.0)) return 0.0;
    const double near = sq_dist(row(i), centroid(from));
    leaves = weight_[from] / rest * near;
    return 2.0 * (near + leaves * (1.0 + w / lightest_));
}

// J. A. Hartigan, M. A. Wong, "Algorithm AS 136", Applied Statistics 28 (1979): row x of weight w
// leaves cluster a for b where W_b w/(W_b + w) |x - b|^2 < W_a w/(W_a - w) |x - a|^2, which is
// what the inertia gains once both means have followed.
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

bool Clusters::hartigan_round() {
    bool any = false;
    waiting_.clear();
    lightest_ = kInfinity;
    for (const Index j : active_) {
        const auto at = static_cast<std::size_t>(j);
        if (is_unsettled_[at]) waiting_.push_back(j);
        if (weight_[at] > 0.0) lightest_ = std::min(lightest_, weight_[at]);
    }
    for (const Index index : waiting_) {
        const auto j = static_cast<std::size_t>(index);
        is_unsettled_[j] = 0;
        if (members_[j].size() < 2) continue;
        pause(members_[j].size());
        double reach = 0.0, leaves = 0.0;
        for (const Index i : members_[j]) reach = std::max(reach, hartigan_reach(i, j, leaves));
        find_neighbours(j, reach, active_);
        if (neighbours_.empty()) continue;
        pending_ = members_[j];
        for (const Index i : pending_) any = hartigan_step(i, j) || any;
    }
    return any;
}

bool Clusters::converge(double goal, double least) {
    double last = kInfinity;
    for (int round = 0; round < kMostRounds; ++round) {
        recentre();
        const double now = total();
        // The gains of the rounds shrink, so what is many gains away is not reached.
        if (round > kSureRounds && now > goal && kRoundsLeft * (last - now) < now - goal)
            return false;
        if (last - now < least) return now < goal;
        last = now;
        if (!lloyd_round() && !hartigan_round()) break;
    }
    recentre();
    return total() < goal;
}

void Clusters::release() {
    active_ = all_;
    for (const Index j : saved_) touch(static_cast<std::size_t>(j));
    forget();
}

void Clusters::settle() {
    double last = kInfinity;
    while (total() < last) {
        last = total();
        std::fill(is_unsettled_.begin(), is_unsettled_.end(), 1);
        converge(kInfinity);
    }
}

void Clusters::begin() {
    forget();
    recording_ = true;
}

void Clusters::forget() {
    recording_ = false;
    for (const Index j : saved_) is_saved_[static_cast<std::size_t>(j)] = 0;
    saved_.clear();
    states_.clear();
    old_centroids_.clear();
    journal_.clear();
}

void Clusters::undo() {
    recording_ = false;
    for (auto step = journal_.rbegin(); step != journal_.rend(); ++step)
        move(step->row, static_cast<std::size_t>(step->from));
    for (std::size_t s = 0; s < saved_.size(); ++s) {
        const auto j = static_cast<std::size_t>(saved_[s]);
        std::copy_n(old_centroids_.begin() + static_cast<std::ptrdiff_t>(s * d_), d_,
                    centroids_.begin() + static_cast<std::ptrdiff_t>(j * d_));
        measure(j);
        weight_[j] = states_[s].weight;
        cost_[j] = states_[s].cost;
        radius_[j] = states_[s].radius;
        version_[j] = states_[s].version;
    }
    for (const Index j : touched_) {
        is_touched_[static_cast<std::size_t>(j)] = 0;
        is_unsettled_[static_cast<std::size_t>(j)] = 0;
    }
    touched_.clear();
    forget();
}

}  // namespace truemeans
