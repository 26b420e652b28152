#include "seeding.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <stdexcept>
#include <utility>
#include <vector>

#include "masses.hpp"
#include "panels.hpp"

namespace truemeans {

namespace {

constexpr std::size_t kRowChunk = 1024;

}  // namespace

template <class T>
void row_keys(Team& team, const Kernels& kernels, Rows<T> rows, double* keys) {
    const RowKernels<T>& table = kernels_for(kernels, rows.X);
    team.run(rows.n, kRowChunk, [&](std::size_t, std::size_t begin, std::size_t end) {
        table.row_keys(rows.X + begin * rows.d, end - begin, rows.d, keys + begin);
    });
}

template <class T>
double lower_closest(Team& team, const Kernels& kernels, Rows<T> rows, const double* centroid,
                     Nearest nearest, std::int32_t number) {
    const RowKernels<T>& table = kernels_for(kernels, rows.X);
    std::vector<double> top(team.n_threads(), 0.0);
    team.run(rows.n, kRowChunk, [&](std::size_t thread, std::size_t begin, std::size_t end) {
        std::array<double, kRowChunk> dist;
        table.own_sq_dist(rows.X + begin * rows.d, end - begin, rows.d, centroid, nullptr,
                          dist.data());
        double most = top[thread];
        if (number == 0) {
            std::copy_n(dist.data(), end - begin, nearest.closest + begin);
            std::fill_n(nearest.which + begin, end - begin, 0);
        }
        for (std::size_t i = begin; i < end; ++i) {
            nearest.lower(i, dist[i - begin], number);
            const double cost = nearest.closest[i];
            most = std::max(most, rows.weight ? rows.weight[i] * cost : cost);
        }
        top[thread] = most;
    });
    return *std::max_element(top.begin(), top.end());
}

template <class T>
void lower_by_labels(Team& team, const Kernels& kernels, Rows<T> rows, const double* centroids,
                     const std::int32_t* labels, Nearest nearest, std::int32_t first) {
    const RowKernels<T>& table = kernels_for(kernels, rows.X);
    team.run(rows.n, kRowChunk, [&](std::size_t, std::size_t begin, std::size_t end) {
        std::array<double, kRowChunk> dist;
        table.own_sq_dist(rows.X + begin * rows.d, end - begin, rows.d, centroids, labels + begin,
                          dist.data());
        for (std::size_t i = begin; i < end; ++i)
            nearest.lower(i, dist[i - begin], first + labels[i]);
    });
}

template <class T>
void add_gains(Team& team, const Kernels& kernels, Rows<T> rows, Centroids candidates,
               const double* closest, double scale, double* gains) {
    const RowKernels<T>& table = kernels_for(kernels, rows.X);
    const std::size_t k = candidates.k;
    const std::vector<double> panels = exact_panels(candidates, rows.d);
    struct Mine {
        std::vector<double> dist, gains;
    };
    std::vector<Mine> mine(team.n_threads());
    constexpr std::size_t kChunk = 256;
    for (Mine& m : mine) {
        m.dist.resize(kChunk * k);
        m.gains.resize(k);
    }
    team.run(rows.n, kChunk, [&](std::size_t thread, std::size_t begin, std::size_t end) {
        double* dist = mine[thread].dist.data();
        double* own = mine[thread].gains.data();
        table.sq_dist(rows.X + begin * rows.d, end - begin, rows.d, panels.data(), k, dist);
        for (std::size_t i = begin; i < end; ++i) {
            const double w = rows.weight ? rows.weight[i] * scale : scale;
            const double mass = round_integer(w * closest[i]);
            for (std::size_t j = 0; j < k; ++j)
                own[j] += mass - round_integer(w * std::min(closest[i], dist[(i - begin) * k + j]));
        }
    });
    for (const Mine& m : mine)
        for (std::size_t j = 0; j < k; ++j) gains[j] += m.gains[j];
}

void add_bucket_masses(Team& team, std::size_t n, const double* weight, const double* closest,
                       double scale, const std::uint16_t* buckets, double* sums,
                       std::size_t n_buckets) {
    const std::size_t n_threads = n <= kRowChunk * 16 ? 1 : team.n_threads();
    std::vector<std::vector<double>> mine(n_threads, std::vector<double>(n_buckets));
    std::atomic<bool> is_stray{false};
    team.run(n, kRowChunk * 16, [&](std::size_t thread, std::size_t begin, std::size_t end) {
        // In the nearest cache for what follows, so next to free.
        std::uint16_t most = 0;
        for (std::size_t i = begin; i < end; ++i) most = std::max(most, buckets[i]);
        if (most >= n_buckets) {
            is_stray = true;
            return;
        }
        double* mass = mine[thread].data();
        for (std::size_t i = begin; i < end; ++i) {
            const double w = weight ? weight[i] * scale : scale;
            mass[buckets[i]] += round_integer(closest ? w * closest[i] : w);
        }
    });
    if (is_stray) throw std::invalid_argument("internal: a bucket out of range");
    for (const std::vector<double>& m : mine)
        for (std::size_t b = 0; b < n_buckets; ++b) sums[b] += m[b];
}

namespace {

// Many keys side by side: each waits for its own loads only.
void cut_keys(const double* keys, std::size_t begin, std::size_t end, const double* splitters,
              std::size_t n_splitters, std::uint16_t* buckets) {
    constexpr std::size_t kAtOnce = 16;
    for (std::size_t first = begin; first < end; first += kAtOnce) {
        double key[kAtOnce];
        std::uint32_t low[kAtOnce] = {};
        for (std::size_t i = 0; i < kAtOnce; ++i) key[i] = keys[std::min(first + i, end - 1)];
        // Halving without branches: the answer is in [low, low + length].
        for (std::size_t length = n_splitters; length > 0;) {
            const std::size_t half = (length + 1) / 2;
            for (std::size_t i = 0; i < kAtOnce; ++i) {
                const bool above = splitters[low[i] + half - 1] <= key[i];
                low[i] += static_cast<std::uint32_t>(half) * above;
            }
            length -= half;
        }
        for (std::size_t i = 0; i < std::min(kAtOnce, end - first); ++i)
            buckets[first + i] = static_cast<std::uint16_t>(low[i]);
    }
}

}  // namespace

Buckets sort_into_buckets(Team& team, const double* keys, std::size_t n, const double* splitters,
                          std::size_t n_splitters) {
    const std::size_t n_buckets = n_splitters + 1;
    Buckets out{Aligned<std::uint16_t>(n), Aligned<std::int32_t>(n),
                std::vector<std::int64_t>(n_buckets)};
    // A stretch of rows a thread, counted first; then each knows where its rows go.
    const std::size_t stretch = std::max<std::size_t>((n + team.n_threads() - 1) / team.n_threads(), 1);
    std::vector<std::vector<std::int64_t>> next((n + stretch - 1) / stretch,
                                                std::vector<std::int64_t>(n_buckets));
    team.run(n, stretch, [&](std::size_t, std::size_t begin, std::size_t end) {
        cut_keys(keys, begin, end, splitters, n_splitters, out.of_row.data());
        std::vector<std::int64_t>& count = next[begin / stretch];
        for (std::size_t i = begin; i < end; ++i) ++count[out.of_row[i]];
    });
    std::int64_t at = 0;
    for (std::size_t b = 0; b < n_buckets; ++b) {
        for (std::vector<std::int64_t>& count : next) at += std::exchange(count[b], at);
        out.ends[b] = at;
    }
    team.run(n, stretch, [&](std::size_t, std::size_t begin, std::size_t end) {
        std::vector<std::int64_t>& mine = next[begin / stretch];
        for (std::size_t i = begin; i < end; ++i)
            out.order[static_cast<std::size_t>(mine[out.of_row[i]]++)] =
                static_cast<std::int32_t>(i);
    });
    return out;
}

namespace {

// Pairs below which one thread is done before another is awake.
constexpr std::int64_t kWorthWaking = 1 << 15;

double gain_of(PairsView pairs, std::size_t g, const double* weight, double scale,
               const double* closest) {
    double gain = 0.0;
    for (std::int64_t e = pairs.starts[g]; e < pairs.starts[g + 1]; ++e) {
        const std::int32_t row = pairs.rows[e];
        const double w = weight ? weight[row] * scale : scale;
        const double now = closest[row];
        gain += round_integer(w * now) - round_integer(w * std::min(now, pairs.sq_dist[e]));
    }
    return gain;
}

}  // namespace

std::vector<std::size_t> next_trials(const Proposals& p, const double* closest,
                                     std::size_t from, std::size_t n_trials) {
    std::vector<std::size_t> trials;
    for (std::size_t g = from; g < p.n && trials.size() < n_trials; ++g) {
        const double now = closest[p.rows[g]];
        if (now > 0.0 && p.u[g] * p.start[g] <= now) trials.push_back(g);
    }
    if (trials.size() < n_trials) trials.clear();
    return trials;
}

Played play_rounds(Team& team, Proposals proposals, PairsView pairs, const double* weight,
                   double scale, std::size_t n_trials, std::size_t n_rounds, Nearest nearest,
                   std::int32_t first) {
    Played played{{}, 0, 0.0};
    const double* closest = nearest.closest;
    std::vector<double> gains(n_trials);
    while (played.winners.size() < n_rounds) {
        const auto trials = next_trials(proposals, closest, played.next, n_trials);
        if (trials.empty()) break;
        std::int64_t n_pairs = 0;
        for (const std::size_t g : trials) n_pairs += pairs.starts[g + 1] - pairs.starts[g];
        // All in one chunk is all on one thread.
        const std::size_t chunk = n_pairs < kWorthWaking ? n_trials : 1;
        team.run(n_trials, chunk, [&](std::size_t, std::size_t begin, std::size_t end) {
            for (std::size_t t = begin; t < end; ++t)
                gains[t] = gain_of(pairs, trials[t], weight, scale, closest);
        });
        const auto most = std::max_element(gains.begin(), gains.end());
        const std::size_t winner = trials[static_cast<std::size_t>(most - gains.begin())];
        const std::int32_t number = first + static_cast<std::int32_t>(played.winners.size());
        for (std::int64_t e = pairs.starts[winner]; e < pairs.starts[winner + 1]; ++e)
            nearest.lower(static_cast<std::size_t>(pairs.rows[e]), pairs.sq_dist[e], number);
        played.gain += *most;
        played.winners.push_back(static_cast<std::int32_t>(winner));
        played.next = trials.back() + 1;
    }
    return played;
}

#define TM_INSTANTIATE(T)                                                                       \
    template void row_keys<T>(Team&, const Kernels&, Rows<T>, double*);                         \
    template double lower_closest<T>(Team&, const Kernels&, Rows<T>, const double*, Nearest,    \
                                     std::int32_t);                                             \
    template void lower_by_labels<T>(Team&, const Kernels&, Rows<T>, const double*,             \
                                     const std::int32_t*, Nearest, std::int32_t);               \
    template void add_gains<T>(Team&, const Kernels&, Rows<T>, Centroids, const double*,        \
                               double, double*);
TM_INSTANTIATE(float)
TM_INSTANTIATE(double)
#undef TM_INSTANTIATE

}  // namespace truemeans
