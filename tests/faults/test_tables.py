"""Tables of stimuli: encodings, line ends, quotes, sizes, and paths that lead elsewhere."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from PIL import Image

import stratoscope as st
from stratoscope.errors import BadInput

PLAIN = "path,category\na.png,x\n"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (8, 8)).save("a.png")
    Image.new("RGB", (8, 8)).save("b\nc.png")
    return tmp_path


def opened(data):
    Path("set.csv").write_bytes(data)
    return st.open_stimuli("set.csv")


@pytest.mark.parametrize(
    "data", [PLAIN.encode("utf-8-sig"), PLAIN.replace("\n", "\r\n").encode(), PLAIN.replace("\n", "\r").encode()]
)
def test_a_byte_order_mark_and_every_line_end_are_read(data):
    """Byte-order mark, CRLF or CR line ends -> read."""
    assert opened(data).columns["category"].tolist() == ["x"]


def test_a_quoted_cell_keeps_its_line_ends():
    """A quoted cell with a newline, a vertical tab or a line separator in it -> one cell, unchanged."""
    assert opened(b'path,category\n"b\nc.png","x\ny"\n').ids == ("b\nc.png",)
    assert opened("path,category\na.png,x\u2028y\x0bz\n".encode()).columns["category"].tolist() == ["x\u2028y\x0bz"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "latin-1", "cp1252"])
def test_another_encoding_is_refused(encoding):
    """UTF-16 or Latin-1 -> refused, asking for UTF-8; never guessed."""
    with pytest.raises(BadInput, match=r"Save it as UTF-8\.$"):
        opened("path,category\na.png,\xe9\n".encode(encoding))


@pytest.mark.parametrize("data", [b"path,category\na.png,x\0\n", b"path\na\0.png\n", b"\0" * 100])
def test_nul_bytes_are_refused(data):
    """NUL bytes -> refused."""
    with pytest.raises(BadInput, match=r"The table 'set.csv' holds NUL bytes, .* Save it as UTF-8\."):
        opened(data)


def test_a_million_columns_are_refused_at_once_and_in_few_words():
    """A million columns -> refused from the first line, in a sentence of one line."""
    wide = b"path," + b",".join(b"c%d" % n for n in range(1_000_000)) + b"\na.png" + b",1" * 1_000_000 + b"\n"
    began = time.process_time()
    with pytest.raises(BadInput) as refused:
        opened(wide)
    assert time.process_time() - began < 3
    assert str(refused.value).startswith("The table 'set.csv' has 1,000,001 columns, more than the 10,000 allowed.")


def test_sentences_about_wide_tables_stay_short():
    """A table of 5,000 columns with a mistake -> the sentence names the first dozen."""
    names = ",".join(f"c{n}" for n in range(5000))
    for text in (f"{names}\n1\n", f"{names}\n{names}\n"):
        with pytest.raises(BadInput) as refused:
            opened(text.encode())
        assert len(str(refused.value)) < 500
        assert "and 4988 more" in str(refused.value)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "The table 'set.csv' has no rows."),
        (b"\xef\xbb\xbf", "The table 'set.csv' has no rows."),
        (b"\n\n\n", "The table 'set.csv' has no rows."),
        (b"path,path\na.png,a.png\n", "Two columns of 'set.csv' are called 'path'. Rename one."),
        (b'path,category\n"a.png,x\n', "Line 2 of 'set.csv' has 1 cells, expected 2"),
        (
            b"path,category\na.png," + b"x" * 200_000,
            "The table 'set.csv' cannot be read: field larger than field limit",
        ),
        (b"path\n" + b"x" * 5000 + b".png\n", "1 of 1 images listed in 'set.csv' are not there"),
        (b"path\n/dev/zero\n", "1 of 1 images listed in 'set.csv' are not there: '/dev/zero'"),
    ],
)
def test_tables_that_are_none_are_sentences(data, said):
    """Empty, duplicate columns, a quote left open, a cell of 200,000 characters, a path to a device -> a sentence each."""
    with pytest.raises(BadInput, match=re.escape(said)):
        opened(data)


def test_a_number_too_large_for_a_number_is_a_name():
    """A number of 5,000 digits -> text, never infinity."""
    assert opened(b"path,code\na.png," + b"9" * 5000 + b"\n").columns["code"].tolist() == ["9" * 5000]
    assert opened(b"path,code\na.png,1e999\n").columns["code"].tolist() == ["1e999"]
