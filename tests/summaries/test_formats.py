"""Responses kept in 16 bits: rounded to the nearest, read back as float32, never silently lost."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import stratoscope as st
from stratoscope.errors import BadInput, UnknownName
from stratoscope.summaries import Spool
from stratoscope.summaries.formats import FORMATS


def hard_numbers(rng):
    values = rng.standard_normal(20_000).astype(np.float32) * np.float32(10) ** rng.integers(-30, 30, 20_000)
    ties = (np.arange(2000, dtype=np.uint32) << 16 | np.uint32(0x8000)).view(np.float32)
    return np.concatenate([values, ties, np.array([0.0, -0.0, np.nan, np.inf, -np.inf], dtype=np.float32)])


def test_bfloat16_rounds_as_torch_does(rng):
    values = hard_numbers(rng)
    kept = FORMATS["bfloat16"].unpack(FORMATS["bfloat16"].pack(values))
    np.testing.assert_array_equal(kept, torch.from_numpy(values).bfloat16().float().numpy())


@pytest.mark.parametrize(("name", "error"), [("bfloat16", 2.0**-8), ("float16", 2.0**-11)])
@pytest.mark.parametrize("memory_limit", [None, 0])
def test_a_spool_of_16_bits_gives_back_rounded_responses(rng, tmp_path, name, error, memory_limit):
    responses = rng.standard_normal((50, 700)).astype(np.float32)
    spool = Spool(50, 700, dtype=name, memory_limit=memory_limit, folder=tmp_path, panel_units=256)
    assert spool.nbytes == 2 * responses.size
    spool.write(np.arange(20, 50), responses[20:])
    spool.write(np.arange(20), responses[:20])
    back = np.concatenate([block for _, block in spool.blocks()], axis=1)
    assert back.dtype == np.float32
    np.testing.assert_allclose(back, responses, rtol=error, atol=1e-7)
    assert not np.array_equal(back, responses)


@pytest.mark.parametrize("name", ["bfloat16", "float16"])
def test_a_merge_stores_what_the_other_stored(rng, tmp_path, name):
    responses = rng.standard_normal((8, 40)).astype(np.float32)
    one, other = (Spool(8, 40, dtype=name, memory_limit=limit, folder=tmp_path) for limit in (None, 0))
    one.write(np.arange(4), responses[:4])
    other.write(np.arange(4, 8), responses[4:])
    one.merge(other)
    ((_, block),) = one.blocks()
    kept = FORMATS[name]
    np.testing.assert_array_equal(block, kept.unpack(kept.pack(responses)))


def test_what_float16_cannot_hold_is_a_sentence():
    spool = Spool(1, 2, dtype="float16")
    with pytest.raises(
        BadInput, match="A response of 7e\\+04 came, but float16 holds numbers up to 65,504 only.*bfloat16"
    ):
        spool.write(np.array([0]), np.array([[1.0, 70_000.0]], dtype=np.float32))


def run(spool, **how):
    rng = np.random.default_rng(5)
    stage = np.maximum(rng.standard_normal((60, 4)) @ rng.standard_normal((4, 300)), 0).astype(np.float32)
    images = {"x": stage.reshape(60, 3, 10, 10)}
    stimuli = st.Stimuli("noise", tuple(map(str, range(60))), lambda row: images["x"][row])
    network = st.Network(torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.ReLU()), stages="relu")
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in network.module.parameters():
            parameter.copy_(torch.randn(parameter.shape))
    return st.profile(network, stimuli, metrics=["two_nn"], spool=spool, progress=False, **how)


@pytest.mark.parametrize("spool", ["bfloat16", "float16"])
def test_a_run_in_shards_keeps_16_bits_as_a_run_in_one_go_does(tmp_path, spool):
    plain, once = run(None).table(), run(spool)
    shards = run(spool, out=tmp_path / "run", batch_size=8)
    assert once.run["settings"]["spool"] == shards.run["settings"]["spool"] == spool
    assert shards.table()["value"].to_numpy() == pytest.approx(once.table()["value"].to_numpy(), rel=1e-12)
    assert once.table()["value"].to_numpy() == pytest.approx(plain["value"].to_numpy(), rel=0.02)
    assert once.table()["value"].to_numpy() != pytest.approx(plain["value"].to_numpy(), rel=1e-9)


def test_another_format_is_refused_before_the_pass():
    with pytest.raises(UnknownName, match="No spool format is called 'bf16'"):
        run("bf16")
