#include "pass.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>
#include <vector>

#include "chunk.hpp"

namespace truemeans {

namespace {

// Brings skip up to date, or starts it; null when nothing can be proved here.
template <class T>
Skip* ready(Skip* skip, Centroids centroids, std::size_t d, const ScorePanels<T>& panels) {
    if (!skip) return nullptr;
    if (!panels.usable) {
        skip->started = false;
        return nullptr;
    }
    if (!skip->started) {
        skip->frame = panels.frame();
        skip->travel.start(centroids, d, skip->frame.scale);
    }
    skip->is_first = !skip->started;
    skip->started = true;
    skip->travel.advance(centroids);
    return skip;
}

// The packed rows, for a pass of these centroids; null where it does not take them.
template <class T>
PackedRows* ready(PackedRows* packed, const Kernels& kernels, const Skip* skip,
                  const ScorePanels<T>& panels, const TilePanels& tiles, std::size_t chunk) {
    if (!packed) return nullptr;
    // Kernels pack whole blocks of two sides.
    const bool apart = chunk % (2 * kTileSide) == 0 || chunk == packed->n_rows();
    if (!panels.usable || skip || tiles.halves != Halves::bytes || !apart) {
        packed->forget();
        return nullptr;
    }
    packed->begin(kernels, panels.frame(), panels.packed, panels.sq_norms);
    return packed;
}

}  // namespace

template <class T>
Outcome assign(Team& team, const Kernels& kernels, Rows<T> rows, Centroids centroids,
               Scores scores, std::size_t block_rows, bool keeps, Skip* skip, PackedRows* packed,
               Grids grids, std::int32_t* labels, double* sums) {
    const Frame* frame = skip && skip->started      ? &skip->frame
                         : packed ? packed->frame()
                                                    : nullptr;
    ScorePanels<T> panels;
    if (scores != Scores::none && centroids.k > 1)
        panels = ScorePanels<T>(centroids, rows.d, layout_of(kernels, scores), frame);
    skip = ready(skip, centroids, rows.d, panels);
    const RowKernels<T>& table = kernels_for(kernels, rows.X);
    ScorePanels<T> lanes;
    TilePanels tiles;
    if (panels.usable && by_tiles(scores))
        tiles = TilePanels(kernels, halves_of(scores, rows.d), panels.packed, panels.sq_norms,
                           panels.sq_norm_top, rows.d);
    if (panels.usable && scores == Scores::lanes_are_samples) {
        const Frame same = panels.frame();
        lanes = ScorePanels<T>(centroids, rows.d,
                               layout_of(kernels, Scores::lanes_are_centroids), &same);
    }
    ScorePanels<T> few;
    if (panels.usable && few_suffice(scores, centroids.k, rows.d)) {
        const Frame same = panels.frame();
        few = ScorePanels<T>(centroids, rows.d, {}, &same);
    }
    const ScorePanels<T>& settling = lanes.usable ? lanes : panels;
    const Settler<T> settler{kernels,
                             table,
                             centroids,
                             rows.d,
                             panels.usable && tiles.n_panels == 0 ? &settling : nullptr,
                             nullptr,
                             tiles.n_panels > 0 ? std::vector<double>{}
                                                : exact_panels(centroids, rows.d)};
    const TileSettler<T> tile_settler{kernels, table, centroids, rows.d, tiles, panels};
    const TileKeeper<T> keeper{tile_settler};
    const std::size_t chunk = std::min(
        rows_per_chunk(kernels, scores, rows.n, rows.d, team.n_threads(), block_rows), rows.n);
    packed = ready(packed, kernels, skip, panels, tiles, chunk);
    const std::size_t n_threads = rows.n <= chunk ? 1 : team.n_threads();
    // Many wide sums of its own cost a thread more than locking a cluster for each of few moves.
    ClusterLocks locks;
    const bool few_moves = labels[0] >= 0 || rows.n < 16 * centroids.k;
    const bool share =
        n_threads > 1 && few_moves && centroids.k >= kManyClusters && rows.d >= kWide;
    const std::size_t n_sums = sums && !share ? centroids.k * grids.n_grids * (rows.d + 1) : 0;
    const Pass<T> pass{kernels, table, rows, centroids, scores, skip, packed, grids, panels,
                       tiles, settler, tile_settler,
                       keeps && tiles.n_panels > 0 && !skip ? &keeper : nullptr, few,
                       share ? &locks : nullptr, chunk};

    std::vector<ChunkScratch<T>> scratch;
    scratch.reserve(n_threads);
    for (std::size_t t = 0; t < n_threads; ++t)
        scratch.emplace_back(kernels, settler, tile_settler, scores, !few.usable && !packed, chunk,
                             rows.d,
                             t == 0 ? 0 : n_sums);

    team.run(rows.n, chunk, [&](std::size_t thread, std::size_t begin, std::size_t end) {
        ChunkScratch<T>& t = scratch[thread];
        // Thread 0 adds straight into the caller's sums.
        double* into = !sums ? nullptr : thread == 0 || share ? sums : t.sums.data();
        pass.run_chunk(begin, end - begin, labels, into, t);
    });
    if (packed)
        packed->end(pass.keeper, std::move(panels.packed), std::move(panels.sq_norms));
    return join(scratch, sums);
}

template <class T>
void add_rows(Team& team, const Kernels& kernels, Rows<T> rows, const std::int32_t* labels,
              Grids grids, double* sums, std::size_t k) {
    constexpr std::size_t kChunk = 1024;
    std::array<std::int32_t, kChunk> numbers, nowhere;
    std::iota(numbers.begin(), numbers.end(), 0);
    nowhere.fill(-1);
    struct Mine {
        std::vector<double> sums;
        std::size_t n_changed = 0, n_settled = 0, n_scored = 0;
    };
    std::vector<Mine> threads(rows.n <= kChunk ? 1 : team.n_threads());
    for (std::size_t t = 1; t < threads.size(); ++t)
        threads[t].sums.resize(k * grids.n_grids * (rows.d + 1));
    team.run(rows.n, kChunk, [&](std::size_t thread, std::size_t begin, std::size_t end) {
        double* into = thread == 0 ? sums : threads[thread].sums.data();
        kernels_for(kernels, rows.X)
            .move_rows(rows.X + begin * rows.d, rows.d,
                       rows.weight ? rows.weight + begin : nullptr,
                       {numbers.data(), nowhere.data(), labels + begin, end - begin}, grids, into,
                       rows.d + 1);
    });
    join(threads, sums);
}

template void add_rows<float>(Team&, const Kernels&, Rows<float>, const std::int32_t*, Grids,
                              double*, std::size_t);
template void add_rows<double>(Team&, const Kernels&, Rows<double>, const std::int32_t*, Grids,
                               double*, std::size_t);
template Outcome assign<float>(Team&, const Kernels&, Rows<float>, Centroids, Scores, std::size_t,
                               bool, Skip*, PackedRows*, Grids, std::int32_t*, double*);
template Outcome assign<double>(Team&, const Kernels&, Rows<double>, Centroids, Scores,
                                std::size_t, bool, Skip*, PackedRows*, Grids, std::int32_t*,
                                double*);

}  // namespace truemeans
