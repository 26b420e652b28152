// A pass over rows in boxes: for each box the few centroids that can own a row of it.
//
// T. Kanungo et al., "An efficient k-means clustering algorithm: analysis and implementation",
// IEEE TPAMI 24(7), 2002: a centroid whose least distance to a box exceeds another's greatest
// distance to it owns no row of the box. Here the boxes are not a tree (boxes.hpp). One that is
// left with one centroid is labelled without looking at its rows.
//
// The distances to boxes are float64; a centroid is ruled out only when it is farther by a factor
// of 1 + 2^-40, far above the error of both sides and of the canonical distances.
#pragma once

#include <cstddef>
#include <cstdint>

#include "boxes.hpp"
#include "pass.hpp"

namespace truemeans {

// As assign(); weight and labels (n,) are in the block's own order, labels those of the last pass.
template <class T>
Outcome assign_boxed(Team& team, const Kernels& kernels, Boxes<T>& boxes, const double* weight,
                     std::size_t d, Centroids centroids, Grids grids, std::int32_t* labels,
                     double* sums);

}  // namespace truemeans
