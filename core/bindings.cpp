// The verbs of the passes, for Python; seeding has bindings_seeding.cpp.
#include "bindings.hpp"

#include "bounds.hpp"
#include "boxed_pass.hpp"
#include "float_mode.hpp"
#include "measure.hpp"
#include "packed.hpp"
#include "skip.hpp"
#include "update.hpp"

namespace truemeans::bindings {

namespace {

core::ClusterSums sums_of(const In<double, Cube>& s, const In<double, Matrix>& centroids) {
    require(s.shape(2) > 1, "internal: sums without features");
    require(1 <= s.shape(1) && s.shape(1) <= core::kMaxGrids, "internal: too few or many grids");
    require(s.shape(0) == centroids.shape(0) && s.shape(2) == centroids.shape(1) + 1,
            "internal: sums and centroids differ in shape");
    return {s.data(), s.shape(0), s.shape(1), s.shape(2) - 1};
}

template <class T>
void bind_boxes(nb::module_& m, const char* name) {
    auto boxes_class = nb::class_<core::Boxes<T>>(m, name);
    boxes_class.def(
        "__init__",
        [](core::Boxes<T>* self, PyTeam& t, In<T, Matrix> X, Weight weight, bool by_value) {
            require(X.shape(1) <= core::kBoxFeatures, "internal: too many features for boxes");
            unlocked([&] {
                new (self) core::Boxes<T>(t.team, *t.kernels, rows_of<T>(X, weight), by_value);
            });
        },
        "team"_a, "X"_a.noconvert(), "weight"_a.noconvert().none(), "by_value"_a);
    boxes_class.def("restart", &core::Boxes<T>::restart, "n_clusters"_a);
    m.def(
        "assign_boxed",
        [](PyTeam& t, core::Boxes<T>& boxes, Weight weight, In<double, Matrix> centroids,
           std::optional<In<double, Matrix>> magic, InOut<std::int32_t, Vector> labels,
           std::optional<InOut<double, Cube>> sums) {
            const std::size_t d = centroids.shape(1), n = boxes.order.size();
            const core::Centroids c = centroids_of(centroids, d);
            const core::Grids grids = grids_of(magic, sums, c.k, d);
            require_one_a_row(labels.shape(0), n);
            require(boxes.X.size() == boxes.n * d && boxes.k == c.k &&
                        boxes.per_box % t.kernels->sample_lanes == 0,
                    "internal: boxes made for other centroids or another target");
            const double* w = weight_of(boxes, weight);
            const core::Outcome o = unlocked([&] {
                return core::assign_boxed(t.team, *t.kernels, boxes, w, d, c, grids,
                                          labels.data(), data_or_null(sums));
            });
            return std::make_tuple(o.n_changed, o.n_settled, o.n_scored);
        },
        "team"_a, "boxes"_a, "weight"_a.noconvert().none(), "centroids"_a.noconvert(),
        "magic"_a.noconvert().none(), "labels"_a.noconvert(), "sums"_a.noconvert().none());
}

// One center for all rows, or one a label.
template <class T>
core::Centroids centers_of(const In<T, Matrix>& X, const In<double, Matrix>& centers,
                           const Labels& labels) {
    const core::Centroids c = centroids_of(centers, X.shape(1));
    if (labels) {
        require_one_a_row(labels->shape(0), X.shape(0));
        require_numbers<std::int32_t>(*labels, 0, c.k);
    }
    return c;
}

template <class T>
void bind_rows(nb::module_& m) {
    using X2 = In<T, Matrix>;
    m.def(
        "survey",
        [](PyTeam& t, X2 X) {
            const core::Rows<T> rows = rows_of<T>(X);
            const std::size_t d = rows.d;
            auto features = new_matrix<double>(3, d);
            double* low = features.data();
            const std::size_t bad = unlocked([&] {
                return core::survey(t.team, *t.kernels, rows, low, low + d, low + 2 * d);
            });
            double top = 0.0;
            for (std::size_t f = 0; f < d; ++f) top = std::max({top, -low[f], low[d + f]});
            return nb::make_tuple(features, bad, top);
        },
        "team"_a, "X"_a.noconvert());
    m.def(
        "max_abs_diff",
        [](PyTeam& t, X2 X, In<double, Matrix> centers, Labels labels) {
            const core::Centroids c = centers_of(X, centers, labels);
            return unlocked([&] {
                return core::max_abs_diff(t.team, *t.kernels, rows_of<T>(X), c.values,
                                        data_or_null(labels));
            });
        },
        "team"_a, "X"_a.noconvert(), "centers"_a.noconvert(), "labels"_a.noconvert().none());
    m.def(
        "add_sq_diff",
        [](PyTeam& t, X2 X, Weight weight, In<double, Matrix> centers, Labels labels, double top,
           double weight_top, double n_rows, InOut<double, Vector> totals) {
            const core::Centroids c = centers_of(X, centers, labels);
            require(totals.shape(0) == core::kSqGrids, "internal: one total a grid");
            unlocked([&] {
                core::add_sq_diff(t.team, *t.kernels, rows_of<T>(X, weight), c.values,
                                data_or_null(labels), {top, weight_top, n_rows}, totals.data());
            });
        },
        "team"_a, "X"_a.noconvert(), "weight"_a.noconvert().none(), "centers"_a.noconvert(),
        "labels"_a.noconvert().none(), "top"_a, "weight_top"_a, "n_rows"_a,
        "totals"_a.noconvert());
    m.def(
        "assign",
        [](PyTeam& t, X2 X, Weight weight, In<double, Matrix> centroids, const std::string& scores,
           std::size_t block_rows, bool keeps, core::Skip* skip, core::PackedRows* packed,
           std::optional<In<double, Matrix>> magic, InOut<std::int32_t, Vector> labels,
           std::optional<InOut<double, Cube>> sums) {
            const core::Scores layout = scores_of(scores, *t.kernels);
            const core::Rows<T> rows = rows_of<T>(X, weight);
            const core::Centroids c = centroids_of(centroids, rows.d);
            const core::Grids grids = grids_of(magic, sums, c.k, rows.d);
            require_one_a_row(labels.shape(0), rows.n);
            require(!skip || skip->fits(rows.n, c.k, rows.d),
                    "internal: what is known is of other rows or centroids");
            require(!packed || packed->fits(rows.n, rows.d),
                    "internal: other rows are packed");
            // Rows seen before, which is all that can be skipped.
            if (skip && !skip->started) require_numbers<std::int32_t>(labels, 0, c.k);
            const core::Outcome o = unlocked([&] {
                return core::assign(t.team, *t.kernels, rows, c, layout, block_rows, keeps, skip,
                                    packed, grids, labels.data(), data_or_null(sums));
            });
            return std::make_tuple(o.n_changed, o.n_settled, o.n_scored);
        },
        "team"_a, "X"_a.noconvert(), "weight"_a.noconvert().none(), "centroids"_a.noconvert(),
        "scores"_a, "block_rows"_a, "keeps"_a, "skip"_a.none(), "packed"_a.none(),
        "magic"_a.noconvert().none(), "labels"_a.noconvert(), "sums"_a.noconvert().none());
    m.def(
        "assign_bounded",
        [](PyTeam& t, X2 X, Weight weight, In<double, Matrix> centroids, core::Bounds& bounds,
           std::optional<In<double, Matrix>> magic, InOut<std::int32_t, Vector> labels,
           std::optional<InOut<double, Cube>> sums) {
            const core::Rows<T> rows = rows_of<T>(X, weight);
            const core::Centroids c = centroids_of(centroids, rows.d);
            const core::Grids grids = grids_of(magic, sums, c.k, rows.d);
            require_one_a_row(labels.shape(0), rows.n);
            require(bounds.fits(rows.n, c.k, rows.d) &&
                        bounds.groups.n_slots % t.kernels->centroid_lanes == 0,
                    "internal: bounds made for other rows, centroids or another target");
            const core::Outcome o = unlocked([&] {
                return core::assign_bounded(t.team, *t.kernels, rows, c, bounds, grids,
                                            labels.data(), data_or_null(sums));
            });
            return std::make_tuple(o.n_changed, o.n_settled, o.n_scored);
        },
        "team"_a, "X"_a.noconvert(), "weight"_a.noconvert().none(), "centroids"_a.noconvert(),
        "bounds"_a, "magic"_a.noconvert().none(), "labels"_a.noconvert(),
        "sums"_a.noconvert().none());
    m.def(
        "add_rows",
        [](PyTeam& t, X2 X, Weight weight, In<std::int32_t, Vector> labels,
           In<double, Matrix> magic, InOut<double, Cube> sums) {
            const core::Rows<T> rows = rows_of<T>(X, weight);
            const std::size_t k = sums.shape(0);
            const core::Grids grids = grids_of(magic, sums, k, rows.d);
            require_one_a_row(labels.shape(0), rows.n);
            require_numbers<std::int32_t>(labels, 0, k);
            unlocked([&] {
                core::add_rows(t.team, *t.kernels, rows, labels.data(), grids, sums.data(), k);
            });
        },
        "team"_a, "X"_a.noconvert(), "weight"_a.noconvert().none(), "labels"_a.noconvert(),
        "magic"_a.noconvert(), "sums"_a.noconvert());
    m.def(
        "move_rows",
        [](PyTeam& t, X2 X, Weight weight, In<std::int32_t, Vector> rows,
           In<std::int32_t, Vector> from, In<std::int32_t, Vector> to,
           In<double, Matrix> magic, InOut<double, Cube> sums) {
            const core::Rows<T> all = rows_of<T>(X, weight);
            const std::size_t k = sums.shape(0), n_moves = rows.shape(0);
            const core::Grids grids = grids_of(magic, sums, k, all.d);
            require(from.shape(0) == n_moves && to.shape(0) == n_moves,
                    "internal: moves without an end");
            require_numbers<std::int32_t>(rows, 0, all.n);
            require_numbers<std::int32_t>(from, -1, k);
            require_numbers<std::int32_t>(to, 0, k);
            core::kernels_for(*t.kernels, all.X)
                .move_rows(all.X, all.d, all.weight,
                           {rows.data(), from.data(), to.data(), n_moves}, grids, sums.data(),
                           all.d + 1);
        },
        "team"_a, "X"_a.noconvert(), "weight"_a.noconvert().none(), "rows"_a.noconvert(),
        "from_"_a.noconvert(), "to"_a.noconvert(), "magic"_a.noconvert(), "sums"_a.noconvert());
    m.def(
        "sq_distances",
        [](PyTeam& t, X2 X, In<double, Matrix> centroids) {
            const core::Centroids c = centroids_of(centroids, X.shape(1));
            auto out = new_matrix<double>(X.shape(0), c.k);
            unlocked([&] {
                core::sq_distances(t.team, *t.kernels, rows_of<T>(X), c, out.data());
            });
            return out;
        },
        "team"_a, "X"_a.noconvert(), "centroids"_a.noconvert());
    m.def(
        "own_sq_distances",
        [](PyTeam& t, X2 X, In<double, Matrix> centroids, In<std::int32_t, Vector> labels) {
            const core::Centroids c = centers_of(X, centroids, labels);
            auto out = new_vector<double>(X.shape(0));
            unlocked([&] {
                core::own_sq_distances(t.team, *t.kernels, rows_of<T>(X), c.values,
                                     labels.data(), out.data());
            });
            return out;
        },
        "team"_a, "X"_a.noconvert(), "centroids"_a.noconvert(), "labels"_a.noconvert());
}

void bind_sums(nb::module_& m) {
    m.def(
        "choose_footing",
        [](In<double, Matrix> features, double weight_top, double weight_finest, bool weighted,
           double n_rows, bool single) {
            // features: rows low, high, finest
            const std::size_t d = features.shape(1);
            require(features.shape(0) == 3, "internal: three numbers a feature");
            const double* low = features.data();
            const core::Footing found = core::choose_footing(
                {low, low + d, low + 2 * d, d}, {weight_top, weight_finest}, weighted, n_rows,
                single);
            auto magic = new_matrix<double>(found.magic.size() / (d + 1), d + 1);
            std::copy(found.magic.begin(), found.magic.end(), magic.data());
            auto center = new_vector<double>(d);
            std::copy(found.center.begin(), found.center.end(), center.data());
            return nb::make_tuple(magic, center, found.reach);
        },
        "features"_a.noconvert(), "weight_top"_a, "weight_finest"_a, "weighted"_a, "n_rows"_a,
        "single"_a);
    m.def(
        "finish_sq_diff",
        [](In<double, Vector> totals, std::size_t d, double top, double weight_top,
           double n_rows) {
            require(totals.shape(0) == core::kSqGrids, "internal: one total a grid");
            const core::SumSq s = core::finish_sq_diff(totals.data(), d, {top, weight_top, n_rows});
            return std::make_tuple(s.sum.hi, s.sum.lo, s.error);
        },
        "totals"_a.noconvert(), "d"_a, "top"_a, "weight_top"_a, "n_rows"_a);
    m.def(
        // Added to here and there by all threads at once, which fresh small pages slow most.
        "new_sums",
        [](std::size_t k, std::size_t n_grids, std::size_t d) {
            core::Aligned<double> sums(k * n_grids * (d + 1), 0.0);
            return handed_over<Cube>(std::move(sums), {k, n_grids, d + 1});
        },
        "n_clusters"_a, "n_grids"_a, "n_features"_a);
    m.def(
        "update",
        [](PyTeam& t, In<double, Cube> sums, In<double, Matrix> previous, bool single,
           In<double, Vector> center, double top, double spread_hi, double spread_lo,
           double spread_error) {
            require(center.shape(0) == previous.shape(1), "internal: a center of other features");
            const core::ClusterSums clusters = sums_of(sums, previous);
            auto out = new_centroids(t, previous.shape(0), previous.shape(1));
            const core::Updated u = unlocked([&] {
                return core::update(t.team, *t.kernels, clusters, single, previous.data(),
                                    {center.data(), top, {spread_hi, spread_lo}, spread_error},
                                    out.data());
            });
            return nb::make_tuple(out, u.sq_shift, u.inertia, u.bound, u.n_empty);
        },
        "team"_a, "sums"_a.noconvert(), "previous"_a.noconvert(), "single"_a,
        "center"_a.noconvert(), "top"_a, "spread_hi"_a, "spread_lo"_a, "spread_error"_a);
}

}  // namespace

}  // namespace truemeans::bindings

