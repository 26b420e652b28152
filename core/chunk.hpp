// What one thread does with one chunk of rows in a pass: scores, labels, moves.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

#include "kernels/kernels.hpp"
#include "locks.hpp"
#include "packed.hpp"
#include "panels.hpp"
#include "pass.hpp"
#include "settle.hpp"
#include "skip.hpp"
#include "tiles.hpp"

namespace truemeans {

inline std::size_t rows_per_block(const Kernels& kernels, Scores scores) {
    if (by_tiles(scores)) return kernels.tile_rows;
    return scores == Scores::lanes_are_samples ? kernels.sample_lanes : kernels.centroid_lanes;
}

// A packed chunk of about a quarter of a megabyte, which a second-level cache holds beside the
// centroids; less where rows are few, so that a thread that wakes late still finds some.
inline std::size_t rows_per_chunk(const Kernels& kernels, Scores scores, std::size_t n,
                                  std::size_t d, std::size_t n_threads, std::size_t block_rows) {
    const std::size_t step = rows_per_block(kernels, scores);
    // Tiles are read so fast that centroids from beyond the cache must serve more rows.
    const std::size_t bytes = by_tiles(scores) ? 768u << 10 : 256u << 10;
    // Rows of bytes are kept, so that mostly nothing else of them is read.
    const std::size_t row = (scores == Scores::byte_tiles ? 2 : 4) * d;
    const std::size_t most = n_threads > 1 ? std::min<std::size_t>(n / (32 * n_threads), 768) : 768;
    const std::size_t rows = std::max(std::min(bytes / row, most), step);
    return block_rows ? block_rows : rows / step * step;
}

// Numbers that only the time depends on (benchmarks sweep).
constexpr std::size_t kWide = 64;
constexpr std::size_t kManyClusters = 32;
constexpr std::size_t kNarrowBytes = 256;

// Lanes = centroids would leave lanes empty, and packing rows for them takes as long as scoring;
// adding up lanes takes less than that (benchmarks sweep).
inline bool few_suffice(Scores scores, std::size_t k, std::size_t d) {
    constexpr std::size_t kFeaturesACentroid = 24;
    return scores == Scores::lanes_are_centroids && k <= kFewCentroids && d >= 2 * kWide &&
           d >= kFeaturesACentroid * k;
}

inline std::size_t at(std::int32_t i) { return static_cast<std::size_t>(i); }

// What one thread needs for one chunk; arrays are by place among the rows that are scored.
template <class T>
struct ChunkScratch {
    typename Settler<T>::Scratch settle;
    typename TileSettler<T>::Scratch settle_tiles;
    std::vector<std::int32_t> undecided;    // places
    std::vector<float> packed, norms, rests, margins, best, second;
    Aligned<std::uint16_t> tiles;
    std::vector<std::int32_t> rows;         // numbers in the chunk
    std::vector<std::int32_t> label;        // new labels
    std::vector<std::int32_t> moved, from, to;
    std::vector<double> sums;
    TileRows tile_rows{};                   // of the chunk: the scratch's own, or kept ones
    std::size_t n_changed = 0, n_settled = 0, n_scored = 0;

    ChunkScratch(const Kernels& kernels, const Settler<T>& settler,
                 const TileSettler<T>& tile_settler, Scores scores, bool packs, std::size_t chunk,
                 std::size_t d, std::size_t n_sums)
        : settle(settler),
          settle_tiles(tile_settler, chunk),
          undecided(chunk),
          rows(chunk),
          moved(chunk),
          from(chunk),
          to(chunk),
          sums(n_sums) {
        std::iota(rows.begin(), rows.end(), 0);
        if (scores == Scores::none) {
            label.resize(chunk);
            return;
        }
        const std::size_t block = rows_per_block(kernels, scores);
        const std::size_t padded = (chunk + block - 1) / block * block;
        if (by_tiles(scores) && packs)
            tiles.resize(padded * tile_row_entries(halves_of(scores, d), d));
        else if (packs)
            packed.resize(padded * d);
        for (auto* floats : {&norms, &rests, &margins, &best, &second}) floats->resize(padded);
        label.resize(padded);
        tile_rows = {tiles.data(), norms.data(), rests.data(), best.data(), nullptr};
    }
};

inline Layout layout_of(const Kernels& kernels, Scores scores) {
    return {scores == Scores::lanes_are_centroids ? kernels.centroid_lanes : 1, {}};
}

// One pass, shared by all threads, which write to their own rows only.
template <class T>
struct Pass {
    const Kernels& kernels;
    const RowKernels<T>& table;
    Rows<T> rows;
    Centroids centroids;
    Scores scores;
    Skip* skip;
    PackedRows* packed_rows;
    Grids grids;
    const ScorePanels<T>& panels;
    const TilePanels& tiles;
    const Settler<T>& settler;
    const TileSettler<T>& tile_settler;
    const TileKeeper<T>* keeper;  // null where labels are searched for, or bounds are wanted
    const ScorePanels<T>& few;  // lanes = features, where there are few centroids
    ClusterLocks* locks;        // where threads share the sums
    std::size_t stride;         // rows from a thread's chunk to its next, most likely

