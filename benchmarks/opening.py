"""How long a report takes to open in Chromium: python -m benchmarks.opening REPORT.html [...] (without one, a large made-up run).

Opened is: the page is loaded and can be read; then the first figure answers. A fresh page each time. Wall time is that of this machine, as
busy as it is; processor time is that of all processes of the browser until then, which other work cannot stretch by waiting.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from stratoscope.report import write_report
from stratoscope.results import Results, Row, StageResult, Values
from stratoscope.types import Stage

STAGES, CATEGORIES, METRICS, TIMES = 200, 1000, 12, 7
CONTROLS = ("", "structureless", "size-matched to 64 units")


def large(folder: Path) -> Path:
    """Write the report of 200 stages x 1,000 categories x 12 metrics."""
    rng, closed = np.random.default_rng(0), []
    names = [f"metric_{one}" for one in "abcdefghijkl"[:METRICS]]
    for index in range(STAGES):
        at = (index + 1) / STAGES
        stage = Stage(f"layer{index}.relu", at, "relu", (64, 7, 7), "channel", 64, hierarchy="large")
        arrays = {name: Values(rng.normal(0.3, 0.1, CATEGORIES), ("category",)) for name in names}
        rows = [
            Row.of(stage, name, *np.sort(rng.random(3))[[1, 0, 2]], n=CATEGORIES, control=control)
            for name in names for control in CONTROLS
        ]  # fmt: skip
        closed.append(StageResult(stage, arrays, tuple(rows)))
    labels = np.array([f"category {row}" for row in range(CATEGORIES)])
    return write_report(Results.build({}, closed, {"category": labels}), folder / "large.html")


def opened(browser: Any, path: Path) -> dict[str, float]:
    """Open `path` once: seconds until it is loaded and until the first figure answers, and processor time until each."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(120_000)
    session = browser.new_browser_cdp_session()
    before, start = _used(session), time.perf_counter()
    page.goto(path.resolve().as_uri(), wait_until="load")
    loaded, used = time.perf_counter() - start, _used(session) - before
    page.evaluate("document.querySelector('figure').scrollIntoView()")
    page.locator("[data-live] .main-svg").first.wait_for(state="attached")
    drawn, all_used = time.perf_counter() - start, _used(session) - before
    page.close()
    return {"loaded": loaded, "first figure": drawn, "loaded, cpu": used, "first, cpu": all_used}


def _used(session: Any) -> float:
    """Return the processor time of all of the browser's processes so far."""
    return sum(float(one["cpuTime"]) for one in session.send("SystemInfo.getProcessInfo")["processInfo"])


def main(paths: list[Path], times: int) -> None:
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as started:
        reports = paths or [large(Path(folder))]
        browser = started.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for path in reports:
            found = [opened(browser, path) for _ in range(times)]
            print(f"{path.name}, {path.stat().st_size / 1e6:.1f} MB, {times} times, seconds: best, median")
            for name in found[0]:
                values = [one[name] for one in found]
                print(f"  {name:13} {min(values):6.2f} {statistics.median(values):6.2f}")
        browser.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reports", nargs="*", type=Path)
    parser.add_argument("--times", type=int, default=TIMES)
    given = parser.parse_args()
    main(given.reports, given.times)
