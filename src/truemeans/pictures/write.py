"""Pictures that show a palette: the quantised picture, and its swatches."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from PIL.Image import Image

    from truemeans.pictures.read import Picture

__all__ = ["hex_of", "quantised", "swatches"]

# A PNG keeps a palette of so many colours beside pixels of one byte.
_MOST_INDEXED = 256

_WIDTH, _MARGIN, _BAR = 720, 24, 96
_CELL, _CHIP, _ROW, _TEXT = 168, 44, 60, 15
_INK, _FAINT, _PAPER = "#1A1A1A", "#666666", "#FFFFFF"


def hex_of(color: Sequence[int] | npt.NDArray[np.uint8]) -> str:
    """Return a colour as ``#RRGGBB``."""
    return "#" + bytes(map(int, color)).hex().upper()


def quantised(
    picture: Picture, labels: npt.NDArray[np.int32], palette: npt.NDArray[np.uint8]
) -> bytes:
    """Return a PNG of the picture in the palette's colours; opacity stays as it was.

    Parameters
    ----------
    picture : Picture
        What was read.
    labels : ndarray of int32, shape (n_colors,)
        Which colour of the palette stands for each colour of the picture.
    palette : ndarray of uint8, shape (n_clusters, 3)
        The colours.
    """
    from PIL import Image

    # What cannot be seen gets the first colour, and stays unseen.
    numbers = np.append(labels, 0)[picture.places]
    if picture.alpha is not None:
        return _png(Image.fromarray(np.dstack([palette[numbers], picture.alpha])))
    if len(palette) > _MOST_INDEXED:
        return _png(Image.fromarray(palette[numbers]))
    image = Image.fromarray(numbers.astype(np.uint8))
    image.putpalette(palette.tobytes())
    return _png(image)


def swatches(palette: npt.NDArray[np.uint8], shares: npt.NDArray[np.float64]) -> bytes:
    """Return a PNG of the palette: a bar of the shares, and each colour with its name.

    Parameters
    ----------
    palette : ndarray of uint8, shape (n_clusters, 3)
        The colours.
    shares : ndarray of float64, shape (n_clusters,)
        How much of the picture each fills; they add up to 1.
    """
    from PIL import Image, ImageDraw, ImageFont

    per_row = (_WIDTH - 2 * _MARGIN) // _CELL
    n_rows = -(-len(palette) // per_row)
    height = 3 * _MARGIN + _BAR + n_rows * _ROW - (_ROW - _CHIP)
    image = Image.new("RGB", (_WIDTH, height), _PAPER)
    draw = ImageDraw.Draw(image)
    edges = np.rint(_MARGIN + (_WIDTH - 2 * _MARGIN) * np.append(0, np.cumsum(shares)))
    for color, left, right in zip(palette, edges, edges[1:], strict=False):
        if right > left:
            draw.rectangle((left, _MARGIN, right - 1, _MARGIN + _BAR - 1), fill=hex_of(color))
    bold: Any = ImageFont.load_default(_TEXT)
    small: Any = ImageFont.load_default(_TEXT - 2)
    for j, (color, share) in enumerate(zip(palette, shares, strict=True)):
        x = _MARGIN + j % per_row * _CELL
        y = 2 * _MARGIN + _BAR + j // per_row * _ROW
        # The outline keeps white on white to be seen.
        chip = (x, y, x + _CHIP - 1, y + _CHIP - 1)
        draw.rectangle(chip, fill=hex_of(color), outline="#B3B3B3")
        draw.text((x + _CHIP + 10, y + 3), hex_of(color), fill=_INK, font=bold)
        draw.text((x + _CHIP + 10, y + 23), f"{100 * share:.1f} %", fill=_FAINT, font=small)
    return _png(image)


def _png(image: Image) -> bytes:
    file = io.BytesIO()
    image.save(file, format="PNG", optimize=True)
    return file.getvalue()
