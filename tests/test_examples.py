"""Every example a reader may copy runs: docstrings, the README's Python, and the guides."""

from __future__ import annotations

import doctest
import importlib
import re
from pathlib import Path

import pytest

from truemeans import walkthrough

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
TEACHING = ROOT / "docs" / "teaching.md"


@pytest.mark.parametrize(
    "name",
    [
        "truemeans._walkthrough.run",
        "truemeans.functions",
        "truemeans.estimators.kmeans",
        "truemeans.plots.clusters",
        "truemeans.plots.convergence",
        "truemeans.progress",
        "truemeans.textbook",
    ],
)
def test_docstring_examples(name):
    done = doctest.testmod(importlib.import_module(name))
    assert done.attempted > 0
    assert done.failed == 0


def test_teaching_python(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", TEACHING.read_text(), re.DOTALL)
    assert len(blocks) == 1
    exec(blocks[0], {})
    assert (tmp_path / "lesson.html").exists()


def test_teaching_links_and_what_is_said_of_them():
    text = TEACHING.read_text()
    frames = {frame.name: frame for frame in walkthrough().frames}
    links = set(re.findall(r"kmeans\.html#([\w-]+)", text))
    assert links - set(frames) == {"sandbox", "all-frames", "worksheet"}
    sizes = [int((frames["round-1-assign"].labels == j).sum()) for j in range(2)]
    assert f"{sizes[0]} points to A, {sizes[1]} to B" in text
    assert f"A by {frames['round-1-update'].update.travel[0]:.2f}" in text
    assert f"{len(frames['round-2-assign'].changed)} points change sides" in text


def test_readme_python():
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert len(blocks) == 2
    names: dict[str, object] = {}
    for block in blocks:
        exec(block, names)  # the blocks follow one another, as a reader types them
    assert sorted(names["result"].sizes) == [3, 3]


def test_readme_opens_with_a_picture():
    path = re.search(r"!\[[^]]+\]\(([^)]+)\)", README.read_text()[:500]).group(1)
    picture = README.parent / path
    assert (picture.parent / "make.py").exists()
    assert 20_000 < picture.stat().st_size < 200_000


@pytest.mark.parametrize("name", ["reading-a-run"])
def test_guides(name, monkeypatch):
    """Blocks of a guide follow one another and print what stands below them."""
    monkeypatch.chdir(ROOT)
    path = ROOT / "docs" / f"{name}.md"
    blocks = re.findall(r"```pycon\n(.*?)```", path.read_text(), re.DOTALL)
    assert len(blocks) > 5
    session = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, name, str(path), 0)
    done = doctest.DocTestRunner().run(session)
    assert done.attempted > 0
    assert done.failed == 0
