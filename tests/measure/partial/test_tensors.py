"""Files of arrays come back as they were, or are known to be damaged."""

from __future__ import annotations

import errno
import os

import numpy as np
import pytest
from safetensors.numpy import load_file

from stratoscope.measure.partial.tensors import Damaged, Stream, open_tensors, write_tensors

ARRAYS = {
    "floats": np.array([[1.5, -0.0], [np.nan, np.inf]]),
    "nothing": np.zeros((0, 4), dtype=np.float32),
    "number": np.array(7),
    "truth": np.array([True, False, True]),
    "bytes": np.arange(3, dtype=np.uint8),
    "words": np.array([["ab", ""], ["é\U0001f600x", "\udc80"]]),
    "no word": np.array([""]),
}


@pytest.fixture
def path(tmp_path):
    write_tensors(tmp_path / "file.safetensors", ARRAYS, {"why": 'a "text"'})
    return tmp_path / "file.safetensors"


def test_arrays_come_back_bit_for_bit_with_their_types(path):
    with open_tensors(path) as file:
        file.verify()
        assert file.about["why"] == 'a "text"'
        assert set(file.names) == set(ARRAYS)
        for name, values in ARRAYS.items():
            back = file.array(name)
            assert (back.dtype, back.shape) == (values.dtype, values.shape)
            assert back.tobytes() == values.tobytes()


def test_any_reader_of_safetensors_reads_it(path):
    assert np.array_equal(load_file(path)["floats"], ARRAYS["floats"], equal_nan=True)


def test_an_array_may_come_in_chunks_and_be_read_in_parts(tmp_path):
    values = np.arange(20, dtype=np.float32)
    stream = Stream(values.dtype, (20,), lambda: iter([values[:6].reshape(2, 3), values[6:6], values[6:]]))
    write_tensors(tmp_path / "a", {"all": stream, "again": values}, {})
    with open_tensors(tmp_path / "a") as file:
        file.verify()
        assert np.array_equal(file.array("all"), values)
        assert np.array_equal(file.part("all", 5, 9), values[5:9])
        assert (file.dtype("all"), file.shape("all")) == (np.float32, (20,))


def test_one_flipped_bit_anywhere_is_found(path):
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    places = {*range(40), *rng.integers(0, len(whole), 200).tolist(), len(whole) - 1}
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        with (
            pytest.raises(Damaged, match=r"is damaged: .* Delete the file and give the same command again"),
            open_tensors(path) as file,
        ):
            file.verify()


@pytest.mark.parametrize("left", [0, 1, 7, 8, 100, 500, -1])
def test_a_file_cut_short_is_found(path, left):
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(Damaged), open_tensors(path) as file:
        file.verify()


def test_a_disk_that_fills_leaves_the_old_file_and_nothing_beside_it(path, monkeypatch):
    before = path.read_bytes()

    class Full:
        def __init__(self, file):
            self.file = file

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def write(self, content):
            if len(content) > 30:
                raise OSError(errno.ENOSPC, "No space left on device")
            return self.file.write(content)

    real = os.fdopen
    monkeypatch.setattr(os, "fdopen", lambda *given: Full(real(*given)))
    with pytest.raises(OSError, match="No space left"):
        write_tensors(path, ARRAYS, {})
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir()] == [path.name]
