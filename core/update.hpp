// The update step and the inertia, from the order-free sums alone.
#pragma once

#include <cstddef>

#include "double_double.hpp"
#include "kernels/kernels.hpp"
#include "team.hpp"

namespace truemeans {

// What one or more passes added up.
struct ClusterSums {
    const double* sums;  // (n_clusters, n_grids, n_features + 1)
    std::size_t n_clusters;
    std::size_t n_grids;
    std::size_t n_features;
};

// What the inertia is measured around: no |x_f| is above top, and spread is the sum of
// w ||x - center||^2 to within spread_error.
struct Around {
    const double* center;  // (n_features,)
    double top;
    Dd spread;
    double spread_error;
};

struct Updated {
    double sq_shift;      // squared distances of all moves, added up; 0 only where none moved
    double inertia;       // of the rows with the previous centroids
    double bound;         // proven bound on |inertia - exact|, before the last rounding
    std::size_t n_empty;  // clusters without weight
};

// Each centroid becomes the exact mean of its rows, rounded once to float32 (single) or float64;
// a cluster without weight keeps its centroid. in: previous (k, d); out: centroids (k, d). The
// inertia is spread + sum_j (c_j - center) . (W_j (c_j + center) - 2 S_j).
Updated update(Team& team, const Kernels& kernels, ClusterSums clusters, bool single,
               const double* previous, Around around, double* centroids);

}  // namespace truemeans
