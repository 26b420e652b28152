"""Tables on disk for the tests."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from truemeans.tables import Table, write_table

IRIS = Path(__file__).parents[1] / "examples" / "data" / "iris.csv"


def saved(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def written(table: Table, file_format: str, label: str = "cluster") -> bytes:
    out = io.BytesIO()
    labels = np.arange(table.n_rows, dtype=np.int32)
    write_table(out, table, labels, file_format, label)
    return out.getvalue()


def parquet(folder: Path, columns: dict | pa.Table) -> Path:
    path = folder / "t.parquet"
    pq.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), path)
    return path
