// Order-free sums of squared differences, on three grids as in sums.inl.hpp.
#pragma once

#include "errors.inl.hpp"
#include "kernels.hpp"
#include "vocabulary.hpp"

namespace {

// (x - c)^2 w to within 2^-103 of itself, as two addends.
template <bool kFused, bool kWeighted>
inline void add_sq_diff(Vec8 x, Vec8 c, Vec8 w, const Vec8 (&magic)[3], Vec8 (&acc)[3]) {
    const auto error = [](Vec8 a, Vec8 b, Vec8 product) {
        return kFused ? fused_product_error(a, b, product) : product_error(a, b, product);
    };
    const Vec8 e = x - c;
    Vec8 p = e * e;
    Vec8 q = error(e, e, p) + 2.0 * (e * difference_error(x, c, e));
    if constexpr (kWeighted) {
        const Vec8 wp = w * p;
        q = w * q + error(w, p, wp);
        p = wp;
    }
    for (size_t g = 0; g < 3; ++g) {
        const Vec8 t = (p + magic[g]) - magic[g];
        acc[g] += t;
        p -= t;
        if (g > 0) {
            const Vec8 s = (q + magic[g]) - magic[g];
            acc[g] += s;
            q -= s;
        }
    }
}

constexpr size_t kNarrow = 32;  // rows of fewer features are walked eight at a time

template <bool kFused, bool kWeighted, class T>
void sum_sq_diff_rows(const T* X, size_t n_rows, size_t d, const double* weight,
                      const double* centers, const int32_t* labels, const double* magic,
                      double* total) {
    const Vec8 grids[3] = {Vec8{} + magic[0], Vec8{} + magic[1], Vec8{} + magic[2]};
    Vec8 acc[3] = {};
    size_t i = 0;
    if (!kWeighted && !labels && d < kNarrow) {
        double pattern[8 * kNarrow];
        for (size_t e = 0; e < 8 * d; ++e) pattern[e] = centers[e % d];
        for (; i + 8 <= n_rows; i += 8)
            for (size_t e = 0; e < 8 * d; e += 8) {
                fetch_ahead(X + i * d + e);
                add_sq_diff<kFused, false>(load8(X + i * d + e), load8(pattern + e), Vec8{},
                                           grids, acc);
            }
    }
    for (; i < n_rows; ++i) {
        const T* x = X + i * d;
        const double* c = labels ? centers + static_cast<size_t>(labels[i]) * d : centers;
        const Vec8 w = Vec8{} + (kWeighted ? weight[i] : 1.0);
        size_t f = 0;
        for (; f + 8 <= d; f += 8) {
            fetch_ahead(x + f);
            add_sq_diff<kFused, kWeighted>(load8(x + f), load8(c + f), w, grids, acc);
        }
        if (f < d)
            add_sq_diff<kFused, kWeighted>(load_some(x + f, d - f), load_some(c + f, d - f), w,
                                           grids, acc);
    }
    for (size_t g = 0; g < 3; ++g)
        for (size_t lane = 0; lane < 8; ++lane) total[g] += acc[g][lane];
}

template <bool kFused, class T>
void sum_sq_diff_as(const T* X, size_t n_rows, size_t d, const double* weight,
                    const double* centers, const int32_t* labels, const double* magic,
                    double* total) {
    const auto rows =
        weight ? sum_sq_diff_rows<kFused, true, T> : sum_sq_diff_rows<kFused, false, T>;
    rows(X, n_rows, d, weight, centers, labels, magic, total);
}

// Where the last grid is coarser than 2^-960, products below 2^-968 and their errors are rounded
// to zero, so fused errors give the same sums.
constexpr double kFusedFrom = 0x1.8p-908;  // as a magic number: 1.5 * 2^52 * 2^-960

template <class T>
void sum_sq_diff(const T* X, size_t n_rows, size_t d, const double* weight, const double* centers,
                 const int32_t* labels, const double* magic, double* total) {
    const auto rows = magic[2] >= kFusedFrom ? sum_sq_diff_as<true, T> : sum_sq_diff_as<false, T>;
    rows(X, n_rows, d, weight, centers, labels, magic, total);
}

template <class T>
void max_abs_diff(const T* X, size_t n_rows, size_t d, const double* centers,
                  const int32_t* labels, double* top) {
    Vec8 most = Vec8{} + *top;
    for (size_t i = 0; i < n_rows; ++i) {
        const T* x = X + i * d;
        const double* c = labels ? centers + static_cast<size_t>(labels[i]) * d : centers;
        for (size_t f = 0; f < d; f += 8) {
            const size_t n = d - f < 8 ? d - f : 8;
            const Vec8 e = vabs8(load_some(x + f, n) - load_some(c + f, n));
            most = e > most ? e : most;
        }
    }
    for (size_t lane = 0; lane < 8; ++lane) *top = most[lane] > *top ? most[lane] : *top;
}

}  // namespace
