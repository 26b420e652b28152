// One feature: the clusters of least inertia, by dynamic programming over the sorted values.
//
// H. Wang, M. Song, "Ckmeans.1d.dp: optimal k-means clustering in one dimension by dynamic
// programming", The R Journal 3 (2011); A. Grønlund, K. G. Larsen, A. Mathiasen, J. S. Nielsen,
// S. Schneider, M. Song, "Fast exact k-means, k-medians and Bregman divergence clustering in 1D"
// (2017). The clusters are runs of the sorted values, so the answer is where they end, and the
// cost of a run comes from sums of w, w x and w x^2 in double-double.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "line.hpp"
#include "team.hpp"

namespace truemeans {

struct Optimum {
    std::vector<double> centroids;  // the means of the clusters, increasing
    bool proved;  // false where the search needed more than max_runs; then a local optimum
};

// Needs 1 <= k <= n. No other k clusters have an inertia that is lower by more than 2^-80 of the
// sum of w (x - mean)^2 over all values; among equals the clusters end as early as they can.
//
// Values of a feature are many, and the places where the q-th cluster may end are few: runs of
// consecutive places are ruled out together by a lower bound on every clustering that ends
// cluster q in the run, until single places remain. max_runs bounds the runs held at once, over
// all clusters; each takes 28 bytes.
Optimum optimum(Team& team, SortedValues sorted, std::size_t k, std::size_t max_runs);

// The least inertia for 1, 2, ... most clusters, from one table, row by row: O(n most) time,
// O(n) memory. In float64, good to 2^-46 (n + most) of the sum of w (x - mean)^2, by far in
// practice. Needs 1 <= most <= n.
std::vector<double> least_inertias(Team& team, SortedValues sorted, std::size_t most);

}  // namespace truemeans
