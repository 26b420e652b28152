"""Models as estimators, and the standardising that goes with them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

import truemeans
from truemeans import KMeans, model_file
from truemeans.model import Model
from truemeans.standardize import measure, standardize

IRIS = Path(__file__).parents[1] / "examples" / "data" / "iris.csv"


def rows() -> np.ndarray:
    return np.loadtxt(IRIS, delimiter=",", skiprows=1)


class TestEstimators:
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_save_and_load(self, tmp_path, dtype):
        X = rows().astype(dtype)
        km = KMeans(4, random_state=3, max_iter=50, n_threads=2).fit(X)
        km.save(tmp_path / "m.truemeans")
        again = truemeans.load(tmp_path / "m.truemeans")
        assert isinstance(again, KMeans)
        assert again.cluster_centers_.tobytes() == km.cluster_centers_.tobytes()
        assert again.cluster_centers_.dtype == dtype
        assert (again.inertia_, again.n_iter_) == (km.inertia_, km.n_iter_)
        assert again.n_features_in_ == 4
        assert not hasattr(again, "labels_")
        assert not hasattr(again, "feature_names_in_")
        assert again.get_params() == {**km.get_params(), "n_threads": None}
        assert again.predict(X).tobytes() == km.labels_.tobytes()
        assert again.score(X) == km.score(X)
        with pytest.raises(FileExistsError):
            again.save(tmp_path / "m.truemeans")
        again.save(tmp_path / "m.truemeans", overwrite=True)
        assert truemeans.load(tmp_path / "m.truemeans").inertia_ == km.inertia_

    def test_names(self, tmp_path):
        frame = pd.read_csv(IRIS)
        km = KMeans(3, random_state=0).fit(frame)
        km.save(tmp_path / "m")
        again = truemeans.load(tmp_path / "m")
        assert again.feature_names_in_.tolist() == list(frame.columns)
        assert again.predict(frame).tolist() == km.labels_.tolist()
        with pytest.raises(ValueError, match="feature names"):
            again.predict(frame[frame.columns[::-1]])

    def test_sizes_and_params(self):
        km = KMeans(3, init=rows()[:3], callback=print, max_iter=1).fit
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("builtins.print", lambda *args: None)
            model = model_file.model_from_estimator(km(rows()))
        assert model.sizes is not None
        assert model.sizes.sum() == 150
        assert set(model.params) == {
            "n_clusters",
            "n_init",
            "max_iter",
            "tol",
            "random_state",
            "algorithm",
            "refine",
            "max_swaps",
            "max_swap_seconds",
        }

    def test_parameters_that_are_numbers_of_numpy(self, tmp_path):
        km = KMeans(np.int64(2), random_state=np.int32(5), tol=np.float32(0.5), n_init=np.int8(3))
        model = model_file.model_from_estimator(km.fit(rows()))
        assert model.params["random_state"] == 5
        assert model.params["tol"] == 0.5
        assert model.params["n_init"] == 3

    def test_unfitted(self, tmp_path):
        with pytest.raises(ValueError, match="not fitted"):
            model_file.save_estimator(KMeans(3), tmp_path / "m")
        assert os.listdir(tmp_path) == []


class TestStandardized:
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_pipeline_has_the_bits_of_the_fit(self, tmp_path, dtype):
        X = (rows() * [1, 1000, 1e-6, 1] + [0, 1e5, 0, -3]).astype(dtype)
        offset, scale = measure(X)
        result = truemeans.k_means(standardize(X, offset, scale), 5, random_state=0)
        model = Model(
            centroids=result.centroids,
            inertia=result.inertia,
            n_iter=result.n_iter,
            converged=result.converged,
            offset=offset,
            scale=scale,
            sizes=result.sizes,
        )
        model_file.write(tmp_path / "m", model)
        pipeline = truemeans.load(tmp_path / "m")
        assert isinstance(pipeline, Pipeline)
        assert pipeline[0].transform(X).tobytes() == standardize(X, offset, scale).tobytes()
        assert pipeline.predict(X).tobytes() == result.labels.tobytes()
        np.testing.assert_allclose(
            model.centroids_in_units(),
            [X[result.labels == j].mean(axis=0) for j in range(5)],
            rtol=1e-4 if dtype == np.float32 else 1e-12,
        )

    def test_agrees_with_scikit_learn(self):
        X = rows()
        offset, scale = measure(X)
        scaler = StandardScaler().fit(X)
        # Both round sums of 150 numbers; scikit-learn's may be off by a few units per addition.
        np.testing.assert_allclose(offset, scaler.mean_, rtol=150 * 2**-52)
        np.testing.assert_allclose(scale, scaler.scale_, rtol=150 * 2**-52)

    def test_order_and_threads_change_no_bit(self):
        X = np.random.default_rng(0).lognormal(0, 3, (1000, 3))
        expected = [a.tobytes() for a in measure(X)]
        assert [a.tobytes() for a in measure(X[::-1].copy())] == expected
        for n_threads in (1, 3):
            assert [a.tobytes() for a in measure(X, None, n_threads)] == expected

    def test_weights_are_copies(self):
        X = rows()
        weights = np.random.default_rng(1).integers(0, 4, len(X))
        weighted = measure(X, weights.astype(np.float64))
        copied = measure(np.repeat(X, weights, axis=0))
        assert [a.tobytes() for a in weighted] == [a.tobytes() for a in copied]

    @pytest.mark.parametrize("exponent", [-900, -300, 300, 900])
    def test_values_whose_squares_float64_cannot_hold(self, exponent):
        X = rows()
        offset, scale = measure(X)
        far = measure(np.ldexp(X, exponent))
        assert far[0].tobytes() == np.ldexp(offset, exponent).tobytes()
        assert far[1].tobytes() == np.ldexp(scale, exponent).tobytes()

    def test_a_column_that_never_varies(self):
        X = np.column_stack([np.full(50, 0.1), np.arange(50.0)])
        offset, scale = measure(X)
        assert (offset[0], scale[0]) == (0.1, 1.0)
        assert standardize(X, offset, scale)[:, 0].tolist() == [0.0] * 50

    def test_rows_are_not_changed(self):
        X = rows()
        standardize(X, *measure(X))
        np.testing.assert_array_equal(X, rows())
