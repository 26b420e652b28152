"""Ctrl-C, threads and forks: the process stays usable."""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv as pa_csv

import truemeans
from ladder import make_rows
from truemeans import control_group
from truemeans.tables import read_table, select
from truemeans.tables.source import Source
from truemeans.threads import resolve_threads

# Loaded now: the libraries it brings in keep threads of their own.
KMeans = truemeans.KMeans


def interrupted_after(delay, call):
    """Seconds from SIGINT to KeyboardInterrupt out of ``call``."""
    sent = []

    def send():
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(delay, send)
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            call()
        return time.perf_counter() - sent[0]
    finally:
        timer.cancel()
        timer.join()


BIG = make_rows("normal", 400_000, 32, np.float32)


@pytest.mark.parametrize(
    "call",
    [
        lambda: truemeans.k_means(BIG, 2000, init=BIG[:2000], n_threads=2),
        lambda: truemeans.k_means(BIG, 2000, random_state=0, n_threads=2),
        lambda: truemeans.k_means(BIG, 2000, init=BIG[:2000], n_threads=1),
        lambda: truemeans.kmeans_plusplus(BIG, 4000, random_state=0, n_threads=2),
        lambda: truemeans.k_means(BIG, 2000, init="random", random_state=0, n_threads=2),
        lambda: [_fitted(5000).predict(BIG) for _ in range(20)],
        lambda: [_fitted(100).transform(BIG[:50_000]) for _ in range(1000)],
        lambda: [_fitted(3000).score(BIG) for _ in range(20)],
        lambda: truemeans.k_means(BIG, 20, init=BIG[:20], record=True, progress=True),
    ],
    ids=["passes", "seeding", "one thread", "seeding alone", "random", "predict", "transform",
         "score", "record"],
)  # fmt: skip
def test_ctrl_c_ends_long_work_within_a_second(call):
    before = _tasks()
    assert interrupted_after(0.5, call) < 1.0
    assert _tasks() == before
    result = truemeans.k_means(BIG[:100], 3, random_state=0)
    assert result.converged


def _fitted(n_clusters):
    """A model of so many clusters, made without a fit."""
    model = KMeans(n_clusters, n_threads=2)
    model.cluster_centers_ = BIG[:n_clusters]
    model.n_features_in_ = BIG.shape[1]
    return model


def test_a_fit_that_is_interrupted_leaves_the_estimator_as_it_was():
    model = KMeans(5, random_state=0).fit(BIG[:1000, :3])
    before = dict(vars(model))
    model.set_params(n_clusters=2000)
    assert interrupted_after(0.3, lambda: model.fit(BIG)) < 1.0
    assert all(vars(model)[name] is before[name] for name in before if name[-1] == "_")
    assert vars(model).keys() == before.keys()
    np.testing.assert_array_equal(model.predict(BIG[:1000, :3]), model.labels_)
    model.set_params(n_clusters=5).fit(BIG[:1000, :3])
    np.testing.assert_array_equal(model.labels_, before["labels_"])


def test_ctrl_c_while_a_file_is_read_block_by_block(tmp_path):
    path = tmp_path / "rows.npy"
    np.save(path, BIG)
    assert interrupted_after(0.5, lambda: truemeans.k_means(path, 2000, init=BIG[:2000])) < 1.0


def test_ctrl_c_while_a_parquet_file_of_one_group_is_read(tmp_path, monkeypatch):
    table = pa.table({name: BIG[:, i].astype(float) for i, name in enumerate("abcdefgh")})
    pq.write_table(table, tmp_path / "rows.parquet")
    monkeypatch.setattr("truemeans.tables.read._PIECE_ROWS", 10_000)
    whole = read_table(tmp_path / "rows.parquet")
    assert whole.data.equals(table)
    pieces = pq.ParquetFile.iter_batches

    def slowly(file, *options):
        for piece in pieces(file, *options):
            time.sleep(0.1)
            yield piece

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", slowly)
    assert interrupted_after(0.3, lambda: read_table(tmp_path / "rows.parquet")) < 1.0


