// Rows brought to whole numbers of 8 bits around a middle, in tiles for the matrix unit: the
// largest value of a row becomes 127. tiles_amx.cpp says how they are laid out, and what they
// leave out.
#pragma once

#include <immintrin.h>

#include "pack_halves.inl.hpp"
#include "two_nearest.inl.hpp"

namespace {

constexpr size_t kByteDeep = 64;  // features of one tile

// Smaller rows are left out whole: the reciprocal of such a factor is no number.
constexpr float kLeastTop = 0x1p-100f;

// 16 values from feature f on, centred and scaled; zeros beyond d.
template <class T>
inline VecF centred_at(const T* x, size_t f, size_t d, truemeans::Centering<T> c) {
    if (f + kLanes <= d) return centred(x + f, c.center + f, c.scale, 0xffff);
    const size_t from = f < d ? f : 0;  // an empty vector is read where the row is
    return centred(x + from, c.center + from, c.scale, first_lanes(f < d ? d - f : 0));
}

// 64 features of a row from f on: byte q of number i is feature f + 16 q + i. squares and left_out
// grow by the squares of the values and of what bytes leave out.
template <class T>
inline VecI to_bytes(const T* x, size_t f, size_t d, truemeans::Centering<T> c, float factor,
                     float inverse, VecF& squares, VecF& left_out) {
    constexpr float kMagic = 0x1.8p23f;  // leaves whole numbers in the lowest bits
    VecI bytes{};
    for (int32_t q = 0; q < 4; ++q) {
        const VecF v = centred_at(x, f + static_cast<size_t>(q) * kLanes, d, c);
        const VecF lifted = v * inverse + kMagic;
        // Rounded once, so that it errs relative to itself.
        const VecF rest = VecF(_mm512_fnmadd_ps(__m512(lifted - kMagic),
                                                __m512(broadcast(factor)), __m512(v)));
        squares += v * v;
        left_out += rest * rest;
        bytes |= (VecI(lifted) & 0xff) << (8 * q);
    }
    return bytes;
}

// 16 rows, or the n there are, while the next ones are fetched: their tiles, then their factors.
template <class T>
void pack_byte_side(const T* const (&rows)[kSide], const T* const (&next)[kSide], size_t n,
                    size_t d, truemeans::Centering<T> c, uint16_t* tiles, float* norms,
                    float* rests) {
    float factors[kSide] = {}, inverses[kSide] = {};
    for (size_t r = 0; r < n; ++r) {
        VecF most{};
        for (size_t f = 0; f < d; f += kLanes) {
            const VecF v = centred_at(rows[r], f, d, c);
            most = vmax(most, vmax(v, -v));
        }
        float top = 0.0f;
        for (size_t lane = 0; lane < kLanes; ++lane) top = most[lane] > top ? most[lane] : top;
        if (!(top > kLeastTop)) continue;
        factors[r] = top / 127.0f;
        inverses[r] = 127.0f / top;
    }
    VecF squares[kLanes], left_out[kLanes];
    for (size_t r = 0; r < kSide; ++r) squares[r] = left_out[r] = VecF{};
    for (size_t f = 0; f < d; f += kByteDeep, tiles += kTile) {
        VecF line[kLanes];
        for (size_t r = 0; r < kSide; ++r) {
            line[r] = VecF{};
            if (r >= n) continue;
            fetch<kByteDeep>(next[r] + f);
            line[r] = VecF(to_bytes(rows[r], f, d, c, factors[r], inverses[r], squares[r],
                                    left_out[r]));
        }
        transpose(line);
        store_tile(tiles, line);
    }
    __builtin_memcpy(tiles, factors, sizeof factors);
    store(norms, line_sums(squares));
    store(rests, line_sums(left_out));
}

inline float sum_of(VecF v) {
    float sum = 0.0f;
    for (size_t lane = 0; lane < kLanes; ++lane) sum += v[lane];
    return sum;
}

float largest(const float* v, size_t n) {
    VecF most{};
    size_t i = 0;
    for (; i + kLanes <= n; i += kLanes) most = vmax(most, vmax(load(v + i), -load(v + i)));
    float top = 0.0f;
    for (size_t lane = 0; lane < kLanes; ++lane) top = __builtin_fmaxf(top, most[lane]);
    for (; i < n; ++i) top = __builtin_fmaxf(top, __builtin_fabsf(v[i]));
    return top;
}

// A centroid, or what it moved by, as it is.
void pack_line(const float* v, size_t d, const float* zeros, float unit, uint16_t* out,
               size_t step, float* sq_norm, float* left_out) {
    const truemeans::Centering<float> as_is{zeros, 1.0f};
    VecF squares{}, rest{};
    for (size_t f = 0; f < d; f += kByteDeep, out += step) {
        const VecI bytes = to_bytes(v, f, d, as_is, unit, 1.0f / unit, squares, rest);
        _mm512_storeu_si512(out, __m512i(bytes));
    }
    *sq_norm = sum_of(squares);
    *left_out = sum_of(rest);
}

}  // namespace
