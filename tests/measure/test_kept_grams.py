"""Gram matrices that wait in files until stages are compared: the same numbers in less memory."""

from __future__ import annotations

import errno
import os

import numpy as np
import pytest
import torch
from torch import nn

import stratoscope as st
from stratoscope.errors import BudgetTooSmall
from stratoscope.measure import kept_grams
from stratoscope.measure.kept_grams import GramFile, in_file
from stratoscope.metrics import cka_matrix


class Deep(nn.Module):
    """Many stages of few units: what must wait is mostly Gram matrices."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(*[nn.Sequential(nn.Linear(6, 6), nn.ReLU()) for _ in range(8)])

    def forward(self, images):
        return self.layers(images.flatten(1)[:, :6])


def _run(budget, **settings):
    images = np.random.default_rng(3).random((90, 3, 4, 4), dtype=np.float32)
    stimuli = st.Stimuli("noise", tuple(f"n{i:02d}" for i in range(90)), lambda row: images[row])
    source = st.Network(Deep(), stages="relu", unit="position")
    metrics = ["two_nn", "cka", "cka:debiased=True"]
    return st.profile(source, stimuli, metrics=metrics, budget=budget, progress=False, **settings)


def _least():
    with pytest.raises(BudgetTooSmall) as caught:
        _run("1kB")
    return str(caught.value).split("Give --budget ")[1].split(" ")[0]


def test_a_gram_matrix_in_a_file_is_an_array_and_gives_rows(rng, tmp_path):
    gram = rng.standard_normal((7, 7))
    kept = in_file(gram, tmp_path / "gram.safetensors")
    assert kept.shape == (7, 7)
    assert len(kept) == 7
    assert np.array_equal(kept, gram)
    assert np.array_equal(kept[2:5], gram[2:5])
    assert np.array_equal(kept[5:99], gram[5:])


def test_stages_compare_the_same_from_files_and_never_as_a_whole(rng, tmp_path, monkeypatch):
    grams = {name: (x := rng.standard_normal((30, 5))) @ x.T for name in "abc"}
    files = {name: in_file(gram, tmp_path / name) for name, gram in grams.items()}

    def whole(*_, **__):
        raise AssertionError("a whole Gram matrix was read")

    monkeypatch.setattr(GramFile, "__array__", whole)
    for debiased in (False, True):
        assert np.array_equal(cka_matrix(files, debiased=debiased)[1], cka_matrix(grams, debiased=debiased)[1])


@pytest.mark.parametrize("out", [None, "run"])
def test_the_least_budget_holds_few_gram_matrices_and_gives_the_same_numbers(tmp_path, monkeypatch, out):
    put, write = [], kept_grams.write_tensors
    monkeypatch.setattr(kept_grams, "write_tensors", lambda path, *rest: put.append(path) or write(path, *rest))
    least = _least()
    assert float(least.removesuffix("kB")) * 1000 < 8 * 8 * 90**2, "less than the Gram matrices of all stages"
    settings = {} if out is None else {"out": tmp_path / out}
    small, large = _run(least, **settings), _run("1GB")
    assert len(put) == (8 if out is None else 0), "a run that can be taken up again has them in files anyway"
    assert not any(path.exists() for path in put)
    assert large.cross
    for name, matrix in large.cross.items():
        np.testing.assert_array_equal(small.cross[name], matrix)
    np.testing.assert_array_equal(small.table()["value"], large.table()["value"])


def test_a_disk_without_room_for_them_is_a_sentence(monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    least = _least()
    monkeypatch.setattr(kept_grams, "write_tensors", full)
    with pytest.raises(
        BudgetTooSmall, match=r"products of 90 stimuli at every stage.*the disk is full.*give a larger budget"
    ):
        _run(least)
