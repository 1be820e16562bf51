"""Matrices between stages and between stimuli: read from the artists."""

from __future__ import annotations

import numpy as np
import pytest

from stratoscope.errors import UnknownName
from stratoscope.figures.matrices import (
    MOST_PANELS,
    MOST_STIMULI,
    squares_of_stimuli,
    stage_matrix,
    stage_metrics,
    stimulus_matrix,
    stimulus_metrics,
)
from stratoscope.figures.panels import live_panels
from stratoscope.results import Declared, Results, StageResult, Values
from stratoscope.types import Stage


def run(rng, n=10, stages=2, labels=None, lesion=""):
    closed = []
    for place in range(stages):
        stage = Stage(f"relu{place}", (place + 1) / stages, "relu", (3,), "position", 3, hierarchy="net")
        points = rng.random((n, 3))
        distance = np.linalg.norm(points[:, None] - points, axis=2)
        closed.append(StageResult(stage, {"rdm": Values(distance, ("stimulus", "other_stimulus"))}))
    cka = np.eye(stages)
    cka[0, -1] = cka[-1, 0] = 0.3
    ids = np.array([f"image {i}" for i in range(n)])
    columns = {} if labels is None else {"category": np.asarray(labels)}
    return Results.build(
        {}, closed, {"stimulus": ids}, {"cka.position": Values(cka, ("stage", "other_stage"))}, columns=columns,
        metrics=[Declared("cka", range=(0.0, 1.0)), Declared("rdm")],
    )  # fmt: skip


def images(figure):
    return [axes.images[0].get_array() for axes in figure.axes if axes.images]


def test_matrices_are_found_by_what_they_are_between(rng):
    results = run(rng)
    assert stage_metrics(results) == ["cka.position"]
    assert stimulus_metrics(results) == ["rdm"]


def test_stages_are_named_along_both_axes_and_every_run_has_a_panel(rng):
    figure = stage_matrix(Results.combine([run(rng), run(rng)]), "cka.position")
    first, second = images(figure)
    assert first.tolist() == second.tolist() == [[1, 0.3], [0.3, 1]]
    assert figure.axes[0].images[0].get_clim() == (0, 1)
    panel = live_panels(figure)["panels"][0]
    assert panel["x"]["names"] == panel["y"]["names"] == ["relu0", "relu1"]
    assert panel["heat"]["label"] == "CKA"


def test_stages_without_a_value_are_left_out(rng):
    results = run(rng, stages=3)
    results.tree["run_0/cross"]["cka.position"][1, :] = np.nan
    results.tree["run_0/cross"]["cka.position"][:, 1] = np.nan
    (found,) = images(stage_matrix(results, "cka.position"))
    assert found.shape == (2, 2)


def test_few_stimuli_stand_as_they_are_in_order_of_category(rng):
    results = run(rng, 6, labels=list("babaab"))
    square = squares_of_stimuli(results, "rdm")[0]
    assert square.names == ("image 1", "image 3", "image 4", "image 0", "image 2", "image 5")
    value = results["relu0"]["rdm"].to_numpy()
    assert square.value[0, 3] == value[1, 0]


def test_many_categories_stand_for_their_stimuli_without_the_zeros_of_the_diagonal(rng):
    labels = np.repeat([f"c{i:02d}" for i in range(20)], 4)
    square = squares_of_stimuli(run(rng, 80, labels=labels), "rdm")[0]
    value = run(np.random.default_rng(20201116), 80, labels=labels)["relu0"]["rdm"].to_numpy()
    assert square.names == tuple(f"c{i:02d}" for i in range(20))
    own = value[:4, :4]
    assert square.value[0, 0] == pytest.approx(own.sum() / 12)
    assert square.value[0, 1] == pytest.approx(value[:4, 4:8].mean())


@pytest.mark.parametrize("labels", [None, np.repeat(["a", "b"], 100)])
def test_of_many_stimuli_in_few_categories_a_sample_at_even_distances_is_shown(rng, labels):
    square = squares_of_stimuli(run(rng, 200, labels=labels), "rdm")[0]
    assert len(square.names) == MOST_STIMULI
    assert (square.names[0], square.names[-1]) == ("image 0", "image 199")


def test_of_many_stages_the_first_the_last_and_some_between(rng):
    squares = squares_of_stimuli(run(rng, 4, stages=40), "rdm")
    assert len(squares) == MOST_PANELS
    assert squares[0].title.startswith("relu0 ")
    assert squares[-1].title.startswith("relu39 ")
    assert len(images(stimulus_matrix(run(rng, 4, stages=40)))) == MOST_PANELS


def test_a_category_of_one_has_no_pair_with_itself(rng):
    labels = np.array([f"c{i:02d}" for i in range(12) for _ in range(6)])
    labels[-6:-1] = "c00"
    square = squares_of_stimuli(run(rng, 72, labels=labels), "rdm")[0]
    assert np.isnan(square.value[-1, -1])
    assert np.isfinite(square.value[:-1, :-1]).all()


def test_a_matrix_that_is_not_there_is_named_with_those_that_are(rng):
    with pytest.raises(UnknownName, match="cka.position"):
        stage_matrix(run(rng), "cka.positon")
    with pytest.raises(UnknownName, match="rdm"):
        stimulus_matrix(run(rng), "rdn")
