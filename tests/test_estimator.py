"""KMeans keeps scikit-learn's conventions, and its labels agree with themselves."""

import copy
import doctest
import inspect
import multiprocessing
import pickle
import re
import threading

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn.cluster
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import truemeans
from truemeans import KMeans, k_means
from truemeans.plan import run
from truemeans.plan.passes import LABELS, LATER
from truemeans.plan.scores import RULES


@pytest.mark.filterwarnings(
    # Some checks fit 4 distinct rows, or one cluster; scikit-learn's KMeans warns of both too.
    "ignore:Number of distinct clusters:sklearn.exceptions.ConvergenceWarning",
    "ignore:algorithm='elkan' doesn't make sense:RuntimeWarning",
)
@parametrize_with_checks(
    [
        KMeans(),
        KMeans(3, init="random", n_init=2),
        KMeans(2, algorithm="elkan", tol=0, n_threads=2),
        KMeans(4, algorithm="lloyd", max_iter=2, random_state=np.random.RandomState(0)),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.fixture(name="X", scope="module")
def some_blobs():
    return make_blobs(n_samples=300, n_features=4, centers=6, random_state=1)[0]


def test_signature_is_scikit_learns_and_ours_at_the_end():
    ours = list(inspect.signature(KMeans).parameters.values())
    theirs = list(inspect.signature(sklearn.cluster.KMeans).parameters.values())

    assert [(p.name, p.kind) for p in ours] == [(p.name, p.kind) for p in theirs] + [
        ("n_threads", inspect.Parameter.KEYWORD_ONLY),
        ("callback", inspect.Parameter.KEYWORD_ONLY),
        ("refine", inspect.Parameter.KEYWORD_ONLY),
        ("max_swaps", inspect.Parameter.KEYWORD_ONLY),
        ("max_swap_seconds", inspect.Parameter.KEYWORD_ONLY),
        ("skip_memory", inspect.Parameter.KEYWORD_ONLY),
    ]
    differing = {a.name for a, b in zip(ours, theirs, strict=False) if a.default != b.default}
    assert differing == {"init", "algorithm"}  # "auto": k-means|| and the optimum, where they pay


@pytest.mark.parametrize("name", ["fit", "predict", "fit_predict", "transform", "fit_transform",
                                  "score", "get_feature_names_out"])  # fmt: skip
def test_methods_take_scikit_learns_arguments(name):
    ours = inspect.signature(getattr(KMeans, name))
    theirs = inspect.signature(getattr(sklearn.cluster.KMeans, name))

    assert list(ours.parameters) == list(theirs.parameters)


def test_attributes(X):
    model = KMeans(6, random_state=0).fit(X)

    assert model.cluster_centers_.shape == (6, 4)
    assert model.cluster_centers_.dtype == np.float64
    assert model.labels_.dtype == np.int32
    assert isinstance(model.inertia_, float)
    assert isinstance(model.n_iter_, int)
    assert model.n_features_in_ == 4
    assert len(model.history_.inertia) == len(model.history_.n_changed) == model.n_iter_
    assert not hasattr(model, "feature_names_in_")
    theirs = sklearn.cluster.KMeans(6, random_state=0).fit(X)
    assert {name for name in vars(theirs) if name.endswith("_")} <= set(vars(model))


def test_fit_is_k_means(X):
    model = KMeans(6, random_state=3).fit(X)
    result = k_means(X, 6, random_state=3, tol=1e-4)

    assert model.cluster_centers_.tobytes() == result.centroids.tobytes()
    assert model.labels_.tobytes() == result.labels.tobytes()
    assert model.inertia_ == result.inertia
    assert model.n_iter_ == result.n_iter


def test_answer_is_scikit_learns(X):
    start = X[:6]
    ours = KMeans(6, init=start).fit(X)
    theirs = sklearn.cluster.KMeans(6, init=start, n_init=1).fit(X)

    np.testing.assert_array_equal(ours.labels_, theirs.labels_)
    np.testing.assert_allclose(ours.cluster_centers_, theirs.cluster_centers_, rtol=1e-12)
    np.testing.assert_allclose(ours.inertia_, theirs.inertia_, rtol=1e-12)
    assert ours.n_iter_ == theirs.n_iter_


@pytest.mark.parametrize("max_iter", [1, 2, 300])
@pytest.mark.parametrize("tol", [0, 1e-4, 1e-1])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_fit_says_is_what_the_other_methods_say(X, max_iter, tol, dtype):
    X = X.astype(dtype)
    weights = np.random.RandomState(0).uniform(size=len(X))
    model = KMeans(7, max_iter=max_iter, tol=tol, random_state=0).fit(X, sample_weight=weights)

    assert model.predict(X).tobytes() == model.labels_.tobytes()
    assert np.concatenate([model.predict(row[None]) for row in X]).tolist() == list(model.labels_)
    assert model.score(X, sample_weight=weights) == -model.inertia_
    again = clone(model)
    assert again.fit_predict(X, sample_weight=weights).tobytes() == model.labels_.tobytes()
    distances = clone(model).fit_transform(X, sample_weight=weights)
    assert distances.dtype == dtype
    assert distances.tobytes() == model.transform(X).tobytes()


def test_transform_measures_distances(X):
    model = KMeans(6, random_state=0).fit(X)

    expected = np.sqrt(((X[:, None] - model.cluster_centers_) ** 2).sum(axis=2))
    np.testing.assert_allclose(model.transform(X), expected, rtol=1e-14)
    assert (np.diagonal(model.transform(model.cluster_centers_)) == 0).all()


@pytest.mark.parametrize("fitted_on", [np.float32, np.float64])
@pytest.mark.parametrize("asked_with", [np.float32, np.float64])
def test_any_float_dtype_after_any(X, fitted_on, asked_with):
    X = np.round(X * 64) / 64
    model = KMeans(6, random_state=0).fit(X.astype(fitted_on))

    asked = X.astype(asked_with)

    assert model.predict(asked).tobytes() == model.labels_.tobytes()
    assert model.transform(asked).dtype == asked_with
    assert model.score(asked) == -model.inertia_


@pytest.mark.parametrize("algorithm", ["lloyd", "elkan"])
def test_the_algorithm_does_not_change_the_answer(X, algorithm):
    auto = KMeans(6, random_state=0).fit(X)
    named = KMeans(6, random_state=0, algorithm=algorithm).fit(X)

    assert named.cluster_centers_.tobytes() == auto.cluster_centers_.tobytes()
    assert named.n_iter_ == auto.n_iter_


def test_elkan_with_one_cluster_warns(X):
    with pytest.warns(RuntimeWarning, match="algorithm='elkan' doesn't make sense") as caught:
        KMeans(1, algorithm="elkan").fit(X)
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("init", "runs"),
    [("k-means++", 1), ("random", 10), (np.eye(4)[:3], 1), (lambda X, k, random_state: X[:k], 10)],
)
def test_how_many_runs_auto_means(X, init, runs):
    seen = set()

    KMeans(3, init=init, callback=lambda iteration: seen.add(iteration.run)).fit(X)

    assert seen == set(range(runs))


def test_the_best_run_is_kept(X):
    ends = {}

    def note(iteration):
        ends[iteration.run] = iteration.inertia

    model = KMeans(6, init="random", n_init=8, tol=0, random_state=4, callback=note).fit(X)

    assert len(ends) == 8
    assert len(set(ends.values())) > 1
    assert model.inertia_ == pytest.approx(min(ends.values()), rel=1e-12)


@pytest.mark.parametrize("tol", [0, 0.5])
def test_verbose_tells_the_story(X, capsys, tol):
    KMeans(6, init="random", n_init=2, random_state=0, tol=tol, verbose=1).fit(X)

    lines = capsys.readouterr().out.splitlines()
    starts = [i for i, line in enumerate(lines) if line == "Initialization complete"]
    assert len(starts) == 2
    assert lines[0].startswith("Plan: native")
    assert lines[1].startswith("Why: Below 530,000 entries a pass, ")
    assert all(line.startswith("Why: ") for line in lines[1 : starts[0]])
    for i in starts:
        assert lines[i + 1].startswith("Iteration 0, inertia ")
        assert lines[i + 1].endswith(f", {len(X)} labels changed.")
    end = "strict convergence." if tol == 0 else "center shift is within tolerance 0.5 of"
    assert sum("Converged at iteration" in line and end in line for line in lines) == 2


def test_k_means_tells_the_same_story(X, capsys):
    KMeans(6, init=X[:6], tol=0, verbose=1).fit(X)
    expected = capsys.readouterr().out
    seen = []
    truemeans.k_means(X, 6, init=X[:6], verbose=1, callback=seen.append)
    assert capsys.readouterr().out == expected
    assert seen
    truemeans.k_means(X, 6, init=X[:6], verbose=False)
    assert capsys.readouterr().out == ""
    with pytest.raises(ValueError, match=r"^verbose=-1 must be an integer, 0 or more; give 1"):
        truemeans.k_means(X, 6, verbose=-1)


def test_every_rule_names_its_numbers_and_its_benchmark():
    rules = [*RULES.values(), LATER, LABELS, run._LINE, run._FEW_THREADS]
    commands = {"kernels", "run", "line", "sweep"}
    for rule in rules[1:]:
        assert re.search(r"\(benchmark: (\w+)[^()]*\)\.$", rule)[1] in commands, rule


def test_verbose_does_not_claim_convergence(X, capsys):
    KMeans(6, init=X[:6], max_iter=1, verbose=1).fit(X)

    assert "Converged" not in capsys.readouterr().out


def test_verbose_calls_the_callback_as_well(X, capsys):
    seen = []
    model = KMeans(6, random_state=0, verbose=2, callback=seen.append).fit(X)

    assert [i.n_iter for i in seen] == list(range(1, model.n_iter_ + 1))
    assert capsys.readouterr().out


# Bookkeeping --------------------------------------------------------------------------------


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_feature_names(X, frame):
    table = frame(dict(zip("abcd", X.T, strict=True)))
    model = KMeans(2, random_state=0).fit(table)

    assert model.feature_names_in_.tolist() == ["a", "b", "c", "d"]
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(table[["b", "a", "c", "d"]])
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        model.predict(X)
    assert not hasattr(model.fit(X), "feature_names_in_")


def test_names_of_the_new_features(X):
    model = KMeans(3, random_state=0).fit(X)

    assert model.get_feature_names_out().tolist() == ["kmeans0", "kmeans1", "kmeans2"]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_set_output(X, library):
    model = KMeans(3, random_state=0).set_output(transform=library)

    table = model.fit_transform(X)

    assert list(table.columns) == ["kmeans0", "kmeans1", "kmeans2"]
    np.testing.assert_array_equal(table.to_numpy(), KMeans(3, random_state=0).fit_transform(X))
    assert type(model.transform(X)) is type(table)


def test_metadata_routing(X):
    weights = np.random.RandomState(0).randint(0, 3, len(X)).astype(float)
    with config_context(enable_metadata_routing=True):
        model = KMeans(3, random_state=0).set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=True)
        routed = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), model)
        routed.fit(X, sample_weight=weights)

        assert model.get_metadata_routing().score.requests == {"sample_weight": True}
    expected = KMeans(3, random_state=0).fit(StandardScaler().fit_transform(X), None, weights)
    assert routed[-1].labels_.tobytes() == expected.labels_.tobytes()


