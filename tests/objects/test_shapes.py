from __future__ import annotations

import numpy as np
import pytest

from stratoscope.errors import UnknownName
from stratoscope.stimuli.objects import (
    DEFAULT_OBJECTS,
    DEFAULT_VIEW,
    Screen,
    Views,
    default_object,
    render,
    tafazoli_views,
)


@pytest.fixture(scope="module")
def meshes():
    return {name: default_object(name) for name in DEFAULT_OBJECTS}


@pytest.fixture(scope="module")
def silhouettes(meshes):
    values = {name: np.full(len(meshes), value) for name, value in DEFAULT_VIEW.items()}
    views = Views(np.array(DEFAULT_OBJECTS), np.full(len(meshes), "default"), **values)
    return render(meshes, views, Screen(pixels=160, field=40)) > 0


def test_there_are_ten_closed_objects(meshes):
    assert len(meshes) == 10
    assert all(mesh.closed for mesh in meshes.values())


def test_no_two_objects_share_a_silhouette_at_the_default_pose(silhouettes):
    both = (silhouettes[:, None] & silhouettes).sum((2, 3))
    either = (silhouettes[:, None] | silhouettes).sum((2, 3))
    overlap = (both / either)[np.triu_indices(10, 1)]
    assert overlap.max() < 0.8


def test_every_object_fills_its_bounding_circle_and_stays_within(silhouettes):
    rows, columns = np.indices(silhouettes.shape[1:]) - 79.5
    for mask in silhouettes:
        reach = np.hypot(rows[mask], columns[mask]).max() * 40 / 160
        assert 0.95 * 17.5 < reach < 17.5 + 0.25


def test_luminance_ratios_of_pairs_span_what_the_pairs_criterion_needs(meshes):
    views = tafazoli_views(DEFAULT_OBJECTS)
    image_means = render(meshes, views).mean((1, 2))
    means = np.array([image_means[views.object == name].mean() for name in DEFAULT_OBJECTS])
    ratios = np.minimum.outer(means, means) / np.maximum.outer(means, means)
    ratios = ratios[np.triu_indices(10, 1)]
    assert ratios.min() < 0.5
    assert (ratios > 0.9).sum() >= 3
    assert 15 <= (ratios > 0.6).sum() <= 40


def test_an_unknown_object_names_the_nearest():
    with pytest.raises(UnknownName, match=r"No object is called 'knott'\. Did you mean 'knot'"):
        default_object("knott")
