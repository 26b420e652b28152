#include "grids.hpp"

#include <algorithm>
#include <cmath>

namespace truemeans {

double magic_of(double spacing) { return 1.5 * std::ldexp(spacing, 52); }

std::array<double, kMaxGrids> spacings(Spread spread, double n_addends) {
    // With values up to 2^e and n <= 2^(l - 2) addends, spacing 2^(e + l - 52) keeps every value
    // below 2^50 spacings, as rounding by a magic number asks, and every sum below 2^51.
    int l = 0;
    std::frexp(std::max(n_addends, 1.0), &l);
    l += 2;
    int e = 0;
    std::frexp(spread.top, &e);
    std::array<double, kMaxGrids> out{};
    for (double& spacing : out) {
        const int exponent = std::max(e + l - 52, -1074);
        spacing = std::ldexp(1.0, exponent);
        e = exponent - 1;  // what is left after rounding to this grid
    }
    return out;
}

namespace {

std::vector<double> choose_magic(Extents features, Spread weight, bool weighted,
                                 double n_samples) {
    // A weighted value is a product and its rounding error: two addends.
    const double n_addends = weighted ? 2.0 * n_samples : n_samples;
    std::vector<Spread> addends;
    addends.reserve(features.d + 1);
    for (std::size_t f = 0; f < features.d; ++f) {
        const Spread plain{std::max(-features.low[f], features.high[f]), features.finest[f]};
        addends.push_back(
            weighted ? Spread{plain.top * weight.top, plain.finest * weight.finest} : plain);
    }
    addends.push_back(weight);

    std::vector<std::array<double, kMaxGrids>> spacing;
    spacing.reserve(addends.size());
    std::size_t n_grids = 1;
    for (const Spread& a : addends) {
        spacing.push_back(spacings(a, n_addends));
        const double enough = std::max(a.finest, std::ldexp(a.top, -101));
        while (n_grids < kMaxGrids && spacing.back()[n_grids - 1] > enough) ++n_grids;
    }
    std::vector<double> magic;
    magic.reserve(n_grids * addends.size());
    for (std::size_t g = 0; g < n_grids; ++g)
        for (const auto& s : spacing) magic.push_back(magic_of(s[g]));
    return magic;
}

}  // namespace

Footing choose_footing(Extents features, Spread weight, bool weighted, double n_samples,
                       bool single) {
    Footing out{choose_magic(features, weight, weighted, n_samples),
                std::vector<double>(features.d), 0.0};
    for (std::size_t f = 0; f < features.d; ++f) {
        const double low = features.low[f], high = features.high[f];
        const double middle = 0.5 * low + 0.5 * high;
        const double c = single ? static_cast<double>(static_cast<float>(middle)) : middle;
        out.center[f] = c;
        out.reach = std::max({out.reach, high - c, c - low});
    }
    return out;
}

}  // namespace truemeans
