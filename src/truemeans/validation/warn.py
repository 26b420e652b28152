"""Warnings that point at the caller's line, not at one of ours."""

from __future__ import annotations

import sys
import warnings

__all__ = ["warn"]


def warn(message: str, category: type[Warning]) -> None:
    """Warn at the first line outside this package that led here."""
    level = 1
    frame = sys._getframe()
    while frame.f_back and frame.f_globals.get("__name__", "").startswith("truemeans."):
        frame = frame.f_back
        level += 1
    warnings.warn(message, category, stacklevel=level)
