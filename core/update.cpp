#include "update.hpp"

#include <vector>

namespace truemeans {

namespace {

constexpr std::size_t kClusterChunk = 16;

// The exact sum of one entry over its grids.
Dd entry(const ClusterSums& c, std::size_t j, std::size_t f) {
    const double* s = c.sums + j * c.n_grids * (c.n_features + 1) + f;
    Dd sum;
    for (std::size_t g = 0; g < c.n_grids; ++g) sum = sum + Dd{s[g * (c.n_features + 1)], 0.0};
    return sum;
}

}  // namespace

template <class T>
void update_centroids(Team& team, ClusterSums clusters, const double* previous,
                      double* centroids) {
    const std::size_t d = clusters.n_features;
    team.run(clusters.n_clusters, kClusterChunk, [&](std::size_t, std::size_t begin,
                                                     std::size_t end) {
        for (std::size_t j = begin; j < end; ++j) {
            const Dd weight = entry(clusters, j, d);
            for (std::size_t f = 0; f < d; ++f)
                centroids[j * d + f] =
                    weight.hi > 0.0
                        ? static_cast<double>(
                              round_to(entry(clusters, j, f) / weight, static_cast<T*>(nullptr)))
                        : previous[j * d + f];
        }
    });
}

template void update_centroids<float>(Team&, ClusterSums, const double*, double*);
template void update_centroids<double>(Team&, ClusterSums, const double*, double*);

Inertia inertia_from_sums(Team& team, ClusterSums clusters, const double* centroids,
                          const double* center, double top, Dd spread,
                          double spread_error) {
    const std::size_t d = clusters.n_features;
    struct Term {
        Dd sum;
        double size = 0.0;
    };
    std::vector<Term> terms(clusters.n_clusters);
    team.run(clusters.n_clusters, kClusterChunk,
             [&](std::size_t, std::size_t begin, std::size_t end) {
                 for (std::size_t j = begin; j < end; ++j) {
                     const Dd weight = entry(clusters, j, d);
                     Term term;
                     for (std::size_t f = 0; f < d; ++f) {
                         const Dd b = two_sum(centroids[j * d + f], -center[f]);
                         const Dd t = entry(clusters, j, f) - center[f] * weight;
                         const Dd wb = weight * b;
                         term.sum = term.sum + b * (wb - (t + t));
                         term.size += std::fabs(b.hi) * (std::fabs(wb.hi) +
                                                         2.0 * std::fabs(t.hi) +
                                                         2.0 * weight.hi * top);
                     }
                     terms[j] = term;
                 }
             });
    Dd total = spread;
    double size = std::fabs(spread.hi);
    for (const Term& term : terms) {
        total = total + term.sum;
        size += term.size;
    }
    // Each of the d + k additions and the few operations before it err by at most 2^-102 of the
    // sizes added up, and so do the grids' cut-off and the cancellation in t, both below
    // 2^-101 of weight times top.
    const double count = static_cast<double>(d + clusters.n_clusters) + 16.0;
    return {total.hi + total.lo, spread_error + std::ldexp(count * size, -102)};
}

}  // namespace truemeans