    // Numbers of the rows to score, in t.rows, which starts as all of them.
    std::size_t choose(std::size_t begin, std::size_t n, const std::int32_t* labels,
                       ChunkScratch<T>& t) const {
        if (skip && !skip->is_first)
            return kernels.rows_reached(skip->slack.data() + begin, labels + begin,
                                        skip->travel.of().data(), skip->travel.farthest(), n,
                                        t.rows.data());
        return n;
    }

    // The numbers of the rows to score where they are not all.
    const std::int32_t* list_of(const ChunkScratch<T>& t) const {
        return skip && !skip->is_first ? t.rows.data() : nullptr;
    }

    // The rows that this thread will most likely pack next, where packing waits for them: where
    // they are narrow, and most of them are scored.
    Ahead ahead(std::size_t begin, std::size_t m, std::size_t n) const {
        if (rows.d * sizeof(T) > kNarrowBytes || 2 * m < n) return {nullptr, 0};
        return lines_ahead(rows, begin + stride, n);
    }

    void score(std::size_t begin, std::size_t m, std::size_t n, ChunkScratch<T>& t) const {
        const T* X = rows.X + begin * rows.d;
        const std::int32_t* list = m < n ? t.rows.data() : nullptr;
        const TwoNearest out{t.best.data(), t.second.data(), t.label.data()};
        if (few.usable) {
            table.score_few(X, list, m, rows.d, few.centering(), few.packed.data(),
                            few.sq_norms.data(), centroids.k, t.norms.data(), out);
            return;
        }
        const std::size_t block = rows_per_block(kernels, scores);
        const std::size_t n_blocks = (m + block - 1) / block;
        if (tiles.n_panels > 0) {
            pack(X, list, m, t);
            kernels.score_tiles(t.tile_rows.tiles, n_blocks, rows.d,
                                tiles.run(0, tiles.n_panels, rows.d), out, ahead(begin, m, n));
            return;
        }
        if (scores == Scores::lanes_are_samples) {
            table.pack_samples(X, list, m, rows.d, panels.centering(), t.packed.data(),
                               t.norms.data());
            kernels.score_samples(t.packed.data(), n_blocks, rows.d,
                                  panels.packed.data(), panels.sq_norms.data(), centroids.k, out);
            return;
        }
        table.pack_rows(X, list, m, rows.d, panels.centering(), t.packed.data(), t.norms.data());
        // A run of panels that fits half a first-level cache meets all rows of the chunk.
        const std::size_t panel = rows.d * kernels.centroid_lanes;
        const std::size_t run = std::max<std::size_t>((16u << 10) / (4 * panel), 1);
        std::fill_n(t.best.begin(), t.best.size(), kFarScore);
        std::fill_n(t.second.begin(), t.second.size(), kFarScore);
        for (std::size_t p = 0; p < panels.n_panels; p += run)
            kernels.score_panels(t.packed.data(), nullptr, m, rows.d,
                                 panels.packed.data() + p * panel,
                                 panels.sq_norms.data() + p * kernels.centroid_lanes,
                                 std::min(run, panels.n_panels - p),
                                 static_cast<std::int32_t>(p * kernels.centroid_lanes), out);
    }

    // Tiles of m rows of a chunk, unless they are there already.
    void pack(const T* X, const std::int32_t* list, std::size_t m,
              const ChunkScratch<T>& t) const {
        if (packed_rows && packed_rows->is_packed()) return;
        table.pack_tiles(tiles.halves, X, list, m, rows.d, panels.centering(), t.tile_rows.tiles,
                         t.tile_rows.norms, t.tile_rows.rests);
    }

    // New labels of the m chosen rows, in t.label.
    void label(std::size_t begin, std::size_t m, std::size_t n, ChunkScratch<T>& t) const {
        if (centroids.k == 1) {
            std::fill_n(t.label.begin(), m, 0);
            return;
        }
        if (panels.usable) {
            score(begin, m, n, t);
            prove(m, t);
        }
        t.n_scored += m;
        std::size_t n_undecided = m;
        if (panels.usable)
            n_undecided = kernels.rows_open(t.best.data(), t.second.data(), t.margins.data(), m,
                                            t.undecided.data());
        else
            std::iota(t.undecided.begin(), t.undecided.end(), 0);
        t.n_settled += n_undecided;
        settle(begin, n_undecided, t);
    }

    bool all_labelled(const std::int32_t* labels, std::size_t n) const {
        std::int32_t least = 0, most = 0;
        for (std::size_t i = 0; i < n; ++i) {
            least = std::min(least, labels[i]);
            most = std::max(most, labels[i]);
        }
        return least >= 0 && at(most) < centroids.k;
    }

