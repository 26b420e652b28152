"""Classes that follow scikit-learn's conventions: names and bookkeeping, no arithmetic."""

from truemeans.estimators.kmeans import KMeans

__all__ = ["KMeans"]
