// Rows and clusters held so that a few clusters can change at the cost of a few clusters: who
// belongs to whom, what each cluster costs, and an undo.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace truemeans {

using Index = std::int32_t;

// All distances are canonical: differences squared and summed from the first feature to the last
// in float64. Everything runs on one thread, in an order that the order of the rows fixes, so the
// same rows in the same order give the same bits everywhere.
class Clusters {
  public:
    // rows (n, d), weights (n,) above zero, centroids (k, d), labels (n,). `check` is called many
    // times a second and may throw to stop the work, which leaves nothing to go on with.
    Clusters(std::vector<double> rows, std::vector<double> weights,
             std::vector<double> centroids, std::vector<Index> labels,
             std::function<void()> check);

    std::size_t n() const { return weights_.size(); }
    std::size_t d() const { return d_; }
    std::size_t k() const { return cost_.size(); }
    const std::vector<double>& centroids() const { return centroids_; }
    const std::vector<Index>& members(std::size_t j) const { return members_[j]; }
    double cost(std::size_t j) const { return cost_[j]; }
    double weight(std::size_t j) const { return weight_[j]; }
    double row_weight(Index i) const { return weights_[static_cast<std::size_t>(i)]; }
    double total() const;

    const double* row(Index i) const { return rows_.data() + static_cast<std::size_t>(i) * d_; }
    const double* centroid(std::size_t j) const { return centroids_.data() + j * d_; }
    double sq_dist(const double* a, const double* b) const {
        double sum = 0.0;
        for (std::size_t f = 0; f < d_; ++f) {
            const double e = a[f] - b[f];
            sum += e * e;
        }
        return sum;
    }

    // Tells states of a cluster apart: the same number means the same rows.
    std::size_t version(std::size_t j) const { return version_[j]; }

    // Moves rows to a cluster; their clusters are put right by the next converge().
    void move(Index row, std::size_t to);

    // Lloyd's iterations and Hartigan's moves, where something changed, until nothing does or
    // a total below the goal is out of reach. Returns whether the total is below it.
    bool converge(double goal);

    // From begin() on changes are written down; undo() takes them back.
    void begin();
    void undo();

  private:
    bool lloyd_round();
    bool hartigan_round();
    bool hartigan_step(Index i, std::size_t from);
    void recentre();
    void measure(std::size_t j);
    void touch(std::size_t j);
    void shift(std::size_t j, const double* x, double w, double sign);
    void find_neighbours(std::size_t j, double reach, bool all);

    std::function<void()> check_;
    std::size_t d_;
    std::vector<double> rows_, weights_;     // (n, d), (n,)
    std::vector<double> centroids_;          // (k, d)
    std::vector<double> weight_, cost_;      // (k,)
    std::vector<double> radius_;             // (k,): largest squared distance of a member
    std::vector<double> near_;               // (n,): squared distance to the own centroid
    std::vector<Index> label_, place_;       // (n,): cluster, place among its members
    std::vector<std::vector<Index>> members_;
    std::vector<std::size_t> version_;       // (k,)
    std::size_t n_versions_ = 0;

    std::vector<char> is_touched_;           // changed since the last recentre()
    std::vector<Index> touched_;
    std::vector<char> has_moved_;            // the centroid moved in the last recentre()
    std::vector<Index> moved_;
    std::vector<char> is_unsettled_;         // changed since Hartigan's moves looked at it

    struct Near {
        double gap;  // squared distance between the centroids
        Index cluster;
    };
    std::vector<Near> neighbours_;
    double lightest_ = 0.0;  // weight of the lightest of them
    std::vector<Index> pending_, waiting_;

    struct Saved {
        std::vector<double> centroids, weight, cost, radius;
        std::vector<std::size_t> version;
    };
    struct Step {
        Index row, from;
    };
    Saved saved_;
    std::vector<Step> journal_;
    std::vector<char> is_dirty_;             // changed since begin()
    bool recording_ = false;
};

}  // namespace truemeans
