"""Pictures hold what the results say, in colours and shapes that everyone can tell apart."""

from __future__ import annotations

import io
import itertools
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection, PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.path import Path as Outline
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

import truemeans
from commands import IRIS
from ladder import make_rows
from truemeans import KMeans, k_means, plots
from truemeans.plots import style

mpl.use("Agg")
import matplotlib.pyplot as plt

FLOWERS = pd.read_csv(IRIS).select_dtypes("number")


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def parts(ax):
    """The rows by group, the centroids and the cells that were drawn."""
    *rows, centroids = [c for c in ax.collections if isinstance(c, PathCollection)]
    cells = [c for c in ax.collections if isinstance(c, PolyCollection)]
    return [np.asarray(group.get_offsets()) for group in rows], centroids, cells


def notes(ax):
    return [text.get_text() for text in ax.texts if not text.get_text().isdigit()]


def numbers(ax):
    return [text.get_text() for text in ax.texts if text.get_text().isdigit()]


def assert_groups(drawn, points, labels, k):
    for j, group in zip(range(k), drawn, strict=True):
        np.testing.assert_array_equal(group, points[labels == j])


def test_two_columns_are_drawn_as_they_are():
    X = make_rows("normal", 200, 2, np.float64)
    result = k_means(X, 5, random_state=0)
    ax = plots.clusters(result)
    rows, centroids, cells = parts(ax)
    assert_groups(rows, X, result.labels, 5)
    np.testing.assert_array_equal(centroids.get_offsets(), result.centroids)
    assert numbers(ax) == list("01234")
    assert len(cells) == 1
    assert notes(ax) == []
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("feature 0", "feature 1")
    ax.figure.canvas.draw()
    per_unit = ax.transData.transform([[1, 0], [0, 1]]) - ax.transData.transform([[0, 0]])
    assert per_unit[0, 0] == pytest.approx(per_unit[1, 1], rel=1e-6)  # a circle is a circle


@pytest.mark.parametrize("size", [1e-150, 1e-120, 1e80, 1e150])
def test_cells_of_any_size(size):
    X = np.random.default_rng(0).normal(size=(300, 2)) * size
    ax = plots.clusters(k_means(X, 5, random_state=0))
    ax.figure.canvas.draw()


def test_cells_hold_the_rows_of_their_cluster():
    X = make_rows("normal", 3000, 2, np.float64)
    for k in (1, 2, 3, 7, 40):
        result = k_means(X, k, random_state=0)
        _, _, (cells,) = parts(plots.clusters(result))
        assert len(cells.get_paths()) == k
        for j, path in enumerate(cells.get_paths()):
            inside = path.contains_points(X[result.labels == j], radius=1e-9)
            assert inside.all()
            assert not path.contains_points(X[result.labels != j], radius=-1e-9).any()


def test_equal_centroids_share_the_first_ones_cell():
    X = np.repeat([[0.0, 0.0], [4.0, 1.0]], 3, axis=0)
    with pytest.warns(UserWarning, match="distinct clusters"):
        result = k_means(X, 4, init=[[0, 0], [4, 1], [4, 1], [0, 0]])
    _, centroids, (cells,) = parts(plots.clusters(result))
    assert len(centroids.get_offsets()) == 4
    assert len(cells.get_paths()) == 2


def test_a_standardised_model_is_drawn_in_the_units_of_the_data():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"income": rng.lognormal(10, 0.5, 300), "age": rng.uniform(18, 80, 300)})
    model = make_pipeline(StandardScaler(), KMeans(4, random_state=0)).fit(X)
    ax = plots.clusters(model, X)
    rows, centroids, (cells,) = parts(ax)
    labels = model.predict(X)
    assert_groups(rows, X.to_numpy(), labels, 4)
    expected = model[0].inverse_transform(model[1].cluster_centers_)
    np.testing.assert_allclose(centroids.get_offsets(), expected, rtol=1e-12)
    for j, path in enumerate(cells.get_paths()):
        assert path.contains_points(X.to_numpy()[labels == j]).all()
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("income", "age")


