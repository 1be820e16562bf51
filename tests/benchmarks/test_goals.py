"""The table of goals reads what the benchmarks find, and says met only of what is met."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2]))
    from benchmarks import __main__ as everything

    yield everything
    for name in [name for name in sys.modules if name.startswith("benchmarks")]:
        sys.modules.pop(name)


def test_a_line_says_figure_goal_and_whether_it_is_met(bench):
    found = {
        "dimension": {
            "dimension": {"stage 5,000 x 4,096": {"ours": {}, "DADApy": {"times ours": 7.0, "off ours by": 1e-9}}}
        },
        "cost": {"memory many/few": 1.2},
    }
    lines = [" ".join(line.split()) for line in bench.table(found)]
    assert "TwoNN 5,000 x 4,096, DADApy over ours 7 >= 6 met" in lines
    assert "TwoNN 5,000 x 4,096, scikit-dimension over ours not measured >= 5" in lines
    assert "TwoNN 5,000 x 4,096, largest difference from any 1e-09 <= 1e-06 met" in lines
    assert "memory at 2,000 over 500 images 1.2 <= 1.05 NOT met" in lines


def test_every_goal_belongs_to_a_group_and_reads_a_figure_it_makes(bench):
    from benchmarks import goals, pairs, streaming_exponents

    assert set(goals.GOALS) <= set(bench.GROUPS)
    tiny = streaming_exponents.measure(factors=(1, 2), runs=1, n=32)
    small = {"scaling": pairs.scaling(60, 20, pairs=1)}
    for group, found in (("exponents", tiny), ("scaling", small)):
        for goal in goals.GOALS[group]:
            assert goal.figure(found) is not None, goal.work


def test_a_group_runs_here_with_the_machine_and_is_kept(bench, monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(bench.GROUPS, "scaling", lambda _: {"scaling": {"units": {"exponent": 1.0}}})
    monkeypatch.setattr(sys, "argv", ["benchmarks", "scaling", "--here"])
    bench.main()
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["machine"]["threads"] == 1
    monkeypatch.setattr(bench, "KEPT", tmp_path / "measured.json")
    bench.keep({"scaling, 1 threads": found})
    bench.keep({"limit, 1 threads": {}})
    assert set(json.loads((tmp_path / "measured.json").read_text())) == {"scaling, 1 threads", "limit, 1 threads"}
    monkeypatch.setattr(sys, "argv", ["benchmarks", "scalin"])
    with pytest.raises(SystemExit):
        bench.main()
    assert "No group is called 'scalin'" in capsys.readouterr().err
