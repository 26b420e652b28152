// With a = (x - m)s and b = (c - m)s as in kernels/scores.inl.hpp, a candidate c is closer to a row
// than D (its squared distance to the nearest centroid so far) only if
//     score(x, c) = ||b||^2 - 2 a.b = ||a - b||^2 - ||a||^2 < D s^2 - ||a||^2.
// The computed score errs by at most g (2B + ||a||^2), B = max ||b||^2, and the computed norm of
// the packed row by at most g ||a||^2. Together that is within the margin 2g (2B + ||a||^2) of
// the scores, which is added to the limit. What is left, the rounding of the limit itself to
// float32 and the errors of the two canonical distances, is relative to D s^2 and ||a||^2: at
// most 2^-23 of either, covered eight times by 2^-20. Tiles have a g of their own, which need not
// cover the error of the norm: for them the float32 slope 2g ||a||^2 is added. What coarse tiles
// leave out of one score is added too. Scores along axes are never above the whole ones; what their
// slips feign (axes.hpp) is added, and what is left is scored whole, pair by pair.
#include "closer.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <utility>

#include "panels.hpp"
#include "tiles.hpp"

namespace truemeans {

namespace {

// Candidates a kernel meets at a time: all may be hits, and there must be room for them.
constexpr std::size_t kCandidates = 128;

struct Pair {
    std::int32_t row;
    std::uint32_t candidate;
    double sq_dist;
};

struct Scratch {
    std::vector<float> packed, norms, rests, limits, along_limits, scores;
    Aligned<std::uint16_t> tiles, marks;
    std::vector<Hit> hits;
    std::vector<double> sq_dist;
    std::vector<Pair> pairs;
    bool coarse = false;  // first halves are scored, for as long as they suffice
    std::size_t n_scored = 0, n_hits = 0;
};

// A hit that is none costs as much as what coarse tiles save on so many pairs: about 350 ns against
// 0.9 with 768 features.
constexpr std::size_t kSavedPairs = 400;

// Candidates along axes.
struct AlongAxes {
    const Axes* axes = nullptr;
    Axes::Candidates candidates;
    double length = 0.0;  // the largest of any candidate

    // By how much products of a row's coordinates may err, twice, as scores have it.
    float doubt(std::size_t row) const {
        const double own = static_cast<double>(axes->slips[row]);
        const double norm = static_cast<double>(axes->norms[row]);
        const double other = candidates.slip;
        return static_cast<float>(2.001 * (std::sqrt(norm) * other + (length + other) * own));
    }
};

template <class T>
struct Search {
    const Kernels& kernels;
    const RowKernels<T>& table;
    Rows<T> rows;
    Centroids candidates;
    const double* closest;
    const ScorePanels<T>& panels;
    const TilePanels& full_tiles;
    const TilePanels& coarse_tiles;
    const AlongAxes& along;
    Scores scores;

    const TilePanels& tiles(const Scratch& t) const { return t.coarse ? coarse_tiles : full_tiles; }

    // Keeps the hits that are closer indeed.
    void keep(std::size_t begin, std::size_t first, std::size_t n_hits, Scratch& t) const {
        t.sq_dist.resize(std::max(t.sq_dist.size(), n_hits));
        table.hit_sq_dist(rows.X + begin * rows.d, rows.d, candidates.values + first * rows.d,
                          t.hits.data(), n_hits, t.sq_dist.data());
        for (std::size_t h = 0; h < n_hits; ++h) {
            const std::size_t row = begin + t.hits[h].row;
            if (t.sq_dist[h] < closest[row])
                t.pairs.push_back({static_cast<std::int32_t>(row),
                                   static_cast<std::uint32_t>(first + t.hits[h].centroid),
                                   t.sq_dist[h]});
        }
    }

    // Every pair of the chunk is a hit.
    std::size_t all_hits(std::size_t begin, std::size_t n, std::size_t count, Scratch& t) const {
        std::size_t n_hits = 0;
        for (std::size_t i = 0; i < n; ++i) {
            if (!(closest[begin + i] > 0.0) || (rows.weight && rows.weight[begin + i] == 0.0))
                continue;
            for (std::size_t j = 0; j < count; ++j)
                t.hits[n_hits++] = {static_cast<std::uint16_t>(i), static_cast<std::uint16_t>(j)};
        }
        return n_hits;
    }

    std::size_t score(std::size_t begin, std::size_t n, std::size_t first, std::size_t count,
                      Scratch& t) const {
        const std::size_t d = rows.d;
        if (along.axes) return score_along(begin, n, first, count, t);
        if (by_tiles(scores)) return score_tiles(n, first, count, t);
        if (scores == Scores::lanes_are_samples) {
            const std::size_t lanes = kernels.sample_lanes;
            return kernels.closer_samples(t.packed.data(), (n + lanes - 1) / lanes, d,
                                          panels.packed.data() + first * d,
                                          panels.sq_norms.data() + first, count, t.limits.data(),
                                          t.hits.data());
        }
        const std::size_t lanes = kernels.centroid_lanes;
        return kernels.closer_panels(t.packed.data(), n, d, panels.packed.data() + first * d,
                                     panels.sq_norms.data() + first, (count + lanes - 1) / lanes,
                                     t.limits.data(), t.hits.data());
    }

