"""How far colours are apart, for full and for colour-blind sight.

G. M. Machado, M. M. Oliveira, L. A. F. Fernandes, "A physiologically-based model for simulation of
color vision deficiency", IEEE Transactions on Visualization and Computer Graphics 15 (2009),
1291–1298: their matrices for full protanopia, deuteranopia and tritanopia.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

SIGHTS = [
    np.eye(3),
    np.array([
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ]),
    np.array([
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ]),
    np.array([
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ]),
]  # fmt: skip
TO_XYZ = np.array([
    [0.4124, 0.3576, 0.1805],
    [0.2126, 0.7152, 0.0722],
    [0.0193, 0.1192, 0.9505],
])  # fmt: skip


def linear(colour):
    """sRGB from 0 to 255 as linear light from 0 to 1."""
    c = np.array(colour) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def contrast(a, b):
    """Contrast of two linear colours as the Web Content Accessibility Guidelines define it."""
    low, high = sorted((TO_XYZ @ a)[1] for a in (a, b))
    return (high + 0.05) / (low + 0.05)


def lab(colour):
    """CIE L*a*b* of a linear colour."""
    xyz = TO_XYZ @ np.clip(colour, 0, 1) / [0.9505, 1.0, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def least_difference(colours):
    """The least CIE76 difference of any two, in the sight that tells them apart worst."""
    return min(
        np.linalg.norm(lab(sight @ a) - lab(sight @ b))
        for sight in SIGHTS
        for a, b in combinations(colours, 2)
    )
