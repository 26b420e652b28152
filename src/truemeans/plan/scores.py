"""How scores are laid out, and what is kept beside them, for so many rows, features, clusters."""

from __future__ import annotations

from truemeans.plan.passes import FINER, TILES_SCORES
from truemeans.targets import has_tiles

__all__ = ["BOXES_TO_FEATURES", "METHODS", "RULES", "choose_method", "closer_scores", "methods"]

# The layouts of scores, and what each may remember between passes (result.Plan says what).
METHODS = (
    ("none", "none"),
    ("samples", "none"),
    ("samples", "rows"),
    ("samples", "boxes"),
    ("centroids", "none"),
    ("centroids", "rows"),
    ("centroids", "groups"),
    ("tiles", "none"),
    ("tiles", "rows"),
    ("coarse", "none"),
    ("coarse", "rows"),
    ("bytes", "none"),
    ("bytes", "rows"),
    ("bytes", "packed"),
)

# Below this many multiply-adds a pass, packing centroids costs more than it saves (kernels small).
_PACK_FROM = 4_000
# Lanes = centroids reads rows without turning them, but needs enough features to pay for turning
# the scores; beyond so many entries the centroids leave the second-level cache, and lanes =
# samples reads them less often (kernels layout).
_CENTROIDS_FROM_FEATURES = 32
_CENTROIDS_TO_CLUSTERS = 128
# The matrix unit takes 32 features and 32 centroids at a time, filled or not; with fewer features
# it takes more clusters to pay, and beyond one tile so many numbers in all centroids (kernels
# layout).
_TILES_FROM_FEATURES = 12
_TILES_FROM_CLUSTERS = 12
_ONE_TILE = 32
_MORE_TILES_FROM_ENTRIES = 4_000
_NARROW_TILES_FROM_FEATURES = 8
_NARROW_TILES_FROM_CLUSTERS = 128
# Coarse tiles take a third of the products, and pay while they leave few rows undecided, with
# one tile only where a row meets many clusters (run --only midk,ivf,embed,patches).
_COARSE_FROM_CLUSTERS = 512
_COARSE_FROM_FEATURES = 32
# Bytes take half of that again, and leave more open: they pay where tiles are most of a pass, which
# with fewer clusters packing and own scores are (run --only embed).
_BYTES_FROM_FEATURES = 384
_BYTES_FROM_CLUSTERS = 768
# Bounds by groups cost about a hundred nanoseconds a row that is not skipped: they pay where
# scoring a row densely costs several times that (run --only ivf,embed,midk).
_GROUPS_FROM_ENTRIES = 65_536
_GROUPS_FROM_FEATURES = 48
# Sorting rows into boxes costs a few dense passes, and boxes pay the more the more centroids
# there are to rule out (run --only geo,palette,pixels).
BOXES_TO_FEATURES = 3
_BOXES_FROM_CLUSTERS = 32
_BOXES_FROM_SAMPLES = 50_000
# The sort cannot be interrupted half-way; so many rows take well under a second (run --only geo).
_BOXES_TO_SAMPLES = 20_000_000
# Lanes = samples serves few features best in seeding too (seeding).
_CLOSER_CENTROIDS_FROM_FEATURES = 20


