// The update step and the inertia of one cluster, from its order-free sums, in double-double:
// unevaluated sums of two float64 (Dekker 1971; Hida, Li, Bailey 2001), good to about 2^-102 an
// operation. Eight features at a time, the last ones filled up with zeros.
#pragma once

#include "errors.inl.hpp"
#include "kernels.hpp"
#include "vocabulary.hpp"

namespace {

template <class V>
inline Dd<V> add(Dd<V> a, Dd<V> b) {
    Dd<V> s = two_sum(a.hi, b.hi);
    const Dd<V> t = two_sum(a.lo, b.lo);
    s = quick_two_sum(s.hi, s.lo + t.hi);
    return quick_two_sum(s.hi, s.lo + t.lo);
}

// Good to 2^-104 of |a| + |b|, which is less than the above where they cancel.
template <class V>
inline Dd<V> add_loosely(Dd<V> a, Dd<V> b) {
    const Dd<V> s = two_sum(a.hi, b.hi);
    return quick_two_sum(s.hi, s.lo + (a.lo + b.lo));
}

template <class V>
inline Dd<V> negative(Dd<V> a) {
    return {-a.hi, -a.lo};
}

template <class V>
inline Dd<V> times(Dd<V> a, Dd<V> b) {
    const V p = a.hi * b.hi;
    return quick_two_sum(p, product_error(a.hi, b.hi, p) + (a.hi * b.lo + a.lo * b.hi));
}

// The same for factors as below, not normalised.
inline Dd<Vec8> times_loosely(Dd<Vec8> a, Dd<Vec8> b) {
    const Vec8 p = a.hi * b.hi;
    return {p, fused_product_error(a.hi, b.hi, p) + (a.hi * b.lo + a.lo * b.hi)};
}

inline Vec8 power_of(Vec8 v) {
    return Vec8(Mask8(v) & static_cast<int64_t>(0x7ff0000000000000ULL));
}

// The quotient q1 + q2 with the low part rounded to 2^-98 of the power of two of the high part,
// above the noise of the steps before: a quotient that is exact in so many bits, such as one
// half-way between two floats, comes out exact.
inline Dd<Vec8> tidy_quotient(Vec8 q1, Vec8 q2) {
    const Vec8 magic = power_of(q1) * 0x1.8p-46;  // 1.5 * 2^52 * 2^-98
    return quick_two_sum(q1, (q2 + magic) - magic);
}

// Good to 2^-99 relative.
inline Dd<Vec8> over(Dd<Vec8> a, Dd<double> by) {
    const Dd<Vec8> b{Vec8{} + by.hi, Vec8{} + by.lo};
    const Vec8 q1 = a.hi / b.hi;
    const Dd<Vec8> whole = times(Dd<Vec8>{q1, Vec8{}}, b);
    return tidy_quotient(q1, add(a, negative(whole)).hi / b.hi);
}

// The same by a whole number: a multiple of q1's last place, and so the product and its error
// are float64 however small; what is left of a is exact but for its last two subtractions, which
// err by 2^-104 of a.
inline Dd<Vec8> over_whole(Dd<Vec8> a, double by) {
    const Vec8 b = Vec8{} + by;
    const Vec8 q1 = a.hi / b;
    const Vec8 whole = q1 * b;
    const Vec8 rest = ((a.hi - whole) - fused_product_error(q1, b, whole)) + a.lo;
    return tidy_quotient(q1, rest / b);
}

// Rounded once to float32. Going through float64 would round twice, so the float64 is first made
// odd in its last place where something lies beyond it.
inline Vec8 to_single(Dd<Vec8> v) {
    const Mask8 bits = Mask8(v.hi);
    const Mask8 even = (v.lo != 0.0) & ((bits & 1) == 0);
    const Mask8 outward = (v.lo > 0.0) == (v.hi > 0.0);
    const Mask8 step = outward ? Mask8{} + 1 : Mask8{} - 1;
    const Vec8 odd = Vec8(bits + (even & step));
    return __builtin_convertvector(__builtin_convertvector(odd, Vec8F), Vec8);
}

// The sum of an entry over its grids, good to 2^-104. A sum on a coarse grid that a float64
// cannot hold beside that on a finer one is so much larger that nothing cancels.
template <class V>
inline Dd<V> entry(const double* sums, size_t n_grids, size_t stride) {
    const auto at = [&](size_t g) { return read(sums + g * stride, static_cast<V*>(nullptr)); };
    if (n_grids == 1) return {at(0), V{}};
    Dd<V> sum = two_sum(at(0), at(1));
    for (size_t g = 2; g < n_grids; ++g) sum = add_loosely(sum, Dd<V>{at(g), V{}});
    return sum;
}

constexpr size_t kMostGrids = 8;

// Calls visit(f, n, sums, stride) for every eight features from f on, of which n are there;
// sums[g * stride] are the eight on grid g.
template <class Visit>
inline void by_eights(const double* sums, size_t n_grids, size_t d, const Visit& visit) {
    size_t f = 0;
    for (; f + 8 <= d; f += 8) visit(f, size_t{8}, sums + f, d + 1);
    if (f == d) return;
    double rest[8 * kMostGrids] = {};
    for (size_t g = 0; g < n_grids; ++g)
        store8(rest + g * 8, load_some(sums + g * (d + 1) + f, d - f));
    visit(f, d - f, rest, size_t{8});
}

inline Vec8 sq_change(Vec8 now, Vec8 before, Mask8& differ) {
    const Vec8 e = now - before;
    differ |= e != 0.0;
    return e * e;
}

double cluster_mean(const double* sums, size_t n_grids, size_t d, bool single,
                    const double* previous, double* out) {
    const Dd<double> weight = entry<double>(sums + d, n_grids, d + 1);
    if (!(weight.hi > 0.0)) {
        for (size_t f = 0; f < d; ++f) out[f] = previous[f];
        return 0.0;
    }
    const bool whole = weight.lo == 0.0 && weight.hi == __builtin_floor(weight.hi);
    Vec8 sq_shift = {};
    Mask8 differ = {};
    by_eights(sums, n_grids, d, [&](size_t f, size_t n, const double* at, size_t stride) {
        const Dd<Vec8> sum = entry<Vec8>(at, n_grids, stride);
        const Dd<Vec8> mean = whole ? over_whole(sum, weight.hi) : over(sum, weight);
        const Vec8 value = single ? to_single(mean) : mean.hi + mean.lo;
        sq_shift += sq_change(value, load_some(previous + f, n), differ);
        store_some(out + f, value, n);
    });
    double sum = 0.0;
    bool any = false;
    for (size_t lane = 0; lane < 8; ++lane) {
        sum += sq_shift[lane];
        any |= differ[lane] != 0;
    }
    return any && sum == 0.0 ? 0x1p-1074 : sum;
}

// b (W a - 2 S) with a = c + m and b = c - m, both exact, and the sizes that went into it. All
// that is left out or rounded is below 30 * 2^-106 of the size; products below 2^-968, whose
// errors two targets may round differently, are further below.
inline void add_term(Dd<Vec8> sum, Vec8 centroid, Vec8 center, Dd<Vec8> weight, Vec8 twice_top,
                     Dd<Vec8>& term, Vec8& size) {
    const Dd<Vec8> wa = times_loosely(weight, two_sum(centroid, center));
    const Dd<Vec8> b = two_sum(centroid, -center);
    const Dd<Vec8> high = two_sum(wa.hi, -2.0 * sum.hi);
    const Dd<Vec8> rest{high.hi, high.lo + (wa.lo - 2.0 * sum.lo)};
    term = add_loosely(term, times_loosely(b, rest));
    size += vabs8(b.hi) * (vabs8(wa.hi) + weight.hi * twice_top);
}

// out: high part, low part, and the sizes added up.
void inertia_term(const double* sums, size_t n_grids, size_t d, const double* centroid,
                  const double* center, double top, double* out) {
    const Dd<double> w = entry<double>(sums + d, n_grids, d + 1);
    const Dd<Vec8> weight{Vec8{} + w.hi, Vec8{} + w.lo};
    Dd<Vec8> term{Vec8{}, Vec8{}};
    Vec8 size = {};
    by_eights(sums, n_grids, d, [&](size_t f, size_t n, const double* at, size_t stride) {
        add_term(entry<Vec8>(at, n_grids, stride), load_some(centroid + f, n),
                 load_some(center + f, n), weight, Vec8{} + 2.0 * top, term, size);
    });
    Dd<double> sum{0.0, 0.0};
    double sizes = 0.0;
    // The other lanes are zeros.
    for (size_t lane = 0; lane < (d < 8 ? d : 8); ++lane) {
        sum = add(sum, Dd<double>{term.hi[lane], term.lo[lane]});
        sizes += size[lane];
    }
    out[0] = sum.hi;
    out[1] = sum.lo;
    out[2] = sizes;
}

}  // namespace
