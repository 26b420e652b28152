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

// Each centroid becomes the exact mean of its rows, rounded once to float32 (single) or float64;
// a cluster without weight keeps its centroid. in: previous (k, d); out: centroids (k, d).
// Returns the sum of the squared distances they moved, 0 only where none did.
double update_centroids(Team& team, const Kernels& kernels, ClusterSums clusters, bool single,
                      const double* previous, double* centroids);

struct Inertia {
    double value;
    double bound;  // proven bound on |value - exact|, before the last rounding
};

// Sum of w ||x - c||^2 = spread + sum_j (c_j - center) . (W_j (c_j + center) - 2 S_j), where spread = sum of w ||x - center||^2 within spread_error, and no
// |x_f| is above top.
Inertia inertia_from_sums(Team& team, const Kernels& kernels, ClusterSums clusters,
                          const double* centroids, const double* center, double top, Dd spread,
                          double spread_error);

}  // namespace truemeans
