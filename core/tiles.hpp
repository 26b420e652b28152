// The centroids of one pass, laid out for a matrix unit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "aligned.hpp"
#include "panels.hpp"

namespace truemeans {

struct TilePanels {
    Aligned<std::uint16_t> packed;  // see kernels/tiles_amx.cpp
    std::vector<float> sq_norms;
    std::size_t n_panels = 0;
    Margin margin{0.0f, 0.0f};

    TilePanels() = default;
    // packed: (k, d) of -2 b, and the squared norms of b; sq_norm_top: the largest. tile_rows:
    // centroids per panel.
    TilePanels(const std::vector<float>& packed, const std::vector<float>& sq_norms,
               double sq_norm_top, std::size_t d, std::size_t tile_rows);
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
        std::vector<float> limit, norms;
        Aligned<std::uint16_t> tiles;
        std::vector<std::int32_t> list, count, all;

        Scratch(const TileSettler& s, std::size_t n_rows);
    };

    // New labels, in t.count, of the n rows of X that t.rows names.
    void label(const T* X, std::size_t n, Scratch& t) const;
};

}  // namespace truemeans
