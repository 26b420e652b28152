// Order-free sums (pre-rounding, Demmel & Nguyen 2013): every addend is split once against
// fixed grids, each so coarse that float64 additions of its multiples are exact, so the total
// does not depend on the order, the threads or the blocks.
//
// A value v is rounded to a grid of spacing g by (v + M) - M with M = 1.5 * 2^52 g, exact for
// |v| < 2^51 g; the remainder |v - t| <= g / 2 goes on to the next grid. The spacings are chosen
// by the caller (grids.hpp) so that all partial sums stay below 2^53 g. What the last grid
// rounds away is below 2^-100 of the feature's largest value.
#pragma once

#include <cstring>
#include <limits>

#include "kernels.hpp"
#include "vocabulary.hpp"

namespace {

inline Vec8 vabs8(Vec8 v) { return v < 0.0 ? -v : v; }
inline double abs1(double v) { return v < 0.0 ? -v : v; }

// a * b = product + error, exactly (Dekker 1971, by splitting, so that targets with and without
// fused multiply-add run the same operations).
template <class V>
inline V product_error(V a, V b, V product) {
    const V ta = a * 134217729.0;
    const V tb = b * 134217729.0;
    const V ah = ta - (ta - a);
    const V bh = tb - (tb - b);
    const V al = a - ah;
    const V bl = b - bh;
    return al * bl - (((product - ah * bh) - al * bh) - ah * bl);
}

// a - b = difference + error, exactly (Knuth).
template <class V>
inline V difference_error(V a, V b, V difference) {
    const V bb = a - difference;
    return (a - (difference + bb)) - (b - bb);
}

inline Vec8 read(const double* p, Vec8*) { return load8(p); }
inline double read(const double* p, double*) { return *p; }
inline void write(double* p, Vec8 v) { store8(p, v); }
inline void write(double* p, double v) { *p = v; }

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

template <bool kWeighted, class T>
size_t move_run(const T* X, size_t d, const double* weight, truemeans::Moves moves, size_t first,
                truemeans::Grids grids, const Vec8* magic, double* sums, size_t stride) {
    constexpr size_t kMost = 8;
    Vec8 acc[kMost] = {};
    size_t i = first;
    for (; i < moves.n_moves && moves.from[i] == moves.from[first] && moves.to[i] == moves.to[first];
         ++i) {
        const size_t row = static_cast<size_t>(moves.rows[i]);
        Vec8 v = {};
        for (size_t f = 0; f < d; ++f) v[f] = static_cast<double>(X[row * d + f]);
        v[d] = 1.0;
        Vec8 e = {};
        if (kWeighted) {
            const Vec8 w = Vec8{} + weight[row];
            const Vec8 p = w * v;
            e = product_error(w, v, p);
            v = p;
        }
        for (size_t g = 0; g < grids.n_grids; ++g) {
            const Vec8 t = (v + magic[g]) - magic[g];
            acc[g] += t;
            v -= t;
            if (kWeighted) {
                const Vec8 s = (e + magic[g]) - magic[g];
                acc[g] += s;
                e -= s;
            }
        }
    }
    const size_t cluster = grids.n_grids * stride;
    for (size_t g = 0; g < grids.n_grids; ++g)
        for (size_t f = 0; f <= d; ++f) {
            sums[static_cast<size_t>(moves.to[first]) * cluster + g * stride + f] += acc[g][f];
            if (moves.from[first] >= 0)
                sums[static_cast<size_t>(moves.from[first]) * cluster + g * stride + f] -=
                    acc[g][f];
        }
    return i;
}

template <class T>
void move_few_features(const T* X, size_t d, const double* weight, truemeans::Moves moves,
                       truemeans::Grids grids, double* sums, size_t stride) {
    Vec8 magic[8] = {};
    for (size_t g = 0; g < grids.n_grids; ++g)
        for (size_t f = 0; f <= d; ++f) magic[g][f] = grids.magic[g * (d + 1) + f];
    for (size_t i = 0; i < moves.n_moves;)
        i = weight ? move_run<true>(X, d, weight, moves, i, grids, magic, sums, stride)
                   : move_run<false>(X, d, weight, moves, i, grids, magic, sums, stride);
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

// (x - c)^2 w to within 2^-103 of itself, as two addends on three grids.
template <bool kWeighted, class V>
inline void add_sq_diff(V x, V c, V w, const double* magic, V (&acc)[3]) {
    const V e = x - c;
    V p = e * e;
    V q = product_error(e, e, p) + 2.0 * (e * difference_error(x, c, e));
    if constexpr (kWeighted) {
        const V wp = w * p;
        q = w * q + product_error(w, p, wp);
        p = wp;
    }
    for (size_t g = 0; g < 3; ++g) {
        const V t = (p + magic[g]) - magic[g];
        acc[g] += t;
        p -= t;
        if (g > 0) {
            const V s = (q + magic[g]) - magic[g];
            acc[g] += s;
            q -= s;
        }
    }
}

constexpr size_t kNarrow = 32;  // rows of fewer features are walked eight at a time

inline void fold_sq_diff(const Vec8 (&wide)[3], const double (&narrow)[3], double* total) {
    for (size_t g = 0; g < 3; ++g) {
        double sum = narrow[g];
        for (size_t lane = 0; lane < 8; ++lane) sum += wide[g][lane];
        total[g] += sum;
    }
}

template <bool kWeighted, class T>
void sum_sq_diff_rows(const T* X, size_t n_rows, size_t d, const double* weight,
                      const double* centers, const int32_t* labels, const double* magic,
                      double* total) {
    Vec8 wide[3] = {};
    double narrow[3] = {};
    size_t i = 0;
    if (!kWeighted && !labels && d < kNarrow) {
        double pattern[8 * kNarrow];
        for (size_t e = 0; e < 8 * d; ++e) pattern[e] = centers[e % d];
        for (; i + 8 <= n_rows; i += 8)
            for (size_t e = 0; e < 8 * d; e += 8)
                add_sq_diff<false>(load8(X + i * d + e), load8(pattern + e), Vec8{}, magic, wide);
    }
    for (; i < n_rows; ++i) {
        const T* x = X + i * d;
        const double* c = labels ? centers + static_cast<size_t>(labels[i]) * d : centers;
        const double w = kWeighted ? weight[i] : 1.0;
        size_t f = 0;
        for (; f + 8 <= d; f += 8)
            add_sq_diff<kWeighted>(load8(x + f), load8(c + f), Vec8{} + w, magic, wide);
        for (; f < d; ++f)
            add_sq_diff<kWeighted>(static_cast<double>(x[f]), c[f], w, magic, narrow);
    }
    fold_sq_diff(wide, narrow, total);
}

template <class T>
void sum_sq_diff(const T* X, size_t n_rows, size_t d, const double* weight, const double* centers,
                 const int32_t* labels, const double* magic, double* total) {
    if (weight)
        sum_sq_diff_rows<true>(X, n_rows, d, weight, centers, labels, magic, total);
    else
        sum_sq_diff_rows<false>(X, n_rows, d, weight, centers, labels, magic, total);
}

template <class T>
void max_abs_diff(const T* X, size_t n_rows, size_t d, const double* centers,
                  const int32_t* labels, double* top) {
    double most = *top;
    for (size_t i = 0; i < n_rows; ++i) {
        const T* x = X + i * d;
        const double* c = labels ? centers + static_cast<size_t>(labels[i]) * d : centers;
        for (size_t f = 0; f < d; ++f) {
            const double e = abs1(static_cast<double>(x[f]) - c[f]);
            most = e > most ? e : most;
        }
    }
    *top = most;
}

template <class T>
struct BitsOf;
template <>
struct BitsOf<float> {
    using type = uint32_t;
};
template <>
struct BitsOf<double> {
    using type = uint64_t;
};

// Clearing the lowest set bit of the representation changes v by its finest bit when the
// fraction is not zero, and by at least v / 2 when v is a power of two.
template <class T>
inline T finest_bit(T v) {
    typename BitsOf<T>::type bits;
    std::memcpy(&bits, &v, sizeof v);
    bits &= bits - 1;
    T cleared;
    std::memcpy(&cleared, &bits, sizeof v);
    const T change = v - cleared;
    const T size = change < 0 ? -change : change;
    return v == 0 ? std::numeric_limits<T>::infinity() : size;
}

// `width` consecutive entries a step; poison turns NaN where an entry is not finite.
template <class T>
inline void widen(const T* x, size_t width, T* low, T* high, T* finest, T* poison) {
    for (size_t e = 0; e < width; ++e) {
        const T v = x[e];
        const T bit = finest_bit(v);
        low[e] = v < low[e] ? v : low[e];
        high[e] = high[e] < v ? v : high[e];
        finest[e] = bit < finest[e] ? bit : finest[e];
        poison[e] += v - v;
    }
}

template <class T>
bool any_nan(const T* poison, size_t width) {
    bool bad = false;
    for (size_t e = 0; e < width; ++e) bad |= poison[e] != poison[e];
    return bad;
}

template <class T>
size_t survey(const T* X, size_t n_rows, size_t d, truemeans::Extent<T> out) {
    constexpr size_t kWidth = 8 * kNarrow;
    T low[kWidth], high[kWidth], finest[kWidth], poison[kWidth];
    // Narrow rows: eight rows are one wide row. Wide rows: a strip of features at a time.
    const size_t rows = d < kNarrow ? 8 : 1;
    const size_t strip = d < kNarrow ? d : kWidth;
    bool bad = false;
    for (size_t first = 0; first < d; first += strip) {
        const size_t features = d - first < strip ? d - first : strip;
        const size_t width = features * rows;
        for (size_t e = 0; e < width; ++e) {
            low[e] = out.low[first + e % features];
            high[e] = out.high[first + e % features];
            finest[e] = out.finest[first + e % features];
            poison[e] = 0;
        }
        size_t i = 0;
        for (; i + rows <= n_rows; i += rows)
            widen(X + i * d + first, width, low, high, finest, poison);
        for (; i < n_rows; ++i)
            widen(X + i * d + first, features, low, high, finest, poison);
        for (size_t e = 0; e < width; ++e) {
            const size_t f = first + e % features;
            out.low[f] = low[e] < out.low[f] ? low[e] : out.low[f];
            out.high[f] = out.high[f] < high[e] ? high[e] : out.high[f];
            out.finest[f] = finest[e] < out.finest[f] ? finest[e] : out.finest[f];
        }
        bad |= any_nan(poison, width);
    }
    if (bad)
        for (size_t e = 0; e < n_rows * d; ++e)
            if (!(X[e] - X[e] == 0)) return e;
    return n_rows * d;
}

}  // namespace
