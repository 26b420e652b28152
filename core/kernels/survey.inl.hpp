// The survey of the rows: least and largest value and finest bit of each feature.
#pragma once

#include <cstring>
#include <limits>

#include "kernels.hpp"
#include "vocabulary.hpp"

namespace {

constexpr size_t kNarrowRow = 32;  // rows of fewer features are looked at eight at a time

template <class T>
struct BitsOf;
template <>
struct BitsOf<float> {
    using type = uint32_t;
};
template <>
struct BitsOf<double> {
    using type = uint64_t;
};

// Clearing the lowest set bit of the representation changes v by its finest bit when the
// fraction is not zero, and by at least v / 2 when v is a power of two.
template <class T>
inline T finest_bit(T v) {
    typename BitsOf<T>::type bits;
    std::memcpy(&bits, &v, sizeof v);
    bits &= bits - 1;
    T cleared;
    std::memcpy(&cleared, &bits, sizeof v);
    const T change = v - cleared;
    const T size = change < 0 ? -change : change;
    return v == 0 ? std::numeric_limits<T>::infinity() : size;
}

// `width` consecutive entries a step; poison turns NaN where an entry is not finite. ahead: where
// it goes on soon.
template <class T>
inline void widen(const T* x, const T* ahead, size_t width, T* low, T* high, T* finest,
                  T* poison) {
    for (size_t e = 0; e < width; e += 64 / sizeof(T)) __builtin_prefetch(ahead + e);
    for (size_t e = 0; e < width; ++e) {
        const T v = x[e];
        const T bit = finest_bit(v);
        low[e] = v < low[e] ? v : low[e];
        high[e] = high[e] < v ? v : high[e];
        finest[e] = bit < finest[e] ? bit : finest[e];
        poison[e] += v - v;
    }
}

template <class T>
bool any_nan(const T* poison, size_t width) {
    bool bad = false;
    for (size_t e = 0; e < width; ++e) bad |= poison[e] != poison[e];
    return bad;
}

template <class T>
size_t survey(const T* X, size_t n_rows, size_t d, truemeans::Extent<T> out) {
    constexpr size_t kWidth = 8 * kNarrowRow;
    T low[kWidth], high[kWidth], finest[kWidth], poison[kWidth];
    // Narrow rows: eight rows are one wide row. Wide rows: a strip of features at a time.
    const size_t rows = d < kNarrowRow ? 8 : 1;
    const size_t strip = d < kNarrowRow ? d : kWidth;
    // A strip goes on in the next rows.
    const size_t ahead = strip < d ? 2 * d : kFetchBytes / sizeof(T);
    bool bad = false;
    for (size_t first = 0; first < d; first += strip) {
        const size_t features = d - first < strip ? d - first : strip;
        const size_t width = features * rows;
        for (size_t e = 0; e < width; ++e) {
            low[e] = out.low[first + e % features];
            high[e] = out.high[first + e % features];
            finest[e] = out.finest[first + e % features];
            poison[e] = 0;
        }
        size_t i = 0;
        for (; i + rows <= n_rows; i += rows)
            widen(X + i * d + first, X + i * d + first + ahead, width, low, high, finest, poison);
        for (; i < n_rows; ++i)
            widen(X + i * d + first, X + i * d + first, features, low, high, finest, poison);
        for (size_t e = 0; e < width; ++e) {
            const size_t f = first + e % features;
            out.low[f] = low[e] < out.low[f] ? low[e] : out.low[f];
            out.high[f] = out.high[f] < high[e] ? high[e] : out.high[f];
            out.finest[f] = finest[e] < out.finest[f] ? finest[e] : out.finest[f];
        }
        bad |= any_nan(poison, width);
    }
    if (bad)
        for (size_t e = 0; e < n_rows * d; ++e)
            if (!(X[e] - X[e] == 0)) return e;
    return n_rows * d;
}

}  // namespace
