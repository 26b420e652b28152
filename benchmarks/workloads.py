"""What is measured: one line each."""

from __future__ import annotations

import hashlib
import inspect
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks import data

__all__ = ["WORKLOADS", "Workload", "cached", "distinct_rows", "mixture_of", "prepare"]

SEED = 20240601
_CONVERGE = 10_000


@dataclass(frozen=True)
class Workload:
    """One job that all peers do.

    Attributes
    ----------
    name : str
        For ``--only``.
    make : callable
        ``(n_samples, n_features, rng)`` → rows, see `data`.
    n_samples, n_features, n_clusters : int
        Its size.
    n_iter : int
        Iterations every peer takes; ``_CONVERGE`` runs until no label changes.
    verb : {"fit", "predict"}
        What is timed.
    dtype : str
        Of the rows.
    quick : bool
        Part of ``--quick``, where rows are fewer.
    n_predict : int
        Rows to label, for "predict".
    """

    name: str
    make: Callable[..., npt.NDArray[Any]]
    n_samples: int
    n_features: int
    n_clusters: int
    n_iter: int = 10
    verb: str = "fit"
    dtype: str = "float32"
    quick: bool = False
    n_predict: int = 0

    @property
    def to_convergence(self) -> bool:
        """True when the run ends by itself."""
        return self.n_iter == _CONVERGE

    @property
    def work(self) -> float:
        """Multiply-adds of one dense pass."""
        return float(self.n_samples) * self.n_features * self.n_clusters

    @property
    def is_tiny(self) -> bool:
        """True when the overhead of the call is what is measured."""
        return self.verb == "fit" and self.work < 1e5

    def scaled(self, share: float) -> Workload:
        """The same with fewer rows, for a quick look; tiny jobs stay as they are."""
        if self.is_tiny or self.make in (data.pixels, data.patches):
            return self
        n_samples = max(int(self.n_samples * share), 4 * self.n_clusters)
        return replace(self, n_samples=n_samples, n_predict=min(self.n_predict, n_samples))

    def __str__(self) -> str:
        what = f"{_short(self.n_samples)} × {self.n_features}, k = {self.n_clusters}"
        if self.dtype != "float32":
            what += f", {self.dtype}"
        if self.verb == "predict":
            return f"{what}: label {_short(self.n_predict)} row{'s' * (self.n_predict > 1)}"
        return f"{what}, " + ("to convergence" if self.to_convergence else f"{self.n_iter} iter.")


def _short(n: int) -> str:
    for size, unit in ((1_000_000, "M"), (1000, "k")):
        if n >= 10 * size or (n >= size and n % size == 0):
            return f"{n / size:.3g}{unit}"
    return str(n)


def mixture_of(n_centers: int, spread: float) -> Callable[..., npt.NDArray[Any]]:
    """Rows for a workload from `data.mixture`."""
    return partial(data.mixture, n_centers=n_centers, spread=spread)


_TABULAR = Workload("tabular", mixture_of(64, 1.3), 1_000_000, 16, 64, quick=True)

WORKLOADS = [
    Workload("geo", data.towns, 2_000_000, 2, 100, quick=True),
    Workload("palette", data.palette, 1_000_000, 3, 256, quick=True),
    Workload("pixels", data.pixels, 546_560, 3, 256),
    Workload("codebook", mixture_of(256, 1.0), 500_000, 8, 256, n_iter=20, quick=True),
    _TABULAR,
    replace(_TABULAR, name="tabular64", dtype="float64", quick=False),
    Workload("midk", mixture_of(1000, 1.1), 500_000, 32, 1000, quick=True),
    Workload("ivf", data.sift_like, 200_000, 128, 4096),
    Workload("embed", data.embeddings, 100_000, 768, 1000, quick=True),
    Workload("patches", data.patches, 133_140, 192, 1000),
    Workload("converge", mixture_of(50, 1.05), 300_000, 10, 50, n_iter=_CONVERGE, quick=True),
    Workload("uniform", data.uniform, 500_000, 32, 256),
    Workload("tiny30", mixture_of(2, 1.5), 30, 2, 2, quick=True),
    Workload("tiny1k", mixture_of(5, 2.0), 1000, 2, 5, quick=True),
    replace(_TABULAR, name="predict1", verb="predict", n_predict=1),
    replace(_TABULAR, name="predict1M", verb="predict", n_predict=1_000_000, quick=False),
]


def cached(name: str, *key: object) -> Path:
    """Where an array is kept between runs; another key or other generators, another file."""
    text = repr(key) + inspect.getsource(data) + str(SEED)
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / "truemeans-benchmarks"
    folder.mkdir(exist_ok=True)
    return folder / f"{name.replace(' ', '-')}-{digest}.npy"


def distinct_rows(X: npt.NDArray[Any], n_rows: int, rng: np.random.Generator) -> npt.NDArray[Any]:
    """Random rows of ``X`` that differ from each other, in the order drawn."""
    order = rng.permutation(len(X))
    n_drawn = n_rows
    while True:
        drawn = X[order[:n_drawn]]
        first = np.sort(np.unique(drawn, axis=0, return_index=True)[1])
        if len(first) >= n_rows:
            return drawn[first[:n_rows]]
        if n_drawn >= len(X):
            raise ValueError(f"only {len(first)} of {n_rows} distinct rows to start from.")
        n_drawn *= 2


def prepare(workload: Workload) -> dict[str, Any]:
    """Make the rows and the initial centroids unless they are there; say where they are."""
    w = workload
    parameters = getattr(w.make, "keywords", None)
    key = (parameters, w.n_samples, w.n_features, w.n_clusters, w.dtype, w.n_iter)
    X_path, C_path = cached(f"{w.name}-X", *key), cached(f"{w.name}-C", *key)
    facts_path = C_path.with_suffix(".json")
    if not facts_path.exists():
        rng = np.random.default_rng(SEED)
        X = np.ascontiguousarray(w.make(w.n_samples, w.n_features, rng), dtype=w.dtype)
        centroids = distinct_rows(X, w.n_clusters, rng)
        np.save(X_path, X)
        np.save(C_path, centroids)
        n_iter = _iterations(X, centroids) if w.to_convergence else w.n_iter
        facts_path.write_text(json.dumps({"n_iter": n_iter}))
    facts: dict[str, Any] = json.loads(facts_path.read_text())
    paths = {"X": X_path, "centroids": C_path, "facts": facts_path}
    return facts | {name: str(path) for name, path in paths.items()}


def _iterations(X: npt.NDArray[Any], centroids: npt.NDArray[Any]) -> int:
    """Iterations to convergence, for peers that cannot tell; by scikit-learn."""
    from sklearn.cluster import KMeans

    model = KMeans(len(centroids), init=centroids, n_init=1, max_iter=_CONVERGE, tol=0)
    return int(model.fit(X).n_iter_)
