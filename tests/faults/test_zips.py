"""Zips: names that lead out, names twice, bombs, locks and damage."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path

import pytest
from PIL import Image

import stratoscope as st
from stratoscope.errors import BadInput, UnreadableStimulus
from stratoscope.testing.hostile_images import encoded

PICTURE = encoded(Image.new("RGB", (8, 8), (1, 2, 3)), "PNG")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def zipped(*members):
    with warnings.catch_warnings(), zipfile.ZipFile("set.zip", "w", zipfile.ZIP_DEFLATED) as file:
        warnings.simplefilter("ignore")
        for name, data in members:
            file.writestr(name, data)
    return Path("set.zip")


def test_names_that_lead_out_of_the_zip_are_left_out():
    """Zip slips (`../../x`, `/etc/x`, `C:\\x`, `a/../../x`) -> nothing is ever extracted; such members are left out, with a note."""
    slips = ("../../evil.png", "/etc/abs.png", "a/../../b.png", "C:\\x\\y.png", "a\\..\\..\\c.png", "D:z.png")
    stimuli = st.open_stimuli(zipped(("a/ok.png", PICTURE), *((name, PICTURE) for name in slips)))
    assert stimuli.ids == ("a/ok.png",)
    assert stimuli.notes[0] == (
        "Left out 6 members whose names lead out of the zip: '../../evil.png', '/etc/abs.png', 'a/../../b.png' and 3 more."
    )
    assert [path.name for path in Path().rglob("*")] == ["set.zip"]


def test_a_table_in_a_zip_cannot_point_out_of_it():
    """A labels.csv in a zip that lists `../../x` -> refused as not in the zip."""
    with pytest.raises(BadInput, match="1 of 1 images listed in 'set.zip:labels.csv' are not in 'set.zip'"):
        st.open_stimuli(zipped(("../x.png", PICTURE), ("labels.csv", "path\n../x.png\n")))


def test_a_name_twice_is_refused():
    """Two members of one name -> refused, because programs differ in which one they read."""
    with pytest.raises(BadInput, match="1 members of 'set.zip' have a name that another has too: 'a/1.png'"):
        st.open_stimuli(zipped(("a/1.png", PICTURE), ("a/1.png", b"other")))


def test_a_locked_member_is_named():
    """An encrypted member -> refused when its turn comes, saying that it needs a password."""
    data = bytearray(zipped(("a/1.png", PICTURE)).read_bytes())
    data[6] |= 1
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    Path("set.zip").write_bytes(data)
    with pytest.raises(UnreadableStimulus, match="is encrypted, password required"):
        st.open_stimuli("set.zip").load(0)


def test_a_member_that_unpacks_to_too_much_is_refused():
    """A zip bomb (300 MiB of zeros in 0.3 MiB, as an image or as labels.csv) -> refused by what it claims; never unpacked."""
    for name in ("a/1.png", "labels.csv"):
        path = zipped((name, bytes(300 * 2**20)), ("a/2.png", PICTURE))
        assert path.stat().st_size < 2**20
        with pytest.raises(BadInput, match=r"claims 300 MiB, more than (the )?256"):
            st.open_stimuli(path).load(0)


def test_a_zip_cut_anywhere_is_refused():
    """A zip without its end, or cut anywhere -> refused as not whole."""
    whole = zipped(("a/1.png", PICTURE), ("a/2.png", PICTURE)).read_bytes()
    for n in range(0, len(whole) - 1, 7):
        Path("set.zip").write_bytes(whole[:n])
        with pytest.raises(BadInput, match=r"is not a whole zip \(.*\)\. Copy or download it again\."):
            st.open_stimuli("set.zip")


def test_a_bit_flipped_anywhere_is_a_sentence_or_the_right_image(rng):
    """A zip with flipped bits -> a sentence, or the right images: the checksum of each member is checked."""
    whole = zipped(("a/1.png", PICTURE), ("a/2.png", PICTURE)).read_bytes()
    for place in rng.integers(0, len(whole), 300):
        data = bytearray(whole)
        data[place] ^= 1 << int(rng.integers(8))
        Path("set.zip").write_bytes(data)
        try:
            stimuli = st.open_stimuli("set.zip")
            assert all(stimuli.load(row).getpixel((1, 1)) == (1, 2, 3) for row in range(len(stimuli)))
        except BadInput as error:
            assert str(error)  # noqa: PT017


def test_zip64_is_read():
    """Zip64 -> read."""
    with zipfile.ZipFile("set.zip", "w") as file, file.open("a/1.png", "w", force_zip64=True) as member:
        member.write(PICTURE)
    assert st.open_stimuli("set.zip").load(0).size == (8, 8)
