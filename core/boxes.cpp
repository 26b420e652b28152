#include "boxes.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <stdexcept>

#include "measure.hpp"
#include "panels.hpp"

namespace truemeans {

namespace {

std::size_t at(std::int32_t i) { return static_cast<std::size_t>(i); }

// Place of each row's cell on the Morton curve.
template <class T>
class Curve {
  public:
    // About one cell for every two rows, and counters that stay in a second-level cache.
    Curve(const std::vector<double>& low, const std::vector<double>& high, std::size_t n_rows)
        : d_(low.size()),
          bits_(std::max(1u, std::min(18u, static_cast<unsigned>(std::bit_width(n_rows / 2))) /
                                 static_cast<unsigned>(d_))),
          low_(low),
          scale_(d_) {
        const double cells = static_cast<double>(std::size_t(1) << bits_);
        for (std::size_t f = 0; f < d_; ++f) {
            const double width = high[f] - low[f];
            scale_[f] = width > 0.0 ? cells / width * (1.0 - 1e-9) : 0.0;
            if (!std::isfinite(scale_[f])) scale_[f] = 0.0;
            // Differences would overflow: the feature has one cell.
            if (!std::isfinite(width)) low_[f] = 0.0;
        }
        spread_.resize(std::size_t(1) << bits_);
        for (std::size_t cell = 0; cell < spread_.size(); ++cell)
            for (unsigned b = 0; b < bits_; ++b)
                spread_[cell] |= static_cast<std::uint32_t>((cell >> b & 1) << (b * d_));
    }

    std::size_t n_places() const { return std::size_t(1) << (bits_ * d_); }

    std::uint32_t place(const T* x) const {
        std::uint32_t key = 0;
        for (std::size_t f = 0; f < d_; ++f) {
            const double cell = (static_cast<double>(x[f]) - low_[f]) * scale_[f];
            key |= spread_[static_cast<std::size_t>(cell)] << f;
        }
        return key;
    }

