// Passes that measure the rows: extent, spread around centers, distances.
#pragma once

#include <cstddef>
#include <cstdint>

#include "double_double.hpp"
#include "kernels/kernels.hpp"
#include "pass.hpp"
#include "team.hpp"

namespace truemeans {

// low, high, finest (d,): least and largest value of each feature and the power of two all its
// values are multiples of (inf where all are zero). Returns the flat index of the first entry
// that is not finite, or n * d.
template <class T>
std::size_t survey(Team& team, const Kernels& kernels, Rows<T> rows, double* low, double* high,
                   double* finest);

// The largest |x - center| of any entry; labels null: centers is one row.
template <class T>
double max_abs_diff(Team& team, const Kernels& kernels, Rows<T> rows, const double* centers,
                    const std::int32_t* labels);

// How squared differences are summed: a bound on |x - center|, on the weights, and the number
// of rows in all (not of this block), which fix the grids.
struct SqGrids {
    double top;
    double weight_top;
    double n_rows;
};
constexpr std::size_t kSqGrids = 3;

// Adds weight * ||x - center||^2 of every row to totals (kSqGrids); labels null: centers is one
// row. Totals of different blocks add exactly.
template <class T>
void add_sq_diff(Team& team, const Kernels& kernels, Rows<T> rows, const double* centers,
                 const std::int32_t* labels, SqGrids grids, double* totals);

struct SumSq {
    Dd sum;
    double error;  // proven bound
};

SumSq finish_sq_diff(const double* totals, std::size_t d, SqGrids grids);

// out (n, k): canonical squared distances to every centroid.
template <class T>
void sq_distances(Team& team, const Kernels& kernels, Rows<T> rows, Centroids centroids,
                  double* out);

// out (n,): canonical squared distance to the own centroid.
template <class T>
void own_sq_distances(Team& team, const Kernels& kernels, Rows<T> rows, const double* centroids,
                      const std::int32_t* labels, double* out);

}  // namespace truemeans
