// Better than a local optimum of Lloyd's iterations: take a centroid from where it is worth least,
// put it where it gains most, let the neighbours follow, keep what is better.
//
// In the manner of the swap of T. Kanungo et al., "A local search approximation algorithm for
// k-means clustering", Computational Geometry 28 (2004), with the utility and error of
// B. Fritzke, "The breathing k-means algorithm" (2020) to say what to try, and the moves of single
// samples of J. A. Hartigan.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_set>
#include <utility>
#include <vector>

#include "clusters.hpp"

namespace truemeans {

class SwapSearch {
  public:
    // The search ends when so many swaps have failed in a row as `patience` says.
    SwapSearch(Clusters clusters, std::size_t patience);

    // Tries up to so many more swaps, for about so many seconds; true when the search has ended.
    bool run(std::size_t most, double seconds);

    // The best so far, also after an exception left run().
    const std::vector<double>& centroids() const { return best_; }
    double inertia() const { return best_inertia_; }
    std::size_t n_tried() const { return n_tried_; }
    std::size_t n_kept() const { return n_kept_; }

  private:
    struct Removal {
        double cost = 0.0;             // what the inertia gains when the rows go elsewhere
        double reach = 0.0;            // squared: centroids farther away have no part in it
        std::size_t version = 0;
        std::vector<std::pair<Index, std::size_t>> receivers;  // and their versions
    };
    struct Split {
        double gain = 0.0;
        std::size_t version = 0;
    };
    struct Pair {
        double gain;
        Index split, removed;
    };

    void start();
    void keep();
    bool attempt(std::size_t split, std::size_t removed);
    void rank();
    bool is_current(const Removal& removal, std::size_t j) const;
    void measure_removal(std::size_t j);
    void find_receivers(std::size_t j, double& reach);
    double divide(std::size_t j);
    void begin_halves(std::size_t j);
    bool turn();
    void turn_to(std::size_t way);
    std::uint64_t key(Index s, Index r) const;

    Clusters clusters_;
    std::vector<double> best_;
    double best_inertia_;
    bool is_started_ = false;
    std::size_t patience_, n_tried_ = 0, n_kept_ = 0, n_failed_ = 0, next_ = 0;
    std::size_t way_ = 0;  // how clusters are halved
    bool is_ranked_ = false;
    std::vector<Removal> removals_;
    std::vector<Split> splits_;
    std::vector<Pair> pairs_;
    std::unordered_set<std::uint64_t> failures_;

    // Scratch: where each member of a cluster would go, and the halves of a cluster.
    std::vector<Index> to_;
    std::vector<double> alternative_, mass_, sums_;
    std::vector<char> upper_;
    std::vector<std::pair<double, Index>> order_;
};

}  // namespace truemeans
