// Better than a local optimum of Lloyd's iterations: take a centroid from where it is worth least,
// put it where it gains most, let the neighbours follow, keep what is better.
//
// In the manner of the swap of T. Kanungo et al., "A local search approximation algorithm for
// k-means clustering", Computational Geometry 28 (2004), with the utility and error of
// B. Fritzke, "The breathing k-means algorithm" (2020) to say what to try, and the moves of single
// samples of J. A. Hartigan.
//
// What taking one centroid away costs, and what halving one cluster gains, are tried one by one:
// where the two are far apart, a swap does both and the sum is known without trying it. So a
// search over all pairs takes about as many trials as there are clusters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_set>
#include <utility>
#include <vector>

#include "clusters.hpp"
#include "worth.hpp"

namespace truemeans {

class SwapSearch {
  public:
    // The search ends when so many swaps have failed in a row as `patience` says.
    SwapSearch(Clusters clusters, std::size_t patience);

    // Tries up to so many more swaps, for about so many seconds; false when only time has run out.
    bool run(std::size_t most, double seconds);

    // The best so far, also after an exception left run().
    const std::vector<double>& centroids() const { return best_; }
    double inertia() const { return best_inertia_; }
    std::size_t n_tried() const { return n_tried_; }
    std::size_t n_kept() const { return n_kept_; }
    // Whether nothing is left that is worth trying.
    bool has_ended() const { return has_ended_; }

  private:
    // What is known of taking a centroid away or of halving a cluster.
    struct Trial {
        double worth = 0.0;     // what the inertia gains or loses
        bool is_tried = false;  // neighbours have followed, and not only the rows concerned
        std::vector<std::pair<Index, std::size_t>> parts;  // clusters it depends on; versions
    };
    struct Pair {
        double gain;
        std::size_t split, removed;
    };

    void note_best();
    void refresh();
    bool step();
    bool likely(Pair& found) const;
    void list_neighbours();
    void try_removal(std::size_t r);
    void try_split(std::size_t s);
    void empty(std::size_t r);
    void finish(Trial& trial, double before, double sign);
    void attempt(const Pair& pair);
    void place(std::vector<Index>& order, std::size_t j, bool rising);
    bool is_current(const Trial& trial) const;
    double cost(std::size_t r) const;
    double gain(std::size_t s) const;
    bool has_failed(std::size_t s, std::size_t r) const;
    std::uint64_t key(std::size_t s, std::size_t r) const;

    Clusters clusters_;
    Worth worth_;
    std::vector<double> best_;
    double best_inertia_;
    bool is_fresh_ = false, is_listed_ = false, has_ended_ = false;
    // All clusters follow, at the start and after a swap that is kept, before the next trial.
    bool is_descending_ = true;
    Clusters::Descent descent_;
    std::size_t patience_, n_tried_ = 0, n_kept_ = 0, n_failed_ = 0, next_ = 0;
    std::vector<Trial> removals_, splits_;
    std::vector<std::vector<Index>> halves_;  // of each cluster, the rows that leave when it is split
    std::vector<Index> freed_;
    std::vector<Index> cheap_, dear_;  // clusters by what they cost and gain, best first
    std::vector<Pair> pairs_;          // those close to each other
    std::unordered_set<std::uint64_t> failures_;
};

}  // namespace truemeans
