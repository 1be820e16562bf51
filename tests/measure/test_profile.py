"""The pass from end to end: laws of batching, bad input found before the pass, one bad stage or image."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import stratoscope as st
from stratoscope.errors import BadInput, BudgetTooSmall, ResultsError, UnknownName, UnreadableStimulus
from stratoscope.metrics import cka, gride, participation_ratio, population_sparseness, stimulus_sparseness, two_nn


class Small(nn.Module):
    """Two convolutions, dropout, batch norm and an in-place ReLU."""

    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(7)
        self.features = nn.Sequential(
            nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(inplace=True), nn.Dropout(), nn.Conv2d(6, 8, 3), nn.ReLU()
        )
        self.head = nn.Linear(8, 4)
        for parameter in self.parameters():
            with torch.no_grad():
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.5)

    def forward(self, x):
        return self.head(self.features(x).mean((2, 3)))


def stimuli(rng, n=40, *, bad=(), categories=4):
    images = rng.random((n, 3, 8, 8), dtype=np.float32)

    def load(row):
        if row in bad:
            raise UnreadableStimulus(f"The image 's{row}' cannot be read.")
        return images[row]

    columns = {"category": np.array([f"c{i % categories}" for i in range(n)])} if categories else {}
    return st.Stimuli("noise", tuple(f"s{i}" for i in range(n)), load, columns)


def run(source, images, **options):
    return st.profile(source, images, progress=False, **options)


def by_hand(images):
    net = Small().eval()
    batch = torch.from_numpy(np.stack([images.load(i) for i in range(len(images))]))
    with torch.inference_mode():
        return net.features[:3](batch)


def test_a_run_gives_what_the_plain_functions_give_on_the_whole_response_matrix(rng):
    images = stimuli(rng)
    results = run(
        st.Network(Small(), stages=["features.2"]),
        images,
        metrics=["population_sparseness", "two_nn", "gride:n1=(1, 2)", "participation_ratio"],
    )
    responses = by_hand(images)
    flat, pooled = responses.flatten(1).numpy(), responses.mean((2, 3)).numpy()
    channel, position = results["features.2", "channel"], results["features.2", "position"]
    expected = population_sparseness(pooled, categories=images.categories)
    np.testing.assert_allclose(channel["population_sparseness"], expected, rtol=1e-6)
    assert float(position["two_nn"]) == pytest.approx(two_nn(flat).value, rel=1e-9)
    np.testing.assert_allclose(position["gride"], gride(flat, n1=(1, 2)).value, rtol=1e-9)
    assert float(position["participation_ratio"]) == pytest.approx(participation_ratio(flat).value, rel=1e-9)


@pytest.mark.parametrize(("batch_size", "workers"), [(1, 1), (7, 3), (40, 2)])
def test_no_number_depends_on_batch_size_or_workers(rng, batch_size, workers):
    images = stimuli(rng)
    one = run(st.Network(Small(), stages="relu"), images, batch_size=13).table()
    other = run(st.Network(Small(), stages="relu"), images, batch_size=batch_size, workers=workers).table()
    for column in ("value", "low", "high"):
        np.testing.assert_allclose(one[column], other[column], rtol=1e-5)


def test_spools_on_disk_give_the_same_numbers_and_leave_nothing_behind(rng, tmp_path):
    images = stimuli(rng)
    # the least budget still holds the summaries; every spool then goes to a file
    with pytest.raises(BudgetTooSmall) as caught:
        run(st.Network(Small(), stages="relu"), images, budget="1kB")
    least = str(caught.value).split("Give --budget ")[1].split(" ")[0]
    small = run(st.Network(Small(), stages="relu"), images, budget=least, out=tmp_path / "run")
    large = run(st.Network(Small(), stages="relu"), images)
    np.testing.assert_allclose(small.table()["value"], large.table()["value"], rtol=1e-12)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_results_are_saved_and_open_again_without_the_network(rng, tmp_path):
    results = run(st.Network(Small(), stages="relu", name="small"), stimuli(rng), out=tmp_path / "run")
    opened = st.open_results(tmp_path / "run")
    assert opened.table().equals(results.table())
    assert opened.run["source"]["weights_sha256"] == results.run["source"]["weights_sha256"]
    assert opened.run["stimuli"]["played"] == 40
    with pytest.raises(ResultsError, match="holds results already"):
        run(st.Network(Small(), stages="relu"), stimuli(rng), out=tmp_path / "run")


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({"stages": "features.9"}, UnknownName, "Did you mean 'features"),
        ({"metrics": ["two_n"]}, UnknownName, "No metric is called 'two_n'. Did you mean 'two_nn'"),
        ({"unit": "chanel"}, UnknownName, "Did you mean 'channel'"),
        ({"batch_size": 0}, BadInput, "at least 1 stimulus a batch"),
        ({"budget": "lots"}, BadInput, "is not a size"),
        ({"budget": "1kB"}, BudgetTooSmall, "needs at least"),
    ],
)
def test_what_is_wrong_is_found_before_the_second_stimulus_is_touched(rng, options, error, sentence):
    images, touched = stimuli(rng), []
    watched = st.Stimuli("noise", images.ids, lambda row: (touched.append(row), images.load(row))[1], images.columns)
    with pytest.raises(error, match=sentence):
        run(st.Network(Small(), stages="relu").select(), watched, **options)
    assert set(touched) <= {0}


def test_one_bad_image_stops_the_run_and_names_itself(rng):
    with pytest.raises(UnreadableStimulus, match="The image 's17' cannot be read"):
        run(st.Network(Small(), stages="relu"), stimuli(rng, bad=(17,)))


def test_skipped_images_are_listed_and_change_nothing_else(rng):
    bad = run(st.Network(Small(), stages="relu"), stimuli(rng, bad=(0, 17)), skip_unreadable=True)
    assert [name for name, _ in bad.skipped] == ["s0", "s17"]
    rest = np.array([i for i in range(40) if i not in (0, 17)])
    whole = run(st.Network(Small(), stages="relu"), stimuli(np.random.default_rng(20201116)).take(rest))
    np.testing.assert_allclose(bad.table()["value"], whole.table()["value"], rtol=1e-5)
    assert bad.failures


def test_not_one_readable_image_is_an_error(rng):
    with pytest.raises((BadInput, UnreadableStimulus)):
        run(st.Network(Small(), stages="relu"), stimuli(rng, n=3, bad=(0, 1, 2)), skip_unreadable=True)


class Overflows(nn.Module):
    """A second stage whose response to bright images is infinite."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.ReLU(), nn.ReLU()

    def forward(self, x):
        return self.second(self.first(x) / (x[:, :, :1, :1] < 0.9))


