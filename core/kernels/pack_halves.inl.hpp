// Rows brought to bfloat16 halves around a middle, in tiles for the matrix unit; tiles_amx.cpp says
// how they are laid out, and what halving may leave out.
#pragma once

#include <immintrin.h>

#include "kernels.hpp"
#include "transpose.inl.hpp"
#include "vocabulary.hpp"

namespace {

using truemeans::Halves;

constexpr size_t kSide = truemeans::kTileSide;
constexpr size_t kDeep = 32;             // features of one tile
constexpr size_t kTile = kSide * kDeep;  // entries of one tile
constexpr size_t kNarrow = truemeans::kNarrowTile;

// The first `width` of 16 values, centred, scaled and rounded to float32; zeros beyond.
inline VecF centred(const float* x, const float* center, float scale, __mmask16 width) {
    const __m512 v = _mm512_maskz_loadu_ps(width, x);
    const __m512 c = _mm512_maskz_loadu_ps(width, center);
    return (VecF(v) - VecF(c)) * scale;
}

inline VecF centred(const double* x, const double* center, double scale, __mmask16 width) {
    Vec8F half[2];
    for (size_t h = 0; h < 2; ++h) {
        const auto m = static_cast<__mmask8>(width >> (8 * h));
        const __m512d v = _mm512_maskz_loadu_pd(m, x + 8 * h);
        const __m512d c = _mm512_maskz_loadu_pd(m, center + 8 * h);
        half[h] = __builtin_convertvector((Vec8(v) - Vec8(c)) * scale, Vec8F);
    }
    return __builtin_shufflevector(half[0], half[1], 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
                                   14, 15);
}

inline __mmask16 first_lanes(size_t n) {
    return static_cast<__mmask16>(n >= 16 ? 0xffffu : (1u << n) - 1u);
}

typedef uint16_t Halves16 __attribute__((vector_size(32)));

// The first bfloat16 halves of 32 values, in order, and what they leave out.
inline void halve(VecF first, VecF last, VecF& hi, VecF& rest0, VecF& rest1) {
    const auto both = _mm512_cvtne2ps_pbh(__m512(last), __m512(first));
    Halves16 halves[2];
    __builtin_memcpy(halves, &both, sizeof halves);
    hi = VecF(both);
    rest0 = first - VecF(__builtin_convertvector(halves[0], VecI) << 16);
    rest1 = last - VecF(__builtin_convertvector(halves[1], VecI) << 16);
}

inline void store_tile(uint16_t* tile, const VecF (&lines)[kLanes]) {
    for (size_t i = 0; i < kSide; ++i)
        _mm512_storeu_si512(tile + i * kDeep, __m512i(lines[i]));
}

// 16 rows, or the n there are, while the next ones are fetched. norms (out): squared norm of each
// packed row; rests (out): of what its first halves leave out.
template <bool kBoth, class T>
inline void pack_side(const T* const (&rows)[kSide], const T* const (&next)[kSide], size_t n,
                      size_t d, truemeans::Centering<T> c, uint16_t* tiles, float* norms,
                      float* rests) {
    VecF squares[kLanes], left_out[kLanes];
    for (size_t r = 0; r < kSide; ++r) squares[r] = left_out[r] = VecF{};
    for (size_t f = 0; f < d; f += kDeep) {
        const size_t left = d - f;
        const __mmask16 m0 = first_lanes(left), m1 = first_lanes(left > 16 ? left - 16 : 0);
        // An empty half is read where the row is: nothing of it is loaded.
        const size_t second = left > 16 ? 16 : 0;
        VecF hi[kLanes], lo[kLanes];
        for (size_t r = 0; r < kSide; ++r) {
            hi[r] = lo[r] = VecF{};
            if (r >= n) continue;
            const T* x = rows[r] + f;
            fetch<kDeep>(next[r] + f);
            const VecF v0 = centred(x, c.center + f, c.scale, m0);
            const VecF v1 = centred(x + second, c.center + f + second, c.scale, m1);
            squares[r] += v0 * v0;
            squares[r] += v1 * v1;
            VecF rest0, rest1;
            halve(v0, v1, hi[r], rest0, rest1);
            if (kBoth) {
                lo[r] = VecF(_mm512_cvtne2ps_pbh(__m512(rest1), __m512(rest0)));
            } else {
                left_out[r] += rest0 * rest0;
                left_out[r] += rest1 * rest1;
            }
        }
        transpose(hi);
        store_tile(tiles, hi);
        tiles += kTile;
        if (kBoth) {
            transpose(lo);
            store_tile(tiles, lo);
            tiles += kTile;
        }
    }
    store(norms, line_sums(squares));
    if (!kBoth) store(rests, line_sums(left_out));
}

// v cut to its upper 16 bits, rounded: its first half.
inline VecI first_half(VecF v) {
    return (VecI(v) + 0x8000) & static_cast<int32_t>(0xffff0000u);
}

// A line of a tile: the upper halves of two features of 16 rows, next to each other.
inline VecI paired(VecI first, VecI second) {
    typedef uint32_t Bits __attribute__((vector_size(64)));
    return VecI(Bits(first) >> 16) | second;
}

// The same for up to 16 features, turned before they are halved: a vector is one feature of all
// rows.
template <bool kAll, class T>
inline void pack_narrow_side(const T* const (&rows)[kSide], size_t n, size_t d,
                             truemeans::Centering<T> c, uint16_t* tile, float* norms) {
    const __mmask16 width = first_lanes(d);
    VecF v[kLanes];
    for (size_t r = 0; r < kSide; ++r)
        v[r] = r < n ? centred(rows[r], c.center, c.scale, width) : VecF{};
    transpose(v);
    VecF squares{};
    VecI line[kDeep] = {};
    const size_t second = kAll ? d : kNarrow;
    for (size_t f = 0; f < (kAll ? d : kNarrow); ++f) {
        squares += v[f] * v[f];
        line[f] = first_half(v[f]);
        line[second + f] = first_half(v[f] - VecF(line[f]));
        if (kAll) line[2 * d + f] = line[f];
    }
    if (kAll) line[3 * d] = line[3 * d + 1] = VecI(broadcast(1.0f));
    for (size_t i = 0; i < kSide; ++i)
        _mm512_storeu_si512(tile + i * kDeep, __m512i(paired(line[2 * i], line[2 * i + 1])));
    store(norms, squares);
}

}  // namespace
