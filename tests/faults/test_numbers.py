"""Numbers: NaN, infinity, overflow and half precision cost one stage and are named."""

from __future__ import annotations

import inspect

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import stratoscope as st
import stratoscope.metrics
from stratoscope.measure.not_finite import rows_not_finite
from stratoscope.metrics.declare import METRICS

N = 40
RESPONSES = np.random.default_rng(0).random((N, 8))


def spoilt(value):
    responses = RESPONSES * 2
    responses[3, 2] = value
    return responses


BAD = {
    "nan": spoilt(np.nan), "infinite": spoilt(np.inf), "minus infinite": spoilt(-np.inf), "all nan": np.full_like(RESPONSES, np.nan),
    "beyond squares": spoilt(1e200), "infinities that cancel": np.where(np.arange(8) == 5, -np.inf, spoilt(np.inf)),
}  # fmt: skip


def metrics():
    """Return every metric there is, about a column where it needs one."""
    about = {name: inspect.signature(METRICS[name].function).parameters for name in METRICS}
    return [(name, {"values": "azimuth"} if "values" in takes else {}) for name, takes in about.items()]


def profiled(middle):
    category = np.array(["a", "b", "c", "d"])[np.arange(N) % 4]
    stages = {"first": RESPONSES, "middle": middle, "last": RESPONSES[::-1].copy()}
    source = st.Arrays(stages, name="x", columns={"category": category, "azimuth": np.arange(N) // 4.0})
    return st.profile(source, source.stimuli(), metrics=metrics(), progress=False)


@pytest.fixture(scope="module")
def sound():
    return profiled(RESPONSES * 2)


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_value_costs_every_metric_of_its_stage_and_none_of_another(sound, kind):
    """NaN, infinity, or a value too large to be squared in one stage, for every metric there is -> NaN and a note at that stage; the other stages to the last bit as without it; comparisons of stages lose its row alone."""
    found = profiled(BAD[kind])
    before, after = sound.table(), found.table()
    for stage in ("first", "last"):
        rows = [table[table["stage"] == stage].reset_index(drop=True) for table in (before, after)]
        pd.testing.assert_frame_equal(*rows)
    middle = after[after["stage"] == "middle"]
    assert middle["value"].isna().all()
    assert middle["note"].str.contains("are not finite").all()
    assert set(middle["metric"]) >= set(before[before["stage"] == "middle"]["metric"])
    for name, matrix in found.cross.data_vars.items():
        assert np.isnan(matrix.values[1]).all()
        np.testing.assert_array_equal(matrix.values[::2, ::2], sound.cross[name].values[::2, ::2])
    assert any(
        note.startswith("cka compares nothing with middle, whose responses are not finite") for note in found.notes
    )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_rows_are_found_in_every_format(dtype):
    """NaN or infinity in float16, bfloat16, float32 or float64 -> found; a sum that overflows by itself is no fault."""
    responses = torch.ones(5, 3, dtype=dtype)
    assert not len(rows_not_finite(responses))
    for value in (torch.nan, torch.inf, -torch.inf):
        spoiled = responses.clone()
        spoiled[2, 1] = value
        assert rows_not_finite(spoiled).tolist() == [2]
    largest = min(torch.finfo(dtype).max / 2, 1e99)
    assert not len(rows_not_finite(torch.full((40, 40), largest, dtype=dtype)))


class Overflows(nn.Module):
    """Its second stage is about 100,000 in value: too large for float16 and nothing else."""

    def __init__(self):
        super().__init__()
        self.conv, self.relu, self.wide, self.late = nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.ReLU()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            for module in (self.conv, self.wide):
                nn.init.uniform_(module.weight, 0.0, 1.0)

    def forward(self, x):
        return self.late(self.wide(self.relu(self.conv(x)) * 1000))


class InHalf(nn.Module):
    def __init__(self, dtype):
        super().__init__()
        self.inner, self.dtype = Overflows().to(dtype), dtype

    def forward(self, x):
        return self.inner(x.to(self.dtype))


def network(kind):
    def preprocess(image):
        return torch.from_numpy(np.asarray(image, dtype=np.float32).transpose(2, 0, 1) / 255)

    if kind in ("float16", "bfloat16"):
        return st.Network(InHalf(getattr(torch, kind)), preprocess=preprocess, name="n")
    return st.Network(Overflows(), preprocess=preprocess, name="n", autocast=kind.partition(" ")[2] or None)


@pytest.mark.parametrize("kind", ["float16", "autocast float16", "bfloat16", "autocast bfloat16", "float32"])
def test_overflow_in_half_precision_is_named_and_says_what_to_do(kind):
    """Overflow in half precision (float16 weights, or autocast) -> the stages behind it have no numbers, and the note names float16, its limit of 65,504, and bfloat16 as the way out; with bfloat16 or float32 all is measured."""
    views = st.open_stimuli("objects:dense?n=12&seed=1&objects=jug,star&pixels=24")
    results = st.profile(network(kind), views, stages="relu", metrics=["two_nn", "unit_mean"], progress=False)
    early, late = (
        results.table().query(f"stage.str.endswith('{name}') and control == ''") for name in (".relu", "late")
    )
    early = results.table().query("depth < 1 and control == ''") if not len(early) else early
    assert early["value"].notna().all()
    said = results.run["source"]["arithmetic"]
    assert said == kind
    if kind.endswith("float16") and "bfloat16" not in kind:
        assert late["value"].isna().all()
        expected = f"The network computes in half precision ({kind}), which overflows above 65,504: take bfloat16"
        assert late["note"].str.contains(expected, regex=False).all()
    else:
        assert late["value"].notna().all()
