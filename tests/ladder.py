"""The rungs the tests climb: data made to be hard, every way to compute it, bits to compare."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from truemeans.dataset import Dataset, survey
from truemeans.engines import open_engine
from truemeans.lloyd import Run, lloyd
from truemeans.result import Plan, Result
from truemeans.sources import ArraySource, Source
from truemeans.targets import has_tiles, targets

REFERENCE = Plan("reference", "", 1, "none", "none", 0, "the definition")
SCORES = ("samples", "centroids", "none")
KINDS = ("lattice", "normal", "offset", "wide", "twins")


def native_plans() -> Iterator[Plan]:
    """Every target and layout of scores, with and without threads, in odd blocks."""
    for target in targets():
        for scores in SCORES + (("tiles", "coarse", "bytes") if has_tiles(target) else ()):
            yield Plan("native", target, 1, scores, "none", 0, "forced")
            yield Plan("native", target, 3, scores, "rows", 7, "forced")
        yield Plan("native", target, 2, "centroids", "groups", 0, "forced")


def boxes_plans() -> Iterator[Plan]:
    """Rows in boxes, for at most three features."""
    for target in targets():
        yield Plan("native", target, 2, "samples", "boxes", 0, "forced")


def name_of(plan: Plan) -> str:
    return f"{plan.target}-{plan.scores}-{plan.skip}-{plan.n_threads}x{plan.block_rows}"


def make_rows(kind: str, n: int, d: int, dtype: Any, seed: int = 0) -> np.ndarray:
    """Rows with ties (lattice), far from the origin, of wide range, or with exact duplicates."""
    rng = np.random.default_rng([seed, n, d])
    if kind == "lattice":
        rows = rng.integers(-3, 4, size=(n, d)).astype(float)
    else:
        rows = rng.normal(size=(n, d))
    if kind == "offset":
        rows += 1e5
    if kind == "wide":
        rows *= 10.0 ** rng.integers(-12, 12, size=(n, d))
    if kind == "twins":
        rows[n // 2 :] = rows[: n - n // 2]
    return np.ascontiguousarray(rows, dtype)


def run(
    source: np.ndarray | Source,
    centroids: np.ndarray,
    plan: Plan,
    weight: np.ndarray | None = None,
    max_iter: int = 6,
) -> Run:
    """One run of the loop, computed as the plan says."""
    rows = ArraySource(source) if isinstance(source, np.ndarray) else source
    with open_engine(plan) as engine:
        dataset = Dataset(rows, engine, survey(rows, engine), weight)
        return lloyd(
            dataset, centroids.astype(float), max_iter=max_iter, max_sq_shift=0.0, watch=None
        )


def assert_same_run(expected: Run, actual: Run) -> None:
    """Bit for bit: labels, centroids, inertia and the whole history."""
    np.testing.assert_array_equal(expected.labels, actual.labels)
    assert expected.centroids.tobytes() == actual.centroids.tobytes()
    assert expected.inertias == actual.inertias
    assert expected.n_changed == actual.n_changed
    assert expected.inertia == actual.inertia
    assert expected.converged == actual.converged


def blobs(dtype: Any = np.float64, n_features: int = 3, n: int = 90) -> np.ndarray:
    """Return three groups, 8 apart, whose numbers float16 holds exactly."""
    rng = np.random.RandomState(7)
    rows = rng.randint(-16, 17, (n, n_features)) / 16 + 8 * (np.arange(n) % 3)[:, None]
    return rows.astype(dtype)


def bits(result: Result) -> tuple[Any, ...]:
    """All that must not change: types, bytes and counts."""
    return (
        result.centroids.dtype.str,
        result.centroids.tobytes(),
        result.labels.dtype.str,
        result.labels.tobytes(),
        float(result.inertia).hex(),
        result.n_iter,
    )


def canonical_labels(X: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """The definition of a label: float64 squares added feature by feature, lowest index first."""
    sq_dist = np.zeros((len(X), len(centroids)))
    for f in range(X.shape[1]):
        e = X[:, f, np.newaxis].astype(float) - centroids[:, f].astype(float)
        sq_dist += e * e
    return sq_dist.argmin(axis=1)
