"""Folders of images and of class folders."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import numpy as np
import pytest

from stratoscope.errors import BadInput, UnreadableStimulus
from stratoscope.stimuli.folder import ENDINGS
from stratoscope.stimuli.open import open_stimuli
from stratoscope.testing.stimuli_laws import check_stimuli


def exactly(text):
    return f"^{re.escape(text)}$"


def test_class_folders_are_categories_and_paths_are_ids_in_natural_order(tmp_path, picture):
    for name in ("dog/view10.png", "dog/view2.JPG", "cat/deep/er/a.png"):
        picture(tmp_path / name)
    stimuli = open_stimuli(f"folder:{tmp_path}")
    assert stimuli.ids == ("cat/deep/er/a.png", "dog/view2.JPG", "dog/view10.png")
    assert stimuli.categories.tolist() == ["cat", "dog", "dog"]
    assert stimuli.load(2).size == (6, 5)


def test_a_folder_obeys_the_laws_of_stimuli(tmp_path, picture):
    for number in range(5):
        picture(tmp_path / "ab"[number % 2] / f"{number}.png")
    check_stimuli(lambda: open_stimuli(tmp_path))


def test_ids_and_fingerprint_do_not_depend_on_place_or_order_of_creation(tmp_path, png):
    files = {f"{'ab'[number % 2]}/{number}.png": png() for number in range(6)}
    for place, names in (("one", sorted(files)), ("two", sorted(files, reverse=True))):
        for name in names:
            path = tmp_path / place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(files[name])
    one, two = (open_stimuli(tmp_path / place) for place in ("one", "two"))
    assert one.ids == two.ids
    assert one.fingerprint == two.fingerprint
    check_stimuli(lambda: one, reordered=lambda: two)


def test_a_changed_size_changes_the_fingerprint(tmp_path, picture):
    picture(tmp_path / "a.png")
    before = open_stimuli(tmp_path).fingerprint
    picture(tmp_path / "a.png", size=(20, 20))
    assert open_stimuli(tmp_path).fingerprint != before


def test_a_flat_folder_has_no_categories(tmp_path, picture):
    picture(tmp_path / "a.png")
    stimuli = open_stimuli(tmp_path)
    assert stimuli.categories is None
    assert stimuli.ids == ("a.png",)


def test_every_ending_counts_in_upper_and_lower_case(tmp_path, png):
    for number, ending in enumerate(sorted(ENDINGS)):
        (tmp_path / f"{number}{ending.upper() if number % 2 else ending}").write_bytes(png())
    assert len(open_stimuli(tmp_path)) == len(ENDINGS) == 10


def test_hidden_files_and_files_that_are_no_images_are_counted(tmp_path, picture):
    for name in ("a/1.png", "a/2.png", "a/.hidden.png", ".git/x.png"):
        picture(tmp_path / name)
    for name in ("a/readme.txt", "list.csv", "LICENSE"):
        (tmp_path / name).touch()
    stimuli = open_stimuli(tmp_path)
    assert stimuli.ids == ("a/1.png", "a/2.png")
    assert stimuli.notes == (
        "Ignored 3 files that are not images (no ending: 1, .csv: 1, .txt: 1).",
        "Ignored 2 hidden files or folders.",
    )


def test_a_category_with_one_image_is_accepted_with_a_note(tmp_path, picture):
    for name in ("a/1.png", "b/1.png", "b/2.png"):
        picture(tmp_path / name)
    assert open_stimuli(tmp_path).notes == (
        "1 of 2 categories have a single image (first: 'a'); metrics that need two in each category will refuse this set.",
    )


def test_a_folder_without_images_is_refused(tmp_path):
    listing = ".bmp, .gif, .jpeg, .jpg, .pgm, .png, .ppm, .tif, .tiff, .webp"
    text = f"There is no image in the folder '{tmp_path}' or below it. Expected files ending in {listing}; it is empty."
    with pytest.raises(BadInput, match=exactly(text)):
        open_stimuli(tmp_path)
    (tmp_path / "a.txt").touch()
    with pytest.raises(BadInput, match=re.escape("Ignored 1 files that are not images (.txt: 1).")):
        open_stimuli(tmp_path)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    text = f"There is no folder '{tmp_path}/no'. Expected a folder of class folders with images."
    with pytest.raises(BadInput, match=exactly(text)):
        open_stimuli(f"folder:{tmp_path}/no")


def test_images_beside_class_folders_are_refused(tmp_path, picture):
    for name in ("a/1.png", "stray.png"):
        picture(tmp_path / name)
    text = (
        f"1 of 2 images lie in '{tmp_path}' itself, beside class folders: 'stray.png'. "
        "Expected every image in a class folder, or no class folders. Move them."
    )
    with pytest.raises(BadInput, match=exactly(text)):
        open_stimuli(tmp_path)


def test_a_folder_without_the_right_to_read_is_a_sentence(tmp_path, picture, monkeypatch):
    picture(tmp_path / "a" / "1.png")
    scandir = os.scandir

    def refuse(place):
        if str(place).endswith("a"):
            raise PermissionError(13, "Permission denied")
        return scandir(place)

    monkeypatch.setattr(os, "scandir", refuse)
    text = (
        f"The folder '{tmp_path}/a' cannot be read: Permission denied. Give yourself the right to read it, "
        "or move it out of the stimuli."
    )
    with pytest.raises(BadInput, match=exactly(text)):
        open_stimuli(tmp_path)


def test_links_are_followed_but_not_in_circles(tmp_path, picture):
    picture(tmp_path / "elsewhere" / "1.png")
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "a").symlink_to(tmp_path / "elsewhere")
    assert open_stimuli(tmp_path / "set").ids == ("a/1.png",)
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path)
    with pytest.raises(BadInput, match=r"^The link '.*back' leads back to a folder above it\. Remove it\.$"):
        open_stimuli(tmp_path / "elsewhere")


def test_two_links_that_lead_to_each_other_are_a_circle(tmp_path, picture):
    for name, other in (("a", "b"), ("b", "a")):
        picture(tmp_path / name / "1.png")
        (tmp_path / name / "on").symlink_to(tmp_path / other)
    with pytest.raises(BadInput, match=r"leads back to a folder above it\. Remove it\.$"):
        open_stimuli(tmp_path)


def test_a_link_that_leads_nowhere_is_met_when_loaded(tmp_path):
    (tmp_path / "a.png").symlink_to(tmp_path / "gone.png")
    stimuli = open_stimuli(tmp_path)
    with pytest.raises(UnreadableStimulus, match="the file is not there"):
        stimuli.load(0)


def test_a_name_that_is_not_utf8_is_refused(tmp_path, png):
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.png")).write_bytes(png())
    with pytest.raises(
        BadInput, match=r"^The file name '\\udcff.png' in 'folder:.*' is not valid UTF-8. Rename the file.$"
    ):
        open_stimuli(tmp_path)


def test_opening_costs_less_than_a_millisecond_a_path(tmp_path):
    for category in range(20):
        (tmp_path / f"c{category}").mkdir()
        for number in range(100):
            (tmp_path / f"c{category}" / f"{number}.jpg").touch()
    start = time.process_time()
    stimuli = open_stimuli(tmp_path)
    assert time.process_time() - start < 2
    assert len(stimuli) == 2000
    assert np.unique(stimuli.categories).size == 20
