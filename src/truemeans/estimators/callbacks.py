"""scikit-learn's callback protocol (version 1.9 and later): a fit as a tree of tasks.

The root task is the fit, its subtasks are the runs (where there is more than one), theirs the
iterations; each is told to the estimator's callbacks as it begins and as it ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from truemeans.result import END_RUN

if TYPE_CHECKING:
    from collections.abc import Callable

    from truemeans.result import Callback, Iteration

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # scikit-learn before 1.9: no callback can be set

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stands in for scikit-learn's."""

    def with_callbacks(method: Callable[..., Any]) -> Callable[..., Any]:
        """Return the method as it is."""
        return method


__all__ = ["CallbackSupportMixin", "FitTasks", "tasks_of", "with_callbacks"]


def tasks_of(
    estimator: Any,
    callback: Callback | None,
    max_iter: int,
    n_init: int,
    *,
    X: Any,
    y: Any,
    sample_weight: Any,
) -> FitTasks | None:
    """Begin the tasks of a fit; None where no scikit-learn callback is set."""
    if not getattr(estimator, "_skl_callbacks", None):
        return None
    metadata = None if sample_weight is None else {"sample_weight": sample_weight}
    given = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
    return FitTasks(callback, max_iter, n_init, given)


class FitTasks:
    """A callback of ours that speaks to those of scikit-learn's that an estimator has.

    Parameters
    ----------
    callback : callable or None
        The user's own, which is asked first.
    max_iter, n_init : int
        The most iterations of a run, and the number of runs.
    given : dict
        The ``estimator``, with callbacks set and its parameters checked, and what hooks may ask
        for: ``X``, ``y``, ``metadata``.
    """

    def __init__(
        self, callback: Callback | None, max_iter: int, n_init: int, given: dict[str, Any]
    ) -> None:
        self._callback, self._given = callback, given
        self._max_iter, self._n_init = max_iter, n_init
        self._fit = given["estimator"]._init_callback_context(
            max_subtasks=max_iter if n_init == 1 else n_init
        )
        self._fit.call_on_fit_task_begin(**self._given)
        self._begin_run()

    def __call__(self, iteration: Iteration) -> object:
        """End this iteration's task and begin what comes next, unless someone says stop."""
        answer = self._callback(iteration) if self._callback else None
        ends_fit = bool(answer)
        ends_run = self._end(self._iteration, iteration)
        if not (ends_fit or ends_run or iteration.converged or iteration.n_iter == self._max_iter):
            self._begin_iteration()
            return None
        if self._run is not self._fit:
            ends_fit |= self._end(self._run, iteration)
        if not ends_fit and iteration.run + 1 < self._n_init:
            self._begin_run()
        return ends_fit or (END_RUN if ends_run else None)

    def close(self) -> None:
        """End the task of the fit; the estimator is fitted by now."""
        self._fit.call_on_fit_task_end(**self._given, reconstruction_attributes={})

    def _begin_run(self) -> None:
        self._run = self._fit
        if self._n_init > 1:
            self._run = self._fit.subcontext("run", max_subtasks=self._max_iter)
            self._run.call_on_fit_task_begin(**self._given)
        self._begin_iteration()

    def _begin_iteration(self) -> None:
        self._iteration = self._run.subcontext("iteration")
        self._iteration.call_on_fit_task_begin(**self._given)

    def _end(self, task: Any, iteration: Iteration) -> bool:
        # What an estimator needs to predict as if the fit had ended here.
        state = {"cluster_centers_": iteration.next_centroids, "n_iter_": iteration.n_iter}
        return bool(task.call_on_fit_task_end(**self._given, reconstruction_attributes=state))
