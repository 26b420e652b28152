// Rounds of k-means++ over few rows, turned block by block: lanes are rows, and each row's
// canonical distance is summed from first feature to last. Compiled as exact code.
#pragma once

#include "kernels.hpp"
#include "lanes.inl.hpp"
#include "vocabulary.hpp"

namespace {

// Vectors at a time, so that an addition need not wait for the one before.
constexpr size_t kRoundVectors = truemeans::kRoundRows / 8;

struct RoundRows {
    Vec8 of[kRoundVectors];
};

// Canonical squared distances of one block.
inline RoundRows block_sq_dist(const double* block, size_t d, const double* candidate) {
    RoundRows sum{};
    for (size_t f = 0; f < d; ++f)
        for (size_t v = 0; v < kRoundVectors; ++v) {
            const Vec8 e = load8(block + f * truemeans::kRoundRows + v * 8) - candidate[f];
            sum.of[v] += e * e;
        }
    return sum;
}

// To the nearest integer, for values below 2^51.
inline Vec8 round_integers(Vec8 v) {
    constexpr double kMagic = 6755399441055744.0;  // 1.5 * 2^52
    return (v + kMagic) - kMagic;
}

inline double add_lanes(Vec8 v) {
    double sum = 0.0;
    for (size_t lane = 0; lane < 8; ++lane) sum += v[lane];
    return sum;
}

void round_gains(const double* blocks, size_t n, size_t d, const double* candidates, size_t m,
                 const double* scaled, const double* closest, const double* masses,
                 double* gains) {
    for (size_t j = 0; j < m; ++j) gains[j] = 0.0;
    for (size_t i = 0; i < n; i += truemeans::kRoundRows)
        for (size_t j = 0; j < m; ++j) {
            const RoundRows far = block_sq_dist(blocks + i * d, d, candidates + j * d);
            Vec8 gain{};
            for (size_t v = 0; v < kRoundVectors; ++v) {
                const Vec8 now = load8(closest + i + v * 8);
                const Vec8 least = far.of[v] < now ? far.of[v] : now;
                gain += load8(masses + i + v * 8) -
                        round_integers(load8(scaled + i + v * 8) * least);
            }
            gains[j] += add_lanes(gain);
        }
}

// Rows of a box from number i on: eight, or the n that are left. kFeatures: how many; kPlain: rows
// have no weights and no copies.
template <class T, size_t kFeatures, bool kPlain>
struct BoxEight {
    const truemeans::BoxRows<T>& rows;
    size_t i, n = 8;

    Vec8 sq_dist(const double* candidate) const {
        Vec8 sum{};
        for (size_t f = 0; f < kFeatures; ++f) {
            const Vec8 e = load_some(rows.columns + f * rows.n + i, n) - candidate[f];
            sum += e * e;
        }
        return sum;
    }
    Vec8 costs(const double* of_rows) const { return load_some(of_rows + i, n); }
    // Masses of so many rows at these costs; nothing for those that are not there.
    Vec8 masses(Vec8 costs) const {
        if (kPlain) return round_integers(costs * rows.scale);
        const Vec8 weight =
            (rows.weight ? load_some(rows.weight + i, n) : Vec8{} + 1.0) * rows.scale;
        const Vec8 each = round_integers(weight * costs);
        return rows.first ? each * copies() : each;
    }
    Vec8 copies() const {
        int32_t few[9] = {};
        const int32_t* first = rows.first + i;
        if (n < 8) {
            for (size_t e = 0; e <= n; ++e) few[e] = first[e];
            first = few;
        }
        return __builtin_convertvector(load8_bits(first + 1) - load8_bits(first), Vec8);
    }
};

// The kernel for so many features and what rows have, of the six that `of` makes.
template <class T, class Of>
auto for_box(const truemeans::BoxRows<T>& rows, const Of& of) {
    const auto with = [&]<size_t kFeatures>() {
        return rows.weight || rows.first ? of.template operator()<kFeatures, false>()
                                         : of.template operator()<kFeatures, true>();
    };
    if (rows.d == 1) return with.template operator()<1>();
    return rows.d == 2 ? with.template operator()<2>() : with.template operator()<3>();
}

template <class T>
double box_left(truemeans::BoxRows<T> rows, const double* candidate, const double* costs) {
    return for_box(rows, [&]<size_t kFeatures, bool kPlain>() {
        typedef BoxEight<T, kFeatures, kPlain> Eight;
        const auto left = [&](const Eight& eight) {
            const Vec8 now = eight.costs(costs), far = eight.sq_dist(candidate);
            return eight.masses(lesser8(far, now));
        };
        Vec8 sum{};
        size_t i = 0;
        for (; i + 8 <= rows.n; i += 8) sum += left(Eight{rows, i});
        if (i < rows.n) sum += left(Eight{rows, i, rows.n - i});
        return add_lanes(sum);
    });
}

template <class T>
double box_masses(truemeans::BoxRows<T> rows, const double* candidate, double* costs,
                  double* top) {
    return for_box(rows, [&]<size_t kFeatures, bool kPlain>() {
        typedef BoxEight<T, kFeatures, kPlain> Eight;
        Vec8 sum{}, most{};
        const auto lower = [&](const Eight& eight) {
            Vec8 now = eight.costs(costs);
            if (candidate) {
                const Vec8 far = eight.sq_dist(candidate);
                now = lesser8(far, now);
                store_some(costs + eight.i, now, eight.n);
            }
            sum += eight.masses(now);
            most = larger8(now, most);
        };
        size_t i = 0;
        for (; i + 8 <= rows.n; i += 8) lower(Eight{rows, i});
        if (i < rows.n) lower(Eight{rows, i, rows.n - i});
        *top = 0.0;
        for (size_t lane = 0; lane < 8; ++lane) *top = most[lane] > *top ? most[lane] : *top;
        return add_lanes(sum);
    });
}

// Squared distances of boxes to a candidate, eight at a time. Differences, products and sums are
// rounded monotonically: the nearest point of a box is no farther, computed like this, than the
// canonical distance of any row of it.
class BoxGaps {
  public:
    BoxGaps(const double* low, const double* high, size_t stride, size_t d,
            const double* candidate)
        : low_(low), high_(high), stride_(stride), d_(d) {
        for (size_t f = 0; f < d; ++f) candidate_[f] = Vec8{} + candidate[f];
    }

