"""The catalogue itself: every property with its unit, range, definition and source."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from stratoscope.stimuli.properties import contrast, edges, entropy, orientation, receptive_field, spectrum, symmetry
from stratoscope.stimuli.properties.catalogue import Block, Property, Setup, declare
from stratoscope.stimuli.properties.silhouette import area_of
from stratoscope.types import Floats

ANY = (0.0, float("inf"))


def of_neurons(values: Floats) -> Floats | dict[str, Floats]:
    """Give the values of several receptive fields (neuron, stimulus) a column each; of one (stimulus,) a single column."""
    return values if values.ndim == 1 else {str(neuron): row for neuron, row in enumerate(values)}


def _energy(block: Block) -> dict[str, Floats]:
    bands = block.setup.bands
    values = orientation.energy_of(block.luminance, block.power, bands)
    names = [f"{angle:.4g}" for angle in orientation.band_orientations(bands)]
    return dict(zip(names, values, strict=True))


def _rf_luminance(block: Block) -> Floats | dict[str, Floats]:
    rf = block.setup.rf
    assert rf is not None  # `needs` has been checked
    return of_neurons(receptive_field.rf_luminance_of(block.luminance, rf))


def _rf_contrast(block: Block) -> Floats | dict[str, Floats]:
    setup = block.setup
    assert setup.rf is not None  # `needs` has been checked
    return of_neurons(
        receptive_field.rf_contrast_of(
            block.luminance, setup.rf, block.silhouettes, inside=setup.inside, min_coverage=setup.min_coverage
        )
    )


def _enough(values: Floats, setup: Setup) -> Floats:
    return receptive_field.enough_conditions(values, setup.min_conditions)


def _mirror(axis: str) -> Callable[[Block], Floats]:
    return lambda block: symmetry.symmetry_of(block.luminance, axis, block.setup.background)


def _place(name: str, unit: str, range: tuple[float, float], definition: str) -> Property:
    needs = ("background", "screen") if unit == "degrees" else ("background",)
    return Property(name, unit, range, definition, "defined here", lambda block: block.geometry[name], needs)


FRAZOR = "Frazor & Geisler 2006, doi:10.1016/j.visres.2005.06.038"
FIELD = "Field 1987, doi:10.1364/JOSAA.4.002379"
STEERABLE = "Freeman & Adelson 1991, doi:10.1109/34.93808"
AXIAL = "Mardia & Jupp 2000, Directional Statistics"

declare(
    Property(
        "mean_luminance", "1", (0, 1), "mean of luminance over pixels", FRAZOR, lambda b: b.luminance.mean(axis=(1, 2))
    ),
    Property(
        "luminance_sd",
        "1",
        (0, 0.5),
        "standard deviation of luminance over pixels",
        "Moulden, Kingdom & Gatley 1990, doi:10.1068/p190079",
        lambda b: b.luminance.std(axis=(1, 2)),
    ),
    Property(
        "rms_contrast",
        "1",
        ANY,
        "standard deviation of luminance over its mean",
        FRAZOR,
        lambda b: contrast.contrast_of(b.luminance),
    ),
    Property(
        "pixel_entropy",
        "bits",
        (0, 8),
        "entropy of 256 grey levels",
        "Shannon 1948, doi:10.1002/j.1538-7305.1948.tb01338.x",
        lambda b: entropy.entropy_of(b.luminance),
    ),
    Property(
        "rf_luminance",
        "%",
        (0, 100),
        "RF-weighted luminance over the largest possible",
        receptive_field.TAFAZOLI,
        _rf_luminance,
        ("rf",),
    ),
    Property(
        "rf_contrast",
        "1",
        (0, 0.5),
        "standard deviation of RF-weighted luminance inside the RF",
        receptive_field.TAFAZOLI,
        _rf_contrast,
        ("rf", "background"),
        _enough,
    ),
    Property(
        "silhouette_area",
        "1",
        (0, 1),
        "share of pixels that differ from the background",
        "defined here",
        lambda b: area_of(b.silhouettes),
        ("background",),
    ),
    _place("centroid_row", "pixels", ANY, "mean row of the silhouette, downwards from the first"),
    _place("centroid_column", "pixels", ANY, "mean column of the silhouette, from the first"),
    _place("silhouette_height", "pixels", ANY, "rows from the first to the last of the silhouette"),
    _place("silhouette_width", "pixels", ANY, "columns from the first to the last of the silhouette"),
    _place("circle_diameter", "pixels", ANY, "diameter of the smallest circle around the silhouette"),
    _place("centroid_azimuth", "degrees", (-90, 90), "centroid of the silhouette right of straight ahead"),
    _place("centroid_elevation", "degrees", (-90, 90), "centroid of the silhouette above straight ahead"),
    _place("circle_degrees", "degrees", (0, 180), "diameter of the smallest circle around the silhouette"),
    Property(
        "orientation_energy",
        "1",
        (0, 0.25),
        "energy of steerable quadrature filters in bands of contour orientation",
        STEERABLE,
        _energy,
    ),
    Property(
        "dominant_orientation",
        "degrees",
        (0, 180),
        "power-weighted circular mean of contour orientation, from horizontal",
        AXIAL,
        lambda b: orientation.dominant_of(b.luminance, b.power),
    ),
    Property(
        "orientation_coherence",
        "1",
        (0, 1),
        "length of the power-weighted mean of contour orientation",
        AXIAL,
        lambda b: orientation.coherence_of(b.luminance, b.power),
    ),
    Property(
        "orientation_entropy",
        "bits",
        (0, float(np.log2(orientation.ORIENTATION_BINS))),
        "entropy of contour orientation in 24 bins, weighted by squared gradient",
        "Grebenkina et al. 2018, doi:10.3389/fnins.2018.00678",
        lambda b: orientation.entropy_from_gradients(b.gradients),
    ),
    Property(
        "spatial_frequency",
        "cycles/image",
        ANY,
        "power-weighted mean of spatial frequency",
        FIELD,
        lambda b: spectrum.frequency_of(b.luminance, b.power),
    ),
    Property(
        "spectral_slope",
        "1",
        (-float("inf"), float("inf")),
        "slope of log power over log frequency, averaged over directions",
        FIELD,
        lambda b: spectrum.slope_of(b.luminance, b.power),
    ),
    Property(
        "edge_density",
        "1/pixels",
        ANY,
        "length of edges per area",
        "Canny 1986, doi:10.1109/TPAMI.1986.4767851",
        lambda b: edges.density_of(b.gradients),
    ),
    Property(
        "corner_energy",
        "1/pixels²",
        ANY,
        "mean of the smaller eigenvalue of the structure tensor",
        "Shi & Tomasi 1994, doi:10.1109/CVPR.1994.323794",
        lambda b: edges.corners_of(b.gradients),
    ),
    Property(
        "contour_curvature",
        "1/pixels",
        ANY,
        "curvature of lines of equal luminance, weighted by squared gradient",
        "Lindeberg 1998, Int. J. Comput. Vision 30(2)",
        lambda b: edges.curvature_of(b.gradients),
    ),
    Property(
        "symmetry_left_right",
        "1",
        (-1, 1),
        "correlation with the mirror image, columns exchanged about the centroid",
        "defined here",
        _mirror("left-right"),
    ),
    Property(
        "symmetry_up_down",
        "1",
        (-1, 1),
        "correlation with the mirror image, rows exchanged about the centroid",
        "defined here",
        _mirror("up-down"),
    ),
)