def test_more_columns_are_drawn_along_the_principal_axes():
    result = k_means(FLOWERS, 3, random_state=0)
    ax = plots.clusters(result, FLOWERS)
    rows, centroids, cells = parts(ax)
    axes = PCA(2).fit(FLOWERS.to_numpy())
    points = axes.transform(FLOWERS.to_numpy())
    for j, group in enumerate(rows):
        np.testing.assert_allclose(group, points[result.labels == j], atol=1e-9)
    np.testing.assert_allclose(centroids.get_offsets(), axes.transform(result.centroids), atol=1e-9)
    assert cells == []  # the plane is not the data
    share = 100 * axes.explained_variance_ratio_[0]
    assert (
        ax.get_xlabel()
        == f"principal axis 1 ({share:.1f} % of the variance)"
        == ("principal axis 1 (92.5 % of the variance)")
    )
    assert notes(ax) == ["distances use all 4 columns"]
    huge = plots.clusters(k_means(FLOWERS * 2.0**600, 3, random_state=0))
    assert huge.get_xlabel() == ax.get_xlabel()


@pytest.mark.parametrize("columns", [("petal_length", "sepal_width"), (2, 1), [2, "sepal_width"]])
def test_two_columns_of_more_are_named(columns):
    model = KMeans(3, random_state=0).fit(FLOWERS)
    ax = plots.clusters(model, FLOWERS, columns=columns)
    rows, centroids, cells = parts(ax)
    assert_groups(rows, FLOWERS.to_numpy()[:, [2, 1]], model.labels_, 3)
    np.testing.assert_array_equal(centroids.get_offsets(), model.cluster_centers_[:, [2, 1]])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("petal_length", "sepal_width")
    assert cells == []
    # Without names in X the model's own are used.
    bare = plots.clusters(model, FLOWERS.to_numpy(), columns=columns)
    assert bare.get_xlabel() == "petal_length"


def test_one_column_is_drawn_along_a_line():
    X = np.array([[0.0], [1.0], [2.0], [10.0], [12.0]])
    result = k_means(X, 2, init=[[1.0], [11.0]])
    ax = plots.clusters(result)
    rows, centroids, (cells,) = parts(ax)
    np.testing.assert_array_equal(np.concatenate(rows)[:, 0], X[:, 0])
    np.testing.assert_array_equal(centroids.get_offsets(), [[1, 0], [11, 0]])
    first, second = (Outline(path.vertices) for path in cells.get_paths())
    for height in (-0.9, 0.0, 0.9):
        assert first.contains_point((5.99, height))
        assert second.contains_point((6.01, height))
    assert list(ax.get_yticks()) == []
    assert notes(ax) == ["height means nothing"]


def test_many_rows_are_drawn_as_a_sample_that_is_always_the_same():
    X = make_rows("normal", 300_000, 2, np.float32)
    result = k_means(X, 4, random_state=0, max_iter=2)
    ax = plots.clusters(result)
    rows, _, _ = parts(ax)
    drawn = np.concatenate(rows)
    assert len(drawn) == 20_000
    assert notes(ax) == ["20,000 of 300,000 rows drawn"]
    assert all(group.get_rasterized() for group in ax.collections[1:-1])
    again = np.concatenate(parts(plots.clusters(result))[0])
    np.testing.assert_array_equal(again, drawn)
    # Five standard deviations of a count out of 20,000 are less than 5 * sqrt(20,000 / 4).
    counts = np.array([len(group) for group in rows])
    assert np.abs(counts - result.sizes / 15).max() < 354
    for j, group in enumerate(rows[:2]):
        assert set(map(tuple, group)) <= set(map(tuple, X[result.labels == j].astype(float)))


def test_a_model_from_a_file_and_a_file_of_rows(tmp_path):
    X = make_rows("normal", 100, 2, np.float64)
    KMeans(3, random_state=0).fit(X).save(tmp_path / "m.truemeans")
    np.save(tmp_path / "X.npy", X)
    ax = plots.clusters(truemeans.load(tmp_path / "m.truemeans"), tmp_path / "X.npy")
    assert_groups(parts(ax)[0], X, KMeans(3, random_state=0).fit_predict(X), 3)


def test_axes_that_are_given_are_drawn_on_and_returned():
    result = k_means(FLOWERS, 3, random_state=0)
    figure, (left, right) = plt.subplots(1, 2)
    assert plots.clusters(result, ax=left) is left
    assert plots.convergence(result, ax=right) is right
    assert plt.get_fignums() == [figure.number]