# The rules in words, as `Plan.why` gives them; the keys are what `choose_method` says.
_ONE, _SMALL = "one cluster takes every row", "small enough for canonical distances alone"
_BOXES = "rows in boxes along a curve, few candidates each"
_BYTES = "tiles of bytes by the matrix unit, kept with their scores, a bound a row later"
_COARSE = "coarse tiles by the matrix unit, a bound a row later"
_TILES = "dense tiles by the matrix unit, a bound a row later"
_GROUPS = "tiles of centroids, bounds by groups of centroids"
_CENTROIDS = "dense tiles of centroids, a bound a row later"
_SAMPLES = "dense tiles of samples, a bound a row later"
RULES = {
    _ONE: "With one cluster there is nothing to compare.",
    _SMALL: f"Below {_PACK_FROM:,} multiply-adds a pass, packing centroids for fast scores costs "
    "more than it saves (benchmark: kernels small).",
    _BOXES: f"Up to {BOXES_TO_FEATURES} features, from {_BOXES_FROM_CLUSTERS} clusters and "
    f"{_BOXES_FROM_SAMPLES:,} to {_BOXES_TO_SAMPLES:,} rows, sorting rows into boxes pays: a box "
    "meets few centroids (benchmark: run --only geo,palette,pixels).",
    _COARSE: f"From {_ONE_TILE + 1} features and {_MORE_TILES_FROM_ENTRIES:,} numbers in all "
    f"centroids, or {_COARSE_FROM_FEATURES} features and {_COARSE_FROM_CLUSTERS} clusters, "
    "a matrix unit scores fastest with the first halves of the numbers; full ones follow where "
    "more than "
    f"{FINER['coarse'][1]:.0%} of the rows stay open (benchmark: run --only "
    "midk,ivf,embed,patches).",
    _BYTES: f"From {_BYTES_FROM_FEATURES} features and {_BYTES_FROM_CLUSTERS} clusters a matrix "
    "unit scores fastest with whole numbers of 8 bits. They are kept from pass to pass, and "
    "scores of own centroids followed by what these moved; the first halves of the numbers take "
    f"over where more than {FINER['bytes'][1]:.0%} of the rows stay open (benchmark: run --only "
    "embed).",
    _TILES: f"From {_TILES_FROM_FEATURES} features and {_TILES_FROM_CLUSTERS} clusters a matrix "
    "unit scores fastest (benchmark: kernels layout).",
    _GROUPS: f"From {_GROUPS_FROM_FEATURES} features and {_GROUPS_FROM_ENTRIES:,} numbers in all "
    "centroids, bounds by groups cost less than the scores they save (benchmark: run --only "
    "ivf,embed,midk).",
    _CENTROIDS: f"From {_CENTROIDS_FROM_FEATURES} features and up to {_CENTROIDS_TO_CLUSTERS} "
    "clusters it is faster to score many centroids at a time than many rows (benchmark: kernels "
    "layout).",
    _SAMPLES: "With these features and clusters it is fastest to score many rows at a time "
    "(benchmark: kernels layout).",
}


def choose_method(
    n_samples: int, n_features: int, n_clusters: int, target: str
) -> tuple[str, str, str]:
    """Return scores, what is kept between passes, and why in words, a key of `RULES`."""
    entries = n_features * n_clusters
    work = n_samples * entries
    if n_clusters == 1:
        return "none", "none", _ONE
    if work < _PACK_FROM:
        return "none", "none", _SMALL
    if (
        n_features <= BOXES_TO_FEATURES
        and n_clusters >= _BOXES_FROM_CLUSTERS
        and _BOXES_FROM_SAMPLES <= n_samples <= _BOXES_TO_SAMPLES
    ):
        return "samples", "boxes", _BOXES
    if _tiles_pay(n_features, n_clusters) and has_tiles(target):
        if n_features >= _BYTES_FROM_FEATURES and n_clusters >= _BYTES_FROM_CLUSTERS:
            return "bytes", "packed", _BYTES
        many = n_clusters >= _COARSE_FROM_CLUSTERS
        if n_features > _ONE_TILE or (many and n_features >= _COARSE_FROM_FEATURES):
            return "coarse", "rows", _COARSE
        return "tiles", "rows", _TILES
    if entries >= _GROUPS_FROM_ENTRIES and n_features >= _GROUPS_FROM_FEATURES:
        return "centroids", "groups", _GROUPS
    if n_features >= _CENTROIDS_FROM_FEATURES and n_clusters <= _CENTROIDS_TO_CLUSTERS:
        return "centroids", "rows", _CENTROIDS
    return "samples", "rows", _SAMPLES


def _tiles_pay(n_features: int, n_clusters: int) -> bool:
    if n_features >= _TILES_FROM_FEATURES and n_clusters >= _TILES_FROM_CLUSTERS:
        return n_features <= _ONE_TILE or n_features * n_clusters >= _MORE_TILES_FROM_ENTRIES
    return n_features >= _NARROW_TILES_FROM_FEATURES and n_clusters >= _NARROW_TILES_FROM_CLUSTERS


def methods(target: str, n_features: int) -> list[tuple[str, str]]:
    """The methods that can label rows of so many features on a SIMD target."""
    return [
        (scores, skip)
        for scores, skip in METHODS
        if (skip != "boxes" or n_features <= BOXES_TO_FEATURES)
        and (scores not in TILES_SCORES or has_tiles(target))
    ]


def closer_scores(n_features: int, target: str) -> str:
    """How scores are laid out when seeding looks for candidates closer than all centroids."""
    if n_features >= _TILES_FROM_FEATURES and has_tiles(target):
        return "coarse" if n_features >= _COARSE_FROM_FEATURES else "tiles"
    return "samples" if n_features < _CLOSER_CENTROIDS_FROM_FEATURES else "centroids"
