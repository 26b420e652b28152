"""What a run goes on with, from what its passes measure."""

from __future__ import annotations

__all__ = [
    "FINER",
    "LABELS",
    "LATER",
    "N_PROBED",
    "PROBED_FROM",
    "TILES_SCORES",
    "finer_scores",
    "may_keep",
    "should_keep",
    "should_skip",
]

# Scores by a matrix unit.
TILES_SCORES = ("tiles", "coarse", "bytes")
# Scores, what follows them, and the share of the rows that must stay open for that.
FINER = {"bytes": ("coarse", 0.85), "coarse": ("tiles", 0.5)}
# Rows that are labelled once more to see that, before the first pass, if there are many more.
N_PROBED = 512
PROBED_FROM = 8 * N_PROBED
# One bound a row costs under a tenth of a dense pass and begins to pay when so few rows change
# (run --only tabular,converge).
_SKIP_BELOW_CHANGED = 0.125
# Rows that have a label are compared with its centroid's score alone, which leaves the vector
# units half of the work; a row that changes, or may, costs more then. From so many features on the
# rest of a pass is little beside it, and bounds pay later (run --only ivf,embed,patches,midk).
_KEEP_FROM_FEATURES = 33
_KEEP_BELOW_CHANGED = 0.5
_KEEP_SKIP_BELOW_CHANGED = 0.01

LATER = (
    f"Once at most {_SKIP_BELOW_CHANGED:.1%} of the rows change in a pass, a bound a row tells "
    "which rows need no look (benchmark: run --only tabular,converge)."
)
LABELS = (
    f"From {_KEEP_FROM_FEATURES} features on tiles compare a row with its centroid's score alone "
    f"while at most {_KEEP_BELOW_CHANGED:.0%} of the rows change; a bound a row follows at "
    f"{_KEEP_SKIP_BELOW_CHANGED:.0%} (benchmark: run --only ivf,embed,patches,midk)."
)


def finer_scores(scores: str, n_settled: int, n_samples: int) -> str:
    """The scores for the next pass: finer ones where these left too much open in the last."""
    finer, share = FINER.get(scores, (scores, 1.0))
    return finer if n_settled > share * n_samples else scores


def may_keep(scores: str, n_features: int) -> bool:
    """Whether these scores can start from the labels of the last pass."""
    return scores in TILES_SCORES and n_features >= _KEEP_FROM_FEATURES


def should_keep(scores: str, n_features: int, n_changed: int, n_samples: int) -> bool:
    """Whether most rows will keep the label of the last pass, and it pays to start from that."""
    return may_keep(scores, n_features) and n_changed <= _KEEP_BELOW_CHANGED * n_samples


def should_skip(keeps: bool, n_changed: int, n_samples: int) -> bool:
    """Whether a bound a row will pay, from the last pass; keeps: as `should_keep` says."""
    share = _KEEP_SKIP_BELOW_CHANGED if keeps else _SKIP_BELOW_CHANGED
    return n_changed <= share * n_samples