def test_ctrl_c_while_a_npy_file_is_read(tmp_path, monkeypatch):
    np.save(tmp_path / "rows.npy", BIG)
    np.testing.assert_array_equal(read_table(tmp_path / "rows.npy").data, BIG)

    class Slow(io.BufferedReader):
        def read(self, size=-1):
            time.sleep(0.1)
            return super().read(size)

    monkeypatch.setattr(Source, "open", lambda source: Slow(io.FileIO(source.path)))
    assert interrupted_after(1.5, lambda: read_table(tmp_path / "rows.npy")) < 1.0


# Ctrl-C may fall between opening a file and the `with` that closes it: Python closes it then, at
# once, and says so.
@pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <_io:pytest.PytestUnraisableExceptionWarning"
)
def test_ctrl_c_while_a_csv_file_is_read(tmp_path):
    path = tmp_path / "rows.csv"
    pa_csv.write_csv(pa.table({name: BIG[:, i] for i, name in enumerate("abcdefgh")}), path)
    assert interrupted_after(0.3, lambda: [read_table(path) for _ in range(100)]) < 1.0


def test_ctrl_c_while_columns_become_rows(tmp_path):
    np.save(tmp_path / "rows.npy", BIG)
    table = read_table(tmp_path / "rows.npy")
    assert interrupted_after(0.3, lambda: [select(table, dtype=float) for _ in range(200)]) < 1.0


def test_ctrl_c_while_standard_input_is_read():
    code = "from truemeans.tables import read_table; print('go', flush=True); read_table('-')"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout.readline() == b"go\n"
        ended = threading.Event()

        def feed():
            with contextlib.suppress(BrokenPipeError):
                while not ended.is_set():
                    process.stdin.write(b"1,2\n" * 10_000)

        writer = threading.Thread(target=feed)
        writer.start()
        time.sleep(0.3)
        sent = time.perf_counter()
        process.send_signal(signal.SIGINT)
        assert process.wait(10) in (130, -signal.SIGINT)
        assert time.perf_counter() - sent < 1.0
        ended.set()
        writer.join()
        assert b"KeyboardInterrupt" in process.stderr.read()
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()


def _tasks():
    """Threads of this process, once those that are ending have ended."""
    for _ in range(100):
        names = set(os.listdir("/proc/self/task"))
        time.sleep(0.01)
        if names == set(os.listdir("/proc/self/task")):
            break
    return len(names)


def test_no_thread_outlives_a_call():
    tasks = len(os.listdir("/proc/self/task"))
    for n_threads in (2, 8):
        truemeans.k_means(BIG[:5000], 20, random_state=0, n_threads=n_threads, max_iter=3)
        # A thread of an earlier test may end meanwhile.
        assert len(os.listdir("/proc/self/task")) <= tasks


def test_an_exception_in_a_callback_comes_out_as_it_is():
    def fail(iteration):
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        truemeans.k_means(BIG[:1000], 5, init=BIG[:5], callback=fail)


def _fit(seed):
    return truemeans.k_means(BIG[:3000], 10, random_state=seed, n_threads=2, max_iter=5)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_processes_started_after_a_fit(start):
    expected = _fit(0)
    with multiprocessing.get_context(start).Pool(1) as pool:
        found = pool.apply_async(_fit_bits, (0,)).get(timeout=60)
    assert found == _bits(expected)


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_fits_under_joblib(backend):
    expected = [_fit_bits(seed) for seed in range(4)]
    found = joblib.Parallel(n_jobs=2, backend=backend)(
        joblib.delayed(_fit_bits)(seed) for seed in range(4)
    )
    assert found == expected


def _fit_bits(seed):
    return _bits(_fit(seed))


def _bits(result):
    return result.inertia, result.labels.tobytes(), result.centroids.tobytes()


