"""Choosing the first centroids. Draws belong to the contents of rows, not to their places."""

from truemeans.seeding.draw import Draw
from truemeans.seeding.parallel import parallel
from truemeans.seeding.plusplus import Seeds, n_trials, plusplus

__all__ = ["Draw", "Seeds", "n_trials", "parallel", "plusplus"]
