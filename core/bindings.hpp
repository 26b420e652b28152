// What the files that know Python share: typed arrays in, the interpreter lock released around
// the work, Ctrl-C turned into KeyboardInterrupt. All checking of user input happened before; what
// is asked for here is that shapes agree, so that no mistake in a caller leads out of an array.
// Numbers of rows and clusters are looked at too, but for the labels of a pass that skips rows or
// may: an earlier call made these, and such a pass reads little else.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <initializer_list>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "aligned.hpp"
#include "boxes.hpp"
#include "grids.hpp"
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

inline void require(bool holds, const char* otherwise) {
    if (!holds) throw std::invalid_argument(otherwise);
}

inline bool interrupted() {
    nb::gil_scoped_acquire lock;
    return PyErr_CheckSignals() != 0;
}

// Memory of centroids that Python has dropped, for the next ones: each iteration makes some, and
// pages that are new take longer than what is written to them.
class Spare {
  public:
    core::Aligned<double> take(std::size_t n) {
        const std::lock_guard lock(mutex_);
        if (kept_.size() != n) return core::Aligned<double>(n);
        return std::exchange(kept_, {});
    }
    void put(core::Aligned<double>&& values) {
        const std::lock_guard lock(mutex_);
        if (is_open_) kept_ = std::move(values);
    }
    // From now on nothing is kept.
    void close() {
        const std::lock_guard lock(mutex_);
        is_open_ = false;
        kept_ = {};
    }

  private:
    std::mutex mutex_;
    bool is_open_ = true;
    core::Aligned<double> kept_;
};

struct PyTeam {
    core::Team team;
    const core::Kernels* kernels;
    std::shared_ptr<Spare> spare = std::make_shared<Spare>();

    PyTeam(std::size_t n_threads, const std::string& target)
        : team(n_threads, interrupted), kernels(core::choose_target(target)) {
        require(kernels, "internal: no such target");
    }
    PyTeam(const PyTeam&) = delete;
    PyTeam& operator=(const PyTeam&) = delete;
    ~PyTeam() { spare->close(); }
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

// Hands what a vector holds to Python without a copy.
template <class Shape, class T, class Allocator>
Out<T, Shape> handed_over(std::vector<T, Allocator>&& values,
                          std::initializer_list<std::size_t> shape) {
    using Kept = std::vector<T, Allocator>;
    auto* kept = new Kept(std::move(values));
    nb::capsule owner(kept, [](void* p) noexcept { delete static_cast<Kept*>(p); });
    return Out<T, Shape>(kept->data(), shape, owner);
}

template <class T>
Out<T, Vector> moved(std::vector<T>&& values) {
    const std::size_t n = values.size();
    return handed_over<Vector>(std::move(values), {n});
}

// What these hold is for the caller to write.
template <class T>
Out<T, Vector> new_vector(std::size_t n) {
    return handed_over<Vector>(core::Aligned<T>(n), {n});
}
template <class T>
Out<T, Matrix> new_matrix(std::size_t n, std::size_t m) {
    return handed_over<Matrix>(core::Aligned<T>(n * m), {n, m});
}

// The same, of memory that was dropped before, where it has the size.
inline Out<double, Matrix> new_centroids(const PyTeam& t, std::size_t k, std::size_t d) {
    struct Kept {
        core::Aligned<double> values;
        std::shared_ptr<Spare> home;
        ~Kept() { home->put(std::move(values)); }
    };
    auto* kept = new Kept{t.spare->take(k * d), t.spare};
    nb::capsule owner(kept, [](void* p) noexcept { delete static_cast<Kept*>(p); });
    return Out<double, Matrix>(kept->values.data(), {k, d}, owner);
}

using Weight = std::optional<In<double, Vector>>;
using Labels = std::optional<In<std::int32_t, Vector>>;

template <class A>
auto* data_or_null(const std::optional<A>& a) {
    return a ? a->data() : nullptr;
}

template <class T>
core::Rows<T> rows_of(const In<T, Matrix>& X, const Weight& weight = {}) {
    require(X.shape(1) > 0, "internal: rows without features");
    require(!weight || weight->shape(0) == X.shape(0), "internal: one weight a row");
    return {X.data(), X.shape(0), X.shape(1), data_or_null(weight)};
}

inline core::Centroids centroids_of(const In<double, Matrix>& c, std::size_t d) {
    require(c.shape(0) > 0 && d > 0, "internal: no centroids");
    require(c.shape(1) == d, "internal: rows and centroids differ in their features");
    return {c.data(), c.shape(0)};
}

// The grids of sums (k, n_grids, d + 1); without sums they are not used.
inline core::Grids grids_of(const std::optional<In<double, Matrix>>& magic,
                            const std::optional<InOut<double, Cube>>& sums, std::size_t k,
                            std::size_t d) {
    const std::size_t n_grids = magic ? magic->shape(0) : 0;
    require(!magic || magic->shape(1) == d + 1, "internal: grids of other features");
    require(n_grids <= core::kMaxGrids, "internal: too many grids");
    require(!sums || (n_grids > 0 && sums->shape(0) == k && sums->shape(1) == n_grids &&
                      sums->shape(2) == d + 1),
            "internal: sums of another shape than clusters and grids");
    return {data_or_null(magic), n_grids};
}

inline void require_one_a_row(std::size_t n, std::size_t n_rows) {
    require(n == n_rows, "internal: one entry a row");
}

// The weights that boxes were made with, once more.
template <class T>
const double* weight_of(const core::Boxes<T>& boxes, const Weight& weight) {
    require(boxes.weighted == weight.has_value(), "internal: boxes of other weights");
    if (!weight) return nullptr;
    require_one_a_row(weight->shape(0), boxes.order.size());
    return weight->data();
}

// Every number of the list from low to below high.
template <class T, class List>
void require_numbers(const List& list, T low, std::size_t high) {
    const auto most = static_cast<std::size_t>(std::numeric_limits<T>::max());
    const T last = high > most ? static_cast<T>(most) : static_cast<T>(high) - T(1);
    // No early exit, so that it runs as fast as memory is read.
    T bad = 0;
    for (std::size_t i = 0; i < list.shape(0); ++i) {
        const T number = list.data()[i];
        bad |= static_cast<T>(static_cast<T>(number < low) | static_cast<T>(number > last));
    }
    require(bad == 0, "internal: a number out of range");
}

inline core::Scores scores_of(const std::string& name, const core::Kernels& kernels) {
    if (name == "samples") return core::Scores::lanes_are_samples;
    if (name == "centroids") return core::Scores::lanes_are_centroids;
    if (name == "none") return core::Scores::none;
    if (name == "tiles" && kernels.score_tiles) return core::Scores::tiles;
    if (name == "coarse" && kernels.score_tiles) return core::Scores::coarse_tiles;
    if (name == "bytes" && kernels.score_tiles) return core::Scores::byte_tiles;
    throw std::invalid_argument("internal: no such scores");
}

// Adds what one file binds to the module.
void bind_search(nb::module_& m);
void bind_seeding(nb::module_& m);

}  // namespace truemeans::bindings
