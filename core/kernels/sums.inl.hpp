// Order-free sums (pre-rounding, Demmel & Nguyen 2013): every addend is split once against
// fixed grids, each so coarse that float64 additions of its multiples are exact, so the total
// does not depend on the order, the threads or the blocks.
//
// A value v is rounded to a grid of spacing g by (v + M) - M with M = 1.5 * 2^52 g, exact for
// |v| < 2^51 g; the remainder |v - t| <= g / 2 goes on to the next grid. The spacings are chosen
// by the caller (grids.hpp) so that all partial sums stay below 2^53 g. What the last grid
// rounds away is below 2^-100 of the feature's largest value.
#pragma once

#include "errors.inl.hpp"
#include "kernels.hpp"
#include "vocabulary.hpp"

namespace {

template <class V>
inline void move_value(V v, const double* magic, size_t width, size_t n_grids, double* from,
                       double* to, size_t stride) {
    for (size_t g = 0; g < n_grids; ++g) {
        const V m = read(magic + g * width, static_cast<V*>(nullptr));
        const V t = (v + m) - m;
        v -= t;
        double* in = to + g * stride;
        write(in, read(in, static_cast<V*>(nullptr)) + t);
        if (from) {
            double* out = from + g * stride;
            write(out, read(out, static_cast<V*>(nullptr)) - t);
        }
    }
}

template <bool kWeighted, class T>
inline void move_row(const T* x, size_t d, double w, truemeans::Grids grids, double* from,
                     double* to, size_t stride) {
    const size_t width = d + 1;
    const auto at = [](double* p, size_t f) { return p ? p + f : nullptr; };
    size_t f = 0;
    for (; f + 8 <= d; f += 8) {
        const Vec8 v = load8(x + f);
        if constexpr (kWeighted) {
            const Vec8 wv = Vec8{} + w;
            const Vec8 p = wv * v;
            const Vec8 e = product_error(wv, v, p);
            move_value(p, grids.magic + f, width, grids.n_grids, at(from, f), to + f, stride);
            move_value(e, grids.magic + f, width, grids.n_grids, at(from, f), to + f, stride);
        } else {
            move_value(v, grids.magic + f, width, grids.n_grids, at(from, f), to + f, stride);
        }
    }
    for (; f < d; ++f) {
        const double v = static_cast<double>(x[f]);
        if constexpr (kWeighted) {
            const double p = w * v;
            const double e = product_error(w, v, p);
            move_value(p, grids.magic + f, width, grids.n_grids, at(from, f), to + f, stride);
            move_value(e, grids.magic + f, width, grids.n_grids, at(from, f), to + f, stride);
        } else {
            move_value(v, grids.magic + f, width, grids.n_grids, at(from, f), to + f, stride);
        }
    }
    move_value(w, grids.magic + d, width, grids.n_grids, at(from, d), to + d, stride);
}

// Few features: a row and its weight are one vector, and a run of rows that make the same move is
// summed before it touches memory.
constexpr size_t kFewFeatures = 7;

// kFeatures and kGrids are 0 where they are known only at run time.
template <bool kWeighted, size_t kFeatures, size_t kGrids, class T>
size_t move_run(const T* X, size_t n_features, const double* weight, truemeans::Moves moves,
                size_t first, truemeans::Grids grids, const Vec8* magic, double* sums,
                size_t stride) {
    constexpr size_t kMost = kGrids ? kGrids : 8;
    const size_t d = kFeatures ? kFeatures : n_features;
    const size_t n_grids = kGrids ? kGrids : grids.n_grids;
    Vec8 acc[kMost] = {};
    size_t i = first;
    for (; i < moves.n_moves && moves.from[i] == moves.from[first] && moves.to[i] == moves.to[first];
         ++i) {
        const size_t row = static_cast<size_t>(moves.rows[i]);
        Vec8 v = {};
        for (size_t f = 0; f < d; ++f) v[f] = static_cast<double>(X[row * d + f]);
        v[d] = 1.0;
        // Multiples of a grid times a count stay on it, and below what the sum of all may reach.
        const double copies = moves.copies ? static_cast<double>(moves.copies[i]) : 1.0;
        Vec8 e = {};
        if (kWeighted) {
            const Vec8 w = Vec8{} + weight[row];
            const Vec8 p = w * v;
            e = product_error(w, v, p);
            v = p;
        }
        for (size_t g = 0; g < n_grids; ++g) {
            const Vec8 t = (v + magic[g]) - magic[g];
            acc[g] += t * copies;
            v -= t;
            if (kWeighted) {
                const Vec8 s = (e + magic[g]) - magic[g];
                acc[g] += s;
                e -= s;
            }
        }
    }
    const size_t cluster = n_grids * stride;
    for (size_t g = 0; g < n_grids; ++g)
        for (size_t f = 0; f <= d; ++f) {
            sums[static_cast<size_t>(moves.to[first]) * cluster + g * stride + f] += acc[g][f];
            if (moves.from[first] >= 0)
                sums[static_cast<size_t>(moves.from[first]) * cluster + g * stride + f] -=
                    acc[g][f];
        }
    return i;
}

template <bool kWeighted, class T>
auto move_run_for(size_t d, size_t n_grids) {
    if (n_grids == 1 && d == 2) return move_run<kWeighted, 2, 1, T>;
    if (n_grids == 1 && d == 3) return move_run<kWeighted, 3, 1, T>;
    if (n_grids == 2 && d == 2) return move_run<kWeighted, 2, 2, T>;
    if (n_grids == 2 && d == 3) return move_run<kWeighted, 3, 2, T>;
    return move_run<kWeighted, 0, 0, T>;
}

template <class T>
void move_few_features(const T* X, size_t d, const double* weight, truemeans::Moves moves,
                       truemeans::Grids grids, double* sums, size_t stride) {
    Vec8 magic[8] = {};
    for (size_t g = 0; g < grids.n_grids; ++g)
        for (size_t f = 0; f <= d; ++f) magic[g][f] = grids.magic[g * (d + 1) + f];
    const auto run = weight ? move_run_for<true, T>(d, grids.n_grids)
                            : move_run_for<false, T>(d, grids.n_grids);
    for (size_t i = 0; i < moves.n_moves;)
        i = run(X, d, weight, moves, i, grids, magic, sums, stride);
}

template <class T>
void move_rows(const T* X, size_t d, const double* weight, truemeans::Moves moves,
               truemeans::Grids grids, double* sums, size_t stride) {
    if (d <= kFewFeatures)
        return move_few_features(X, d, weight, moves, grids, sums, stride);
    const size_t cluster = grids.n_grids * stride;
    for (size_t i = 0; i < moves.n_moves; ++i) {
        const size_t row = static_cast<size_t>(moves.rows[i]);
        const T* x = X + row * d;
        double* from =
            moves.from[i] < 0 ? nullptr : sums + static_cast<size_t>(moves.from[i]) * cluster;
        double* to = sums + static_cast<size_t>(moves.to[i]) * cluster;
        if (weight)
            move_row<true>(x, d, weight[row], grids, from, to, stride);
        else
            move_row<false>(x, d, 1.0, grids, from, to, stride);
    }
}

}  // namespace