    Vec8 at(size_t i) const {
        Vec8 sum{};
        for (size_t f = 0; f < d_; ++f) {
            const Vec8 below = load8(low_ + f * stride_ + i) - candidate_[f];
            const Vec8 above = candidate_[f] - load8(high_ + f * stride_ + i);
            const Vec8 e = larger8(larger8(below, above), Vec8{});
            sum += e * e;
        }
        return sum;
    }

  private:
    const double *low_, *high_;
    size_t stride_, d_;
    Vec8 candidate_[truemeans::kBoxFeatures];  // in all lanes
};

size_t boxes_near(const double* low, const double* high, size_t stride, size_t n, size_t d,
                  const double* candidate, const double* top, int32_t* list) {
    const BoxGaps gaps(low, high, stride, d, candidate);
    size_t n_near = 0;
    for (size_t i = 0; i < n; i += 8)
        n_near = append_bits(lane_bits8(gaps.at(i) < load8(top + i)), i, list, n_near);
    return n_near;
}

// A row of cost c in a box at squared distance g is lowered by c - g at most, which is c (1 - g / c),
// and c is at most the box's largest. Boxes that are not near promise nothing.
double boxes_worth(const double* low, const double* high, size_t stride, size_t n, size_t d,
                   const double* candidate, const double* sums, const double* slopes) {
    const BoxGaps gaps(low, high, stride, d, candidate);
    Vec8 worth{};
    for (size_t i = 0; i < n; i += 8)
        worth += larger8(load8(sums + i) - gaps.at(i) * load8(slopes + i), Vec8{});
    return add_lanes(worth);
}

void round_lower(const double* blocks, size_t n, size_t d, const double* candidate,
                 double* closest) {
    for (size_t i = 0; i < n; i += truemeans::kRoundRows) {
        const RoundRows far = block_sq_dist(blocks + i * d, d, candidate);
        for (size_t v = 0; v < kRoundVectors; ++v) {
            const Vec8 now = load8(closest + i + v * 8);
            store8(closest + i + v * 8, far.of[v] < now ? far.of[v] : now);
        }
    }
}

void round_masses(const double* scaled, const double* closest, size_t n, double* masses,
                  double* sums) {
    for (size_t i = 0; i < n; i += truemeans::kRoundRows) {
        Vec8 sum{};
        for (size_t v = 0; v < kRoundVectors; ++v) {
            const Vec8 mass =
                round_integers(load8(scaled + i + v * 8) * load8(closest + i + v * 8));
            store8(masses + i + v * 8, mass);
            sum += mass;
        }
        sums[i / truemeans::kRoundRows] = add_lanes(sum);
    }
}

}  // namespace
