#include "measure.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "grids.hpp"
#include "panels.hpp"

namespace truemeans {

namespace {

// About 256 kB of rows at a time, in whole groups of the eight the narrow kernels walk. A call
// begins with the survey: so few entries that it takes longer to start a thread are one chunk.
template <class T>
std::size_t chunk_of(Rows<T> rows, std::size_t alone_below = 0) {
    if (rows.n * rows.d < alone_below) return rows.n;
    return std::max<std::size_t>((256u << 10) / (4 * rows.d) / 8 * 8, 8);
}

std::array<double, kMaxGrids> spacings_for(SqGrids grids, std::size_t d) {
    // Two addends an entry; a rounded difference may exceed top by an ulp, hence the slack.
    return spacings({1.001 * grids.top * grids.top * grids.weight_top, 0.0},
                    2.0 * grids.n_rows * static_cast<double>(d));
}

}  // namespace

template <class T>
std::size_t survey(Team& team, const Kernels& kernels, Rows<T> rows, double* low, double* high,
                   double* finest) {
    const RowKernels<T>& table = kernels_for(kernels, rows.X);
    constexpr T kInf = std::numeric_limits<T>::infinity();
    const std::size_t none = rows.n * rows.d;
    struct Mine {
        std::vector<T> low, high, finest;
        std::size_t bad;
    };
    std::vector<Mine> mine(
        team.n_threads(),
        Mine{std::vector<T>(rows.d, kInf), std::vector<T>(rows.d, -kInf),
             std::vector<T>(rows.d, kInf), none});
    team.run(rows.n, chunk_of(rows, 1u << 20), [&](std::size_t thread, std::size_t begin,
                                                  std::size_t end) {
        Mine& m = mine[thread];
        const std::size_t bad = table.survey(rows.X + begin * rows.d, end - begin, rows.d,
                                             {m.low.data(), m.high.data(), m.finest.data()});
        if (bad < (end - begin) * rows.d) m.bad = std::min(m.bad, begin * rows.d + bad);
    });
    std::size_t bad = none;
    for (std::size_t f = 0; f < rows.d; ++f) {
        T least = kInf, most = -kInf, bit = kInf;
        for (const Mine& m : mine) {
            least = std::min(least, m.low[f]);
            most = std::max(most, m.high[f]);
            bit = std::min(bit, m.finest[f]);
        }
        low[f] = static_cast<double>(least);
        high[f] = static_cast<double>(most);
        const double b = static_cast<double>(bit);
        finest[f] = std::isfinite(b) && b > 0.0 ? std::ldexp(1.0, std::ilogb(b)) : b;
    }
    for (const Mine& m : mine) bad = std::min(bad, m.bad);
    return bad;
}

template <class T>
double max_abs_diff(Team& team, const Kernels& kernels, Rows<T> rows, const double* centers,
                    const std::int32_t* labels) {
    const RowKernels<T>& table = kernels_for(kernels, rows.X);
    std::vector<double> top(team.n_threads(), 0.0);
    team.run(rows.n, chunk_of(rows), [&](std::size_t thread, std::size_t begin, std::size_t end) {
        table.max_abs_diff(rows.X + begin * rows.d, end - begin, rows.d, centers,
                           labels ? labels + begin : nullptr, &top[thread]);
    });
    return *std::max_element(top.begin(), top.end());
}

template <class T>
void add_sq_diff(Team& team, const Kernels& kernels, Rows<T> rows, const double* centers,
                 const std::int32_t* labels, SqGrids grids, double* totals) {
    const RowKernels<T>& table = kernels_for(kernels, rows.X);
    const auto spacing = spacings_for(grids, rows.d);
    std::array<double, kSqGrids> magic;
    for (std::size_t g = 0; g < kSqGrids; ++g) magic[g] = magic_of(spacing[g]);
    std::vector<std::array<double, kSqGrids>> mine(team.n_threads());
    team.run(rows.n, chunk_of(rows), [&](std::size_t thread, std::size_t begin, std::size_t end) {
        table.sum_sq_diff(rows.X + begin * rows.d, end - begin, rows.d,
                          rows.weight ? rows.weight + begin : nullptr, centers,
                          labels ? labels + begin : nullptr, magic.data(), mine[thread].data());
    });
    for (const auto& m : mine)
        for (std::size_t g = 0; g < kSqGrids; ++g) totals[g] += m[g];
}

SumSq finish_sq_diff(const double* totals, std::size_t d, SqGrids grids) {
    Dd sum;
    for (std::size_t g = 0; g < kSqGrids; ++g) sum = sum + Dd{totals[g], 0.0};
    // Each of two addends an entry loses at most half a spacing of the last grid, and the
    // addends themselves are good to 2^-103 of their size.
    const double n_entries = grids.n_rows * static_cast<double>(d);
    const double cut = n_entries * spacings_for(grids, d)[kSqGrids - 1];
    return {sum, grids.top > 0.0 ? cut + std::ldexp(sum.hi, -100) : 0.0};
}

template <class T>
void sq_distances(Team& team, const Kernels& kernels, Rows<T> rows, Centroids centroids,
                  double* out) {
    const RowKernels<T>& table = kernels_for(kernels, rows.X);
    const std::vector<double> panels = exact_panels(centroids, rows.d);
    team.run(rows.n, 64, [&](std::size_t, std::size_t begin, std::size_t end) {
        table.sq_dist(rows.X + begin * rows.d, end - begin, rows.d, panels.data(), centroids.k,
                      out + begin * centroids.k);
    });
}

template <class T>
void own_sq_distances(Team& team, const Kernels& kernels, Rows<T> rows, const double* centroids,
                      const std::int32_t* labels, double* out) {
    const RowKernels<T>& table = kernels_for(kernels, rows.X);
    team.run(rows.n, chunk_of(rows), [&](std::size_t, std::size_t begin, std::size_t end) {
        table.own_sq_dist(rows.X + begin * rows.d, end - begin, rows.d, centroids, labels + begin,
                          out + begin);
    });
}

#define TM_INSTANTIATE(T)                                                                      \
    template std::size_t survey<T>(Team&, const Kernels&, Rows<T>, double*, double*, double*); \
    template double max_abs_diff<T>(Team&, const Kernels&, Rows<T>, const double*,             \
                                    const std::int32_t*);                                      \
    template void add_sq_diff<T>(Team&, const Kernels&, Rows<T>, const double*,                \
                                 const std::int32_t*, SqGrids, double*);                       \
    template void sq_distances<T>(Team&, const Kernels&, Rows<T>, Centroids, double*);         \
    template void own_sq_distances<T>(Team&, const Kernels&, Rows<T>, const double*,           \
                                      const std::int32_t*, double*);
TM_INSTANTIATE(float)
TM_INSTANTIATE(double)
#undef TM_INSTANTIATE

}  // namespace truemeans
