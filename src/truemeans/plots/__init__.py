"""Pictures of a clustering: the clusters in the plane, and how the run converged.

Needs matplotlib (``pip install 'truemeans[plots]'``), which is imported when something is drawn.
Both functions draw on the axes they are given, or on a new figure, and return the axes.
"""

from truemeans.plots.clusters import clusters
from truemeans.plots.convergence import convergence

__all__ = ["clusters", "convergence"]
