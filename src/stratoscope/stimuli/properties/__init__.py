"""Properties of images: luminance, contrast, silhouette, orientation, spectrum, edges, symmetry, entropy.

Each property is a function of images (stimulus, row, column) or (stimulus, row, column, 3) with its definition, its
source and when it misleads. `PROPERTIES` lists them; `measure_properties` measures them on any stimulus set.
"""

from stratoscope.object_pairs import luminosity_ratio, matched_pairs
from stratoscope.stimuli.properties import entries as _entries  # noqa: F401  fills the catalogue
from stratoscope.stimuli.properties.catalogue import PROPERTIES, Property
from stratoscope.stimuli.properties.contrast import luminance_sd, rms_contrast
from stratoscope.stimuli.properties.edges import contour_curvature, corner_energy, edge_density
from stratoscope.stimuli.properties.entropy import pixel_entropy
from stratoscope.stimuli.properties.fields import field_property
from stratoscope.stimuli.properties.luminance import luminance_images, mean_luminance
from stratoscope.stimuli.properties.measure import add_properties, measure_properties
from stratoscope.stimuli.properties.orientation import (
    dominant_orientation,
    orientation_coherence,
    orientation_energy,
    orientation_entropy,
)
from stratoscope.stimuli.properties.receptive_field import rf_contrast, rf_coverage, rf_luminance
from stratoscope.stimuli.properties.silhouette import silhouette_area, silhouette_geometry, silhouettes
from stratoscope.stimuli.properties.spectrum import power_spectrum, spatial_frequency, spectral_slope
from stratoscope.stimuli.properties.symmetry import symmetry

__all__ = [
    "PROPERTIES",
    "Property",
    "add_properties",
    "contour_curvature",
    "corner_energy",
    "dominant_orientation",
    "edge_density",
    "field_property",
    "luminance_images",
    "luminance_sd",
    "luminosity_ratio",
    "matched_pairs",
    "mean_luminance",
    "measure_properties",
    "orientation_coherence",
    "orientation_energy",
    "orientation_entropy",
    "pixel_entropy",
    "power_spectrum",
    "rf_contrast",
    "rf_coverage",
    "rf_luminance",
    "rms_contrast",
    "silhouette_area",
    "silhouette_geometry",
    "silhouettes",
    "spatial_frequency",
    "spectral_slope",
    "symmetry",
]
