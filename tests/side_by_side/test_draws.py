"""Halves of units scatter as new units do, and what has no units to draw is told."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import stratoscope as st
from stratoscope.cli import main
from stratoscope.errors import UnknownName
from stratoscope.figures.side_by_side import matrices_of
from stratoscope.metrics import rdm, rsa, unit_groups
from stratoscope.metrics.group_sums import UnitGroups, group_halves
from stratoscope.report import write_report
from stratoscope.studies import compare, given_rdms
from stratoscope.studies.side_by_side.draws import Side, draws
from stratoscope.studies.side_by_side.geometry import geometries
from stratoscope.studies.side_by_side.likeness import likeness

IDS = tuple(f"image-{row}" for row in range(60))


def pair_of(profiled, layers, metrics=("rdm", "unit_groups")):
    return [profiled(name, one, metrics=metrics) for name, one in zip(("network", "cortex"), layers, strict=True)]


@pytest.mark.parametrize("wide", [False, True])
def test_halves_of_units_scatter_as_much_as_new_units_do(wide):
    rng = np.random.default_rng(3)
    latent, model = rng.normal(size=(60, 6)), rdm(rng.normal(size=(60, 6)))
    model = model + rdm(latent)
    units = 600 if wide else 30

    def area():
        return np.maximum(latent @ rng.normal(size=(6, units)) + (8 if wide else 1) * rng.normal(size=(60, units)), 0)

    fresh = [rsa(rdm(area()), model) for _ in range(200)]
    spreads = []
    for seed in range(8):
        groups = UnitGroups.of(unit_groups(area(), n_groups=16, seed=seed), 60)
        assert groups.single != wide
        draw = [rsa(groups.distances(group_halves(len(groups), rng)), model) for _ in range(60)]
        spreads.append(np.std(draw))
    assert np.mean(spreads) == pytest.approx(np.std(fresh), rel=0.3)


def test_each_draw_is_what_its_stimuli_and_units_give(profiled, layers):
    network, cortex = layers
    one, other = (Side.of(geometries(run)[0], IDS) for run in pair_of(profiled, layers))
    first, second = next(iter(draws(one, other, 1, 5, "both")))
    rng = np.random.default_rng((5, 0, 0))
    rows = np.sort(np.random.default_rng(5).choice(60, 30, replace=False))
    for found, responses in zip(first, network.values(), strict=True):
        half = responses[:, group_halves(40, rng)]
        np.testing.assert_allclose(found, rdm(half[rows]), atol=1e-5)
    assert len(second) == len(cortex)


def test_intervals_over_both_are_wider_than_over_either(profiled, layers):
    one, other = (geometries(run)[0] for run in pair_of(profiled, layers))
    width = {}
    for over in ("both", "stimuli", "units"):
        found = likeness(one, other, "rsa-spearman", n_draws=150, seed=0, over=over)
        low, high = found.interval(0.95)
        assert (low <= found.value).all()
        assert (found.value <= high).all()
        width[over] = (high - low).mean()
    assert width["both"] > width["stimuli"]
    assert width["both"] > width["units"] > 0


def test_what_was_drawn_is_said(profiled, layers):
    network, cortex = (geometries(run)[0] for run in pair_of(profiled, layers))
    bare = geometries(profiled("bare", layers[1]))[0]
    said = {over: likeness(network, bare, "cka", n_draws=2, seed=0, over=over).over for over in ("both", "units")}
    assert said == {"both": "stimuli and units of network", "units": "units of network"}
    assert likeness(network, cortex, "cka", n_draws=2, seed=0).over == "stimuli and units"
    assert likeness(network, cortex, "cka", n_draws=2, seed=0, over="stimuli").over == "stimuli"
    nothing = likeness(bare, bare, "cka", n_draws=2, seed=0, over="units")
    assert (nothing.over, len(nothing.draws)) == ("", 0)


def test_areas_of_three_units_are_taken_as_they_are_and_told(profiled, layers):
    few = {"V1": layers[1]["V1"][:, :3], "IT": layers[1]["IT"]}
    study = compare(pair_of(profiled, (layers[0], few)), n_draws=5)
    assert any(
        remark.startswith("Not all stages of cortex hold at least 4 groups of units: theirs are taken as they are")
        for remark in study.results.remarks
    )
    published = given_rdms("published", {"IT": rdm(few["IT"])}, IDS)
    remarks = compare([*pair_of(profiled, layers), published], n_draws=0).results.remarks
    assert not any("groups of units" in remark for remark in remarks)  # nothing was drawn at all


def test_matrices_of_correlations_are_resampled_as_correlations(profiled, layers):
    metrics = ("rdm:distance='correlation',centre='units'", "unit_groups")
    one, other = (geometries(run)[0] for run in pair_of(profiled, layers, metrics))
    sides = [Side.of(geometry, IDS) for geometry in (one, other)]
    assert set(one.distances) == {"correlation"}
    first, _ = next(iter(draws(*sides, 1, 0, "units")))
    half = layers[0]["layer1"][:, group_halves(40, np.random.default_rng((0, 0, 0)))]
    np.testing.assert_allclose(first[0], rdm(half, distance="correlation", centre="units"), atol=1e-5)


def test_an_unknown_kind_of_draw_is_refused_with_the_known_ones(profiled, layers):
    with pytest.raises(UnknownName, match="No kind of draw is called 'unit'. Did you mean 'units'"):
        compare(pair_of(profiled, layers), over="unit")


def test_the_command_prints_intervals_shares_and_claims(profiled, layers, tmp_path):
    metrics = ("rdm", "unit_groups", "population_sparseness")
    for run, name in zip(pair_of(profiled, layers, metrics), ("network", "cortex"), strict=True):
        run.save(tmp_path / name)
    words = [
        "compare",
        str(tmp_path / "network"),
        str(tmp_path / "cortex"),
        "--draws",
        "20",
        "--out",
        str(tmp_path / "both"),
    ]
    found = CliRunner().invoke(main, [*words, "--over", "units"])
    assert found.exit_code == 0, found.output
    assert "rsa-spearman: cortex against network, 60 stimuli, 20 halves of units" in found.output
    assert "100% of draws" in found.output
    assert "network: sparseness rises along the stages" in found.output
    one = matrices_of(st.open_results(tmp_path / "both"))[0]
    assert f"[{one.low[2, 1]:.2f}, {one.high[2, 1]:.2f}]" in found.output
    page = write_report(st.open_results(tmp_path / "both"), tmp_path / "report.html").read_text("utf-8")
    assert "Intervals are from 20 halves of units" in page


def test_stimuli_that_were_skipped_are_left_out_of_the_comparison(tmp_path):
    for row in range(11):
        Image.fromarray(np.random.default_rng(row).integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(
            tmp_path / f"{row:02d}.png"
        )
    (tmp_path / "03.png").write_bytes(b"no image")
    photos, source = st.open_stimuli(tmp_path), st.open_source("bundled:alexnet", stages="relu*")
    run = st.profile(
        source, photos, stages=["relu1", "relu2"], metrics=["rdm", "unit_groups"], skip_unreadable=True, progress=False
    )
    assert np.isnan(run["relu1"]["rdm"].to_numpy()[3]).all()
    (one,) = geometries(run)
    assert len(one.ids) == 10
    assert all(np.isfinite(rdm).all() for rdm in one.rdms)
    found = likeness(one, one, "rsa-spearman", n_draws=4, seed=0)
    np.testing.assert_allclose(np.diag(found.value), 1)
    assert np.isfinite(found.draws).all()
