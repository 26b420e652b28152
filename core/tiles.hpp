// The centroids of one pass, laid out for a matrix unit.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "aligned.hpp"
#include "packed.hpp"
#include "panels.hpp"

namespace truemeans {

inline bool by_tiles(Scores scores) {
    return scores == Scores::tiles || scores == Scores::coarse_tiles ||
           scores == Scores::byte_tiles;
}

// How tiles hold all they can of rows of d features.
inline Halves both_halves(std::size_t d) {
    if (d <= kNarrowestTile) return Halves::all_in_one;
    return d <= kNarrowTile ? Halves::both_in_one : Halves::both;
}

// Coarse tiles would save nothing where both halves fit one.
inline Halves halves_of(Scores scores, std::size_t d) {
    if (scores == Scores::tiles || d <= kNarrowTile) return both_halves(d);
    const bool bytes = scores == Scores::byte_tiles && d <= kMostByteFeatures;
    return bytes ? Halves::bytes : Halves::first;
}

// Whether tiles hold less of a number than float32 scores ask for.
inline bool are_coarse(Halves halves) {
    return halves == Halves::first || halves == Halves::bytes;
}

struct TilePanels {
    // Marks of so many panels at a time stay in a second-level cache.
    static constexpr std::size_t kMarkedPanels = 128;

    Halves halves = Halves::both;
    Aligned<std::uint16_t> packed;  // see kernels/tiles_amx.cpp
    std::vector<float> sq_norms;
    std::size_t n_panels = 0;
    Margin margin{0.0f, 0.0f};      // of all but what coarse tiles leave out
    float norm_top = 0.0f;          // the largest ||b'||, b' = -2b
    float rest_top = 0.0f;          // the largest norm of what coarse tiles of b' leave out
    float unit = 1.0f;              // factor of the centroids' bytes

    TilePanels() = default;
    // packed: (k, d) of b', and the squared norms of b; sq_norm_top: the largest.
    TilePanels(const Kernels& kernels, Halves halves, const std::vector<float>& packed,
               const std::vector<float>& sq_norms, double sq_norm_top, std::size_t d);

    void pack_halves(const std::vector<float>& rows, std::size_t d);
    void pack_all(const std::vector<float>& rows, std::size_t d);
    void pack_bytes(const Kernels& kernels, const std::vector<float>& rows, std::size_t d);

    // So many panels as kernels take them.
    TileCentroids run(std::size_t first_panel, std::size_t n, std::size_t d) const {
        const std::size_t slot = first_panel * 2 * kTileSide;
        return {halves, packed.data() + slot * tile_centroid_entries(halves, d),
                sq_norms.data() + slot, n, unit};
    }

    // The slots whose score is at most the row's limit, of n packed rows: count (out) how many a
    // row, list (out): [row][most], the first of them. marks: n_marks(rows) of scratch.
    // seen(first slot, number of slots, marks) is called before slots are listed, run by run.
    template <class Seen>
    void list_within(const Kernels& kernels, const std::uint16_t* tiles, std::size_t n,
                     std::size_t d, const float* limit, std::size_t most, std::uint16_t* marks,
                     std::int32_t* list, std::int32_t* count, const Seen& seen) const {
        const std::size_t block = kernels.tile_rows;
        std::fill_n(count, n, 0);
        for (std::size_t p = 0; p < n_panels; p += kMarkedPanels) {
            const std::size_t first = p * block, n_marked = std::min(kMarkedPanels, n_panels - p);
            kernels.mark_tiles(tiles, (n + block - 1) / block, d, run(p, n_marked, d), limit,
                               marks);
            seen(first, n_marked * block, marks);
            kernels.list_marked(marks, n, n_marked * block, static_cast<std::int32_t>(first), most,
                                list, count);
        }
    }
    std::size_t n_marks(std::size_t padded_rows) const {
        return padded_rows / kTileSide * std::min(sq_norms.size(), kMarkedPanels * 2 * kTileSide);
    }

