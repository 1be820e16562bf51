"""Population sparseness: published values, every step by itself, and what degenerate stages read."""

import numpy as np
import pytest

from stratoscope.errors import BadInput, TooFew, UnknownName
from stratoscope.metrics import population_sparseness, stimulus_sparseness
from stratoscope.metrics.indices import INDICES
from stratoscope.metrics.normalization import NORMALIZATIONS
from stratoscope.metrics.sparseness import category_means

GOLD = [0.34984514, 0.26398315, 0.22789920, 0.30218606, 0.47602950, 0.48534001]
GOLD_RAW = [0.51260504, 0.36494598, 0.35888502, 0.30918073, 0.35128806, 0.61949266]


@pytest.fixture
def table():
    c, u = np.mgrid[:6, :8]
    values = ((7 * c**2 + 3 * u**2 * (c + 1) + 5 * c * u) % 11).astype(float)
    values[:, 3] = 0
    return values


def test_the_pipeline_of_liu_2020_gives_its_published_values(table):
    psi = population_sparseness(table)
    np.testing.assert_allclose(psi, GOLD, atol=1e-8)
    assert np.median(psi) == pytest.approx(0.3260156034, abs=1e-10)


@pytest.mark.parametrize("normalization", ["none", "minmax", "rectify"])
def test_without_z_scores_rows_that_start_at_zero_give_the_raw_values(table, normalization):
    np.testing.assert_allclose(population_sparseness(table, normalization=normalization), GOLD_RAW, atol=1e-8)


def test_categories_are_averaged_before_anything_else(table, rng):
    noise = rng.standard_normal((6, 8))
    noise[:, 3] = 0
    stimuli = np.concatenate([table + noise, table - noise])
    labels = np.array([*"fedcba", *"fedcba"])
    np.testing.assert_allclose(population_sparseness(stimuli, categories=labels), GOLD[::-1], atol=1e-8)
    per_stimulus = population_sparseness(stimuli, categories=labels, per="stimulus")
    np.testing.assert_allclose(per_stimulus, population_sparseness(stimuli))


def test_the_mean_of_a_constant_unit_is_that_constant_in_every_category():
    responses = np.column_stack([np.full(60, 0.1), np.arange(60.0)])
    names, means = category_means(responses, np.repeat(["a", "b", "c"], [7, 23, 30]))
    assert names.tolist() == ["a", "b", "c"]
    assert np.unique(means[:, 0]).tolist() == [0.1]


def test_every_normalisation_and_index_gives_a_number_for_ordinary_responses(rng):
    responses = rng.gamma(0.5, size=(20, 50))
    for normalization in NORMALIZATIONS:
        for index in INDICES:
            values = population_sparseness(responses, normalization=normalization, index=index)
            assert values.shape == (20,)
            assert np.isfinite(values).all()


def test_one_unit_alone_is_one_and_all_units_alike_is_zero():
    rows = np.array([[0.0, 0, 5, 0], [2, 2, 2, 2]])
    for index in ("treves-rolls", "vinje-gallant", "hoyer"):
        np.testing.assert_allclose(population_sparseness(rows, normalization="none", index=index), [1, 0], atol=1e-12)
    np.testing.assert_allclose(population_sparseness(rows, normalization="none", index="gini"), [0.75, 0])
    np.testing.assert_allclose(population_sparseness(rows, normalization="none", index="fraction-active"), [0.25, 1])


def test_kurtosis_is_the_excess_over_a_gaussian(rng):
    gaussian = population_sparseness(rng.standard_normal((1, 200_000)), normalization="none", index="kurtosis")
    assert gaussian[0] == pytest.approx(0, abs=5 * np.sqrt(24 / 200_000))
    assert np.isnan(population_sparseness(np.full((1, 9), 0.1), normalization="none", index="kurtosis")).all()


def test_a_dead_stage_reads_zero_as_published_and_nan_by_the_raw_index():
    dead = np.zeros((4, 10))
    assert population_sparseness(dead).tolist() == [0.0] * 4
    assert population_sparseness(dead, normalization="minmax").tolist() == [0.0] * 4
    assert np.isnan(population_sparseness(dead, normalization="none")).all()
    with pytest.raises(TooFew, match=r"needs at least 2 units, but 0 came after constant units were dropped"):
        population_sparseness(dead, dead="drop")


