"""What is said about each frame: a title and a few sentences, for the page and the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from truemeans._walkthrough.frames import Frame

__all__ = ["Origin", "Teller", "count", "letter"]

_MOST_LISTED = 12
_MOST_SIZES = 6


def letter(cluster: int) -> str:
    """Return the name of a cluster: A is the first."""
    return chr(ord("A") + cluster)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a run came from, as far as that is known.

    Attributes
    ----------
    source : str
        The rows, in words.
    init : str or None
        How the first centroids were drawn; None when they were given.
    seed : int or None
        What made the draw repeatable.
    drawn : tuple of int
        The rows drawn, in this order; empty when unknown.
    max_iter : int or None
        The most rounds the run was allowed.
    """

    source: str
    init: str | None
    seed: int | None
    drawn: tuple[int, ...]
    max_iter: int | None


@dataclass(frozen=True)
class Teller:
    """Tells the frames of one run.

    Attributes
    ----------
    origin : Origin
        Where the run came from.
    names : tuple of str
        The columns.
    n_samples, n_clusters, n_iter : int
        Sizes of the run.
    end : {"settled", "still", "tolerance", "early"}
        Why the run ended: no label changed and no centroid moved; no centroid moved, and so
        no label can change; the tolerance; or it was ended.
    length, square : callable
        How distances and squared distances are written.
    """

    origin: Origin
    names: tuple[str, ...]
    n_samples: int
    n_clusters: int
    n_iter: int
    end: str
    length: Callable[[float], str]
    square: Callable[[float], str]

    def title(self, frame: Frame) -> str:
        """Return a few words that name the frame."""
        if frame.name == "final-assign":
            return "Last labels"
        return {
            "data": "The data",
            "start": "Start: draw the centroids" if self.origin.drawn else "Start: the centroids",
            "assign": f"Round {frame.round}: assign",
            "update": f"Round {frame.round}: update",
            "stop": "Ended early" if self.end == "early" else "Stop",
        }[frame.kind]

    def text(self, frame: Frame, before: Frame | None) -> str:
        """Return the sentences that go with the frame; ``before`` is the frame before it."""
        tell = {
            "data": self._data,
            "start": self._start,
            "assign": self._assign,
            "update": self._update,
            "stop": self._stop,
        }[frame.kind]
        return " ".join(sentence for sentence in tell(frame, before) if sentence)

    def _data(self, frame: Frame, before: Frame | None) -> Iterator[str]:
        many = len(self.names)
        columns = f" ({_listed(self.names)})" if many <= 6 else ""
        yield (
            f"{count(self.n_samples, 'point')}, each with {count(many, 'number')}{columns}, and "
            "no labels."
        )
        if self.n_clusters == 1:
            yield "The task: find the one centre of them all."
        else:
            yield f"The task: separate them into K = {self.n_clusters} clusters of near points."

    def _start(self, frame: Frame, before: Frame | None) -> Iterator[str]:
        origin, k = self.origin, self.n_clusters
        rows = [str(row + 1) for row in origin.drawn]
        points = f"point{'s' if k > 1 else ''} {_cut(rows)}" if rows else ""
        if origin.init == "random":
            yield f"Seed {origin.seed} draws {points} at random, every point with the same chance."
        elif origin.init == "k-means++":
            if k > 1:
                yield (
                    "k-means++ draws the first centroid at random; the farther a point is from "
                    "the centroids so far, the likelier it is the next one, in proportion to the "
                    "squared distance, and the best of a few draws is kept."
                )
            yield f"Seed {origin.seed} draws {points}."
        elif origin.drawn:
            yield f"The run starts from {points}."
        else:
            yield "The run starts from centroids that were given to it."
        if k == 1:
            yield "It is the first centroid: A."
        else:
            yield f"They are the first centroids: {_cut([letter(j) for j in range(k)])}."

    def _assign(self, frame: Frame, before: Frame | None) -> Iterator[str]:
        assert before is not None
        if before.labels is None:
            if self.n_clusters == 1:
                yield "There is one centroid, so every point joins it."
            else:
                yield (
                    "Each point joins its nearest centroid, the one at the least squared distance."
                )
            yield f"{_all(self.n_samples)} first label."
            yield self._sizes(frame)
            yield (
                "The objective J adds up the squared distances of all points to their own "
                f"centroids: {self.square(_known(frame))}."
            )
            return
        if frame.name == "final-assign":
            yield (
                "The centroids moved once more, so every point looks again, and the labels "
                "belong to the centroids that are returned."
            )
        elif len(frame.changed):
            yield "The centroids have moved, so every point looks again for the nearest."
        else:
            yield "Every point looks again for the nearest centroid."
        yield self._changes(frame)
        if len(frame.changed):
            yield self._sizes(frame)
        yield self._objective(before, frame)

    def _update(self, frame: Frame, before: Frame | None) -> Iterator[str]:
        assert before is not None
        assert frame.update is not None
        which = "Each centroid moves" if self.n_clusters > 1 else "The centroid moves"
        yield f"{which} to the mean of its points: their sum divided by their number."
        for cluster, rows in frame.update.refilled:
            given = _cut([str(row + 1) for row in rows])
            lies = f"point {given}, which lies" if len(rows) == 1 else f"points {given}, which lie"
            yield (
                f"{letter(cluster)} has lost all its points and is given {lies} far from the own "
                "centroid."
            )
        travel = frame.update.travel
        if not travel.any():
            yield "Each is there already."
        elif self.n_clusters <= 4:
            moves = [f"{letter(j)} moves {self.length(d)}" for j, d in enumerate(travel)]
            yield f"{_listed(moves)}."
        else:
            far = int(np.argmax(travel))
            yield f"{letter(far)} moves farthest: {self.length(float(travel[far]))}."
        yield self._objective(before, frame)

    def _stop(self, frame: Frame, before: Frame | None) -> Iterator[str]:
        rounds = count(self.n_iter, "round")
        if self.end == "settled":
            yield (
                "No point changed its cluster, so every mean stays where it is, and nothing can "
                f"change any more: the run has converged after {rounds}."
            )
        elif self.end == "still":
            yield (
                "Every centroid is at the mean of its points already, so nothing can change any "
                f"more: the run has converged after {rounds}."
            )
        elif self.end == "tolerance":
            yield (
                f"After {rounds} the centroids moved no more than the tolerance allows, and the "
                "run ends here."
            )
        else:
            yield (
                f"The run was ended after {rounds}, while points were still changing sides: these "
                "clusters are not final."
            )
        yield self._sizes(frame)
        yield f"J = {self.square(_known(frame))}."

    def _sizes(self, frame: Frame) -> str:
        assert frame.labels is not None
        sizes = np.bincount(frame.labels, minlength=self.n_clusters)
        if not 1 < self.n_clusters <= _MOST_SIZES:
            return ""
        return f"Sizes: {_listed([f'{letter(j)} {size}' for j, size in enumerate(sizes)])}."

    def _changes(self, frame: Frame) -> str:
        n_changed = len(frame.changed)
        of_all = f"{n_changed} of {self.n_samples}"
        if not n_changed:
            return f"None changes its cluster ({of_all})."
        rows = _cut([str(row + 1) for row in frame.changed])
        return f"{of_all} change{'s' if n_changed == 1 else ''} sides: {rows}."

    def _objective(self, before: Frame, frame: Frame) -> str:
        was, now = self.square(_known(before)), self.square(_known(frame))
        return f"J stays at {now}." if was == now else f"J falls from {was} to {now}."


def _known(frame: Frame) -> float:
    assert frame.inertia is not None
    return frame.inertia


def _all(n_samples: int) -> str:
    return "The one point gets its" if n_samples == 1 else f"All {n_samples} points get their"


def _listed(items: Sequence[str]) -> str:
    """Return ``a``, ``a and b`` or ``a, b and c``."""
    return " and ".join([*([", ".join(items[:-1])] if items[1:] else []), items[-1]])


def _cut(items: Sequence[str]) -> str:
    """Return items as one text, cut where it gets long."""
    if len(items) <= _MOST_LISTED:
        return _listed(items)
    return f"{', '.join(items[:_MOST_LISTED])} and {len(items) - _MOST_LISTED} more"


def count(n: int, noun: str) -> str:
    """Return a count with its noun: ``1 point``, ``30 points``."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
