from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from stratoscope.errors import BadInput, TooFew
from stratoscope.stimuli.objects import open_objects
from stratoscope.train.views import CELLS, held_out_views, network_input, split_stimuli

SET = "dense?n=300&objects=jug,star,knot"


def cells(stimuli):
    """Cell of view space of every stimulus, by another way than the one under test."""
    edges = {
        name: np.linspace(stimuli.columns[name].min(), stimuli.columns[name].max(), n + 1)[1:-1]
        for name, n in CELLS.items()
    }
    return list(zip(*(np.digitize(stimuli.columns[name], edge) for name, edge in edges.items()), strict=True))


def test_whole_cells_of_view_space_are_held_out_for_every_object():
    stimuli = open_objects(SET)
    held = held_out_views(stimuli, share=0.3, seed=1)
    assert 0.2 < held.mean() < 0.4
    where = cells(stimuli)
    inside, outside = (
        {cell for cell, out in zip(where, held, strict=True) if out == wanted} for wanted in (True, False)
    )
    assert not inside & outside


def test_the_split_has_all_objects_on_both_sides_and_knows_its_pixels():
    split = split_stimuli(open_objects(SET), 64, share=0.3, seed=1)
    assert split.classes == ("jug", "knot", "star")
    assert len(split.learned) + len(split.held_out) == 300
    values = split.learned.images.double() / 255
    assert split.mean == pytest.approx(float(values.mean()), abs=1e-4)
    assert split.std == pytest.approx(float(values.std()), abs=1e-4)


def test_the_input_is_normalised_and_has_three_equal_channels():
    images = torch.tensor([[[0, 255]]], dtype=torch.uint8)
    given = network_input(images, 0.5, 0.25)
    assert given.shape == (1, 3, 1, 2)
    assert (given == torch.tensor([-2.0, 2.0])).all()


def test_sets_that_cannot_be_learned_from_are_refused():
    with pytest.raises(TooFew, match=r"objects have no (held-out|learned) view among 6 views\. Ask for more views"):
        split_stimuli(open_objects("dense?n=6"), 64, share=0.2, seed=0)
    with pytest.raises(BadInput, match=r"has images of 32 x 32\. Leave out 'pixels' or say pixels=64"):
        split_stimuli(open_objects(f"{SET}&pixels=32"), 64, share=0.3, seed=1)
    bare = replace(open_objects(SET), columns={})
    with pytest.raises(BadInput, match=r"has no column 'azimuth'\. Views are held out by position, size and rotations"):
        held_out_views(bare, share=0.3, seed=1)
