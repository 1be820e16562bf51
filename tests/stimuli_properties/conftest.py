"""Images whose properties are known by hand."""

from __future__ import annotations

import numpy as np
import pytest

SIDE = 64
ROW, COLUMN = np.mgrid[:SIDE, :SIDE]


class Pictures:
    """Analytic images of 64 x 64 pixels, luminance 0 to 1."""

    side = SIDE

    @staticmethod
    def wave(down, across, phase=0.4, amplitude=0.5):
        """A grating of whole cycles along rows and columns."""
        return 0.5 + amplitude * np.cos(2 * np.pi * (down * ROW + across * COLUMN) / SIDE + phase)

    @staticmethod
    def disc(radius, row=31.5, column=31.5):
        return (np.hypot(ROW - row, COLUMN - column) <= radius).astype(float)

    @staticmethod
    def smooth_disc(radius, row=31.5, column=31.5):
        """A disc whose pixels on the rim are as bright as their share of it."""
        return np.clip(radius - np.hypot(ROW - row, COLUMN - column) + 0.5, 0, 1)

    @staticmethod
    def box(top, left, height, width):
        image = np.zeros((SIDE, SIDE))
        image[top : top + height, left : left + width] = 1
        return image

    @staticmethod
    def checks(width):
        return ((ROW // width + COLUMN // width) % 2).astype(float)

    @staticmethod
    def half(column=32):
        return (column <= COLUMN).astype(float)

    @staticmethod
    def uniform(level):
        return np.full((SIDE, SIDE), float(level))

    @staticmethod
    def noise(slope, rng, side=SIDE):
        """Periodic noise whose power falls exactly as frequency to the `slope`."""
        frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side)[None])
        frequency[0, 0] = 1
        phase = np.angle(np.fft.fft2(rng.normal(size=(side, side))))
        spectrum = frequency ** (slope / 2) * np.exp(1j * phase)
        spectrum[0, 0] = 0
        image = np.fft.ifft2(spectrum).real
        return (image - image.min()) / np.ptp(image)


@pytest.fixture
def pictures():
    return Pictures