using namespace truemeans::bindings;

NB_MODULE(_core, m) {
    m.doc() = "The compiled core of truemeans. Private: arrays must be of the exact dtype.";
    m.attr("N_SQ_GRIDS") = core::kSqGrids;
    m.def("targets", [] {
        std::vector<std::pair<std::string, std::string>> out;
        for (const core::Kernels& k : core::supported_targets())
            out.emplace_back(k.name, k.description);
        return out;
    });
    nb::class_<core::FloatMode>(m, "FloatMode")
        .def(nb::init<>())
        .def("enter", &core::FloatMode::enter)
        .def("leave", &core::FloatMode::leave);
    nb::class_<PyTeam>(m, "Team")
        .def(nb::init<std::size_t, const std::string&>(), "n_threads"_a, "target"_a)
        .def_prop_ro("n_threads", [](const PyTeam& t) { return t.team.n_threads(); })
        .def_prop_ro("target", [](const PyTeam& t) { return std::string(t.kernels->name); })
        .def_prop_ro("numbers_a_word", [](const PyTeam& t) { return t.kernels->numbers_a_word; });
    nb::class_<core::Skip>(m, "Skip").def(nb::init<std::size_t>(), "n_rows"_a);
    nb::class_<core::PackedRows>(m, "PackedRows")
        .def(nb::init<std::size_t, std::size_t>(), "n_rows"_a, "n_features"_a);
    nb::class_<core::Bounds>(m, "Bounds")
        .def(
            "__init__",
            [](core::Bounds* self, PyTeam& t, In<double, Matrix> centroids, std::size_t n_rows,
               std::size_t most_groups) {
                const std::size_t d = centroids.shape(1);
                new (self) core::Bounds(*t.kernels, centroids_of(centroids, d), n_rows, d,
                                        most_groups);
            },
            "team"_a, "centroids"_a.noconvert(), "n_rows"_a, "most_groups"_a)
        .def_prop_ro("n_groups", [](const core::Bounds& b) { return b.groups.n_groups; });
    bind_boxes<float>(m, "Boxes32");
    bind_boxes<double>(m, "Boxes64");
    bind_rows<float>(m);
    bind_rows<double>(m);
    bind_sums(m);
    bind_search(m);
    bind_seeding(m);
}