def test_grid_search(X):
    search = GridSearchCV(KMeans(random_state=0), {"n_clusters": [2, 6]}, cv=3, n_jobs=2).fit(X)

    assert search.best_params_ == {"n_clusters": 6}


def test_clone_keeps_parameters(X):
    def callback(iteration):
        return None

    given = {"n_clusters": 3, "init": X[:3], "n_threads": 2, "callback": callback, "tol": 0.5}
    copied = clone(KMeans(**given))

    assert {name: copied.get_params()[name] for name in given if name != "init"} == {
        name: value for name, value in given.items() if name != "init"
    }
    np.testing.assert_array_equal(copied.init, X[:3])


def load_with_joblib(model, folder):
    joblib.dump(model, folder / "model.joblib")
    return joblib.load(folder / "model.joblib")


@pytest.mark.parametrize(
    "travel",
    [
        lambda model, folder: pickle.loads(pickle.dumps(model)),
        lambda model, folder: copy.deepcopy(model),
        load_with_joblib,
    ],
    ids=["pickle", "deepcopy", "joblib"],
)
def test_round_trips(X, travel, tmp_path):
    model = KMeans(6, random_state=0).fit(X)

    back = travel(model, tmp_path)

    assert back.predict(X).tobytes() == model.labels_.tobytes()
    assert back.score(X) == model.score(X)
    assert back.history_.inertia.tolist() == model.history_.inertia.tolist()


