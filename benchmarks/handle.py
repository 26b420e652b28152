"""The parent's end of a `worker`: starts it, asks it, gives it up."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

__all__ = ["Handle", "WorkerError", "in_fresh_process", "thread_limits"]

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


def thread_limits(n_threads: int) -> dict[str, str]:
    """The environment that holds every library to so many threads."""
    return dict.fromkeys(_THREAD_VARIABLES, str(n_threads))


class WorkerError(Exception):
    """A worker is gone, or what it was asked for went wrong."""


class Handle:
    """One worker process: one peer with so many threads, ``timeout`` seconds for an answer."""

    def __init__(self, peer: str, n_threads: int, timeout: float) -> None:
        self._timeout = timeout
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115, lives as long as the process
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", peer],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env=os.environ | thread_limits(n_threads),
        )
        # The first answer says that the library is imported.
        self._starting = True
        self._closed = False

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Have one thing done and return what it gave."""
        if self._closed:
            raise WorkerError("given up before")
        if self._starting:
            self._answer("start")
            self._starting = False
        message = json.dumps({"do": do} | arguments) + "\n"
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(message.encode())
            self._process.stdin.flush()
        except BrokenPipeError:
            raise WorkerError(self._epitaph()) from None
        return self._answer(do)

    def close(self) -> None:
        """End the process, whatever it is doing."""
        if self._closed:
            return
        self._closed = True
        self._process.kill()
        # Closing flushes what the dead process did not read.
        self._process.communicate()
        self._stderr.close()

    def _answer(self, what: str) -> dict[str, Any]:
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], self._timeout)
        if not ready:
            raise WorkerError(f"{what} took over {self._timeout:.0f} s")
        line = self._process.stdout.readline()
        if not line:
            raise WorkerError(self._epitaph())
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer

    def _epitaph(self) -> str:
        code = self._process.wait()
        self._stderr.seek(0)
        last = self._stderr.read().decode(errors="replace").strip().splitlines()[-1:]
        return f"the process ended with code {code}" + "".join(f": {line[:200]}" for line in last)


def in_fresh_process(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in a process of its own, so that nothing of it stays here."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()
