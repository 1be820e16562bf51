import hashlib
import pickle

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from stratoscope.errors import WeightsError
from stratoscope.sources.weights import load_weights, weights_hash


def toy(width=4, seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Conv2d(3, width, 3), nn.BatchNorm2d(width), nn.ReLU(), nn.Flatten(), nn.LazyLinear(2))


@pytest.fixture
def donor():
    network = toy(seed=1)
    network(torch.zeros(2, 3, 5, 5))
    return network


@pytest.fixture
def taker():
    network = toy(seed=2)
    network(torch.zeros(2, 3, 5, 5))
    return network


def same(a, b):
    return weights_hash(a) == weights_hash(b)


def test_safetensors_load_whole(donor, taker, tmp_path):
    save_file(donor.state_dict(), tmp_path / "w.safetensors")
    assert not same(donor, taker)
    load_weights(taker, tmp_path / "w.safetensors")
    assert same(donor, taker)


@pytest.mark.parametrize("ending", [".pt", ".pth", ".bin"])
@pytest.mark.parametrize(
    "nest",
    [
        lambda state: state,
        lambda state: {"state_dict": state, "epoch": 3},
        lambda state: {"model": {"module." + name: value for name, value in state.items()}},
        lambda state: {"_orig_mod." + name: value for name, value in state.items()},
    ],
)
def test_checkpoints_load_also_nested_and_prefixed(donor, taker, tmp_path, ending, nest):
    torch.save(nest(dict(donor.state_dict())), tmp_path / f"w{ending}")
    load_weights(taker, tmp_path / f"w{ending}")
    assert same(donor, taker)


def test_only_the_step_counter_of_batch_norm_may_be_missing(donor, taker, tmp_path):
    state = {k: v for k, v in donor.state_dict().items() if not k.endswith("num_batches_tracked")}
    save_file(state, tmp_path / "w.safetensors")
    load_weights(taker, tmp_path / "w.safetensors")
    assert torch.equal(taker[0].weight, donor[0].weight)
    del state["1.running_mean"]
    save_file(state, tmp_path / "w.safetensors")
    with pytest.raises(WeightsError, match=r"1 of the network's 9 tensors are missing, such as '1\.running_mean'"):
        load_weights(taker, tmp_path / "w.safetensors")


def test_tied_copies_may_be_missing(tmp_path):
    tied = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    tied[1].weight = tied[0].weight
    state = {k: v.detach().clone() for k, v in tied.state_dict().items() if k != "1.weight"}
    save_file(state, tmp_path / "w.safetensors")
    with torch.no_grad():
        tied[0].weight.zero_()
    load_weights(tied, tmp_path / "w.safetensors")
    assert torch.equal(tied[1].weight, state["0.weight"])
    assert tied[1].weight is tied[0].weight


def test_other_shapes_are_listed_with_both_and_nothing_is_changed(donor, tmp_path):
    wide = toy(width=5)
    wide(torch.zeros(2, 3, 5, 5))
    before = weights_hash(wide)
    save_file(donor.state_dict(), tmp_path / "w.safetensors")
    with pytest.raises(
        WeightsError, match=r"'0\.weight' is \(4, 3, 3, 3\) in the file and \(5, 3, 3, 3\) in the network"
    ):
        load_weights(wide, tmp_path / "w.safetensors")
    assert weights_hash(wide) == before


def test_other_names_are_counted_and_the_nearest_is_named(donor, taker, tmp_path):
    state = donor.state_dict()
    state["0.weights"] = state.pop("0.weight")
    before = weights_hash(taker)
    save_file(state, tmp_path / "w.safetensors")
    with pytest.raises(WeightsError, match=r"1 in the file are not in the network.*Did you mean '0\.weight'\?"):
        load_weights(taker, tmp_path / "w.safetensors")
    assert weights_hash(taker) == before


class Thief:
    def __reduce__(self):
        return print, ("code ran",)


def test_a_pickle_with_code_is_refused_and_does_not_run(taker, tmp_path, capsys):
    torch.save({"state_dict": taker.state_dict(), "x": Thief()}, tmp_path / "w.pth")
    (tmp_path / "w.bin").write_bytes(pickle.dumps(Thief()))
    for name in ("w.pth", "w.bin"):
        with pytest.raises(WeightsError, match=r"would run code.*refused.*save_file"):
            load_weights(taker, tmp_path / name)
    assert "code ran" not in capsys.readouterr().out


def test_a_whole_pickled_module_is_refused(taker, tmp_path):
    torch.save(taker, tmp_path / "w.pt")
    with pytest.raises(WeightsError, match="holds more than tensors"):
        load_weights(taker, tmp_path / "w.pt")


def test_a_file_of_another_format_is_not_called_code(taker, tmp_path):
    (tmp_path / "w.pth").write_text("<html>404 not found</html>")
    with pytest.raises(WeightsError, match="damaged, cut short or of another format"):
        load_weights(taker, tmp_path / "w.pth")


@pytest.mark.parametrize("name", ["w.safetensors", "w.pth"])
@pytest.mark.parametrize("kept", [0, 20, 700])
def test_a_file_cut_short_is_named_as_damaged(donor, taker, tmp_path, name, kept):
    path = tmp_path / name
    save_file(donor.state_dict(), path) if name.endswith("safetensors") else torch.save(donor.state_dict(), path)
    path.write_bytes(path.read_bytes()[:kept])
    before = weights_hash(taker)
    with pytest.raises(WeightsError, match=rf"{kept} bytes\) cannot be read as weights: it is damaged"):
        load_weights(taker, path)
    assert weights_hash(taker) == before


def test_a_file_that_is_not_there_or_of_another_kind_is_refused(taker, tmp_path):
    with pytest.raises(WeightsError, match="There is no weights file"):
        load_weights(taker, tmp_path / "none.pth")
    (tmp_path / "w.h5").write_bytes(b"x")
    with pytest.raises(WeightsError, match=r"read from \.safetensors or .*is neither"):
        load_weights(taker, tmp_path / "w.h5")


def test_a_checkpoint_without_weights_is_refused(taker, tmp_path):
    torch.save({"epoch": 3, "loss": 0.1}, tmp_path / "w.pt")
    with pytest.raises(WeightsError, match="2 entries that are not tensors, such as 'epoch', 'loss'"):
        load_weights(taker, tmp_path / "w.pt")
    torch.save([1, 2], tmp_path / "w.pt")
    with pytest.raises(WeightsError, match="holds a list instead of weights by name"):
        load_weights(taker, tmp_path / "w.pt")


def test_the_hash_is_of_names_types_shapes_and_bytes_in_name_order():
    linear = nn.Linear(2, 1)
    digest = hashlib.sha256()
    for name, tensor in (("bias", linear.bias), ("weight", linear.weight)):
        digest.update(f"{name} torch.float32 {tuple(tensor.shape)}\n".encode() + tensor.detach().numpy().tobytes())
    assert weights_hash(linear) == digest.hexdigest()


def test_the_hash_changes_with_one_weight(donor):
    before = weights_hash(donor)
    with torch.no_grad():
        donor[0].weight[0, 0, 0, 0] += 1e-6
    assert weights_hash(donor) != before
    assert len(weights_hash(donor.to(torch.bfloat16))) == 64
