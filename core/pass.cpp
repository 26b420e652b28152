#include "pass.hpp"

#include <algorithm>
#include <vector>

#include "panels.hpp"

namespace truemeans {

namespace {

// Rows a thread takes at a time: a packed chunk of about a quarter of a megabyte, which a
// second-level cache holds beside the centroids.
std::size_t rows_per_chunk(const Kernels& kernels, Scores scores, std::size_t d,
                           std::size_t block_rows) {
    const std::size_t step =
        scores == Scores::lanes_are_samples ? kernels.sample_lanes : kernels.centroid_lanes;
    const std::size_t fits = std::clamp<std::size_t>((256u << 10) / (4 * d), step, 768);
    const std::size_t rows = block_rows ? block_rows : fits;
    return block_rows ? rows : rows / step * step;
}

// What one thread needs for one chunk of rows.
struct Scratch {
    std::vector<float> packed, norms, best, second;
    std::vector<std::int32_t> index, rows, from, to;
    std::vector<double> sums;
    std::size_t n_changed = 0;
    std::size_t n_settled = 0;

    Scratch(const Kernels& kernels, Scores scores, std::size_t chunk, std::size_t d,
            std::size_t n_sums)
        : rows(chunk), from(chunk), to(chunk), sums(n_sums) {
        if (scores == Scores::none) {
            index.resize(chunk);
            return;
        }
        const bool by_samples = scores == Scores::lanes_are_samples;
        const std::size_t tile = by_samples ? kernels.sample_lanes : kernels.centroid_lanes;
        const std::size_t padded = (chunk + tile - 1) / tile * tile;
        packed.resize(padded * d);
        norms.resize(padded);
        best.resize(padded);
        second.resize(padded);
        index.resize(padded);
    }
};

// One pass, shared by all threads, read-only while they run.
template <class T>
struct Pass {
    const Kernels& kernels;
    const RowKernels<T>& rows_kernels;
    Rows<T> rows;
    Centroids centroids;
    Scores scores;
    Grids grids;
    std::vector<double> exact;
    ScorePanels<T> panels;

    Pass(const Kernels& table, Rows<T> r, Centroids c, Scores s, Grids g)
        : kernels(table),
          rows_kernels(kernels_for(table, r.X)),
          rows(r),
          centroids(c),
          scores(s),
          grids(g),
          exact(exact_panels(c, r.d)),
          panels(table, c, r.d, s) {}

    void score(std::size_t begin, std::size_t n, Scratch& t) const {
        const T* X = rows.X + begin * rows.d;
        const TwoNearest out{t.best.data(), t.second.data(), t.index.data()};
        if (scores == Scores::lanes_are_samples) {
            rows_kernels.pack_samples(X, n, rows.d, panels.centering(), t.packed.data(),
                                      t.norms.data());
            kernels.score_samples(t.packed.data(),
                                  (n + kernels.sample_lanes - 1) / kernels.sample_lanes, rows.d,
                                  panels.packed.data(), panels.sq_norms.data(), centroids.k, out);
        } else {
            rows_kernels.pack_rows(X, n, rows.d, panels.centering(), t.packed.data(),
                                   t.norms.data());
            // A run of panels that fits half a first-level cache meets all rows of the chunk.
            const std::size_t panel = rows.d * kernels.centroid_lanes;
            const std::size_t run = std::max<std::size_t>((16u << 10) / (4 * panel), 1);
            std::fill_n(t.best.begin(), t.best.size(), kFarScore);
            std::fill_n(t.second.begin(), t.second.size(), kFarScore);
            for (std::size_t p = 0; p < panels.n_panels; p += run)
                kernels.score_panels(
                    t.packed.data(), nullptr, n, rows.d, panels.packed.data() + p * panel,
                    panels.sq_norms.data() + p * kernels.centroid_lanes,
                    std::min(run, panels.n_panels - p),
                    static_cast<std::int32_t>(p * kernels.centroid_lanes), out);
        }
    }

    // Labels a chunk into t.index.
    void label(std::size_t begin, std::size_t n, Scratch& t) const {
        if (centroids.k == 1) {
            std::fill_n(t.index.begin(), n, 0);
            return;
        }
        if (panels.usable) score(begin, n, t);
        for (std::size_t i = 0; i < n; ++i) {
            // Written so that a score that is not a number counts as undecided.
            const bool decided =
                panels.usable && t.second[i] - t.best[i] >
                                     panels.margin_constant + panels.margin_slope * t.norms[i];
            if (!decided) {
                t.index[i] = rows_kernels.nearest(rows.X + (begin + i) * rows.d, rows.d,
                                                  exact.data(), centroids.k);
                ++t.n_settled;
            }
        }
    }

    void move(std::size_t begin, std::size_t n, std::int32_t* labels, double* sums,
              Scratch& t) const {
        std::size_t n_moves = 0;
        for (std::size_t i = 0; i < n; ++i) {
            t.rows[n_moves] = static_cast<std::int32_t>(i);
            t.from[n_moves] = labels[begin + i];
            t.to[n_moves] = t.index[i];
            n_moves += labels[begin + i] != t.index[i];
            labels[begin + i] = t.index[i];
        }
        t.n_changed += n_moves;
        if (sums)
            rows_kernels.move_rows(rows.X + begin * rows.d, rows.d,
                                   rows.weight ? rows.weight + begin : nullptr,
                                   {t.rows.data(), t.from.data(), t.to.data(), n_moves}, grids,
                                   sums, rows.d + 1);
    }
};

}  // namespace

template <class T>
Outcome assign(Team& team, const Kernels& kernels, Rows<T> rows, Centroids centroids,
               Scores scores, std::size_t block_rows, Grids grids, std::int32_t* labels,
               double* sums) {
    const Pass<T> pass(kernels, rows, centroids, scores, grids);
    const std::size_t chunk = std::min(rows_per_chunk(kernels, scores, rows.d, block_rows), rows.n);
    const std::size_t n_sums = sums ? centroids.k * grids.n_grids * (rows.d + 1) : 0;

    // Thread 0 adds straight into the caller's sums; additions are exact, so the order in which
    // the others' are added does not show.
    const std::size_t n_threads = rows.n <= chunk ? 1 : team.n_threads();
    std::vector<Scratch> scratch;
    scratch.reserve(n_threads);
    for (std::size_t t = 0; t < n_threads; ++t)
        scratch.emplace_back(kernels, scores, chunk, rows.d, t == 0 ? 0 : n_sums);

    team.run(rows.n, chunk, [&](std::size_t thread, std::size_t begin, std::size_t end) {
        Scratch& t = scratch[thread];
        pass.label(begin, end - begin, t);
        double* into = !sums ? nullptr : thread == 0 ? sums : t.sums.data();
        pass.move(begin, end - begin, labels, into, t);
    });

    Outcome outcome{0, 0};
    for (const Scratch& t : scratch) {
        outcome.n_changed += t.n_changed;
        outcome.n_settled += t.n_settled;
        for (std::size_t i = 0; i < t.sums.size(); ++i) sums[i] += t.sums[i];
    }
    return outcome;
}

template Outcome assign<float>(Team&, const Kernels&, Rows<float>, Centroids, Scores, std::size_t,
                               Grids, std::int32_t*, double*);
template Outcome assign<double>(Team&, const Kernels&, Rows<double>, Centroids, Scores,
                                std::size_t, Grids, std::int32_t*, double*);

}  // namespace truemeans
