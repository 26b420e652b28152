#include "boxes.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "curve.hpp"
#include "panels.hpp"

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
    : per_box(std::max(2 * kernels.sample_lanes, kLeastRows)), weighted(rows.weight != nullptr) {
    const std::size_t d = rows.d;
    sort(team, kernels, rows, by_value);
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
void Boxes<T>::sort(Team& team, const Kernels& kernels, Rows<T> rows, bool by_value) {
    CurveOrder curve = curve_order(team, kernels, rows);
    order = std::move(curve.rows);
    const std::size_t d = rows.d;
    X.resize(rows.n * d);
    team.run(rows.n, 1 << 14, [&](std::size_t, std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i)
            copy_row(rows.X + at(order[i]) * d, d, X.data() + i * d);
    });
    if (by_value) sort_cells(team, curve.keys, d);
}

// Rows of one cell by value, from the first feature on, and equal rows by number.
template <class T>
void Boxes<T>::sort_cells(Team& team, const Aligned<std::int32_t>& keys, std::size_t d) {
    struct Item {
        std::array<T, kBoxFeatures> x;
        std::int32_t row;
        bool operator<(const Item& o) const { return x != o.x ? x < o.x : row < o.row; }
    };
    const std::size_t n = keys.size();
    // A cell belongs to the chunk that the first of its rows is in.
    team.run(n, 1 << 14, [&](std::size_t, std::size_t begin, std::size_t end) {
        std::vector<Item> cell;
        std::size_t i = begin;
        while (i > 0 && i < end && keys[i] == keys[i - 1]) ++i;
        while (i < end) {
            const std::size_t first = i++;
            if (i == n || keys[i] != keys[first]) continue;
            while (i < n && keys[i] == keys[first]) ++i;
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

namespace {

template <class T>
struct Scratch {
    std::vector<double> near;
    std::vector<std::int32_t> candidates;
    std::vector<double> offsets, offset_norms;  // of the candidates from the middle of the box
    std::vector<float> centroids, sq_norms;     // the same, packed
    std::array<T, kBoxFeatures> center;
    std::vector<float> packed, norms, margins, best, second;
    std::vector<std::int32_t> label, last, open, moved, from, to, copies;
    std::vector<double> weight, sums;
    std::size_t n_changed = 0, n_settled = 0, n_scored = 0;

    Scratch(std::size_t k, std::size_t padded_k, std::size_t per_box, std::size_t d,
            std::size_t n_sums)
        : near(padded_k),
          candidates(k),
          offsets(k * d),
          offset_norms(k),
          centroids(k * d),
          sq_norms(k),
          packed(per_box * d),
          norms(per_box),
          margins(per_box),
          best(per_box),
          second(per_box),
          label(per_box),
          last(per_box),
          open(per_box),
          moved(per_box),
          from(per_box),
          to(per_box),
          copies(per_box),
          weight(per_box),
          sums(n_sums) {}
};

template <class T>
struct BoxedPass {
    const Kernels& kernels;
    const RowKernels<T>& table;
    Boxes<T>& boxes;
    const double* weight;
    std::size_t d;
    Centroids centroids;
    Grids grids;
    std::vector<double> exact;
    std::int32_t* labels;

    // The centroids that can own a row of the box, lowest index first.
    std::size_t candidates(std::size_t box, Scratch<T>& t) const {
        const double reach =
            kernels.box_sq_dist(boxes.low.data() + box * d, boxes.high.data() + box * d, d,
                                exact.data(), centroids.k, t.near.data());
        // Where squares may have lost digits to underflow nothing is ruled out.
        const double limit = reach > 1e-280 ? reach * (1.0 + 0x1p-40) : INFINITY;
        return kernels.at_most(t.near.data(), centroids.k, limit, t.candidates.data());
    }

    // Packs the m candidates around the middle of the box: near it norms are small, and so is the
    // margin, however far the box is from the others.
    Scaling pack(std::size_t box, std::size_t m, Scratch<T>& t) const {
        for (std::size_t f = 0; f < d; ++f)
            t.center[f] = static_cast<T>(0.5 * boxes.low[box * d + f] +
                                         0.5 * boxes.high[box * d + f]);
        double most = 0.0;
        for (std::size_t c = 0; c < m; ++c) {
            double norm = 0.0;
            for (std::size_t f = 0; f < d; ++f) {
                const double b = centroids.values[at(t.candidates[c]) * d + f] -
                                 static_cast<double>(t.center[f]);
                t.offsets[c * d + f] = b;
                norm += b * b;
            }
            t.offset_norms[c] = norm;
            most = std::max(most, norm);
        }
        const Scaling scaling = scaling_for<T>(most, d);
        for (std::size_t c = 0; c < m; ++c) {
            t.sq_norms[c] = static_cast<float>(t.offset_norms[c] * scaling.scale * scaling.scale);
            for (std::size_t f = 0; f < d; ++f)
                t.centroids[c * d + f] =
                    static_cast<float>(-2.0 * (t.offsets[c * d + f] * scaling.scale));
        }
        return scaling;
    }

    // Labels of the n rows of a box, in t.label.
    void label(std::size_t box, std::size_t n, std::size_t m, Scratch<T>& t) const {
        const T* X = boxes.X.data() + box * boxes.per_box * d;
        const Scaling scaling = pack(box, m, t);
        if (scaling.usable) {
            table.pack_samples(X, nullptr, n, d,
                               {t.center.data(), static_cast<T>(scaling.scale)},
                               t.packed.data(), t.norms.data());
            kernels.score_samples(t.packed.data(),
                                  (n + kernels.sample_lanes - 1) / kernels.sample_lanes, d,
                                  t.centroids.data(), t.sq_norms.data(), m,
                                  {t.best.data(), t.second.data(), t.label.data()});
        }
        std::size_t n_open = n;
        if (scaling.usable) {
            const Margin margin = scaling.margin;
            for (std::size_t i = 0; i < n; ++i) {
                t.margins[i] = margin.constant + margin.slope * t.norms[i];
                t.label[i] = t.candidates[at(t.label[i])];
            }
            n_open = kernels.rows_open(t.best.data(), t.second.data(), t.margins.data(), n,
                                       t.open.data());
        } else {
            std::iota(t.open.begin(), t.open.end(), 0);
        }
        for (std::size_t i = 0; i < n_open; ++i) {
            const std::size_t row = at(t.open[i]);
            t.label[row] = table.nearest(X + row * d, d, exact.data(), centroids.k);
        }
        t.n_scored += n;
        t.n_settled += n_open;
    }

    void run_box(std::size_t box, double* sums, Scratch<T>& t) const {
        const std::size_t begin = box * boxes.per_box;
        const std::size_t n = std::min(boxes.per_box, boxes.n - begin);
        const std::size_t m = candidates(box, t);
        const std::int32_t only = m == 1 ? t.candidates[0] : -1;
        if (only >= 0 && boxes.owner[box] == only) return;
        boxes.owner[box] = only;
        if (only >= 0)
            std::fill_n(t.label.begin(), n, only);
        else
            label(box, n, m, t);
        boxes.read_labels(begin, n, t.last.data());
        const std::size_t n_moves =
            kernels.rows_moved(t.label.data(), nullptr, n, t.last.data(), t.moved.data(),
                               t.from.data(), t.to.data());
        if (n_moves == 0) return;
        boxes.write_labels(begin, n, t.last.data());
        tell(begin, n_moves, t);
        if (weight)
            for (std::size_t i = 0; i < n_moves; ++i)
                t.weight[at(t.moved[i])] = weight[at(boxes.order[begin + at(t.moved[i])])];
        if (sums)
            table.move_rows(boxes.X.data() + begin * d, d, weight ? t.weight.data() : nullptr,
                            {t.moved.data(), t.from.data(), t.to.data(), n_moves,
                             boxes.first.empty() ? nullptr : t.copies.data()},
                            grids, sums, d + 1);
    }

    // Writes the labels of the rows that moved where the caller has them.
    void tell(std::size_t begin, std::size_t n_moves, Scratch<T>& t) const {
        if (boxes.first.empty()) {
            for (std::size_t i = 0; i < n_moves; ++i)
                labels[at(boxes.order[begin + at(t.moved[i])])] = t.to[i];
            t.n_changed += n_moves;
            return;
        }
        for (std::size_t i = 0; i < n_moves; ++i) {
            const std::size_t row = begin + at(t.moved[i]);
            for (std::int32_t copy = boxes.first[row]; copy < boxes.first[row + 1]; ++copy)
                labels[at(boxes.order[at(copy)])] = t.to[i];
            t.copies[i] = boxes.first[row + 1] - boxes.first[row];
            t.n_changed += at(t.copies[i]);
        }
    }
};

}  // namespace

template <class T>
Outcome assign_boxed(Team& team, const Kernels& kernels, Boxes<T>& boxes, const double* weight,
                     std::size_t d, Centroids centroids, Grids grids, std::int32_t* labels,
                     double* sums) {
    const std::size_t k = centroids.k;
    const BoxedPass<T> pass{kernels,
                            kernels_for(kernels, boxes.X.data()),
                            boxes,
                            weight,
                            d,
                            centroids,
                            grids,
                            exact_panels(centroids, d),
                            labels};

    // Thread 0 adds straight into the caller's sums.
    const std::size_t n_sums = sums ? k * grids.n_grids * (d + 1) : 0;
    std::vector<Scratch<T>> scratch;
    scratch.reserve(team.n_threads());
    for (std::size_t t = 0; t < team.n_threads(); ++t)
        scratch.emplace_back(k, (k + 7) / 8 * 8, boxes.per_box, d, t == 0 ? 0 : n_sums);
    team.run(boxes.owner.size(), 16, [&](std::size_t thread, std::size_t begin,
                                         std::size_t end) {
        Scratch<T>& t = scratch[thread];
        double* into = !sums ? nullptr : thread == 0 ? sums : t.sums.data();
        for (std::size_t box = begin; box < end; ++box) pass.run_box(box, into, t);
    });
    return join(scratch, sums);
}

#define TM_INSTANTIATE(T)                                                                     \
    template Outcome assign_boxed<T>(Team&, const Kernels&, Boxes<T>&, const double*,         \
                                     std::size_t, Centroids, Grids, std::int32_t*, double*);
TM_INSTANTIATE(float)
TM_INSTANTIATE(double)
#undef TM_INSTANTIATE

}  // namespace truemeans
