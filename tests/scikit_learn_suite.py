"""A pytest plugin: scikit-learn's own k-means tests, run against this package.

Loaded with ``-p scikit_learn_suite`` it replaces the public names before the tests are collected
and deals with every test by the table below. Nothing else is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest
import sklearn.cluster

import truemeans

SWAPPED = ("KMeans", "k_means", "kmeans_plusplus")


def pytest_configure(config: pytest.Config) -> None:
    """Swap the names in the process that has this as a plugin, and in no other."""
    for name in SWAPPED:
        setattr(sklearn.cluster, name, getattr(truemeans, name))


class Excuse(NamedTuple):
    """Tests by name, those of their cases whose id has one of these words, and the reason."""

    tests: str
    words: tuple[str, ...]
    reason: str
    raises: tuple[type[BaseException], ...] = (TypeError,)

    def covers(self, item: pytest.Item) -> bool:
        function, _, case = item.name.partition("[")
        return function in self.tests.split() and any(word in case for word in self.words)


SPARSE = "rows in sparse matrices are refused, in one sentence, until they are supported"

# Run, and must fail with the error named; one that passes fails the run.
EXCUSED = (
    Excuse(
        "test_kmeans_results test_kmeans_relocated_clusters test_kmeans_elkan_results "
        "test_all_init test_kmeans_predict test_integer_input test_float_precision "
        "test_kmeans_init_fitted_centers test_unit_weights_vs_no_weights test_scaled_weights "
        "test_kmeans_empty_cluster_relocated test_k_means_1_iteration",
        ("sparse_matrix", "sparse_array"),
        SPARSE,
    ),
    Excuse("test_dense_sparse test_predict_dense_sparse", ("X_csr",), SPARSE),
    Excuse("test_kmeans_plusplus_output", ("input_data1", "input_data2"), SPARSE),
    Excuse("test_predict_does_not_change_cluster_centers", ("csr_matrix", "csr_array"), SPARSE),
    Excuse(
        "test_relocating_with_duplicates",
        ("sparse_matrix", "sparse_array"),
        SPARSE + " (raised where the test waits for a warning)",
        (TypeError, pytest.fail.Exception),
    ),
    Excuse(
        "test_sample_weight_init test_sample_weight_zero",
        ("k-means++", "random"),
        "calls the private KMeans._init_centroids; tests/test_scikit_learn_suite.py asks the "
        "same of the public functions",
        (AttributeError,),
    ),
)

# Not run: they never touch what was replaced, which is checked for each of them.
NOT_OURS = {
    "cases of MiniBatchKMeans, an estimator this package does not have yet": (
        "test_all_init test_kmeans_init_auto_with_initial_centroids test_fortran_aligned_data "
        "test_warning_n_init_precomputed_centers test_score_max_iter test_kmeans_predict "
        "test_dense_sparse test_predict_dense_sparse test_integer_input test_transform "
        "test_fit_transform test_float_precision test_centers_not_mutated "
        "test_unit_weights_vs_no_weights test_scaled_weights test_result_equal_in_diff_n_threads "
        "test_n_init_auto test_sample_weight_unchanged test_wrong_params test_feature_names_out "
        "test_minibatch_update_consistency test_minibatch_kmeans_partial_fit_init "
        "test_minibatch_kmeans_verbose test_minibatch_kmeans_warning_init_size "
        "test_minibatch_sensible_reassign test_minibatch_reassign "
        "test_minibatch_with_many_reassignments test_minibatch_kmeans_init_size "
        "test_minibatch_declared_convergence test_minibatch_iter_steps"
    ),
    "private helpers of scikit-learn": (
        "test_relocate_empty_clusters test_euclidean_distance test_inertia test_is_same_clustering"
    ),
}


def touches_ours(item: pytest.Function) -> bool:
    """Whether the test names something replaced, in its code or as a parameter of this case."""
    callspec = getattr(item, "callspec", None)
    values = callspec.params.values() if callspec else ()
    named = set(SWAPPED) & set(_names(item.function.__code__))
    ours = [getattr(truemeans, name) for name in SWAPPED]
    return bool(named) or any(value is our for value in values for our in ours)


def _names(code: object) -> Iterator[str]:
    """Global names a function uses, those of its inner functions included."""
    yield from code.co_names
    for constant in code.co_consts:
        if hasattr(constant, "co_names"):
            yield from _names(constant)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    listed = " ".join(NOT_OURS.values()).split()
    kept, left_out, used = [], [], set()
    for item in items:
        for name in SWAPPED:
            assert getattr(item.module, name) is getattr(truemeans, name), "swapped too late"
        if not touches_ours(item):
            function = item.name.partition("[")[0]
            if function not in listed:
                raise pytest.UsageError(f"{item.name} tests nothing of ours and is not listed")
            left_out.append(item)
            used.add(function)
            continue
        kept.append(item)
        for excuse in EXCUSED:
            if excuse.covers(item):
                item.add_marker(
                    pytest.mark.xfail(strict=True, reason=excuse.reason, raises=excuse.raises)
                )
                used.add(excuse)
    stale = {*listed, *EXCUSED} - used
    if stale:
        raise pytest.UsageError(f"excused, but not there: {stale}")
    config.hook.pytest_deselected(items=left_out)
    items[:] = kept
