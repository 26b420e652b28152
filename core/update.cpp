#include "update.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

namespace truemeans {

namespace {

// Clusters a thread takes at a time: 16,384 entries, about 20 microseconds, are worth handing over.
std::size_t clusters_per_chunk(std::size_t d) { return std::max<std::size_t>((16u << 10) / d, 1); }

const double* sums_of(const ClusterSums& c, std::size_t j) {
    return c.sums + j * c.n_grids * (c.n_features + 1);
}

}  // namespace

double update_centroids(Team& team, const Kernels& kernels, ClusterSums clusters, bool single,
                        const double* previous, double* centroids) {
    const std::size_t d = clusters.n_features;
    std::vector<double> sq_shift(clusters.n_clusters);
    team.run(clusters.n_clusters, clusters_per_chunk(d),
             [&](std::size_t, std::size_t begin, std::size_t end) {
                 for (std::size_t j = begin; j < end; ++j)
                     sq_shift[j] =
                         kernels.cluster_mean(sums_of(clusters, j), clusters.n_grids, d, single,
                                              previous + j * d, centroids + j * d);
             });
    return std::accumulate(sq_shift.begin(), sq_shift.end(), 0.0);
}

Inertia inertia_from_sums(Team& team, const Kernels& kernels, ClusterSums clusters,
                          const double* centroids, const double* center, double top, Dd spread,
                          double spread_error) {
    const std::size_t d = clusters.n_features;
    std::vector<std::array<double, 3>> terms(clusters.n_clusters);
    team.run(clusters.n_clusters, clusters_per_chunk(d),
             [&](std::size_t, std::size_t begin, std::size_t end) {
                 for (std::size_t j = begin; j < end; ++j)
                     kernels.inertia_term(sums_of(clusters, j), clusters.n_grids, d,
                                          centroids + j * d, center, top, terms[j].data());
             });
    Dd total = spread;
    double size = std::fabs(spread.hi);
    for (const auto& term : terms) {
        total = total + Dd{term[0], term[1]};
        size += term[2];
    }
    // Each of the d + k additions errs by at most 2^-102 of the sizes added up, and all operations
    // before them together by less than twice that; the grids cut off less than 2^-101 of weight
    // times top, which is half the last size.
    const double count = static_cast<double>(d + clusters.n_clusters) + 16.0;
    return {total.hi + total.lo, spread_error + std::ldexp(count * size, -102)};
}

}  // namespace truemeans
