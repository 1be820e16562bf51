"""Networks with published weights on real images: accuracies, dimensions and sparseness are the known ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from torch.nn.modules.module import register_module_forward_hook

import stratoscope as st
from stratoscope.cli import main
from stratoscope.sources.receptive_fields import effective_fields, theoretical_fields

pytestmark = pytest.mark.realdata
NETWORKS = Path(__file__).with_name("real_networks.py")
#: The ReLU stages of ResNet-20, counted from 1, whose values are known, with the dimension of each.
DIMENSIONS = {1: 36.8, 4: 64.3, 7: 73.3, 10: 88.4, 13: 62.1, 16: 54.3, 19: 28.6}
SPARSENESS = {1: 0.326, 10: 0.252, 19: 0.375}


@pytest.fixture(autouse=True)
def place(data, monkeypatch):
    monkeypatch.setenv("STRATOSCOPE_DATA", str(data))


@pytest.fixture
def cifar(data):
    return st.open_stimuli(f"{data}/images/cifar10_lossless/cifar10_test1000_train2000.npz:test")


def by_stage(results, metric):
    """Return the values of `metric` at the ReLU stages, in order of execution."""
    table = results.table().query("metric == @metric and control == ''")
    assert table["stage"].is_unique
    return table["value"].to_numpy()


def test_resnet20_has_its_accuracy(cifar):
    network = st.open_source(f"{NETWORKS}:resnet20", stages="linear").prepare(cifar)
    answers = np.empty(len(cifar), dtype=np.int64)

    def visit(_stage, rows, responses):
        answers[rows] = responses.argmax(1)

    network.play(cifar, visit, batch_size=50)
    assert np.mean(answers == cifar.columns["y"]) == pytest.approx(0.915)


def test_resnet20_has_its_dimensions_and_sparseness(cifar):
    source = st.open_source(f"{NETWORKS}:resnet20")
    results = st.profile(source, cifar, metrics=["population_sparseness", "two_nn"], stages="relu", progress=False)
    assert not results.failures
    dimension, sparseness = by_stage(results, "two_nn"), by_stage(results, "population_sparseness")
    assert len(dimension) == len(sparseness) == 19
    for stage, known in DIMENSIONS.items():
        assert dimension[stage - 1] == pytest.approx(known, abs=1), f"ReLU stage {stage}"
    for stage, known in SPARSENESS.items():
        assert sparseness[stage - 1] == pytest.approx(known, abs=0.01), f"ReLU stage {stage}"


def test_a_fresh_resnet20_is_flat_near_thirty(cifar):
    source = st.open_source(f"{NETWORKS}:fresh_resnet20", seed=0)
    dimension = by_stage(st.profile(source, cifar, metrics=["two_nn"], stages="relu", progress=False), "two_nn")
    assert len(dimension) == 19
    assert np.median(dimension) == pytest.approx(30, abs=2)
    assert 26 < dimension.min() < dimension.max() < 35


@pytest.fixture
def logits_of():
    """Write down what modules of a class return, whoever calls them."""
    hooks = []

    def listen(name):
        found = []

        def hook(module, _inputs, output):
            if type(module).__name__ == name:
                found.append(output.detach().cpu().numpy().copy())

        hooks.append(register_module_forward_hook(hook))
        return found

    yield listen
    for hook in hooks:
        hook.remove()


@pytest.mark.parametrize(
    ("network", "name", "stages", "accuracy"),
    [
        ("squeezenet", "SqueezeNet", ("fire[248].relu*", "conv10"), 0.592),
        ("mobilenetv2", "MobileNetV2", (r"re:blocks\.(3|8|16)", "fc"), 0.882),
    ],
)
def test_imagenet_networks_from_the_zip(data, tmp_path, logits_of, network, name, stages, accuracy):
    images = data / "images/imagenet_sample_500/imagenet_sample_500_224px.zip"
    found = logits_of(name)
    options = [word for stage in stages for word in ("--stages", stage)]
    # small batches, so that no response is so large that its memory goes back to the system and is asked for again
    options += ["--unit", "channel", "--metrics", "population_sparseness,two_nn", "--batch-size", "4", "--quiet"]
    line = ["profile", f"{NETWORKS}:{network}", str(images), *options, "--out", str(tmp_path / "run")]
    done = CliRunner().invoke(main, line, catch_exceptions=False)
    assert (done.exit_code, done.stderr) == (0, "")

    results = st.open_results(tmp_path / "run")
    answers = np.concatenate(found)[-500:].argmax(1)  # what came before was the trace of one stimulus
    assert np.mean(answers == results.stimuli["imagenet_index"]) == pytest.approx(accuracy)
    table = results.table().query("control == ''")
    assert table["value"].notna().all()
    assert table.query("metric == 'two_nn'")["value"].between(5, 30).all()
    assert table.query("metric == 'population_sparseness'")["value"].between(0, 1).all()
    assert (tmp_path / "run" / "report.html").stat().st_size > 10_000


def test_the_fields_of_resnet20_grow_as_its_blocks_do_and_nothing_outside_moves_a_unit(cifar):
    network = st.open_source(f"{NETWORKS}:resnet20")
    blocks = [tap for tap in network.taps(cifar) if tap.kind == "block"]
    middle = {
        tap.name: int(np.ravel_multi_index((3, tap.shape[1] // 2, tap.shape[2] // 2), tap.shape)) for tap in blocks
    }
    wired = theoretical_fields(network, cifar, middle)
    heights = [int(field[0].any(axis=1).sum()) for field in wired.values()]
    # 3 pixels after the first convolution, then 4 a block; 2 and then 4 once the stride has doubled; 32 is the image
    assert heights[:5] == [7, 11, 15, 21, 29]
    assert heights[5:] == [32] * 4
    moved = effective_fields(network, cifar, middle, n_stimuli=3)
    assert all(((moved[name] > 0) <= (wired[name] > 0)).all() for name in wired)
    centre = np.array([moved[name][0, 8:24, 8:24].sum() / moved[name].sum() for name in wired])
    assert (centre > 0.4).all()  # the middle quarter of the image has far more than a quarter of what moves the unit
