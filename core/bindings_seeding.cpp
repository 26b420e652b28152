// The verbs of seeding, for Python.
#include "bindings.hpp"

#include "seeding.hpp"

namespace truemeans::bindings {

namespace {

template <class T>
void bind_rows(nb::module_& m) {
    using X2 = In<T, Matrix>;
    m.def(
        "row_keys",
        [](PyTeam& t, X2 X) {
            auto out = new_vector<double>(X.shape(0));
            unlocked([&] { core::row_keys(t.team, *t.kernels, rows_of<T>(X), out.data()); });
            return out;
        },
        "team"_a, "X"_a.noconvert());
    m.def(
        "lower_closest",
        [](PyTeam& t, X2 X, Weight weight, In<double, Vector> centroid,
           InOut<double, Vector> closest) {
            return unlocked([&] {
                return core::lower_closest(t.team, *t.kernels, rows_of<T>(X, weight),
                                           centroid.data(), closest.data());
            });
        },
        "team"_a, "X"_a.noconvert(), "weight"_a.noconvert().none(), "centroid"_a.noconvert(),
        "closest"_a.noconvert());
    m.def(
        "add_potentials",
        [](PyTeam& t, X2 X, Weight weight, In<double, Matrix> candidates,
           In<double, Vector> closest, double top, double n_rows, InOut<double, Matrix> sums) {
            unlocked([&] {
                core::add_potentials(t.team, *t.kernels, rows_of<T>(X, weight),
                                   centroids_of(candidates), closest.data(), top, n_rows,
                                   sums.data());
            });
        },
        "team"_a, "X"_a.noconvert(), "weight"_a.noconvert().none(), "candidates"_a.noconvert(),
        "closest"_a.noconvert(), "top"_a, "n_rows"_a, "sums"_a.noconvert());
}

}  // namespace

void bind_seeding(nb::module_& m) {
    m.attr("N_BUCKETS") = core::kBuckets;
    bind_rows<float>(m);
    bind_rows<double>(m);
    m.def(
        "add_bucket_masses",
        [](PyTeam& t, Weight weight, std::optional<In<double, Vector>> closest, double scale,
           In<std::uint16_t, Vector> buckets, InOut<double, Vector> sums) {
            unlocked([&] {
                core::add_bucket_masses(t.team, buckets.shape(0), data_or_null(weight),
                                        data_or_null(closest), scale, buckets.data(),
                                        sums.data());
            });
        },
        "team"_a, "weight"_a.noconvert().none(), "closest"_a.noconvert().none(), "scale"_a,
        "buckets"_a.noconvert(), "sums"_a.noconvert());
}

}  // namespace truemeans::bindings
