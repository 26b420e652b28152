"""Which seeding ``init="auto"`` is, how rows are drawn, which decides the picks, and the room."""

from __future__ import annotations

from truemeans.plan.scores import BOXES_TO_FEATURES

__all__ = [
    "AXES_FROM_ROWS",
    "MOST_MARKED",
    "SEEDING",
    "axes_are_worth_looking",
    "best_axes",
    "draws_at_once",
    "draws_in_boxes",
    "most_axes",
    "most_marked",
    "most_pairs",
    "rounds_ahead",
    "seeding_for",
    "tries_among_candidates",
]

# For draws the rows of a cell are sorted by value, in one piece that cannot be interrupted; of so
# many rows that takes under a second even where an outlier leaves the others one cell (seeding).
_DRAWN_BOXES_TO_SAMPLES = 1 << 22
# Rows, numbers in them, and multiply-adds of all rounds up to which k-means++ draws round by
# round, in one call: drawing ahead takes milliseconds of calls, and scores faster (seeding). The
# numbers are held once more.
_AT_ONCE_TO_SAMPLES = 1 << 14
# With as few features as boxes are for, these pay from so many rows on (seeding).
_AT_ONCE_TO_UNBOXED = 1 << 11
_AT_ONCE_TO_ENTRIES = 1 << 20
_AT_ONCE_TO_WORK = 1 << 25
# k-means|| takes a few passes, however many clusters there are, and ends where k-means++ does, or
# lower. With fewer clusters it takes longer, and of fewer rows a cluster most were its candidates
# (starts).
_SAMPLED_FROM_CLUSTERS, _SAMPLED_FROM_SHARE = 8, 64
# Rounds drawn ahead, as a share of those played: costs fall little meanwhile, so that most of what
# was drawn is accepted. Wide rows take longer to read than more rejected draws to draw (seeding).
_AHEAD, _AHEAD_WIDE = 0.25, 0.5
# Rows of so many features tell apart candidates by scores alone (seeding).
_MARKED_TO_FEATURES = 19
# Candidates that 16 bits can name: the most of a pass, and so of a round.
MOST_MARKED = 0xFFFF
# A scored pair costs as much as so many features of a score among many, and each of its features
# twice; fewer features than so many are scored as fast as looked at along axes; and these are used
# where they promise to save a quarter (seeding).
_PAIR, _PAIR_FEATURE = 300, 2
_AXES_FROM_FEATURES = 48
_AXES_WORTH = 0.75
# Rows that axes are found from where features are more than that. Finding them takes time by the
# cube of the features, or of these rows: so many multiply-adds of scores (seeding).
AXES_FROM_ROWS, _AXES_FINDING = 1024, 500
# Picks among candidates end lower with four tries, and little lower with ten. Beyond so many draws
# each takes a tenth of seeding, and many clusters differ less from try to try. The number of rows
# has no part in it: weights are as good as copies (seeding).
_TRIES, _TRIES_TO_DRAWS = 4, 1 << 10
# Less is not worth a second look at the rows (seeding).
_PAIRS_AT_LEAST = 1 << 16

SEEDING = (
    f"Seeds by k-means|| for more than {_AT_ONCE_TO_SAMPLES:,} rows, {_SAMPLED_FROM_SHARE} and "
    f"more a cluster, from {_SAMPLED_FROM_CLUSTERS} clusters on, and by k-means++ else; so for "
    f"{_DRAWN_BOXES_TO_SAMPLES:,} rows or fewer of at most {BOXES_TO_FEATURES} features "
    "(benchmark: starts)."
)


def draws_at_once(n_samples: int, n_features: int, n_clusters: int, n_trials: int) -> bool:
    """Whether k-means++ draws round by round in one call; the picks differ from drawing ahead."""
    entries = n_samples * n_features
    boxable = n_features <= BOXES_TO_FEATURES
    most = _AT_ONCE_TO_UNBOXED if boxable else _AT_ONCE_TO_SAMPLES
    few = n_samples <= most and entries <= _AT_ONCE_TO_ENTRIES
    return few and entries * n_clusters * n_trials <= _AT_ONCE_TO_WORK