    // New labels of rows that have one, in t.label.
    void keep(std::size_t begin, std::size_t n, const std::int32_t* labels,
              ChunkScratch<T>& t) const {
        std::copy_n(labels, n, t.label.begin());
        t.n_scored += n;
        const T* X = rows.X + begin * rows.d;
        pack(X, nullptr, n, t);
        t.n_settled += keeper->label(X, n, t.label.data(),
                                     {t.tile_rows, t.second.data(),
                                      packed_rows ? packed_rows->moves() : nullptr},
                                     t.settle_tiles);
    }

    // The gap that decides each of the m rows.
    void prove(std::size_t m, ChunkScratch<T>& t) const {
        if (tiles.n_panels > 0) {
            tiles.margins_of_rows(t.tile_rows.norms, t.tile_rows.rests, m, t.margins.data());
            return;
        }
        for (std::size_t p = 0; p < m; ++p)
            t.margins[p] = panels.margin_of_row(t.norms[p]);
    }

    // New labels of the first n undecided rows.
    void settle(std::size_t begin, std::size_t n, ChunkScratch<T>& t) const {
        const T* X = rows.X + begin * rows.d;
        if (tiles.n_panels > 0) {
            auto& s = t.settle_tiles;
            for (std::size_t i = 0; i < n; ++i) {
                const std::size_t p = at(t.undecided[i]);
                s.rows[i] = t.rows[p];
                s.likely[i] = t.label[p];
                s.limit[i] = t.best[p] + t.margins[p];
            }
            const bool coarse =
                are_coarse(tiles.halves) && rows.d >= TileSettler<T>::kScored;
            if (coarse) n = reconsider(X, n, t);
            tile_settler.label(X, n, coarse, s);
            for (std::size_t i = 0; i < n; ++i)
                t.label[at(t.undecided[i])] = t.settle_tiles.count[i];
            return;
        }
        for (std::size_t i = 0; i < n; ++i) {
            const std::size_t p = at(t.undecided[i]);
            t.label[p] = settler.label(X + at(t.rows[p]) * rows.d,
                                       panels.usable ? t.best[p] : 0.0f,
                                       panels.usable ? t.norms[p] : 0.0f, t.settle);
        }
    }

    // Leaves the rows that stay open, first among the undecided, when the score of the best by
    // coarse tiles is known to float32: only the error of the others' is in doubt then.
    std::size_t reconsider(const T* X, std::size_t n, ChunkScratch<T>& t) const {
        auto& s = t.settle_tiles;
        tile_settler.score_likely(X, n, s);
        std::size_t left = 0;
        for (std::size_t i = 0; i < n; ++i) {
            const std::int32_t p = t.undecided[i];
            const float limit =
                s.scores[i] + panels.margin_of_row(t.tile_rows.norms[p]) + 0.5f * t.margins[at(p)];
            if (t.second[at(p)] > limit) continue;
            t.undecided[left] = p;
            s.rows[left] = s.rows[i];
            s.likely[left] = s.likely[i];
            s.own[left] = s.scores[i];
            s.doubt[left] = 0.0f;
            s.limit[left++] = limit;
        }
        return left;
    }

    // What the scores prove about later passes. An undecided row has no slack.
    void keep_slack(std::size_t begin, std::size_t m, ChunkScratch<T>& t) const {
        kernels.keep_slack(t.best.data(), t.second.data(), t.norms.data(), t.margins.data(),
                           t.label.data(), skip->travel.of().data(), skip->travel.farthest(),
                           list_of(t), m, skip->slack.data() + begin);
    }

    void move(std::size_t begin, std::size_t m, std::int32_t* labels, double* sums,
              ChunkScratch<T>& t) const {
        const std::size_t n_moves =
            kernels.rows_moved(t.label.data(), list_of(t), m, labels + begin, t.moved.data(),
                               t.from.data(), t.to.data());
        t.n_changed += n_moves;
        if (!sums) return;
        const auto add = [&](const Moves& moves) {
            table.move_rows(rows.X + begin * rows.d, rows.d,
                            rows.weight ? rows.weight + begin : nullptr, moves, grids, sums,
                            rows.d + 1);
        };
        const Moves moves{t.moved.data(), t.from.data(), t.to.data(), n_moves};
        if (locks)
            locks->one_by_one(moves, add);
        else
            add(moves);
    }

    void run_chunk(std::size_t begin, std::size_t n, std::int32_t* labels, double* sums,
                   ChunkScratch<T>& t) const {
        const std::size_t m = choose(begin, n, labels, t);
        if (m == 0) return;
        if (packed_rows) t.tile_rows = packed_rows->from(begin);
        if (keeper && all_labelled(labels + begin, n)) {
            keep(begin, n, labels + begin, t);
        } else {
            label(begin, m, n, t);
            if (packed_rows) std::fill_n(t.tile_rows.doubt, n, kUnknown);
        }
        if (skip) keep_slack(begin, m, t);
        move(begin, m, labels, sums, t);
    }
};

}  // namespace truemeans
