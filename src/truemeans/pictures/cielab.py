"""Colours in CIELAB, where distances are the CIE's measure of how different colours look.

K-means makes squared distances small, so the space must be one where a distance means something
to the eye. In sRGB it does not: with eight colours the red roofs and the green trees of the sample
picture china.jpg both turn to brown there, and in Oklab (2020), which gives lightness more say,
to grey; in CIELAB both stay. A distance of about 2 is just noticed side by side; white is 100
from black.

CIE 1976 L*a*b*, ISO/CIE 11664-4, with the white of sRGB (D65); sRGB is IEC 61966-2-1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["from_lab", "to_lab"]

_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_WHITE = _TO_XYZ.sum(axis=1)
# L*, a* and b* are these sums of the three cube roots, less the offset.
_TO_LAB = np.array([[0, 116, 0], [500, -500, 0], [0, 200, -200]])
_OFFSET = np.array([16, 0, 0])
# Below this share of white the cube root gives way to a straight line.
_DARK, _SLOPE = 216 / 24389, 24389 / 27


def to_lab(colors: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return sRGB colours, (n, 3), as L* (0 to 100), a* (green to red), b* (blue to yellow)."""
    levels = np.arange(256) / 255
    light = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    xyz = light[colors] @ _TO_XYZ.T / _WHITE
    roots = np.where(xyz > _DARK, np.cbrt(xyz), (_SLOPE * xyz + 16) / 116)
    return np.asarray(roots @ _TO_LAB.T - _OFFSET, np.float32)


def from_lab(lab: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Return L*, a*, b*, (n, 3), as the nearest levels of red, green and blue in sRGB.

    What sRGB cannot show, which a mean of colours it can show rarely is, gets the end of the range.
    """
    roots = (lab.astype(float) + _OFFSET) @ np.linalg.inv(_TO_LAB).T
    xyz = np.where(roots**3 > _DARK, roots**3, (116 * roots - 16) / _SLOPE) * _WHITE
    light = np.clip(xyz @ np.linalg.inv(_TO_XYZ).T, 0.0, 1.0)
    curved = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(255 * curved), np.uint8)
