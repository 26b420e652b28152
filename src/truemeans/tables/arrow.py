"""What pyarrow is told before it is used."""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder
from typing import Any

__all__ = ["keep_pandas_out"]


def keep_pandas_out() -> None:
    """Have pyarrow find out now that pandas is not there, unless it has been imported.

    It looks when it makes its first array and its first scalar. Importing pandas takes a third of
    a small command, and Ctrl-C would be lost meanwhile: an exception counts as "no pandas" there.
    """
    if "pandas" in sys.modules:
        return
    import pyarrow as pa

    finder = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        pa.array([""])
        pa.scalar("")
    finally:
        sys.meta_path.remove(finder)


class _NoPandas(MetaPathFinder):
    def find_spec(self, fullname: str, path: Any, target: Any = None) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError("pandas is kept out")
