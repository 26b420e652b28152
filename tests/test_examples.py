"""Every example a reader may copy runs: docstrings, and the README's Python."""

from __future__ import annotations

import doctest
import importlib
import re
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"


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


def test_readme_python():
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert len(blocks) == 2
    names: dict[str, object] = {}
    for block in blocks:
        exec(block, names)  # the blocks follow one another, as a reader types them
    assert sorted(names["result"].sizes) == [3, 3]
