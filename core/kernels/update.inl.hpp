// The update step and the inertia of one cluster, from its order-free sums, in double-double:
// unevaluated sums of two float64 (Dekker 1971; Hida, Li, Bailey 2001), good to about 2^-102 an
// operation. Written once over V = one number or eight, the same operations in both.
#pragma once

#include "kernels.hpp"
#include "sums.inl.hpp"
#include "vocabulary.hpp"

namespace {

template <class V>
struct Dd {
    V hi, lo;
};

template <class V>
inline Dd<V> two_sum(V a, V b) {
    const V s = a + b;
    const V bb = s - a;
    return {s, (a - (s - bb)) + (b - bb)};
}

// Needs |a| >= |b| or a == 0.
template <class V>
inline Dd<V> quick_two_sum(V a, V b) {
    const V s = a + b;
    return {s, b - (s - a)};
}

template <class V>
inline Dd<V> add(Dd<V> a, Dd<V> b) {
    Dd<V> s = two_sum(a.hi, b.hi);
    const Dd<V> t = two_sum(a.lo, b.lo);
    s = quick_two_sum(s.hi, s.lo + t.hi);
    return quick_two_sum(s.hi, s.lo + t.lo);
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

inline double power_of(double v) {
    uint64_t bits;
    __builtin_memcpy(&bits, &v, sizeof bits);
    bits &= 0x7ff0000000000000ULL;
    __builtin_memcpy(&v, &bits, sizeof v);
    return v;
}
inline Vec8 power_of(Vec8 v) {
    return Vec8(Mask8(v) & static_cast<int64_t>(0x7ff0000000000000ULL));
}

// Good to 2^-99 relative. The low part is rounded to 2^-98 of the quotient's power of two, above
// the noise of the steps before: a quotient that is exact in so many bits, such as one half-way
// between two floats, comes out exact.
template <class V>
inline Dd<V> over(Dd<V> a, Dd<V> b) {
    const V q1 = a.hi / b.hi;
    const Dd<V> whole = times(Dd<V>{q1, V{}}, b);
    const V q2 = add(a, negative(whole)).hi / b.hi;
    const V magic = power_of(q1) * 0x1.8p-46;  // 1.5 * 2^52 * 2^-98
    return quick_two_sum(q1, (q2 + magic) - magic);
}

// Rounded once to float32. Going through float64 would round twice, so the float64 is first made
// odd in its last place where something lies beyond it.
inline double to_single(Dd<double> v) {
    int64_t bits;
    __builtin_memcpy(&bits, &v.hi, sizeof bits);
    if (v.lo != 0.0 && (bits & 1) == 0) bits += (v.lo > 0.0) == (v.hi > 0.0) ? 1 : -1;
    double odd;
    __builtin_memcpy(&odd, &bits, sizeof odd);
    return static_cast<double>(static_cast<float>(odd));
}
inline Vec8 to_single(Dd<Vec8> v) {
    const Mask8 bits = Mask8(v.hi);
    const Mask8 even = (v.lo != 0.0) & ((bits & 1) == 0);
    const Mask8 outward = (v.lo > 0.0) == (v.hi > 0.0);
    const Mask8 step = outward ? Mask8{} + 1 : Mask8{} - 1;
    const Vec8 odd = Vec8(bits + (even & step));
    return __builtin_convertvector(__builtin_convertvector(odd, Vec8F), Vec8);
}

// The exact sum of entry f over its grids.
template <class V>
inline Dd<V> entry(const double* sums, size_t n_grids, size_t d, size_t f) {
    Dd<V> sum{V{}, V{}};
    for (size_t g = 0; g < n_grids; ++g)
        sum = add(sum, Dd<V>{read(sums + g * (d + 1) + f, static_cast<V*>(nullptr)), V{}});
    return sum;
}

template <class V>
inline void mean_entry(const double* sums, size_t n_grids, size_t d, size_t f, Dd<double> weight,
                       bool single, double* out) {
    const Dd<V> by{V{} + weight.hi, V{} + weight.lo};
    const Dd<V> mean = over(entry<V>(sums, n_grids, d, f), by);
    write(out + f, single ? to_single(mean) : mean.hi + mean.lo);
}

void cluster_mean(const double* sums, size_t n_grids, size_t d, bool single,
                  const double* previous, double* out) {
    const Dd<double> weight = entry<double>(sums, n_grids, d, d);
    if (!(weight.hi > 0.0)) {
        for (size_t f = 0; f < d; ++f) out[f] = previous[f];
        return;
    }
    size_t f = 0;
    for (; f + 8 <= d; f += 8) mean_entry<Vec8>(sums, n_grids, d, f, weight, single, out);
    for (; f < d; ++f) mean_entry<double>(sums, n_grids, d, f, weight, single, out);
}

template <class V>
struct Term {
    Dd<V> sum{V{}, V{}};
    V size{};
};

inline double size_of(double v) { return abs1(v); }
inline Vec8 size_of(Vec8 v) { return vabs8(v); }

// b (W b - 2 t) with b = c - m and t = S - W m, and the sizes that went into it.
template <class V>
inline void add_term(const double* sums, size_t n_grids, size_t d, size_t f,
                     const double* centroid, const double* center, Dd<double> weight, double top,
                     Term<V>& term) {
    const Dd<V> w{V{} + weight.hi, V{} + weight.lo};
    const V m = read(center + f, static_cast<V*>(nullptr));
    const Dd<V> b = two_sum(read(centroid + f, static_cast<V*>(nullptr)), -m);
    const Dd<V> t = add(entry<V>(sums, n_grids, d, f), negative(times(Dd<V>{m, V{}}, w)));
    const Dd<V> wb = times(w, b);
    const Dd<V> rest = add(wb, negative(add(t, t)));
    term.sum = add(term.sum, times(b, rest));
    term.size += size_of(b.hi) * (size_of(wb.hi) + 2.0 * size_of(t.hi) + 2.0 * w.hi * top);
}

// out: high part, low part, and the sizes added up.
void inertia_term(const double* sums, size_t n_grids, size_t d, const double* centroid,
                  const double* center, double top, double* out) {
    const Dd<double> weight = entry<double>(sums, n_grids, d, d);
    Term<Vec8> wide;
    Term<double> narrow;
    size_t f = 0;
    for (; f + 8 <= d; f += 8)
        add_term(sums, n_grids, d, f, centroid, center, weight, top, wide);
    for (; f < d; ++f) add_term(sums, n_grids, d, f, centroid, center, weight, top, narrow);
    Dd<double> sum = narrow.sum;
    double size = narrow.size;
    for (size_t lane = 0; lane < 8; ++lane) {
        sum = add(sum, Dd<double>{wide.sum.hi[lane], wide.sum.lo[lane]});
        size += wide.size[lane];
    }
    out[0] = sum.hi;
    out[1] = sum.lo;
    out[2] = size;
}

}  // namespace
