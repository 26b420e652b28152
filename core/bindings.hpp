// What the files that know Python share: typed arrays in, the interpreter lock released around
// the work, Ctrl-C turned into KeyboardInterrupt. All checking of user input happened before.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "pass.hpp"
#include "targets.hpp"
#include "team.hpp"

namespace truemeans::bindings {

namespace nb = nanobind;
using namespace nb::literals;
namespace core = truemeans;

template <class T, class Shape>
using In = nb::ndarray<const T, Shape, nb::c_contig, nb::device::cpu>;
template <class T, class Shape>
using InOut = nb::ndarray<T, Shape, nb::c_contig, nb::device::cpu>;
template <class T, class Shape>
using Out = nb::ndarray<nb::numpy, T, Shape>;
using Vector = nb::ndim<1>;
using Matrix = nb::ndim<2>;
using Cube = nb::ndim<3>;

inline bool interrupted() {
    nb::gil_scoped_acquire lock;
    return PyErr_CheckSignals() != 0;
}

struct PyTeam {
    core::Team team;
    const core::Kernels* kernels;

    PyTeam(std::size_t n_threads, const std::string& target)
        : team(n_threads, interrupted), kernels(core::choose_target(target)) {
        if (!kernels) throw std::invalid_argument("internal: no such target");
    }
};

// Runs f without the interpreter lock. An interrupted team left the signal's exception set.
template <class F>
auto unlocked(F&& f) {
    try {
        nb::gil_scoped_release release;
        return f();
    } catch (const core::Interrupted&) {
        throw nb::python_error();
    }
}

template <class T>
Out<T, Vector> new_vector(std::size_t n) {
    T* data = new T[n]();
    nb::capsule owner(data, [](void* p) noexcept { delete[] static_cast<T*>(p); });
    return Out<T, Vector>(data, {n}, owner);
}

template <class T>
Out<T, Matrix> new_matrix(std::size_t n, std::size_t m) {
    T* data = new T[n * m]();
    nb::capsule owner(data, [](void* p) noexcept { delete[] static_cast<T*>(p); });
    return Out<T, Matrix>(data, {n, m}, owner);
}

// Hands a finished vector to Python without a copy.
template <class T>
Out<T, Vector> moved(std::vector<T>&& values) {
    auto* kept = new std::vector<T>(std::move(values));
    nb::capsule owner(kept, [](void* p) noexcept { delete static_cast<std::vector<T>*>(p); });
    return Out<T, Vector>(kept->data(), {kept->size()}, owner);
}

using Weight = std::optional<In<double, Vector>>;
using Labels = std::optional<In<std::int32_t, Vector>>;

template <class A>
auto* data_or_null(const std::optional<A>& a) {
    return a ? a->data() : nullptr;
}

template <class T>
core::Rows<T> rows_of(const In<T, Matrix>& X, const Weight& weight = {}) {
    return {X.data(), X.shape(0), X.shape(1), data_or_null(weight)};
}

inline core::Centroids centroids_of(const In<double, Matrix>& c) { return {c.data(), c.shape(0)}; }

inline core::Scores scores_of(const std::string& name, const core::Kernels& kernels) {
    if (name == "samples") return core::Scores::lanes_are_samples;
    if (name == "centroids") return core::Scores::lanes_are_centroids;
    if (name == "none") return core::Scores::none;
    if (name == "tiles" && kernels.score_tiles) return core::Scores::tiles;
    if (name == "coarse" && kernels.score_tiles) return core::Scores::coarse_tiles;
    throw std::invalid_argument("internal: no such scores");
}

// Adds what one file binds to the module.
void bind_search(nb::module_& m);
void bind_seeding(nb::module_& m);

}  // namespace truemeans::bindings
