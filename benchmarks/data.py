"""The rows of the workloads: made from a seed, with the structure that decides what can be skipped.

Every generator takes the number of rows and of features and a random generator. Mixtures have
overlapping clusters: the spread of their centres is chosen so that a few percent of the rows
still change label in the seventh iteration, as on real data; much further apart, and every
method that skips work would look better than it is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["embeddings", "mixture", "palette", "patches", "pixels", "sift_like", "towns", "uniform"]

Rows = npt.NDArray[Any]
Rng = np.random.Generator


def mixture(
    n_samples: int, n_features: int, rng: Rng, *, n_centers: int, spread: float
) -> npt.NDArray[np.float32]:
    """Gaussian mixture: centres ~ N(0, spread²), equal shares, noise ~ N(0, 1)."""
    centers = rng.standard_normal((n_centers, n_features), dtype=np.float32) * np.float32(spread)
    X = rng.standard_normal((n_samples, n_features), dtype=np.float32)
    X += centers[rng.integers(n_centers, size=n_samples)]
    return X


def uniform(n_samples: int, n_features: int, rng: Rng) -> npt.NDArray[np.float32]:
    """Uniform noise on the unit cube: no structure for any bound to use."""
    return rng.random((n_samples, n_features), dtype=np.float32)


def towns(n_samples: int, n_features: int, rng: Rng) -> npt.NDArray[np.float32]:
    """Places on a map: 3000 towns of Zipf sizes in 40 regions, and one row in ten anywhere."""
    n_towns, width = 3000, 100.0
    regions = rng.uniform(-width, width, (40, n_features))
    centers = regions[rng.integers(40, size=n_towns)]
    centers = centers + rng.normal(0, 6.0, (n_towns, n_features))
    size = 1.0 / np.arange(1, n_towns + 1)
    town = rng.choice(n_towns, n_samples, p=size / size.sum())
    radius = rng.lognormal(-2.0, 1.0, n_towns)
    X = centers[town] + rng.standard_normal((n_samples, n_features)) * radius[town, np.newaxis]
    anywhere = rng.random(n_samples) < 0.1
    X[anywhere] = rng.uniform(-width, width, (int(anywhere.sum()), n_features))
    return X.astype(np.float32)


def palette(n_samples: int, n_features: int, rng: Rng) -> npt.NDArray[np.float32]:
    """Colours of a picture: 60 materials, each lit from dark to bright; integers 0 to 255.

    Of a million rows two in five are distinct.
    """
    materials = rng.uniform(20, 235, (60, n_features))
    material = rng.choice(60, n_samples, p=rng.dirichlet(np.full(60, 0.7)))
    light = rng.beta(4, 3, (n_samples, 1)) * 1.4
    X = materials[material] * light + rng.normal(0, 2.0, (n_samples, n_features))
    return np.clip(np.rint(X), 0, 255).astype(np.float32)


def sift_like(n_samples: int, n_features: int, rng: Rng) -> npt.NDArray[np.float32]:
    """Local image descriptors: integers, a quarter zeros, norm near 512, none above 218.

    Rectified exponentials of a mixture with 1000 centres whose variances fall as j^-1.2 along
    its axes; the first half of the principal axes then holds seven eighths of the variance.
    """
    scale = np.arange(1, n_features + 1, dtype=np.float32) ** -0.6
    X = mixture(n_samples, n_features, rng, n_centers=1000, spread=0.9)
    X *= scale
    X = _rotated(X, rng)
    X /= X.std()
    X = np.expm1(np.maximum(X + np.float32(0.67), 0))
    X *= 512.0 / np.maximum(np.linalg.norm(X, axis=1, keepdims=True), 1)
    return np.asarray(np.clip(np.rint(X), 0, 218))


def embeddings(n_samples: int, n_features: int, rng: Rng) -> npt.NDArray[np.float32]:
    """Embeddings of texts: unit norm, a common direction, variances along axes falling as 1/j.

    Of 768 axes the first 64 then hold two thirds of the variance and the first 256 hold 85 %,
    about what principal axes of sentence embeddings hold. 1000 overlapping centres.
    """
    scale = np.arange(1, n_features + 1, dtype=np.float32) ** -0.5
    X = mixture(n_samples, n_features, rng, n_centers=1000, spread=0.6)
    X *= scale
    X += rng.standard_normal(n_features, dtype=np.float32) * np.float32(0.05)
    X = _rotated(X, rng)
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    return X


def pixels(n_samples: int, n_features: int, rng: Rng) -> npt.NDArray[np.float32]:
    """Every pixel of scikit-learn's two sample images, red, green, blue."""
    X = np.concatenate([image.reshape(-1, n_features) for image in _images()])
    return X[:n_samples].astype(np.float32)


def patches(n_samples: int, n_features: int, rng: Rng) -> npt.NDArray[np.float32]:
    """Patches of 8 × 8 pixels × 3 colours of the two sample images, two pixels apart."""
    windows = [
        np.lib.stride_tricks.sliding_window_view(image, (8, 8, 3))[::2, ::2] for image in _images()
    ]
    X = np.concatenate([w.reshape(-1, n_features) for w in windows])
    return X[:n_samples].astype(np.float32)


def _images() -> list[npt.NDArray[np.uint8]]:
    from sklearn.datasets import load_sample_images

    return list(load_sample_images().images)


def _rotated(X: npt.NDArray[np.float32], rng: Rng) -> npt.NDArray[np.float32]:
    n_features = X.shape[1]
    axes = np.linalg.qr(rng.standard_normal((n_features, n_features)))[0].astype(np.float32)
    return np.asarray(X @ axes)
