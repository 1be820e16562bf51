"""Every bad input, typed as a user would: one sentence, the right exit code, and nothing half-written."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from safetensors.torch import save_file

import stratoscope as st
from stratoscope.cli import main
from stratoscope.stimuli import folder

NETWORKS = '''
import torch
from torch import nn

from stratoscope import Network


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.relu = nn.Conv2d(3, 4, 3, stride=2), nn.ReLU()
        self.late, self.head = nn.ReLU(), nn.Linear(4, 3)
        self.unused = nn.Linear(2, 2)
        nn.init.ones_(self.head.bias)  # so that no unit is dead

    def forward(self, x):
        return self.late(self.head(self.relu(self.conv(x)).mean((2, 3))))


class Overflows(Small):
    """The last stage is infinite for images that are bright throughout."""

    def forward(self, x):
        pooled = self.relu(self.conv(x)).mean((2, 3))
        return self.late(pooled / (x.mean((1, 2, 3)) < 1.0).float()[:, None] + 1)


def small():
    return Small()


def nan():
    network = Small()
    nn.init.constant_(network.head.weight, float("nan"))
    return network


def overflows():
    return Overflows()


def bare():
    return Network(Small())


def number():
    return 7


def fails():
    return nn.Lineer(3, 3)


def wide():
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 5), nn.ReLU())
'''
SMALL = "profile net.py:small photos --size 16 --out run"


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch, rng):
    """A folder to type in: twelve images in two class folders, and a file of networks."""
    monkeypatch.chdir(tmp_path)
    for name in ("cat", "dog"):
        Path("photos", name).mkdir(parents=True)
        for number in range(6):
            Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(f"photos/{name}/{number}.png")
    Path("net.py").write_text(NETWORKS)
    return tmp_path


@pytest.fixture
def loads(monkeypatch):
    """Write down every image that is read."""
    read, original = [], folder.read_image
    monkeypatch.setattr(folder, "read_image", lambda path: (read.append(path.name), original(path))[1])
    return read


def everything():
    return {path: path.read_bytes() if path.is_file() else None for path in sorted(Path().rglob("*"))}


def type_in(line):
    return CliRunner().invoke(main, line.split(), catch_exceptions=False)


def refused(line, code=2):
    """Type `line`; return the one sentence it is refused with, having changed no file."""
    before = everything()
    done = type_in(line)
    assert (done.exit_code, done.stdout) == (code, "")
    assert everything() == before
    sentence, end = done.stderr.removeprefix("stratoscope: "), done.stderr[-1:]
    assert done.stderr.startswith("stratoscope: ")
    assert end == "\n"
    assert sentence.count("\n") == 1
    assert sentence.rstrip()[-1] in ".?"
    return sentence.rstrip()


def opened():
    return st.open_results("run")


# images


def jpeg(path, keep):
    Image.effect_noise((64, 64), 80).convert("RGB").save(path, "JPEG")
    path.write_bytes(path.read_bytes()[: int(keep * path.stat().st_size)])


def truncated(path):
    jpeg(path, 0.6)


def empty(path):
    path.write_bytes(b"")


def dangling(path):
    path.symlink_to("nowhere.jpg")


def not_an_image(path):
    path.write_bytes(b"<html>not found</html>")


DAMAGE = {
    truncated: "the image is damaged or truncated (image file is truncated (",
    empty: "the file is empty (0 bytes). ",
    dangling: "the file is not there. ",
    not_an_image: "its 22 bytes are no image of a format known here. ",
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", ["0.jpg", "zzz.jpg"])
def test_one_bad_image_stops_the_run_and_is_named(damage, name):
    damage(Path("photos/cat", name))
    said = refused(f"{SMALL} --quiet", code=1)
    assert said.startswith(f"Stimulus 'photos/cat/{name}' cannot be read: {DAMAGE[damage]}")
    assert said.endswith("Replace it, or go on without it with --skip-unreadable, which lists what it leaves out.")


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", ["0.jpg", "zzz.jpg"])
def test_one_bad_image_is_left_out_on_demand_and_listed(damage, name):
    damage(Path("photos/cat", name))
    done = type_in(f"{SMALL} --skip-unreadable --metrics two_nn")
    assert done.exit_code == 1
    assert done.stderr.startswith(
        f"failed: Stimulus 'cat/{name}' was left out: Stimulus 'photos/cat/{name}' cannot be read: "
    )
    assert done.stderr.count("\n") == 1
    ((skipped, why),) = opened().skipped
    assert skipped == f"cat/{name}"
    assert DAMAGE[damage] in f"{why} "
    assert opened().run["stimuli"]["played"] == 12
    assert f"cat/{name}" in Path("run/report.html").read_text()
    assert opened().table()["n"].max() == 12


def test_a_file_that_may_not_be_read_is_named(monkeypatch):
    original = Path.read_bytes

    def forbid(path):
        if path.name == "3.png" and path.parent.name == "dog":
            raise PermissionError(13, "Permission denied")
        return original(path)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", forbid)
        done = type_in(SMALL)
    assert done.exit_code == 1
    assert done.stderr == (
        "stratoscope: Stimulus 'photos/dog/3.png' cannot be read: the system says Permission denied. Replace it, or go "
        "on without it with --skip-unreadable, which lists what it leaves out.\n"
    )
    assert not Path("run").exists()


def test_not_one_readable_image_is_no_run_even_when_skipping():
    for path in Path("photos").rglob("*.png"):
        path.write_bytes(b"")
    assert "the file is empty (0 bytes)" in refused(f"{SMALL} --skip-unreadable", code=1)


def test_images_of_different_size_need_a_preprocess():
    Image.new("RGB", (20, 16)).save("photos/dog/4.png")
    assert refused("profile net.py:bare photos --out run") == (
        "Stimulus 'dog/4.png' has shape (3, 16, 20) after preprocessing, and those before it (3, 16, 16) (channel, row, "
        "column). Give a preprocess that resizes and crops to one size."
    )
    assert type_in(f"{SMALL} --quiet").exit_code == 0


def test_a_category_with_one_image_is_measured_and_said():
    Path("photos/lone").mkdir()
    Image.new("RGB", (16, 16), (200, 30, 90)).save("photos/lone/only.png")
    assert type_in(SMALL).exit_code == 0
    said = "1 of 3 categories have a single image (first: 'lone'); metrics that need two in each category will refuse"
    assert any(said in note for note in opened().notes)
    assert "have a single image" in Path("run/report.html").read_text()
    assert refused(f"{SMALL} --overwrite --per-category 2") == (
        "1 of 3 categories of 'folder:photos' have fewer than 2 stimuli (first: 'lone' (1)). Ask for at most 1 of each."
    )


STIMULI = {
    "phtos": "There is no file or folder 'phtos'. Did you mean 'photos'? Expected a folder of images, a table (.csv, .tsv), "
    "an .npz, a .zip, or 'kind:place' such as 'torchvision:NAME'.",
    "fodler:photos": "No kind of stimuli is called 'fodler'. Did you mean 'folder'?",
    "photos/cat/0.png": "'photos/cat/0.png' is a single image. Expected a folder of images, ",
    "bare/": "There is no image in the folder 'bare/' or below it. Expected files ending in ",
    "list.csv": "'list.csv' has no column with image paths: expected one called path, file, filename, image or stimulus, "
    "found 'pth', 'colour'. Did you mean 'pth'? Name it with image_column.",
    "gone.csv": "1 of 2 images listed in 'gone.csv' are not there: 'photos/cat/99.png'. They were looked for in '.'; name "
    "another folder with root.",
    "broken.npz": "'broken.npz' is not a whole .npz (",
    "flat.npz": "'flat.npz' has no candidates for an array of images, among: x float64(4,). Expected one with 3 or 4 ",
}


@pytest.mark.parametrize("stimuli", STIMULI)
def test_wrong_stimuli(stimuli):
    Path("bare").mkdir()
    Path("list.csv").write_text("pth,colour\nphotos/cat/0.png,red\n")
    Path("gone.csv").write_text("path,colour\nphotos/cat/0.png,red\nphotos/cat/99.png,red\n")
    Path("broken.npz").write_bytes(b"PK\x03\x04 cut")
    np.savez("flat.npz", x=np.zeros(4))
    assert refused(f"profile net.py:small {stimuli} --out run").startswith(STIMULI[stimuli])


# names, options and shapes: all found before the second image is read

SHAPED = "profile net.py:wide photos --out run"
WRONG = {
    f"{SMALL} --stages rleu": "No stage is called 'rleu'. Did you mean 'relu'",
    f"{SMALL} --stages laet": "No stage is called 'laet'. Did you mean 'late'",
    f"{SMALL} --stages re:conv(": "'conv(' is not a regular expression: ",
    f"{SMALL} --stages conv*9": "No stage fits the pattern 'conv*9'. There are 4 stages, first 'conv', 'relu', 'head', 'late'.",
    f"{SMALL} --stages unused": "Stage 'unused' never runs: the module exists, and a pass with one stimulus did not call it. "
    "Choose one that answers every stimulus (some modules exist for training only).",
    f"{SMALL} --metrics two_n": "No metric is called 'two_n'. Did you mean 'two_nn'?",
    f"{SMALL} --metrics two_nn:fracton=0.5": "No option of two_nn is called 'fracton'. Did you mean 'fraction'?",
    f"{SMALL} --metrics two_nn:fraction=3": "fraction must lie above 0 and at most at 1, but 3 came.",
    f"{SMALL} --metrics two_nn:method=fti": "No method of two_nn is called 'fti'. Did you mean 'fit'?",
    f"{SMALL} --metrics two_nn:fraction=lots": "two_nn cannot work with fraction='lots': ",
    f"{SMALL} --metrics gride:n1=0": "n1 must be neighbour ranks, whole numbers from 1 up, but 0 came.",
    f"{SMALL} --metrics two_nn:(": "The metric 'two_nn:(' cannot be read. Write name:option=value,option=value.",
    f"{SMALL} --unit chanel": "No unit definition is called 'chanel'. Did you mean 'channel'",
    f"{SMALL} --unit token": "'token' reads tokens, and stage 'relu' has shape (4, 7, 7) (channels-first). Choose 'channel' or "
    "'position' for it, or stages with tokens.",
    f"{SMALL} --budget lots": "The memory budget 'lots' is not a size. Give a number with a unit, such as 2GB or 500MB.",
    f"{SMALL} --device gpu": "Device 'gpu' cannot be used here: torch knows no device of that name. Choose 'cpu', or install ",
    f"{SMALL} --weights gone.safetensors": "There is no weights file 'gone.safetensors'. Give the path of a .safetensors or ",
    f"{SMALL} --weights random": "'net.py:small' makes its own weights, so 'random' has no meaning for it. ",
    "profile net.py:smal photos --out run": "No function in net.py is called 'smal'. Did you mean 'small' or 'Small'?",
    "profile net.py photos --out run": "'net.py' names no source. Name the function in the file that makes the network: ",
    "profile nte.py:small photos --out run": "There is no file 'nte.py'. Give the path of a Python file, then a colon and the ",
    "profile net.py:number photos --out run": "'number' in 'net.py' returned a int. It must return a torch.nn.Module or a Network.",
    "profile net.py:fails photos --out run": "net.py failed at line 51: AttributeError: module 'torch.nn' has no attribute "
    "'Lineer'. Run it by itself to see the whole error.",
    "profile torchvision:alexnt photos --out run": "No torchvision model is called 'alexnt'. Did you mean 'alexnet'",
    "profile torchvison:alexnet photos --out run": "'torchvison:alexnet' names no source. Did you mean 'torchvision:alexnet'? ",
    "profile alexnet photos --out run": "'alexnet' names no source. Did you mean 'torchvision:alexnet'? A source is ",
    "profile photos net.py:small --out run": "'photos' names no source. It is a file or folder: give the network first, and the "
    "stimuli after it. A source is ",
    SHAPED: "The network fails on an input of shape (stimulus=1, channel=3, row=224, column=224): RuntimeError: mat1 and mat2 "
    "shapes cannot be multiplied (1x150528 and 3072x5). Give it images of the size it expects (--size), or a preprocess of ",
}


@pytest.mark.parametrize("line", WRONG)
def test_wrong_names_and_shapes_are_found_on_one_stimulus(loads, line):
    assert refused(line).startswith(WRONG[line])
    assert loads in ([], ["0.png"])


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--seed -1", "Invalid value for '--seed': -1 is not in the range x>=0."),
        ("--batch-size 0", "Invalid value for '--batch-size': 0 is not in the range x>=1."),
        ("--lesion permute", "Invalid value for '--lesion': 'permute' is not one of 'permute_weights', "),
        ("--bugdet 1GB", "'--budget'"),
        ("--metrics", "Option '--metrics' requires an argument."),
    ],
)
def test_wrong_usage_is_found_before_anything_is_opened(loads, option, words):
    done = type_in(f"{SMALL} {option}")
    assert done.exit_code == 2
    assert words in done.stderr
    assert loads == []


def test_size_mends_what_the_sentence_about_the_shape_says():
    assert type_in(f"{SHAPED} --size 32 --quiet").exit_code == 0


def test_a_budget_too_small_names_the_smallest_that_works(loads):
    said = refused(f"{SMALL} --budget 100B")
    assert said.startswith("The run needs at least ")
    assert "but the budget is 100 bytes. Give --budget " in said
    assert loads == ["0.png"]
    smallest = said.split("Give --budget ")[1].split(" ")[0]
    assert type_in(f"{SMALL} --budget {smallest} --quiet").exit_code == 0
    assert sorted(path.name for path in Path().iterdir()) == ["net.py", "photos", "run"]


# weights


class Bomb:
    """Makes a file when it is unpickled."""

    def __reduce__(self):
        return (os.mkdir, ("exploded",))


def small_weights():
    return {
        "conv.weight": torch.zeros(4, 3, 3, 3), "conv.bias": torch.zeros(4), "head.weight": torch.zeros(3, 4),
        "head.bias": torch.zeros(3), "unused.weight": torch.zeros(2, 2), "unused.bias": torch.zeros(2),
    }  # fmt: skip


def save_wrong_shape():
    save_file({**small_weights(), "head.weight": torch.zeros(5, 4)}, "w.safetensors")
    return "w.safetensors"


def save_other_network():
    save_file({"features.0.weight": torch.zeros(3), "features.0.bias": torch.zeros(3)}, "w.safetensors")
    return "w.safetensors"


def save_pickle():
    Path("w.pt").write_bytes(pickle.dumps({"conv.weight": Bomb()}))
    return "w.pt"


def save_torch_pickle():
    torch.save({"state_dict": small_weights(), "extra": Bomb()}, "w.pth")
    return "w.pth"


def save_truncated():
    save_file(small_weights(), "w.safetensors")
    path = Path("w.safetensors")
    path.write_bytes(path.read_bytes()[:-40])
    return "w.safetensors"


WEIGHTS = {
    save_wrong_shape: "1 tensors in 'w.safetensors' have another shape: 'head.weight' is (5, 4) in the file and (3, 4) in the "
    "network. Was it saved from a network of another width, depth or number of classes?",
    save_other_network: "The weights in 'w.safetensors' are those of another network: 6 of the network's 6 tensors are missing, "
    "such as 'conv.weight', 'conv.bias', 'head.weight'; 2 in the file are not in the network, such as "
    "'features.0.bias', 'features.0.weight'",
    save_pickle: "'w.pt' holds more than tensors: opening it would run code from the file, so it was refused. If you trust ",
    save_torch_pickle: "'w.pth' holds more than tensors: opening it would run code from the file, so it was refused. If you ",
    save_truncated: "'w.safetensors' (",
}


@pytest.mark.parametrize("save", WEIGHTS)
def test_wrong_weights(loads, save):
    said = refused(f"{SMALL} --weights {save()}")
    assert said.startswith(WEIGHTS[save])
    assert not Path("exploded").exists()
    assert loads == []


def test_the_bomb_of_these_tests_explodes_where_pickles_are_opened():
    save_pickle()
    pickle.loads(Path("w.pt").read_bytes())
    assert Path("exploded").is_dir()


# activations that are not numbers


def test_nan_weights_cost_the_stages_behind_them_and_no_more():
    done = type_in("profile net.py:nan photos --size 16 --stages relu --metrics two_nn,lifetime_sparseness --out run")
    assert done.exit_code == 1
    assert done.stderr == (
        "failed: late; two_nn and lifetime_sparseness: The responses to 12 stimuli are not finite (first: 'cat/0.png'), so "
        "nothing was measured at this stage. Look for an overflow, or weights that are NaN.\n"
    )
    table = opened().table().set_index("stage")
    assert table.loc["relu", "value"].notna().all()
    assert table.loc["late", "value"].isna().all()
    assert "are not finite" in Path("run/report.html").read_text()


def test_an_overflow_at_some_images_names_the_first_of_them():
    for name in ("cat/3", "dog/5"):
        Image.new("RGB", (16, 16), (255, 255, 255)).save(f"photos/{name}.png")
    done = type_in("profile net.py:overflows photos --size 16 --stages relu --metrics two_nn --batch-size 2 --out run")
    assert done.exit_code == 1
    assert "late, two_nn: The responses to 2 stimuli are not finite (first: 'cat/3.png')" in done.stderr


def test_nan_in_responses_that_exist_already_costs_their_stage_alone(rng):
    V1, V4 = rng.random((20, 5)), rng.random((20, 5))
    V1[7, 2] = np.inf
    np.savez("responses.npz", V1=V1, V4=V4)
    done = type_in("profile responses.npz --metrics two_nn --out run")
    assert done.exit_code == 1
    assert "V1, two_nn: The responses to 1 stimuli are not finite (first: 'row-07')" in done.stderr
    assert opened().table().set_index("stage").loc["V4", "value"] > 0


RESPONSES = {
    "objects.npz --out run": "'objects.npz' cannot be read as arrays: Object arrays cannot be loaded when allow_pickle=False. ",
    "flat.npz --out run": "'flat.npz' has no array (stimulus, unit); it has {'x': (4,)}.",
    "lengths.npz --out run": "Stage 'a' has responses to 4 stimuli and stage 'b' to 5. Every stage needs one row for each ",
    "gone.npz --out run": "There is no file of responses 'gone.npz'. Give the path of a .npz, .zarr, .nc file.",
    "good.npz photos --out run": "'folder:photos' has 12 stimuli and 'good' has 8 rows without ids, so they cannot be matched. ",
    "good.npz --stages a --out run": "'good.npz' holds responses that exist already: weights, stages, input, size, ",
    "good.npz --lesion permute_weights --out run": "'good' has no network to lesion: ",
}


@pytest.mark.parametrize("rest", RESPONSES)
def test_wrong_responses(rest):
    np.savez("objects.npz", a=np.array([{}, Bomb()], dtype=object))
    np.savez("flat.npz", x=np.zeros(4))
    np.savez("lengths.npz", a=np.zeros((4, 2)), b=np.zeros((5, 2)))
    np.savez("good.npz", a=np.zeros((8, 2)))
    assert refused(f"profile {rest}").startswith(RESPONSES[rest])
    assert not Path("exploded").exists()


# the folder of the run


def other_things():
    Path("run").mkdir()
    Path("run/thesis.tex").write_text("years of work")


def a_file():
    Path("run").write_text("years of work")


def results_already():
    type_in(f"{SMALL} --quiet --metrics two_nn")


OUT = {
    other_things: "holds other things than results. Choose an empty folder or a new name.",
    a_file: "is a file, and results are a folder. Choose another name.",
    results_already: "holds results already. Choose another name, or say overwrite=True (--overwrite).",
}


@pytest.mark.parametrize("there", OUT)
def test_a_folder_that_is_not_free(place, loads, there):
    there()
    loads.clear()
    assert refused(SMALL) == f"{place / 'run'} {OUT[there]}"
    assert loads == []


def test_overwrite_replaces_results_and_nothing_else():
    other_things()
    assert "holds other things" in refused(f"{SMALL} --overwrite")
    Path("run/thesis.tex").rename("thesis.tex")
    results_already()
    Path("thesis.tex").rename("run/thesis.tex")
    assert type_in(f"{SMALL} --overwrite --quiet").exit_code == 0
    assert Path("run/thesis.tex").read_text() == "years of work"


def test_a_place_that_cannot_be_written_to():
    Path("plain").write_text("a file")
    assert "Choose another folder." in refused(SMALL.replace("--out run", "--out plain/run"))
    if Path("/proc/self").exists():
        assert "/proc/run.partial could not be made" in refused(SMALL.replace("--out run", "--out /proc/run"))


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (
            lambda run: (run / "arrays.zarr.zip").unlink(),
            "are incomplete: arrays.zarr.zip missing. Restore the folder.",
        ),
        (lambda run: (run / "run.toml").write_text("["), "run.toml is damaged: "),
        (
            lambda run: (run / "run.toml").unlink(),
            "is not a results folder: it has no run.toml. Give the folder that a run",
        ),
        (
            lambda run: (run / "table.csv").write_text(""),
            "are damaged: table.csv or arrays.zarr.zip is not what was saved.",
        ),
    ],
)
def test_a_damaged_run_gets_no_report(harm, words):
    results_already()
    harm(Path("run"))
    Path("run/report.html").unlink()
    assert words in refused("report run")
