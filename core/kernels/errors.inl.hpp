// Error-free transformations: what a float64 operation lacks is a float64 too. Written once over
// V = one number or eight, the same operations in both.
#pragma once

#include "vocabulary.hpp"

namespace {

// a + b = sum + error, exactly (Knuth).
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

// a - b = difference + error, exactly (Knuth).
template <class V>
inline V difference_error(V a, V b, V difference) {
    const V bb = a - difference;
    return (a - (difference + bb)) - (b - bb);
}

// a * b = product + error, exactly (Dekker 1971, by splitting, so that targets with and without
// fused multiply-add run the same operations).
template <class V>
inline V product_error(V a, V b, V product) {
    const V ta = a * 134217729.0;
    const V tb = b * 134217729.0;
    const V ah = ta - (ta - a);
    const V bh = tb - (tb - b);
    const V al = a - ah;
    const V bl = b - bh;
    return al * bl - (((product - ah * bh) - al * bh) - ah * bl);
}

// The same in one operation where the target has it. The error is a float64, and so the same
// number either way, unless it lies below the least float64: |a * b| < 2^-968, and not both
// multiples of numbers whose product is one. Who calls this says why that does not show.
template <class V>
inline V fused_product_error(V a, V b, V product) {
#ifdef TM_FUSED
    return fused(a, b, -product);
#else
    return product_error(a, b, product);
#endif
}

}  // namespace
