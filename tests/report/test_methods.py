"""The methods paragraph says what the runs wrote down; the BibTeX holds what the metrics state."""

from __future__ import annotations

import numpy as np
import pytest

import stratoscope as st
from stratoscope.report import build_report
from stratoscope.report.bibtex import bibtex
from stratoscope.report.methods import methods_paragraph
from stratoscope.results import Results
from stratoscope.types import Stimuli


@pytest.fixture(scope="module")
def results():
    network = st.Network(_net(), stages=["0", "1"])
    intact = st.profile(
        network, _stimuli(), metrics=["two_nn", "population_sparseness:index=hoyer"], progress=False, seed=3
    )
    permuted = st.profile(
        st.lesions.permute_weights(network, seed=5), _stimuli(), metrics=["two_nn", "population_sparseness:index=hoyer"],
        progress=False, seed=3,
    )  # fmt: skip
    return Results.combine([intact, permuted])


def _net():
    from torch import nn

    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())


def _stimuli():
    images = np.random.default_rng(0).random((12, 3, 8, 8)).astype(np.float32)
    ids = tuple(f"image-{row}" for row in range(12))
    return Stimuli("made-up", ids, lambda row: images[row], {"category": np.array(list("aaaaaabbbbbb"))}, "f")


def test_it_names_stimuli_source_lesion_units_metrics_options_and_seeds(results):
    text = methods_paragraph(results)
    assert text.startswith("12 stimuli (made-up in 2 categories of 6) were shown to ")
    assert "The same was done with: permuted weights (seed 5)." in text
    assert "Responses were read at 2 stages (0, 1) with unit channel (4 units a stage)." in text
    assert "population sparseness (Liu, Zhen & Liu 2020; index = hoyer)" in text
    assert "Seed of every resampling: 3." in text
    assert f"Software: Stratoscope {results.run['runs'][0]['versions']['stratoscope']} with PyTorch" in text
    assert text.count("12 stimuli") == 1


def test_runs_that_wrote_nothing_down_have_no_paragraph():
    assert methods_paragraph(Results.build({}, [], {})) == ""


def test_every_paper_with_an_identifier_is_an_entry_once():
    text = bibtex(
        [
            "Liu, Zhen & Liu 2020, doi:10.3389/fncom.2020.578158",
            "after Muratore et al. 2022, arXiv:2205.13816",
            "Liu, Zhen & Liu 2020, doi:10.3389/fncom.2020.578158",
            "Hung et al. 2005, doi:10.1126/science.1117593; closed form: An, Liu & Venkatesh 2007, doi:10.1016/j.patcog.2006.12.015",
            "Levina & Bickel 2004, Advances in Neural Information Processing Systems 17",
            "arithmetic mean",
        ]
    )
    assert text.count("@") == 4
    assert "@article{liu2020,\n  author = {Liu and Zhen and Liu},\n  year = {2020},\n" in text
    assert "@misc{muratore2022,\n  author = {Muratore and others},\n  year = {2022},\n  eprint = {2205.13816}," in text
    assert "author = {An and Liu and Venkatesh}" in text


def test_two_papers_of_one_name_and_year_have_keys_of_their_own():
    text = bibtex(["Doe 2020, doi:10.1000/a", "Doe 2020, doi:10.1000/b", "Çelik 2021, doi:10.1000/c"])
    assert "{doe2020," in text
    assert "{doe2020b," in text
    assert "{celik2021," in text


def test_the_report_holds_both(results):
    report = build_report(results)
    assert report.paragraph == methods_paragraph(results)
    assert "@article{facco2017," in report.bibtex
