"""What a run tells: the record of every iteration, callbacks that end it, the progress bar."""

from __future__ import annotations

import itertools
import subprocess
import sys
import types

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import truemeans
from ladder import KINDS, make_rows
from truemeans import plan, progress, textbook
from truemeans.validation import parameters


def steps_of_the_textbook(X, init):
    """Centroids and labels of every iteration, by the functions of the lesson."""
    centroids, old = [list(c) for c in init], None
    while not textbook.has_converged(centroids, old):
        clusters = textbook.assign_points(points_of(X), centroids)
        labels = np.empty(len(X), np.int32)
        for j, cluster in enumerate(clusters):
            labels[[point.row for point in cluster]] = j
        yield centroids, labels, all(clusters)
        old, centroids = centroids, textbook.recalculate_centroids(clusters, centroids)


class Point(tuple):
    """A point that knows its row, so that a cluster of points says which rows it holds."""

    row: int


def points_of(X):
    points = []
    for row, values in enumerate(X):
        point = Point(map(float, values))
        point.row = row
        points.append(point)
    return points


def assert_steps(X, init, result):
    """Compare a record with the textbook's steps, up to the first empty cluster."""
    for i, (centroids, labels, whole) in enumerate(steps_of_the_textbook(X, init)):
        np.testing.assert_array_equal(result.history.centroids[i], centroids)
        np.testing.assert_array_equal(result.history.labels[i], labels)
        if not whole:
            return  # from here on the library does more than the textbook
    assert i + 1 == result.n_iter


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("k", [1, 2, 7])
def test_a_record_is_the_textbooks_run(kind, k):
    X = make_rows(kind, 120, 2, np.float64)
    init = np.unique(X, axis=0)[:: len(np.unique(X, axis=0)) // k][:k]
    result = truemeans.k_means(X, k, init=init, record=True)
    assert_steps(X, init, result)
    assert result.history.centroids.shape == (result.n_iter, k, 2)
    assert result.history.labels.shape == (result.n_iter, 120)


@given(
    st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=4, max_size=30),
    st.integers(1, 4),
)
def test_records_of_small_grids_are_the_textbooks(points, k):
    init = list(dict.fromkeys(points))[:k]
    X = np.array(points, float)
    assert_steps(X, init, truemeans.k_means(X, len(init), init=init, record=True))


@pytest.mark.parametrize("d", [2, 48])
def test_every_method_records_what_the_definition_does(monkeypatch, d):
    X = make_rows("normal", 700, d, np.float32)
    monkeypatch.setenv("TRUEMEANS_ENGINE", "reference")
    expected = truemeans.k_means(X, 20, init=X[:20], max_iter=6, record=True).history
    assert expected.centroids.dtype == np.float32
    assert expected.labels.dtype == np.int32
    monkeypatch.setenv("TRUEMEANS_ENGINE", "native")
    for scores, skip in plan.methods("", d):
        monkeypatch.setenv("TRUEMEANS_METHOD", f"{scores}/{skip}")
        result = truemeans.k_means(X, 20, init=X[:20], max_iter=6, record=True, n_threads=2)
        assert (result.plan.scores, result.plan.skip) == (scores, skip)
        assert result.history.centroids.tobytes() == expected.centroids.tobytes()
        np.testing.assert_array_equal(result.history.labels, expected.labels)


