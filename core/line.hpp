// Sorted values of one feature: what a cluster of consecutive ones costs, and where clusters
// would lie if they were many.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "double_double.hpp"

namespace truemeans {

// Distinct values, increasing, with the weight of each, above zero.
struct SortedValues {
    const double* values;
    const double* weights;
    std::size_t n;
};

// The sums of the values before a place, about the mean of all.
struct Prefix {
    Dd w, wx, wxx;
};

inline double difference(Dd a, Dd b) { return (a.hi - b.hi) + (a.lo - b.lo); }

// The cost of a cluster that holds the values [i, j).
class Costs {
  public:
    explicit Costs(SortedValues s) : sums_(s.n + 1), values_(s.values) {
        Dd w, wx;
        for (std::size_t i = 0; i < s.n; ++i) {
            w = w + Dd{s.weights[i], 0.0};
            wx = wx + two_product(s.weights[i], s.values[i]);
        }
        middle_ = wx.hi / w.hi;
        for (std::size_t i = 0; i < s.n; ++i) {
            const Dd x = two_sum(s.values[i], -middle_);
            const Dd term = Dd{s.weights[i], 0.0} * x;
            sums_[i + 1] = {sums_[i].w + Dd{s.weights[i], 0.0}, sums_[i].wx + term,
                            sums_[i].wxx + term * x};
        }
    }

    std::size_t n() const { return sums_.size() - 1; }
    double value(std::size_t i) const { return values_[i]; }
    double weight(std::size_t i, std::size_t j) const { return sums_[j].w.hi - sums_[i].w.hi; }
    double total() const { return sums_.back().wxx.hi; }

    double mean(std::size_t i, std::size_t j) const {
        const Prefix &a = sums_[i], &b = sums_[j];
        const Dd m = (b.wx - a.wx) / (b.w - a.w) + Dd{middle_, 0.0};
        return m.hi + m.lo;
    }

    // Errs by at most 16 * 2^-53 of the cluster's share of total().
    void cost(std::size_t i, std::size_t j, double& out) const {
        const Prefix &a = sums_[i], &b = sums_[j];
        const double wx = difference(b.wx, a.wx);
        out = difference(b.wxx, a.wxx) - wx * (wx / difference(b.w, a.w));
    }

    // Errs by at most 2^-98 of total().
    void cost(std::size_t i, std::size_t j, Dd& out) const {
        const Prefix &a = sums_[i], &b = sums_[j];
        const Dd wx = b.wx - a.wx;
        out = (b.wxx - a.wxx) - wx * (wx / (b.w - a.w));
    }

  private:
    std::vector<Prefix> sums_;
    const double* values_;
    double middle_ = 0.0;
};

// Places at equal steps of the cube root of the density, along which the clusters of least inertia
// would lie if they were many (P. F. Panter, W. Dite 1951). The density is taken between every
// so many values.
class Ruler {
  public:
    explicit Ruler(const Costs& costs)
        : n_(costs.n()), n_marks_(std::min(n_ - 1, kMarks)), marks_(n_marks_ + 1) {
        for (std::size_t m = 0; m < n_marks_; ++m) {
            const std::size_t a = mark(m), b = mark(m + 1);
            const double width = costs.value(b) - costs.value(a);
            marks_[m + 1] = marks_[m] + std::cbrt(width * width * costs.weight(a, b));
        }
    }

    // How many values lie before the given share of the way.
    std::size_t place(double share) const {
        const double at = share * marks_.back();
        const auto above = std::upper_bound(marks_.begin(), marks_.end(), at);
        if (above == marks_.end()) return n_;
        const auto m = static_cast<std::size_t>(above - marks_.begin()) - 1;
        const double part = (at - marks_[m]) / (marks_[m + 1] - marks_[m]);
        const std::size_t a = mark(m), b = mark(m + 1);
        return a + static_cast<std::size_t>(part * static_cast<double>(b - a));
    }

  private:
    static constexpr std::size_t kMarks = 65536;
    std::size_t mark(std::size_t m) const { return (n_ - 1) * m / n_marks_; }

    std::size_t n_, n_marks_;
    std::vector<double> marks_;
};

}  // namespace truemeans
