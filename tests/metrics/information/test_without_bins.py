"""Estimators without bins: known channels, scikit-learn, frites, ties; and how far they are apart."""

import numpy as np
import pytest
from sklearn.feature_selection import mutual_info_classif, mutual_info_regression

from stratoscope.errors import BadInput, TooFew
from stratoscope.metrics import (
    estimator_disagreement,
    gaussian_copula_information,
    ksg_information,
    ross_information,
    unit_information,
)


def four_units():
    rng = np.random.default_rng(5)
    values = rng.standard_normal(200)
    responses = 0.6 * values[:, None] + rng.standard_normal((200, 4)) * [0.3, 1, 2, 4]
    return responses, values, np.argsort(np.argsort(values)) * 4 // 200


def test_the_copula_reads_what_frites_reads():
    """Numbers of frites 0.4.6, gcmi_nd_cc and gcmi_model_nd_cd."""
    responses, values, classes = four_units()
    assert gaussian_copula_information(responses, values) == pytest.approx(
        [1.15197141, 0.166554, 0.03988846, 0.03787589], abs=1e-8
    )
    assert gaussian_copula_information(responses, classes) == pytest.approx(
        [0.84723274, 0.15398024, 0.04518432, 0.02468842], abs=1e-8
    )


def test_neighbours_read_what_scikit_learn_reads():
    responses, values, classes = four_units()
    for k in (1, 3, 7):
        known = mutual_info_regression(responses, values, n_neighbors=k, random_state=0)
        np.testing.assert_allclose(np.maximum(ksg_information(responses, values, k=k), 0) * np.log(2), known, atol=1e-7)
        known = mutual_info_classif(responses, classes, n_neighbors=k, random_state=0)
        np.testing.assert_allclose(
            np.maximum(ross_information(responses, classes, k=k), 0) * np.log(2), known, atol=1e-7
        )


@pytest.mark.parametrize("rho", [0.0, 0.6, 0.9])
def test_a_gaussian_channel_reads_its_information(rng, rho):
    values = rng.standard_normal(600)
    responses = rho * values[:, None] + np.sqrt(1 - rho**2) * rng.standard_normal((600, 40))
    known = -np.log2(1 - rho**2) / 2
    assert gaussian_copula_information(responses, values).mean() == pytest.approx(known, abs=0.03)
    assert ksg_information(responses, values).mean() == pytest.approx(known, abs=0.04)


def test_neighbours_among_equal_values_count_them_all(rng):
    """With whole numbers on both sides nothing is left but counting, as in the plug-in estimate."""
    values = rng.integers(0, 3, 2000)
    responses = ((values[:, None] + (rng.random((2000, 5)) < 0.3)) % 3).astype(float)
    plugin = unit_information(responses, values, correction="none")
    np.testing.assert_allclose(ross_information(responses, values), plugin, atol=0.005)
    np.testing.assert_allclose(ksg_information(responses, values.astype(float)), plugin, atol=0.005)


def test_many_zeros_invent_nothing_in_sorted_stimuli(rng):
    responses = np.where(rng.random((400, 30)) < 0.9, 0.0, rng.gamma(2.0, size=(400, 30)))
    classes = np.repeat(np.arange(8), 50)
    order = rng.permutation(400)
    for estimate, tolerance in ((gaussian_copula_information, 0.1), (ross_information, 0.06)):
        in_order = estimate(responses, classes)
        np.testing.assert_allclose(in_order, estimate(responses[order], classes[order]), atol=1e-9, equal_nan=True)
        assert abs(np.nanmean(in_order)) < tolerance
    assert abs(ksg_information(responses, np.sort(rng.random(400))).mean()) < 0.06


def test_a_unit_that_never_changes_is_zero_or_not_defined():
    still, values = np.ones((60, 1)), np.linspace(0, 1, 60)
    assert np.isnan(gaussian_copula_information(still, values)).all()
    assert ksg_information(still, values) == pytest.approx(0, abs=0.05)
    assert ross_information(still, np.arange(60) % 2) == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (
            lambda r: ksg_information(r, np.arange(50) % 3),
            BadInput,
            r"ksg_information is for continuous properties, but",
        ),
        (
            lambda r: ross_information(r, np.linspace(0, 1, 50)),
            BadInput,
            r"ross_information is for classes, but the val",
        ),
        (lambda r: ksg_information(r[:3], np.zeros(3)), TooFew, r"with k=3 needs at least 4 stimuli, but 3 came"),
        (lambda r: ksg_information(r, np.zeros(50), k=0), BadInput, r"needs at least 1 neighbour, but k=0 came"),
        (
            lambda r: ross_information(r, np.r_[0, np.ones(49)].astype(int)),
            TooFew,
            r"at least 2 stimuli at every value of",
        ),
        (
            lambda r: gaussian_copula_information(r, np.zeros(40)),
            BadInput,
            r"each of the 50 stimuli, but shape \(40,\)",
        ),
        (
            lambda r: gaussian_copula_information(r, np.full(50, np.nan)),
            BadInput,
            r"expects finite values, but 50 of 50",
        ),
        (lambda r: gaussian_copula_information(r * np.nan, np.zeros(50)), BadInput, r"expects finite responses"),
        (lambda r: estimator_disagreement(0 * r, np.linspace(0, 1, 50)), TooFew, r"units that change, but 0 of 4 do"),
        (
            lambda r: estimator_disagreement(r, np.linspace(0, 1, 50), n_units=1),
            BadInput,
            r"at least 2 units, but n_un",
        ),
    ],
)
def test_what_cannot_be_estimated_is_refused_with_a_sentence(rng, call, error, sentence):
    with pytest.raises(error, match=sentence):
        call(rng.random((50, 4)))


def test_disagreement_is_shown_for_the_same_sample_of_units(rng):
    light = rng.random(300)
    gain = np.linspace(0, 2, 30)
    responses = np.maximum(light[:, None] * gain + 0.4 * rng.standard_normal((300, 30)), 0)
    responses[:, 3] = 0
    found = estimator_disagreement(responses, light, n_units=20, seed=2)
    assert len(found.units) == 20
    assert 3 not in found.units
    assert set(found.bits) == {
        *(f"binned {one}" for one in ("none", "panzeri-treves", "panzeri-treves-naive", "quadratic-extrapolation")),
        "binned shuffle",
        "gaussian copula",
        "ksg",
    }
    np.testing.assert_array_equal(found.bits["ksg"], ksg_information(responses[:, found.units], light))
    assert found.medians["binned none"] > found.medians["binned panzeri-treves"]
    assert found.rank_agreement[("binned panzeri-treves", "gaussian copula")] > 0.8
    assert found.spread > 0.02
    classes = estimator_disagreement(responses, (light > 0.5), n_units=100)
    assert len(classes.units) == 29
    assert "ross" in classes.bits
