"""The fresh process in which one peer does its jobs, one line of JSON in, one line out.

Started by `turns`. Verbs: ``load`` rows, ``pose`` a job, ``warm`` up, take a timed ``turn``, and
``judge`` the last answer. Nothing but the peer and the rows lives here, so memory beyond them is
the peer's.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.measure import PeakMemory, seconds, sse_of_centroids, sse_of_labels
from benchmarks.peers import PEERS, installed_version

__all__ = ["main"]


class Worker:
    """One peer, its rows and its job."""

    def __init__(self, peer: str) -> None:
        kind = PEERS[peer]
        self.peer = kind()
        self.version = installed_version(kind)
        self.X: npt.NDArray[Any] = np.empty((0, 0))
        self.centroids = self.X
        self.n_iter = self.n_predict = 0
        self._memory = PeakMemory()
        self._extra: int | None = None
        self._call: Callable[[], Any] = lambda: None
        self._last: Any = None

    def load(self, X: str) -> dict[str, Any]:
        """Read the rows, all of them, into memory."""
        self.X = np.load(X)
        return {"version": self.version}

    def pose(
        self, centroids: str, n_iter: int, n_clusters: int | None, n_predict: int
    ) -> dict[str, Any]:
        """Say what to do: a fit, or with ``n_predict`` labelling so many rows."""
        self.centroids = np.load(centroids)[:n_clusters]
        self.n_iter, self.n_predict = n_iter, n_predict
        if n_predict:
            rows = self.X[:n_predict]
            predict = self.peer.predictor(self.centroids)
            self._call = lambda: predict(rows)
        else:
            self._call = lambda: self.peer.fit(self.X, self.centroids, self.n_iter)
        return {}

    def warm(self) -> dict[str, Any]:
        """A small job and one full-data step, so that libraries, threads and caches are ready.

        The small job comes before memory is counted: what it imports late is not the job's.
        """
        if self.n_predict:
            self._call()
        else:
            few = self.X[: max(1000, 2 * len(self.centroids))]
            self.peer.fit(few, self.centroids, 1)
        self._memory, self._extra = PeakMemory(), None
        if not self.n_predict:
            self.peer.fit(self.X, self.centroids, 1)
        return {}

    def turn(self) -> dict[str, Any]:
        """One timed job."""
        time, self._last = seconds(self._call)
        if self._extra is None:
            self._extra = self._memory.beyond()
        n_iter = 0 if self.n_predict else self._last.n_iter
        return {"seconds": time, "n_iter": int(n_iter), "extra_bytes": self._extra}

    def judge(self) -> dict[str, Any]:
        """Recompute in float64 how good the last answer is."""
        facts: dict[str, Any] = {"sse_labels": None}
        if self.n_predict:
            rows, centroids, labels = self.X[: self.n_predict], self.centroids, self._last
        else:
            rows, centroids, labels = self.X, self._last.centroids, self._last.labels
        facts["sse"] = sse_of_centroids(rows, centroids)
        if labels is not None:
            facts["sse_labels"] = sse_of_labels(rows, centroids, labels)
        return facts


def main() -> None:
    """Serve one peer until told to stop."""
    # Libraries print to standard output as they like; the answers have a channel of their own.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    try:
        worker = Worker(sys.argv[1])
    except ImportError as error:
        answers.write(json.dumps({"error": f"not installed ({error.name})"}) + "\n")
        return
    answers.write("{}\n")
    for line in sys.stdin:
        message = json.loads(line)
        try:
            answer = getattr(worker, message.pop("do"))(**message)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"[:300]}
        answers.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
