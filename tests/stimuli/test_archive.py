"""Zips of images, read in place."""

from __future__ import annotations

import pickle
import re
import struct
import zipfile

import numpy as np
import pytest

from stratoscope.errors import BadInput, UnreadableStimulus
from stratoscope.stimuli import archive
from stratoscope.stimuli.open import open_stimuli
from stratoscope.testing.stimuli_laws import check_stimuli

LABELS = "file,mask,category,azimuth\nb.png,b_mask.png,cat,90\na.png,a_mask.png,dog,0\n"


def exactly(text):
    return f"^{re.escape(text)}$"


@pytest.fixture
def zipped(tmp_path, png):
    """Return a function that writes a zip with pictures of these names, and texts by name."""

    def write(*names, **texts):
        with zipfile.ZipFile(tmp_path / "set.zip", "w", zipfile.ZIP_DEFLATED) as file:
            for name in names:
                file.writestr(name, png())
            for name, text in texts.items():
                file.writestr(f"{name}.csv", text)
        return tmp_path / "set.zip"

    return write


FOUR = ("a.png", "a_mask.png", "b.png", "b_mask.png")


@pytest.mark.parametrize("inside", [True, False])
def test_labels_are_found_in_the_zip_or_beside_it(zipped, tmp_path, inside):
    path = zipped(*FOUR, **({"labels": LABELS} if inside else {}))
    if not inside:
        (tmp_path / "labels.csv").write_text(LABELS)
    stimuli = open_stimuli(path)
    assert stimuli.ids == ("b.png", "a.png")
    assert stimuli.categories.tolist() == ["cat", "dog"]
    assert stimuli.columns["mask"].tolist() == ["b_mask.png", "a_mask.png"]
    assert stimuli.columns["azimuth"].tolist() == [90, 0]
    labels = f"{path}:labels.csv" if inside else str(tmp_path / "labels.csv")
    assert f"2 images in '{path}' are not listed in '{labels}' and were left out." in stimuli.notes
    assert stimuli.load(0).size == (6, 5)


def test_labels_in_the_zip_come_before_those_beside_it(zipped, tmp_path):
    (tmp_path / "labels.csv").write_text("file,category\na.png,other\n")
    assert open_stimuli(zipped(*FOUR, labels=LABELS)).categories.tolist() == ["cat", "dog"]


def test_class_folders_in_a_zip_are_categories(zipped):
    stimuli = open_stimuli(zipped("dog/2.png", "dog/10.png", "cat/1.png", "__MACOSX/dog/._2.png"))
    assert stimuli.ids == ("cat/1.png", "dog/2.png", "dog/10.png")
    assert stimuli.categories.tolist() == ["cat", "dog", "dog"]


def test_a_zip_obeys_the_laws_of_stimuli(zipped):
    path = zipped("a/1.png", "a/2.png", "b/1.png", "b/2.png")
    check_stimuli(lambda: open_stimuli(path))


def test_changed_content_changes_the_fingerprint(zipped):
    one = open_stimuli(zipped("a.png")).fingerprint
    assert open_stimuli(zipped("a.png")).fingerprint != one


def test_the_loader_goes_to_another_process_as_a_path(zipped):
    load = open_stimuli(zipped("a.png")).load
    other = pickle.loads(pickle.dumps(load))
    np.testing.assert_array_equal(np.asarray(other(0)), np.asarray(load(0)))


def test_listed_images_that_are_not_in_the_zip_are_counted(zipped):
    path = zipped("a.png", labels="file\na.png\nb.png\nc.png\n")
    text = (
        f"2 of 3 images listed in '{path}:labels.csv' are not in '{path}': 'b.png', 'c.png'. "
        "Expected the names of members of the zip."
    )
    with pytest.raises(BadInput, match=exactly(text)):
        open_stimuli(path)


def test_bad_zips_are_sentences(tmp_path, zipped):
    with pytest.raises(BadInput, match=exactly(f"There is no zip '{tmp_path}/no.zip'. Expected a zip of images.")):
        open_stimuli(f"zip:{tmp_path}/no.zip")
    (tmp_path / "bad.zip").write_bytes(b"hello")
    text = f"'{tmp_path}/bad.zip' is not a whole zip (File is not a zip file). Copy or download it again."
    with pytest.raises(BadInput, match=exactly(text)):
        open_stimuli(tmp_path / "bad.zip")
    path = zipped(readme="hello")
    text = f"There is no image in the zip '{path}'; Ignored 1 files that are not images (.csv: 1)."
    with pytest.raises(BadInput, match=exactly(text)):
        open_stimuli(path)


def test_labels_that_are_no_text_are_a_sentence(zipped):
    path = zipped("a.png", labels=b"file\n\xff")
    with pytest.raises(
        BadInput, match=rf"^labels\.csv in '{path}' cannot be read \(.*\)\. Write it again as UTF-8 text\.$"
    ):
        open_stimuli(path)


def test_a_damaged_member_is_a_sentence_that_names_it(zipped):
    path = zipped("a.png", "b.png")
    with zipfile.ZipFile(path) as file:
        start = file.getinfo("b.png").header_offset
    data = bytearray(path.read_bytes())
    data[start + 60] ^= 0xFF
    path.write_bytes(data)
    stimuli = open_stimuli(path)
    assert stimuli.load(0).mode == "RGB"
    reason = r"the zip is damaged, encrypted or gone \(.*\)"
    with pytest.raises(
        UnreadableStimulus, match=rf"^Stimulus '{path}:b\.png' cannot be read: {reason}\. Replace it, or"
    ):
        stimuli.load(1)


def test_a_member_that_claims_too_much_is_not_unpacked(zipped, monkeypatch):
    path = zipped("a.png")
    monkeypatch.setattr(archive, "MAX_BYTES", 3)
    with pytest.raises(
        UnreadableStimulus, match=re.escape("cannot be read: it claims 0 MiB, more than the 0 allowed.")
    ):
        open_stimuli(path).load(0)


def test_a_member_larger_than_it_claims_is_refused(zipped):
    path = zipped("a.png")
    data = bytearray(path.read_bytes())
    directory = data.rindex(b"PK\x01\x02")
    struct.pack_into("<I", data, directory + 24, 20)
    path.write_bytes(data)
    with pytest.raises(UnreadableStimulus, match="the zip is damaged, encrypted or gone"):
        open_stimuli(path).load(0)
