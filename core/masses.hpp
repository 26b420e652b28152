// Integer masses, which rows are drawn by: as in engines/masses.py.
#pragma once

#include <algorithm>
#include <cmath>

namespace truemeans {

constexpr int kMassBits = 50;
// A total that fell below this share of what its scale was made for is measured anew.
constexpr double kWorn = 0x1p-16;

// The power of two that makes integer masses of values that add up to total; the largest there is
// is enough for costs that are themselves close to underflow.
inline double mass_scale(double total) {
    int exponent = 0;
    std::frexp(total, &exponent);
    return std::ldexp(1.0, std::min(kMassBits - exponent, 1023));
}

// The unit of mass that u in [0, 1) falls on: u * total may round up to the total.
inline double place_of(double u, double total) {
    return std::min(std::floor(u * total), total - 1.0);
}

// To the nearest integer, for values below 2^51.
inline double round_integer(double v) {
    constexpr double kMagic = 6755399441055744.0;  // 1.5 * 2^52
    return (v + kMagic) - kMagic;
}

}  // namespace truemeans
