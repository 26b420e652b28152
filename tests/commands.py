"""Command lines for the tests: typed in this process or in one of their own."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.csv as pacsv
import pytest

import truemeans
from truemeans.cli import main

IRIS = Path(__file__).parents[1] / "examples" / "data" / "iris.csv"
COMMAND = [sys.executable, "-m", "truemeans.cli"]


def enter(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make an empty folder the current one."""
    monkeypatch.chdir(folder)
    monkeypatch.delenv("COLUMNS", raising=False)
    # Commands in processes of their own find the package where this one did.
    monkeypatch.setenv("PYTHONPATH", str(Path(truemeans.__file__).parents[1]))
    return folder


def typed(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Return what runs a command line here; it returns its exit code, output and errors."""

    def run(*arguments: object) -> tuple[int, str, str]:
        code = main([str(a) for a in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def words(line: str) -> list[str]:
    return line.split()


def rows() -> np.ndarray:
    return np.loadtxt(IRIS, delimiter=",", skiprows=1)


def labels_in(path: str, column: str = "cluster") -> list[int]:
    return pacsv.read_csv(path).column(column).to_pylist()


class Terminal:
    """A command in a terminal of its own."""

    def __init__(self, arguments: list[str], columns: int = 80) -> None:
        self.fd, inside = pty.openpty()
        self.process = subprocess.Popen(
            [*COMMAND, *arguments],
            stdin=inside,
            stdout=inside,
            stderr=inside,
            env={**os.environ, "COLUMNS": str(columns), "TERM": "xterm"},
        )
        os.close(inside)
        self._bytes = b""

    @property
    def seen(self) -> str:
        """What has appeared so far."""
        return self._bytes.decode(errors="replace")

    def read(self, until: str | None = None, seconds: float = 60.0) -> None:
        """Read what appears until a text does, or until the command ends."""
        deadline = time.monotonic() + seconds
        while until is None or until not in self.seen:
            ready, _, _ = select.select([self.fd], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"nothing more after {self.seen!r}"
            try:
                chunk = os.read(self.fd, 65536)
            except OSError:  # the other side is closed
                return
            if not chunk:
                return
            self._bytes += chunk

    def wait(self) -> int:
        """Read to the end and return the exit code."""
        self.read()
        os.close(self.fd)
        return self.process.wait()