    // By how much a score of a row of squared norm `norm` errs for what coarse tiles leave out;
    // `rest`: the squared norm of what they leave out of the row. 1.01 covers the roundings of
    // both sums, of up to 100,000 features.
    float left_out_of_row(float norm, float rest) const {
        const float a = std::sqrt(norm), left = std::sqrt(rest);
        return 1.01f * (left * norm_top + (a + left) * rest_top);
    }

    // The margins of such rows (out, n): twice the error of a score.
    void margins_of_rows(const float* norms, const float* rests, std::size_t n, float* out) const {
        const Margin own = margin;
        for (std::size_t i = 0; i < n; ++i) out[i] = own.constant + own.slope * norms[i];
        if (are_coarse(halves))
            for (std::size_t i = 0; i < n; ++i)
                out[i] += 2.0f * left_out_of_row(norms[i], rests[i]);
    }
};

// Settles rows that the scores of tiles could not decide, as settle.hpp does for one row: they
// are scored again, the centroids within the margin of the best in float32 once more, and
// canonical distances go to those that are left.
template <class T>
struct TileSettler {
    const Kernels& kernels;
    const RowKernels<T>& table;
    Centroids centroids;
    std::size_t d;
    const TilePanels& tiles;
    const ScorePanels<T>& panels;  // lanes 1: (k, d)

    // Rows with more candidates meet all centroids.
    static constexpr std::size_t kMost = 32;

    // From so many features on a score in float32 costs a fraction of a canonical distance.
    static constexpr std::size_t kScored = 64;

    // What a thread needs for so many rows: the caller fills rows, the likely label of each, and
    // limit, best + margin.
    struct Scratch {
        std::vector<std::int32_t> rows, likely;
        std::vector<float> limit, norms, rests, own, doubt;
        Aligned<std::uint16_t> tiles, marks;
        // kMost of a row, of which mostly little is used: nothing is written beforehand.
        Aligned<std::int32_t> list;
        Aligned<double> sq_dist;
        std::vector<std::int32_t> count, all;
        std::vector<std::int32_t> scored_rows, scored_with;
        std::vector<float> scores;
        std::vector<Match<std::uint32_t>> pairs;

        Scratch(const TileSettler& s, std::size_t n_rows);
    };

    // Scores in float32, in t.scores, of the n rows of X that t.rows names with their likely
    // labels.
    void score_likely(const T* X, std::size_t n, Scratch& t) const;

    // New labels, in t.count, of the n rows of X that t.rows names. scored: whether t.own and
    // t.doubt are of their likely labels.
    void label(const T* X, std::size_t n, bool scored, Scratch& t) const;

    // New labels, in t.count, of the rows of X that t.rows names, of squared norms t.norms, from
    // the candidates that t.list and t.count hold of each; from all where there are too many, or
    // none. scored: whether t.own holds the score of the last candidate of each, to t.doubt besides
    // the error of a score.
    void decide(const T* X, std::size_t n, bool scored, Scratch& t) const;

  private:
    // Leaves the candidates whose float32 score is within the margin of the best of them.
    void narrow(const T* X, std::size_t n, bool scored, Scratch& t) const;
};

// Labels rows that have one: no search for the best score, nor a second look at what it left open.
// The score of a row's own centroid, from before, is one that the nearest centroid need not
// exceed by more than the errors of two scores; mostly no other centroid comes so near.
// One error is of score_labels, within the margin of float32 scores (twice their error, so that
// half of it covers the sums below), one of tiles, half of theirs.
template <class T>
struct TileKeeper {
    const TileSettler<T>& settler;

    // What it needs for each row of a chunk, padded to whole blocks.
    struct Chunk {
        TileRows rows;
        float* limit;
        const CentroidMoves* moves;  // null where own scores are not those of the last pass
    };

    // New labels, in label (in/out: those before), of n rows. Returns how many met more than one
    // centroid.
    std::size_t label(const T* X, std::size_t n, std::int32_t* label, Chunk chunk,
                      typename TileSettler<T>::Scratch& t) const;

  private:
    // Own scores in chunk.rows, followed, or from the rows where that would leave too much in
    // doubt.
    void score_own(const T* X, std::size_t n, const std::int32_t* label, const Chunk& chunk,
                   typename TileSettler<T>::Scratch& t) const;
};

}  // namespace truemeans
