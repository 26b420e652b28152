// Scores, lanes = features: two or three centroids and many features, where reading the rows is
// what takes time. With more, adding up the lanes takes longer than turning the scores.
#pragma once

#include "kernels.hpp"
#include "pack.inl.hpp"
#include "vocabulary.hpp"

namespace {

template <class T>
inline VecF center_lanes(const T* x, const T* center, T scale) {
    float a[kLanes];
    for (size_t i = 0; i < kLanes; ++i) a[i] = center_one(x[i], center[i], scale);
    return load(a);
}

inline float sum_of(VecF v) {
    float lane[kLanes];
    store(lane, v);
    for (size_t width = kLanes / 2; width > 0; width /= 2)
        for (size_t i = 0; i < width; ++i) lane[i] += lane[i + width];
    return lane[0];
}

// The scores of one row with M centroids; returns its squared norm. From 64 features on a term
// passes fewer roundings than when it is added to the others one by one.
template <size_t M, class T>
inline float score_some(const T* x, size_t d, truemeans::Centering<T> c, const float* centroids,
                        const float* sq_norms, float* scores) {
    VecF dots[M] = {};
    VecF squares = {};
    size_t f = 0;
    for (; f + kLanes <= d; f += kLanes) {
        fetch_ahead(x + f);
        const VecF a = center_lanes(x + f, c.center + f, c.scale);
        squares += a * a;
        for (size_t m = 0; m < M; ++m) dots[m] += a * load(centroids + m * d + f);
    }
    float norm = sum_of(squares);
    for (size_t m = 0; m < M; ++m) scores[m] = sum_of(dots[m]);
    for (; f < d; ++f) {
        const float a = center_one(x[f], c.center[f], c.scale);
        norm += a * a;
        for (size_t m = 0; m < M; ++m) scores[m] += a * centroids[m * d + f];
    }
    for (size_t m = 0; m < M; ++m) scores[m] += sq_norms[m];
    return norm;
}

template <class T>
void score_few(const T* X, const int32_t* list, size_t n_rows, size_t d,
               truemeans::Centering<T> c, const float* centroids, const float* sq_norms, size_t k,
               float* norms, truemeans::TwoNearest out) {
    for (size_t i = 0; i < n_rows; ++i) {
        const T* x = X + (list ? static_cast<size_t>(list[i]) : i) * d;
        float scores[truemeans::kFewCentroids];
        norms[i] = k == 2 ? score_some<2>(x, d, c, centroids, sq_norms, scores)
                          : score_some<3>(x, d, c, centroids, sq_norms, scores);
        float best = truemeans::kFarScore, second = truemeans::kFarScore;
        int32_t index = 0;
        for (size_t j = 0; j < k; ++j) {
            const float s = scores[j];
            index = s < best ? static_cast<int32_t>(j) : index;
            second = s < best ? best : s < second ? s : second;
            best = s < best ? s : best;
        }
        out.best[i] = best;
        out.second[i] = second;
        out.index[i] = index;
    }
}

}  // namespace
