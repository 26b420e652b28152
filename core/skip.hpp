// Skipping rows: one number a row proves that it keeps its label.
//
// G. Hamerly, "Making k-means even faster", SDM 2010. When a row is scored, the distance to its
// own centroid is at most u and to every other at least l. While the own centroid travels t and
// no other farther than T, l - T > u + t proves that the label stays (triangle inequality).
// Stored is the slack l - u plus the travel of the label and the farthest travel so far, so
// nothing is rewritten for a row that is skipped: it is compared with today's travel.
#pragma once

#include "aligned.hpp"
#include "panels.hpp"
#include "travel.hpp"

namespace truemeans {

struct Skip {
    Aligned<float> slack;  // (n_rows,), which the first pass writes
    Travel travel;
    Frame frame;  // of the packed rows; distances are in its units
    bool started = false;
    bool is_first = false;  // of the passes since it started: every row is scored

    explicit Skip(std::size_t n_rows) : slack(n_rows) {}

    // Whether it can be about so many rows, centroids and features.
    bool fits(std::size_t n, std::size_t k, std::size_t d) const {
        return slack.size() == n &&
               (!started || (travel.of().size() == k && frame.center.size() == d));
    }
};

}  // namespace truemeans
