"""Every registered metric keeps its laws, and is the same from the array and through the summary of a run."""

import numpy as np
import pytest

from stratoscope.errors import BadInput, TooFew
from stratoscope.metrics import gride, levina_bickel, population_sparseness, rdm, two_nn, two_nn_decimation
from stratoscope.metrics.declare import METRICS
from stratoscope.summaries import Categories, Gram, PerStimulus, PerUnit
from stratoscope.summaries.per_stimulus import FIELDS
from stratoscope.testing.metric_laws import check_metric

BATCH = 16


def played(summary, responses):
    for start in range(0, len(responses), BATCH):
        rows = np.arange(start, min(start + BATCH, len(responses)))
        summary.update(rows, responses[rows])
    return summary.state()


def per_stimulus(responses, **_):
    return played(PerStimulus(len(responses), fields=FIELDS), responses)


def per_unit(responses, **_):
    return played(PerUnit(responses.shape[1]), responses)


def categories(responses, *, categories, **_):
    names, codes = np.unique(categories, return_inverse=True)
    return played(Categories(codes, names, responses.shape[1]), responses)


def gram(responses, *, duplicates="merge", **_):
    return played(Gram(len(responses), responses.shape[1], duplicates=duplicates), responses)


def relu_stage(rng, n=90, units=40):
    responses = np.maximum(rng.standard_normal((n, 6)) @ rng.standard_normal((6, units)), 0)
    responses[:, 3] = 0
    return responses, {}


def labelled_stage(rng):
    responses, _ = relu_stage(rng)
    return responses, {"categories": rng.permutation(np.repeat([*"abcdefghi"], 10))}


STATES = {"per_stimulus": per_stimulus, "per_unit": per_unit, "gram": gram, "categories": categories}
#: Invariances beyond the permutation of units and stimuli, and the fewest stimuli, where there are fewest.
LAWS = {
    "population_sparseness": (("scale",), None),
    "stimulus_sparseness": (("scale",), None),
    "lifetime_sparseness": (("scale",), 2),
    "unit_mean": ((), None),
    "unit_variance": (("offset",), None),
    "dead_fraction": (("scale",), None),
    "constant_fraction": (("scale", "offset"), 2),
    "two_nn": (("scale", "offset", "rotation"), 6),
    "gride": (("scale", "offset", "rotation"), 6),
    "levina_bickel": (("scale", "offset", "rotation"), 12),
    "participation_ratio": (("scale", "offset", "rotation"), 4),
    "participation_ratio_corrected": (("scale", "offset", "rotation"), 5),
    "eigenspectrum": (("scale", "offset", "rotation"), 2),
    "rdm": (("offset", "rotation"), 2),
    "two_nn_calibrated": (("scale", "offset", "rotation"), 50),
    "two_nn_decimation_expected": (("scale", "offset", "rotation"), 20),
}


@pytest.mark.parametrize("name", sorted(LAWS))
def test_a_metric_keeps_its_laws(name):
    further, fewest = LAWS[name]
    declared = METRICS[name]
    labelled = declared.needs == "categories"
    check_metric(
        name,
        labelled_stage if labelled else relu_stage,
        make_state=STATES[declared.needs],
        invariances=("units", "stimuli", *further),
        per_row=("categories",) if labelled else (),
        fewest=fewest,
    )


def test_decimation_keeps_its_laws_but_for_the_order_of_stimuli_which_its_seed_deals():
    check_metric("two_nn_decimation", relu_stage, make_state=gram, invariances=("units", "scale"), rtol=1e-5)


def test_resampling_keeps_its_laws_but_for_the_order_of_stimuli_which_its_seed_deals():
    check_metric("two_nn_resampled", relu_stage, make_state=gram, invariances=("units", "scale"), fewest=7)


@pytest.mark.parametrize(
    ("name", "options", "fewest"),
    [("ess", {"k": 20}, 21), ("correlation_dimension", {}, 22), ("dimension_disagreement", {"k": 20}, 6)],
)
def test_metrics_whose_interval_deals_out_the_stimuli_keep_their_laws(name, options, fewest):
    check_metric(
        name,
        lambda rng: (relu_stage(rng)[0], options),
        make_state=gram,
        invariances=("units", "stimuli", "scale", "offset", "rotation"),
        fewest=fewest,
    )


def test_no_metric_of_this_room_is_without_a_law():
    ours = {name for name in METRICS if METRICS[name].function.__module__.split(".")[-1] in OUR_FILES}
    assert ours == {
        *LAWS,
        "two_nn_decimation",
        "two_nn_resampled",
        *DEALT,
        "cka",
    }  # cka compares stages: its tests are in test_similarity.py


DEALT = {"ess", "correlation_dimension", "dimension_disagreement"}
OUR_FILES = {
    "calibration",
    "correlation_dimension",
    "disagreement",
    "ess",
    "expected_decimation",
    "sparseness",
    "lifetime",
    "moments",
    "two_nn",
    "resampling",
    "gride",
    "levina_bickel",
    "decimation",
    "spectrum",
    "similarity",
}


@pytest.mark.parametrize("index", ["treves-rolls", "hoyer", "gini", "kurtosis", "fraction-active"])
def test_every_index_of_a_stimulus_is_the_same_through_the_summary(index, rng):
    responses, _ = relu_stage(rng)
    declared = METRICS["stimulus_sparseness"]
    through = declared.through(per_stimulus(responses), index=index)
    np.testing.assert_allclose(through, declared.function(responses, index=index), rtol=1e-9)


