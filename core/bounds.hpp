// Skipping what cannot matter: per-row bounds kept between passes, by groups of centroids.
//
// G. Hamerly, "Making k-means even faster", SDM 2010 (one lower bound a row); Y. Ding et al.,
// "Yinyang k-means", ICML 2015 (one lower bound a group of centroids). For a row x with label j
//     u >= ||x - c_j||      and      l_g <= ||x - c_i|| for every i != j in group g.
// When centroids move by t_i, u + t_j and l_g - max t_i (i in g) still hold, by the triangle
// inequality. A group with l_g > u cannot hold the nearest centroid; a row all of whose groups
// are ruled out keeps its label without being read.
//
// A third number makes late passes nearly free: the slack, least lower bound less upper bound.
// No pass can lower it by more than twice the farthest move of any centroid, so a row whose slack
// exceeds the sum of these since it was last looked at is not looked at again.
//
// Nothing is rewritten for rows and groups that are skipped: u is stored less the distance its
// centroid has travelled so far, l_g plus the distance its group has travelled so far (the sum
// of the passes' largest), so that adding today's travel brings both up to date. l_g is kept in
// 16 bits, cut towards zero. Bounds are made from scores (kernels/scores.inl.hpp) widened by
// the margin that covers their error, and every later rounding is given 2^-22 of slack.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "panels.hpp"
#include "pass.hpp"
#include "travel.hpp"

namespace truemeans {

// Centroids in groups of neighbours, each group a whole number of panels.
struct Groups {
    std::size_t n_groups = 0;
    std::size_t n_slots = 0;                // places a group has, padding included
    std::vector<std::int32_t> centroid_of;  // (n_groups * n_slots,), -1 for padding
    std::vector<std::int32_t> slot_of;      // (n_clusters,)

    // At most most_groups groups of neighbours; lanes: centroids a panel.
    Groups(Centroids centroids, std::size_t d, std::size_t most_groups, std::size_t lanes);
    std::size_t group_of(std::int32_t centroid) const {
        return static_cast<std::size_t>(slot_of[static_cast<std::size_t>(centroid)]) / n_slots;
    }
};

// Farther than any distance in a frame's units, for an upper bound that says nothing.
constexpr float kFarDistance = 1.0e19f;

// The bounds of one block of rows during one run.
struct Bounds {
    Groups groups;
    std::size_t stride;                // lower bounds a row has: n_groups padded to 8
    std::vector<float> upper;          // (n_rows,) less travel of the row's centroid
    std::vector<std::uint16_t> lower;  // (n_rows, stride) plus travel of the group
    std::vector<float> slack;          // (n_rows,) plus 2 * travel.farthest()
    Travel travel;
    std::vector<float> group_travel;   // (stride,) sums of the groups' farthest moves, rounded up
    Frame frame;                       // of the packed rows; distances are in its units
    bool started = false;

    Bounds(const Kernels& kernels, Centroids centroids, std::size_t n_rows, std::size_t d,
           std::size_t most_groups);

    // Whether they are about so many rows, centroids and features.
    bool fits(std::size_t n, std::size_t k, std::size_t d) const {
        return upper.size() == n && groups.slot_of.size() == k && d_ == d;
    }
    // Starts from frame, at these centroids, with bounds that rule nothing out.
    void start(Centroids centroids, Frame frame);
    // Adds how far the centroids moved since the last pass.
    void advance(Centroids centroids);

  private:
    std::size_t d_;
    std::vector<double> exact_group_travel_;
};

// As assign(), with the bounds deciding what is scored. The labels are the same.
template <class T>
Outcome assign_bounded(Team& team, const Kernels& kernels, Rows<T> rows, Centroids centroids,
                       Bounds& bounds, Grids grids, std::int32_t* labels, double* sums);

}  // namespace truemeans