    // What the axes leave, scored whole.
    std::size_t score_along(std::size_t begin, std::size_t n, std::size_t first,
                            std::size_t count, Scratch& t) const {
        const std::size_t d = rows.d, lanes = kernels.centroid_lanes;
        const float* sq_norms = panels.sq_norms.data() + first;
        const std::size_t n_left = kernels.closer_along(
            along.axes->rows_from(begin), n, along.axes->from(along.candidates, first), sq_norms,
            (count + lanes - 1) / lanes, t.along_limits.data(), t.hits.data());
        t.scores.resize(std::max(t.scores.size(), n_left));
        kernels.score_hits(t.packed.data(), d, panels.packed.data() + first * d, sq_norms,
                           t.hits.data(), n_left, t.scores.data());
        std::size_t n_hits = 0;
        for (std::size_t h = 0; h < n_left; ++h) {
            t.hits[n_hits] = t.hits[h];
            n_hits += t.scores[h] <= t.limits[t.hits[h].row];
        }
        return n_hits;
    }

    std::size_t score_tiles(std::size_t n, std::size_t first, std::size_t count,
                            Scratch& t) const {
        const TilePanels& tile_panels = tiles(t);
        const std::size_t block = kernels.tile_rows;
        const std::size_t n_panels = (count + block - 1) / block;
        kernels.mark_tiles(t.tiles.data(), (n + block - 1) / block, rows.d,
                           tile_panels.run(first / block, n_panels, rows.d), t.limits.data(),
                           t.marks.data());
        return kernels.list_hits(t.marks.data(), n, n_panels * block, t.hits.data());
    }

    // Tiles have a bound of their own, which need not cover the error of the norm.
    Margin margin(const Scratch& t) const {
        if (!by_tiles(scores)) return panels.margin;
        return {tiles(t).margin.constant, tiles(t).margin.slope + panels.margin.slope};
    }

    void pack(std::size_t begin, std::size_t n, Scratch& t) const {
        const T* X = rows.X + begin * rows.d;
        if (by_tiles(scores)) {
            table.pack_tiles(tiles(t).halves, X, nullptr, n, rows.d, panels.centering(),
                             t.tiles.data(), t.norms.data(), t.rests.data());
            return;
        }
        const auto lay_out =
            scores == Scores::lanes_are_samples ? table.pack_samples : table.pack_rows;
        lay_out(X, nullptr, n, rows.d, panels.centering(), t.packed.data(), t.norms.data());
    }

