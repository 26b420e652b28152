// Rows and clusters held so that a few clusters can change at the cost of a few clusters: who
// belongs to whom, what each cluster costs, and an undo.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <type_traits>
#include <vector>

#include "field.hpp"
#include "kernels/kernels.hpp"

namespace truemeans {

// Calls f with the number of features, as a constant where loops over two or three of them would
// cost more than what they do.
template <class F>
decltype(auto) with_width(std::size_t d, F&& f) {
    if (d == 2) return f(std::integral_constant<std::size_t, 2>{});
    if (d == 3) return f(std::integral_constant<std::size_t, 3>{});
    return f(d);
}

template <class Width>
double sq_dist_of(const double* a, const double* b, Width d) {
    double sum = 0.0;
    for (std::size_t f = 0; f < d; ++f) {
        const double e = a[f] - b[f];
        sum += e * e;
    }
    return sum;
}

// All distances are canonical: differences squared and summed from the first feature to the last
// in float64. Everything runs on one thread, in an order that the order of the rows fixes, so the
// same rows in the same order give the same bits everywhere.
class Clusters {
  public:
    // rows (n, d), weights (n,) above zero, centroids (k, d), labels (n,). `check` is called many
    // times a second and may throw to stop the work, which leaves nothing to go on with.
    Clusters(const Kernels& kernels, std::vector<double> rows, std::vector<double> weights,
             std::vector<double> centroids, std::vector<Index> labels,
             std::function<void()> check);

    std::size_t n() const { return weights_.size(); }
    std::size_t d() const { return d_; }
    std::size_t k() const { return cost_.size() - 1; }
    // One more cluster, empty and away from all rows, to try what it would be good for.
    std::size_t spare() const { return k(); }
    std::vector<double> centroids() const {
        return {centroids_.begin(), centroids_.begin() + static_cast<std::ptrdiff_t>(k() * d_)};
    }
    const std::vector<Index>& members(std::size_t j) const { return members_[j]; }
    double cost(std::size_t j) const { return cost_[j]; }
    double weight(std::size_t j) const { return weight_[j]; }
    double radius(std::size_t j) const { return radius_[j]; }
    double row_weight(Index i) const { return weights_[static_cast<std::size_t>(i)]; }
    double total() const;

    const double* row(Index i) const { return rows_.data() + static_cast<std::size_t>(i) * d_; }
    const double* centroid(std::size_t j) const { return centroids_.data() + j * d_; }
    double near(Index i) const { return near_[static_cast<std::size_t>(i)]; }
    double sq_dist(const double* a, const double* b) const {
        return with_width(d_, [&](auto d) { return sq_dist_of(a, b, d); });
    }

    // Tells states of a cluster apart: the same number means the same rows.
    std::size_t version(std::size_t j) const { return version_[j]; }

    // Moves rows to a cluster; their clusters are put right by the next converge().
    void move(Index row, std::size_t to);
    // Takes an empty cluster away from all rows.
    void close(std::size_t j);

    // From now on only the `most` clusters nearest to each of these give and take rows.
    void confine(std::initializer_list<std::size_t> centres, std::size_t most);

    // Lloyd's iterations and Hartigan's moves, where something changed, until nothing does, one
    // gains less than `least`, or a total below the goal is out of reach.
    struct Descent {
        double goal = std::numeric_limits<double>::infinity(), least = 0.0;
        double last = std::numeric_limits<double>::infinity();
        int round = 0;
    };
    // One round; false when it was the last.
    bool go_down(Descent& descent);
    // All of them; whether the total is below the goal.
    bool converge(double goal, double least = 0.0);
    // All clusters take part again, and what has changed since begin() stays.
    void release();
    // Until no single row of any cluster gains by moving.
    void settle();

    // From begin() on changes are written down; undo() takes them back.
    void begin();
    void undo();
    // The clusters that have changed since begin().
    const std::vector<Index>& changed() const { return saved_; }

  private:
    bool lloyd_round();
    void lloyd_step(Index i, std::size_t from);
    bool hartigan_round();
    bool hartigan_rows(std::size_t from);
    bool hartigan_step(Index i, std::size_t from);
    double hartigan_reach(Index i, std::size_t from, double& leaves) const;
    double hartigan_reach(std::size_t from) const;
    void recentre();
    void forget();
    void save(std::size_t j);
    void measure(std::size_t j);
    void touch(std::size_t j);
    void shift(std::size_t j, const double* x, double w, double sign);
    void activate_all();
    void mark_reached();
    Nearby nearby();
    void pause(std::size_t n_rows);

    const Kernels& kernels_;
    std::function<void()> check_;
    std::size_t n_unchecked_ = 0;
    std::size_t d_;
    std::vector<double> rows_, weights_;     // (n, d), (n,)
    std::vector<double> centroids_;          // (k + 1, d)
    std::vector<double> weight_, cost_;      // (k + 1,)
    std::vector<double> radius_;             // (k + 1,): largest squared distance of a member
    std::vector<double> heaviest_;           // (k + 1,): largest weight of a member
    std::vector<double> near_;               // (n,): squared distance to the own centroid
    std::vector<Index> label_, place_;       // (n,): cluster, place among its members
    std::vector<std::vector<Index>> members_;
    std::vector<std::size_t> version_;       // (k + 1,)
    std::size_t n_versions_ = 0;

    std::vector<char> is_touched_;           // changed since the last recentre()
    std::vector<Index> touched_;
    std::vector<char> has_moved_;            // the centroid moved in the last recentre()
    std::vector<Index> moved_;
    std::vector<char> is_unsettled_;         // changed since Hartigan's moves looked at it
    std::vector<Index> all_, chosen_;
    bool all_active_ = false;
    Field field_, moved_field_;              // of those that take part, of those that moved

    std::vector<Near> neighbours_;
    std::vector<double> near_values_;        // of the neighbours, for the kernels
    std::vector<char> is_reached_;           // a centroid that moved may be nearer to a member
    std::vector<Index> found_;
    std::vector<double> reach_, turned_, sum_;
    double lightest_ = 0.0;  // weight of the lightest cluster
    std::vector<Index> pending_, waiting_;

    struct Saved {
        double weight, cost, radius;
        std::size_t version;
    };
    struct Step {
        Index row, from;
    };
    std::vector<char> is_saved_;             // changed since begin()
    std::vector<Index> saved_;
    std::vector<Saved> states_;              // of the saved, as they were
    std::vector<double> old_centroids_;
    std::vector<Step> journal_;
    bool recording_ = false;
};

}  // namespace truemeans
