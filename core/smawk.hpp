// The least entry of every row of a totally monotone matrix, in time linear in rows + columns.
// A. Aggarwal, M. M. Klawe, S. Moran, P. Shor, R. Wilber, "Geometric applications of a
// matrix-searching algorithm", Algorithmica 2 (1987), 195-208.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace truemeans {

// Totally monotone: where the left of two columns is larger in one row, it is not smaller in any
// row below. entry(row, column) may be infinite at the right end of a row; the leftmost of equal
// entries wins.
//
// With entries that err by at most e, a column is only dropped for one that is larger by at most
// 2e; such steps chain at most once a column, so what is found is within 2e (columns + 1) of the
// least.
template <class Entry>
class RowMinima {
  public:
    RowMinima(const Entry& entry, std::int32_t* argmin) : entry_(entry), argmin_(argmin) {}

    void find(std::size_t n_rows, std::size_t n_columns) {
        std::vector<std::int32_t> columns(n_columns);
        for (std::size_t c = 0; c < n_columns; ++c) columns[c] = static_cast<std::int32_t>(c);
        among(0, 1, n_rows, columns);
    }

  private:
    using Columns = std::vector<std::int32_t>;

    // Rows first, first + stride, ... (count of them).
    void among(std::size_t first, std::size_t stride, std::size_t count, const Columns& columns) {
        if (count == 0) return;
        const Columns kept = columns.size() > count ? reduced(first, stride, count, columns)
                                                    : columns;
        among(first + stride, 2 * stride, count / 2, kept);
        // The odd rows are done; each even one lies between its neighbours.
        std::size_t at = 0;
        for (std::size_t i = 0; i < count; i += 2) {
            const std::size_t row = first + i * stride;
            const std::int32_t last = i + 1 < count ? argmin_[row + stride] : kept.back();
            std::int32_t best = kept[at];
            auto least = entry_(row, static_cast<std::size_t>(best));
            while (kept[at] != last) {
                const std::int32_t c = kept[++at];
                const auto value = entry_(row, static_cast<std::size_t>(c));
                if (value < least) {
                    least = value;
                    best = c;
                }
            }
            argmin_[row] = best;
        }
    }

    // At most one column a row: column i of the stack is where row i may have its least entry.
    Columns reduced(std::size_t first, std::size_t stride, std::size_t count,
                    const Columns& columns) const {
        Columns stack;
        stack.reserve(count);
        for (const std::int32_t c : columns) {
            while (!stack.empty()) {
                const std::size_t row = first + (stack.size() - 1) * stride;
                const auto top = static_cast<std::size_t>(stack.back());
                if (!(entry_(row, static_cast<std::size_t>(c)) < entry_(row, top))) break;
                stack.pop_back();
            }
            if (stack.size() < count) stack.push_back(c);
        }
        return stack;
    }

    const Entry& entry_;
    std::int32_t* argmin_;
};

template <class Entry>
void row_minima(std::size_t n_rows, std::size_t n_columns, const Entry& entry,
                std::int32_t* argmin) {
    RowMinima<Entry>(entry, argmin).find(n_rows, n_columns);
}

}  // namespace truemeans
