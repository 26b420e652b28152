// Which rows would be closer to a candidate than to any centroid so far, and how close: the few
// pairs that seeding has to know. Scores rule out the others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "axes.hpp"
#include "kernels/kernels.hpp"
#include "pass.hpp"
#include "team.hpp"

namespace truemeans {

// Pairs of a row and a candidate, by candidate: those of candidate j are [starts[j], starts[j+1])
// in no particular order.
struct Closer {
    bool complete = false;  // false: there were more pairs than allowed, and none are kept
    std::vector<std::int64_t> starts;  // (k + 1,)
    std::vector<std::int32_t> rows;
    std::vector<double> sq_dist;  // canonical
};

// All pairs whose canonical squared distance is below closest (n,), of rows with weight.
// At most `most` pairs; block_rows: rows a thread takes at a time, 0 for a size that fits the
// caches. axes: of these rows, null for none; they take the place of scores.
template <class T>
Closer find_closer(Team& team, const Kernels& kernels, Rows<T> rows, Centroids candidates,
                   const double* closest, Scores scores, const Axes* axes,
                   std::size_t block_rows, std::size_t most);

}  // namespace truemeans
