"""Signals that ask the program to end: it cleans up first, as it does after Ctrl-C."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

__all__ = ["Ended", "ending_cleanly"]

# Sent by kill, schedulers and service managers, and when the terminal goes away.
_SIGNALS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Ended(BaseException):
    """Raised where the program is when one of the signals comes; holds its number."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


@contextmanager
def ending_cleanly() -> Iterator[None]:
    """Raise `Ended` on the signals whose usual effect is to end the process at once."""
    found = {}
    # Elsewhere than in the main thread Python does not let handlers be set.
    if threading.current_thread() is threading.main_thread():
        found = {n: h for n in _SIGNALS if (h := signal.getsignal(n)) is signal.SIG_DFL}
    for number in found:
        signal.signal(number, _end)
    try:
        yield
    finally:
        for number, handler in found.items():
            signal.signal(number, handler)


def _end(number: int, frame: FrameType | None) -> NoReturn:
    raise Ended(number)
