// What seeding asks of the rows. All of it is order-free or per row, so a draw depends on the
// rows' contents and not on their order, the threads or the blocks.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/kernels.hpp"
#include "pass.hpp"
#include "team.hpp"

namespace truemeans {

// Draws go through buckets of rows that lie next to each other in the order of draws.
constexpr std::size_t kBuckets = 4096;

// keys (n,): a fixed linear function of each row's values; the order of draws begins with it.
template <class T>
void row_keys(Team& team, const Kernels& kernels, Rows<T> rows, double* keys);

// closest (in/out, (n,)): the lesser of itself and the canonical squared distance to centroid.
// Returns the largest weight * closest.
template <class T>
double lower_closest(Team& team, const Kernels& kernels, Rows<T> rows, const double* centroid,
                     double* closest);

// Adds to sums (2, n_candidates) the potential each candidate would leave, the sum of
// weight * min(closest, squared distance), on two grids fixed by `top`, a bound on
// weight * closest, and by n_rows, the rows of all blocks. Sums of blocks add exactly.
template <class T>
void add_potentials(Team& team, const Kernels& kernels, Rows<T> rows, Centroids candidates,
                const double* closest, double top, double n_rows, double* sums);

// Integer masses for a draw, round(weight * closest * scale), added up by bucket into sums
// (kBuckets); scale is a power of two that keeps their sum below 2^51. weight or closest null:
// ones.
void add_bucket_masses(Team& team, std::size_t n, const double* weight, const double* closest,
                       double scale, const std::uint16_t* buckets, double* sums);

}  // namespace truemeans
