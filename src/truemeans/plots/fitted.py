"""What pictures need of a model, whatever holds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from truemeans.functions import open_source, plan_survey, survey_rows
from truemeans.model import Model
from truemeans.result import Result
from truemeans.standardize import standardize
from truemeans.validation import check_n_features
from truemeans.validation.plots import check_drawable, check_rows_given, names_of

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Drawn", "Fitted"]

# More points than this make a picture slower and not clearer.
_MOST_ROWS = 20_000


@dataclass(frozen=True, eq=False)
class Drawn:
    """The rows of a picture.

    Attributes
    ----------
    rows : ndarray, shape (n_drawn, n_features)
        As the user gave them.
    numbers : ndarray of int, shape (n_drawn,)
        Which rows they are, in rising order.
    n_samples : int
        How many rows there are.
    names : tuple of str
        Of the features.
    """

    rows: npt.NDArray[Any]
    numbers: npt.NDArray[np.intp]
    n_samples: int
    names: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fitted k-means.

    Attributes
    ----------
    centroids : ndarray, shape (n_clusters, n_features)
        As the rows were clustered: standardised, if `scale` is given.
    offset, scale : ndarray, shape (n_features,), or None
        Rows are clustered as ``(x - offset) / scale``.
    names : tuple of str, or None
        Of the features, where the model knows them.
    result : Result or None
        What holds the rows, if anything does.
    """

    centroids: npt.NDArray[Any]
    offset: npt.NDArray[Any] | None = None
    scale: npt.NDArray[Any] | None = None
    names: tuple[str, ...] | None = None
    result: Result | None = None

    @classmethod
    def of(cls, fitted: Any) -> Fitted:
        """Return what was fitted: a Result, a model record, an estimator, or what `load` gives."""
        if isinstance(fitted, Result):
            return cls(fitted.centroids, result=fitted)
        if isinstance(fitted, Model):
            return cls(fitted.centroids, fitted.offset, fitted.scale, fitted.feature_names)
        scaler, estimator = check_drawable(fitted)
        names = getattr(fitted, "feature_names_in_", None)
        return cls(
            np.asarray(estimator.cluster_centers_),
            None if scaler is None else scaler.mean_,
            None if scaler is None else scaler.scale_,
            None if names is None else tuple(map(str, names)),
        )

    def draw_rows(self, X: Any) -> Drawn:
        """Choose the rows of a picture: all, or as many drawn at random as one can see."""
        n_features = self.centroids.shape[1]
        if X is None and self.result is not None:
            n_samples, take = len(self.result.labels), self.result._take
        else:
            check_rows_given(X)
            source = open_source(X)
            check_n_features(source.n_features, n_features, "the model")
            survey_rows(source, plan_survey(source), X)
            n_samples, take = source.n_samples, source.take
        numbers = np.arange(n_samples)
        if n_samples > _MOST_ROWS:
            chosen = np.random.default_rng(0).choice(n_samples, _MOST_ROWS, replace=False)
            numbers = np.sort(chosen)
        names = names_of(X, n_features) or self.names
        return Drawn(
            take(numbers),
            numbers,
            n_samples,
            names or tuple(f"feature {j}" for j in range(n_features)),
        )

    def clustered(self, rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return rows as they are clustered."""
        if self.offset is None or self.scale is None:
            return rows
        kind = rows.dtype
        return standardize(rows, self.offset.astype(kind), self.scale.astype(kind))
