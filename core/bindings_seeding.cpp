// The verbs of seeding, for Python.
#include "bindings.hpp"

#include <algorithm>

#include "ahead.hpp"
#include "boxed_rounds.hpp"
#include "closer.hpp"
#include "rounds.hpp"
#include "seeding.hpp"

namespace truemeans::bindings {

namespace {

void require_a_number_a_trial(std::size_t n, std::size_t n_clusters, std::size_t n_trials) {
    require(n_clusters > 0 && n_trials > 0 && n == 1 + (n_clusters - 1) * n_trials,
            "internal: a number for the first row and for every trial");
}

core::Nearest nearest_of(const InOut<double, Vector>& closest,
                         const InOut<std::int32_t, Vector>& which, std::size_t n) {
    require_one_a_row(closest.shape(0), n);
    require_one_a_row(which.shape(0), n);
    return {closest.data(), which.data()};
}

core::Proposals proposals_of(const In<std::int32_t, Vector>& rows, const In<double, Vector>& start,
                             const In<double, Vector>& u, std::size_t n_rows) {
    const std::size_t n = rows.shape(0);
    require(start.shape(0) == n && u.shape(0) == n, "internal: proposals differ in number");
    require_numbers<std::int32_t>(rows, 0, n_rows);
    return {rows.data(), start.data(), u.data(), n};
}

nb::tuple played_of(core::Played&& played) {
    return nb::make_tuple(moved(std::move(played.winners)), played.next, played.gain);
}

template <class T>
void bind_rows(nb::module_& m) {
    using X2 = In<T, Matrix>;
    m.def(
        "row_keys",
        [](PyTeam& t, X2 X) {
            const core::Rows<T> rows = rows_of<T>(X);
            auto out = new_vector<double>(rows.n);
            unlocked([&] { core::row_keys(t.team, *t.kernels, rows, out.data()); });
            return out;
        },
        "team"_a, "X"_a.noconvert());
    m.def(
        "lower_closest",
        [](PyTeam& t, X2 X, Weight weight, In<double, Vector> centroid,
           InOut<double, Vector> closest, InOut<std::int32_t, Vector> which,
           std::int32_t number) {
            require(centroid.shape(0) == X.shape(1), "internal: a centroid of other features");
            const core::Nearest nearest = nearest_of(closest, which, X.shape(0));
            return unlocked([&] {
                return core::lower_closest(t.team, *t.kernels, rows_of<T>(X, weight),
                                           centroid.data(), nearest, number);
            });
        },
        "team"_a, "X"_a.noconvert(), "weight"_a.noconvert().none(), "centroid"_a.noconvert(),
        "closest"_a.noconvert(), "which"_a.noconvert(), "number"_a);
    m.def(
        "lower_by_labels",
        [](PyTeam& t, X2 X, In<double, Matrix> centroids, In<std::int32_t, Vector> labels,
           InOut<double, Vector> closest, InOut<std::int32_t, Vector> which, std::int32_t first) {
            const core::Centroids c = centroids_of(centroids, X.shape(1));
            require_one_a_row(labels.shape(0), X.shape(0));
            require_numbers<std::int32_t>(labels, 0, c.k);
            const core::Nearest nearest = nearest_of(closest, which, X.shape(0));
            unlocked([&] {
                core::lower_by_labels(t.team, *t.kernels, rows_of<T>(X), c.values, labels.data(),
                                      nearest, first);
            });
        },
        "team"_a, "X"_a.noconvert(), "centroids"_a.noconvert(), "labels"_a.noconvert(),
        "closest"_a.noconvert(), "which"_a.noconvert(), "first"_a);
    m.def(
        "add_gains",
        [](PyTeam& t, X2 X, Weight weight, In<double, Matrix> candidates,
           In<double, Vector> closest, double scale, InOut<double, Vector> gains) {
            const core::Centroids c = centroids_of(candidates, X.shape(1));
            require_one_a_row(closest.shape(0), X.shape(0));
            require(gains.shape(0) == c.k, "internal: one gain a candidate");
            unlocked([&] {
                core::add_gains(t.team, *t.kernels, rows_of<T>(X, weight), c, closest.data(),
                                scale, gains.data());
            });
        },
        "team"_a, "X"_a.noconvert(), "weight"_a.noconvert().none(), "candidates"_a.noconvert(),
        "closest"_a.noconvert(), "scale"_a, "gains"_a.noconvert());
    m.def(
        "draw_rounds",
        [](PyTeam& t, X2 X, Weight weight, double weight_scale, In<double, Vector> u,
           std::size_t n_clusters, std::size_t n_trials) {
            require(X.shape(0) > 0, "internal: no row to draw");
            require_a_number_a_trial(u.shape(0), n_clusters, n_trials);
            return moved(unlocked([&] {
                return core::draw_rounds(*t.kernels, rows_of<T>(X, weight), weight_scale, u.data(),
                                         n_clusters, n_trials);
            }));
        },
        "team"_a, "X"_a.noconvert(), "weight"_a.noconvert().none(), "weight_scale"_a,
        "u"_a.noconvert(), "n_clusters"_a, "n_trials"_a);
    m.def(
        "draw_in_boxes",
        [](PyTeam& t, core::Boxes<T>& boxes, Weight weight, std::size_t n, std::size_t d,
           double weight_scale, In<double, Vector> u, std::size_t n_clusters,
           std::size_t n_trials) {
            require(n > 0 && boxes.order.size() == n && boxes.X.size() == boxes.n * d,
                    "internal: boxes of no rows, or of others");
            require_a_number_a_trial(u.shape(0), n_clusters, n_trials);
            const double* w = weight_of(boxes, weight);
            return moved(unlocked([&] {
                return core::draw_in_boxes(t.team, *t.kernels, boxes, w, d, weight_scale, u.data(),
                                           n_clusters, n_trials);
            }));
        },
        "team"_a, "boxes"_a, "weight"_a.noconvert().none(), "n"_a, "d"_a, "weight_scale"_a,
        "u"_a.noconvert(), "n_clusters"_a, "n_trials"_a);
    m.def(
        "find_closer",
        [](PyTeam& t, X2 X, Weight weight, In<double, Matrix> candidates,
           In<double, Vector> closest, const std::string& scores, const core::Axes* axes,
           std::size_t block_rows, std::size_t most) -> nb::object {
            const core::Scores layout = scores_of(scores, *t.kernels);
            const core::Centroids c = centroids_of(candidates, X.shape(1));
            require_one_a_row(closest.shape(0), X.shape(0));
            require(!axes || axes->fits(*t.kernels, X.shape(0), X.shape(1)),
                    "internal: axes of other rows, or for another target");
            core::Closer found = unlocked([&] {
                return core::find_closer(t.team, *t.kernels, rows_of<T>(X, weight), c,
                                         closest.data(), layout, axes, block_rows, most);
            });
            if (!found.complete) return nb::none();
            return nb::make_tuple(moved(std::move(found.starts)), moved(std::move(found.rows)),
                                  moved(std::move(found.sq_dist)));
        },
        "team"_a, "X"_a.noconvert(), "weight"_a.noconvert().none(), "candidates"_a.noconvert(),
        "closest"_a.noconvert(), "scores"_a, "axes"_a.none(), "block_rows"_a, "most"_a);
}

template <class T>
void bind_axes(nb::class_<core::Axes>& axes) {
    axes.def(
        "__init__",
        [](core::Axes* self, PyTeam& t, In<T, Matrix> X, In<double, Matrix> lines,
           In<double, Vector> center, double sq_radius) {
            const core::Rows<T> rows = rows_of<T>(X);
            require(lines.shape(0) > 0 && lines.shape(0) <= 0xffff && lines.shape(1) == rows.d &&
                        center.shape(0) == rows.d,
                    "internal: axes of other features");
            unlocked([&] {
                new (self) core::Axes(t.team, *t.kernels, rows, lines.data(), lines.shape(0),
                                      center.data(), sq_radius);
            });
        },
        "team"_a, "X"_a.noconvert(), "lines"_a.noconvert(), "center"_a.noconvert(),
        "sq_radius"_a);
}

template <class T>
void bind_ahead(nb::module_& m) {
    m.def(
        "play_ahead",
        [](PyTeam& t, In<T, Matrix> X, Weight weight, In<std::int32_t, Vector> rows,
           In<double, Vector> start, In<double, Vector> u, bool scored, double scale,
           std::size_t n_trials, std::size_t n_rounds, InOut<std::uint64_t, Vector> marks,
           InOut<double, Vector> closest, InOut<std::int32_t, Vector> which,
           std::int32_t first) {
            const core::Proposals proposals = proposals_of(rows, start, u, closest.shape(0));
            const core::Nearest nearest = nearest_of(closest, which, X.shape(0));
            require(proposals.n <= 0xffff, "internal: more proposals than 16 bits can name");
            require(marks.shape(0) / std::max<std::size_t>(proposals.n, 1) >=
                        core::words_of_marks(X.shape(0)),
                    "internal: less room for marks than rows and proposals need");
            return played_of(unlocked([&] {
                return core::play_ahead(t.team, *t.kernels, rows_of<T>(X, weight), proposals,
                                        scored, scale, n_trials, n_rounds, marks.data(),
                                        nearest, first);
            }));
        },
        "team"_a, "X"_a.noconvert(), "weight"_a.noconvert().none(), "rows"_a.noconvert(),
        "start"_a.noconvert(), "u"_a.noconvert(), "scored"_a, "scale"_a, "n_trials"_a,
        "n_rounds"_a, "marks"_a.noconvert(), "closest"_a.noconvert(), "which"_a.noconvert(),
        "first"_a);
}

}  // namespace

void bind_seeding(nb::module_& m) {
    nb::class_<core::Axes> axes(m, "Axes");
    bind_axes<float>(axes);
    bind_axes<double>(axes);
    axes.def_prop_ro("usable", &core::Axes::usable);
    bind_rows<float>(m);
    bind_rows<double>(m);
    bind_ahead<float>(m);
    bind_ahead<double>(m);
    m.def(
        "add_bucket_masses",
        [](PyTeam& t, Weight weight, std::optional<In<double, Vector>> closest, double scale,
           In<std::uint16_t, Vector> buckets, InOut<double, Vector> sums) {
            if (weight) require_one_a_row(weight->shape(0), buckets.shape(0));
            if (closest) require_one_a_row(closest->shape(0), buckets.shape(0));
            unlocked([&] {
                core::add_bucket_masses(t.team, buckets.shape(0), data_or_null(weight),
                                        data_or_null(closest), scale, buckets.data(),
                                        sums.data(), sums.shape(0));
            });
        },
        "team"_a, "weight"_a.noconvert().none(), "closest"_a.noconvert().none(), "scale"_a,
        "buckets"_a.noconvert(), "sums"_a.noconvert());
    m.def(
        "sort_into_buckets",
        [](PyTeam& t, In<double, Vector> keys, In<double, Vector> splitters) {
            require(splitters.shape(0) <= 0xffff, "internal: more buckets than 16 bits can name");
            core::Buckets found = unlocked([&] {
                return core::sort_into_buckets(t.team, keys.data(), keys.shape(0),
                                               splitters.data(), splitters.shape(0));
            });
            const std::size_t n = keys.shape(0);
            return nb::make_tuple(handed_over<Vector>(std::move(found.of_row), {n}),
                                  handed_over<Vector>(std::move(found.order), {n}),
                                  moved(std::move(found.ends)));
        },
        "team"_a, "keys"_a.noconvert(), "splitters"_a.noconvert());
    m.def(
        "play_rounds",
        [](PyTeam& t, In<std::int32_t, Vector> rows, In<double, Vector> start,
           In<double, Vector> u, In<std::int64_t, Vector> starts,
           In<std::int32_t, Vector> pair_rows, In<double, Vector> pair_sq_dist, Weight weight,
           double scale, std::size_t n_trials, std::size_t n_rounds,
           InOut<double, Vector> closest, InOut<std::int32_t, Vector> which,
           std::int32_t first) {
            const core::Nearest nearest = nearest_of(closest, which, closest.shape(0));
            const core::Proposals proposals = proposals_of(rows, start, u, closest.shape(0));
            const std::size_t n_pairs = pair_rows.shape(0);
            require(starts.shape(0) == proposals.n + 1 && pair_sq_dist.shape(0) == n_pairs,
                    "internal: proposals and pairs differ in number");
            require_numbers<std::int64_t>(starts, 0, n_pairs + 1);
            require_numbers<std::int32_t>(pair_rows, 0, closest.shape(0));
            if (weight) require_one_a_row(weight->shape(0), closest.shape(0));
            return played_of(unlocked([&] {
                return core::play_rounds(
                    t.team, proposals, {starts.data(), pair_rows.data(), pair_sq_dist.data()},
                    data_or_null(weight), scale, n_trials, n_rounds, nearest, first);
            }));
        },
        "team"_a, "rows"_a.noconvert(), "start"_a.noconvert(), "u"_a.noconvert(),
        "starts"_a.noconvert(), "pair_rows"_a.noconvert(), "pair_sq_dist"_a.noconvert(),
        "weight"_a.noconvert().none(), "scale"_a, "n_trials"_a, "n_rounds"_a,
        "closest"_a.noconvert(), "which"_a.noconvert(), "first"_a);
}

}  // namespace truemeans::bindings
