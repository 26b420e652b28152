"""The data of the lesson: 30 points on a grid, two groups that overlap a little.

Drawn once from two normal distributions and rounded to quarters. With seed 0 both first
centroids fall into one corner, so that five rounds are needed and most points change sides.
"""

__all__ = ["COLUMNS", "POINTS"]

COLUMNS = ("x", "y")
POINTS = (
    (2.5, 2.75), (2.75, 1.25), (9.25, 7.25), (7.75, 8.75), (7.0, 8.5), (2.75, 3.5),
    (6.75, 5.5), (5.5, 7.25), (3.5, 6.25), (3.5, 1.25), (7.25, 7.5), (7.5, 4.75),
    (4.5, 5.0), (7.0, 6.5), (5.25, 4.0), (6.25, 6.25), (5.0, 6.0), (5.5, 2.25),
    (3.25, 5.5), (6.25, 7.75), (2.75, 4.5), (4.75, 7.75), (4.75, 1.75), (1.75, 2.75),
    (1.25, 1.75), (4.5, 3.0), (9.0, 4.75), (8.25, 6.5), (4.75, 8.75), (5.75, 5.0),
)  # fmt: skip
