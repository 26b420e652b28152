"""``truemeans palette``: the colours of a picture, as swatches and as the picture in them."""

from __future__ import annotations

import math
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from truemeans.cli import options as opt

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from truemeans.pictures import Picture
    from truemeans.result import Result

__all__ = ["EPILOG", "palette"]

EPILOG = "Example: truemeans palette photo.jpg -k 8"


def palette(
    image: Annotated[
        str,
        typer.Argument(
            metavar="IMAGE",
            show_default=False,
            help="A picture: PNG, JPEG, TIFF, WebP, GIF, BMP and what else Pillow reads.",
        ),
    ],
    n_clusters: Annotated[
        int,
        typer.Option(
            "--n-clusters",
            "-k",
            metavar="K",
            rich_help_panel=opt.CLUSTERS,
            help="Number of colours.",
        ),
    ] = 8,
    seed: Annotated[
        int,
        typer.Option(
            metavar="N",
            rich_help_panel=opt.CLUSTERS,
            help="The same seed gives the same colours.",
        ),
    ] = 0,
    n_init: Annotated[
        int,
        typer.Option(
            metavar="N",
            rich_help_panel=opt.CLUSTERS,
            help="Number of starts; the best run counts.",
        ),
    ] = 1,
    threads: opt.Threads = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            show_default=False,
            rich_help_panel=opt.RESULTS,
            help="Where the picture in K colours goes, a PNG. "
            "Default: NAME.quantised.png in the current folder.",
        ),
    ] = None,
    swatches: Annotated[
        str | None,
        typer.Option(
            "--swatches",
            metavar="FILE",
            show_default=False,
            rich_help_panel=opt.RESULTS,
            help="Where the swatches go, a PNG. Default: NAME.palette.png in the current folder.",
        ),
    ] = None,
    json: opt.Json = False,
    quiet: opt.Quiet = False,
    force: opt.Force = False,
) -> None:
    """Find the K colours of a picture; write its swatches, and the picture in them."""
    opt.check_least("-k", n_clusters, 1)
    opt.check_seed(seed)
    opt.check_least("--n-init", n_init, 1)
    opt.check_least("--threads", threads, 1)
    targets = _targets(Path(image), output, swatches, force)
    begin = time.perf_counter()
    found = _find(Path(image), n_clusters, seed, n_init, threads)
    _write(found, targets, force)
    seconds = time.perf_counter() - begin
    if json:
        _print_json(found, image, targets, seconds)
    elif not quiet:
        _summarize(found, image, targets, seconds)


@dataclass(frozen=True, eq=False)
class _Palette:
    """What was found: the colours, the largest share first."""

    picture: Picture
    result: Result
    labels: npt.NDArray[np.int32]
    colors: npt.NDArray[np.uint8]
    shares: npt.NDArray[np.float64]


def _targets(image: Path, output: str | None, swatches: str | None, force: bool) -> list[Path]:
    from truemeans.files import check_source, check_target, same_file

    check_source(image)
    targets = [
        Path(output or f"{image.stem}.quantised.png"),
        Path(swatches or f"{image.stem}.palette.png"),
    ]
    for option, path in zip(("--output", "--swatches"), targets, strict=True):
        if path.suffix.lower() != ".png":
            raise ValueError(
                f"{option} {path} does not end in .png, and PNG is what keeps colours exactly; "
                "name a .png file"
            )
        if same_file(path, image):
            raise ValueError(f"{option} {path} is the picture itself, which is kept; change it")
        check_target(path, overwrite=force, consent="--force")
    if same_file(*targets):
        raise ValueError(
            f"--output and --swatches are both {targets[0]}, and need a file each; change one"
        )
    return targets


def _find(image: Path, k: int, seed: int, n_init: int, threads: int | None) -> _Palette:
    import numpy as np

    from truemeans import k_means
    from truemeans.pictures import from_lab, read_picture, to_lab

    picture = read_picture(image)
    n_colors = len(picture.colors)
    if k > n_colors:
        raise ValueError(
            f"-k {k}: {image} has {n_colors:,} different colour{'s' if n_colors > 1 else ''}; "
            f"ask for {n_colors} at most"
        )
    result = k_means(
        to_lab(picture.colors),
        k,
        sample_weight=picture.weights,
        n_init=n_init,
        random_state=seed,
        n_threads=threads,
        progress=True,
    )
    filled = np.bincount(result.labels, picture.weights, k)
    order = np.argsort(-filled, kind="stable")
    place = np.empty(k, np.int32)
    place[order] = np.arange(k)
    return _Palette(
        picture,
        result,
        place[result.labels],
        from_lab(result.centroids[order]),
        filled[order] / filled.sum(),
    )


def _write(found: _Palette, targets: list[Path], force: bool) -> None:
    from truemeans.cli.outputs import opened
    from truemeans.pictures import quantised, swatches

    contents = (
        quantised(found.picture, found.labels, found.colors),
        swatches(found.colors, found.shares),
    )
    with ExitStack() as files:
        # Both are opened first, so that both appear or none does.
        handles = [files.enter_context(opened(path, force=force)) for path in targets]
        for handle, content in zip(handles, contents, strict=True):
            handle.write(content)


def _print_json(found: _Palette, image: str, targets: list[Path], seconds: float) -> None:
    from truemeans import __version__
    from truemeans.cli.show import print_json
    from truemeans.pictures import hex_of

    height, width = found.picture.places.shape
    colors: list[dict[str, Any]] = [
        {"hex": hex_of(color), "rgb": color.tolist(), "share": float(share)}
        for color, share in zip(found.colors, found.shares, strict=True)
    ]
    print_json(
        {
            "command": "palette",
            "version": __version__,
            "input": image,
            "width": width,
            "height": height,
            "n_colors": len(found.picture.colors),
            "colors": colors,
            "space": "cielab",
            "inertia": found.result.inertia,
            "n_iter": found.result.n_iter,
            "converged": found.result.converged,
            "output": str(targets[0]),
            "swatches": str(targets[1]),
            "notes": list(found.picture.notes),
            "seconds": seconds,
        }
    )


def _summarize(found: _Palette, image: str, targets: list[Path], seconds: float) -> None:
    from truemeans.cli.show import Summary, count
    from truemeans.pictures import hex_of

    show = Summary()
    height, width = found.picture.places.shape
    n_colors = count(len(found.picture.colors), "colour")
    show.line("Read", f"{image}: {width} × {height} pixels, {n_colors}")
    show.notes(f"{note[0].upper()}{note[1:]}." for note in found.picture.notes)
    off = math.sqrt(found.result.inertia / found.picture.weights.sum())
    show.line(
        "Run",
        f"{count(found.result.n_iter, 'iteration')} in CIELAB; the root mean square distance of a "
        f"pixel to its colour is {off:.1f} (2 is just noticed, 100 is black to white)",
    )
    show.swatches([hex_of(color) for color in found.colors], found.shares)
    show.line("Time", f"{seconds:.2f} s")
    show.exact("Wrote", str(targets[0]), "(the picture)")
    show.exact("", str(targets[1]), "(the swatches)")
