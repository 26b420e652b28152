"""Tables on disk: choose columns, turn them into rows for k-means, write rows back labelled.

CSV, TSV, Parquet, Feather/Arrow IPC and NumPy's ``.npy``, all through pyarrow and NumPy.
A CSV's cells are kept as the text they are, and become numbers only where they are clustered;
so what is written back is what was read.
"""

from truemeans.tables.columns import Selection, read_weights, select
from truemeans.tables.read import input_format, read_table
from truemeans.tables.table import FORMATS, Table, format_of_suffix, suffix_of_format
from truemeans.tables.write import check_writable, label_name, write_table

__all__ = [
    "FORMATS",
    "Selection",
    "Table",
    "check_writable",
    "format_of_suffix",
    "input_format",
    "label_name",
    "read_table",
    "read_weights",
    "select",
    "suffix_of_format",
    "write_table",
]
