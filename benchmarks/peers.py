"""One adapter for each peer: the same job in its own words.

An adapter imports its library when it is made. What a peer does differently is said in ``note``
and shown in the tables; nothing is hidden by the adapter.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from benchmarks.workloads import Workload

__all__ = ["OURS", "PEERS", "Fit", "Peer", "installed_version"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Fit:
    """What a peer returned; ``labels`` is None where it returns none."""

    centroids: Array
    labels: Array | None
    n_iter: int


class Peer:
    """What the worker needs of a peer; making one imports its library.

    Attributes
    ----------
    package : str
        To install.
    exact : bool
        Every label is meant to be the nearest centroid, from the centroids given.
    stops : bool
        Ends by itself when no label changes.
    note : str
        What it does differently.
    """

    package: ClassVar[str]
    exact: ClassVar[bool] = True
    stops: ClassVar[bool] = True
    note: ClassVar[str] = ""

    @classmethod
    def can(cls, workload: Workload) -> bool:
        """Whether the job is one for this peer."""
        return True

    def fit(self, X: Array, centroids: Array, n_iter: int) -> Fit:
        """Start from ``centroids`` and take ``n_iter`` iterations, fewer if nothing changes."""
        raise NotImplementedError

    def predictor(self, centroids: Array) -> Callable[[Array], Any]:
        """A fitted model's way to label rows."""
        raise NotImplementedError


class SklearnLloyd(Peer):
    """scikit-learn."""

    package = "scikit-learn"
    note = "one more pass for labels"
    module: ClassVar[str] = "sklearn.cluster"
    algorithm: ClassVar[str] = "lloyd"

    def __init__(self) -> None:
        self._class = importlib.import_module(self.module).KMeans

    def fit(self, X: Array, centroids: Array, n_iter: int) -> Fit:
        model = self._model(centroids, n_iter).fit(X)
        return Fit(model.cluster_centers_, model.labels_, model.n_iter_)

    def predictor(self, centroids: Array) -> Callable[[Array], Any]:
        # Twice, because scikit-learn-intelex does not take as many clusters as rows.
        model = self._model(centroids, 1).fit(np.concatenate([centroids, centroids]))
        return model.predict  # type: ignore[no-any-return]

    def _model(self, centroids: Array, n_iter: int) -> Any:
        return self._class(
            len(centroids),
            init=centroids,
            n_init=1,
            max_iter=n_iter,
            tol=0,
            algorithm=self.algorithm,
        )


class SklearnElkan(SklearnLloyd):
    """scikit-learn with bounds; rows × clusters of memory."""

    algorithm = "elkan"
    note = "algorithm='elkan'"

    @classmethod
    def can(cls, workload: Workload) -> bool:
        return workload.verb == "fit"


class SklearnIntelex(SklearnLloyd):
    """scikit-learn-intelex (oneDAL)."""

    package = "scikit-learn-intelex"
    module = "sklearnex.cluster"


class Faiss(Peer):
    """FAISS with all rows, exact."""

    package = "faiss-cpu"
    stops = False
    note = "no final labels"

    def __init__(self) -> None:
        self._faiss = importlib.import_module("faiss")
        self._faiss.omp_set_num_threads(int(os.environ["OMP_NUM_THREADS"]))

    @classmethod
    def can(cls, workload: Workload) -> bool:
        return workload.dtype == "float32"

    def fit(self, X: Array, centroids: Array, n_iter: int) -> Fit:
        model = self._faiss.Kmeans(
            X.shape[1],
            len(centroids),
            niter=n_iter,
            min_points_per_centroid=1,
            max_points_per_centroid=2**31 - 1,
        )
        model.train(X, init_centroids=centroids)
        return Fit(model.centroids, None, n_iter)

    def predictor(self, centroids: Array) -> Callable[[Array], Any]:
        index = self._faiss.IndexFlatL2(centroids.shape[1])
        index.add(centroids)
        return lambda X: index.search(X, 1)[1][:, 0]


class SuperKMeans(Peer):
    """SuperKMeans with all rows, flat; prunes by a statistical test."""

    package = "superkmeans"
    exact = False
    stops = False
    note = "approximate; own random init; no final labels"

    def __init__(self) -> None:
        self._class = importlib.import_module("superkmeans").SuperKMeans

    @classmethod
    def can(cls, workload: Workload) -> bool:
        return workload.dtype == "float32" and workload.verb == "fit"

    def fit(self, X: Array, centroids: Array, n_iter: int) -> Fit:
        model = self._class(
            len(centroids),
            X.shape[1],
            hierarchical=False,
            iters=n_iter,
            sampling_fraction=1.0,
            max_points_per_cluster=len(X),
            n_threads=int(os.environ["OMP_NUM_THREADS"]),
            tol=0.0,
            early_termination=False,
        )
        return Fit(model.train(X), None, n_iter)


class Truemeans(Peer):
    """`truemeans.k_means`; threads are left to the plan, which the environment limits."""

    package = "truemeans"
    note = "k_means; labels of the final centroids"

    def __init__(self) -> None:
        self._truemeans = importlib.import_module("truemeans")

    @classmethod
    def can(cls, workload: Workload) -> bool:
        return workload.verb == "fit"

    def fit(self, X: Array, centroids: Array, n_iter: int) -> Fit:
        result = self._truemeans.k_means(X, len(centroids), init=centroids, max_iter=n_iter)
        return Fit(result.centroids, result.labels, result.n_iter)


class TruemeansKMeans(SklearnLloyd):
    """`truemeans.KMeans`, where the class's own overhead shows."""

    package = "truemeans"
    module = "truemeans"
    note = "KMeans"

    @classmethod
    def can(cls, workload: Workload) -> bool:
        return workload.is_tiny or workload.verb == "predict"


class Reference(Truemeans):
    """The definition, in NumPy: what exactness costs without any cleverness."""

    note = "reference engine"

    def __init__(self) -> None:
        os.environ["TRUEMEANS_ENGINE"] = "reference"
        super().__init__()

    @classmethod
    def can(cls, workload: Workload) -> bool:
        return workload.verb == "fit" and workload.work <= 2e7


PEERS: dict[str, type[Peer]] = {
    "sklearn": SklearnLloyd,
    "sklearn-elkan": SklearnElkan,
    "sklearnex": SklearnIntelex,
    "faiss": Faiss,
    "superkmeans": SuperKMeans,
    "truemeans": Truemeans,
    "truemeans.KMeans": TruemeansKMeans,
    "reference": Reference,
}

OURS = ("truemeans", "truemeans.KMeans", "reference")


def installed_version(peer: type[Peer]) -> str:
    """Version of the peer's package, for the report."""
    try:
        return version(peer.package)
    except PackageNotFoundError:
        return "not installed as a package"
