#include "seeding.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "grids.hpp"
#include "panels.hpp"

namespace truemeans {

namespace {

constexpr std::size_t kRowChunk = 1024;

// To the nearest integer, for values below 2^51.
double round_integer(double v) {
    constexpr double kMagic = 6755399441055744.0;  // 1.5 * 2^52
    return (v + kMagic) - kMagic;
}

}  // namespace

template <class T>
void row_keys(Team& team, const Kernels& kernels, Rows<T> rows, double* keys) {
    const RowKernels<T>& table = kernels_for(kernels, rows.X);
    // Few rows at a time: the kernel walks them once a feature.
    constexpr std::size_t kChunk = 64;
    team.run(rows.n, kChunk, [&](std::size_t, std::size_t begin, std::size_t end) {
        table.row_keys(rows.X + begin * rows.d, end - begin, rows.d, keys + begin);
    });
}

template <class T>
double lower_closest(Team& team, const Kernels& kernels, Rows<T> rows, const double* centroid,
                     double* closest) {
    const RowKernels<T>& table = kernels_for(kernels, rows.X);
    std::vector<double> top(team.n_threads(), 0.0);
    team.run(rows.n, kRowChunk, [&](std::size_t thread, std::size_t begin, std::size_t end) {
        std::array<double, kRowChunk> dist;
        table.own_sq_dist(rows.X + begin * rows.d, end - begin, rows.d, centroid, nullptr,
                          dist.data());
        double most = top[thread];
        for (std::size_t i = begin; i < end; ++i) {
            closest[i] = std::min(closest[i], dist[i - begin]);
            most = std::max(most, rows.weight ? rows.weight[i] * closest[i] : closest[i]);
        }
        top[thread] = most;
    });
    return *std::max_element(top.begin(), top.end());
}

template <class T>
void add_potentials(Team& team, const Kernels& kernels, Rows<T> rows, Centroids candidates,
                const double* closest, double top, double n_rows, double* sums) {
    const RowKernels<T>& table = kernels_for(kernels, rows.X);
    const std::size_t k = candidates.k;
    const std::vector<double> panels = exact_panels(candidates, rows.d);
    const auto spacing = spacings({top, 0.0}, n_rows);
    const double coarse = magic_of(spacing[0]);
    const double fine = magic_of(spacing[1]);
    struct Mine {
        std::vector<double> dist, sums;
    };
    std::vector<Mine> mine(team.n_threads());
    constexpr std::size_t kChunk = 256;
    for (Mine& m : mine) {
        m.dist.resize(kChunk * k);
        m.sums.resize(2 * k);
    }
    team.run(rows.n, kChunk, [&](std::size_t thread, std::size_t begin, std::size_t end) {
        double* dist = mine[thread].dist.data();
        double* own = mine[thread].sums.data();
        table.sq_dist(rows.X + begin * rows.d, end - begin, rows.d, panels.data(), k, dist);
        for (std::size_t i = begin; i < end; ++i) {
            const double w = rows.weight ? rows.weight[i] : 1.0;
            for (std::size_t j = 0; j < k; ++j) {
                const double v = w * std::min(closest[i], dist[(i - begin) * k + j]);
                const double a = (v + coarse) - coarse;
                const double b = ((v - a) + fine) - fine;
                own[j] += a;
                own[k + j] += b;
            }
        }
    });
    for (const Mine& m : mine)
        for (std::size_t j = 0; j < 2 * k; ++j) sums[j] += m.sums[j];
}

void add_bucket_masses(Team& team, std::size_t n, const double* weight, const double* closest,
                       double scale, const std::uint16_t* buckets, double* sums) {
    std::vector<std::vector<double>> mine(team.n_threads(), std::vector<double>(kBuckets));
    team.run(n, kRowChunk * 16, [&](std::size_t thread, std::size_t begin, std::size_t end) {
        double* mass = mine[thread].data();
        for (std::size_t i = begin; i < end; ++i) {
            const double w = weight ? weight[i] : 1.0;
            mass[buckets[i]] += round_integer((closest ? w * closest[i] : w) * scale);
        }
    });
    for (const std::vector<double>& m : mine)
        for (std::size_t b = 0; b < kBuckets; ++b) sums[b] += m[b];
}

#define TM_INSTANTIATE(T)                                                                       \
    template void row_keys<T>(Team&, const Kernels&, Rows<T>, double*);                         \
    template double lower_closest<T>(Team&, const Kernels&, Rows<T>, const double*, double*);   \
    template void add_potentials<T>(Team&, const Kernels&, Rows<T>, Centroids, const double*,       \
                                double, double, double*);
TM_INSTANTIATE(float)
TM_INSTANTIATE(double)
#undef TM_INSTANTIATE

}  // namespace truemeans
