"""Read a picture as colours, each once, and how much of the picture each fills."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from truemeans.files import check_source

if TYPE_CHECKING:
    import numpy.typing as npt
    from PIL.Image import Image

__all__ = ["Picture", "read_picture"]

# What Pillow turns into RGB as it should be; 16-bit greys are brought to 8 bits first.
_EIGHT_BIT = ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr")
_ORIENTATION = 0x0112  # the tag of EXIF
_GREY_16 = ("I;16", "I;16L", "I;16B", "I;16N", "I")


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture as k-means takes it.

    Attributes
    ----------
    colors : ndarray of uint8, shape (n_colors, 3)
        The different sRGB colours of pixels that can be seen.
    weights : ndarray of float64, shape (n_colors,)
        Pixels of each colour; a pixel that is half transparent counts half.
    places : ndarray of int32, shape (height, width)
        Which colour each pixel has; -1 for pixels that cannot be seen.
    alpha : ndarray of uint8, shape (height, width), or None
        Opacity of the pixels; None if all are opaque.
    notes : tuple of str
        What was done to the picture to read it.
    """

    colors: npt.NDArray[np.uint8]
    weights: npt.NDArray[np.float64]
    places: npt.NDArray[np.int32]
    alpha: npt.NDArray[np.uint8] | None
    notes: tuple[str, ...]


def read_picture(path: Path) -> Picture:
    """Read a picture file.

    Parameters
    ----------
    path : Path
        What Pillow reads. The orientation a camera noted is applied, colours of another profile
        are brought to sRGB, greys of 16 bits to 8.

    Returns
    -------
    Picture
        Its colours.

    Raises
    ------
    ValueError
        If the file is no picture, is animated, or nothing in it can be seen.
    OSError
        If the file cannot be opened.
    ModuleNotFoundError
        If Pillow is not installed.
    """
    check_source(path)
    try:
        from PIL import Image, UnidentifiedImageError
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "pictures need Pillow, which is not installed; pip install 'truemeans[pictures]' "
            "installs it"
        ) from None
    content = path.read_bytes()
    try:
        with warnings.catch_warnings():
            # Pillow warns of large pictures and of odd metadata; what matters raises.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content)) as image:
                _check_still(image, path)
                pixels, notes = _to_rgb(image, path)
    except UnidentifiedImageError:
        raise ValueError(
            f"{path} is not a picture that can be read; give a PNG, JPEG, TIFF, WebP, GIF or BMP"
        ) from None
    except Image.DecompressionBombError:
        raise ValueError(
            f"{path} has more than {2 * (Image.MAX_IMAGE_PIXELS or 0):,} pixels; make it smaller "
            "first"
        ) from None
    except (OSError, SyntaxError, EOFError) as error:
        raise ValueError(f"{path} cannot be read to its end ({error}); it may be cut off") from None
    return _fold(pixels, path, tuple(notes))


def _check_still(image: Image, path: Path) -> None:
    n_frames = getattr(image, "n_frames", 1)
    # The second picture in a camera's MPO is the same scene again.
    if n_frames > 1 and image.format != "MPO":
        raise ValueError(
            f"{path} holds {n_frames} pictures, an animation or pages, and one is quantised; save "
            "the one you want as a PNG"
        )


def _to_rgb(image: Image, path: Path) -> tuple[npt.NDArray[np.uint8], list[str]]:
    """Pixels as red, green, blue and opacity, upright, and what was done to get there."""
    from PIL import Image, ImageOps

    notes = []
    upright = ImageOps.exif_transpose(image)
    if image.getexif().get(_ORIENTATION, 1) in range(2, 9):
        notes.append("turned upright, as the camera noted")
    if upright.mode in _GREY_16:
        levels = np.asarray(upright).astype(np.int64)
        if levels.min() < 0 or levels.max() > 65535:
            raise ValueError(
                f"{path} has greys beyond 16 bits, and no scale to bring them to 8; save it with 8"
            )
        upright = Image.fromarray(np.rint(levels / 257).astype(np.uint8))
        notes.append("16-bit greys brought to 8 bits")
    if upright.mode not in _EIGHT_BIT:
        raise ValueError(
            f"{path} holds pixels of the kind {upright.mode}, which have no plain way to 8-bit "
            "colours; save it as an RGB picture"
        )
    upright = _to_srgb(upright, image.info.get("icc_profile"), notes)
    return np.asarray(upright.convert("RGBA")), notes


def _to_srgb(image: Image, profile: bytes | None, notes: list[str]) -> Image:
    if not profile or image.mode not in ("RGB", "RGBA", "CMYK"):
        return image
    from PIL import ImageCms

    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        name = ImageCms.getProfileDescription(own).strip()
        if "sRGB" in name:
            return image
        mode = "RGBA" if image.mode == "RGBA" else "RGB"
        turned = ImageCms.profileToProfile(
            image, own, ImageCms.createProfile("sRGB"), outputMode=mode
        )
    except (ImageCms.PyCMSError, OSError):
        notes.append("its colour profile cannot be read, so its colours are taken as sRGB")
        return image
    assert turned is not None, "only a change in place returns nothing"
    notes.append(f"colours brought from the profile {name} to sRGB")
    return turned


def _fold(pixels: npt.NDArray[np.uint8], path: Path, notes: tuple[str, ...]) -> Picture:
    """Each colour once: as rows of k-means they are the same as all pixels, and far fewer."""
    alpha = pixels[..., 3]
    seen = alpha > 0
    if not seen.any():
        raise ValueError(f"{path} is transparent all over, and has no colours to choose from")
    # One number for red, green and blue, and a table of all there can be: no sorting of pixels.
    packed = np.ascontiguousarray(pixels).view("<u4")[..., 0][seen] & 0xFFFFFF
    number = np.zeros(1 << 24, np.int32)
    number[packed] = 1
    distinct = np.flatnonzero(number)
    number[distinct] = np.arange(len(distinct))
    which = number[packed]
    colors: npt.NDArray[Any] = distinct[:, np.newaxis] >> (0, 8, 16) & 255
    places = np.full(alpha.shape, -1, np.int32)
    places[seen] = which
    opaque = bool((alpha == 255).all())
    weights = np.bincount(which, None if opaque else alpha[seen] / 255.0).astype(float)
    return Picture(
        colors.astype(np.uint8), weights, places, None if opaque else alpha.copy(), notes
    )
