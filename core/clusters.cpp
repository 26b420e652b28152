#include "clusters.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace truemeans {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int kMostRounds = 50;
constexpr double kRoundsLeft = 50.0;
constexpr int kSureRounds = 2;
// Rows between two looks at the clock: looking takes as long as a few rows.
constexpr std::size_t kPause = 4096;

}  // namespace

Clusters::Clusters(const Kernels& kernels, std::vector<double> rows, std::vector<double> weights,
                   std::vector<double> centroids, std::vector<Index> labels,
                   std::function<void()> check)
    : kernels_(kernels),
      check_(std::move(check)),
      d_(rows.size() / weights.size()),
      rows_(std::move(rows)),
      weights_(std::move(weights)),
      centroids_(std::move(centroids)),
      label_(std::move(labels)),
      field_(kernels, d_, centroids_.size() / d_ + 1),
      moved_field_(kernels, d_, centroids_.size() / d_ + 1) {
    centroids_.resize(centroids_.size() + d_, kInfinity);
    const std::size_t n = weights_.size(), k = centroids_.size() / d_;
    weight_.resize(k);
    cost_.resize(k);
    radius_.resize(k);
    heaviest_.resize(k);
    turned_.resize(8 * d_);
    sum_.resize(d_);
    near_.resize(n);
    place_.resize(n);
    members_.resize(k);
    version_.resize(k);
    is_unsettled_.resize(k);
    is_touched_.resize(k);
    has_moved_.resize(k);
    is_saved_.resize(k);
    is_reached_.resize(k);
    for (std::size_t i = 0; i < n; ++i) {
        const auto to = static_cast<std::size_t>(label_[i]);
        place_[i] = static_cast<Index>(members_[to].size());
        members_[to].push_back(static_cast<Index>(i));
    }
    for (std::size_t j = 0; j < k; ++j) {
        touch(j);
        all_.push_back(static_cast<Index>(j));
    }
    activate_all();
}

void Clusters::activate_all() {
    if (!all_active_) field_.hold(all_, centroids_.data());
    all_active_ = true;
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

inline void Clusters::touch(std::size_t j) {
    if (!is_touched_[j]) {  // what is touched has been saved: begin() finds nothing touched
        save(j);
        is_touched_[j] = 1;
        touched_.push_back(static_cast<Index>(j));
    }
    version_[j] = ++n_versions_;
    is_unsettled_[j] = 1;
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
    field_.put(j, centroid(j));
}

void Clusters::confine(std::initializer_list<std::size_t> centres, std::size_t most) {
    // To choose most of all would take longer than to look at all.
    if (std::max<std::size_t>(centres.size(), 2) * most >= k()) {
        activate_all();
        return;
    }
    chosen_.assign(1, static_cast<Index>(spare()));
    for (const std::size_t j : centres) {
        neighbours_.clear();
        for (std::size_t l = 0; l < k(); ++l)
            neighbours_.push_back({sq_dist(centroid(j), centroid(l)), static_cast<Index>(l)});
        std::nth_element(neighbours_.begin(),
                         neighbours_.begin() + static_cast<std::ptrdiff_t>(most),
                         neighbours_.end(), [](const Near& a, const Near& b) {
                             return a.gap < b.gap || (a.gap == b.gap && a.cluster < b.cluster);
                         });
        for (std::size_t m = 0; m < most; ++m) chosen_.push_back(neighbours_[m].cluster);
    }
    std::sort(chosen_.begin(), chosen_.end());
    chosen_.erase(std::unique(chosen_.begin(), chosen_.end()), chosen_.end());
    field_.hold(chosen_, centroids_.data());
    all_active_ = false;
}

void Clusters::measure(std::size_t j) {
    with_width(d_, [&](auto d) {
        double cost = 0.0, radius = 0.0, heaviest = 0.0;
        const double* c = centroid(j);
        for (const Index i : members_[j]) {
            const double v = sq_dist_of(row(i), c, d);
            near_[static_cast<std::size_t>(i)] = v;
            cost += row_weight(i) * v;
            radius = std::max(radius, v);
            heaviest = std::max(heaviest, row_weight(i));
        }
        cost_[j] = cost;
        radius_[j] = radius;
        heaviest_[j] = heaviest;
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
            double few[3];  // sums in registers
            double* sum = d <= 3 ? few : sum_.data();
            double w = 0.0;
            std::fill(sum, sum + d, 0.0);
            for (const Index i : members_[j]) {
                w += row_weight(i);
                for (std::size_t f = 0; f < d; ++f) sum[f] += row_weight(i) * row(i)[f];
            }
            weight_[j] = w;
            if (!(w > 0.0)) return;  // an empty cluster keeps its centroid
            double* c = centroids_.data() + j * d_;
            for (std::size_t f = 0; f < d; ++f) c[f] = sum[f] / w;
        });
        field_.put(j, centroid(j));
        measure(j);
    }
}

