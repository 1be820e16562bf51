"""Parsers of ours: addresses, options, budgets, tables and results, fed with anything (hypothesis, the same examples every time)."""

from __future__ import annotations

import tomllib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as any_of
from torch import nn

import stratoscope as st
from stratoscope.errors import ResultsError, StratoscopeError
from stratoscope.measure.budget import parse_bytes
from stratoscope.measure.request import ask
from stratoscope.metrics.declare import METRICS
from stratoscope.results.toml import dumps
from stratoscope.sources.recording.options import parse_options
from stratoscope.stimuli.npz import split_place
from stratoscope.stimuli.table import parse_table
from stratoscope.testing.small_files import write_results

QUICK = settings(
    max_examples=120, derandomize=True, deadline=None, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


def words(*fragments, alphabet=None):
    """Draw text that is made of these fragments and of anything between them."""
    # no slash, so that no drawn name leads out of the folder of the test
    letters = any_of.text(any_of.characters(exclude_characters="/\\~"), max_size=6)
    return any_of.lists(any_of.sampled_from(fragments) | (alphabet or letters), max_size=8).map("".join)


def tried(call, *given_):
    """Call; a sentence of the house is an answer, anything else comes up."""
    try:
        return call(*given_)
    except StratoscopeError as error:
        assert str(error).strip()  # noqa: PT017
        return None


@pytest.fixture(autouse=True)
def empty_place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


NUMBERS = ("0", "-1", "1", "3", "0.8", "1e400", "nan", "inf", "9" * 400, "None", "True", "[]", "()", "{}", "'a'")


@QUICK
@given(
    words(
        *METRICS,
        ":",
        "fraction=",
        "n1=",
        "method=",
        "k=",
        "seed=",
        ",",
        "=",
        "(",
        ")",
        "[",
        "lambda: 0",
        "__import__('os')",
        *NUMBERS,
    )
)
def test_metrics_and_options(text):
    """Metrics and options (`two_nn:fraction=0.8`), any text -> a metric or a sentence; nothing in it is evaluated."""
    tried(lambda: ask([text], None, has_categories=True, columns=("category", "azimuth")))


@pytest.mark.parametrize(
    "deep",
    [
        "two_nn:fraction=" + "(" * 5000,
        "two_nn:fraction=" + "[" * 300 + "]" * 300,
        "two_nn:" + "-" * 20000 + "1",
        "two_nn:fraction=" + "-" * 3000 + "1",
    ],
)
def test_options_nested_without_end(deep):
    """Options nested a thousand deep -> a sentence, not an overflow of the stack."""
    with pytest.raises(StratoscopeError):
        ask([deep], None, has_categories=True)


@QUICK
@given(words("1", "2", ".", "e9", "GB", "MiB", " ", "-", "9" * 400, "\u0663", "_"))
def test_budgets(text):
    """Memory budgets (`2GB`), any text -> a number of bytes, or a sentence."""
    size = tried(parse_bytes, text)
    assert size is None or size >= 0


@QUICK
@given(
    words(
        "dense?",
        "n=",
        "2",
        "&",
        "seed=",
        "objects=",
        "jug",
        "star",
        ",",
        "pixels=",
        "16",
        "?",
        "=",
        "1e9",
        "-3",
        ":",
        "azimuth",
        "size",
        "nan",
    )
)
def test_addresses_of_objects(text):
    """Addresses of rendered objects (`objects:dense?n=3000`), any text -> stimuli, or a sentence."""
    tried(st.open_stimuli, f"objects:{text}")


@QUICK
@given(
    words(
        "folder:",
        "table:",
        "npz:",
        "zip:",
        "torchvision:",
        "objects",
        "list.csv",
        "x.npz",
        ":test",
        "a" * 300,
        "\0",
        ".zip",
        "?",
    )
)
def test_addresses_of_stimuli(text):
    """Addresses of stimuli, any text -> stimuli, or a sentence."""
    tried(st.open_stimuli, text)
    split_place(text)


@QUICK
@given(
    words(
        "bundled:",
        "alexnet",
        "@",
        "*",
        "initial",
        "torchvision:",
        "timm:",
        "hf:",
        "net.py:",
        "build",
        "recording:",
        "x.nwb",
        "?window=",
        ".npz",
        "\0",
        "a" * 300,
    )
)
def test_addresses_of_networks(text):
    """Addresses of networks and recordings (`bundled:alexnet@*`), any text -> a source, or a sentence."""
    if not text.startswith(("timm:", "hf:", "torchvision:")):  # these would look for weights to download
        tried(st.open_source, text)


@QUICK
@given(
    words(
        "window=",
        "0.1:0.5",
        "&",
        "areas=",
        "V1,LM",
        "missing=",
        "-1",
        "nan",
        "baseline=",
        "dims=",
        "unit",
        ":",
        "latency=unit",
    )
)
def test_options_of_recordings(text):
    """Options of recordings (`window=0.1:0.5`), any text -> options, or a sentence."""
    tried(parse_options, text)


@QUICK
@given(
    words("relu", "conv", "auto", "*", "re:", "(", "[", "name:", "0", "|", ".", "a" * 300),
    words("channel", "position", ":max", ":top", "5", "token", "cls", "-1", "0"),
)
def test_choices_of_stages_and_units(stages, unit):
    """Choices of stages (`re:conv(`) and units (`channel:top5`), any text -> stages, or a sentence."""
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    images = st.open_stimuli("objects:dense?n=1&objects=jug&pixels=16")

    def choose():
        return st.Network(module, stages=stages, unit=unit, preprocess=_tensor).prepare(images)

    tried(choose)


def _tensor(image):
    import torch

    return torch.from_numpy(np.asarray(image, dtype=np.float32).transpose(2, 0, 1) / 255)


@QUICK
@given(
    words(
        "path",
        "category",
        ",",
        ";",
        "\t",
        "\n",
        "\r",
        '"',
        "a.png",
        "data=",
        "stimID",
        "type=image",
        "path=x",
        "\u2028",
        "\0",
    ),
    any_of.sampled_from(["a.csv", "a.tsv", "a.stim.csv"]),
)
def test_tables_of_stimuli(text, where):
    """Tables of stimuli (CSV, TSV, .stim.csv), any text -> columns of one length, or a sentence."""
    table = tried(parse_table, text, where)
    assert table is None or len({len(cells) for cells in table.cells.values()}) == 1


VALUES = any_of.recursive(
    any_of.none() | any_of.booleans() | any_of.integers() | any_of.floats() | any_of.text(max_size=4),
    lambda inner: any_of.lists(inner, max_size=3) | any_of.dictionaries(any_of.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    write_results(folder)
    return folder / "run"


def _edited(run, place, value):
    """Write `value` to a place of run.toml, with all else as it was."""
    text = (run / "run.toml").read_text()
    said = tomllib.loads(text)
    inner = said
    for key in place[:-1]:
        inner = inner.setdefault(key, {})
    inner[place[-1]] = value
    (run / "run.toml").write_text(dumps(said))
    return text


@QUICK
@given(
    any_of.sampled_from([
        ("results", "schema"), ("results", "remarks"), ("results", "skipped"), ("results", "checksum"), ("metrics",), ("run",),
        ("metrics", "two_nn"), ("metrics", "two_nn", "range"), ("metrics", "two_nn", "dims"), ("metrics", "unheard_of"),
        ("run", "stimuli"), ("run", "source"), ("run", "stages"), ("run", "settings"), ("results",),
    ]),
    VALUES,
)  # fmt: skip
def test_an_edited_run_toml(run, place, value):
    """A results folder whose run.toml was edited, any value at any place -> results, or a sentence that names the file."""
    before = _edited(run, place, value)
    try:
        results = tried(st.open_results, run)
        if results is not None:
            results.table()
            assert repr(results)
    finally:
        (run / "run.toml").write_text(before)


def test_results_of_another_version(run):
    """Results of a newer or an older schema -> refused, with the version that wrote them."""
    for schema in (0, 2, 99):
        before = _edited(run, ("results", "schema"), schema)
        try:
            with pytest.raises(ResultsError, match=rf"have schema {schema}, and this version reads schema \d"):
                st.open_results(run)
        finally:
            (run / "run.toml").write_text(before)


def test_results_with_a_metric_nobody_knows(run):
    """Results with a metric that this version does not have -> opened and reported by what they say themselves."""
    text = (run / "run.toml").read_text()
    table = (run / "table.csv").read_text()
    before = {"run.toml": text, "table.csv": table}
    try:
        (run / "table.csv").write_text(table.replace("two_nn", "three_nn"))
        from stratoscope.results.folder import _checksum

        said = tomllib.loads(text)
        said["results"]["checksum"] = _checksum(run)
        (run / "run.toml").write_text(dumps(said))
        results = st.open_results(run)
        assert "three_nn" in set(results.table()["metric"])
        assert "three" in results.report(run.parent / "other.html").read_text()
    finally:
        for name, content in before.items():
            (run / name).write_text(content)


def test_arrays_cut_off_or_without_groups(run):
    """Arrays that are cut off, or whose groups are missing, with a checksum that was made to fit -> a sentence."""
    import zipfile

    from stratoscope.results.folder import _checksum

    whole = (run / "arrays.zarr.zip").read_bytes()
    text = (run / "run.toml").read_text()
    with zipfile.ZipFile(run / "arrays.zarr.zip") as file:
        members = {name: file.read(name) for name in file.namelist()}

    def fitted(content):
        (run / "arrays.zarr.zip").write_bytes(content)
        said = tomllib.loads(text)
        said["results"]["checksum"] = _checksum(run)
        (run / "run.toml").write_text(dumps(said))
        with pytest.raises(ResultsError):
            st.open_results(run)

    try:
        fitted(whole[: len(whole) // 2])
        fitted(b"")
        for start in ("run_0/stage_000", ".zmetadata", "run_0"):
            with zipfile.ZipFile(run / "cut.zip", "w") as file:
                for name, content in members.items():
                    if not name.startswith(start):
                        kept = (
                            content.replace(b"run_0/stage_000", b"run_0/stray_000") if name == ".zmetadata" else content
                        )
                        file.writestr(name, kept)
            content = (run / "cut.zip").read_bytes()
            (run / "cut.zip").unlink()
            fitted(content)
    finally:
        (run / "arrays.zarr.zip").write_bytes(whole)
        (run / "run.toml").write_text(text)
