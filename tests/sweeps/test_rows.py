"""Rows of a sweep: what is read, and what is refused with row and column."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stratoscope.errors import BadInput
from stratoscope.sweeps import read_rows


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def written(text, name="sweep.csv"):
    Path(name).write_text(text)
    return name


def test_a_line_is_a_run_and_an_empty_cell_the_default():
    rows = read_rows(written("model,lesion,seed,stages\na,,,\na,permute_weights,3,relu conv\na,intact,1,\n"), "photos")
    assert [row.lesion for row in rows] == ["", "permute_weights", ""]
    assert [row.seed for row in rows] == [0, 3, 1]
    assert rows[1].stages == ("relu", "conv")
    assert {row.stimuli for row in rows} == {"photos"}


def test_lists_in_toml_stand_for_every_combination():
    text = 'stimuli = "photos"\n[[rows]]\nmodel = ["a", "b"]\nlesion = ["", "reinitialize"]\nseed = [0, 1]\nstages = ["relu", "conv"]\n[[rows]]\nmodel = "c"\n'
    rows = read_rows(written(text, "sweep.toml"))
    assert len(rows) == 9
    assert len({(row.model, row.lesion, row.seed) for row in rows}) == 9
    assert rows[0].stages == ("relu", "conv")
    assert rows[8].model == "c"


def test_folders_differ_where_anything_differs_and_say_what_they_are():
    rows = read_rows(
        [{"model": "a", "seed": seed, "lesion": lesion} for seed in (0, 1) for lesion in ("", "reinitialize")], "p"
    )
    folders = {row.folder(None) for row in rows}
    assert len(folders) == 4
    assert rows[1].folder(None).startswith("a-p-reinitialize-seed-0-")
    assert rows[0].folder(["two_nn"]) != rows[0].folder(None)
    named = read_rows([{"model": "a", "seed": 0, "name": "../../the first"}], "p")
    assert named[0].folder(None).startswith("the-first-")


WRONG = {
    "model,lesoin\na,x\n": "row 1, column 'lesoin': No column of a sweep is called 'lesoin'. Did you mean 'lesion'?",
    "model,lesion\na,permute\n": "row 1, column 'lesion': No lesion is called 'permute'. Did you mean 'permute_",
    "model,seed\na,1\nb,x\n": "1 of 2 rows of the table 'sweep.csv' cannot be measured, so nothing was begun: row 2, column 'seed': 'x' is no whole number from 0 up.",
    "model,seed\na,-1\nb,1.5\n": "row 2, column 'seed': '1.5' is no whole number",
    "model,size\na,0\n": "row 1, column 'size': '0' is no whole number from 1 up.",
    "model,seed\n,1\n": "row 1, column 'model': it is empty, and every run needs it.",
    "model\na\na\n": "Row 2 of the table 'sweep.csv' asks for the same as one before it.",
    "": "has no rows",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_bad_table_is_refused_as_a_whole(text):
    with pytest.raises(BadInput, match=re.escape(WRONG[text])):
        read_rows(written(text), "photos")


def test_more_bad_tables():
    with pytest.raises(BadInput, match="column 'stimuli': it is empty"):
        read_rows([{"model": "a"}])
    with pytest.raises(BadInput, match="There is no row in the rows"):
        read_rows([])
    with pytest.raises(BadInput, match="is no TOML"):
        read_rows(written("[[rows", "a.toml"))
    with pytest.raises(BadInput, match=r"has no \[\[rows\]\]"):
        read_rows(written("rows = 3", "a.toml"))
    with pytest.raises(BadInput, match=r"A sweep is a \.csv, \.tsv or \.toml table"):
        read_rows(written("", "a.xlsx"))
