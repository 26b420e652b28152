// Canonical distances: what a label means. Both sides are taken to float64 (exact for float32),
// and the squared differences are summed over the features from first to last in one float64
// accumulator, each operation rounded to nearest, nothing fused:
//     sum = 0;  for f in 0 .. n_features - 1:  e = x_f - c_f;  sum = sum + e * e
// Lanes run over centroids or rows, never over features, so every target and every blocking
// computes this one sequence. Ties go to the lowest centroid index.
#pragma once

#include "kernels.hpp"
#include "vocabulary.hpp"

namespace {

template <size_t P, class T>
inline void offer_panels(const T* x, size_t d, const double* panels, size_t first, Vec8& best,
                         Mask8& index) {
    Vec8 acc[P] = {};
    for (size_t f = 0; f < d; ++f) {
        const double v = static_cast<double>(x[f]);
        for (size_t p = 0; p < P; ++p) {
            const Vec8 e = v - load8(panels + (p * d + f) * 8);
            acc[p] += e * e;
        }
    }
    const Mask8 lane = {0, 1, 2, 3, 4, 5, 6, 7};
    for (size_t p = 0; p < P; ++p) {
        const Mask8 closer = acc[p] < best;
        index = closer ? lane + static_cast<int64_t>(first + p * 8) : index;
        best = closer ? acc[p] : best;
    }
}

template <class T>
int32_t nearest(const T* x, size_t d, const double* panels, size_t k) {
    const size_t n_panels = (k + 7) / 8;
    Vec8 best = Vec8{} + __builtin_inf();
    Mask8 index = {};
    size_t p = 0;
    for (; p + 4 <= n_panels; p += 4)
        offer_panels<4>(x, d, panels + p * d * 8, p * 8, best, index);
    for (; p < n_panels; ++p) offer_panels<1>(x, d, panels + p * d * 8, p * 8, best, index);
    size_t winner = 0;
    for (size_t lane = 1; lane < 8; ++lane)
        if (best[lane] < best[winner] ||
            (best[lane] == best[winner] && index[lane] < index[winner]))
            winner = lane;
    return static_cast<int32_t>(index[winner]);
}

template <class T>
int32_t nearest_of(const T* x, size_t d, const double* centroids, const int32_t* list, size_t m) {
    double best = __builtin_inf();
    int32_t winner = list[0];
    for (size_t first = 0; first < m; first += 8) {
        const double* c[8];
        double sum[8] = {};
        for (size_t i = 0; i < 8; ++i) {
            const size_t at = first + i < m ? first + i : m - 1;
            c[i] = centroids + static_cast<size_t>(list[at]) * d;
        }
        for (size_t f = 0; f < d; ++f) {
            const double v = static_cast<double>(x[f]);
            for (size_t i = 0; i < 8; ++i) {
                const double e = v - c[i][f];
                sum[i] += e * e;
            }
        }
        for (size_t i = 0; i < 8 && first + i < m; ++i) {
            const int32_t j = list[first + i];
            if (sum[i] < best || (sum[i] == best && j < winner)) {
                best = sum[i];
                winner = j;
            }
        }
    }
    return winner;
}

template <size_t R, class T>
inline void sq_dist_rows(const T* x, size_t d, const double* panels, size_t k, double* out) {
    for (size_t j = 0; j < k; j += 8) {
        const double* panel = panels + j * d;
        Vec8 acc[R] = {};
        for (size_t f = 0; f < d; ++f) {
            const Vec8 c = load8(panel + f * 8);
            for (size_t r = 0; r < R; ++r) {
                const Vec8 e = static_cast<double>(x[r * d + f]) - c;
                acc[r] += e * e;
            }
        }
        const size_t n = k - j < 8 ? k - j : 8;
        for (size_t r = 0; r < R; ++r) {
            if (n == 8) {
                store8(out + r * k + j, acc[r]);
            } else {
                for (size_t lane = 0; lane < n; ++lane) out[r * k + j + lane] = acc[r][lane];
            }
        }
    }
}

template <class T>
void sq_dist(const T* X, size_t n_rows, size_t d, const double* panels, size_t k, double* out) {
    size_t i = 0;
    for (; i + 4 <= n_rows; i += 4) sq_dist_rows<4>(X + i * d, d, panels, k, out + i * k);
    for (; i < n_rows; ++i) sq_dist_rows<1>(X + i * d, d, panels, k, out + i * k);
}

// Eight doubles of each of two vectors, interleaved: the lower halves, and the upper halves.
inline Vec8 interleave_low8(Vec8 a, Vec8 b) {
    return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}
inline Vec8 interleave_high8(Vec8 a, Vec8 b) {
    return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}

// Eight pairs of a row and a centroid: squares of eight features of each, turned so that lanes
// are pairs and every pair's sum still runs from first feature to last.
template <class T>
inline void eight_sq_dist(const T* const (&x)[8], const double* const (&c)[8], size_t d,
                          double (&out)[8]) {
    Vec8 sum = {};
    size_t f = 0;
    for (; f + 8 <= d; f += 8) {
        Vec8 square[8];
        for (size_t i = 0; i < 8; ++i) {
            const Vec8 e = load8(x[i] + f) - load8(c[i] + f);
            square[i] = e * e;
        }
        for (size_t round = 1; round < 8; round *= 2) {
            Vec8 next[8];
            for (size_t i = 0; i < 4; ++i) {
                next[2 * i] = interleave_low8(square[i], square[i + 4]);
                next[2 * i + 1] = interleave_high8(square[i], square[i + 4]);
            }
            for (size_t i = 0; i < 8; ++i) square[i] = next[i];
        }
        for (size_t i = 0; i < 8; ++i) sum += square[i];
    }
    store8(out, sum);
    for (; f < d; ++f)
        for (size_t i = 0; i < 8; ++i) {
            const double e = static_cast<double>(x[i][f]) - c[i][f];
            out[i] += e * e;
        }
}

// n of them: which(i, x, c) names number i.
template <class T, class Which>
inline void many_sq_dist(size_t n, size_t d, const Which& which, double* out) {
    for (size_t first = 0; first < n; first += 8) {
        const T* x[8];
        const double* c[8];
        for (size_t i = 0; i < 8; ++i) which(first + i < n ? first + i : n - 1, x[i], c[i]);
        double one[8];
        eight_sq_dist(x, c, d, one);
        for (size_t i = 0; i < 8 && first + i < n; ++i) out[first + i] = one[i];
    }
}

template <class T>
void own_sq_dist(const T* X, size_t n_rows, size_t d, const double* centroids,
                 const int32_t* labels, double* out) {
    many_sq_dist<T>(n_rows, d, [&](size_t i, const T*& x, const double*& c) {
        x = X + i * d;
        c = labels ? centroids + static_cast<size_t>(labels[i]) * d : centroids;
    }, out);
}

template <class T, class Index>
void pair_sq_dist(const T* X, size_t d, const double* centroids,
                  const truemeans::Match<Index>* pairs, size_t n_pairs, double* out) {
    many_sq_dist<T>(n_pairs, d, [&](size_t i, const T*& x, const double*& c) {
        x = X + pairs[i].row * d;
        c = centroids + pairs[i].centroid * d;
    }, out);
}

double box_sq_dist(const double* low, const double* high, size_t d, const double* panels,
                   size_t k, double* near) {
    const auto larger = [](Vec8 a, Vec8 b) { return a < b ? b : a; };
    Vec8 reach = Vec8{} + __builtin_inf();
    for (size_t j = 0; j < k; j += 8) {
        const double* panel = panels + j * d;
        Vec8 least = {}, most = {};
        for (size_t f = 0; f < d; ++f) {
            const Vec8 c = load8(panel + f * 8);
            const Vec8 below = low[f] - c;
            const Vec8 above = c - high[f];
            const Vec8 outside = larger(larger(below, above), Vec8{});
            const Vec8 across = larger(-below, -above);
            least += outside * outside;
            most += across * across;
        }
        store8(near + j, least);
        reach = most < reach ? most : reach;  // lanes beyond k repeat the last centroid
    }
    double one = reach[0];
    for (size_t lane = 1; lane < 8; ++lane) one = reach[lane] < one ? reach[lane] : one;
    return one;
}

inline uint64_t mix64(uint64_t z) {
    // The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

// The factor of feature f, in [1, 2): fixed, and without pattern, so that different rows seldom
// share a key.
inline double key_factor(uint64_t f) {
    return 1.0 + static_cast<double>(mix64((f + 1) * 0x9e3779b97f4a7c15ULL) >> 12) * 0x1p-52;
}

// Lanes are rows; so many features at a time.
template <class T>
void row_keys(const T* X, size_t n_rows, size_t d, double* keys) {
    constexpr size_t kFeatures = 64;
    for (size_t f0 = 0; f0 < d; f0 += kFeatures) {
        const size_t width = d - f0 < kFeatures ? d - f0 : kFeatures;
        double factor[kFeatures];
        for (size_t f = 0; f < width; ++f) factor[f] = key_factor(f0 + f);
        for (size_t i = 0; i < n_rows; i += 8) {
            const size_t n = n_rows - i < 8 ? n_rows - i : 8;
            const T* x[8];
            for (size_t r = 0; r < 8; ++r) {
                x[r] = X + (i + (r < n ? r : n - 1)) * d + f0;
                fetch_rows_ahead(x[r], width);
            }
            Vec8 sum = f0 == 0 ? Vec8{} : load_some(keys + i, n);
            for (size_t f = 0; f < width; ++f) {
                const Vec8 v = {static_cast<double>(x[0][f]), static_cast<double>(x[1][f]),
                                static_cast<double>(x[2][f]), static_cast<double>(x[3][f]),
                                static_cast<double>(x[4][f]), static_cast<double>(x[5][f]),
                                static_cast<double>(x[6][f]), static_cast<double>(x[7][f])};
                sum += factor[f] * v;
            }
            store_some(keys + i, sum, n);
        }
    }
}

}  // namespace
