// Rows along few axes, which rule out candidates before the other features are read.
//
// For axes P that lengthen nothing (|P v| <= |v|) and what they leave out of a row a,
//     r(a) = sqrt(|a|^2 - |P a|^2),   |a - b|^2 >= |P a - P b|^2 + (r(a) - r(b))^2,
// because r is a seminorm: r(a - b) >= |r(a) - r(b)|. With one more coordinate, r, that is a
// score like any other, |b|^2 - 2 (P a . P b + r(a) r(b)), which is never above |b|^2 - 2 a.b. The
// bound is that of G. Hamerly's norms with axes for the first part (E. Raff, "Exact acceleration
// of k-means++ and k-means||", IJCAI 2021, uses norms alone).
//
// Error. A packed row a has coordinates y, float32 sums of d products, of 64 at a time, each within
// 1.01 c u |p_j| |a| of what it stands for, c = 64 + d / 64, u = 2^-24, so that all together are
// within
//     k |a|,  k = 1.02 c u sqrt(m).
// r is the root of a difference that errs by at most E = (2.02 k + 2 g) |a|^2, g the error of
// |a|^2 as in kernels/scores.inl.hpp, so r errs by at most min(sqrt(E), E / r) and its rounding to
// float32.
// The y are then whole numbers times a step of the row's own (kernels/along.inl.hpp). What that
// leaves out is summed up as it is rounded off, in float32, where each y / step is within 2.02 u of
// itself and the sum of m squares within 0.001 of itself; so it is within
//     1.001 sqrt(sum) step + 2^-22 |y|.
// The three together are the slip of a row. Products of coordinates with slips s(a) and s(b) err by
// at most |a| s(b) + |b| s(a) + s(a) s(b), and twice that is added to a row's limit. Sums of
// products of whole numbers are exact, and the few roundings from there to the score are fewer than
// those that the margin of whole scores covers.
//
// Numbers of 8 bits lose least where all of a line are about as large. Principal axes are anything
// but: so the axes are mixed, by a fixed turn that gives each its share of all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "aligned.hpp"
#include "kernels/kernels.hpp"
#include "panels.hpp"
#include "pass.hpp"
#include "team.hpp"

namespace truemeans {

struct Axes {
    std::size_t n, d, m;
    std::size_t lanes;                // of the target whose kernels they are for
    std::size_t words;                // of a line
    Frame frame;                      // rows and candidates are packed with
    Aligned<std::int32_t> lines;      // (n, words) of the packed rows
    std::vector<float> norms, slips;  // (n,)
    std::vector<float> steps, rests;  // (n,) and what fills up a vector of rows

    // axes: (m, d), shortened where they lengthen something; center (d,) and the largest squared
    // distance from it, which need not be exact, choose the frame.
    template <class T>
    Axes(Team& team, const Kernels& kernels, Rows<T> rows, const double* axes, std::size_t m,
         const double* center, double sq_radius);

    // Whether the rows could be packed; otherwise nothing is known of them.
    bool usable() const { return usable_; }
    // Whether they are of so many rows and features, for these kernels.
    bool fits(const Kernels& kernels, std::size_t n_rows, std::size_t n_features) const {
        return usable_ && n == n_rows && d == n_features && lanes == kernels.centroid_lanes;
    }

    // Candidates along the axes, for the kernel.
    struct Candidates {
        std::vector<std::int32_t> panels;  // [panel][words][lanes], as of -2 b
        std::vector<float> steps, rests;   // [panel][lanes]
        std::vector<std::int32_t> starts;  // [panel][lanes]
        double slip = 0.0;                 // the largest of any b
    };
    // Of rows from `first` on, and of candidates.
    Along rows_from(std::size_t first) const {
        return {lines.data() + first * words, words, steps.data() + first, rests.data() + first,
                nullptr};
    }
    Along from(const Candidates& candidates, std::size_t first) const {
        return {candidates.panels.data() + first * words, words, candidates.steps.data() + first,
                candidates.rests.data() + first, candidates.starts.data() + first};
    }
    // packed: (k, d) of -2 b.
    Candidates lay_out(const Kernels& kernels, const float* packed, std::size_t k) const;

  private:
    // The axes, each with its share of all.
    std::vector<float> mixed(const Kernels& kernels, const std::vector<float>& unit) const;
    // What to multiply the axes by, panels_ holding them as they are, so that they lengthen nothing.
    float shortening(const Kernels& kernels, const std::vector<float>& unit) const;
    // Panels of rows (count, width), times a factor.
    std::vector<float> panels_of(const std::vector<float>& rows, std::size_t count,
                                 std::size_t width, float factor) const;

    struct Line {
        float step, rest, slip;
        std::int32_t sum;
    };
    // A packed row, by its coordinates (m): out (words).
    Line line(const Kernels& kernels, float* coordinates, double sq_norm, std::int32_t bias,
              std::int32_t* out) const;

    std::vector<float> panels_;  // of the axes, for the kernel
    bool usable_ = false;
};

}  // namespace truemeans
