"""The rows that weigh something. The others must not move anything, not even the grids.

Beside the largest weight, one below 2**-1074 of it is nothing.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from truemeans.dataset import Dataset, Survey, survey
from truemeans.engines import Engine
from truemeans.engines.records import FloatArray
from truemeans.scale import Scale, weight_exponent
from truemeans.sources import Source, keep_rows

__all__ = ["Counted"]


class Counted(NamedTuple):
    """Rows of positive weight.

    Attributes
    ----------
    source : Source
        These rows alone.
    survey : Survey
        Of these rows.
    weight : ndarray of float64 or None
        Their weights.
    numbers : ndarray of int or None
        Their places among all rows; None when every row counts.
    """

    source: Source
    survey: Survey
    weight: FloatArray | None
    numbers: npt.NDArray[np.intp] | None

    @classmethod
    def of(
        cls, source: Source, found: Survey, weight: FloatArray | None, engine: Engine
    ) -> Counted:
        """Set aside the rows of weight zero; ``found`` is the survey of all rows."""
        if weight is None:
            return cls(source, found, None, None)
        down = -weight_exponent(weight)
        if math.ldexp(float(weight.min()), down) > 0.0:
            return cls(source, found, weight, None)
        numbers = np.flatnonzero(np.ldexp(weight, down))
        kept = keep_rows(source, numbers)
        return cls(kept, survey(kept, engine), weight[numbers], numbers)

    def bind(self, engine: Engine, top: float = 0.0) -> tuple[Dataset, Scale]:
        """The rows bound to the engine, on a scale where squares of values up to theirs are safe.

        ``top``: up to this value, too.
        """
        scale = Scale.of(max(top, self.survey.top), self.weight)
        return scale.dataset(self.source, engine, self.survey, self.weight), scale