def test_recording_changes_nothing_and_is_off_unless_asked_for():
    X = make_rows("normal", 500, 3, np.float32)
    plain = truemeans.k_means(X, 8, init=X[:8])
    kept = truemeans.k_means(X, 8, init=X[:8], record=True)
    assert plain.history.centroids is None
    assert plain.history.labels is None
    assert plain.centroids.tobytes() == kept.centroids.tobytes()
    assert plain.history.inertia.tobytes() == kept.history.inertia.tobytes()
    np.testing.assert_array_equal(plain.labels, kept.labels)
    # The record ends where the result begins, and agrees with the rest of the history.
    np.testing.assert_array_equal(kept.history.centroids[-1], kept.centroids)
    np.testing.assert_array_equal(kept.history.labels[-1], kept.labels)
    changed = (np.diff(kept.history.labels, axis=0) != 0).sum(axis=1)
    np.testing.assert_array_equal(changed, kept.history.n_changed[1:])
    labels, centroids = kept.history.labels, kept.history.centroids
    for i in range(kept.n_iter):
        direct = ((X.astype(float) - centroids[i].astype(float)[labels[i]]) ** 2).sum()
        assert kept.history.inertia[i] == pytest.approx(direct, rel=1e-13)


def test_the_record_is_that_of_the_run_returned():
    X = make_rows("normal", 300, 2, np.float64)
    seen = {}

    def note(iteration):
        seen.setdefault(iteration.run, []).append((iteration.centroids, iteration.labels))
        assert iteration.n_init == 6

    for seed in range(3):  # the best run comes first, last, and in between
        seen.clear()
        result = truemeans.k_means(X, 12, n_init=6, random_state=seed, callback=note, record=True)
        last = [((X - c[lab]) ** 2).sum() for c, lab in (run[-1] for run in seen.values())]
        best = seen[int(np.argmin(last))]
        assert len(best) == result.n_iter
        np.testing.assert_array_equal(result.history.centroids, [c for c, _ in best])
        np.testing.assert_array_equal(result.history.labels, [lab for _, lab in best])


def test_a_record_is_in_the_users_units():
    X = make_rows("normal", 60, 2, np.float64)
    small = truemeans.k_means(X, 3, init=X[:3], record=True)
    large = truemeans.k_means(X * 2.0**900, 3, init=X[:3] * 2.0**900, record=True)
    np.testing.assert_array_equal(large.history.centroids, small.history.centroids * 2.0**900)
    np.testing.assert_array_equal(large.history.labels, small.history.labels)


