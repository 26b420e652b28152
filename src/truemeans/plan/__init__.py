"""The only place with an "auto" rule: picks how a problem is computed, and says why.

Every choice here changes the time, never the answer, but for where runs start: what ``init="auto"``
stands for, and the picks of k-means++ and k-means||. Sizes alone decide these. Each number names
the benchmark that set it (`python -m benchmarks ...`).
"""

from truemeans.plan.draws import (
    AXES_FROM_ROWS,
    MOST_MARKED,
    axes_are_worth_looking,
    best_axes,
    draws_at_once,
    draws_in_boxes,
    most_axes,
    most_marked,
    most_pairs,
    rounds_ahead,
    seeding_for,
    tries_among_candidates,
)
from truemeans.plan.passes import (
    FINER,
    N_PROBED,
    PROBED_FROM,
    finer_scores,
    should_keep,
    should_skip,
)
from truemeans.plan.room import n_groups, skip_bytes
from truemeans.plan.run import make_plan, swap_patience
from truemeans.plan.scores import METHODS, closer_scores, methods

__all__ = [
    "AXES_FROM_ROWS",
    "FINER",
    "METHODS",
    "MOST_MARKED",
    "N_PROBED",
    "PROBED_FROM",
    "axes_are_worth_looking",
    "best_axes",
    "closer_scores",
    "draws_at_once",
    "draws_in_boxes",
    "finer_scores",
    "make_plan",
    "methods",
    "most_axes",
    "most_marked",
    "most_pairs",
    "n_groups",
    "rounds_ahead",
    "seeding_for",
    "should_keep",
    "should_skip",
    "skip_bytes",
    "swap_patience",
    "tries_among_candidates",
]
