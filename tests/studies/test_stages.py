"""Known numbers of the sparseness of stages, measured the way the study measures them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from stratoscope.measure.record import Settings
from stratoscope.models.architectures import build
from stratoscope.sources.arrays import Arrays
from stratoscope.sources.network import Network
from stratoscope.studies.hear import KeptResponses, hear
from stratoscope.studies.liu2020.protocol import PSI, Protocol
from stratoscope.studies.liu2020.stages import Closing, close
from stratoscope.types import Stimuli

SETTINGS = Settings(64, 1, 10**9, 0, skip_unreadable=False, progress=False)


def closed(source, stimuli, **options):
    heard = hear(source, stimuli, kept="", settings=SETTINGS, label="test")
    protocol = Protocol(n_subsets=2, n_resamples=2, **options)
    smallest = min(stage.n_units for stage in heard.stages)
    return {result.stage.name: result for result in close(heard, Closing(protocol, "", None, smallest, whole=False))}


def of_arrays(arrays, **options):
    source = Arrays(
        arrays, columns={"category": np.array([f"{i:04d}" for i in range(len(next(iter(arrays.values()))))])}
    )
    return closed(source, source.stimuli(), **options)


def median(result, name=PSI):
    return float(np.median(result.arrays[name].data))


def test_noise_depends_on_the_number_of_units_as_tabulated(rng):
    expected = {64: 0.158, 128: 0.133, 256: 0.116, 512: 0.100, 1024: 0.090, 4096: 0.072}
    found = of_arrays({str(n): rng.normal(size=(1000, n)) for n in expected})
    for n, value in expected.items():
        assert median(found[str(n)]) == pytest.approx(value, abs=0.01)


def test_size_matching_takes_the_dependence_on_the_number_of_units_away(rng):
    found = of_arrays({str(n): rng.normal(size=(300, n)) for n in (64, 1024)})
    large = median(found["1024"], f"{PSI}.size-matched")
    assert large == pytest.approx(median(found["64"]), abs=0.01)
    control = [row for row in found["1024"].rows if row.control == "size-matched to 64 units"]
    assert control[0].value == pytest.approx(large, abs=0.01)


def test_dead_units_lower_it_as_tabulated_and_raise_the_raw_index(rng):
    table = {0.0: (0.63, 0.67), 0.25: (0.56, 0.75), 0.5: (0.46, 0.83), 0.75: (0.30, 0.92), 0.9: (0.14, 0.97)}
    arrays = {}
    for dead in table:
        values = rng.gamma(0.5, size=(1000, 512))
        values[:, rng.choice(512, round(dead * 512), replace=False)] = 0
        arrays[str(dead)] = values
    found = of_arrays(arrays)
    for dead, (psi, raw) in table.items():
        result = found[str(dead)]
        assert median(result) == pytest.approx(psi, abs=0.02)
        assert median(result, "raw_treves_rolls") == pytest.approx(raw, abs=0.02)
        assert float(result.arrays["dead_fraction"].data) == pytest.approx(dead, abs=0.001)
        assert median(result, f"{PSI}.without-constant-units") == pytest.approx(0.63, abs=0.03)


def test_a_constant_unit_with_float_residue_counts_as_constant(rng):
    values = rng.random((50, 20))
    values[:, 0] = 3 + rng.random(50) * 1e-7
    result = of_arrays({"one": values})["one"]
    assert float(result.arrays["constant_fraction"].data) == pytest.approx(1 / 20)
    assert float(result.arrays["dead_fraction"].data) == 0


def reference(module, images, codes):
    """PSI as DNNBrain and the published code compute it: hooks, spatial means, category means, z, min-max, the index."""
    kept = {}

    def keep(name):
        def hook(_module, _given, output):
            times = sum(key.partition(":")[0] == name for key in kept)
            kept[f"{name}:{times + 1}" if times else name] = output.detach().clone().double().numpy()

        return hook

    gates = {name: part for name, part in module.named_modules() if isinstance(part, nn.ReLU)}
    hooks = [part.register_forward_hook(keep(name)) for name, part in gates.items()]
    with torch.no_grad():
        module(torch.from_numpy(images))
    for hook in hooks:
        hook.remove()
    return {name: _psi(output, codes) for name, output in kept.items()}


def _psi(maps, codes):
    units = maps.mean(axis=(2, 3)) if maps.ndim == 4 else maps
    means = np.stack([units[codes == code].mean(axis=0) for code in np.unique(codes)])
    with np.errstate(all="ignore"):
        z = np.nan_to_num((means - means.mean(axis=0)) / means.std(axis=0)).T
        spread = np.ptp(z, axis=0)
        x = (z - z.min(axis=0)) / np.where(spread == 0, 1, spread)
        a = x.mean(axis=0) ** 2 / (x**2).mean(axis=0)
    a[x.sum(axis=0) == 0] = 1
    return (1 - a) / (1 - 1 / len(x))


@pytest.mark.parametrize("name", ["alexnet", "vgg", "resnet"])
def test_a_plain_numpy_reference_agrees_at_every_stage(name, rng):
    # in double precision: in what order single precision adds up over positions depends on the processor
    module = build(name, seed=4).eval().double()
    module.register_forward_pre_hook(lambda _module, given: (given[0].double(),))
    codes = np.repeat(np.arange(6), 4)
    images = (rng.normal(size=(6, 3, 64, 64))[codes] + 0.3 * rng.normal(size=(24, 3, 64, 64))).astype(np.float32)
    stimuli = Stimuli("noise", tuple(map(str, range(24))), lambda row: images[row], {"category": codes.astype(str)})
    source = Network(module, stages="relu", unit="channel").prepare(stimuli)
    found = closed(source, stimuli)
    expected = reference(module, images, codes)
    assert {stage.name for stage in source.stages} == set(expected)
    for stage, values in expected.items():
        np.testing.assert_allclose(found[stage].arrays[PSI].data, values, atol=1e-9, err_msg=stage)


def test_kept_responses_merge_and_refuse_an_overlap(rng):
    values = rng.random((6, 3)).astype(np.float32)
    one, other = KeptResponses(6, 3), KeptResponses(6, 3)
    one.update(np.array([4, 0]), values[[4, 0]])
    other.update(np.array([1, 2, 3, 5]), torch.from_numpy(values[[1, 2, 3, 5]]))
    one.merge(other)
    np.testing.assert_array_equal(one.state()["responses"], values)
    assert one.state()["seen"].all()
    with pytest.raises(ValueError, match="have seen the same stimulus"):
        one.merge(other)
