"""A fitted k-means as one record: what a model file holds, and the estimator made from it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["FORMAT_VERSION", "Model", "model_from_estimator", "to_estimator"]

FORMAT_VERSION = 1

# Parameters of an estimator that change how it runs and never what comes out.
_NOT_OF_THE_ANSWER = {"n_threads", "skip_memory", "callback", "verbose", "copy_x"}

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A fitted k-means, as a file holds it; what contradicts itself cannot be made.

    Attributes
    ----------
    centroids : ndarray of float32 or float64, shape (n_clusters, n_features)
        The centroids of the rows as they were clustered: standardised, if `scale` is given.
    inertia : float
        Sum over rows of weight × squared distance to the own centroid.
    n_iter : int
        Iterations taken.
    converged : bool or None
        Whether the fit ended by itself; None where that is not known.
    feature_names : tuple of str, or None
        One name per feature.
    offset, scale : ndarray, shape (n_features,), or None
        Rows are clustered as ``(x - offset) / scale``; both in the type of the centroids.
    sizes : ndarray of int64, shape (n_clusters,), or None
        Number of rows in each cluster of the fit.
    params : mapping of str to str, int, float, bool or None
        The parameters of the fit.
    library_version : str
        The release of truemeans that made the model.
    format_version : int
        The layout of the file.
    """

    centroids: npt.NDArray[Any]
    inertia: float
    n_iter: int
    converged: bool | None = None
    feature_names: tuple[str, ...] | None = None
    offset: npt.NDArray[Any] | None = None
    scale: npt.NDArray[Any] | None = None
    sizes: npt.NDArray[np.int64] | None = None
    params: Mapping[str, Scalar] = field(default_factory=dict)
    library_version: str = ""
    format_version: int = FORMAT_VERSION

    def __post_init__(self) -> None:
        broken = next((rule for rule, kept in self._rules() if not kept), None)
        if broken is not None:
            raise ValueError(f"a model's {broken}")

    def _rules(self) -> Iterator[tuple[str, bool]]:
        """Yield what must be true, in an order in which each rule may rely on those before."""
        c = self.centroids
        yield "centroids must be float32 or float64", c.dtype in (np.float32, np.float64)
        yield "centroids must have two dimensions and values", c.ndim == 2 and c.size > 0
        yield "centroids must be finite", bool(np.isfinite(c).all())
        yield (
            "inertia must be a finite number, 0 or more; where it is infinite, divide the rows by "
            "a power of two and fit again",
            _is_number(self.inertia),
        )
        yield "n_iter must be a whole number, 0 or more", _is_count(self.n_iter)
        yield (
            "converged must be true, false or null",
            self.converged is None or isinstance(self.converged, bool),
        )
        names = self.feature_names
        yield (
            "feature_names must be one name per feature",
            names is None or (len(names) == c.shape[1] and all(isinstance(n, str) for n in names)),
        )
        pair = [a for a in (self.offset, self.scale) if a is not None]
        yield "offset and scale must come together", len(pair) != 1
        yield (
            "offset and scale must be finite, one per feature, in the type of the centroids",
            all(
                a.shape == c.shape[1:] and a.dtype == c.dtype and np.isfinite(a).all() for a in pair
            ),
        )
        yield "scale must be positive", self.scale is None or bool((self.scale > 0).all())
        yield (
            "sizes must be one whole number per cluster, 0 or more",
            self.sizes is None
            or (
                self.sizes.dtype == np.int64
                and self.sizes.shape == c.shape[:1]
                and bool((self.sizes >= 0).all())
            ),
        )
        yield (
            "params must be numbers, text, true, false or null",
            all(isinstance(k, str) and _is_scalar(v) for k, v in self.params.items()),
        )
        yield "library_version must be text", isinstance(self.library_version, str)

    @property
    def n_clusters(self) -> int:
        """Number of clusters."""
        return int(self.centroids.shape[0])

    @property
    def n_features(self) -> int:
        """Number of features."""
        return int(self.centroids.shape[1])

    def centroids_in_units(self) -> npt.NDArray[Any]:
        """Return the centroids in the units of the data, for showing; standardising undone."""
        if self.offset is None or self.scale is None:
            return self.centroids
        with np.errstate(over="ignore"):
            return np.asarray(self.centroids * self.scale + self.offset)


def _is_number(value: object) -> bool:
    return isinstance(value, float) and math.isfinite(value) and value >= 0


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_scalar(value: object) -> TypeGuard[Scalar]:
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, str | int)


def to_estimator(model: Model) -> Any:
    """Return a model as a fitted estimator; see `truemeans.load`."""
    from truemeans import KMeans

    km = KMeans()
    known = set(km.get_params()) - _NOT_OF_THE_ANSWER
    km.set_params(**{name: value for name, value in model.params.items() if name in known})
    km.set_params(n_clusters=model.n_clusters)
    km.cluster_centers_ = model.centroids.copy()
    km.inertia_ = model.inertia
    km.n_iter_ = model.n_iter
    km.n_features_in_ = model.n_features
    if model.scale is None:
        _name_features(km, model)
        return km
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler()
    scaler.mean_, scaler.scale_ = model.offset, model.scale
    scaler.var_ = model.scale**2
    if model.sizes is not None:
        scaler.n_samples_seen_ = model.sizes.sum()
    scaler.n_features_in_ = model.n_features
    _name_features(scaler, model)
    return Pipeline([("standardscaler", scaler), ("kmeans", km)])


def _name_features(estimator: Any, model: Model) -> None:
    if model.feature_names is not None:
        estimator.feature_names_in_ = np.array(model.feature_names, dtype=object)


def _plain_params(km: Any) -> dict[str, Any]:
    """Parameters, numbers of NumPy's as Python's."""
    params = km.get_params()
    return {n: v.item() if isinstance(v, np.generic) else v for n, v in params.items()}


def model_from_estimator(km: Any) -> Model:
    """Return a fitted `KMeans` as a model.

    Parameters
    ----------
    km : KMeans
        Fitted. Of the parameters that decide the answer, those that are numbers, text, booleans
        or None are kept.
    """
    from sklearn.utils.validation import check_is_fitted

    from truemeans import __version__

    check_is_fitted(km)
    names = getattr(km, "feature_names_in_", None)
    labels = getattr(km, "labels_", None)
    n_clusters = len(km.cluster_centers_)
    return Model(
        centroids=km.cluster_centers_,
        inertia=float(km.inertia_),
        n_iter=int(km.n_iter_),
        feature_names=None if names is None else tuple(str(name) for name in names),
        sizes=None
        if labels is None
        else np.bincount(labels, minlength=n_clusters).astype(np.int64),
        params={
            name: value
            for name, value in _plain_params(km).items()
            if name not in _NOT_OF_THE_ANSWER and _is_scalar(value)
        },
        library_version=__version__,
    )
