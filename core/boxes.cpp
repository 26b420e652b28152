#include "boxes.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

namespace truemeans {

namespace {

// Rows of a box, at least: their corners take two numbers a feature.
constexpr std::size_t kLeastRows = 32;

std::size_t at(std::int32_t i) { return static_cast<std::size_t>(i); }

// Calls work(slice, begin, end) for one slice of [0, n) a thread.
template <class Work>
void by_slices(Team& team, std::size_t n, const Work& work) {
    const std::size_t slice = (n + team.n_threads() - 1) / team.n_threads();
    team.run(n, slice, [&](std::size_t, std::size_t begin, std::size_t end) {
        work(begin / slice, begin, end);
    });
}

template <class T>
bool same_as_before(const T* x, std::size_t d) {
    bool same = true;
    for (std::size_t f = 0; f < d; ++f) same &= x[f] == (x - d)[f];
    return same;
}

// A few values: less work than a call.
template <class T>
void copy_row(const T* x, std::size_t d, T* to) {
    for (std::size_t f = 0; f < d; ++f) to[f] = x[f];
}

}  // namespace

template <class T>
Boxes<T>::Boxes(Team& team, const Kernels& kernels, Rows<T> rows, bool by_value)
    : curve(team, kernels, rows),
      per_box(std::max(2 * kernels.sample_lanes, kLeastRows)),
      weighted(rows.weight != nullptr) {
    const std::size_t d = rows.d;
    sort(team, rows, by_value);
    if (!weighted) fold(team, d);
    n = X.size() / d;
    measure(team, d);
}

template <class T>
void Boxes<T>::restart(std::size_t n_clusters) {
    k = n_clusters;
    lower_.assign(n, 0);
    upper_.assign(k > 0xffff ? n : 0, 0);
    std::fill(owner.begin(), owner.end(), -1);
}

template <class T>
void Boxes<T>::read_labels(std::size_t begin, std::size_t m, std::int32_t* out) const {
    for (std::size_t i = 0; i < m; ++i) out[i] = lower_[begin + i];
    if (!upper_.empty())
        for (std::size_t i = 0; i < m; ++i) out[i] |= upper_[begin + i] << 16;
    for (std::size_t i = 0; i < m; ++i) --out[i];
}

template <class T>
void Boxes<T>::write_labels(std::size_t begin, std::size_t m, const std::int32_t* labels) {
    for (std::size_t i = 0; i < m; ++i)
        lower_[begin + i] = static_cast<std::uint16_t>(labels[i] + 1);
    if (!upper_.empty())
        for (std::size_t i = 0; i < m; ++i)
            upper_[begin + i] = static_cast<std::uint16_t>((labels[i] + 1) >> 16);
}

template <class T>
void Boxes<T>::sort(Team& team, Rows<T> rows, bool by_value) {
    CurveOrder by_place = curve_order(team, curve, rows);
    order = std::move(by_place.rows);
    const std::size_t d = rows.d;
    X.resize(rows.n * d);
    team.run(rows.n, 1 << 14, [&](std::size_t, std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i)
            copy_row(rows.X + at(order[i]) * d, d, X.data() + i * d);
    });
    if (by_value) sort_cells(team, by_place.keys, d);
}

// Whether a sample of the cells has equal rows that only sorting would bring together, enough for
// folding.
template <class T>
bool Boxes<T>::has_twins(const Aligned<std::int32_t>& keys, std::size_t d) const {
    constexpr std::size_t kSamples = 256, kRows = 256;
    const std::size_t n = keys.size();
    std::size_t n_now = 0, n_sorted = 0;
    std::vector<std::array<T, kBoxFeatures>> some;
    for (std::size_t s = 0; s < kSamples; ++s) {
        some.clear();
        const std::size_t first = s * n / kSamples;
        const std::size_t most = std::min(n, first + kRows);
        for (std::size_t i = first; i < most && keys[i] == keys[first]; ++i) {
            n_now += i == first || !same_as_before(X.data() + i * d, d);
            copy_row(X.data() + i * d, d, some.emplace_back().data());
        }
        std::sort(some.begin(), some.end());
        n_sorted += static_cast<std::size_t>(std::unique(some.begin(), some.end()) - some.begin());
    }
    return static_cast<double>(n_sorted) <= kFoldBelow * static_cast<double>(n_now);
}

