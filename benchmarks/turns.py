"""Workers take turns: every peer has its own process, and only one of them computes at a time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks.handle import Handle, WorkerError, in_fresh_process
from benchmarks.peers import PEERS
from benchmarks.workloads import Workload, prepare

__all__ = ["Crew", "Measurement", "Rules"]

# OpenMP and BLAS threads spin for some hundredths of a second after their work; the next peer
# should not pay for it.
_PAUSE = 0.1


@dataclass(frozen=True)
class Rules:
    """How long to measure.

    Attributes
    ----------
    repeats : int
        Timed jobs of each peer.
    budget : float
        Seconds of timed jobs after which a peer does not begin another.
    timeout : float
        Seconds after which one job is given up.
    judged : bool
        Whether the answers are recomputed in float64.
    """

    repeats: int = 5
    budget: float = 20.0
    timeout: float = 60.0
    judged: bool = True


@dataclass
class Measurement:
    """What came out for one peer and one workload; ``error`` says why nothing did."""

    workload: str
    peer: str
    version: str = ""
    seconds: list[float] = field(default_factory=list)
    n_iter: int = 0
    sse: float | None = None
    sse_labels: float | None = None
    extra_bytes: int = 0
    error: str = ""

    @property
    def median(self) -> float:
        """Seconds of one job."""
        return statistics.median(self.seconds)


class Crew:
    """A fresh process for each peer, all with the same rows, for the length of a ``with``.

    Parameters
    ----------
    workload : Workload
        What they do.
    members : mapping of str to (str, int)
        For each member, the peer and its number of threads.
    rules : Rules
        How long to measure.
    say : callable, default=None
        Told what is going on.
    keep : bool, default=True
        Whether the rows stay in the temporary folder for the next time.
    """

    def __init__(
        self,
        workload: Workload,
        members: Mapping[str, tuple[str, int]],
        rules: Rules,
        say: Callable[[str], None] | None = None,
        *,
        keep: bool = True,
    ) -> None:
        self._workload = workload
        self._members = members
        self._rules = rules
        self._listener = say
        self._keep = keep
        self._handles: dict[str, Handle] = {}
        self._place: dict[str, Any] = {}
        self._versions: dict[str, str] = {}
        self._gone: dict[str, str] = {}

    def __enter__(self) -> Crew:
        self._say("making the rows")
        self._place = in_fresh_process(prepare, self._workload)
        for name, (peer, n_threads) in self._members.items():
            self._handles[name] = Handle(peer, n_threads, self._rules.timeout)
        for name, handle in self._handles.items():
            self._say(f"{name}: loading")
            try:
                self._versions[name] = handle.ask("load", X=self._place["X"])["version"]
            except WorkerError as failure:
                self._give_up(name, failure)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for handle in self._handles.values():
            handle.close()
        if not self._keep:
            for path in (self._place["X"], self._place["centroids"], self._place["facts"]):
                Path(path).unlink()

    def do(self, n_clusters: int | None = None) -> dict[str, Measurement]:
        """Pose the job to every member, warm up, then repeat it by turns."""
        found = {
            name: Measurement(self._workload.name, peer, self._versions.get(name, ""))
            for name, (peer, _) in self._members.items()
        }
        turns = [f"turn {i} of {self._rules.repeats}" for i in range(1, self._rules.repeats + 1)]
        for step in ["warm", *turns] + ["judge"] * self._rules.judged:
            for name in self._members:
                over = step in turns and sum(found[name].seconds) > self._rules.budget
                if name in self._gone or over:
                    continue
                self._say(f"{name}: {step}")
                try:
                    self._one_step(step.split()[0], name, found[name], n_clusters)
                except WorkerError as failure:
                    self._give_up(name, failure)
                time.sleep(_PAUSE)
        for name, error in self._gone.items():
            found[name].error = error
        return found

    def _say(self, what: str) -> None:
        if self._listener:
            self._listener(f"{self._workload.name}, {what}")

    def _one_step(self, step: str, name: str, result: Measurement, n_clusters: int | None) -> None:
        handle, workload = self._handles[name], self._workload
        if step == "warm":
            stops = PEERS[result.peer].stops
            handle.ask(
                "pose",
                centroids=self._place["centroids"],
                n_iter=workload.n_iter if stops else self._place["n_iter"],
                n_clusters=n_clusters,
                n_predict=workload.n_predict,
            )
        answer = handle.ask(step)
        if step == "turn":
            result.seconds.append(answer["seconds"])
            result.n_iter, result.extra_bytes = answer["n_iter"], answer["extra_bytes"]
        elif step == "judge":
            result.sse, result.sse_labels = answer["sse"], answer["sse_labels"]

    def _give_up(self, name: str, failure: WorkerError) -> None:
        self._gone[name] = str(failure)
        self._handles[name].close()
