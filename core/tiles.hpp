// The centroids of one pass, laid out for a matrix unit.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "aligned.hpp"
#include "panels.hpp"

namespace truemeans {

// How tiles hold all they can of rows of d features.
inline Halves both_halves(std::size_t d) {
    if (d <= kNarrowestTile) return Halves::all_in_one;
    return d <= kNarrowTile ? Halves::both_in_one : Halves::both;
}

struct TilePanels {
    Halves halves = Halves::both;
    Aligned<std::uint16_t> packed;  // see kernels/tiles_amx.cpp
    std::vector<float> sq_norms;
    std::size_t n_panels = 0;
    Margin margin{0.0f, 0.0f};      // of all but what first halves leave out
    float norm_top = 0.0f;          // the largest ||b'||, b' = -2b
    float rest_top = 0.0f;          // the largest norm of what first halves of b' leave out

    TilePanels() = default;
    // packed: (k, d) of b', and the squared norms of b; sq_norm_top: the largest. tile_rows:
    // centroids per panel.
    TilePanels(Halves halves, const std::vector<float>& packed,
               const std::vector<float>& sq_norms, double sq_norm_top, std::size_t d,
               std::size_t tile_rows);

    void pack_all(const std::vector<float>& rows, std::size_t d);

    // The margin of a row of squared norm `norm`, whose first halves leave out `rest`, squared.
    // 1.01 covers the roundings of both sums, of up to 100,000 features.
    float margin_of_row(float norm, float rest) const {
        const float proven = margin.constant + margin.slope * norm;
        if (halves != Halves::first) return proven;
        const float a = std::sqrt(norm), left = std::sqrt(rest);
        return proven + 2.0f * 1.01f * (left * norm_top + (a + left) * rest_top);
    }
};

// Settles rows that the scores of tiles could not decide, as settle.hpp does for one row: they
// are scored again, and canonical distances go to the centroids within the margin of the best.
template <class T>
struct TileSettler {
    const Kernels& kernels;
    const RowKernels<T>& table;
    Centroids centroids;
    std::size_t d;
    const TilePanels& panels;
    Centering<T> centering;

    // Rows with more candidates meet all centroids.
    static constexpr std::size_t kMost = 32;

    // What a thread needs for so many rows: the caller fills rows and limit, best + margin.
    struct Scratch {
        std::vector<std::int32_t> rows;
        std::vector<float> limit, norms, rests;
        Aligned<std::uint16_t> tiles;
        std::vector<std::int32_t> list, count, all;
        std::vector<Match<std::uint32_t>> pairs;
        std::vector<double> sq_dist;

        Scratch(const TileSettler& s, std::size_t n_rows);
    };

    // New labels, in t.count, of the n rows of X that t.rows names.
    void label(const T* X, std::size_t n, Scratch& t) const;
};

}  // namespace truemeans
