"""The chain I(R;S) = I(R;L) + I(R;S'|L), and where I(R;S) means nothing."""

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from stratoscope.errors import BadInput, TooFew, UnknownName
from stratoscope.metrics import information_breakdown
from stratoscope.metrics.information.bins import bin_codes

STIMULI, TRIALS = 40, 26


def recording(rng, units=12, shape_units=()):
    """Poisson trials of units that follow luminance; `shape_units` follow something else about the stimulus."""
    light, shape = rng.random(STIMULI), rng.random(STIMULI)
    drive = np.repeat(light[:, None], units, axis=1)
    drive[:, list(shape_units)] = shape[:, None]
    stimuli = np.repeat(np.arange(STIMULI), TRIALS)
    order = rng.permutation(len(stimuli))
    counts = rng.poisson(6 * drive[stimuli])[order]
    return counts, light[stimuli][order], stimuli[order]


@pytest.mark.parametrize("luminance_bins", [2, 4, 10])
def test_the_chain_rule_holds_before_and_after_correction(rng, luminance_bins):
    counts, light, stimuli = recording(rng, shape_units=(0, 1))
    for correction in ("none", "panzeri-treves", "panzeri-treves-naive"):
        found = information_breakdown(counts, light, stimuli, luminance_bins=luminance_bins, correction=correction)
        np.testing.assert_allclose(found.luminance_plugin + found.rest_plugin, found.total_plugin, rtol=0, atol=1e-10)
        np.testing.assert_allclose(found.luminance + found.rest, found.total, rtol=0, atol=1e-10)
        assert (found.total <= found.total_plugin).all()


def test_the_chain_rule_holds_with_a_luminance_for_each_unit(rng):
    counts, light, stimuli = recording(rng)
    own = light[:, None] * np.ones(12)
    own[:, 6:] = rng.random((STIMULI, 6))[stimuli]
    found = information_breakdown(counts, own, stimuli, units_at_a_time=5)
    np.testing.assert_allclose(found.luminance + found.rest, found.total, rtol=0, atol=1e-10)
    shared = information_breakdown(counts, light, stimuli)
    np.testing.assert_array_equal(found.luminance[:6], shared.luminance[:6])
    assert found.luminance[6:].max() < shared.luminance[6:].min()
    np.testing.assert_array_equal(found.total, shared.total)


def test_every_part_is_what_scikit_learn_counts(rng):
    counts, light, stimuli = recording(rng, units=5)
    found = information_breakdown(counts, light, stimuli, correction="none")
    responses = bin_codes(counts.astype(float), 3, binning="equipopulated", atom=True)
    first = np.array([light[stimuli == s][0] for s in range(STIMULI)])
    bins = bin_codes(first[:, None], 4, binning="equipopulated", atom=False)[stimuli, 0]
    assert found.luminance_bins == 4
    for unit in range(5):
        total, part = (mutual_info_score(responses[:, unit], one) / np.log(2) for one in (stimuli, bins))
        at = [
            (bins == b).mean() * mutual_info_score(responses[bins == b, unit], stimuli[bins == b]) / np.log(2)
            for b in range(4)
        ]
        assert found.total[unit] == pytest.approx(total, abs=1e-12)
        assert found.luminance[unit] == pytest.approx(part, abs=1e-12)
        assert found.rest[unit] == pytest.approx(sum(at), abs=1e-12)


def test_f_high_tells_units_of_luminance_from_units_of_shape(rng):
    counts, light, stimuli = recording(rng, units=20, shape_units=range(10))
    found = information_breakdown(counts, light, stimuli, luminance_bins=10)
    assert np.median(found.f_high[:10]) > 0.5
    assert np.median(found.f_high[10:]) < 0.1
    assert found.per_cell == pytest.approx(TRIALS / 3)
    assert found.notes == ()


def test_noise_alone_reads_nothing_and_has_no_share(rng):
    counts, light, stimuli = recording(rng, units=200)
    found = information_breakdown(rng.permutation(counts), light, stimuli)
    for part in (found.total, found.luminance, found.rest):
        assert abs(part.mean()) < 0.01
    assert np.isnan(found.f_high[found.total <= 0]).all()


def test_few_trials_a_cell_are_noted(rng):
    counts, light, stimuli = recording(rng)
    found = information_breakdown(counts, light, stimuli, response_bins=8)
    assert found.notes[0].startswith(
        "There are 3.7 trials for each cell of stimuli and response bins, fewer than the 4"
    )


def test_responses_without_noise_are_refused_with_the_reason(rng):
    responses, light = rng.random((380, 20)), rng.random(380)
    once = (
        r"I\(R;S\) compares .* 380 stimuli were seen in 380 trials, most of them once: P\(r\|s\) is degenerate, .* Ask"
    )
    with pytest.raises(BadInput, match=once.replace("Ask", "ask about something coarser: unit_information")):
        information_breakdown(responses, light, np.arange(380))
    twice = np.repeat(np.arange(100), 4)
    with pytest.raises(BadInput, match=r"no unit ever answers one stimulus in two ways: P\(r\|s\) is degenerate"):
        information_breakdown(responses[twice], light[twice], twice)


@pytest.mark.parametrize(
    ("change", "error", "sentence"),
    [
        ({"stimuli": np.zeros(50)}, BadInput, r"needs the stimulus of each of the 1040 trials, but shape \(50,\) came"),
        ({"stimuli": np.arange(1040) % 3}, TooFew, r"needs at least 4 stimuli, .* but 3 came"),
        ({"luminance": np.zeros(50)}, BadInput, r"luminance for each of the 1040 trials, .* but shape \(50,\) came"),
        (
            {"luminance": np.arange(1040.0)},
            BadInput,
            r"it differs between trials of one stimulus\. Give the luminance of",
        ),
        ({"luminance": np.full(1040, np.nan)}, BadInput, r"expects finite luminance, but 1040 of 1040"),
        ({"luminance_bins": 41}, TooFew, r"41 bins need at least as many stimuli, but 40 came"),
        ({"correction": "shuffle"}, UnknownName, r"No correction of information_breakdown is called 'shuffle'"),
    ],
)
def test_what_cannot_be_split_is_refused_with_a_sentence(rng, change, error, sentence):
    counts, light, stimuli = recording(rng)
    with pytest.raises(error, match=sentence):
        information_breakdown(**{"responses": counts, "luminance": light, "stimuli": stimuli, **change})
