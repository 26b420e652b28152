// Chooses the spacings of the grids that make sums order-free (kernels/sums.inl.hpp).
#pragma once

#include <array>
#include <cstddef>
#include <vector>

namespace truemeans {

// Enough for 2^-101 of the largest value with 2^34 rows (grids.cpp); data seldom need over two.
constexpr std::size_t kMaxGrids = 6;

struct Spread {
    double top;     // no addend is larger than this
    double finest;  // all addends are multiples of this power of two; 0 if unknown
};

// Spacing of each grid for up to n_addends values; a spacing at or below `finest` loses nothing.
std::array<double, kMaxGrids> spacings(Spread spread, double n_addends);

// Least and largest value and finest bit of each feature, (d,) each.
struct Extents {
    const double* low;
    const double* high;
    const double* finest;
    std::size_t d;
};

// What the sums of rows and their inertia rest on.
struct Footing {
    // Magic numbers of all features and of the weight, (n_grids, d + 1) row-major, with as few
    // grids as hold every addend exactly or to 2^-101 of the largest, at most kMaxGrids.
    std::vector<double> magic;
    // Half-way between least and largest value, of the rows' type: order-free, and close enough to
    // the rows that nothing cancels in the inertia.
    std::vector<double> center;  // (d,)
    double reach;                // no value is farther from center
};
Footing choose_footing(Extents features, Spread weight, bool weighted, double n_samples,
                       bool single);

double magic_of(double spacing);

}  // namespace truemeans
