// Unevaluated sums of two float64 (Dekker 1971; Hida, Li, Bailey 2001): about 2^-104 relative
// error an operation. Compiled without contraction; the fused multiply-adds are explicit.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

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

// Needs |a| >= |b| or a == 0.
inline Dd quick_two_sum(double a, double b) {
    const double s = a + b;
    return {s, b - (s - a)};
}

inline Dd two_prod(double a, double b) {
    const double p = a * b;
    return {p, std::fma(a, b, -p)};
}

inline Dd operator+(Dd a, Dd b) {
    Dd s = two_sum(a.hi, b.hi);
    const Dd t = two_sum(a.lo, b.lo);
    s = quick_two_sum(s.hi, s.lo + t.hi);
    return quick_two_sum(s.hi, s.lo + t.lo);
}

inline Dd operator-(Dd a) { return {-a.hi, -a.lo}; }
inline Dd operator-(Dd a, Dd b) { return a + -b; }

inline Dd operator*(Dd a, Dd b) {
    const Dd p = two_prod(a.hi, b.hi);
    return quick_two_sum(p.hi, p.lo + (a.hi * b.lo + a.lo * b.hi));
}

inline Dd operator*(double a, Dd b) {
    const Dd p = two_prod(a, b.hi);
    return quick_two_sum(p.hi, p.lo + a * b.lo);
}

// Good to 2^-99 relative. The low part is rounded to 2^-98 of the quotient's power of two, above
// the noise of the steps before: a quotient that is exact in so many bits, such as one half-way
// between two floats, comes out exact.
inline Dd operator/(Dd a, Dd b) {
    const double q1 = a.hi / b.hi;
    const double q2 = (a - q1 * b).hi / b.hi;
    std::uint64_t bits;
    std::memcpy(&bits, &q1, sizeof bits);
    bits &= 0x7ff0000000000000ULL;
    double power;
    std::memcpy(&power, &bits, sizeof power);
    const double magic = power * 0x1.8p-46;  // 1.5 * 2^52 * 2^-98
    return quick_two_sum(q1, (q2 + magic) - magic);
}

// Rounded once to nearest. Going through float64 would round twice, so the float64 is first
// made odd in its last place where something lies beyond it.
inline double round_to(Dd v, double*) { return v.hi + v.lo; }
inline float round_to(Dd v, float*) {
    double hi = v.hi;
    std::uint64_t bits;
    std::memcpy(&bits, &hi, sizeof bits);
    if (v.lo != 0.0 && (bits & 1) == 0) {
        bits += (v.lo > 0.0) == (hi > 0.0) ? 1 : std::uint64_t(-1);
        std::memcpy(&hi, &bits, sizeof hi);
    }
    return static_cast<float>(hi);
}

}  // namespace truemeans
