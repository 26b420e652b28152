#include "update.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace truemeans {

namespace {

// Clusters a thread takes at a time: 16,384 entries, about 20 microseconds, are worth handing over.
std::size_t clusters_per_chunk(std::size_t d) { return std::max<std::size_t>((16u << 10) / d, 1); }

const double* sums_of(const ClusterSums& c, std::size_t j) {
    return c.sums + j * c.n_grids * (c.n_features + 1);
}

bool is_empty(const double* sums, std::size_t n_grids, std::size_t d) {
    double weight = 0.0;
    for (std::size_t g = 0; g < n_grids; ++g) weight += sums[g * (d + 1) + d];
    return weight == 0.0;
}

}  // namespace

Updated update(Team& team, const Kernels& kernels, ClusterSums clusters, bool single,
               const double* previous, Around around, double* centroids) {
    const std::size_t d = clusters.n_features, n_grids = clusters.n_grids;
    struct One {
        double sq_shift;
        std::array<double, 3> term;
        bool empty;
    };
    std::vector<One> ones(clusters.n_clusters);
    team.run(clusters.n_clusters, clusters_per_chunk(d),
             [&](std::size_t, std::size_t begin, std::size_t end) {
                 for (std::size_t j = begin; j < end; ++j) {
                     const double* sums = sums_of(clusters, j);
                     One& one = ones[j];
                     kernels.inertia_term(sums, n_grids, d, previous + j * d, around.center,
                                          around.top, one.term.data());
                     one.sq_shift = kernels.cluster_mean(sums, n_grids, d, single,
                                                         previous + j * d, centroids + j * d);
                     one.empty = is_empty(sums, n_grids, d);
                 }
             });
    Updated out{0.0, 0.0, 0.0, 0};
    Dd total = around.spread;
    double size = std::fabs(around.spread.hi);
    for (const One& one : ones) {
        out.sq_shift += one.sq_shift;
        out.n_empty += one.empty;
        total = total + Dd{one.term[0], one.term[1]};
        size += one.term[2];
    }
    // Each of the d + k additions errs by at most 2^-102 of the sizes added up, and all operations
    // before them together by less than twice that; the grids cut off less than 2^-101 of weight
    // times top, which is half the last size.
    const double count = static_cast<double>(d + clusters.n_clusters) + 16.0;
    out.inertia = total.hi + total.lo;
    out.bound = around.spread_error + std::ldexp(count * size, -102);
    return out;
}

}  // namespace truemeans
