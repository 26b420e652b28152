"""A headless Chromium for the tests of pages.

Without one the tests are skipped, and say why; where ``CI`` is set they fail instead. The
program is ``$CHROMIUM``, or the first of the usual names on the path.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# As root there is no sandbox to start; the rest keeps the browser from asking its makers.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"


def missing(what: str) -> None:
    """Skip the test, or fail it where everything must be there."""
    if os.environ.get("CI"):
        pytest.fail(f"{what}; CI must have it")
    pytest.skip(what)


@contextmanager
def chromium() -> Iterator[Any]:
    """Start the browser; what is yielded is Playwright's."""
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        missing("no Chromium: install it, or name one in CHROMIUM")
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        missing("no Playwright: pip install playwright")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def opened(browser: Any, path: Path, fragment: str = "", **context: Any) -> Iterator[Any]:
    """Open a page in a profile of its own; fail on console errors and on requests elsewhere."""
    inside = browser.new_context(**context)
    inside.set_default_timeout(10_000)
    page = inside.new_page()
    wrong: list[str] = []
    page.on("console", lambda m: wrong.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    address = path.as_uri()
    page.on(
        "request",
        lambda r: None if r.url.split("#")[0] == address or r.url.startswith("data:")
        else wrong.append(f"asked for {r.url}"),
    )  # fmt: skip
    page.goto(f"{address}#{fragment}")
    page.wait_for_selector("body.ready")
    yield page
    assert wrong == []
    inside.close()


def violations(page: Any) -> list[str]:
    """What axe-core finds wrong with the page as it is now."""
    if not AXE.exists():
        missing("no axe-core: run npm ci in tests/")
    # As text in the page's own world, because the page lets no script in from outside.
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{v['id']}: {v['help']}: {', '.join(str(n['target']) for n in v['nodes'][:3])}"
        for v in found["violations"]
    ]