def test_save_and_load(X, tmp_path):
    model = KMeans(6, random_state=0).fit(X)
    path = tmp_path / "blobs.model"

    model.save(path)

    assert truemeans.load(path).predict(X).tobytes() == model.labels_.tobytes()
    with pytest.raises(FileExistsError):
        model.save(path)
    model.save(path, overwrite=True)


def test_centers_that_cannot_be_written_to(X):
    model = KMeans(6, random_state=0).fit(X)
    labels = model.labels_.copy()
    model.cluster_centers_ = np.asfortranarray(model.cluster_centers_)
    model.cluster_centers_.flags.writeable = False

    assert model.predict(X).tobytes() == labels.tobytes()


def test_skipping_scikit_learns_checks_does_not_skip_ours(X):
    with config_context(skip_parameter_validation=True), pytest.raises(ValueError, match="-2"):
        KMeans(-2).fit(X)


def test_assume_finite_is_no_reason_to_cluster_nan(X):
    broken = X.copy()
    broken[3, 1] = np.nan
    with config_context(assume_finite=True), pytest.raises(ValueError, match="row 3, column 1"):
        KMeans(2).fit(broken)


def test_two_threads_with_their_own_objects(X):
    models = [KMeans(6, random_state=s, n_threads=2) for s in range(4)]
    expected = [clone(model).fit(X).inertia_ for model in models]
    workers = [threading.Thread(target=model.fit, args=(X,)) for model in models]

    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert [model.inertia_ for model in models] == expected


def test_two_threads_predict_with_one_object(X):
    model = KMeans(6, random_state=0).fit(X)
    found = []
    workers = [threading.Thread(target=lambda: found.append(model.predict(X))) for _ in range(4)]

    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert [labels.tobytes() for labels in found] == [model.labels_.tobytes()] * 4


def fit_in_child(X, queue):
    queue.put(KMeans(6, random_state=0, n_threads=2).fit(X).inertia_)


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_fit_in_a_child_after_fit_in_the_parent(X, method):
    expected = KMeans(6, random_state=0, n_threads=2).fit(X).inertia_
    context = multiprocessing.get_context(method)
    queue = context.SimpleQueue()
    child = context.Process(target=fit_in_child, args=(X, queue))

    child.start()
    child.join(timeout=60)

    assert child.exitcode == 0
    assert queue.get() == expected


@pytest.mark.parametrize("module", ["truemeans.functions", "truemeans.estimators.kmeans"])
def test_the_examples_in_the_docs_run(module):
    ran = doctest.testmod(inspect.importlib.import_module(module))

    assert ran.attempted > 0
    assert ran.failed == 0
