"""What a set is called decides how it is opened, and what is wrong with the name is said."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile

import numpy as np
import pytest

from stratoscope.errors import BadInput, StratoscopeError, UnknownName
from stratoscope.registry import Registry
from stratoscope.stimuli import open as opening
from stratoscope.stimuli.decode import DECODING
from stratoscope.stimuli.open import describe_stimuli, find_kind, open_stimuli
from stratoscope.stimuli.openers import OPENERS, make_stimuli

EXPECTED = (
    "Expected a folder of images, a table (.csv, .tsv), an .npz, a .zip, or 'kind:place' such as 'torchvision:NAME'."
)


def exactly(text):
    return f"^{re.escape(text)}$"


def test_every_kind_is_registered():
    assert {"folder", "table", "npz", "zip", "torchvision"} <= set(OPENERS)


def test_a_plain_path_gets_its_kind_from_what_is_there(tmp_path):
    for name, kind in (
        ("a.csv", "table"),
        ("a.TSV", "table"),
        ("a.stim.csv", "table"),
        ("a.npz", "npz"),
        ("a.zip", "zip"),
    ):
        (tmp_path / name).touch()
        assert find_kind(f"{tmp_path}/{name}") == (kind, f"{tmp_path}/{name}")
    assert find_kind(f"{tmp_path}/a.npz:test") == ("npz", f"{tmp_path}/a.npz:test")
    assert find_kind(str(tmp_path)) == ("folder", str(tmp_path))
    assert find_kind("torchvision:CIFAR10:test") == ("torchvision", "CIFAR10:test")


def test_a_folder_called_like_an_archive_is_a_folder(tmp_path):
    (tmp_path / "a.zip").mkdir()
    assert find_kind(f"{tmp_path}/a.zip")[0] == "folder"


def test_the_home_folder_is_found(tmp_path, picture, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    picture(tmp_path / "set" / "a.png")
    assert open_stimuli("~/set").ids == ("a.png",)


def test_nothing_there_offers_the_neighbours(tmp_path):
    (tmp_path / "images").mkdir()
    text = f"There is no file or folder '{tmp_path}/imges'. Did you mean 'images'? {EXPECTED}"
    with pytest.raises(BadInput, match=exactly(text)):
        open_stimuli(tmp_path / "imges")


def test_a_single_image_or_an_unknown_file_is_refused(picture, tmp_path):
    path = picture(tmp_path / "a.png")
    with pytest.raises(BadInput, match=exactly(f"'{path}' is a single image. {EXPECTED}")):
        open_stimuli(path)
    (tmp_path / "a.h5").touch()
    text = f"'{tmp_path}/a.h5' is a file of a kind (.h5) that is not known here. {EXPECTED}"
    with pytest.raises(BadInput, match=exactly(text)):
        open_stimuli(tmp_path / "a.h5")


def test_an_unknown_kind_offers_the_nearest():
    with pytest.raises(UnknownName, match=exactly("No kind of stimuli is called 'foldr'. Did you mean 'folder'?")):
        open_stimuli("foldr:images")


def test_a_plug_in_opens_by_its_prefix(monkeypatch):
    registry = Registry("kind of stimuli")
    monkeypatch.setattr(opening, "OPENERS", registry)

    def open_blank(where, wanted):
        return make_stimuli(f"blank:{where}", ["a"], lambda _: np.zeros((3, 2, 2), np.float32), {}, ["0"], wanted)

    registry.add("blank", open_blank)
    assert open_stimuli("blank:x").name == "blank:x"


def test_a_choice_is_made_at_opening(tmp_path, picture):
    for number in range(8):
        picture(tmp_path / "ab"[number % 2] / f"{number}.png")
    assert len(open_stimuli(tmp_path, limit=3)) == 3
    assert open_stimuli(tmp_path, per_category=2, seed=1).categories.tolist() == ["a", "a", "b", "b"]


def test_the_description_is_plain_values(tmp_path, picture):
    for name in ("b/1.png", "b/2.png", "a/1.png"):
        picture(tmp_path / name)
    stimuli = open_stimuli(tmp_path)
    said = describe_stimuli(stimuli)
    assert said == {
        "name": f"folder:{tmp_path}",
        "n": 3,
        "categories": {"a": 1, "b": 2},
        "columns": ["category"],
        "fingerprint": stimuli.fingerprint,
        "notes": list(stimuli.notes),
        "decoding": DECODING,
    }
    assert re.fullmatch("[0-9a-f]{64}", said["fingerprint"])
    assert tomllib.loads(f"notes = {said['notes']}")["notes"] == said["notes"]


def test_stimuli_open_without_importing_torch():
    code = "import sys, stratoscope.stimuli; assert 'torch' not in sys.modules and 'torchvision' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_option_that_means_nothing_to_the_kind_is_refused(tmp_path, picture):
    picture(tmp_path / "a.png")
    for option, value in (("image_column", "x"), ("category_column", "x"), ("root", "x")):
        text = f"{option}='x' means nothing to the folder '{tmp_path}'. Leave it out, or list the images in a table."
        with pytest.raises(BadInput, match=exactly(text)):
            open_stimuli(tmp_path, **{option: value})
    np.savez(tmp_path / "a.npz", images=np.zeros((1, 2, 2), np.uint8))
    text = f"root='x' means nothing to the arrays '{tmp_path}/a.npz'. Leave it out, or list the images in a table."
    with pytest.raises(BadInput, match=exactly(text)):
        open_stimuli(tmp_path / "a.npz", root="x")


def test_one_column_may_be_asked_for_by_its_name_alone(tmp_path, picture):
    picture(tmp_path / "a.png")
    (tmp_path / "list.csv").write_text("file,size,other\na.png,3,4\n")
    assert list(open_stimuli(tmp_path / "list.csv", columns="size").columns) == ["size"]
    assert list(open_stimuli(tmp_path / "list.csv", columns=[]).columns) == []


@pytest.mark.parametrize("kind", ["npz", "zip", "csv", "stim.csv"])
def test_damaged_files_raise_only_sentences(tmp_path, png, rng, kind):
    (tmp_path / "1.png").write_bytes(png())
    np.savez_compressed(tmp_path / "a.npz", images=rng.integers(0, 256, (3, 6, 5), dtype=np.uint8), y=[0, 1, 0])
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("1.png", png())
        file.writestr("labels.csv", "file,category\n1.png,a\n")
    (tmp_path / "a.csv").write_text("file,category\n1.png,a\n")
    (tmp_path / "a.stim.csv").write_text("type=image\npath=.\ndata=stimID,category\n1.png,a\n")
    whole = (tmp_path / f"a.{kind}").read_bytes()
    for _ in range(150):
        data = bytearray(whole[: rng.integers(1, len(whole) * 2)])
        for place in rng.integers(0, len(data), 3):
            data[place] = rng.integers(256)
        (tmp_path / f"b.{kind}").write_bytes(data)
        try:
            stimuli = open_stimuli(tmp_path / f"b.{kind}")
            assert [stimuli.load(row).mode for row in range(len(stimuli))] == ["RGB"] * len(stimuli)
        except StratoscopeError as error:
            assert len(str(error)) > 20  # noqa: PT017  some damage is harmless
