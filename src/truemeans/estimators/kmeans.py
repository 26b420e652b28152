"""KMeans: scikit-learn's estimator, with this package's answer."""

from __future__ import annotations

import os
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from truemeans import solve
from truemeans.estimators.callbacks import CallbackSupportMixin, tasks_of, with_callbacks
from truemeans.estimators.params import NamedOnce
from truemeans.functions import open_source, plan_survey, pose, survey_rows, warn_about
from truemeans.narrator import Narrator
from truemeans.validation import (
    check_distances_fit,
    check_n_features,
    check_rows,
    check_sample_weight,
    warn,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from truemeans.dataset import Survey
    from truemeans.result import Callback, Result
    from truemeans.sources import Source

__all__ = ["KMeans"]

_FROM_ZERO = Interval(Integral, 0, None, closed="left")
_FROM_ONE = Interval(Integral, 1, None, closed="left")


class KMeans(
    CallbackSupportMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    ClusterMixin,
    NamedOnce,
):
    """K-means clustering, exact and reproducible.

    A drop-in for ``sklearn.cluster.KMeans``: the same parameters, attributes and methods,
    and one answer to the last bit for any number of threads. ``labels_`` is always
    ``predict(X)`` of the training rows, and ``score(X)`` is ``-inertia_``. With scikit-learn 1.9
    or later its callbacks work: ``KMeans().set_callbacks(sklearn.callback.ProgressBar())``.

    Parameters
    ----------
    n_clusters : int, default=8
        Number of clusters, from 1 to the number of rows.
    init : {"auto", "k-means++", "k-means||", "random"}, callable or array-like, default="auto"
        Where the centroids start. "k-means++" draws rows far from those already drawn, the best
        of a few each time, "k-means||" many at once in a few passes and picks among these, "random"
        distinct rows. "auto" is "k-means||" for many rows (docs/seeding.md), else "k-means++"; the
        plan says so. An array of shape (n_clusters, n_features) gives the centroids; a callable
        makes them from ``(X, n_clusters, random_state)``.
    n_init : "auto" or int, default="auto"
        Number of runs from different starts; the one with the least inertia counts. "auto"
        is 10 for "random" and a callable, else 1.
    max_iter : int, default=300
        The most iterations of one run.
    tol : float, default=1e-4
        A run ends when the squared movement of the centroids adds up to at most ``tol`` ×
        the mean variance of the features. With 0 it ends when no label changes.
    verbose : int, default=0
        With 1 or more, the plan, the rules behind it and every iteration print a line.
    random_state : int, RandomState, Generator or None, default=None
        What makes the random choices. An integer makes them the same every time.
    copy_x : bool, default=True
        Taken for compatibility; ``X`` is never written to.
    algorithm : {"auto", "lloyd", "elkan"}, default="auto"
        "auto" gives rows of one feature the optimum over all clusterings, unless ``init`` is an
        array or a callable: the loop starts from it, ``n_init`` and ``random_state`` have no
        part in the answer. Otherwise taken for compatibility: every method used here is exact,
        so the answer is the same.
    n_threads : int, default=None
        The most threads to use; work that takes about a millisecond uses one. None takes what
        the process may use: CPU affinity, control group limits and OMP_NUM_THREADS are respected.
    callback : callable, default=None
        Called with a `truemeans.Iteration` after every iteration. A true return value ends the
        fit with the best run so far; further runs are not begun.
    refine : {"swap"} or None, default=None
        "swap" looks for better centroids after the best run; see `truemeans.k_means`.
    max_swaps : int, default=None
        The most swaps that ``refine`` tries; None goes on while it helps.
    max_swap_seconds : float, default=None
        About how long ``refine`` tries; what is found by then depends on the machine.
    skip_memory : int, default=None
        The most bytes to keep about the rows from pass to pass; see `truemeans.k_means`.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, n_features)
        Coordinates of the centroids; float32 for float32 rows, float64 otherwise.
    labels_ : ndarray of int32, shape (n_samples,)
        Cluster of each row; ties go to the lowest index.
    inertia_ : float
        Sum over rows of weight × squared distance to the own centroid.
    n_iter_ : int
        Number of iterations taken.
    optimal_ : bool
        True where no clustering has a lower inertia, but for the rounding of the centroids:
        proved for rows of one feature, never claimed for more.
    history_ : History
        Inertia and number of changed labels of each iteration.
    restarts_ : ndarray of float64, shape (n_init,)
        Inertia of each run; ``inertia_`` is the least of them, unless ``refine`` lowered it.
    refinement_ : Refinement or None
        What ``refine`` did; ``n_iter_`` and ``history_`` are of the run that was refined.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if ``X`` has names that are all strings.

    References
    ----------
    S. P. Lloyd, "Least squares quantization in PCM", IEEE Transactions on Information
    Theory 28 (1982), 129–137.

    Examples
    --------
    >>> from truemeans import KMeans
    >>> X = [[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]]
    >>> kmeans = KMeans(n_clusters=2, init=[[0, 0], [9, 9]]).fit(X)
    >>> kmeans.labels_
    array([0, 0, 0, 1, 1, 1], dtype=int32)
    >>> kmeans.predict([[0, 0], [12, 3]])
    array([0, 1], dtype=int32)
    >>> kmeans.cluster_centers_
    array([[ 1.,  2.],
           [10.,  2.]])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_clusters": [_FROM_ONE],
        "init": [StrOptions({"auto", "k-means++", "k-means||", "random"}), callable, "array-like"],
        "n_init": [StrOptions({"auto"}), _FROM_ONE],
        "max_iter": [_FROM_ONE],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "random_state": ["random_state", np.random.Generator],
        "copy_x": ["boolean"],
        "algorithm": [StrOptions({"auto", "lloyd", "elkan"})],
        "n_threads": [_FROM_ONE, None],
        "callback": [callable, None],
        "refine": [StrOptions({"swap"}), None],
        "max_swaps": [_FROM_ZERO, None],
        "max_swap_seconds": [Interval(Real, 0, None, closed="left"), None],
        "skip_memory": [_FROM_ZERO, None],
    }

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: str | npt.ArrayLike | Callable[..., Any] = "auto",
        n_init: str | int = "auto",
        max_iter: int = 300,
        tol: float = 1e-4,
        verbose: int = 0,
        random_state: int | np.random.RandomState | np.random.Generator | None = None,
        copy_x: bool = True,
        algorithm: str = "auto",
        n_threads: int | None = None,
        callback: Callback | None = None,
        refine: str | None = None,
        max_swaps: int | None = None,
        max_swap_seconds: float | None = None,
        skip_memory: int | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.verbose = verbose
        self.random_state = random_state
        self.copy_x = copy_x
        self.algorithm = algorithm
        self.n_threads = n_threads
        self.callback = callback
        self.refine = refine
        self.max_swaps = max_swaps
        self.max_swap_seconds = max_swap_seconds
        self.skip_memory = skip_memory

    def fit(self, X: Any, y: object = None, sample_weight: npt.ArrayLike | None = None) -> KMeans:
        """Find the clusters of the rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or path of a .npy file
            Lists of lists, arrays of any real dtype and layout, pandas, polars and Arrow
            tables.
        y : Ignored
            Here by convention.
        sample_weight : array-like of shape (n_samples,) or a scalar, default=None
            Weight of each row, 0 or more; None weighs every row 1.

        Returns
        -------
        KMeans
            The fitted estimator itself.

        Raises
        ------
        ValueError
            If an entry of ``X`` is missing or not finite, or a parameter is out of range.
        TypeError
            If ``X`` does not hold numbers, or is sparse.
        """
        self._fit(X, y, sample_weight)
        return self

    def fit_predict(
        self, X: Any, y: object = None, sample_weight: npt.ArrayLike | None = None
    ) -> npt.NDArray[np.int32]:
        """Find the clusters of the rows and return ``labels_``; see `fit`."""
        self._fit(X, y, sample_weight)
        return self.labels_

    def fit_transform(
        self, X: Any, y: object = None, sample_weight: npt.ArrayLike | None = None
    ) -> npt.NDArray[Any]:
        """Find the clusters of the rows and return `transform` of them; see `fit`."""
        return self._distances(self._fit(X, y, sample_weight))

    def predict(self, X: Any) -> npt.NDArray[np.int32]:
        """Return the index of the nearest centroid of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or path of a .npy file
            Rows with the features of the training rows, of any real dtype.

        Returns
        -------
        ndarray of int32, shape (n_samples,)
            Ties go to the lowest index.
        """
        source, _ = self._open(X)
        return solve.assign(source, self._centroids(), self.n_threads)

    def transform(self, X: Any) -> npt.NDArray[Any]:
        """Return the Euclidean distance of each row to each centroid.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or path of a .npy file
            Rows with the features of the training rows, of any real dtype.

        Returns
        -------
        ndarray of shape (n_samples, n_clusters)
            float32 for float32 rows, float64 otherwise.
        """
        source, _ = self._open(X)
        return self._distances(source)

    def score(self, X: Any, y: object = None, sample_weight: npt.ArrayLike | None = None) -> float:
        """Return the inertia of the rows with the fitted centroids, negated.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or path of a .npy file
            Rows with the features of the training rows, of any real dtype.
        y : Ignored
            Here by convention.
        sample_weight : array-like of shape (n_samples,) or a scalar, default=None
            Weight of each row, 0 or more; None weighs every row 1.

        Returns
        -------
        float
            ``-inertia_`` for the training rows and weights.
        """
        source, found = self._open(X)
        weights = check_sample_weight(sample_weight, source.n_samples)
        return -solve.inertia(source, found, weights, self._centroids(), self.n_threads)

    def save(self, path: str | os.PathLike[str], overwrite: bool = False) -> None:
        """Write the fitted estimator to a file that `truemeans.load` reads.

        Parameters
        ----------
        path : str or path-like
            Where to write.
        overwrite : bool, default=False
            Replace a file that is there already.
        """
        from truemeans.model_file import save_estimator

        check_is_fitted(self)
        save_estimator(self, path, overwrite=overwrite)

    def _fit(self, X: Any, y: object, sample_weight: object) -> Source:
        self._validate_params()
        self._n_init = self._count_runs()
        problem = pose(
            X,
            self.n_clusters,
            sample_weight=sample_weight,
            init=self.init,
            n_init=self._n_init,
            max_iter=self.max_iter,
            tol=self.tol,
            random_state=self.random_state,
            n_threads=self.n_threads,
            any_start=self.algorithm == "auto",
            refine=self.refine,
            max_swaps=self.max_swaps,
            max_swap_seconds=self.max_swap_seconds,
            skip_memory=self.skip_memory,
            caller=type(self).__name__,
        )
        before = dict(vars(self))
        try:
            self._note_features(X, problem.source, reset=True)
            result = self._solve(problem, X=X, y=y, sample_weight=sample_weight)
        except BaseException:
            # Ctrl-C and a lack of memory too: what an earlier fit found stays whole.
            self.__dict__.clear()
            self.__dict__.update(before)
            raise
        warn_about(result, problem)
        return problem.source

    @with_callbacks
    def _solve(self, problem: solve.Problem, **given: Any) -> Result:
        told = self.callback
        if self.verbose:
            told = Narrator(told, self.tol, problem.plan)
        tasks = tasks_of(self, told, problem.max_iter, problem.n_init, **given)
        result = solve.fit(problem, callback=tasks or told)
        self.cluster_centers_ = result.centroids
        self.labels_ = result.labels
        self.inertia_ = result.inertia
        self.n_iter_ = result.n_iter
        self.optimal_ = result.optimal
        self.history_ = result.history
        self.restarts_ = result.restarts
        self.refinement_ = result.refinement
        if tasks:
            tasks.close()
        return result

    def _count_runs(self) -> Any:
        if self.algorithm == "elkan" and self.n_clusters == 1:
            warn(
                "algorithm='elkan' doesn't make sense for a single cluster. Using 'lloyd' instead.",
                RuntimeWarning,
            )
        if not (isinstance(self.n_init, str) and self.n_init == "auto"):
            return self.n_init
        from_random = callable(self.init) or (isinstance(self.init, str) and self.init == "random")
        return 10 if from_random else 1

    def _open(self, X: Any) -> tuple[Source, Survey]:
        check_is_fitted(self)
        source = open_source(X)
        found = survey_rows(source, plan_survey(source, self.n_threads), X)
        self._note_features(X, source, reset=False)
        return source, found

    def _note_features(self, X: Any, source: Source, *, reset: bool) -> None:
        """Remember the names and number of features in `fit`, compare them elsewhere."""
        validate_data(self, X, reset=reset, skip_check_array=True, ensure_2d=False)
        if reset:
            self.n_features_in_ = source.n_features
        else:
            check_n_features(source.n_features, self.n_features_in_, type(self).__name__)

    def _centroids(self) -> npt.NDArray[Any]:
        return check_rows(self.cluster_centers_, "cluster_centers_")

    def _distances(self, source: Source) -> npt.NDArray[Any]:
        centroids = self._centroids()
        check_distances_fit(source.n_samples, len(centroids), source.dtype.itemsize)
        return solve.distances(source, centroids, self.n_threads)

    @property
    def _n_features_out(self) -> int:
        return len(self.cluster_centers_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
