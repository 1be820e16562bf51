"""Draw the picture of the front page from the results of ``stratoscope demo``, as ``python docs/pictures.py demo-run``."""

from __future__ import annotations

import io
import sys
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

from stratoscope.figures import metrics_over_depth
from stratoscope.results import Results, open_results

IMAGES = Path(__file__).resolve().parent / "images"
#: What the picture shows, from left to right.
METRICS = ("population_sparseness", "two_nn")
#: Pixels from left to right: twice what the page shows, for fine screens.
WIDTH = 1600


def front_page(results: Results) -> Figure:
    """Return sparseness and dimension over depth, side by side."""
    return metrics_over_depth(results, METRICS)


def write_png(figure: Figure, path: Path, width: int = WIDTH) -> Path:
    """Write `figure` on white, `width` pixels wide, with as few colours as it needs."""
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=width / figure.get_figwidth(), facecolor="white", metadata={"Software": None})
    image = Image.open(buffer).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, optimize=True)
    return path


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Give the folder of the demo: python docs/pictures.py demo-run")
    write_png(front_page(open_results(sys.argv[1])), IMAGES / "demo.png")
