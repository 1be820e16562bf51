"""Take the pictures of reports that the pages show: python docs/screenshots.py demo=REPORT.html study=... (needs Chromium)."""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

IMAGES = Path(__file__).parent / "images"
WIDTHS = {360: 780, 1280: 900, 1920: 1080}


def main(reports: dict[str, Path]) -> None:
    """Write NAME-WIDTH-SCHEME.png of each report for three widths, light and dark, scrolled to its first figure."""
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, report in reports.items():
            for width, height in WIDTHS.items():
                for scheme in ("light", "dark"):
                    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
                    page.goto(report.resolve().as_uri())
                    _take(page, IMAGES / f"{name}-{width}-{scheme}.png")
                    page.close()
        browser.close()


def _take(page: Page, path: Path) -> None:
    """Take one picture, with as few colours as it needs."""
    figure = page.locator("figure:has(.live)").first
    figure.evaluate("one => window.scrollTo(0, one.getBoundingClientRect().top + window.scrollY - 110)")
    figure.locator(".main-svg").first.wait_for(timeout=60_000)
    page.wait_for_timeout(1500)
    taken = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    taken.quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    main({name: Path(path) for name, _, path in (one.partition("=") for one in sys.argv[1:])})