def test_two_threads_fit_two_objects_and_predict_on_one_at_once():
    X = BIG[:20_000]
    shared = KMeans(20, random_state=1, n_threads=2).fit(X)
    alone = [KMeans(10 + i, random_state=i, n_threads=2).fit(X) for i in range(2)]
    distances, labels = shared.transform(X[:500]), shared.labels_.copy()

    def work(i):
        for _ in range(5):
            own = KMeans(10 + i, random_state=i, n_threads=2).fit(X)
            assert own.labels_.tobytes() == alone[i].labels_.tobytes()
            assert own.cluster_centers_.tobytes() == alone[i].cluster_centers_.tobytes()
            assert shared.predict(X).tobytes() == labels.tobytes()
            assert shared.transform(X[:500]).tobytes() == distances.tobytes()
            assert shared.score(X) == -shared.inertia_
        return True

    with ThreadPoolExecutor(2) as pool:
        assert all(pool.map(work, range(2)))


def test_fits_side_by_side_are_the_fits_one_after_the_other():
    expected = [_fit(seed) for seed in range(6)]
    with ThreadPoolExecutor(6) as pool:
        for one, other in zip(expected, pool.map(_fit, range(6)), strict=True):
            assert one.inertia == other.inertia
            np.testing.assert_array_equal(one.labels, other.labels)


def test_threads_respect_what_the_process_may_use(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert 1 <= resolve_threads(None) <= len(os.sched_getaffinity(0))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert resolve_threads(None) == 1
    assert resolve_threads(5) == 5
    assert resolve_threads(10**9) == 1024


def test_threads_respect_affinity():
    mine = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(mine)})
        assert resolve_threads(None) == 1
    finally:
        os.sched_setaffinity(0, mine)


@pytest.mark.parametrize(
    ("own", "files", "expected"),
    [
        ("0::/", {"cpu.max": "150000 100000"}, 2),
        ("0::/a/b", {"a/cpu.max": "200000 100000", "a/b/cpu.max": "max 100000"}, 2),
        ("0::/a/b", {"cpu.max": "100000 100000", "a/b/cpu.max": "900000 100000"}, 1),
        ("0::/", {"cpu.max": "max 100000"}, 64),
        ("0::/not/to/be/seen", {"cpu.max": "300000 100000"}, 3),
        ("3:cpuacct,cpu:/box", {"cpu/box/cpu.cfs_quota_us": "50000",
                                "cpu/box/cpu.cfs_period_us": "100000"}, 1),
        ("3:cpu:/box", {"cpu/box/cpu.cfs_quota_us": "-1",
                        "cpu/box/cpu.cfs_period_us": "100000"}, 64),
        ("3:memory:/box", {"cpu/box/cpu.cfs_quota_us": "50000",
                           "cpu/box/cpu.cfs_period_us": "100000"}, 64),
    ],
)  # fmt: skip
def test_threads_respect_the_quota_of_every_control_group(
    monkeypatch, tmp_path, own, files, expected
):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(64)))
    for name, text in files.items():
        path = tmp_path / "groups" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    (tmp_path / "own").write_text(own + "\n")
    monkeypatch.setattr(control_group, "_ROOT", tmp_path / "groups")
    monkeypatch.setattr(control_group, "_OWN", tmp_path / "own")
    assert resolve_threads(None) == expected


def test_a_process_bound_to_one_processor_starts_no_thread():
    code = """
import os, threading, numpy as np
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
import truemeans
X = np.random.default_rng(0).normal(size=(50_000, 16))
seen = []
before = len(os.listdir("/proc/self/task"))
truemeans.k_means(X, 50, init=X[:50], max_iter=3,
                  callback=lambda i: seen.append(len(os.listdir("/proc/self/task"))))
print(max(seen) - before)
"""
    environment = {k: v for k, v in os.environ.items() if k != "OMP_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "0\n"
