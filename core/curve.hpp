// The order of rows of few features along a Morton curve (G. M. Morton, IBM, 1966): rows next to
// each other on the curve are near each other in space.
#pragma once

#include <cstdint>

#include "aligned.hpp"
#include "pass.hpp"

namespace truemeans {

// Numbers of the rows, sorted by the place of their cell on the curve through a grid over their
// ranges, 2^24 cells in all, and those places.
struct CurveOrder {
    Aligned<std::int32_t> keys;
    Aligned<std::int32_t> rows;
};
template <class T>
CurveOrder curve_order(Team& team, const Kernels& kernels, Rows<T> rows);

}  // namespace truemeans
