from __future__ import annotations

from stratoscope.figures.contact_sheet import SHOWN, contact_sheet
from stratoscope.stimuli.objects import default_object


def test_a_contact_sheet_names_its_rows_columns_and_axes():
    figure = contact_sheet({name: default_object(name) for name in ("jug", "star")}, pixels=24)
    (axes,) = figure.axes
    texts = [text.get_text() for text in axes.texts]
    assert texts[:2] == ["jug", "star"]
    assert len(texts) == 2 + sum(map(len, SHOWN.values())) + len(SHOWN)
    assert {"size (°)", "12.5", "in-depth rotation (°)"} <= set(texts)


def test_a_contact_sheet_has_an_image_for_every_cell():
    figure = contact_sheet({"jug": default_object("jug")}, shown={"size": (20.0, 50.0)}, pixels=24, gap=2)
    sheet = figure.axes[0].images[0].get_array()
    assert sheet.shape == (24, 24 + 2 + 24)
    assert 0 < (sheet[:, :24] > 0).sum() < (sheet[:, 26:] > 0).sum()
