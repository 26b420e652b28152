// The order of rows of few features along a Morton curve (G. M. Morton, IBM, 1966): rows next to
// each other on the curve are near each other in space.
#pragma once

#include <cstdint>

#include "aligned.hpp"
#include "pass.hpp"

namespace truemeans {

// Numbers of the rows, sorted by the place of their cell on the curve through a grid over their
// ranges. Up to 256 values of a feature (4096 of two, 2^24 of one) that lie evenly have a cell
// each, so equal rows of such data come out next to each other.
template <class T>
Aligned<std::int32_t> curve_order(Team& team, const Kernels& kernels, Rows<T> rows);

}  // namespace truemeans
