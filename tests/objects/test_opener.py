from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from stratoscope.errors import BadInput, UnknownName
from stratoscope.stimuli.objects import open_objects
from stratoscope.stimuli.objects.surfaces import superquadric


def pixels(stimuli, row):
    return np.asarray(stimuli.load(row))


def test_nothing_said_gives_the_380_views_with_their_parameters():
    stimuli = open_objects()
    assert len(stimuli) == len(set(stimuli.ids)) == 380
    assert stimuli.ids[0] == "jug_az-22.5_el0_sz35_ip0_id0_lum100"
    names = {"category", "object", "axis", "azimuth", "elevation", "size", "in_plane", "in_depth", "luminance"}
    assert set(stimuli.columns) == names
    assert all(len(values) == 380 for values in stimuli.columns.values())
    image = stimuli.load(379)
    assert (image.mode, image.size) == ("RGB", (64, 64))


def test_the_same_spec_gives_the_same_pixels_in_any_order_and_from_any_thread():
    spec = "dense?n=90&seed=4&pixels=32"
    first, second = open_objects(spec), open_objects(spec)
    assert first.fingerprint == second.fingerprint
    forwards = [pixels(first, row) for row in range(90)]
    with ThreadPoolExecutor(4) as pool:
        backwards = list(pool.map(lambda row: pixels(second, row), range(89, -1, -1)))
    np.testing.assert_array_equal(forwards, backwards[::-1])


def test_another_seed_size_or_background_is_another_set():
    specs = ["dense?n=30", "dense?n=30&seed=1", "dense?n=30&pixels=48", "dense?n=30&background=0.5", "dense?n=31"]
    assert len({open_objects(spec).fingerprint for spec in specs}) == len(specs)


def test_blocks_that_fell_out_of_memory_are_rendered_again(monkeypatch):
    monkeypatch.setattr("stratoscope.stimuli.objects.rendered.CACHE", 0)
    stimuli = open_objects("dense?n=200&pixels=16")
    before = pixels(stimuli, 0)
    for row in range(200):
        stimuli.load(row)
    np.testing.assert_array_equal(before, pixels(stimuli, 0))


def test_options_choose_objects_axes_and_ranges():
    few = open_objects("tafazoli?objects=star,jug&axes=size,in_depth&views=16")
    assert list(dict.fromkeys(few.categories.tolist())) == ["star", "jug"]
    assert len(few) == 32
    dense = open_objects("dense?n=40&azimuth=-3,3&luminance=100&objects=knot")
    assert np.abs(dense.columns["azimuth"]).max() <= 3
    assert (dense.columns["luminance"] == 100).all()


def test_meshes_of_ones_own_take_the_place_of_the_ten(tmp_path):
    vertices, faces = superquadric((1, 0.5, 0.3), rings=6)
    lines = ["v {} {} {}".format(*p) for p in vertices] + ["f {} {} {}".format(*(f + 1)) for f in faces]
    (tmp_path / "brick.obj").write_text("\n".join(lines))
    for spec in (f"{tmp_path}/brick.obj", str(tmp_path), f"tafazoli?meshes={tmp_path}"):
        stimuli = open_objects(spec)
        assert len(stimuli) == 38
        assert set(stimuli.categories) == {"brick"}
        assert pixels(stimuli, 5).max() > 100


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        ("dens", UnknownName, r"No set of object views is called 'dens'\. Did you mean 'dense'"),
        ("dense?sede=1", UnknownName, r"No option of 'objects:dense' is called 'sede'\. Did you mean 'seed'"),
        ("dense?n", BadInput, r"An option of 'objects:' reads name=value; came 'n'"),
        ("dense?n=many", BadInput, r"The option 'n' of 'objects:' is a whole number; came 'many'"),
        ("dense?background=grey", BadInput, r"The option 'background' of 'objects:' is a number; came 'grey'"),
        ("dense?size=a,b", BadInput, r"The range of 'size' reads LOW,HIGH or one number; came 'a,b'"),
        ("dense?background=2", BadInput, r"The background is a luminance between 0 \(dark\) and 1; came 2"),
        ("tafazoli?views=39", BadInput, r"39 views an object were asked for"),
        ("tafazoli?field=50", BadInput, r"views leave the screen"),
        ("tafazoli?objects=jog", UnknownName, r"No object is called 'jog'\. Did you mean 'jug'"),
        ("nowhere.obj", BadInput, r"There is no mesh file 'nowhere\.obj'"),
        (
            "dense?n=20&azimuth=0&elevation=0&size=35&in_plane=0&in_depth=0&luminance=100",
            BadInput,
            r"10 of 20 views are the same as another",
        ),
    ],
)
def test_a_spec_that_cannot_be_followed_says_why(spec, error, message):
    with pytest.raises(error, match=message):
        open_objects(spec)


@pytest.mark.realdata
def test_real_meshes_show_in_all_their_views(data):
    stimuli = open_objects(f"{data}/meshes/suzanne.obj")
    images = np.stack([pixels(stimuli, row)[..., 0] for row in range(len(stimuli))])
    assert (images.reshape(38, -1).max(1) > 20).all()
    assert len(np.unique(images.reshape(38, -1), axis=0)) == 38
