"""Take the pictures of the report that the pages show: python docs/screenshots.py REPORT.html (needs Chromium)."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

IMAGES = Path(__file__).parent / "images"
WIDTHS = {360: 780, 1280: 900, 1920: 1080}


def main(report: Path) -> None:
    """Write report-WIDTH-SCHEME.png for three widths, light and dark, scrolled to the first figure."""
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for width, height in WIDTHS.items():
            for scheme in ("light", "dark"):
                page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
                page.goto(report.resolve().as_uri())
                figure = page.locator("figure").first
                figure.evaluate("one => window.scrollTo(0, one.getBoundingClientRect().top + window.scrollY - 110)")
                figure.locator(".main-svg").first.wait_for(timeout=60_000)
                page.wait_for_timeout(1500)
                page.screenshot(path=IMAGES / f"report-{width}-{scheme}.png")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
