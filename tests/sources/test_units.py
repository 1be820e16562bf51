import numpy as np
import pytest
import torch

from stratoscope.errors import BadInput, UnknownName
from stratoscope.sources.units import unit_name, unit_reader


def read(unit, layout, values, **options):
    return unit_reader(unit, layout, tuple(values.shape[1:]), stage="s", **options)(values)


@pytest.fixture
def maps(rng):
    return torch.from_numpy(rng.normal(size=(3, 4, 5, 6)).astype(np.float32))


@pytest.mark.parametrize("unit", ["channel", "channel:max", "channel:top5", "channel:centre"])
def test_channels_first_and_last_are_read_alike(maps, unit):
    last = maps.permute(0, 2, 3, 1)
    torch.testing.assert_close(read(unit, "channels-last", last), read(unit, "channels-first", maps))
    assert read(unit, "channels-first", maps).shape == (3, 4)


def test_channel_reductions_are_mean_maximum_and_mean_of_the_largest(maps):
    flat = np.sort(maps.numpy().reshape(3, 4, 30), axis=2)
    np.testing.assert_allclose(read("channel", "channels-first", maps), flat.mean(2), atol=1e-6)
    np.testing.assert_allclose(read("channel:max", "channels-first", maps), flat[:, :, -1])
    np.testing.assert_allclose(read("channel:top5", "channels-first", maps), flat[:, :, -5:].mean(2), atol=1e-6)


def test_the_centre_is_one_position_of_odd_and_the_mean_of_two_of_even_extents(maps):
    np.testing.assert_allclose(read("channel:centre", "channels-first", maps), maps[:, :, 2, 2:4].mean(2))


def test_signals_and_volumes_have_channels_too(rng):
    signal = torch.from_numpy(rng.normal(size=(2, 3, 7)))
    torch.testing.assert_close(read("channel", "channels-first", signal), signal.mean(2))
    volume = torch.from_numpy(rng.normal(size=(2, 3, 4, 5, 6)))
    torch.testing.assert_close(read("channel:top5", "channels-first", volume), volume.flatten(2).topk(5).values.mean(2))


def test_positions_are_a_view_without_a_copy(maps):
    assert read("position", "channels-first", maps).data_ptr() == maps.data_ptr()
    assert read("position", "channels-first", maps).shape == (3, 120)


def test_tokens_are_read_by_class_token_mean_and_each(rng):
    tokens = torch.from_numpy(rng.normal(size=(2, 5, 4)))
    torch.testing.assert_close(read("cls", "tokens", tokens), tokens[:, 0])
    torch.testing.assert_close(read("channel:max", "tokens", tokens), tokens.amax(1))
    torch.testing.assert_close(read("channel:top2", "tokens", tokens), tokens.topk(2, dim=1).values.mean(1))
    for unit in ("mean", "channel"):
        torch.testing.assert_close(read(unit, "tokens", tokens), tokens.mean(1))
    for unit in ("token", "position"):
        assert read(unit, "tokens", tokens).shape == (2, 20)


@pytest.mark.parametrize("unit", ["channel", "channel:max", "channel:top5", "channel:centre", "position"])
def test_flat_responses_are_units_already(rng, unit):
    flat = torch.from_numpy(rng.normal(size=(2, 3)))
    assert read(unit, "flat", flat) is flat or torch.equal(read(unit, "flat", flat), flat)
    assert read(unit, "flat", flat[:, 0]).shape == (2, 1)


def test_means_of_half_precision_are_taken_in_single(maps):
    half = (maps + 100).half()
    assert read("channel", "channels-first", half).dtype == torch.float32


def test_one_definition_has_one_name():
    assert unit_name("channel:mean") == "channel"
    with pytest.raises(UnknownName, match=r"No unit definition is called 'channel:top0'\. Did you mean 'channel:top5'"):
        unit_name("channel:top0")


@pytest.mark.parametrize(
    ("unit", "layout", "shape", "message"),
    [
        (
            "channel",
            "unknown",
            (2, 3, 4),
            r"Stage 's' of shape \(2, 3, 4\) has channels in no place that could be found",
        ),
        ("channel:centre", "tokens", (5, 4), r"Stage 's' has tokens, which have no centre\. Read 'mean'"),
        (
            "channel:top9",
            "channels-first",
            (2, 2, 4),
            r"'channel:top9' needs 9 positions, and stage 's' has 8\. Choose K",
        ),
        ("mean", "flat", (7,), r"'mean' reads tokens, and stage 's' has shape \(7,\) \(flat\)\. Choose 'channel' or"),
        (
            "cls",
            "tokens",
            (196, 4),
            r"'cls' reads the class token, and the 196 tokens of stage 's' are a grid of 14 x 14",
        ),
    ],
)
def test_a_definition_that_makes_no_sense_is_refused(unit, layout, shape, message):
    with pytest.raises(BadInput, match=message):
        unit_reader(unit, layout, shape, stage="s")


def test_a_square_number_of_tokens_may_hold_a_class_token_where_the_input_is_not_square(rng):
    tokens = torch.from_numpy(rng.normal(size=(2, 25, 4)))  # 4 x 6 patches and a class token
    torch.testing.assert_close(read("cls", "tokens", tokens, square=False), tokens[:, 0])
