# The compiled core, as engines/native.py calls it. Arrays must have the exact dtype, be
# C-contiguous, and have the shapes that engines/base.py documents.
from typing import Any

import numpy as np
import numpy.typing as npt

N_SQ_GRIDS: int

_Rows = npt.NDArray[Any]
_Float = npt.NDArray[np.float64]
_Labels = npt.NDArray[np.int32]

class FloatMode:
    def enter(self) -> None: ...
    def leave(self) -> None: ...

class Team:
    def __init__(self, n_threads: int, target: str) -> None: ...
    @property
    def n_threads(self) -> int: ...
    @property
    def target(self) -> str: ...
    @property
    def numbers_a_word(self) -> int: ...

def targets() -> list[tuple[str, str]]: ...

class SwapSearch:
    n_tried: int
    n_kept: int
    has_ended: bool
    inertia: float
    centroids: _Float
    def __init__(
        self,
        team: Team,
        X: _Float,
        weight: _Float,
        centroids: _Float,
        labels: _Labels,
        patience: int,
    ) -> None: ...
    def run(self, most: int, seconds: float) -> bool: ...

def optimum(
    team: Team, values: _Float, weights: _Float, k: int, max_runs: int
) -> tuple[_Float, bool]: ...
def least_inertias(team: Team, values: _Float, weights: _Float, most: int) -> _Float: ...
def survey(team: Team, X: _Rows) -> tuple[_Float, int, float]: ...

class Skip:
    def __init__(self, n_rows: int) -> None: ...

class PackedRows:
    def __init__(self, n_rows: int, n_features: int) -> None: ...

class Boxes32:
    def __init__(self, team: Team, X: _Rows, weight: _Float | None, by_value: bool) -> None: ...
    def restart(self, n_clusters: int) -> None: ...

class Boxes64:
    def __init__(self, team: Team, X: _Rows, weight: _Float | None, by_value: bool) -> None: ...
    def restart(self, n_clusters: int) -> None: ...

def assign_boxed(
    team: Team,
    boxes: Boxes32 | Boxes64,
    weight: _Float | None,
    centroids: _Float,
    magic: _Float | None,
    labels: _Labels,
    sums: _Float | None,
) -> tuple[int, int, int]: ...

class Bounds:
    def __init__(self, team: Team, centroids: _Float, n_rows: int, most_groups: int) -> None: ...
    @property
    def n_groups(self) -> int: ...

def assign(
    team: Team,
    X: _Rows,
    weight: _Float | None,
    centroids: _Float,
    scores: str,
    block_rows: int,
    keeps: bool,
    skip: Skip | None,
    packed: PackedRows | None,
    magic: _Float | None,
    labels: _Labels,
    sums: _Float | None,
) -> tuple[int, int, int]: ...
def assign_bounded(
    team: Team,
    X: _Rows,
    weight: _Float | None,
    centroids: _Float,
    bounds: Bounds,
    magic: _Float | None,
    labels: _Labels,
    sums: _Float | None,
) -> tuple[int, int, int]: ...
def add_rows(
    team: Team, X: _Rows, weight: _Float | None, labels: _Labels, magic: _Float, sums: _Float
) -> None: ...
def move_rows(
    team: Team,
    X: _Rows,
    weight: _Float | None,
    rows: _Labels,
    from_: _Labels,
    to: _Labels,
    magic: _Float,
    sums: _Float,
) -> None: ...
def new_sums(n_clusters: int, n_grids: int, n_features: int) -> _Float: ...
def update(
    team: Team,
    sums: _Float,
    previous: _Float,
    single: bool,
    center: _Float,
    top: float,
    spread_hi: float,
    spread_lo: float,
    spread_error: float,
) -> tuple[_Float, float, float, float, int]: ...
def choose_footing(
    features: _Float,
    weight_top: float,
    weight_finest: float,
    weighted: bool,
    n_rows: float,
    single: bool,
) -> tuple[_Float, _Float, float]: ...
def max_abs_diff(team: Team, X: _Rows, centers: _Float, labels: _Labels | None) -> float: ...
def add_sq_diff(
    team: Team,
    X: _Rows,
    weight: _Float | None,
    centers: _Float,
    labels: _Labels | None,
    top: float,
    weight_top: float,
    n_rows: float,
    totals: _Float,
) -> None: ...
def finish_sq_diff(
    totals: _Float, d: int, top: float, weight_top: float, n_rows: float
) -> tuple[float, float, float]: ...
def sq_distances(team: Team, X: _Rows, centroids: _Float) -> _Float: ...
def own_sq_distances(team: Team, X: _Rows, centroids: _Float, labels: _Labels) -> _Float: ...
def row_keys(team: Team, X: _Rows) -> _Float: ...
def lower_closest(
    team: Team,
    X: _Rows,
    weight: _Float | None,
    centroid: _Float,
    closest: _Float,
    which: _Labels,
    number: int,
) -> float: ...
def lower_by_labels(
    team: Team,
    X: _Rows,
    centroids: _Float,
    labels: _Labels,
    closest: _Float,
    which: _Labels,
    first: int,
) -> None: ...
def add_gains(
    team: Team,
    X: _Rows,
    weight: _Float | None,
    candidates: _Float,
    closest: _Float,
    scale: float,
    gains: _Float,
) -> None: ...
def draw_in_boxes(
    team: Team,
    boxes: Boxes32 | Boxes64,
    weight: _Float | None,
    n: int,
    d: int,
    weight_scale: float,
    u: _Float,
    n_clusters: int,
    n_trials: int,
) -> npt.NDArray[np.int64]: ...
def draw_rounds(
    team: Team,
    X: _Rows,
    weight: _Float | None,
    weight_scale: float,
    u: _Float,
    n_clusters: int,
    n_trials: int,
) -> npt.NDArray[np.int64]: ...

class Axes:
    usable: bool
    def __init__(
        self, team: Team, X: _Rows, lines: _Float, center: _Float, sq_radius: float
    ) -> None: ...

def find_closer(
    team: Team,
    X: _Rows,
    weight: _Float | None,
    candidates: _Float,
    closest: _Float,
    scores: str,
    axes: Axes | None,
    block_rows: int,
    most: int,
) -> tuple[npt.NDArray[np.int64], _Labels, _Float] | None: ...
def play_rounds(
    team: Team,
    rows: _Labels,
    start: _Float,
    u: _Float,
    starts: npt.NDArray[np.int64],
    pair_rows: _Labels,
    pair_sq_dist: _Float,
    weight: _Float | None,
    scale: float,
    n_trials: int,
    n_rounds: int,
    closest: _Float,
    which: _Labels,
    first: int,
) -> tuple[_Labels, int, float]: ...
def play_ahead(
    team: Team,
    X: _Rows,
    weight: _Float | None,
    rows: _Labels,
    start: _Float,
    u: _Float,
    scored: bool,
    scale: float,
    n_trials: int,
    n_rounds: int,
    marks: npt.NDArray[np.uint64],
    closest: _Float,
    which: _Labels,
    first: int,
) -> tuple[_Labels, int, float]: ...
def sort_into_buckets(
    team: Team, keys: _Float, splitters: _Float
) -> tuple[npt.NDArray[np.uint16], _Labels, npt.NDArray[np.int64]]: ...
def add_bucket_masses(
    team: Team,
    weight: _Float | None,
    closest: _Float | None,
    scale: float,
    buckets: npt.NDArray[np.uint16],
    sums: _Float,
) -> None: ...
