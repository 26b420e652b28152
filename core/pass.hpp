// One pass over a block of rows: assignment step and the moves it makes in the sums, fused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/kernels.hpp"
#include "team.hpp"

namespace truemeans {

// How the scores of a pass are laid out; the labels are the same for all.
// Tiles are for targets with a matrix unit; coarse ones hold first halves alone, or bytes.
enum class Scores { none, lanes_are_samples, lanes_are_centroids, tiles, coarse_tiles, byte_tiles };

template <class T>
struct Rows {
    const T* X;  // (n, d), row-major
    std::size_t n;
    std::size_t d;
    const double* weight;  // (n,) or null for ones
};

// The lines of so many rows from `first` on, or of what there is of them.
template <class T>
Ahead lines_ahead(const Rows<T>& rows, std::size_t first, std::size_t n) {
    if (first >= rows.n) return {nullptr, 0};
    const std::size_t bytes = rows.d * sizeof(T);
    return {reinterpret_cast<const char*>(rows.X + first * rows.d),
            (n < rows.n - first ? n : rows.n - first) * bytes / 64};
}

struct Centroids {
    const double* values;  // (k, d), row-major
    std::size_t k;
};

struct Outcome {
    std::size_t n_changed;  // rows whose label changed
    std::size_t n_settled;  // rows the scores could not decide
    std::size_t n_scored;   // pairs of a row and a group of centroids that were scored
};

// Joins what the threads did: their counts, and their sums into the caller's. Thread 0 added
// straight into these; additions are exact, so the order does not show.
template <class Scratch>
Outcome join(const std::vector<Scratch>& threads, double* sums) {
    Outcome outcome{0, 0, 0};
    for (const Scratch& t : threads) {
        outcome.n_changed += t.n_changed;
        outcome.n_settled += t.n_settled;
        outcome.n_scored += t.n_scored;
        for (std::size_t i = 0; i < t.sums.size(); ++i) sums[i] += t.sums[i];
    }
    return outcome;
}

struct Skip;
class PackedRows;

// Labels every row by canonical distance (in/out labels: -1 for a row not seen before) and
// moves the rows that changed in sums (k, n_grids, d + 1), unless sums is null. block_rows: rows
// a thread takes at a time, 0 for a size that fits the caches. keeps: that most rows are likely
// to keep their label. skip: what earlier passes know about the rows, null for nothing. packed:
// where byte tiles keep the rows, without skip, null to pack them anew. The labels are the same.
template <class T>
Outcome assign(Team& team, const Kernels& kernels, Rows<T> rows, Centroids centroids,
               Scores scores, std::size_t block_rows, bool keeps, Skip* skip, PackedRows* packed,
               Grids grids, std::int32_t* labels, double* sums);

// Adds every row to the cluster of its label in sums (k, n_grids, d + 1).
template <class T>
void add_rows(Team& team, const Kernels& kernels, Rows<T> rows, const std::int32_t* labels,
              Grids grids, double* sums, std::size_t k);

}  // namespace truemeans
