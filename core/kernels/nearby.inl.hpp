// What a search that changes a few clusters at a time asks: which centroids are near a point, and
// which of a cluster's rows some other centroid would serve better. Lanes are centroids, or eight
// rows; every canonical distance is summed from first feature to last. Compiled as exact code.
#pragma once

#include <type_traits>

#include "kernels.hpp"
#include "lanes.inl.hpp"
#include "vocabulary.hpp"

namespace {

// Squared distances from a point to eight of n others.
inline Vec8 eight_gaps(const double* columns, size_t n, size_t d, const double* point, size_t i) {
    Vec8 sum{};
    for (size_t f = 0; f < d; ++f) {
        const Vec8 e = point[f] - load8(columns + f * n + i);
        sum += e * e;
    }
    return sum;
}

size_t centroids_near(const double* columns, size_t n, size_t d, const double* point,
                      double reach, int32_t* list, double* gaps) {
    size_t n_near = 0;
    for (size_t i = 0; i < n; i += 8) {
        const Vec8 gap = eight_gaps(columns, n, d, point, i);
        n_near = append_bits8(lane_bits8(gap < reach), i, gap, list, gaps, n_near);
    }
    return n_near;
}

size_t centroids_reaching(const double* columns, size_t n, size_t d, const double* point,
                          const double* reach, int32_t* list) {
    size_t n_near = 0;
    for (size_t i = 0; i < n; i += 8) {
        const Vec8 gap = eight_gaps(columns, n, d, point, i);
        n_near = append_bits(lane_bits8(gap < load8(reach + i)), i, list, n_near);
    }
    return n_near;
}

// Up to eight rows of a list, the last one repeated, turned so that lanes are rows: in registers
// where the number of features is known, in `turned` otherwise.
template <class Width>
struct EightRows {
    static constexpr bool kInRegisters = !std::is_same_v<Width, size_t>;
    static constexpr size_t kHeld = kInRegisters ? Width{} : 1;

    EightRows(const double* rows, Width width, const int32_t* list, size_t n, double* scratch)
        : d(width), turned(scratch) {
        const double* x[8];
        for (size_t i = 0; i < 8; ++i) x[i] = rows + at(list, n, i) * d;
        for (size_t f = 0; f < d; ++f) {
            const Vec8 v = {x[0][f], x[1][f], x[2][f], x[3][f],
                            x[4][f], x[5][f], x[6][f], x[7][f]};
            if constexpr (kInRegisters)
                held[f] = v;
            else
                store8(turned + f * 8, v);
        }
    }
    Vec8 sq_dist(const double* centroid) const {
        Vec8 sum{};
        for (size_t f = 0; f < d; ++f) {
            Vec8 e;
            if constexpr (kInRegisters)
                e = held[f] - centroid[f];
            else
                e = load8(turned + f * 8) - centroid[f];
            sum += e * e;
        }
        return sum;
    }
    static size_t at(const int32_t* list, size_t n, size_t i) {
        return static_cast<size_t>(list[i < n ? i : n - 1]);
    }
    static Vec8 values(const double* of_rows, const int32_t* list, size_t n) {
        Vec8 v;
        for (size_t i = 0; i < 8; ++i) v[i] = of_rows[at(list, n, i)];
        return v;
    }

    Width d;
    Vec8 held[kHeld];
    double* turned;
};

// Calls f with the number of features, as a constant where it is two or three.
template <class F>
inline auto with_features(size_t d, const F& f) {
    if (d == 2) return f(std::integral_constant<size_t, 2>{});
    if (d == 3) return f(std::integral_constant<size_t, 3>{});
    return f(d);
}

size_t rows_nearer(const double* rows, size_t d, const int32_t* list, size_t n,
                   const double* near, truemeans::Nearby others, double* turned, int32_t* out) {
    return with_features(d, [&](auto width) {
        using Eight = EightRows<decltype(width)>;
        size_t n_out = 0;
        for (size_t i = 0; i < n; i += 8) {
            const size_t count = n - i < 8 ? n - i : 8;
            const Vec8 own = Eight::values(near, list + i, count), reach = 4.0 * own;
            if (lane_bits8(others.gaps[0] < reach) == 0) continue;
            const Eight eight(rows, width, list + i, count, turned);
            Mask8 any{};
            for (size_t m = 0; m < others.m && lane_bits8(others.gaps[m] < reach) != 0; ++m)
                any |= eight.sq_dist(others.centroids + m * d) < own;
            n_out = append_bits(lane_bits8(any) & ((1u << count) - 1), i, out, n_out);
        }
        return n_out;
    });
}

uint32_t rows_gaining(const double* rows, size_t d, const int32_t* list, size_t n,
                      const double* row_weights, const double* own, double own_weight,
                      double share, truemeans::Nearby others, double* turned) {
    return with_features(d, [&](auto width) {
        using Eight = EightRows<decltype(width)>;
        const Eight eight(rows, width, list, n, turned);
        const Vec8 w = Eight::values(row_weights, list, n);
        const Vec8 leaves = own_weight / (own_weight - w) * eight.sq_dist(own) * share;
        Mask8 any{};
        for (size_t m = 0; m < others.m; ++m) {
            const double to = others.weights[m];
            any |= to / (to + w) * eight.sq_dist(others.centroids + m * d) < leaves;
        }
        return lane_bits8(any) & ((1u << n) - 1);
    });
}

}  // namespace