@pytest.mark.parametrize("index", ["treves-rolls", "hoyer", "kurtosis", "fraction-active"])
def test_every_index_of_a_unit_is_the_same_through_the_summary(index, rng):
    responses, _ = relu_stage(rng)
    declared = METRICS["lifetime_sparseness"]
    through = declared.through(per_unit(responses), index=index)
    np.testing.assert_allclose(through, declared.function(responses, index=index), rtol=1e-9)


def test_stimuli_that_were_not_seen_and_categories_without_any_are_nan(rng):
    responses, _ = relu_stage(rng, 20)
    half = PerStimulus(20)
    half.update(np.arange(10), responses[:10])
    values = METRICS["stimulus_sparseness"].through(half.state())
    assert np.isnan(values).tolist() == [False] * 10 + [True] * 10
    state = played(Categories(np.repeat([0, 1, 3], [7, 7, 6]), np.array([*"abcd"]), responses.shape[1]), responses)
    values = METRICS["population_sparseness"].through(state)
    assert np.isnan(values).tolist() == [False, False, True, False]
    expected = population_sparseness(responses, categories=np.repeat([*"abd"], [7, 7, 6]))
    np.testing.assert_allclose(values[[0, 1, 3]], expected, rtol=1e-9)


def test_a_run_says_that_it_keeps_no_single_stimuli_for_the_population(rng):
    responses, options = labelled_stage(rng)
    with pytest.raises(BadInput, match=r"reads per='category' there\. Use stimulus_sparseness for one number a stim"):
        METRICS["population_sparseness"].through(categories(responses, **options), per="stimulus")


@pytest.mark.parametrize("duplicates", ["keep", "merge"])
def test_duplicates_are_merged_whichever_way_the_summary_kept_them(duplicates, rng):
    points, _ = relu_stage(rng, 300)
    responses = rng.permutation(np.vstack([points, points[:40], points[:10]]))
    state = gram(responses, duplicates=duplicates)
    for function in (two_nn, levina_bickel, two_nn_decimation):
        through, plain = METRICS[function.__name__].through(state), function(responses)
        np.testing.assert_allclose(through.value, plain.value, rtol=1e-6)
        assert through.dropped["duplicates"] == plain.dropped["duplicates"] == 50
    through = METRICS["gride"].through(state, n1=(1, 8))
    np.testing.assert_allclose(through.high, gride(responses, n1=(1, 8)).high, rtol=1e-6)


def test_more_copies_than_neighbours_kept_are_said_not_hidden(rng):
    responses = np.vstack([rng.random((60, 5)), np.zeros((200, 5))])
    kept, merged = gram(responses, duplicates="keep"), gram(responses, duplicates="merge")
    assert METRICS["two_nn"].through(merged).n == two_nn(responses).n == 61
    with pytest.raises(BadInput, match=r"Merge duplicates in the summary"):
        METRICS["two_nn"].through(kept)


def test_a_dead_stage_is_refused_through_its_summary():
    state = gram(np.zeros((30, 4)), duplicates="merge")
    with pytest.raises(TooFew, match=r"^two_nn needs at least 6 distinct stimuli, but 1 came \(29 exact duplicates"):
        METRICS["two_nn"].through(state)
    with pytest.raises(TooFew, match=r"participation_ratio needs responses that differ between stimuli, but all 30"):
        METRICS["participation_ratio"].through(state)


def test_stimuli_that_were_not_finite_are_refused_through_the_summary(rng):
    responses = rng.random((30, 4))
    responses[3, 2] = np.nan
    with pytest.raises(BadInput, match=r"two_nn expects finite responses, but 1 stimuli have responses that are NaN"):
        METRICS["two_nn"].through(gram(responses))


def test_a_summary_of_neighbours_alone_serves_two_nn_and_says_what_it_cannot(rng):
    responses = rng.random((50, 4))
    state = played(Gram(50, 4, neighbours_only=True, duplicates="merge"), responses)
    assert METRICS["two_nn"].through(state).value == pytest.approx(two_nn(responses).value, rel=1e-9)
    with pytest.raises(BadInput, match=r"eigenspectrum reads the Gram matrix, and this summary kept the nearest nei"):
        METRICS["eigenspectrum"].through(state)
    with pytest.raises(BadInput, match=r"two_nn_decimation reads the Gram matrix"):
        METRICS["two_nn_decimation"].through(state)


def test_a_run_says_which_distances_it_can_give(rng):
    responses = rng.random((20, 6))
    through, state = METRICS["rdm"].through, gram(responses)
    for distance in ("euclidean", "sqeuclidean"):
        np.testing.assert_allclose(through(state, distance=distance), rdm(responses, distance=distance), atol=1e-7)
    cosine = rdm(responses, distance="cosine", centre="units")
    np.testing.assert_allclose(through(state, distance="cosine", centre="units"), cosine, atol=1e-9)
    correlation = rdm(responses, distance="correlation", centre="units")
    np.testing.assert_allclose(through(state, distance="correlation", centre="units"), correlation, atol=1e-9)
    with pytest.raises(BadInput, match=r"the cosine distance of responses that are not centred cannot be had from"):
        through(state, distance="cosine")
    with pytest.raises(BadInput, match=r"needs the mean of every stimulus over units \(stimulus_mean\)"):
        through({**state, "stimulus_mean": None}, distance="correlation", centre="units")
