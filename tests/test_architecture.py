"""The house: layers, few importers of the core, small files, a light import."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import truemeans

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "truemeans"

# A module imports only from its own layer or from layers below it.
LAYERS = [
    ["cli"],
    ["_walkthrough", "plots"],
    ["estimators", "functions", "model_file"],
    ["validation", "tables", "model", "pictures"],
    ["solve"],
    ["watch"],
    ["counted", "lloyd", "optimum", "refill", "refine", "scale", "seeding"],
    ["dataset", "line"],
    ["sources", "engines"],
    ["plan"],
    ["narrator", "progress"],
    ["memory", "result", "targets", "threads", "textbook", "standardize", "files"],
    ["control_group"],
    ["_core"],
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
MODULES = sorted(p for p in PACKAGE.rglob("*.py") if p.parent != PACKAGE or p.stem != "__init__")


def room(path):
    """The part of the package a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path, *, lazy=True):
    """Names below truemeans that a module imports, as dotted paths."""
    tree = ast.parse(path.read_text())
    nodes = ast.walk(tree) if lazy else tree.body
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("truemeans"):
            if node.module == "truemeans":
                yield from (f"truemeans.{alias.name}" for alias in node.names)
            else:
                yield node.module
        elif isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name.startswith("truemeans."))


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_modules_import_only_from_below(path):
    own = room(path)
    for name in imports(path):
        other = name.split(".")[1]
        if other in RANK and other != own:
            assert RANK[own] <= RANK[other], f"{own} must not import {name}"


def test_every_module_has_its_layer():
    assert {room(p) for p in MODULES} <= set(RANK)


def test_sources_and_engines_do_not_know_each_other():
    for path in MODULES:
        others = {name.split(".")[1] for name in imports(path)}
        assert not (room(path) == "sources" and "engines" in others)
        assert not (room(path) == "engines" and "sources" in others)


def test_the_engine_and_its_targets_alone_import_the_core():
    users = [p.name for p in MODULES if any("_core" in name for name in imports(p))]
    assert sorted(users) == ["native.py", "native_seeding.py", "targets.py"]


def test_only_bindings_know_python():
    for path in (ROOT / "core").rglob("*.?pp"):
        if not path.name.startswith("bindings"):
            text = path.read_text()
            assert "Python.h" not in text, path
            assert "nanobind" not in text, path


def test_kernels_own_no_threads_and_no_memory():
    for path in (ROOT / "core" / "kernels").iterdir():
        text = path.read_text()
        found = re.search(
            r"<thread>|<mutex>|<vector>|<string>|\bnew \w+[({\[]|alloc\(|\bthrow\b", text
        )
        assert found is None, f"{path.name}: {found}"


def test_files_are_small():
    files = [*PACKAGE.rglob("*.py"), *(ROOT / "core").rglob("*.?pp")]
    long = {p.name: n for p in files if (n := len(p.read_text().splitlines())) > 400}
    assert not long


def test_public_names_are_sorted_and_there():
    assert truemeans.__all__ == sorted(truemeans.__all__)
    for name in truemeans.__all__:
        assert getattr(truemeans, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'kmeans'"):
        _ = truemeans.kmeans


def test_the_version_is_the_same_everywhere():
    project = (ROOT / "pyproject.toml").read_text()
    assert f'version = "{truemeans.__version__}"' in project
    assert f"## {truemeans.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_import_and_k_means_load_numpy_and_the_core_only():
    code = (
        "import sys, numpy; before = set(sys.modules); import truemeans;"
        "truemeans.k_means([[0.0, 1.0], [2.0, 3.0], [9.0, 9.0]], 2, random_state=0);"
        "new = {m.split('.')[0] for m in set(sys.modules) - before};"
        "print(*sorted(new - set(sys.stdlib_module_names)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    # NumPy's random module is what brings in the names of the Cython runtime.
    new = {name for name in done.stdout.split() if "cython" not in name}
    assert new <= {"truemeans", "numpy"}
