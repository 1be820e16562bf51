"""JPEG files with natural-image-like content, so that decoding costs what it costs on photographs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def write_jpegs(folder: Path, n: int, *, height: int = 375, width: int = 500, originals: int = 50) -> Path:
    """Write `n` files over 10 class folders; beyond `originals` they are hard links to the first ones."""
    rng = np.random.default_rng(1)
    made: list[Path] = []
    for i in range(n):
        path = folder / f"class{i % 10}" / f"image{i:05d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        if i < originals:
            Image.fromarray(pink_noise(rng, height, width)).save(path, quality=90)
            made.append(path)
        else:
            path.hardlink_to(made[i % originals])
    return folder


def pink_noise(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Return an RGB image (row, column, 3) of uint8 whose amplitude falls as 1 / frequency."""
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :])
    amplitude = 1 / np.maximum(frequency, 1 / max(height, width))
    planes = []
    for _ in range(3):
        phase = np.exp(2j * np.pi * rng.random(amplitude.shape))
        plane = np.fft.irfft2(amplitude * phase, s=(height, width))
        planes.append(np.clip(127 + 55 * plane / plane.std(), 0, 255))
    return np.stack(planes, axis=-1).astype(np.uint8)
