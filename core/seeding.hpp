// What seeding asks of the rows. All of it is order-free or per row, so a draw depends on the
// rows' contents and not on their order, the threads or the blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "aligned.hpp"
#include "kernels/kernels.hpp"
#include "pass.hpp"
#include "team.hpp"

namespace truemeans {

// keys (n,): a fixed linear function of each row's values; the order of draws begins with it.
template <class T>
void row_keys(Team& team, const Kernels& kernels, Rows<T> rows, double* keys);

// The centroids so far: closest (n,), the squared distance of each row to the nearest, and which
// that is (n,), the first of equals.
struct Nearest {
    double* closest;
    std::int32_t* which;

    void lower(std::size_t row, double sq_dist, std::int32_t number) const {
        if (!(sq_dist < closest[row])) return;
        closest[row] = sq_dist;
        which[row] = number;
    }
};

// Takes one more centroid, of this number, into account; number 0 is the first, which is the nearest
// whatever was there. Returns the largest weight * closest.
template <class T>
double lower_closest(Team& team, const Kernels& kernels, Rows<T> rows, const double* centroid,
                     Nearest nearest, std::int32_t number);

// Takes many more centroids into account, numbered from first on; labels (n,) say which of them is
// nearest to each row.
template <class T>
void lower_by_labels(Team& team, const Kernels& kernels, Rows<T> rows, const double* centroids,
                     const std::int32_t* labels, Nearest nearest, std::int32_t first);

// Adds to gains (n_candidates,) by how much each candidate would lower the total of the integer
// masses round(weight * closest * scale) (see add_bucket_masses).
template <class T>
void add_gains(Team& team, const Kernels& kernels, Rows<T> rows, Centroids candidates,
               const double* closest, double scale, double* gains);

// Integer masses for a draw, round(weight * closest * scale), added up by bucket into sums
// (n_buckets,); scale is a power of two that keeps their sum below 2^51. weight or closest null:
// ones.
void add_bucket_masses(Team& team, std::size_t n, const double* weight, const double* closest,
                       double scale, const std::uint16_t* buckets, double* sums,
                       std::size_t n_buckets);

// Rows by stretches of their keys. of_row (n,): how many of the increasing splitters are at most
// the row's key; order (n,): all rows, bucket by bucket, those of one in their own order; ends
// (n_splitters + 1,): where each bucket ends in it.
struct Buckets {
    Aligned<std::uint16_t> of_row;
    Aligned<std::int32_t> order;
    std::vector<std::int64_t> ends;
};

Buckets sort_into_buckets(Team& team, const double* keys, std::size_t n, const double* splitters,
                          std::size_t n_splitters);

// Rows drawn ahead of time, in the order drawn: number g is accepted if
// u[g] * start[g] <= closest[rows[g]], which makes up for what closest was when it was drawn.
struct Proposals {
    const std::int32_t* rows;
    const double* start;  // closest of the row when it was drawn
    const double* u;      // uniform in [0, 1)
    std::size_t n;
};

// The pairs that may lower closest, by proposal (closer.hpp).
struct PairsView {
    const std::int64_t* starts;
    const std::int32_t* rows;
    const double* sq_dist;
};

struct Played {
    std::vector<std::int32_t> winners;  // proposals kept, one a round
    std::size_t next;                   // the first proposal that no round has used
    double gain;                        // by which the total of masses fell
};

// The next proposals to compete, at most n_trials of them; empty if they do not suffice.
std::vector<std::size_t> next_trials(const Proposals& proposals, const double* closest,
                                     std::size_t from, std::size_t n_trials);

// Plays rounds of greedy k-means++ while the proposals last: the next n_trials accepted ones
// compete, the one that lowers the total of masses most (the first of equals) is kept. first: the
// number of the first one kept.
Played play_rounds(Team& team, Proposals proposals, PairsView pairs, const double* weight,
                   double scale, std::size_t n_trials, std::size_t n_rounds, Nearest nearest,
                   std::int32_t first);

}  // namespace truemeans
