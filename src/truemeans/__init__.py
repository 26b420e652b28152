"""K-means, true to the last bit: exact, fast, one answer everywhere, and it shows its work."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = [
    "Iteration",
    "KMeans",
    "ProgressBar",
    "Result",
    "Walkthrough",
    "__version__",
    "k_means",
    "kmeans_plusplus",
    "load",
    "plots",
    "textbook",
    "walkthrough",
]
__version__ = "0.1.0"

from truemeans.functions import k_means, kmeans_plusplus
from truemeans.progress import ProgressBar
from truemeans.result import Iteration, Result

if TYPE_CHECKING:
    from truemeans import plots, textbook
    from truemeans._walkthrough import Walkthrough, walkthrough
    from truemeans.estimators import KMeans
    from truemeans.model_file import load

# Loaded on first use: these bring in scikit-learn, file formats or much code of their own.
_LAZY = {
    "KMeans": "truemeans.estimators",
    "Walkthrough": "truemeans._walkthrough",
    "load": "truemeans.model_file",
    "plots": None,
    "textbook": None,
    "walkthrough": "truemeans._walkthrough",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'truemeans' has no attribute {name!r}")
    home = _LAZY[name]
    value = getattr(import_module(home), name) if home else import_module(f"truemeans.{name}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