def test_a_stage_with_infinite_responses_keeps_no_numbers_and_the_others_keep_theirs(rng):
    results = run(st.Network(Overflows(), stages="relu"), stimuli(rng), metrics=["population_sparseness", "two_nn"])
    table = results.table().query("control == ''").set_index("stage")
    assert np.isfinite(table.loc["first", "value"]).all()
    assert np.isnan(table.loc["second", "value"]).all()
    assert table.loc["second", "note"].str.contains("are not finite").all()
    assert results.failures


def test_a_metric_that_refuses_becomes_a_row_with_its_sentence(rng):
    results = run(st.Network(Small(), stages="relu"), stimuli(rng, n=5, categories=0), metrics=["two_nn"])
    assert results.table()["note"].str.contains("two_nn needs at least").all()


def test_responses_that_exist_already_are_profiled_as_they_are(rng):
    responses = {"V1": rng.random((30, 12)), "V4": rng.random((30, 7))}
    source = st.Arrays(responses, name="cortex")
    results = run(source, source.stimuli(), metrics=["two_nn", "lifetime_sparseness"])
    assert list(dict.fromkeys(results.table()["stage"])) == ["V1", "V4"]
    assert float(results["V1"]["two_nn"]) == pytest.approx(two_nn(responses["V1"]).value, rel=1e-9)


@pytest.mark.parametrize("index", ["hoyer", "gini", "kurtosis", "fraction-active"])
def test_every_index_of_sparseness_comes_through_a_run(rng, index):
    images = stimuli(rng)
    results = run(
        st.Network(Small(), stages=["features.2"]), images, metrics=[("stimulus_sparseness", {"index": index})]
    )
    expected = stimulus_sparseness(by_hand(images).mean((2, 3)).numpy(), index=index)
    np.testing.assert_allclose(results["features.2"]["stimulus_sparseness"], expected, rtol=1e-5)


def test_stages_are_compared_in_the_same_pass(rng):
    images = stimuli(rng)
    network = st.Network(Small(), stages=["features.2", "features.5"])
    results = run(network, images, metrics=["cka", "cka:debiased=True", "dead_fraction"])
    biased = results.cross["cka.position"]
    assert list(biased["stage"].to_numpy()) == ["features.2", "features.5"]
    kept = {}
    st.Network(Small(), stages=["features.2", "features.5"], unit="position").play(
        images, lambda stage, rows, responses: kept.setdefault(stage.name, []).append(responses.numpy().copy())
    )
    expected = cka(*(np.concatenate(parts) for parts in kept.values()), debiased=True)
    assert biased.to_numpy()[0, 1] == pytest.approx(expected, rel=1e-6)
    np.testing.assert_array_equal(np.diag(biased), 1)


def test_two_few_stimuli_to_compare_stages_is_a_remark(rng):
    results = run(st.Network(Small(), stages="relu"), stimuli(rng, n=3), metrics=["cka"])
    assert any("cka needs at least 4 stimuli" in remark for remark in results.notes)
