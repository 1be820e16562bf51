"""Tables of paths and properties, and the stim.csv of DNNBrain."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratoscope.errors import BadInput, UnknownName
from stratoscope.stimuli.open import open_stimuli
from stratoscope.testing.stimuli_laws import check_stimuli


def exactly(text):
    return f"^{re.escape(text)}$"


@pytest.fixture
def listed(tmp_path, picture):
    """Return a function that writes a table beside three pictures: images/0.png to images/2.png."""
    for number in range(3):
        picture(tmp_path / "images" / f"{number}.png")

    def write(text, name="list.csv"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return write


def test_columns_are_properties_with_numbers_as_numbers(listed):
    path = listed(
        "file,label,azimuth,contrast,code\n"
        "images/2.png,cat,10,0.5,007\nimages/0.png,dog,-20,,010\nimages/1.png,cat,30,1e-2,012\n"
    )
    stimuli = open_stimuli(path)
    assert stimuli.ids == ("images/2.png", "images/0.png", "images/1.png")
    assert stimuli.categories.tolist() == ["cat", "dog", "cat"]
    assert stimuli.columns["azimuth"].dtype == np.int64
    np.testing.assert_array_equal(stimuli.columns["contrast"], [0.5, np.nan, 0.01])
    assert stimuli.columns["code"].tolist() == ["007", "010", "012"]
    assert stimuli.notes[0] == f"Categories are the column 'label' of '{path}' (2 values)."


def test_a_table_obeys_the_laws_of_stimuli(listed):
    path = listed("path,category\nimages/0.png,a\nimages/1.png,b\nimages/2.png,b\n")
    other = listed("path,category\nimages/2.png,b\nimages/0.png,a\nimages/1.png,b\n", "other.csv")
    check_stimuli(lambda: open_stimuli(path), reordered=lambda: open_stimuli(other))


@given(order=st.permutations(range(5)))
def test_no_id_changes_when_rows_are_shuffled(order):
    with tempfile.TemporaryDirectory() as folder:
        for number in range(5):
            (Path(folder) / f"{number}.png").touch()
        path = Path(folder) / "list.csv"
        path.write_text("file,n\n" + "".join(f"{row}.png,{row}\n" for row in order))
        stimuli = open_stimuli(path)
    assert dict(zip(stimuli.ids, stimuli.columns["n"].tolist(), strict=True)) == {f"{row}.png": row for row in range(5)}


@pytest.mark.parametrize("column", ["path", "file", "Filename", "IMAGE", "stimulus"])
def test_the_image_column_is_found_by_its_usual_names(listed, column):
    assert len(open_stimuli(listed(f"x,{column}\n1,images/0.png\n"))) == 1


def test_the_image_and_category_column_can_be_named(listed):
    path = listed("file,shown,category,object\nno,images/0.png,c,o1\nno,images/1.png,c,o2\n")
    stimuli = open_stimuli(path, image_column="shown", category_column="object")
    assert stimuli.categories.tolist() == ["o1", "o2"]
    assert stimuli.columns["category_in_file"].tolist() == ["c", "c"]
    with pytest.raises(UnknownName, match=exactly("No column is called 'objekt'. Did you mean 'object'?")):
        open_stimuli(path, image_column="shown", category_column="objekt")


def test_only_the_wanted_columns_are_kept(listed):
    path = listed("file,label,a,b\nimages/0.png,x,1,2\n")
    assert list(open_stimuli(path, columns=["b"]).columns) == ["category", "b"]
    with pytest.raises(UnknownName, match=r"^No column is called 'bb'\. Did you mean 'b'\?$"):
        open_stimuli(path, columns=["bb"])


def test_the_category_is_the_first_that_is_there_and_the_note_names_the_others(listed):
    path = listed("file,wnid,label\nimages/0.png,n1,crane\nimages/1.png,n2,crane\n")
    stimuli = open_stimuli(path)
    assert stimuli.categories.tolist() == ["crane", "crane"]
    assert stimuli.notes == (f"Categories are the column 'label' of '{path}' (1 values; 'wnid' has 2).",)


def test_a_table_without_categories_says_so(listed):
    path = listed("file\nimages/0.png\n")
    stimuli = open_stimuli(path)
    assert stimuli.categories is None
    either = "'category' or 'label' or 'class' or 'wnid' or 'condition'"
    assert stimuli.notes == (f"'{path}' has no categories: none of its columns is called {either}.",)


def test_tabs_semicolons_a_byte_order_mark_and_quotes_are_read(listed):
    assert open_stimuli(listed("file\tlabel\nimages/0.png\ta,b\n", "l.tsv")).categories.tolist() == ["a,b"]
    assert open_stimuli(listed("file;label\nimages/0.png;a\n")).categories.tolist() == ["a"]
    assert open_stimuli(listed('\ufefffile,label\n\nimages/0.png,"a,b"\n')).categories.tolist() == ["a,b"]


def test_absolute_paths_below_the_table_have_relative_ids(listed, tmp_path):
    assert open_stimuli(listed(f"file\n{tmp_path}/images/0.png\n./images/1.png\n")).ids == (
        "images/0.png",
        "images/1.png",
    )


def test_root_says_where_the_images_are(listed, tmp_path):
    assert open_stimuli(listed("file\n0.png\n"), root=tmp_path / "images").load(0).size == (6, 5)


def test_a_table_without_an_image_column_names_what_it_has(listed):
    path = listed("fille,label\nimages/0.png,a\n")
    text = (
        f"'{path}' has no column with image paths: expected one called path, file, filename, image or stimulus, "
        "found 'fille', 'label'. Did you mean 'fille'? Name it with image_column."
    )
    with pytest.raises(BadInput, match=exactly(text)):
        open_stimuli(path)
    text = f"'{path}' has no column 'file'. Its columns are 'fille', 'label'. Did you mean 'fille'?"
    with pytest.raises(BadInput, match=exactly(text)):
        open_stimuli(path, image_column="file")


def test_missing_images_are_counted_at_opening(listed, tmp_path):
    path = listed("file\nimages/0.png\na.png\nb.png\nc.png\nd.png\nimages\n")
    text = (
        f"5 of 6 images listed in '{path}' are not there: 'a.png', 'b.png', 'c.png' and 2 more. "
        f"They were looked for in '{tmp_path}'; name another folder with root."
    )
    with pytest.raises(BadInput, match=exactly(text)):
        open_stimuli(path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "The table {path!r} has no rows. Expected a line of column names and a line for each image."),
        ("file,label\n", "The table {path!r} has no rows. Expected a line of column names and a line for each image."),
        ("file,file\na,b\n", "Two columns of {path!r} are called 'file'. Rename one."),
        (
            "file,label\nimages/0.png,a\n\nimages/1.png\n",
            (
                "Line 4 of {path!r} has 1 cells, expected 2 (file, label). "
                "Put cells with a separator in them into double quotes."
            ),
        ),
        (
            "file\nimages/0.png\nimages/1.png\n./images/0.png\n",
            (
                "1 images of 'table:{plain}' are listed more than once (first: 'images/0.png'). "
                "A stimulus has one row; remove the repeats."
            ),
        ),
        (
            "file,label\nimages/0.png,a\nimages/1.png,\n",
            (
                "1 of 2 stimuli in {path!r} have no entry in column 'label', which says the category "
                "(first: stimulus 2). Fill it, or choose another with category_column."
            ),
        ),
    ],
)
def test_bad_tables_are_sentences(listed, text, expected):
    path = listed(text)
    with pytest.raises(BadInput, match=exactly(expected.format(path=str(path), plain=path))):
        open_stimuli(path)


def test_a_table_that_is_not_text_is_a_sentence(tmp_path):
    (tmp_path / "l.csv").write_bytes(b"file\n\xff\xfe\x00")
    text = f"The table '{tmp_path}/l.csv' is not UTF-8 text (invalid start byte). Save it as UTF-8."
    with pytest.raises(BadInput, match=exactly(text)):
        open_stimuli(tmp_path / "l.csv")
    with pytest.raises(BadInput, match=exactly(f"There is no table '{tmp_path}/m.csv'. Expected a CSV or TSV file.")):
        open_stimuli(f"table:{tmp_path}/m.csv")


def test_an_empty_column_name_is_numbered(listed):
    assert list(open_stimuli(listed(",file\n5,images/0.png\n")).columns) == ["column 1"]


STIM = "type=image\npath={path}\ntitle=three images\n\ndata=stimID,onset,category\n0.png,0.5,cat\n2.png,1,dog\n"


@pytest.mark.parametrize("place", ["images", "{absolute}/images"])
def test_a_stim_csv_is_read_with_a_relative_or_absolute_path(listed, tmp_path, place):
    stimuli = open_stimuli(listed(STIM.format(path=place.format(absolute=tmp_path)), "three.stim.csv"))
    assert stimuli.ids == ("0.png", "2.png")
    assert stimuli.categories.tolist() == ["cat", "dog"]
    assert stimuli.columns["onset"].tolist() == [0.5, 1.0]
    assert stimuli.load(1).size == (6, 5)


def test_a_stim_csv_from_another_machine_opens_with_root(listed, tmp_path):
    path = listed(STIM.format(path="/nowhere/at/all"), "three.stim.csv")
    with pytest.raises(BadInput, match=r"looked for in '/nowhere/at/all'; name another folder with root\.$"):
        open_stimuli(path)
    assert len(open_stimuli(path, root=tmp_path / "images")) == 2


def test_the_fingerprint_of_a_stim_csv_does_not_depend_on_the_machine(listed, tmp_path):
    one = open_stimuli(listed(STIM.format(path="images"), "one.stim.csv"))
    two = open_stimuli(listed(STIM.format(path=f"{tmp_path}/images"), "two.stim.csv"))
    assert one.fingerprint == two.fingerprint


def test_a_stim_csv_of_a_video_or_without_data_is_refused(listed):
    path = listed("type=video\npath=a.mp4\ndata=stimID\n1\n", "v.stim.csv")
    text = f"'{path}' has type=video, expected type=image. Export its frames as images."
    with pytest.raises(BadInput, match=exactly(text)):
        open_stimuli(path)
    path = listed("file\na.png\n", "n.stim.csv")
    text = f"'{path}' has no line 'data=stimID,...'. Expected it after 'type=image' and 'path=FOLDER'."
    with pytest.raises(BadInput, match=exactly(text)):
        open_stimuli(path)