@pytest.mark.parametrize("rows", [[[1.0, 2.0, 3.0]], [[1.0, 2.0, 3.0]] * 4], ids=["one", "equal"])
def test_rows_that_do_not_vary(rows):
    ax = plots.clusters(k_means(rows, 1, random_state=0))
    assert ax.get_xlabel() == "feature 0"
    low, high = ax.get_xlim()
    assert low < 1 < high


# -- looks ---------------------------------------------------------------------------------


def test_every_cluster_has_its_own_colour_and_shape():
    for k in (1, 7, 12, 63):
        places = make_rows("normal", k, 2, np.float64)
        looks = style.looks(plt.figure().add_subplot(), places)
        assert len(set(looks)) == k
        assert len({color for color, _ in looks}) == min(k, 7)
    looks = style.looks(plt.figure().add_subplot(), make_rows("normal", 126, 2, np.float64))
    assert sorted(looks[:63]) == sorted(looks[63:])


def test_neighbours_differ_in_colour():
    line = np.column_stack([np.arange(40.0), np.zeros(40)])
    looks = style.looks(plt.figure().add_subplot(), line)
    assert all(a != b for (a, _), (b, _) in itertools.pairwise(looks))


def linear(color):
    c = np.array(to_rgb(color))
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def luminance(color):
    return linear(color) @ [0.2126, 0.7152, 0.0722]


