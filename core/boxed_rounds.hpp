// Greedy k-means++ over many rows of few features, round by round: a candidate looks only at
// boxes (boxes.hpp) in which it can come closer to a row than the rows picked before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "boxes.hpp"
#include "kernels/kernels.hpp"
#include "team.hpp"

namespace truemeans {

// What draw_rounds (rounds.hpp) does with the rows in the order of the boxes, and by value within
// a cell: numbers of the rows picked. boxes: sorted by value, and as before when this returns, but
// rearranged meanwhile. weight: in the block's own order, null for ones.
template <class T>
std::vector<std::int64_t> draw_in_boxes(Team& team, const Kernels& kernels, Boxes<T>& boxes,
                                        const double* weight, std::size_t d, double weight_scale,
                                        const double* u, std::size_t n_clusters,
                                        std::size_t n_trials);

}  // namespace truemeans
