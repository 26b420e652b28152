// What seeding asks of the rows. All of it is order-free or per row, so a draw depends on the
// rows' contents and not on their order, the threads or the blocks.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/kernels.hpp"
#include "pass.hpp"
#include "team.hpp"

namespace truemeans {

// Rows are drawn from buckets of a hash of their contents: equal rows share a bucket.
constexpr std::size_t kBucketBits = 12;
constexpr std::size_t kBuckets = std::size_t(1) << kBucketBits;

template <class T>
void bucket_rows(Team& team, const Kernels& kernels, Rows<T> rows, std::uint16_t* buckets);

// closest (in/out, (n,)): the lesser of itself and the canonical squared distance to centroid.
// Returns the largest value now in closest.
template <class T>
double lower_closest(Team& team, const Kernels& kernels, Rows<T> rows, const double* centroid,
                     double* closest);

// Adds to sums (2, n_candidates) the potential each candidate would leave, the sum of
// weight * min(closest, squared distance), on two grids fixed by `top`, a bound on
// weight * closest, and by n_rows, the rows of all blocks. Sums of blocks add exactly.
template <class T>
void add_potentials(Team& team, const Kernels& kernels, Rows<T> rows, Centroids candidates,
                const double* closest, double top, double n_rows, double* sums);

// Integer masses for a draw: round(weight_scale * weight * round(closest_scale * closest)),
// added up by bucket into sums (kBuckets). weight or closest null: ones.
void add_bucket_masses(Team& team, std::size_t n, const double* weight, double weight_scale,
                       const double* closest, double closest_scale,
                       const std::uint16_t* buckets, double* sums);

}  // namespace truemeans