def test_rows_of_weight_zero_are_labelled_in_the_record():
    X = make_rows("normal", 400, 2, np.float64)
    weight = np.arange(400) % 3
    result = truemeans.k_means(X, 5, init=X[1:6], sample_weight=weight, record=True)
    for centroids, labels in zip(result.history.centroids, result.history.labels, strict=True):
        distances = ((X[:, None] - centroids) ** 2).sum(axis=2)
        np.testing.assert_array_equal(labels, distances.argmin(axis=1))


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of memory from /proc")
def test_iterations_that_did_not_come_took_no_memory():
    code = (
        "import re, numpy as np, truemeans\n"
        "from pathlib import Path\n"
        "def peak(): return int(re.search(r'VmHWM:\\s+(\\d+)', STATUS.read_text())[1])\n"
        "STATUS = Path('/proc/self/status')\n"
        "X = np.random.default_rng(0).normal(size=(300_000, 2))\n"
        "truemeans.k_means(X, 5, init=X[:5], max_iter=6)\n"
        "before = peak()\n"
        "truemeans.k_means(X, 5, init=X[:5], max_iter=6, record=True)\n"
        "six = peak() - before\n"
        "truemeans.k_means(X, 5, init=X[:5], record=True, callback=lambda it: it.n_iter == 6)\n"
        "print(six, peak() - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    six, of_300 = map(int, done.stdout.split())
    # Six rows of labels take 7,200 kB; room for 300 would take 360,000.
    assert 5_000 < six < 14_000
    assert of_300 < 21_000


def test_a_record_owns_no_more_than_it_shows():
    X = make_rows("normal", 5000, 2, np.float64)
    history = truemeans.k_means(X, 3, init=X[:3], max_iter=4, record=True).history
    for array in (history.centroids, history.labels):
        assert array.base is None
        assert array.flags.owndata
        assert array.shape[0] == 4


def test_a_record_that_could_not_fit_is_refused_before_the_run(monkeypatch):
    X = make_rows("normal", 1000, 2, np.float64)
    monkeypatch.setattr(parameters, "available_memory", lambda: 500_000)
    each = 4 * 1000 + 8 * 3 * 2
    seen = []
    with pytest.raises(MemoryError) as caught:
        truemeans.k_means(X, 3, init=X[:3], record=True, callback=seen.append)
    assert f"keeps {each:,} bytes an iteration" in str(caught.value)
    assert f"{300 * each:,} bytes for max_iter=300 iterations" in str(caught.value)
    most = 500_000 // each
    assert str(caught.value).endswith(f"give max_iter={most} or less.")
    assert not seen
    truemeans.k_means(X, 3, init=X[:3], record=True, max_iter=most)
    with pytest.raises(MemoryError, match=f"max_iter={most // 2} or less"):
        truemeans.k_means(X, 3, random_state=0, n_init=9, record=True, max_iter=most)
    monkeypatch.setattr(parameters, "available_memory", lambda: 4000)
    with pytest.raises(MemoryError, match="do without the record"):
        truemeans.k_means(X, 3, init=X[:3], record=True)


@pytest.mark.parametrize("name", ["record", "progress"])
def test_switches_are_true_or_false(name):
    with pytest.raises(TypeError, match=f"{name}='yes' must be True or False"):
        truemeans.k_means([[0.0], [1.0]], 2, **{name: "yes"})


# -- callbacks -----------------------------------------------------------------------------


def test_labels_are_copied_when_read_and_gone_when_not():
    X = make_rows("normal", 300, 2, np.float64)
    seen = []

    def note(iteration):
        if iteration.n_iter != 2:
            assert iteration.labels is iteration.labels
            assert not iteration.labels.flags.writeable
        seen.append(iteration)

    result = truemeans.k_means(X, 6, init=X[:6], callback=note, record=True)
    for i, iteration in enumerate(seen):
        if i == 1:
            with pytest.raises(RuntimeError, match="labels of iteration 2 are gone"):
                _ = iteration.labels
        else:
            np.testing.assert_array_equal(iteration.labels, result.history.labels[i])


def test_a_callback_learns_where_the_centroids_go_and_whether_the_run_ends():
    X = make_rows("normal", 300, 2, np.float64)
    seen = []
    result = truemeans.k_means(X, 6, init=X[:6], callback=seen.append)
    for now, following in itertools.pairwise(seen):
        np.testing.assert_array_equal(now.next_centroids, following.centroids)
    np.testing.assert_array_equal(seen[-1].next_centroids, result.centroids)
    assert [it.converged for it in seen] == [False] * (result.n_iter - 1) + [True]
    seen.clear()
    truemeans.k_means(X, 6, init=X[:6], callback=seen.append, tol=0.01)
    assert seen[-1].n_changed > 0
    assert seen[-1].converged
    seen.clear()
    truemeans.k_means(X, 6, init=X[:6], callback=seen.append, max_iter=2)
    assert [it.converged for it in seen] == [False, False]


@pytest.mark.parametrize("stop", [(0, 2), (1, 1), (3, 2)])
def test_a_true_answer_ends_the_fit_with_the_best_run_so_far(stop):
    X = make_rows("normal", 300, 2, np.float64)
    whole = {}
    truemeans.k_means(
        X, 9, n_init=5, random_state=1, callback=lambda it: whole.update({it.run: it.inertia})
    )
    seen = []

    def note(iteration):
        seen.append((iteration.run, iteration.n_iter))
        return seen[-1] == stop

    result = truemeans.k_means(X, 9, n_init=5, random_state=1, callback=note, record=True)
    assert seen[-1] == stop  # nothing ran after that, no further run either
    np.testing.assert_array_equal(
        result.labels, ((X[:, None] - result.centroids) ** 2).sum(axis=2).argmin(axis=1)
    )
    finished = [whole[run] for run in range(stop[0])]
    if result.converged:
        assert result.inertia == min(finished)
    else:
        assert result.n_iter == stop[1]
        assert all(result.inertia < inertia for inertia in finished)
    assert len(result.history.labels) == result.n_iter


# -- the progress bar ----------------------------------------------------------------------


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(progress, "_PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(progress, "_REDRAW_SECONDS", 0.0)


class Screen:
    """Standard error as a terminal would be."""

    encoding = "utf-8"

    def __init__(self, terminal):
        self.terminal, self.text = terminal, ""

    def isatty(self):
        return self.terminal

    def write(self, text):
        self.text += text
        return len(text)

    def flush(self):
        pass


def fit_with_a_bar(monkeypatch, *, terminal, **given):
    X = make_rows("normal", 300, 2, np.float64)
    screen = Screen(terminal)
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    result = truemeans.k_means(X, 6, progress=True, random_state=0, **given)
    assert sys.stderr is screen  # what redirected it has put it back
    return screen.text, result


def test_progress_draws_on_standard_error(monkeypatch, capfd, impatient):
    text, result = fit_with_a_bar(monkeypatch, terminal=True, n_init=2)
    assert "run 1 of 2, iteration 1 of at most 300, 300 labels changed" in text
    assert "run 2 of 2, iteration 3 of at most 300" in text
    assert text.endswith("\x1b[?25h\r\x1b[1A\x1b[2K")  # shows the cursor, removes the bar
    assert result.converged
    assert capfd.readouterr() == ("", "")


def test_progress_is_patient(monkeypatch):
    text, _ = fit_with_a_bar(monkeypatch, terminal=True)
    assert text == ""


def test_progress_draws_nothing_where_nobody_looks(monkeypatch, impatient):
    text, _ = fit_with_a_bar(monkeypatch, terminal=False)
    assert text == ""


def test_progress_passes_the_callbacks_answer_on(monkeypatch, impatient):
    _, result = fit_with_a_bar(monkeypatch, terminal=True, callback=lambda it: it.n_iter == 2)
    assert result.n_iter == 2


def test_progress_is_taken_away_when_the_fit_fails(monkeypatch, impatient):
    def interrupt(iteration):
        if iteration.n_iter == 2:
            raise KeyboardInterrupt

    screen = Screen(terminal=True)
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    X = make_rows("normal", 300, 2, np.float64)
    with pytest.raises(KeyboardInterrupt):
        truemeans.k_means(X, 6, progress=True, random_state=0, callback=interrupt)
    assert "\x1b[?25h" in screen.text
    assert sys.stderr is screen


@pytest.mark.parametrize("given", [{}, {"callback": lambda it: it.n_iter == 2}, {"max_iter": 3}])
def test_a_bar_that_was_not_entered_ends_with_the_fit(monkeypatch, impatient, given):
    screen = Screen(terminal=True)
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    bar = truemeans.ProgressBar(given.pop("callback", None))
    X = make_rows("normal", 300, 2, np.float64)
    for _ in range(2):
        truemeans.KMeans(6, n_init=2, random_state=0, callback=bar, **given).fit(X)
    assert screen.text.count("\x1b[?25l") == screen.text.count("\x1b[?25h") == 2


def test_progress_in_a_notebook_updates_one_display(monkeypatch, impatient):
    shown = []

    class Handle:
        def update(self, thing):
            shown.append(thing._repr_mimebundle_(None, None)["text/html"])

    def display(thing, *, display_id):
        assert display_id is True
        return Handle()

    ipython = types.ModuleType("IPython.display")
    ipython.display = display
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", ipython)
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    # The console rich makes for itself in here believes in the notebook for ever.
    monkeypatch.setattr("rich._console", None)
    text, result = fit_with_a_bar(monkeypatch, terminal=False)
    assert text == ""
    assert f"iteration {result.n_iter} of at most 300, 0 labels changed" in shown[-1]
    assert len(shown) >= result.n_iter