// The neighbours as they are now.
Nearby Clusters::nearby() {
    const std::size_t m = neighbours_.size();
    near_values_.resize(m * (d_ + 2));
    double* at = near_values_.data();
    double *gaps = at + m * d_, *weights = gaps + m;
    with_width(d_, [&](auto d) {
        for (std::size_t l = 0; l < m; ++l) {
            const auto cluster = static_cast<std::size_t>(neighbours_[l].cluster);
            const double* c = centroid(cluster);
            for (std::size_t f = 0; f < d; ++f) at[l * d + f] = c[f];
            gaps[l] = neighbours_[l].gap;
            weights[l] = weight_[cluster];
        }
    });
    return {at, gaps, weights, m};
}

// Where to a row goes that some neighbour is nearer to.
void Clusters::lloyd_step(Index i, std::size_t from) {
    double best = near(i);
    const double reach = 4.0 * best;
    auto to = static_cast<Index>(from);
    with_width(d_, [&](auto d) {
        for (const Near& other : neighbours_) {
            if (other.gap >= reach) break;
            const double v =
                sq_dist_of(row(i), centroid(static_cast<std::size_t>(other.cluster)), d);
            if (v < best) {
                best = v;
                to = other.cluster;
            }
        }
    });
    if (static_cast<std::size_t>(to) == from) return;
    pending_.push_back(i);
    waiting_.push_back(to);
}

// The active clusters with a member that a centroid which moved may be nearer to: one more than
// twice as far from the own centroid as a row cannot be nearer to the row.
void Clusters::mark_reached() {
    reach_.resize(radius_.size());
    for (const Index index : field_.clusters()) {
        const auto j = static_cast<std::size_t>(index);
        reach_[j] = 4.0 * radius_[j];
        is_reached_[j] = has_moved_[j];
    }
    field_.mark_reached(moved_, centroids_.data(), reach_, is_reached_);
}

bool Clusters::lloyd_round() {
    pending_.clear();
    waiting_.clear();
    mark_reached();
    moved_field_.hold(moved_, centroids_.data());
    for (const Index index : field_.clusters()) {
        const auto j = static_cast<std::size_t>(index);
        const auto& members = members_[j];
        if (!is_reached_[j] || members.empty()) continue;
        pause(members.size());
        Field& among = has_moved_[j] ? field_ : moved_field_;
        among.find_near(j, centroid(j), reach_[j], neighbours_);
        if (neighbours_.empty()) continue;
        found_.resize(members.size());
        const std::size_t n =
            kernels_.rows_nearer(rows_.data(), d_, members.data(), members.size(), near_.data(),
                                 nearby(), turned_.data(), found_.data());
        for (std::size_t m = 0; m < n; ++m)
            lloyd_step(members[static_cast<std::size_t>(found_[m])], j);
    }
    for (std::size_t p = 0; p < pending_.size(); ++p)
        move(pending_[p], static_cast<std::size_t>(waiting_[p]));
    return !pending_.empty();
}

bool Clusters::go_down(Descent& descent) {
    recentre();
    const double now = total(), gained = descent.last - now;
    // The gains of the rounds shrink, so what is many gains away is not reached.
    const bool is_hopeless = descent.round > kSureRounds && now > descent.goal &&
                             kRoundsLeft * gained < now - descent.goal;
    if (is_hopeless || gained < descent.least) return false;
    descent.last = now;
    if (++descent.round <= kMostRounds && (lloyd_round() || hartigan_round())) return true;
    recentre();
    return false;
}

bool Clusters::converge(double goal, double least) {
    Descent descent{goal, least};
    while (go_down(descent)) {
    }
    return total() < goal;
}

void Clusters::release() {
    activate_all();
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
        field_.put(j, centroid(j));
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
