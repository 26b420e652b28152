"""What seeding knows of the rows: the cost of each, and masses fine enough to draw by them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from truemeans.dataset import Dataset
from truemeans.engines.masses import WORN, mass_scale
from truemeans.engines.records import FloatArray, Nearest
from truemeans.seeding.draw import Draw

__all__ = ["Costs"]


class Costs:
    """Squared distance of every row to the nearest centroid so far, the first being drawn here.

    Parameters
    ----------
    dataset : Dataset
        The rows and their weights.
    draw : Draw
        Draws them.

    Attributes
    ----------
    first : int
        The row that is the first centroid, drawn by weight.
    nearest : Nearest
        The squared distances, and to which centroid; whoever lowers them says so by `fell` or
        `changed`.
    scale : float
        Of the integer masses round(weight × ``closest`` × ``scale``); `measure` sets it.
    """

    def __init__(self, dataset: Dataset, draw: Draw) -> None:
        self._dataset, self._draw = dataset, draw
        row = draw.by_weight(1)
        self.first = int(row[0])
        n = dataset.n_samples
        self.nearest = Nearest(np.empty(n), np.empty(n, np.int32))
        centroid = dataset.source.take(row)[0].astype(np.float64)
        dataset.lower_closest(centroid, self.nearest, 0)
        self.scale = 0.0
        # Total of the integer masses, now and when the scale was made.
        self._total = self._first_total = 0.0

    @property
    def closest(self) -> FloatArray:
        """Squared distance of every row to the nearest centroid so far."""
        return self.nearest.closest

    def fell(self, gain: float) -> None:
        """Take note that the total of the masses fell by so much."""
        self._total -= gain

    def changed(self) -> None:
        """Take note that the total is not known any more."""
        self._total = 0.0

    def measure(self) -> bool:
        """Make sure that masses are fine enough to draw by; False if no row has any.

        A cost that is not zero may be too small for the finest scale to give it a mass.
        """
        if self._total > WORN * self._first_total:
            total = self._total / self.scale
        else:
            weight = self._dataset.sample_weight
            top = float((self.closest if weight is None else weight * self.closest).max())
            # The total is between the largest cost and that for every row.
            coarse = mass_scale(top * self._dataset.n_samples)
            total = self._draw.total(self.closest, coarse) / coarse
            if total == 0.0:
                return False
        scale = mass_scale(total)
        if scale != self.scale:
            self.scale = scale
            self._total = self._first_total = self._draw.total(self.closest, scale)
        return True

    def draw(self, size: int) -> npt.NDArray[np.intp]:
        """Draw rows with probability proportional to weight × ``closest``, after `measure`."""
        return self._draw.by_cost(self.closest, self.scale, size)

    def uniform(self, size: int) -> FloatArray:
        """Numbers in [0, 1)."""
        return self._draw.rng.random(size)