  private:
    std::size_t d_;
    unsigned bits_;
    std::vector<double> low_, scale_;
    std::vector<std::uint32_t> spread_;  // bits of a cell's number, d places apart
};

// Numbers of the rows in the order of the curve: a counting sort, each thread counting and placing
// a slice of the rows.
template <class T>
std::vector<std::int32_t> curve_order(Team& team, const Kernels& kernels, Rows<T> rows) {
    std::vector<double> low(rows.d), high(rows.d), finest(rows.d);
    if (survey(team, kernels, rows, low.data(), high.data(), finest.data()) < rows.n * rows.d)
        throw std::invalid_argument("internal: rows that are not finite");
    const Curve<T> curve(low, high, rows.n);
    const std::size_t n_slices = team.n_threads();
    const std::size_t slice = (rows.n + n_slices - 1) / n_slices;
    std::vector<std::uint32_t> place(rows.n);
    std::vector<std::vector<std::uint32_t>> next(n_slices,
                                                 std::vector<std::uint32_t>(curve.n_places(), 0));
    team.run(rows.n, slice, [&](std::size_t, std::size_t begin, std::size_t end) {
        std::vector<std::uint32_t>& count = next[begin / slice];
        for (std::size_t i = begin; i < end; ++i) {
            place[i] = curve.place(rows.X + i * rows.d);
            ++count[place[i]];
        }
    });
    std::uint32_t before = 0;
    for (std::size_t p = 0; p < curve.n_places(); ++p)
        for (auto& count : next) {
            const std::uint32_t here = count[p];
            count[p] = before;
            before += here;
        }
    std::vector<std::int32_t> order(rows.n);
    team.run(rows.n, slice, [&](std::size_t, std::size_t begin, std::size_t end) {
        std::vector<std::uint32_t>& to = next[begin / slice];
        for (std::size_t i = begin; i < end; ++i)
            order[to[place[i]]++] = static_cast<std::int32_t>(i);
    });
    return order;
}

}  // namespace

template <class T>
Boxes<T>::Boxes(Team& team, const Kernels& kernels, Rows<T> rows)
    : per_box(2 * kernels.sample_lanes),
      X(rows.n * rows.d),
      order(curve_order(team, kernels, rows)),
      weight(rows.weight ? rows.n : 0),
      labels(rows.n, -1) {
    const std::size_t d = rows.d;
    const std::size_t n_boxes = (rows.n + per_box - 1) / per_box;
    low.assign(n_boxes * d, INFINITY);
    high.assign(n_boxes * d, -INFINITY);
    owner.assign(n_boxes, -1);
    team.run(n_boxes, 16, [&](std::size_t, std::size_t begin, std::size_t end) {
        for (std::size_t i = begin * per_box; i < std::min(end * per_box, rows.n); ++i) {
            const std::size_t box = i / per_box;
            const T* x = rows.X + at(order[i]) * d;
            for (std::size_t f = 0; f < d; ++f) {
                const double v = static_cast<double>(x[f]);
                X[i * d + f] = x[f];
                low[box * d + f] = std::min(low[box * d + f], v);
                high[box * d + f] = std::max(high[box * d + f], v);
            }
            if (rows.weight) weight[i] = rows.weight[at(order[i])];
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
    std::vector<float> packed, norms, best, second;
    std::vector<std::int32_t> label, moved, from, to;
    std::vector<double> sums;
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
          best(per_box),
          second(per_box),
          label(per_box),
          moved(per_box),
          from(per_box),
          to(per_box),
          sums(n_sums) {}
};

template <class T>
struct BoxedPass {
    const Kernels& kernels;
    const RowKernels<T>& table;
    Boxes<T>& boxes;
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
        std::size_t m = 0;
        for (std::size_t j = 0; j < centroids.k; ++j) {
            t.candidates[m] = static_cast<std::int32_t>(j);
            m += t.near[j] <= limit;
        }
        return m;
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
        t.n_scored += n;
        for (std::size_t i = 0; i < n; ++i) {
            // Written so that a score that is not a number counts as undecided.
            const bool decided =
                scaling.usable &&
                t.second[i] - t.best[i] >
                    scaling.margin.constant + scaling.margin.slope * t.norms[i];
            if (decided) {
                t.label[i] = t.candidates[at(t.label[i])];
            } else {
                t.label[i] = table.nearest(X + i * d, d, exact.data(), centroids.k);
                ++t.n_settled;
            }
        }
    }

    void run_box(std::size_t box, double* sums, Scratch<T>& t) const {
        const std::size_t begin = box * boxes.per_box;
        const std::size_t n = std::min(boxes.per_box, boxes.labels.size() - begin);
        const std::size_t m = candidates(box, t);
        const std::int32_t only = m == 1 ? t.candidates[0] : -1;
        if (only >= 0 && boxes.owner[box] == only) return;
        boxes.owner[box] = only;
        if (only >= 0)
            std::fill_n(t.label.begin(), n, only);
        else
            label(box, n, m, t);
        std::size_t n_moves = 0;
        for (std::size_t i = 0; i < n; ++i) {
            std::int32_t& now = boxes.labels[begin + i];
            if (now == t.label[i]) continue;
            t.moved[n_moves] = static_cast<std::int32_t>(i);
            t.from[n_moves] = now;
            t.to[n_moves] = t.label[i];
            ++n_moves;
            now = t.label[i];
            labels[at(boxes.order[begin + i])] = now;
        }
        t.n_changed += n_moves;
        if (sums)
            table.move_rows(boxes.X.data() + begin * d, d,
                            boxes.weight.empty() ? nullptr : boxes.weight.data() + begin,
                            {t.moved.data(), t.from.data(), t.to.data(), n_moves}, grids, sums,
                            d + 1);
    }
};

}  // namespace

template <class T>
Outcome assign_boxed(Team& team, const Kernels& kernels, Boxes<T>& boxes, std::size_t d,
                     Centroids centroids, Grids grids, std::int32_t* labels, double* sums) {
    const std::size_t k = centroids.k;
    boxes.k = k;
    const BoxedPass<T> pass{kernels,
                            kernels_for(kernels, boxes.X.data()),
                            boxes,
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
    template Outcome assign_boxed<T>(Team&, const Kernels&, Boxes<T>&, std::size_t, Centroids, \
                                     Grids, std::int32_t*, double*);
TM_INSTANTIATE(float)
TM_INSTANTIATE(double)
#undef TM_INSTANTIATE

}  // namespace truemeans
