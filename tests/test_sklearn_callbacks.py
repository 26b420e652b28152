"""scikit-learn's callback protocol on KMeans; scikit-learn has it from 1.9 on."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ladder import make_rows
from truemeans import KMeans

X = make_rows("normal", 300, 2, np.float64)

sklearn_callback = pytest.importorskip(
    "sklearn.callback", reason="scikit-learn has callbacks from version 1.9 on"
)


class Notes:
    """A callback that notes each task as it begins and ends, and ends what it is told to."""

    def __init__(self, *stops):
        self.events, self.fitted, self.asked, self.stops = [], [], [], stops

    def setup(self, estimator, context):
        self.events.append("setup")

    def teardown(self, estimator, context):
        self.events.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.events.append(("begin", *path(context)))

    def on_fit_task_end(
        self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None
    ):
        self.events.append(("end", *path(context)))
        self.fitted.append(fitted_estimator)
        self.asked.append((X, y, metadata))
        return path(context) in self.stops


def path(context):
    own = (f"{context.task_name} {context.task_id}",)
    return own if context.parent is None else (*path(context.parent), *own)


def tree(*n_iters):
    """The events of a fit whose runs took so many iterations."""
    runs = [()] if len(n_iters) == 1 else [(f"run {i}",) for i in range(len(n_iters))]
    yield "setup"
    yield "begin", "fit 0"
    for run, n_iter in zip(runs, n_iters, strict=True):
        if run:
            yield "begin", "fit 0", *run
        for i in range(n_iter):
            yield "begin", "fit 0", *run, f"iteration {i}"
            yield "end", "fit 0", *run, f"iteration {i}"
        if run:
            yield "end", "fit 0", *run
    yield "end", "fit 0"
    yield "teardown"


def fit(notes, **given):
    return KMeans(5, random_state=0, tol=0, **given).set_callbacks(notes).fit(X)


def test_the_tasks_of_one_run_are_its_iterations():
    notes = Notes()
    model = fit(notes)
    assert notes.events == list(tree(model.n_iter_))


def test_the_tasks_of_several_runs_are_runs_of_iterations():
    notes, last = Notes(), {}
    fit(notes, n_init=3, callback=lambda it: last.update({it.run: it.n_iter}))
    assert notes.events == list(tree(last[0], last[1], last[2]))


def test_centroids_given_make_one_run():
    notes = Notes()
    with pytest.warns(RuntimeWarning, match="performing only one init"):
        model = fit(notes, init=X[:5], n_init=3)
    assert notes.events == list(tree(model.n_iter_))


def test_callbacks_get_what_fit_was_given_and_an_estimator_as_of_then():
    notes, y, weight = Notes(), np.arange(300), np.ones(300)
    model = KMeans(5, random_state=0, tol=0).set_callbacks(notes).fit(X, y, weight)
    for given_X, given_y, metadata in notes.asked:
        assert given_X is X
        assert given_y is y
        assert metadata["sample_weight"] is weight
    scores = [fitted.score(X) for fitted in notes.fitted]
    assert scores == sorted(scores)
    assert [fitted.n_iter_ for fitted in notes.fitted[:-1]] == list(range(1, model.n_iter_ + 1))
    # As if the fit had ended there: the centroids of max_iter=2, their labels and their inertia.
    short = KMeans(5, random_state=0, tol=0, max_iter=2).fit(X)
    assert notes.fitted[1].cluster_centers_.tobytes() == short.cluster_centers_.tobytes()
    assert scores[1] == -short.inertia_
    assert scores[-1] == -model.inertia_
    np.testing.assert_array_equal(notes.fitted[-1].predict(X), model.labels_)


def test_a_stop_at_an_iteration_ends_its_run_only():
    notes = Notes(("fit 0", "run 0", "iteration 1"), ("fit 0", "run 1", "iteration 0"))
    last = {}
    fit(notes, n_init=3, callback=lambda it: last.update({it.run: it.n_iter}))
    assert (last[0], last[1]) == (2, 1)
    assert notes.events == list(tree(2, 1, last[2]))


def test_a_stop_at_a_run_ends_the_runs():
    notes = Notes(("fit 0", "run 1"))
    last = {}
    fit(notes, n_init=4, callback=lambda it: last.update({it.run: it.n_iter}))
    assert sorted(last) == [0, 1]
    assert notes.events == list(tree(last[0], last[1]))


def test_a_stop_of_the_only_run_ends_the_fit():
    notes = Notes(("fit 0", "iteration 1"))
    model = fit(notes)
    assert model.n_iter_ == 2
    assert notes.events == list(tree(2))


def test_a_true_answer_of_the_own_callback_ends_all_tasks():
    notes = Notes()
    model = fit(notes, n_init=3, callback=lambda it: it.run == 1 and it.n_iter == 2)
    runs = [event for event in notes.events if event[0] == "begin" and len(event) == 3]
    assert len(runs) == 2
    n_begun = sum(event[0] == "begin" for event in notes.events)
    assert n_begun == sum(event[0] == "end" for event in notes.events)
    assert notes.events[-2:] == [("end", "fit 0"), "teardown"]
    assert model.inertia_ == -model.score(X)


def test_callbacks_change_no_bit_and_can_be_taken_off():
    plain = KMeans(5, random_state=0, n_init=2).fit(X)
    notes = Notes()
    told = KMeans(5, random_state=0, n_init=2).set_callbacks(notes)
    assert clone(told).fit(X).cluster_centers_.tobytes() == plain.cluster_centers_.tobytes()
    n_events = len(notes.events)
    assert n_events > 0
    assert told.set_callbacks().fit(X).inertia_ == plain.inertia_
    assert len(notes.events) == n_events


def test_a_failing_fit_is_torn_down():
    notes = Notes()

    def fail(iteration):
        raise RuntimeError("no more")

    model = KMeans(5, callback=fail).set_callbacks(notes)
    with pytest.raises(RuntimeError, match="no more"):
        model.fit(X)
    assert notes.events[-1] == "teardown"
    model.set_params(callback=None).fit(X)


def test_scikit_learns_progress_bar_draws_runs_and_ends_full(capsys):
    model = KMeans(5, random_state=0, n_init=2)
    model.set_callbacks(sklearn_callback.ProgressBar()).fit(X)
    lines = capsys.readouterr().out.splitlines()
    for name in ("KMeans - fit", "KMeans - run #0", "KMeans - run #1"):
        assert any(name in line and "100%" in line for line in lines), (name, lines)


def test_scikit_learns_scoring_monitor_scores_every_iteration():
    y = (X[:, 0] > 0).astype(int)
    monitor = sklearn_callback.ScoringMonitor(scoring="homogeneity_score")
    model = KMeans(5, random_state=0, tol=0).set_callbacks(monitor)
    model.fit(X, y)
    log = [row for row in monitor.get_logs().data if row["task_name"] == "iteration"]
    assert len(log) == model.n_iter_
    assert all(0 < row["homogeneity_score"] <= 1 for row in log)


def test_callbacks_reach_through_pipelines_and_searches():
    class Passed(Notes):
        max_propagation_depth = None

    notes = Passed()
    make_pipeline(StandardScaler(), KMeans(3, random_state=0)).set_callbacks(notes).fit(X)
    assert any("iteration 0" in event[-1] for event in notes.events)
    notes = Passed()
    search = GridSearchCV(KMeans(random_state=0), {"n_clusters": [2, 3]}, cv=2)
    search.set_callbacks(notes).fit(X)
    assert sum("iteration 0" in event[-1] for event in notes.events) >= 2 * (2 * 2 + 1)
