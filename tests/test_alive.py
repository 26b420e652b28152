"""Ctrl-C, threads and forks: the process stays usable."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import truemeans
from ladder import make_rows
from truemeans.threads import resolve_threads


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
    ],
    ids=["passes", "seeding", "one thread"],
)
def test_ctrl_c_ends_a_long_fit_within_a_second(call):
    before = threading.active_count()
    assert interrupted_after(0.5, call) < 1.0
    assert len(os.listdir("/proc/self/task")) <= before + 1 + _numpy_threads()
    result = truemeans.k_means(BIG[:100], 3, random_state=0)
    assert result.converged


def _numpy_threads():
    """Threads that other libraries of this process keep for themselves."""
    return len(os.listdir("/proc/self/task")) - threading.active_count()


def test_no_thread_outlives_a_call():
    tasks = len(os.listdir("/proc/self/task"))
    for n_threads in (2, 8):
        truemeans.k_means(BIG[:5000], 20, random_state=0, n_threads=n_threads, max_iter=3)
        assert len(os.listdir("/proc/self/task")) == tasks


def test_an_exception_in_a_callback_comes_out_as_it_is():
    def fail(iteration):
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        truemeans.k_means(BIG[:1000], 5, init=BIG[:5], callback=fail)


def _fit(seed):
    return truemeans.k_means(BIG[:3000], 10, random_state=seed, n_threads=2, max_iter=5)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_fork_after_a_fit():
    expected = _fit(0).inertia
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply_async(_inertia, (0,)).get(timeout=60) == expected


def _inertia(seed):
    return _fit(seed).inertia


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