# G. M. Machado, M. M. Oliveira, L. A. F. Fernandes, "A physiologically-based model for simulation
# of color vision deficiency", IEEE TVCG 15(6), 2009: table 1, severity 1.0.
SIGHT = {
    "full": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def oklab(rgb):
    """B. Ottosson, "A perceptual color space for image processing", 2020."""
    cones = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    opponents = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    return opponents @ np.cbrt(cones @ np.clip(rgb, 0, 1))


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("palette", [style.COLORS_ON_LIGHT, style.COLORS_ON_DARK])
def test_colours_differ_for_every_eye(sight, palette):
    seen = [oklab(np.array(SIGHT[sight]) @ linear(color)) for color in palette]
    # 0.02 is about what is just noticed side by side; black and white are 1 apart.
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 0.07


def test_colours_stand_out_from_the_background():
    for color in style.COLORS_ON_LIGHT:
        assert 1.05 / (luminance(color) + 0.05) > 2.2
    for color in style.COLORS_ON_DARK:
        assert (luminance(color) + 0.05) / (luminance("#1b1b1b") + 0.05) > 3.0


@pytest.mark.parametrize(
    ("sheet", "palette"),
    [
        ("default", style.COLORS_ON_LIGHT),
        ("ggplot", style.COLORS_ON_LIGHT),
        ("dark_background", style.COLORS_ON_DARK),
    ],
)
def test_the_style_in_force_decides_between_light_and_dark(sheet, palette):
    with plt.style.context(sheet):
        ax = plots.clusters(k_means(FLOWERS, 3, random_state=0))
        line = plots.convergence(k_means(FLOWERS, 3, random_state=0))
        assert style.colors(ax) is palette
        back = luminance(style.background(ax))
        for words in (style.foreground(ax), style.muted(ax), style.accent(line)):
            ratio = (luminance(words) + 0.05) / (back + 0.05)
            assert max(ratio, 1 / ratio) > 4  # text must be read, not seen


def test_a_figure_without_background_counts_as_light():
    figure = plt.figure()
    ax = figure.add_subplot()
    figure.patch.set_alpha(0)
    ax.patch.set_alpha(0)
    assert style.colors(ax) is style.COLORS_ON_LIGHT


def test_many_clusters_are_drawn_without_numbers():
    X = make_rows("normal", 500, 2, np.float64)
    ax = plots.clusters(k_means(X, 100, random_state=0))
    assert numbers(ax) == []
    assert len(parts(ax)[1].get_offsets()) == 100


def test_a_vector_picture_of_many_rows_is_small():
    X = make_rows("normal", 50_000, 2, np.float64)
    file = io.BytesIO()
    plots.clusters(k_means(X, 3, random_state=0, max_iter=2)).figure.savefig(file, format="svg")
    assert len(file.getvalue()) < 500_000
    ElementTree.fromstring(file.getvalue())


# -- convergence ---------------------------------------------------------------------------


def test_convergence_is_the_history():
    result = k_means(FLOWERS, 3, init=FLOWERS.to_numpy()[:3])
    model = KMeans(3, init=FLOWERS.to_numpy()[:3], tol=0).fit(FLOWERS)
    for fitted in (result, model):
        ax = plots.convergence(fitted)
        (line,) = ax.lines
        np.testing.assert_array_equal(line.get_xdata(), np.arange(1, result.n_iter + 1))
        np.testing.assert_array_equal(line.get_ydata(), result.history.inertia)
        behind = next(other for other in ax.figure.axes if other is not ax)
        heights = [bar.get_height() for bar in behind.patches]
        assert heights == list(result.history.n_changed)
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("iteration", "inertia")
        assert behind.get_ylabel() == "labels changed"
        assert notes(ax) == [f"{result.n_iter} iterations, the last changed no label"]
        ax.figure.canvas.draw()
        assert "100" in [tick.get_text() for tick in behind.get_yticklabels()]
    stopped = plots.convergence(k_means(FLOWERS, 3, init=FLOWERS.to_numpy()[:3], max_iter=1))
    assert notes(stopped) == ["1 iteration"]


def test_inertias_far_apart_are_drawn_on_a_logarithmic_scale():
    X = np.array([[0.0], [1.0], [1000.0], [1001.0]])
    assert plots.convergence(k_means(X, 2, init=[[0.0], [1.0]])).get_yscale() == "log"
    assert plots.convergence(k_means(FLOWERS, 3, random_state=0)).get_yscale() == "linear"
    assert plots.convergence(k_means(X, 4, init=X)).get_yscale() == "linear"  # inertia 0


# -- what is said about wrong arguments ----------------------------------------------------

X = [[1.0, 2.0], [3.0, 4.0], [5.0, 9.0]]
RESULT = k_means(X, 2, random_state=0)


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: plots.clusters(KMeans(2).fit(X)), ValueError, "X is missing.*give the rows"),
        (lambda: plots.clusters(KMeans(2), X), ValueError, "KMeans is not fitted yet; call fit"),
        (lambda: plots.clusters("iris"), TypeError, "fitted='iris' must be a fitted KMeans"),
        (lambda: plots.clusters(RESULT, [[1.0]]), ValueError, "X has 1 features, but the model"),
        (lambda: plots.clusters(RESULT, [[1, np.nan]]), ValueError, "X contains NaN"),
        (lambda: plots.clusters(RESULT, columns="ab"), TypeError, "columns='ab' must be two"),
        (lambda: plots.clusters(RESULT, columns=[0]), TypeError, r"columns=\[0\] must be two"),
        (lambda: plots.clusters(RESULT, columns=[0, 2]), ValueError, "number from 0 to 1"),
        (lambda: plots.clusters(RESULT, columns=[0, None]), ValueError, "columns has None"),
        (
            lambda: plots.clusters(RESULT, columns=["feature 0", "featur 1"]),
            ValueError,
            "'featur 1', and no column is called that; did you mean 'feature 1'",
        ),
        (
            lambda: plots.clusters(RESULT, columns=["feature 0", "z"]),
            ValueError,
            "there are feature 0, feature 1",
        ),
        (lambda: plots.clusters(RESULT, ax=plt), TypeError, "ax=.* must be matplotlib axes"),
        (lambda: plots.convergence(X), ValueError, "list has no history of a run"),
        (
            lambda: plots.clusters(make_pipeline(MinMaxScaler(), KMeans(2)).fit(X), X),
            ValueError,
            "only a StandardScaler before a KMeans",
        ),
    ],
)
def test_wrong_arguments_are_said_in_one_sentence(call, kind, words):
    with pytest.raises(kind, match=words):
        call()
    assert plt.get_fignums() == []


def test_without_matplotlib_one_sentence_says_what_to_install():
    code = (
        "import sys; sys.modules['matplotlib'] = None; from truemeans import k_means, plots\n"
        "result = k_means([[0.0, 1.0], [2.0, 3.0]], 2, random_state=0)\n"
        "for draw in (plots.clusters, plots.convergence):\n"
        "    try: draw(result)\n"
        "    except ImportError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    assert all("pip install 'truemeans[plots]'" in line for line in lines)
