import pytest
import torch
import torch.nn.functional as F
from torch import nn

from stratoscope.errors import BadInput, UnknownName
from stratoscope.sources.taps import find_taps


def taps(module, size=(8, 8), **options):
    image = torch.linspace(-1, 1, 3 * size[0] * size[1]).reshape(3, *size)
    return {tap.name: tap for tap in find_taps(module.eval(), image, **options).taps}


class Last(nn.Module):
    """Puts channels last in the middle, as ConvNeXt and Swin do."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.linear = nn.Conv2d(3, 6, 1), nn.LayerNorm(6), nn.Linear(6, 7)
        self.act, self.back = nn.GELU(), nn.Conv2d(7, 5, 1)

    def forward(self, x):
        x = self.act(self.linear(self.norm(self.conv(x).permute(0, 2, 3, 1))))
        return self.back(x.permute(0, 3, 1, 2))


@pytest.mark.parametrize("size", [(8, 8), (8, 6), (7, 7), (6, 7), (6, 6)])
def test_channels_are_found_first_and_last_whatever_the_size(size):
    found = {name: tap.layout for name, tap in taps(Last(), size).items()}
    last = dict.fromkeys(("norm", "linear", "act"), "channels-last")
    assert found == {"conv": "channels-first", **last, "back": "channels-first"}


class Block(nn.Module):
    """Keeps its shape and works with channels last inside."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(6, 6)

    def forward(self, x):
        return x + self.linear(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def test_a_cube_has_the_layout_of_what_it_was_made_from():
    found = taps(nn.Sequential(nn.Conv2d(3, 6, 1), Block(), Block(), nn.Identity()), (6, 6))
    assert [name for name, tap in found.items() if tap.layout == "channels-first"] == ["0", "1", "2", "3"]
    assert [name for name, tap in found.items() if tap.layout == "channels-last"] == ["1.linear", "2.linear"]


class LayerNorm2d(nn.LayerNorm):
    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def test_a_norm_that_permutes_leaves_channels_first():
    found = taps(nn.Sequential(nn.Conv2d(3, 4, 1), LayerNorm2d(4)), (8, 6))
    assert found["1"].layout == "channels-first"


def test_a_layout_that_cannot_be_found_out_is_unknown_and_can_be_given():
    class Odd(nn.Module):
        def forward(self, x):
            return x.reshape(len(x), 2, 3, -1)

    module = nn.Sequential(Odd(), nn.Identity())
    assert taps(module)["0"].layout == "unknown"
    given = taps(module, layout={"0": "channels-last"})
    assert [tap.layout for tap in given.values()] == ["channels-last", "unknown"]
    assert {tap.layout for tap in taps(module, layout="channels-first").values()} == {"channels-first"}


def test_layouts_that_do_not_exist_or_do_not_fit_are_refused():
    with pytest.raises(UnknownName, match=r"No layout is called 'chanels-last'\. Did you mean 'channels-last'"):
        taps(Last(), layout="chanels-last")
    with pytest.raises(
        BadInput, match=r"The layout 'tokens' was given for 'conv', and no stage of that name can have it"
    ):
        taps(Last(), layout={"conv": "tokens"})


def test_signals_are_channels_first_where_a_convolution_made_them_and_tokens_elsewhere():
    module = nn.Sequential(nn.Flatten(2), nn.Conv1d(3, 4, 3), nn.ReLU(), nn.Linear(62, 9))
    assert [tap.layout for tap in taps(module).values()] == ["tokens", "channels-first", "channels-first", "tokens"]


class Mixed(nn.Module):
    """Calls non-linearities inside modules that are non-linearities, and beside them."""

    def __init__(self):
        super().__init__()
        self.swish, self.wrapped, self.relu = Swish(), Wrapped(), nn.ReLU()
        self.conv = nn.Conv2d(3, 3, 1)

    def forward(self, x):
        return F.relu(self.conv(self.relu(self.wrapped(self.swish(x)))))


class Swish(nn.Module):
    def forward(self, x):
        return x * x.sigmoid()


class Wrapped(nn.Module):
    def forward(self, x):
        return F.leaky_relu(x)


def test_a_call_inside_an_activation_module_is_not_a_second_stage():
    found = taps(Mixed())
    assert [(name, tap.kind) for name, tap in found.items()] == [
        *(("swish", "activation"), ("wrapped", "activation"), ("relu", "relu"), ("conv", "conv")),
        ("relu:2", "relu"),
    ]
    assert (found["relu:2"].site, found["relu:2"].ordinal, found["relu:2"].calls) == (("function", "relu"), 2, 2)


def test_a_response_that_depends_on_the_batch_is_left_out():
    class Centred(nn.Module):
        def forward(self, x):
            return x - x.mean(0)

    traced = find_taps(nn.Sequential(nn.Conv2d(3, 2, 1), Centred()), torch.ones(3, 4, 4))
    assert [tap.name for tap in traced.taps] == ["0"]
    assert traced.left_out["1"] == "its response to a stimulus depends on the others in the batch"


def test_a_response_whose_first_dimension_is_not_the_stimulus_is_left_out():
    class TokensFirst(nn.Module):
        def forward(self, x):
            return x.flatten(2).permute(2, 0, 1)

    left_out = find_taps(nn.Sequential(TokensFirst()), torch.ones(3, 4, 4)).left_out
    assert left_out["0"].startswith("its first dimension is not the stimulus: its shape is (16, 1, 3) for one stimulus")


def test_attention_counts_as_two_weighted_operations():
    layer = nn.TransformerEncoderLayer(3, 1, 6, batch_first=True)

    class Tokens(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = layer

        def forward(self, x):
            return self.layer(x.flatten(2).transpose(1, 2))

    found = taps(Tokens())
    assert (found["layer.self_attn"].depth, found["layer.linear1"].depth, found["layer"].depth) == (0.5, 0.75, 1.0)


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)

    def forward(self, x):
        return x + self.b(F.relu(self.a(x)))


class Stage(nn.Module):
    """A row of blocks with a little besides."""

    def __init__(self):
        super().__init__()
        self.blocks = nn.Sequential(Residual(), Residual())

    def forward(self, x):
        return self.blocks(x)


class Mlp(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(3, 3, 1), nn.GELU(), nn.Conv2d(3, 3, 1))


class Mixer(nn.Module):
    """Two like parts side by side are one block, not a row of two."""

    def __init__(self):
        super().__init__()
        self.one, self.two = Mlp(), Mlp()

    def forward(self, x):
        x = x + self.one(x)
        return x + self.two(x)


class Unlike(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.then = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)

    def forward(self, x):
        return self.then(self.first(x))


def blocks(module):
    return [name for name, tap in taps(module).items() if tap.kind == "block"]


def test_blocks_are_repeated_outermost_modules_that_do_several_weighted_operations():
    assert blocks(nn.Sequential(Residual(), Residual(), Residual())) == ["0", "1", "2"]
    assert blocks(nn.Sequential(Mixer(), Mixer())) == ["0", "1"]
    assert blocks(nn.Sequential(Residual(), nn.ReLU())) == []
    plain = nn.Sequential(nn.Conv2d(3, 3, 1), nn.ReLU())
    assert blocks(nn.Sequential(plain, plain)) == []


def test_rows_of_blocks_are_looked_through():
    assert blocks(nn.Sequential(Stage(), Stage())) == ["0.blocks.0", "0.blocks.1", "1.blocks.0", "1.blocks.1"]


def test_unlike_siblings_of_blocks_are_blocks():
    assert blocks(nn.Sequential(nn.Conv2d(3, 3, 1), Residual(), Unlike(), Residual())) == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("module", "kind"),
    [
        (nn.ReLU6(), "relu"),
        (nn.Threshold(0.1, 0), "relu"),
        (nn.PReLU(), "activation"),
        (nn.Hardswish(), "activation"),
        (nn.Softmax(1), "other"),
        (nn.BatchNorm2d(3), "norm"),
        (nn.LocalResponseNorm(2), "norm"),
        (nn.AdaptiveAvgPool2d(2), "pool"),
        (nn.ConvTranspose2d(3, 2, 2), "conv"),
        (nn.Dropout(), "other"),
    ],
)
def test_kinds_follow_the_class_of_a_module(module, kind):
    assert taps(nn.Sequential(module))["0"].kind == kind
