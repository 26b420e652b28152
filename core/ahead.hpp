// Rounds of k-means++ drawn ahead, over rows of few features in memory.
//
// One pass scores all that was drawn: for each candidate, which rows it may be closer to than all
// centroids so far, one bit each, and what it would gain, between two bounds. So a round mostly
// knows its winner without a canonical distance; where the bounds of two overlap, the exact gains
// of these decide. Canonical distances are for the rows that a winner comes closer to, and for
// those among them that a candidate of a later round would have come closer to as well: its gain
// shrinks.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/kernels.hpp"
#include "pass.hpp"
#include "seeding.hpp"
#include "team.hpp"

namespace truemeans {

constexpr std::size_t kRowsAWord = 64;
constexpr std::size_t words_of_marks(std::size_t n) { return (n + kRowsAWord - 1) / kRowsAWord; }

// What play_rounds does with all pairs of these rows (closer.hpp), and the same answer; at most
// 65,535 proposals. scored: false to let exact gains decide every round. marks: scratch,
// words_of_marks(n) for each proposal.
template <class T>
Played play_ahead(Team& team, const Kernels& kernels, Rows<T> rows, Proposals proposals,
                  bool scored, double scale, std::size_t n_trials, std::size_t n_rounds,
                  std::uint64_t* marks, Nearest nearest, std::int32_t first);

}  // namespace truemeans
