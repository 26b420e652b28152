// Scores of rows with their own centroids, followed from pass to pass: a centroid that moves from b
// to c changes them by ||c||^2 - ||b||^2 + a.m with m = -2c + 2b, and m is so much shorter than the
// centroid that bytes of the row and of m say a.m closely enough, at a quarter of the reading.
//
// Error. With bytes a = s q + r(a) and m = u p + r(m), the product errs by at most
// ||r(a)|| ||m|| + (||a|| + ||r(a)||) ||r(m)|| (Cauchy-Schwarz). The sum of q p is a whole number
// below 2^31; it, its factors, the change of the norms and the new score are rounded 8 times, by
// 2^-24 of (||a|| + ||r(a)||) (||m|| + ||r(m)||), of the change or of the score; so is each
// feature of m. Norms that are passed in are too large by 2^-7 rather than too small, which
// covers the roundings of the bound itself and of adding bounds up.
#pragma once

#include <immintrin.h>

#include "kernels.hpp"
#include "lanes.inl.hpp"
#include "pack_bytes.inl.hpp"

namespace {

// Sums of products of 16 rows' bytes with those of a line of its own each.
inline VecI own_products(const uint16_t* tiles, size_t n_tiles, const uint16_t* lines,
                         const int32_t* offsets, const int32_t* labels) {
    const __m512i flip = _mm512_set1_epi8(static_cast<char>(0x80));
    VecI sums[kLanes];
    const uint16_t* line[kSide];
    for (size_t r = 0; r < kSide; ++r) {
        sums[r] = VecI{};
        line[r] = lines + static_cast<size_t>(labels[r]) * n_tiles * kDeep;
    }
    for (size_t t = 0; t < n_tiles; ++t) {
        VecF square[kLanes];
        for (size_t i = 0; i < kSide; ++i)
            square[i] = VecF(_mm512_loadu_si512(tiles + t * kTile + i * kDeep));
        transpose(square);
        for (size_t r = 0; r < kSide; ++r) {
            // The instruction takes bytes from 0 to 255 with signed ones: 128 more than there are.
            const __m512i row = _mm512_xor_si512(__m512i(square[r]), flip);
            sums[r] = VecI(_mm512_dpbusd_epi32(__m512i(sums[r]), row,
                                               _mm512_loadu_si512(line[r] + t * kDeep)));
        }
    }
    return line_sums(sums) - gather(offsets, load(labels));
}

void follow_scores(const uint16_t* rows, size_t n_rows, size_t d, truemeans::CentroidMoves moves,
                   const int32_t* labels, const float* norms, const float* rests, float* own,
                   float* doubt) {
    const size_t n_tiles = (d + kByteDeep - 1) / kByteDeep;
    const size_t side = kSide * truemeans::tile_row_entries(Halves::bytes, d);
    for (size_t first = 0; first < n_rows; first += kSide, rows += side) {
        const size_t n = n_rows - first < kSide ? n_rows - first : kSide;
        int32_t label[kSide] = {};
        for (size_t r = 0; r < n; ++r) label[r] = labels[first + r];
        const VecI at = load(label);
        const VecI products = own_products(rows, n_tiles, moves.bytes, moves.offsets, label);
        VecF factors;
        __builtin_memcpy(&factors, rows + n_tiles * kTile, sizeof factors);
        const VecF change = gather(moves.norm_changes, at);
        const VecF score = load(own + first) +
                           (__builtin_convertvector(products, VecF) *
                                (factors * gather(moves.units, at)) +
                            change);
        const VecF a = root(load(norms + first)), left = root(load(rests + first));
        const VecF length = gather(moves.lengths, at), rest = gather(moves.rests, at);
        constexpr float kRounded = 0x1p-20f;
        const VecF error = left * length + (a + left) * rest +
                           kRounded * ((a + left) * (length + rest) + vmax(change, -change) +
                                       vmax(score, -score));
        store(own + first, score);
        store(doubt + first, load(doubt + first) + error);
    }
}

}  // namespace
