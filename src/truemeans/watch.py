"""What a run tells while it goes: each iteration to the callback and to the record."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from truemeans.engines.records import LabelArray
from truemeans.lloyd import Step
from truemeans.result import END_RUN, Callback, Iteration
from truemeans.scale import Scale

__all__ = ["Record", "Watch"]

_LabelAll = Callable[[LabelArray, npt.NDArray[Any]], LabelArray]


class Record:
    """Room for the centroids and labels of every iteration of one run.

    Parameters
    ----------
    max_iter, n_samples, n_clusters, n_features : int
        The most iterations, and the shapes. Pages nobody has written to cost nothing, so room
        for every iteration that could come is taken at once, and never moves.
    dtype : dtype
        Of the centroids.
    """

    def __init__(
        self,
        max_iter: int,
        n_samples: int,
        n_clusters: int,
        n_features: int,
        dtype: np.dtype[Any],
    ) -> None:
        self.centroids: npt.NDArray[Any] = np.empty((max_iter, n_clusters, n_features), dtype)
        self.labels = np.empty((max_iter, n_samples), np.int32)

    def cut(self, n_iter: int) -> Record:
        """Give back the room for iterations that did not come."""
        # In place, without a second copy; no view of these arrays has left this module.
        self.centroids.resize((n_iter, *self.centroids.shape[1:]), refcheck=False)
        self.labels.resize((n_iter, self.labels.shape[1]), refcheck=False)
        return self


class Watch:
    """Listens to the runs of one fit.

    Parameters
    ----------
    callback : callable or None
        Told of every iteration; what it returns may end the run or the fit.
    new_record : callable or None
        Makes an empty record, if one is kept.
    scale : Scale
        The way back to the user's units.
    dtype : dtype
        Of the user's rows.
    max_iter, n_init : int
        The most iterations of a run, and the number of runs.
    label_all : callable
        From the labels of the rows that count, and the centroids, to those of all rows.

    Attributes
    ----------
    stopped : bool
        Whether the callback ended the fit.
    """

    def __init__(
        self,
        callback: Callback | None,
        new_record: Callable[[], Record] | None,
        *,
        scale: Scale,
        dtype: np.dtype[Any],
        max_iter: int,
        n_init: int,
        label_all: _LabelAll,
    ) -> None:
        self._callback, self._new_record = callback, new_record
        self._scale, self._dtype = scale, dtype
        self._max_iter, self._n_init = max_iter, n_init
        self._label_all = label_all
        self._now: Record | None = None
        self._best: Record | None = None
        self.stopped = False

    def of_run(self, run: int) -> Callable[[Step], object] | None:
        """What the loop calls after each iteration of this run; None if nobody listens."""
        if self._callback is None and self._new_record is None:
            return None
        if self._new_record is not None and self._now is None:
            self._now = self._new_record()

        def watch(step: Step) -> object:
            centroids = self._scale.centroids(step.centroids, self._dtype)
            if self._now is not None:
                self._now.centroids[step.n_iter - 1] = centroids
                self._now.labels[step.n_iter - 1] = self._label_all(step.labels, centroids)
            return self._callback is not None and self._tell(self._callback, run, step, centroids)

        return watch

    def keep(self) -> None:
        """Keep the record of the run that has just ended, the best so far."""
        self._now, self._best = self._best, self._now

    def record(self, n_iter: int) -> Record | None:
        """Return the record of the best run, which took ``n_iter`` iterations."""
        return None if self._best is None else self._best.cut(n_iter)

    def _tell(
        self, callback: Callback, run: int, step: Step, centroids: npt.NDArray[Any]
    ) -> object:
        labels = _Labels(partial(self._label_all, step.labels, centroids), step.n_iter)
        answer = callback(
            Iteration(
                n_iter=step.n_iter,
                max_iter=self._max_iter,
                run=run,
                n_init=self._n_init,
                inertia=self._scale.inertia(step.inertia),
                n_changed=step.n_changed,
                centroids=_read_only(centroids),
                next_centroids=_read_only(self._scale.centroids(step.moved, self._dtype)),
                converged=step.converged,
                _labels=labels,
            )
        )
        labels.close()
        self.stopped = bool(answer) and answer is not END_RUN
        return answer


class _Labels:
    """The labels of one iteration, copied when they are first asked for.

    The loop goes on changing them, so what was not read while the callback ran is gone.
    """

    def __init__(self, live: Callable[[], LabelArray], n_iter: int) -> None:
        self._live: Callable[[], LabelArray] | None = live
        self._copy: LabelArray | None = None
        self._n_iter = n_iter

    def __call__(self) -> LabelArray:
        if self._copy is None:
            if self._live is None:
                raise RuntimeError(
                    f"the labels of iteration {self._n_iter} are gone, because the run went on; "
                    "read them while the callback runs, or ask for record=True."
                )
            self._copy = _read_only(self._live().copy())
        return self._copy

    def close(self) -> None:
        self._live = None


def _read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    array.flags.writeable = False
    return array
