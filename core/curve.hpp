// The order of rows of few features along a Morton curve (G. M. Morton, IBM, 1966): rows next to
// each other on the curve are near each other in space.
#pragma once

#include <cstdint>
#include <vector>

#include "aligned.hpp"
#include "pass.hpp"

namespace truemeans {

// Where the cells of a grid over the rows' ranges, 2^24 in all, are on the curve through it.
template <class T>
class Curve {
  public:
    Curve(Team& team, const Kernels& kernels, Rows<T> rows);

    // The place of the cell that a row x is in.
    std::uint32_t place(const T* x) const {
        if (d_ == 1) return cell(x, 0);
        std::uint32_t key = 0;
        for (std::size_t f = 0; f < d_; ++f) key |= spread_[cell(x, f)] << f;
        return key;
    }

  private:
    std::uint32_t cell(const T* x, std::size_t f) const {
        return static_cast<std::uint32_t>((static_cast<double>(x[f]) - low_[f]) * scale_[f]);
    }

    std::size_t d_;
    unsigned bits_;
    std::vector<double> low_, scale_;
    std::vector<std::uint32_t> spread_;  // bits of a cell's number, d places apart
};

// Numbers of the rows, sorted by the place of their cell on the curve, and those places.
struct CurveOrder {
    Aligned<std::int32_t> keys;
    Aligned<std::int32_t> rows;
};
template <class T>
CurveOrder curve_order(Team& team, const Curve<T>& curve, Rows<T> rows);

}  // namespace truemeans
