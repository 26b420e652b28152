// Few features: rows in boxes. They are put once in the order of a Morton curve through a grid, by
// a counting sort, and every so many neighbours get a box. Equal rows, next to each other then,
// are kept once; their copies count in the sums, exactly.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "aligned.hpp"
#include "curve.hpp"
#include "pass.hpp"

namespace truemeans {

constexpr double kFoldBelow = 0.8;       // equal rows are folded if at most so many are left
// Draws look among a cell's rows by value as they meet it; cells of more rows, where that would take
// a fifth of a millisecond, are sorted beforehand.
constexpr std::size_t kLooseRows = 1 << 13;

// A block of rows in the order of the curve, with everything a pass needs of them.
template <class T>
struct Boxes {
    Curve<T> curve;
    std::size_t per_box;
    bool weighted;
    std::size_t n;                     // rows, each once where they are folded
    Aligned<std::int32_t> order;       // number of each sorted row in the block
    Aligned<T> X;                      // (n, d) sorted, and each row once where that saves much
    Aligned<std::int32_t> first;       // (n + 1,) where in order the copies of each row begin; empty
                                       // where rows are not folded
    std::vector<double> low, high;     // (n_boxes, d)
    std::vector<std::int32_t> owner;   // (n_boxes,) the label of all its rows, -1 for several
    std::size_t k = 0;                 // centroids of the run, 0 before the first

    // by_value: more than kLooseRows rows of one cell of the grid are sorted by value, from the
    // first feature on, and equal ones by number; so are fewer where that brings many equal ones
    // together. With the other cells sorted likewise only the set of rows decides the order.
    Boxes(Team& team, const Kernels& kernels, Rows<T> rows, bool by_value);

    // Makes room for labels of so many centroids, or forgets those of the run before.
    void restart(std::size_t n_clusters);

    // Labels of m rows from `begin` on in the order of the boxes, -1 before the first pass.
    void read_labels(std::size_t begin, std::size_t m, std::int32_t* out) const;
    void write_labels(std::size_t begin, std::size_t m, const std::int32_t* labels);

  private:
    // One more than the label: its lower half, and its upper half where one may be needed.
    Aligned<std::uint16_t> lower_, upper_;

    void sort(Team& team, Rows<T> rows, bool by_value);
    void sort_cells(Team& team, const Aligned<std::int32_t>& keys, std::size_t d);
    bool has_twins(const Aligned<std::int32_t>& keys, std::size_t d) const;
    void fold(Team& team, std::size_t d);
    void measure(Team& team, std::size_t d);
};

}  // namespace truemeans
