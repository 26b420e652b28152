"""Measure and draw time against inertia for every way to start: ``docs/seeding.md``.

Ten seeds each on three real data sets that come with scikit-learn; nothing is downloaded. Prints
the table of the page and writes ``local-optima.png``.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt

import truemeans

mpl.use("Agg")
import matplotlib.pyplot as plt

HERE = Path(__file__).parent
SEEDS = range(10)
WAYS: dict[str, dict[str, Any]] = {
    "random": {"init": "random"},
    "k-means||": {"init": "k-means||"},
    "k-means++": {"init": "k-means++"},
    "k-means++, n_init=10": {"init": "k-means++", "n_init": 10},
    'k-means++, refine="swap"': {"init": "k-means++", "refine": "swap"},
}
COLOURS = dict(zip(WAYS, ["#b3b3b3", "#e69f00", "#0072b2", "#009e73", "#cc79a7"], strict=True))
# Swaps tried.
SWAPS: tuple[int | None, ...] = (16, 64, 256, None)
Curve = list[tuple[float, float]]


def data_sets() -> Iterator[tuple[str, npt.NDArray[np.float32], int]]:
    """Name, rows and number of clusters."""
    from sklearn.datasets import load_digits, load_sample_image

    yield "handwritten digits, 1797 × 64, k = 50", load_digits().data.astype(np.float32), 50
    photo = load_sample_image("china.jpg")
    yield (
        "colours of a photograph, 68,480 × 3, k = 32",
        photo[::2, ::2].reshape(-1, 3).astype("f4"),
        32,
    )
    windows = np.lib.stride_tricks.sliding_window_view(photo, (8, 8, 3))[::8, ::8]
    patches = np.ascontiguousarray(windows.reshape(-1, 192), np.float32)
    yield f"patches of 8 × 8 pixels, {len(patches):,} × 192, k = 100", patches, 100


def curve(X: npt.NDArray[np.float32], n_clusters: int, seed: int, options: dict[str, Any]) -> Curve:
    """Seconds since the start and the least inertia so far, seeding included.

    A search for better centroids is run once for each budget, which are steps of one search.
    """
    points: Curve = []
    budgets = [{"max_swaps": most} for most in SWAPS] if "refine" in options else [{}]

    def note(iteration: truemeans.Iteration) -> None:
        best = min(iteration.inertia, points[-1][1] if points else np.inf)
        points.append((time.perf_counter() - start, best))

    for i, budget in enumerate(budgets):
        start = time.perf_counter()
        result = truemeans.k_means(
            X, n_clusters, random_state=seed, callback=None if i else note, **options, **budget
        )
        points.append((time.perf_counter() - start, result.inertia))
    return points


def main() -> None:
    """Measure, print the table, draw."""
    figure, axes = plt.subplots(1, 3, figsize=(13, 4.2), layout="constrained")
    print("| data | start | seconds | least above best | mean above best | worst above best |")
    print("| --- | --- | --: | --: | --: | --: |")
    for ax, (name, X, k) in zip(axes, data_sets(), strict=True):
        truemeans.k_means(X, k, max_iter=1, random_state=0)
        curves = {way: [curve(X, k, s, options) for s in SEEDS] for way, options in WAYS.items()}
        best = min(c[-1][1] for group in curves.values() for c in group)
        for way, group in curves.items():
            ends = [100 * (c[-1][1] / best - 1) for c in group]
            seconds = statistics.median(c[-1][0] for c in group)
            print(
                f"| {name} | {way} | {seconds:.3g} | {min(ends):.2f} % | "
                f"{statistics.mean(ends):.2f} % | {max(ends):.2f} % |"
            )
            draw(ax, way, group, best)
        ax.set(title=name, xscale="log", yscale="symlog", xlabel="seconds, seeding included")
        ax.set_yscale("symlog", linthresh=0.5)
        ax.set_ylim(0, 100)
        ax.set_yticks(
            [0, 0.5, 1, 2, 5, 10, 20, 50, 100],
            [f"{y:g} %" for y in [0, 0.5, 1, 2, 5, 10, 20, 50, 100]],
        )
        ax.grid(alpha=0.25)
    axes[0].set_ylabel("inertia above the best found")
    axes[-1].legend(frameon=False)
    figure.savefig(HERE / "local-optima.png", dpi=110)


def draw(ax: Any, way: str, group: list[Curve], best: float) -> None:
    """A thin line a seed, a dot where it ends, a large one at the median of the ends."""
    colour = COLOURS[way]
    for points in group:
        seconds, inertia = np.array(points).T
        ax.plot(seconds, 100 * (inertia / best - 1), color=colour, lw=0.7, alpha=0.45)
        ax.plot(seconds[-1], 100 * (inertia[-1] / best - 1), ".", color=colour, ms=5)
    ends = np.array([points[-1] for points in group])
    middle = np.median(ends[:, 0]), 100 * (np.median(ends[:, 1]) / best - 1)
    ax.plot(*middle, "o", color=colour, mec="black", ms=8, label=way, zorder=5)


if __name__ == "__main__":
    main()
