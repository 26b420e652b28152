// The verbs that look for better clusters than one run of the loop finds, for Python.
#include "bindings.hpp"

#include <algorithm>

#include "optimum.hpp"

namespace truemeans::bindings {

namespace {

core::SortedValues sorted_of(const In<double, Vector>& values, const In<double, Vector>& weights) {
    return {values.data(), weights.data(), values.shape(0)};
}

Out<double, Vector> to_array(const std::vector<double>& values) {
    auto out = new_vector<double>(values.size());
    std::copy(values.begin(), values.end(), out.data());
    return out;
}

}  // namespace

void bind_search(nb::module_& m) {
    m.def(
        "optimum",
        [](PyTeam& t, In<double, Vector> values, In<double, Vector> weights, std::size_t k,
           std::size_t max_runs) {
            const core::Optimum found = unlocked(
                [&] { return core::optimum(t.team, sorted_of(values, weights), k, max_runs); });
            return nb::make_tuple(to_array(found.centroids), found.proved);
        },
        "team"_a, "values"_a.noconvert(), "weights"_a.noconvert(), "k"_a, "max_runs"_a);
    m.def(
        "least_inertias",
        [](PyTeam& t, In<double, Vector> values, In<double, Vector> weights, std::size_t most) {
            return to_array(unlocked(
                [&] { return core::least_inertias(t.team, sorted_of(values, weights), most); }));
        },
        "team"_a, "values"_a.noconvert(), "weights"_a.noconvert(), "most"_a);
}

}  // namespace truemeans::bindings
