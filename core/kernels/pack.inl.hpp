// Packing: rows brought to float32 around a common center, laid out for the scores.
#pragma once

#include "kernels.hpp"
#include "vocabulary.hpp"

namespace {

#if TM_VECTOR_BYTES == 64
constexpr size_t kSampleVectors = 4;
#else
constexpr size_t kSampleVectors = 2;
#endif
constexpr size_t kSampleLanes = kSampleVectors * kLanes;

template <class T>
inline float center_one(T x, T center, T scale) {
    return static_cast<float>((x - center) * scale);
}

// Four features of a row. From float32 in one vector: four numbers stored one by one and then read
// as one wait for the stores.
inline Vec4F center_four(const float* x, const float* center, float scale) {
    const Vec4F v = *reinterpret_cast<const Vec4FLoose*>(x);
    return (v - *reinterpret_cast<const Vec4FLoose*>(center)) * scale;
}
inline Vec4F center_four(const double* x, const double* center, double scale) {
    return Vec4F{center_one(x[0], center[0], scale), center_one(x[1], center[1], scale),
                 center_one(x[2], center[2], scale), center_one(x[3], center[3], scale)};
}

// Four rows by four features at a time, so that the transposition is shuffles, not scalar stores.
inline void store_turned(const Vec4F (&rows)[4], float* cols, size_t stride) {
    const Vec4F p = __builtin_shufflevector(rows[0], rows[1], 0, 4, 1, 5);
    const Vec4F q = __builtin_shufflevector(rows[2], rows[3], 0, 4, 1, 5);
    const Vec4F s = __builtin_shufflevector(rows[0], rows[1], 2, 6, 3, 7);
    const Vec4F t = __builtin_shufflevector(rows[2], rows[3], 2, 6, 3, 7);
    *reinterpret_cast<Vec4FLoose*>(cols) = __builtin_shufflevector(p, q, 0, 1, 4, 5);
    *reinterpret_cast<Vec4FLoose*>(cols + stride) = __builtin_shufflevector(p, q, 2, 3, 6, 7);
    *reinterpret_cast<Vec4FLoose*>(cols + 2 * stride) = __builtin_shufflevector(s, t, 0, 1, 4, 5);
    *reinterpret_cast<Vec4FLoose*>(cols + 3 * stride) = __builtin_shufflevector(s, t, 2, 3, 6, 7);
}

// The columns of four rows; the last four features once more where d is no multiple of four.
template <class T>
inline void pack_four(const T* const (&x)[4], size_t d, truemeans::Centering<T> c, float* cols) {
    for (size_t from = 0; d >= 4 && from < d; from += 4) {
        const size_t f = from + 4 <= d ? from : d - 4;
        Vec4F rows[4];
        for (size_t r = 0; r < 4; ++r) rows[r] = center_four(x[r] + f, c.center + f, c.scale);
        store_turned(rows, cols + f * kSampleLanes, kSampleLanes);
    }
    for (size_t f = 0; d < 4 && f < d; ++f)
        for (size_t r = 0; r < 4; ++r)
            cols[f * kSampleLanes + r] = center_one(x[r][f], c.center[f], c.scale);
}

template <class T>
void pack_samples(const T* X, const int32_t* list, size_t n_rows, size_t d,
                  truemeans::Centering<T> c, float* cols, float* norms) {
    const auto row = [&](size_t i) { return X + (list ? static_cast<size_t>(list[i]) : i) * d; };
    for (size_t first = 0; first < n_rows; first += kSampleLanes) {
        const size_t n = n_rows - first < kSampleLanes ? n_rows - first : kSampleLanes;
        float* col = cols + first * d;
        size_t i = 0;
        for (; i + 4 <= n; i += 4) {
            const T* x[4];
            for (size_t r = 0; r < 4; ++r) x[r] = row(first + i + r);
            fetch_rows_ahead(x[0], 4 * d);
            pack_four(x, d, c, col + i);
        }
        for (; i < n; ++i)
            for (size_t f = 0; f < d; ++f)
                col[f * kSampleLanes + i] =
                    center_one(row(first + i)[f], c.center[f], c.scale);
        for (; i < kSampleLanes; ++i)
            for (size_t f = 0; f < d; ++f) col[f * kSampleLanes + i] = 0.0f;
        for (size_t v = 0; v < kSampleVectors; ++v) {
            VecF sum{};
            for (size_t f = 0; f < d; ++f) {
                const VecF a = load(col + f * kSampleLanes + v * kLanes);
                sum += a * a;
            }
            store(norms + first + v * kLanes, sum);
        }
    }
}

template <class T>
void pack_rows(const T* X, const int32_t* list, size_t n_rows, size_t d,
               truemeans::Centering<T> c, float* rows, float* norms) {
    for (size_t i = 0; i < n_rows; ++i) {
        const T* x = X + (list ? static_cast<size_t>(list[i]) : i) * d;
        float* row = rows + i * d;
        fetch_rows_ahead(x, d);
        for (size_t f = 0; f < d; ++f) row[f] = center_one(x[f], c.center[f], c.scale);
        VecF sum{};
        size_t f = 0;
        for (; f + kLanes <= d; f += kLanes) {
            const VecF a = load(row + f);
            sum += a * a;
        }
        float total = 0.0f;
        for (size_t lane = 0; lane < kLanes; ++lane) total += sum[lane];
        for (; f < d; ++f) total += row[f] * row[f];
        norms[i] = total;
    }
}

}  // namespace