// Rows of one cell by value, from the first feature on, and equal rows by number: of cells that are
// large, or of all where that folds rows.
template <class T>
void Boxes<T>::sort_cells(Team& team, const Aligned<std::int32_t>& keys, std::size_t d) {
    struct Item {
        std::array<T, kBoxFeatures> x;
        std::int32_t row;
        bool operator<(const Item& o) const { return x != o.x ? x < o.x : row < o.row; }
    };
    const std::size_t n = keys.size();
    const std::size_t most = !weighted && has_twins(keys, d) ? 1 : kLooseRows;
    // A cell belongs to the chunk that the first of its rows is in.
    team.run(n, 1 << 14, [&](std::size_t, std::size_t begin, std::size_t end) {
        std::vector<Item> cell;
        std::size_t i = begin;
        while (i > 0 && i < end && keys[i] == keys[i - 1]) ++i;
        while (i < end) {
            const std::size_t first = i++;
            while (i < n && keys[i] == keys[first]) ++i;
            if (i - first <= most) continue;
            cell.assign(i - first, {});
            for (std::size_t c = 0; c < cell.size(); ++c) {
                copy_row(X.data() + (first + c) * d, d, cell[c].x.data());
                cell[c].row = order[first + c];
            }
            std::sort(cell.begin(), cell.end());
            for (std::size_t c = 0; c < cell.size(); ++c) {
                copy_row(cell[c].x.data(), d, X.data() + (first + c) * d);
                order[first + c] = cell[c].row;
            }
        }
    });
}

template <class T>
void Boxes<T>::fold(Team& team, std::size_t d) {
    const std::size_t n = order.size();
    std::vector<std::size_t> kept(team.n_threads(), 0), begins(team.n_threads(), 0);
    by_slices(team, n, [&](std::size_t slice, std::size_t begin, std::size_t end) {
        begins[slice] = begin;
        for (std::size_t i = begin; i < end; ++i)
            kept[slice] += i == 0 || !same_as_before(X.data() + i * d, d);
    });
    const std::size_t n_kept = std::accumulate(kept.begin(), kept.end(), std::size_t{0});
    if (static_cast<double>(n_kept) > kFoldBelow * static_cast<double>(n)) return;
    first.resize(n_kept + 1);
    first[n_kept] = static_cast<std::int32_t>(n);
    // Each slice moves up within itself, which leaves its last row, all that the next one looks
    // at, as it was; then the slices move up to each other.
    by_slices(team, n, [&](std::size_t slice, std::size_t begin, std::size_t end) {
        const auto before = kept.begin() + static_cast<std::ptrdiff_t>(slice);
        std::size_t place = std::accumulate(kept.begin(), before, std::size_t{0});
        std::size_t to = begin;
        for (std::size_t i = begin; i < end; ++i) {
            const T* x = X.data() + i * d;
            if (i > 0 && same_as_before(x, d)) continue;
            if (to < i) copy_row(x, d, X.data() + to * d);
            ++to;
            first[place++] = static_cast<std::int32_t>(i);
        }
    });
    std::size_t to = kept[0];
    for (std::size_t slice = 1; slice < kept.size(); to += kept[slice++])
        std::copy_n(X.data() + begins[slice] * d, kept[slice] * d, X.data() + to * d);
    X.resize(n_kept * d);
}

template <class T>
void Boxes<T>::measure(Team& team, std::size_t d) {
    const std::size_t n_boxes = (n + per_box - 1) / per_box;
    low.assign(n_boxes * d, INFINITY);
    high.assign(n_boxes * d, -INFINITY);
    owner.assign(n_boxes, -1);
    team.run(n_boxes, 16, [&](std::size_t, std::size_t begin, std::size_t end) {
        for (std::size_t i = begin * per_box; i < std::min(end * per_box, n); ++i) {
            const std::size_t box = i / per_box;
            for (std::size_t f = 0; f < d; ++f) {
                const double v = static_cast<double>(X[i * d + f]);
                low[box * d + f] = std::min(low[box * d + f], v);
                high[box * d + f] = std::max(high[box * d + f], v);
            }
        }
    });
}

template struct Boxes<float>;
template struct Boxes<double>;

}  // namespace truemeans
