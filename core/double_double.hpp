// Unevaluated sums of two float64, for the few sums that join what the kernels computed. The
// kernels have their own over vectors (kernels/update.inl.hpp). Good to about 2^-102 an operation
// (Dekker 1971; Hida, Li, Bailey 2001).
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

inline Dd operator-(Dd a) { return {-a.hi, -a.lo}; }
inline Dd operator-(Dd a, Dd b) { return a + -b; }

// The exact product of two float64 (Veltkamp, Dekker): each is split into halves of 26 bits.
inline Dd two_product(double a, double b) {
    constexpr double split = 134217729.0;  // 2^27 + 1
    const double p = a * b;
    const double sa = split * a, sb = split * b;
    const double ah = sa - (sa - a), bh = sb - (sb - b);
    const double al = a - ah, bl = b - bh;
    return {p, ((ah * bh - p) + ah * bl + al * bh) + al * bl};
}

inline Dd operator*(Dd a, Dd b) {
    const Dd p = two_product(a.hi, b.hi);
    return two_sum(p.hi, p.lo + (a.hi * b.lo + a.lo * b.hi));
}

inline Dd operator/(Dd a, Dd b) {
    const double q1 = a.hi / b.hi;
    const Dd r1 = a - Dd{q1, 0.0} * b;
    const double q2 = r1.hi / b.hi;
    const Dd r2 = r1 - Dd{q2, 0.0} * b;
    return two_sum(q1, q2) + Dd{r2.hi / b.hi, 0.0};
}

inline bool operator<(Dd a, Dd b) { return a.hi < b.hi || (a.hi == b.hi && a.lo < b.lo); }

}  // namespace truemeans
