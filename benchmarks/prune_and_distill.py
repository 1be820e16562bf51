"""The claims of the prune-and-distill study on bundled networks and on a published one, where `../shared/data` is.

    python -m benchmarks.prune_and_distill [alexnet vgg resnet vit resnet20-coil20 resnet20-eth80] [--quick] [--out FOLDER]
    python -m benchmarks.prune_and_distill fields

The bundled networks see 380 views of ten objects and 3,000 random ones, against five fresh initialisations, five permutations of
their weights and their first checkpoint. ResNet-20, trained on CIFAR-10, sees photographs of objects on turntables: 24 of the
72 views of each object of COIL-20 for read-out and the others for information; all 41 views of two objects of each category of
ETH-80 for read-out and of the other three for information. Prints every claim before and after its controls, and the time.
With --quick 1,000 random views, 300 units a stage, 20 shuffles, 400 stimuli for the dimension and 15 pairs of objects.
`fields` measures the same four properties on the whole image and within the fields of 200 units a stage of the bundled AlexNet, against
five fresh initialisations, and prints information by stage and the claims about it.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

import stratoscope as st
from stratoscope.studies import prune_and_distill
from stratoscope.studies.muratore2022.fields import WEIGHTED
from stratoscope.studies.muratore2022.protocol import FIELDS, Protocol

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
#: Stages at which ResNet-20 is read: its first gate and the last one of every block.
BLOCKS = ("name:relu", *(f"name:layer{i}.{j}.relu:2" for i in (1, 2, 3) for j in (0, 1, 2)))
BUNDLED = ("alexnet", "vgg", "resnet", "vit")
QUICK = Protocol(n_units=300, n_shuffles=20, dimension_stimuli=400, n_readout_units=60, n_populations=3, n_pairs=15)


def coil20() -> tuple[st.Stimuli, st.Stimuli]:
    """Return every third view of each object for read-out, and the others."""
    file = np.load(DATA / "images/coil20_32px/coil20_32x32.npz")
    images, objects = file["images"], file["object"].astype(str)
    view = np.arange(len(images)) % 72
    ids = tuple(f"{one}_{angle:02d}" for one, angle in zip(objects, view, strict=True))

    def load(row: int) -> Image.Image:
        return Image.fromarray(images[row]).convert("RGB")

    whole = st.Stimuli("COIL-20", ids, load, {"category": objects, "object": objects, "view": view}, "coil20")
    return whole.take(np.flatnonzero(view % 3 == 0)), whole.take(np.flatnonzero(view % 3))


def eth80() -> tuple[st.Stimuli, st.Stimuli]:
    """Return all views of two objects of each category for read-out, and those of the other three, at 32 pixels."""
    whole = st.open_stimuli(f"{DATA}/images/eth80_128px/eth80_40objects_128px.zip")
    view = np.array([f"{a}_{b}" for a, b in zip(whole.columns["elevation"], whole.columns["azimuth"], strict=True)])
    number = np.array([int("".join(filter(str.isdigit, name))) for name in whole.columns["object"]])

    def load(row: int) -> Image.Image:
        return whole.load(row).resize((32, 32), Image.Resampling.LANCZOS)

    named = st.Stimuli("ETH-80", whole.ids, load, {"object": whole.columns["object"], "view": view}, whole.fingerprint)
    first = np.isin(number, np.unique(number)[:2])
    return named.take(np.flatnonzero(first)), named.take(np.flatnonzero(~first))


def resnet20() -> st.Network:
    """Return ResNet-20 with its published weights."""
    sys.path.insert(0, str(ROOT / "tests" / "acceptance"))
    import real_networks as real
    from safetensors.torch import load_file

    module = real.CifarResNet(3)
    module.load_state_dict(load_file(DATA / "weights/cifar10_resnet_idelbayev/resnet20.safetensors"), strict=False)
    return st.Network(module, name="resnet20", preprocess=real.cifar_input)


def run(name: str, out: Path | None, *, quick: bool) -> None:
    """Run one study and print it."""
    wall, cpu = time.perf_counter(), time.process_time()
    protocol = QUICK if quick else Protocol()
    options = {
        "out": None if out is None else out / name, "overwrite": True, "progress": False, "protocol": protocol,
    }  # fmt: skip
    if name in BUNDLED:
        stages = "block" if name == "vit" else "relu"
        dense = st.open_stimuli(f"objects:dense?n={1000 if quick else 3000}&seed=7")
        study = prune_and_distill(
            st.open_source(f"bundled:{name}"), st.open_stimuli("objects:"), dense=dense, stages=stages,
            checkpoints=f"bundled:{name}@*", **options,
        )  # fmt: skip
    else:
        views, dense = {"resnet20-coil20": coil20, "resnet20-eth80": eth80}[name]()
        study = prune_and_distill(resnet20(), views, dense=dense, stages=BLOCKS, **options)
    print(f"\n{name}: {time.perf_counter() - wall:.0f} s, {time.process_time() - cpu:.0f} s of processor time")
    print(study.findings[0])
    shown = study.claims[["claim", "control", "verdict", "value", "low", "high", "p_corrected", "counted"]]
    print(shown.to_string(index=False, float_format="{:.3g}".format), flush=True)


def fields() -> None:
    """Print what the choice of the field changes."""
    small = replace(QUICK, n_units=200, n_readout_units=5, n_draws=5, n_populations=1, dimension_stimuli=60)
    for field in FIELDS:
        wall, cpu = time.perf_counter(), time.process_time()
        study = prune_and_distill(
            st.open_source("bundled:alexnet"), st.open_stimuli("objects:"), dense=st.open_stimuli("objects:dense?n=1000&seed=7"),
            untrained="fresh", progress=False, protocol=replace(small, field=field, properties=tuple(WEIGHTED)),
        )  # fmt: skip
        print(f"\n{field}: {time.perf_counter() - wall:.0f} s, {time.process_time() - cpu:.0f} s of processor time")
        table = study.table().query("metric == 'property_information' and control == ''")
        table = table.assign(model=np.where(table["lesion"] == "", "trained", "fresh"))
        print(table.pivot_table(index=["item", "model"], columns="stage", values="value").round(3).to_string())
        shown = study.claims.query("claim.str.startswith('information-falls')")
        shown = shown[["claim", "control", "verdict", "value", "low", "high", "p_corrected"]]
        print(shown.to_string(index=False, float_format="{:.3g}".format), flush=True)


def main(asked: list[str]) -> None:
    """Run the studies asked for."""
    out = Path(asked[asked.index("--out") + 1]) if "--out" in asked else None
    names = [name for name in asked if not name.startswith("--") and name != str(out)]
    if "fields" in names:
        fields()
        return
    for name in names or [*BUNDLED, "resnet20-coil20", "resnet20-eth80"]:
        run(name, out, quick="--quick" in asked)


if __name__ == "__main__":
    main(sys.argv[1:])
