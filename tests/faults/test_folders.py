"""Folders: links, pipes, devices, deep trees and names that nobody would type."""

from __future__ import annotations

import os
import re
import shutil
import socket
from pathlib import Path

import pytest
from PIL import Image

import stratoscope as st
from stratoscope.errors import BadInput, UnreadableStimulus

HOSTILE = (
    "a\nb.png", "tab\t.png", "\x1b[31mred.png", "\u202egnp.exe.png", "\N{GRINNING FACE}.png", "x" * 251 + ".png",
    "quote'\".png", "<script>alert(1)</script>".replace("/", "\u2215") + ".png", "&amp;.png", " lead.png", "$(id).png",
    "caf\xe9.png", "cafe\u0301.png", "{{7*7}}.png", "%s%n.png", "=cmd|calc!A1.png", "-rf.png",
)  # fmt: skip


def picture(path):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (16, 16), (len(path.name) % 250, 90, 3)).save(path)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    picture("set/a/1.png")
    return tmp_path


@pytest.mark.parametrize("name", ["0.png", "set.zip", "set.npz", "set.csv"])
def test_a_pipe_is_refused_at_once(name):
    """A pipe (FIFO) among the images, or instead of a zip, an .npz or a table -> refused at once; nothing waits for it."""
    path = Path("set/a" if name == "0.png" else ".", name)
    os.mkfifo(path)
    with pytest.raises(BadInput, match=r"is a pipe"):
        st.open_stimuli("set" if name == "0.png" else name).load(0)


def test_a_device_or_a_socket_is_refused_at_once(monkeypatch):
    """A device without end (a link to /dev/zero) or a socket called .png -> refused at once, without reading."""
    Path("set/a/0.png").symlink_to("/dev/zero")
    monkeypatch.chdir("set/a")  # names of sockets are short
    with socket.socket(socket.AF_UNIX) as one:
        one.bind("2.png")
    monkeypatch.chdir("../..")
    stimuli = st.open_stimuli("set")
    for row, kind in ((0, "device"), (2, "socket")):
        with pytest.raises(UnreadableStimulus, match=f"cannot be read: it is a {kind} and no file"):
            stimuli.load(row)


def test_a_loop_of_links_is_refused():
    """A link back to a folder above -> refused, and the link is named."""
    Path("set/a/up").symlink_to("../..")
    with pytest.raises(BadInput, match=r"The link 'set/a/up' leads back to a folder above it\. Remove it\."):
        st.open_stimuli("set")


def test_links_out_of_the_folder_are_followed_and_said():
    """Links to images outside of the folder -> followed, as data sets are often made of links, and a note counts them."""
    picture("elsewhere/x.png")
    Path("set/a/out").symlink_to("../../elsewhere")
    Path("set/a/2.png").symlink_to("../../elsewhere/x.png")
    Path("set/a/3.png").symlink_to("1.png")
    stimuli = st.open_stimuli("set")
    assert stimuli.ids == ("a/1.png", "a/2.png", "a/3.png", "a/out/x.png")
    assert "2 images are links to outside of the folder (first: 'a/2.png')." in stimuli.notes
    assert not any("links" in note for note in st.open_stimuli("elsewhere").notes)


def test_what_systems_leave_behind_is_no_stimulus():
    """Hidden files, `__MACOSX`, Thumbs.db -> no stimuli and no categories; a note counts them."""
    for name in ("set/a/.hidden.png", "set/__MACOSX/a/1.png", "set/__MACOSX/a/._1.png", "set/.git/x.png"):
        picture(name)
    Path("set/a/Thumbs.db").touch()
    stimuli = st.open_stimuli("set")
    assert stimuli.ids == ("a/1.png",)
    assert stimuli.notes[:2] == ("Ignored 1 files that are not images (.db: 1).", "Ignored 3 hidden files or folders.")


def test_a_tree_of_500_levels_is_read_and_one_beyond_the_system_refused():
    """A tree of 500 folders in each other -> read; one whose path is longer than the system allows -> a sentence."""
    for name, levels in (("d", 500), ("d" * 20, 300)):
        shutil.rmtree("set", ignore_errors=True)
        Path("set").mkdir()
        above = os.open("set", os.O_RDONLY)
        for _ in range(levels):
            os.mkdir(name, dir_fd=above)
            below = os.open(name, os.O_RDONLY, dir_fd=above)
            os.close(above)
            above = below
        picture("1.png")
        file = os.open("1.png", os.O_CREAT | os.O_WRONLY, dir_fd=above)
        os.write(file, Path("1.png").read_bytes())
        os.close(file)
        os.close(above)
        if levels == 500:
            assert st.open_stimuli("set").load(0).size == (16, 16)
        else:
            with pytest.raises(BadInput, match="cannot be read: File name too long"):
                st.open_stimuli("set")


def test_a_name_that_is_no_utf_8_is_refused():
    """A file name that is no UTF-8 -> refused at opening, naming the file, because no table could hold it."""
    Path(os.fsdecode(b"set/a/\xff.png")).write_bytes(Path("set/a/1.png").read_bytes())
    with pytest.raises(BadInput, match=r"The file name 'a/\\udcff.png' in 'folder:set' is not valid UTF-8\. Rename"):
        st.open_stimuli("set")


def test_names_that_differ_in_case_alone_stay_apart():
    """Names that differ in upper and lower case alone -> two stimuli, in two categories."""
    picture("set/A/1.png")
    picture("set/a/1.PNG".replace("1", "2"))
    assert st.open_stimuli("set").categories.tolist() == ["A", "a", "a"]


def test_hostile_names_go_through_a_run_and_its_report(place, type_in):
    """Names with newline, tab, escape codes, right-to-left marks, emoji, quotes, markup, template and shell code, 255 bytes -> measured; table, arrays and report carry them as text."""
    for name in HOSTILE:
        picture(f"photos/cat/{name}")
    done = type_in(
        "profile", "net.py:plain", "photos", "--size", 16, "--metrics", "two_nn,population_sparseness", "--out", "run"
    )
    assert done.exit_code == 0, done.output
    results = st.open_results("run")
    assert {f"cat/{name}" for name in HOSTILE} <= set(results.tree["run_0"]["stimulus"].values.tolist())
    page = Path("run/report.html").read_text()
    assert "<script>alert" not in page
    assert not _control(done.output)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_in_sentences_cannot_move_the_cursor(place, type_in, name):
    """The same names of unreadable images, of the folder and of the run -> one line each, without control characters."""
    Path("photos/cat", name).write_bytes(b"no image")
    out = Path(name).stem + " run"
    words = ["profile", "net.py:plain", "photos", "--size", 16, "--metrics", "two_nn", "--out", f"./{out}"]
    stopped = type_in(*words)
    assert stopped.exit_code == 1
    assert "cannot be read: its 8 bytes are no image" in stopped.stderr
    skipped = type_in(*words, "--skip-unreadable")
    assert skipped.exit_code == 1
    again = type_in(*words)
    assert "holds results already" in again.stderr
    nowhere = type_in("report", f"./{out} no")
    assert nowhere.exit_code == 2
    too_long = type_in(*words, "--out", f"./{out}" + "x" * 250)
    assert "file name too long. Choose another name" in too_long.stderr
    for done in (stopped, skipped, again, nowhere, too_long):
        assert not _control(done.output)
    assert stopped.stderr.count("\n") == again.stderr.count("\n") == nowhere.stderr.count("\n") == 1


def _control(text):
    return re.findall("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]", text)