    void run_chunk(std::size_t begin, std::size_t n, Scratch& t) const {
        bool scored = panels.usable;
        if (scored) {
            pack(begin, n, t);
            const double scale = static_cast<double>(panels.scale);
            scored = !kernels.closer_limits(closest + begin,
                                            rows.weight ? rows.weight + begin : nullptr,
                                            t.norms.data(), n, scale * scale, margin(t),
                                            t.limits.data());
            // Rows that no candidate may be closer to stay so, whatever is left out of them: they
            // may be so large that it is infinite.
            const auto raise = [&](std::vector<float>& limits, const auto& by) {
                for (std::size_t i = 0; i < n; ++i)
                    if (limits[i] > -kFarScore) limits[i] += by(i);
            };
            if (t.coarse)
                raise(t.limits, [&](std::size_t i) {
                    return coarse_tiles.left_out_of_row(t.norms[i], t.rests[i]);
                });
            std::fill(t.limits.begin() + static_cast<std::ptrdiff_t>(n), t.limits.end(),
                      -kFarScore);
            if (along.axes) {
                t.along_limits = t.limits;
                raise(t.along_limits, [&](std::size_t i) { return along.doubt(begin + i); });
            }
        }
        for (std::size_t first = 0; first < candidates.k; first += kCandidates) {
            const std::size_t count = std::min(kCandidates, candidates.k - first);
            const std::size_t n_hits =
                scored ? score(begin, n, first, count, t) : all_hits(begin, n, count, t);
            keep(begin, first, n_hits, t);
            t.n_hits += n_hits;
        }
        t.n_scored += n * candidates.k;
        t.coarse = t.coarse && (t.n_hits - t.pairs.size()) * kSavedPairs < t.n_scored;
    }
};

// Packed rows of a chunk stay in a second-level cache.
constexpr std::size_t kMostRows = 1024;
std::size_t rows_at_once(std::size_t d) {
    if (d <= 32) return kMostRows;
    return d <= 256 ? 256 : 128;
}

// The pairs of all threads by candidate.
void sort_pairs(Team& team, std::vector<Scratch>& threads, std::size_t k, Closer& out) {
    // next[t][j]: where thread t's next pair of candidate j goes.
    std::vector<std::vector<std::int64_t>> next(threads.size(), std::vector<std::int64_t>(k));
    team.run(threads.size(), 1, [&](std::size_t, std::size_t t, std::size_t) {
        for (const Pair& p : threads[t].pairs) ++next[t][p.candidate];
    });
    out.starts.resize(k + 1);
    std::int64_t n = 0;
    for (std::size_t j = 0; j < k; ++j) {
        out.starts[j] = n;
        for (auto& of_thread : next) n += std::exchange(of_thread[j], n);
    }
    out.starts[k] = n;
    out.rows.resize(static_cast<std::size_t>(n));
    out.sq_dist.resize(static_cast<std::size_t>(n));
    team.run(threads.size(), 1, [&](std::size_t, std::size_t t, std::size_t) {
        for (const Pair& p : threads[t].pairs) {
            const std::size_t at = static_cast<std::size_t>(next[t][p.candidate]++);
            out.rows[at] = p.row;
            out.sq_dist[at] = p.sq_dist;
        }
        threads[t].pairs = {};
    });
}

}  // namespace

template <class T>
Closer find_closer(Team& team, const Kernels& kernels, Rows<T> rows, Centroids candidates,
                   const double* closest, Scores scores, const Axes* axes,
                   std::size_t block_rows, std::size_t most) {
    if (axes) scores = Scores::lanes_are_centroids;
    const bool turned = scores == Scores::lanes_are_centroids && !axes;
    const Layout layout{turned ? kernels.centroid_lanes : 1, {}};
    ScorePanels<T> panels;
    if (scores != Scores::none)
        panels = ScorePanels<T>(candidates, rows.d, layout, axes ? &axes->frame : nullptr);
    AlongAxes along;
    if (axes && panels.usable) {
        along.axes = axes;
        along.length = std::sqrt(panels.sq_norm_top);
        along.candidates = axes->lay_out(kernels, panels.packed.data(), candidates.k);
        panels.sq_norms.resize(along.candidates.steps.size(), kPaddingNorm);
    }
    const bool coarse =
        by_tiles(scores) && panels.usable && are_coarse(halves_of(scores, rows.d));
    TilePanels tiles, coarse_tiles;
    if (by_tiles(scores) && panels.usable)
        tiles = TilePanels(kernels, both_halves(rows.d), panels.packed, panels.sq_norms,
                           panels.sq_norm_top, rows.d);
    if (coarse)
        coarse_tiles = TilePanels(kernels, halves_of(scores, rows.d), panels.packed,
                                  panels.sq_norms, panels.sq_norm_top, rows.d);
    const std::size_t chunk =
        std::clamp<std::size_t>(block_rows ? block_rows : rows_at_once(rows.d), 1, kMostRows);
    const std::size_t pad =
        std::max({kernels.sample_lanes, kernels.centroid_lanes, kernels.tile_rows});
    const std::size_t padded = (chunk + pad - 1) / pad * pad;
    const Search<T> search{kernels, kernels_for(kernels, rows.X), rows, candidates, closest,
                           panels, tiles, coarse_tiles, along, scores};
    std::vector<Scratch> threads(rows.n <= chunk ? 1 : team.n_threads());
    for (Scratch& t : threads) {
        t.coarse = coarse;
        if (by_tiles(scores)) {
            t.rests.resize(padded);
            t.tiles.resize(padded * tile_row_entries(tiles.halves, rows.d));
            t.marks.resize(padded / kTileSide * kCandidates);
        } else {
            t.packed.resize(padded * rows.d);
        }
        t.norms.resize(padded);
        t.limits.resize(padded);
        t.hits.resize(padded * kCandidates);
    }
    std::atomic<std::size_t> found{0};
    team.run(rows.n, chunk, [&](std::size_t thread, std::size_t begin, std::size_t end) {
        if (found.load(std::memory_order_relaxed) > most) return;
        Scratch& t = threads[thread];
        const std::size_t before = t.pairs.size();
        search.run_chunk(begin, end - begin, t);
        found.fetch_add(t.pairs.size() - before, std::memory_order_relaxed);
    });
    Closer out;
    if (found.load() > most) return out;
    sort_pairs(team, threads, candidates.k, out);
    out.complete = true;
    return out;
}

template Closer find_closer<float>(Team&, const Kernels&, Rows<float>, Centroids, const double*,
                                   Scores, const Axes*, std::size_t, std::size_t);
template Closer find_closer<double>(Team&, const Kernels&, Rows<double>, Centroids, const double*,
                                    Scores, const Axes*, std::size_t, std::size_t);

}  // namespace truemeans
