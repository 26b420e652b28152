// Greedy k-means++ over few rows, round by round, in one call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/kernels.hpp"
#include "pass.hpp"

namespace truemeans {

// The rows picked, by number; rows stand in the order of the line that draws are made from
// (seeding/draw.py). u: one number in [0, 1) for the first row, n_trials for every other.
// weight_scale: what makes integer masses of the weights.
//
// A row is drawn by its mass, round(weight * squared distance to the nearest picked row * scale);
// the scale is a power of two that keeps the total of masses below 2^51, chosen anew when the
// total has fallen to 2^-16 of what it was. Of n_trials drawn rows the one that lowers the total
// most is picked, the first of equals. Where no row has a cost, rows are drawn by weight.
template <class T>
std::vector<std::int64_t> draw_rounds(const Kernels& kernels, Rows<T> rows, double weight_scale,
                                      const double* u, std::size_t n_clusters,
                                      std::size_t n_trials);

}  // namespace truemeans
