"""The claims of the sparse-coding study on trained networks and their images, where `../shared/data` is.

    python -m benchmarks.claims [resnet20 resnet32 resnet44 cnn3 squeezenet] [--out FOLDER]

Trained against permuted weights (10 seeds) and fresh initialisations (5), and against the same network without gating.
Prints, per network, every claim that is about the intact network or one of these lesions, before and after its controls;
``--out`` keeps each study in a folder of its name. SqueezeNet reads 3,000 images of 227 px seventeen times: about half an
hour of one core.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file
from torch import nn

import stratoscope as st
from stratoscope.studies import sparse_coding

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
LESIONS = ("permute_weights", "reinitialize", "remove_gating")
MODELS = {"permute_weights": 10, "reinitialize": 5}


class Cnn3(nn.Module):
    """Three convolutions of 5 x 5, each with a ReLU and pooling."""

    def __init__(self) -> None:
        super().__init__()
        tensors = load_file(DATA / "weights/cifar10_cnn3_convnetjs/cnn3.safetensors")
        shapes = [tensors[f"conv{i}.weight"].shape for i in (1, 2, 3)]
        self.conv1, self.conv2, self.conv3 = (nn.Conv2d(i, o, 5, padding=2) for o, i, _, _ in shapes)
        self.fc = nn.Linear(*tensors["fc.weight"].shape[::-1])
        self.load_state_dict(tensors)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for conv in (self.conv1, self.conv2, self.conv3):
            x = F.max_pool2d(F.relu(conv(x)), 2)
        return self.fc(x.flatten(1))


def networks() -> dict[str, tuple[st.Network, st.Stimuli]]:
    """Return the networks that are there, each with its images."""
    sys.path.insert(0, str(ROOT / "tests" / "acceptance"))
    import real_networks as real

    cifar = st.open_stimuli(f"{DATA}/images/cifar10_lossless/cifar10_test1000_train2000.npz:test")
    found = {"cnn3": (st.Network(Cnn3(), name="cnn3", preprocess=lambda image: _plain(image) - 0.5), cifar)}
    for n, name in ((3, "resnet20"), (5, "resnet32"), (7, "resnet44")):
        module = real.CifarResNet(n)
        module.load_state_dict(load_file(DATA / f"weights/cifar10_resnet_idelbayev/{name}.safetensors"), strict=False)
        found[name] = (st.Network(module, name=name, preprocess=real.cifar_input), cifar)
    tiny = st.open_stimuli(f"{DATA}/images/tiny_imagenet_20/tiny_imagenet_20x150_64px.zip")
    found["squeezenet"] = (real.squeezenet(), tiny)
    return found


def _plain(image: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.asarray(image, dtype=np.float32).copy()).permute(2, 0, 1) / 255


def main(names: list[str], out: Path | None) -> None:
    """Run the study of each network and print its claims."""
    known = networks()
    for name in names or list(known):
        source, stimuli = known[name]
        folder = None if out is None else out / name
        study = sparse_coding(
            source, stimuli, n_models=MODELS, lesions=LESIONS, progress=False, batch_size=16, out=folder
        )
        print(f"\n{name}: {len(stimuli)} images, {len(set(stimuli.categories))} categories")
        print(study.findings[0])
        shown = study.claims[["claim", "control", "verdict", "value", "low", "high", "p_corrected", "n", "counted"]]
        print(shown.to_string(index=False, float_format="{:.3g}".format), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    main(given.names, given.out)
