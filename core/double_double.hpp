// Unevaluated sums of two float64, for the few sums that join what the kernels computed. The
// kernels have their own over vectors (kernels/update.inl.hpp).
#pragma once

namespace truemeans {

struct Dd {
    double hi = 0.0;
    double lo = 0.0;
};

inline Dd two_sum(double a, double b) {
    const double s = a + b;
    const double bb = s - a;
    return {s, (a - (s - bb)) + (b - bb)};
}

inline Dd operator+(Dd a, Dd b) {
    // After each step the high part is the larger, so a sum and its rest renormalise it.
    const Dd s = two_sum(a.hi, b.hi);
    const Dd t = two_sum(a.lo, b.lo);
    const Dd u = two_sum(s.hi, s.lo + t.hi);
    return two_sum(u.hi, u.lo + t.lo);
}

}  // namespace truemeans