def draws_in_boxes(n_samples: int, n_features: int) -> bool:
    """Whether k-means++ over more rows than `draws_at_once` allows goes through boxes.

    The picks differ from drawing ahead; neither clusters nor memory decide, so that nothing but
    the rows does.
    """
    return n_features <= BOXES_TO_FEATURES and n_samples <= _DRAWN_BOXES_TO_SAMPLES


def seeding_for(n_samples: int, n_features: int, n_clusters: int) -> str:
    """What ``init="auto"`` stands for; nothing but sizes decides, as the picks depend on it."""
    many = n_samples > _AT_ONCE_TO_SAMPLES and n_samples >= _SAMPLED_FROM_SHARE * n_clusters
    boxed = draws_in_boxes(n_samples, n_features)
    sampled = many and not boxed and n_clusters >= _SAMPLED_FROM_CLUSTERS
    return "k-means||" if sampled else "k-means++"


def rounds_ahead(n_played: int, n_features: int) -> int:
    """How many rounds are drawn ahead; the picks depend on it, so that the rows alone decide."""
    share = _AHEAD if n_features <= _MARKED_TO_FEATURES else _AHEAD_WIDE
    return max(1, int(share * n_played))


def tries_among_candidates(n_clusters: int, n_trials: int) -> int:
    """How often k-means|| picks among its candidates, to keep the best."""
    return _TRIES if n_clusters * n_trials <= _TRIES_TO_DRAWS else 1


def most_pairs(n_samples: int, n_features: int, itemsize: int, *, axes: bool) -> int:
    """How many pairs of a row and a candidate seeding may hold at a time, beside axes or not."""
    room = _room(n_features, itemsize) - (_axes_room(n_features, itemsize) if axes else 0)
    # A pair takes up to 48 bytes while pairs are found, in vectors that double, and sorted.
    return max(n_samples * room // 48, _PAIRS_AT_LEAST)


def most_marked(n_features: int, itemsize: int) -> int:
    """How many candidates seeding may mark rows for at a time, 0 to hold pairs instead."""
    if n_features > _MARKED_TO_FEATURES:
        return 0
    # A bit a row for each.
    return min(8 * _room(n_features, itemsize), MOST_MARKED)


def most_axes(n_features: int, itemsize: int, axes_a_word: int) -> int:
    """The most axes that rows may be seen along, below 1 for none."""
    # Beside words of axes, four numbers of each row.
    return axes_a_word * ((_axes_room(n_features, itemsize) - 16) // 4)


def axes_are_worth_looking(n_samples: int, n_features: int, n_candidates: int) -> bool:
    """Whether finding the principal axes takes little beside scoring so many candidates."""
    if n_features < _AXES_FROM_FEATURES:
        return False
    finding = _AXES_FINDING * min(n_features, AXES_FROM_ROWS) ** 3
    return n_samples * n_features * n_candidates >= finding


def best_axes(
    n_features: int,
    n_candidates: int,
    counts: list[int],
    left: list[float],
    in_use: int,
    axes_a_word: int,
) -> int:
    """The number of axes that a candidate costs least with; 0 for none.

    ``left`` is the share of pairs that each count leaves, which are scored pair by pair. Rows are
    seen along ``in_use`` axes already, 0 for none. The unit is a feature of a score, as long as
    a word of axes takes; to see rows along an axis takes a score, for all ``n_candidates`` to come.
    """
    pair = _PAIR + _PAIR_FEATURE * n_features
    costs = {
        count: count / axes_a_word
        + share * pair
        + (0 if count == in_use else count * n_features / n_candidates)
        for count, share in zip(counts, left, strict=True)
    }
    best = min(costs, key=costs.__getitem__)
    return best if costs[best] <= _AXES_WORTH * n_features else 0


def _axes_room(n_features: int, itemsize: int) -> int:
    """Bytes a row for rows seen along axes: three quarters of what pairs and these may take."""
    return _room(n_features, itemsize) * 3 // 4


def _room(n_features: int, itemsize: int) -> int:
    """Bytes a row left of 24 and half a row by squared distance, label, bucket and order."""
    return 24 - 18 + n_features * itemsize // 2
