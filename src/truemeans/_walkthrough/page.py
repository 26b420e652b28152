"""One HTML page from a walkthrough: the template, the style, the script and the recording."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from truemeans._walkthrough.frames import Frame
from truemeans._walkthrough.story import count, letter
from truemeans.validation import check_page_size

if TYPE_CHECKING:
    import numpy.typing as npt

    from truemeans._walkthrough.numbers import Style
    from truemeans._walkthrough.plane import Plane
    from truemeans._walkthrough.run import Walkthrough

__all__ = ["recording", "render"]

# Each file uses only those before it.
_SCRIPTS = (
    "numbers", "lloyd", "geometry", "svg", "run", "plot", "panel", "chart", "predict", "player",
    "sandbox", "strip", "worksheet", "main",
)  # fmt: skip


def render(walk: Walkthrough) -> str:
    """Return the page."""
    try:
        from jinja2 import Environment
        from markupsafe import Markup
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"the page is made with Jinja2, and {error.name} is not installed; "
            "run: pip install jinja2"
        ) from error
    from truemeans import __version__

    assets = files("truemeans._walkthrough") / "assets"

    def text(name: str) -> Markup:
        return Markup((assets / name).read_text(encoding="utf-8"))

    # In a script element the one thing that must not appear is the end of it.
    data = json.dumps(recording(walk), separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    for sign, escape in (("<", r"\u003c"), ("\u2028", r"\u2028"), ("\u2029", r"\u2029")):
        data = data.replace(sign, escape)
    page = (
        Environment(autoescape=True)
        .from_string(text("page.html.jinja"))
        .render(
            version=__version__,
            source=walk.origin.source,
            about=_about(walk),
            notice=_notice(walk.plane, len(walk.names)),
            picture=walk.plane.kind == "axes",
            axes=walk.plane.names,
            k=walk.teller.n_clusters,
            css=text("page.css"),
            script=Markup("").join(text(f"{name}.js") for name in _SCRIPTS),
            recording=Markup(data),
        )
    )
    check_page_size(len(page.encode()), len(walk.run.X), len(walk.run.labels))
    return page


def recording(walk: Walkthrough) -> dict[str, Any]:
    """Return what the page's script reads: every number as it is, nothing rounded."""
    styles = walk.styles
    origin, plane = walk.origin, walk.plane
    return {
        "columns": list(walk.names),
        "k": walk.teller.n_clusters,
        "nIter": walk.teller.n_iter,
        "converged": walk.run.converged,
        "origin": {"drawn": list(origin.drawn), "maxIter": origin.max_iter},
        "styles": {
            "values": [_style(style) for style in styles.values],
            "length": _style(styles.length),
            "square": _style(styles.square),
        },
        "plane": {
            "kind": plane.kind,
            "names": list(plane.names),
            "axes": _numbers(plane.axes),
            "origin": _numbers(plane.origin),
        },
        "points": _numbers(walk.run.X),
        "frames": _frames(walk),
    }


def _frames(walk: Walkthrough) -> list[dict[str, Any]]:
    """Say of each frame what is new in it; the rest is as in the frame before."""
    told = []
    before: Frame | None = None
    for frame in walk.frames:
        one: dict[str, Any] = {
            "name": frame.name,
            "kind": frame.kind,
            "round": frame.round,
            "title": walk.teller.title(frame),
            "text": walk.teller.text(frame, before),
        }
        if _is_new(frame.centroids, None if before is None else before.centroids):
            one["centroids"] = _numbers(frame.centroids)
        if frame.labels is not None:
            one |= _labels(frame.labels, None if before is None else before.labels)
        if frame.inertia is not None:
            one["inertia"] = _numbers(frame.inertia)
            one["parts"] = _numbers(frame.parts)
        if frame.update is not None:
            one["update"] = {
                "sums": _numbers(frame.update.sums),
                "counts": frame.update.counts.tolist(),
                "travel": _numbers(frame.update.travel),
            }
        told.append(one)
        before = frame
    return told


def _labels(now: npt.NDArray[np.int32], before: npt.NDArray[np.int32] | None) -> dict[str, Any]:
    """Return all labels, or only the rows that got another one."""
    if before is None:
        return {"labels": "".join(map(letter, now))}
    rows = np.flatnonzero(now != before)
    if not len(rows):
        return {}
    return {"rows": rows.tolist(), "labels": "".join(map(letter, now[rows]))}


def _is_new(now: npt.NDArray[Any] | None, before: npt.NDArray[Any] | None) -> bool:
    return now is not None and (before is None or not np.array_equal(now, before))


def _numbers(values: Any) -> Any:
    """Return numbers that JSON writes in full and as short as possible: 5 instead of 5.0."""
    if isinstance(values, np.ndarray):
        return [_numbers(value) for value in values.astype(np.float64).tolist()]
    if isinstance(values, list):
        return [_numbers(value) for value in values]
    return int(values) if values.is_integer() and abs(values) < 2.0**53 else values


def _style(style: Style) -> dict[str, Any]:
    return {"fixed": style.fixed, "digits": style.digits}


def _about(walk: Walkthrough) -> str:
    origin, teller = walk.origin, walk.teller
    parts = [origin.source, f"K = {teller.n_clusters}"]
    if origin.init is not None:
        parts.append(f"{origin.init} start, seed {origin.seed}")
    parts.append(count(teller.n_iter, "round"))
    return " · ".join(parts)


def _notice(plane: Plane, n_features: int) -> str:
    if plane.kind != "axes":
        return ""
    return (
        f"A picture of {n_features} columns: the two principal axes, which show "
        f"{100 * plane.share:.1f} % of the variance. Distances are measured in all columns, so "
        "the nearest on the screen is not always the nearest."
    )