def test_what_becomes_of_constant_units_is_chosen(table):
    without = np.delete(table, 3, axis=1)
    np.testing.assert_allclose(population_sparseness(table, dead="drop"), population_sparseness(without))
    kept = table.copy()
    kept[:, 3] = 100.0
    assert (population_sparseness(kept, dead="keep") > 0.9).all()
    np.testing.assert_allclose(population_sparseness(kept), GOLD, atol=1e-8)


def test_float_residue_is_a_response_unless_a_variance_floor_is_set(table, rng):
    table[:, 3] = 0.3 + 1e-9 * rng.standard_normal(6)
    clean = table.copy()
    clean[:, 3] = 0.3
    assert not np.allclose(population_sparseness(table), population_sparseness(clean), atol=1e-3)
    np.testing.assert_allclose(population_sparseness(table, variance_floor=1e-12), population_sparseness(clean))


def test_dead_units_lower_the_published_index_and_raise_the_raw_one(rng):
    psi, raw = [], []
    for dead in (0, 0.25, 0.5, 0.75, 0.9):
        responses = rng.gamma(0.5, size=(1000, 512))
        responses[:, : int(dead * 512)] = 0
        psi.append(np.median(population_sparseness(responses)))
        raw.append(np.median(population_sparseness(responses, normalization="none")))
    np.testing.assert_allclose(psi, [0.63, 0.56, 0.46, 0.30, 0.14], atol=0.012)
    np.testing.assert_allclose(raw, [0.67, 0.75, 0.83, 0.92, 0.97], atol=0.012)


def test_the_sign_of_noise_decides_the_raw_index(rng):
    noise = rng.standard_normal((200, 2000))
    kept = population_sparseness(noise, normalization="none")
    rectified = population_sparseness(noise, normalization="rectify")
    assert np.median(kept) == pytest.approx(1.0, abs=0.01)
    assert np.median(rectified) == pytest.approx(0.68, abs=0.01)
    assert np.median(population_sparseness(np.abs(noise), normalization="none")) == pytest.approx(0.36, abs=0.01)


def test_z_scoring_one_category_is_refused():
    with pytest.raises(TooFew, match=r"^Z-scoring a unit needs at least 2 categories, but 1 came\. Give more, or"):
        population_sparseness(np.ones((3, 4)), categories=["a", "a", "a"])
    assert population_sparseness(np.eye(4)[:1], normalization="none").tolist() == [1.0]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"normalization": "liu2021"}, UnknownName, r"No normalization is called 'liu2021'\. Did you mean 'liu2020'\?"),
        (
            {"index": "trever-rolls"},
            UnknownName,
            r"No sparseness index is called 'trever-rolls'\. Did you mean 'treves",
        ),
        ({"dead": "dorp"}, UnknownName, r"No way with dead units is called 'dorp'\. Did you mean 'drop'\?"),
        ({"per": "categories"}, UnknownName, r"No level is called 'categories'\. Did you mean 'category'\?"),
        ({"variance_floor": 1.5}, BadInput, r"variance_floor is a fraction .*, but 1\.5 came\."),
        ({"categories": ["a", "b"]}, BadInput, r"expects one category a stimulus, shape \(3,\), but \(2,\) came\."),
    ],
)
def test_a_wrong_option_is_answered_with_a_sentence(options, error, message):
    with pytest.raises(error, match=message):
        population_sparseness(np.arange(12.0).reshape(3, 4), **options)


def test_wrong_responses_are_answered_with_a_sentence():
    with pytest.raises(BadInput, match=r"expects responses of shape \(stimulus, unit\), but \(3, 2, 2\) came\."):
        population_sparseness(np.ones((3, 2, 2)))
    with pytest.raises(BadInput, match=r"expects finite responses, but 1 of 6 values are NaN or infinite\."):
        population_sparseness([[1.0, 2, 3], [4, np.nan, 6]])
    with pytest.raises(TooFew, match=r"needs at least 1 unit, but responses of shape \(3, 0\) have none\."):
        population_sparseness(np.ones((3, 0)))
    with pytest.raises(TooFew, match=r"stimulus_sparseness needs at least 2 units, but 1 came\."):
        stimulus_sparseness([[1.0], [2.0]])


def test_each_stimulus_by_itself_reads_the_raw_index(rng):
    responses = rng.gamma(0.5, size=(30, 40))
    for index in INDICES:
        expected = population_sparseness(responses, normalization="none", index=index)
        np.testing.assert_allclose(stimulus_sparseness(responses, index=index), expected)
