#include "boxed_pass.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

#include "panels.hpp"

namespace truemeans {

namespace {

std::size_t at(std::int32_t i) { return static_cast<std::size_t>(i); }

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
