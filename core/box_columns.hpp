// Rows in boxes, turned to columns within each box while k-means++ draws among them, and where
// each row, its copies and its cell of the grid are.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "boxes.hpp"
#include "team.hpp"

namespace truemeans {

template <class T>
class BoxColumns {
  public:
    // Turns the rows, which `turn_back` undoes.
    BoxColumns(Team& team, Boxes<T>& boxes, std::size_t d) : boxes_(boxes), d_(d) {
        turn(team, true);
    }
    void turn_back(Team& team) { turn(team, false); }

    std::size_t n_boxes() const { return boxes_.owner.size(); }
    double n_copies() const { return static_cast<double>(boxes_.order.size()); }
    std::size_t first_of(std::size_t box) const { return box * boxes_.per_box; }
    std::size_t rows_of(std::size_t box) const {
        return std::min(boxes_.per_box, boxes_.n - first_of(box));
    }
    const T* columns_of(std::size_t box) const { return boxes_.X.data() + first_of(box) * d_; }
    // Where the copies of a box's rows begin, null where rows are not folded.
    const std::int32_t* copies_of(std::size_t box) const {
        return boxes_.first.empty() ? nullptr : boxes_.first.data() + first_of(box);
    }

    std::array<T, kBoxFeatures> values(std::size_t row) const {
        const std::size_t box = row / boxes_.per_box, n = rows_of(box);
        std::array<T, kBoxFeatures> out{};
        for (std::size_t f = 0; f < d_; ++f)
            out[f] = columns_of(box)[f * n + (row - first_of(box))];
        return out;
    }
    // Where the copies of a row begin in the order of the boxes; `row` may be one past the last.
    std::size_t first_copy(std::size_t row) const {
        return boxes_.first.empty() ? row : static_cast<std::size_t>(boxes_.first[row]);
    }
    double copies(std::size_t row) const {
        return boxes_.first.empty() ? 1.0 : boxes_.first[row + 1] - boxes_.first[row];
    }
    // The row that has this copy.
    std::size_t row_with(std::size_t copy) const {
        if (boxes_.first.empty()) return copy;
        const auto after = std::upper_bound(boxes_.first.begin(), boxes_.first.end(),
                                            static_cast<std::int32_t>(copy));
        return static_cast<std::size_t>(after - boxes_.first.begin()) - 1;
    }

    // Where the cell of a row begins, or ends: cells stand in the order of the curve.
    std::size_t cell_end(std::size_t row, bool after) const {
        const std::uint32_t cell = cell_of(row);
        std::size_t step = 1;
        const std::size_t most = after ? boxes_.n - 1 - row : row;
        const auto there = [&](std::size_t away) { return after ? row + away : row - away; };
        std::size_t away = 0;  // so far, rows are of the cell
        for (; away + step <= most && cell_of(there(away + step)) == cell; step *= 2) away += step;
        for (; step > 0; step /= 2)
            if (away + step <= most && cell_of(there(away + step)) == cell) away += step;
        return after ? there(away) + 1 : there(away);
    }

  private:
    std::uint32_t cell_of(std::size_t row) const {
        return boxes_.curve.place(values(row).data());
    }

    void turn(Team& team, bool to_columns) {
        team.run(n_boxes(), 64, [&](std::size_t, std::size_t begin, std::size_t end) {
            std::vector<T> line(boxes_.per_box * d_);
            for (std::size_t box = begin; box < end; ++box) {
                const std::size_t n = rows_of(box);
                T* x = boxes_.X.data() + first_of(box) * d_;
                std::copy_n(x, n * d_, line.data());
                for (std::size_t i = 0; i < n; ++i)
                    for (std::size_t f = 0; f < d_; ++f)
                        if (to_columns)
                            x[f * n + i] = line[i * d_ + f];
                        else
                            x[i * d_ + f] = line[f * n + i];
            }
        });
    }

    Boxes<T>& boxes_;
    std::size_t d_;
};

}  // namespace truemeans
