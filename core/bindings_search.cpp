// The verbs that look for better clusters than one run of the loop finds, for Python.
#include "bindings.hpp"

#include <algorithm>
#include <type_traits>

#include "optimum.hpp"
#include "swap.hpp"

namespace truemeans::bindings {

namespace {

core::SortedValues sorted_of(const In<double, Vector>& values, const In<double, Vector>& weights) {
    require_one_a_row(weights.shape(0), values.shape(0));
    return {values.data(), weights.data(), values.shape(0)};
}

Out<double, Vector> to_array(const std::vector<double>& values) {
    auto out = new_vector<double>(values.size());
    std::copy(values.begin(), values.end(), out.data());
    return out;
}

template <class Array>
auto values_of(const Array& array) {
    return std::vector<std::remove_cv_t<typename Array::Scalar>>(array.data(),
                                                                 array.data() + array.size());
}

}  // namespace

void bind_search(nb::module_& m) {
    m.def(
        "optimum",
        [](PyTeam& t, In<double, Vector> values, In<double, Vector> weights, std::size_t k,
           std::size_t max_runs) {
            require(1 <= k && k <= values.shape(0), "internal: from 1 to n clusters");
            const core::Optimum found = unlocked(
                [&] { return core::optimum(t.team, sorted_of(values, weights), k, max_runs); });
            return nb::make_tuple(to_array(found.centroids), found.proved);
        },
        "team"_a, "values"_a.noconvert(), "weights"_a.noconvert(), "k"_a, "max_runs"_a);
    m.def(
        "least_inertias",
        [](PyTeam& t, In<double, Vector> values, In<double, Vector> weights, std::size_t most) {
            require(1 <= most && most <= values.shape(0), "internal: from 1 to n clusters");
            return to_array(unlocked(
                [&] { return core::least_inertias(t.team, sorted_of(values, weights), most); }));
        },
        "team"_a, "values"_a.noconvert(), "weights"_a.noconvert(), "most"_a);
    nb::class_<core::SwapSearch>(m, "SwapSearch")
        .def(
            "__init__",
            [](core::SwapSearch* self, PyTeam& t, In<double, Matrix> X, In<double, Vector> weight,
               In<double, Matrix> centroids, In<std::int32_t, Vector> labels,
               std::size_t patience) {
                const core::Centroids c = centroids_of(centroids, X.shape(1));
                require(X.shape(0) > 0, "internal: no rows");
                require_one_a_row(weight.shape(0), X.shape(0));
                require_one_a_row(labels.shape(0), X.shape(0));
                require_numbers<std::int32_t>(labels, 0, c.k);
                new (self) core::SwapSearch(
                    core::Clusters(*t.kernels, values_of(X), values_of(weight), values_of(centroids),
                                   values_of(labels), core::Pulse(interrupted)),
                    patience);
            },
            "team"_a, "X"_a.noconvert(), "weight"_a.noconvert(), "centroids"_a.noconvert(),
            "labels"_a.noconvert(), "patience"_a)
        .def(
            "run",
            [](core::SwapSearch& search, std::size_t most, double seconds) {
                return unlocked([&] { return search.run(most, seconds); });
            },
            "most"_a, "seconds"_a)
        .def_prop_ro("n_tried", &core::SwapSearch::n_tried)
        .def_prop_ro("n_kept", &core::SwapSearch::n_kept)
        .def_prop_ro("has_ended", &core::SwapSearch::has_ended)
        .def_prop_ro("inertia", &core::SwapSearch::inertia)
        .def_prop_ro(
            "centroids",
            [](const core::SwapSearch& search) { return to_array(search.centroids()); },
            nb::rv_policy::automatic);
}

}  // namespace truemeans::bindings
