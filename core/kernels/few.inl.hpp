// Scores, lanes = features: few centroids and many features, where packing rows takes as long as
// scoring them.
#pragma once

#include "kernels.hpp"
#include "pack.inl.hpp"
#include "transpose.inl.hpp"
#include "vocabulary.hpp"

namespace {

// A square of line_sums: so many rows with four sums each.
constexpr size_t kFewSums = 4;
constexpr size_t kFewRows = kLanes / kFewSums;

template <class T>
inline VecF center_lanes(const T* x, const T* center, T scale) {
    float a[kLanes];
    for (size_t i = 0; i < kLanes; ++i) a[i] = center_one(x[i], center[i], scale);
    return load(a);
}

// Zero in the first n lanes, one in the others.
inline VecF after(size_t n) {
    float one[kLanes];
    for (size_t i = 0; i < kLanes; ++i) one[i] = i < n ? 0.0f : 1.0f;
    return load(one);
}

// Products of kFewRows rows with themselves, where asked for, and with M centroids. sums (out):
// [product][row], kLanes of them. From 64 features on a term passes fewer roundings than when it
// is added to the others one by one.
template <bool kSquares, size_t M, class T>
inline void meet_few(const T* const* x, size_t d, truemeans::Centering<T> c,
                     const float* centroids, float* sums) {
    VecF square[kLanes];
    for (VecF& one : square) one = VecF{};
    const auto add = [&](size_t f, VecF counts) {
        VecF b[M];
        for (size_t m = 0; m < M; ++m) b[m] = load(centroids + m * d + f);
#pragma GCC unroll 4
        for (size_t r = 0; r < kFewRows; ++r) {
            if constexpr (kSquares) fetch<kLanes>(x[r] + f + kFewRows * d);
            const VecF a = center_lanes(x[r] + f, c.center + f, c.scale) * counts;
            if constexpr (kSquares) square[r] += a * a;
            for (size_t m = 0; m < M; ++m) square[(kSquares + m) * kFewRows + r] += a * b[m];
        }
    };
    size_t f = 0;
    for (; f + kLanes <= d; f += kLanes) add(f, broadcast(1.0f));
    // The rest in the last lanes, beside features that count no more.
    if (f < d) add(d - kLanes, after(kLanes - (d - f)));
    store(sums, line_sums(square));
}

// sums (out): [1 + centroid][row], from the squared norm of each row on.
template <class T>
inline void meet_few(const T* const* x, size_t d, truemeans::Centering<T> c,
                     const float* centroids, size_t k, float* sums) {
    (k == 2 ? meet_few<true, 2, T> : meet_few<true, 3, T>)(x, d, c, centroids, sums);
    for (size_t j = 3; j < k; j += kFewSums) {
        const auto meet = k - j == 1   ? meet_few<false, 1, T>
                          : k - j == 2 ? meet_few<false, 2, T>
                          : k - j == 3 ? meet_few<false, 3, T>
                                       : meet_few<false, 4, T>;
        meet(x, d, c, centroids + j * d, sums + (1 + j) * kFewRows);
    }
}

template <class T>
void score_few(const T* X, const int32_t* list, size_t n_rows, size_t d,
               truemeans::Centering<T> c, const float* centroids, const float* sq_norms, size_t k,
               float* norms, truemeans::TwoNearest out) {
    // Rows are the first lanes of four; what the others hold is not used.
    const auto four = [](const float* p) { return Vec4F(*reinterpret_cast<const Vec4FLoose*>(p)); };
    float sums[(1 + truemeans::kFewCentroids) * kFewRows + kLanes] = {};
    for (size_t first = 0; first < n_rows; first += kFewRows) {
        const T* x[kFewRows];
        for (size_t r = 0; r < kFewRows; ++r) {
            const size_t i = first + r < n_rows ? first + r : n_rows - 1;
            x[r] = X + (list ? static_cast<size_t>(list[i]) : i) * d;
        }
        meet_few(x, d, c, centroids, k, sums);
        Vec4F best = Vec4F{} + truemeans::kFarScore, second = best;
        Vec4I index{};
        for (size_t j = 0; j < k; ++j) {
            const Vec4F s = four(sums + (1 + j) * kFewRows) + sq_norms[j];
            const Vec4F worse = s < best ? best : s;
            second = worse < second ? worse : second;
            index = s < best ? Vec4I{} + static_cast<int32_t>(j) : index;
            best = s < best ? s : best;
        }
        for (size_t r = 0; r < kFewRows && first + r < n_rows; ++r) {
            norms[first + r] = sums[r];
            out.best[first + r] = best[r];
            out.second[first + r] = second[r];
            out.index[first + r] = index[r];
        }
    }
}

}  // namespace
