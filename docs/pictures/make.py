"""Draw the README's picture of the walkthrough: ``make pictures``.

A headless Chromium (``$CHROMIUM``, or the one on the path) photographs the page of the lesson.
"""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

import truemeans

HERE = Path(__file__).parent
FRAME = "round-2-assign"
SIZE = {"width": 1280, "height": 868}


def photograph() -> bytes:
    """Return the page at `FRAME` as a PNG, at one and a half pixels a pixel."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page_file = Path(folder) / "page.html"
        truemeans.walkthrough().save(page_file)
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(
            viewport=SIZE, device_scale_factor=1.5, color_scheme="light", reduced_motion="reduce"
        )
        page.goto(f"{page_file.as_uri()}#{FRAME}")
        page.wait_for_selector("body.ready")
        picture = page.screenshot()
        browser.close()
    return picture


def main() -> None:
    """Write the picture in few colours, so that it stays small."""
    picture = Image.open(io.BytesIO(photograph())).convert("RGB")
    few = picture.quantize(96, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(HERE / "walkthrough.png", optimize=True)


if __name__ == "__main__":
    main()
