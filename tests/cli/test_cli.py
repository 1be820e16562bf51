"""Which library call every command line makes, what it prints, and how it ends."""

import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from click.testing import CliRunner

import stratoscope.sources
import stratoscope.stimuli
from stratoscope.cli import main
from stratoscope.cli.entry import COMMANDS
from stratoscope.errors import BadInput, UnreadableStimulus
from stratoscope.metrics import declare
from stratoscope.registry import Registry
from stratoscope.results import Results
from stratoscope.testing.results import toy_results
from stratoscope.types import Stage


def module(monkeypatch, name, **functions):
    fake = ModuleType(name)
    vars(fake).update(functions)
    monkeypatch.setitem(sys.modules, name, fake)
    return fake


@pytest.fixture
def calls(monkeypatch):
    """Replace the library by functions that write down how they were called."""
    made = []

    def record(name, answer):
        def call(*args, **keywords):
            made.append((name, args, keywords))
            return answer(*args) if callable(answer) else answer

        return call

    results = toy_results(["a", "b"], lesion="x")
    module(monkeypatch, "stratoscope.measure", profile=record("profile", results))
    module(monkeypatch, "stratoscope.measure.cluster", open_cluster=lambda spec: nullcontext(f"CLIENT of {spec}"))
    module(monkeypatch, "stratoscope.demo", run_demo=record("run_demo", results))
    module(monkeypatch, "stratoscope.sources.openers", open_source=record("open_source", "SOURCE"))
    names = ("permute_weights", "remove_gating")
    lesions = SimpleNamespace(**{name: record(name, "LESIONED") for name in names})
    monkeypatch.setattr(stratoscope.sources, "lesions", lesions, raising=False)
    monkeypatch.setattr(stratoscope.stimuli, "open_stimuli", record("open_stimuli", "STIMULI"), raising=False)
    monkeypatch.setattr("stratoscope.report.write_report", record("write_report", lambda _results, path: path))
    return made


def run(*line):
    return CliRunner().invoke(main, line, catch_exceptions=False)


SOURCE = {
    "weights": "default",
    "stages": "auto",
    "unit": "channel",
    "input": "auto",
    "size": None,
    "device": "cpu",
    "autocast": None,
    "channels_last": False,
    "seed": 0,
}
PASS = {
    "batch_size": 32, "workers": 2, "budget": "2GB", "spool": None, "seed": 0, "skip_unreadable": False, "overwrite": False, "extrapolate": False,
    "metrics": None, "unit": None, "progress": True, "resume": True, "client": None,
}  # fmt: skip


def test_profile_with_nothing_said(calls):
    done = run("profile", "torchvision:alexnet", "photos/")
    assert done.exit_code == 0
    out = Path("runs/torchvision-alexnet-photos")
    assert calls[0] == ("open_source", ("torchvision:alexnet",), SOURCE)
    assert calls[1] == ("open_stimuli", ("photos/",), {"limit": None, "seed": 0, "per_category": None})
    assert calls[2] == ("profile", ("SOURCE", "STIMULI"), {**PASS, "out": out})
    assert (calls[3][0], calls[3][1][1]) == ("write_report", out / "report.html")
    assert done.stdout.splitlines()[-2:] == [f"Results: {out}", f"Report: {out / 'report.html'}"]


def test_profile_with_everything_said(calls):
    line = (
        "profile M S --weights w.safetensors --stages relu --stages fc --unit channel --unit position --input squash "
        "--size 64 --device cuda --autocast float16 --channels-last --seed 3 --lesion permute_weights --metrics two_nn,gride --batch-size 8 --workers 0 "
        "--budget 500MB --spool bfloat16 --limit 10 --per-category 5 --skip-unreadable --out o --overwrite --restart --cluster local:3 --no-report --quiet"
    )
    done = run(*line.split())
    assert [name for name, *_ in calls] == ["open_source", "permute_weights", "open_stimuli", "profile"]
    assert calls[0][2] == {
        "weights": "w.safetensors", "stages": ("relu", "fc"), "unit": ("channel", "position"), "input": "squash",
        "size": 64, "device": "cuda", "seed": 3, "autocast": "float16", "channels_last": True,
    }  # fmt: skip
    assert calls[1] == ("permute_weights", ("SOURCE",), {"seed": 3})
    assert calls[2][2] == {"limit": 10, "seed": 3, "per_category": 5}
    assert calls[3] == ("profile", ("LESIONED", "STIMULI"), {
        "batch_size": 8, "workers": 0, "budget": "500MB", "spool": "bfloat16", "seed": 3, "skip_unreadable": True, "overwrite": True, "extrapolate": False,
        "metrics": ["two_nn", "gride"], "unit": ("channel", "position"), "progress": False, "out": Path("o"), "resume": False, "client": "CLIENT of local:3",
    })  # fmt: skip
    assert done.stdout == "Results: o\n"


def test_a_lesion_that_draws_nothing_gets_no_seed(calls):
    run("profile", "M", "S", "--lesion", "remove_gating")
    assert calls[1] == ("remove_gating", ("SOURCE",), {})


def test_demo(calls):
    done = run("demo", "--out", "d", "--seed", "2", "--quiet")
    assert calls == [("run_demo", (Path("d"),), {"seed": 2, "overwrite": False, "progress": False, "resume": True})]
    assert done.stdout.endswith("Report: d/report.html\n")


def test_failures_during_the_run_are_told_and_end_with_one(monkeypatch, calls):
    module(monkeypatch, "stratoscope.measure", profile=lambda *_, **__: toy_results(["a", "fc8"]))
    done = run("profile", "M", "S")
    assert done.exit_code == 1
    assert done.stderr.splitlines() == [
        "failed: fc8, two_nn: 120 stimuli have 4 distinct responses; TwoNN needs 10.",
        "failed: Stimulus 'cup/12.png' was left out: the file is truncated",
        "failed: Stimulus 'dog/12.png' was left out: the file is empty",
    ]


def raises(error):
    def call(*_, **__):
        raise error

    return call


@pytest.mark.parametrize(("error", "code"), [(BadInput("It is wrong."), 2), (UnreadableStimulus("It is torn."), 1)])
def test_errors_of_the_house_are_one_sentence(monkeypatch, calls, error, code):
    module(monkeypatch, "stratoscope.measure", profile=raises(error))
    done = run("profile", "M", "S")
    assert (done.exit_code, done.stderr) == (code, f"stratoscope: {error}\n")


def test_traceback_shows_where_an_error_came_from(monkeypatch, calls):
    module(monkeypatch, "stratoscope.measure", profile=raises(BadInput("It is wrong.")))
    with pytest.raises(BadInput):
        run("profile", "M", "S", "--traceback")


def test_other_errors_keep_their_traceback(monkeypatch, calls):
    module(monkeypatch, "stratoscope.measure", profile=raises(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        run("profile", "M", "S")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("profle", "No command is called 'profle'. Did you mean 'profile'?"),
        (
            "xyzzy",
            "No command is called 'xyzzy'. Known: demo, profile, sweep, stages, metrics, stimuli, train, study, compare, report, figures, table, doctor.",
        ),
        ("profile M", "Missing argument 'STIMULI'"),
        ("profile M S --batch-size 0", "0 is not in the range x>=1"),
        ("profile M S --lesion perm", "'perm' is not one of"),
        ("profile M S --bach-size 2", "Did you mean"),
    ],
)
def test_wrong_usage_ends_with_two(calls, line, words):
    done = run(*line.split())
    assert done.exit_code == 2
    assert words in done.stderr


def test_stages_lists_all_taps_and_with_a_choice_the_chosen(monkeypatch, calls):
    stage = Stage("layer1.0.relu:2", 0.25, "relu", (64, 55, 55), "channel", 64, "channels-first")
    seen = []

    class Net:
        stages = ()

        def taps(self, example):
            seen.append(example.load(0).size)
            return [stage]

        def prepare(self, example):
            return SimpleNamespace(stages=(stage, stage))

    monkeypatch.setattr(sys.modules["stratoscope.sources.openers"], "open_source", lambda *_, **__: Net())
    done = run("stages", "M", "--size", "32")
    assert done.stdout.splitlines() == [
        "stage            depth  kind  shape         unit     units  layout",
        "layer1.0.relu:2  0.250  relu  64 x 55 x 55  channel     64  channels-first",
    ]
    assert seen == [(32, 32)]
    assert len(run("stages", "M", "--stages", "relu").stdout.splitlines()) == 3


def test_metrics_lists_what_is_declared(monkeypatch):
    registry = Registry("metric")
    monkeypatch.setattr(declare, "METRICS", registry)

    @declare.metric(needs="gram", through=len, paper="Doe 2020.", unit="bits", range=(0, 5), dims=("unit",))
    def surprise(responses):
        """Surprise of a unit.

        When it misleads
        ----------------
        With few
        stimuli.

        References
        ----------
        Doe 2020.
        """

    listed = run("metrics").stdout.splitlines()
    assert listed == [
        "metric    needs  along  range   unit  reads    source",
        "surprise  gram   unit   0 to 5  bits  channel  Doe 2020.",
    ]
    told = run("metrics", "surprise").stdout
    assert told.startswith("surprise: Surprise of a unit.\n")
    assert "  when it misleads: With few stimuli.\n" in told
    done = run("metrics", "surprize")
    assert (done.exit_code, done.stderr) == (
        2,
        "stratoscope: No metric is called 'surprize'. Did you mean 'surprise'?\n",
    )


def test_report_is_written_again_without_the_network(tmp_path):
    folder = toy_results(["a", "b"]).save(tmp_path / "run")
    other = toy_results(["a", "b"], lesion="cut").save(tmp_path / "other")
    assert run("report", str(folder)).exit_code == 0
    assert "toynet" in (folder / "report.html").read_text()
    done = run("report", str(folder), str(other), "--out", str(tmp_path / "both.html"))
    assert done.stdout == f"Report: {tmp_path / 'both.html'}\n"
    assert "intact, cut" in (tmp_path / "both.html").read_text()


def test_a_report_of_nothing_is_wrong_input(tmp_path):
    done = run("report", str(tmp_path / "none"))
    assert (done.exit_code, done.stderr) == (
        2,
        f"stratoscope: There is no results folder {tmp_path / 'none'}. Check the path.\n",
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_helps_with_examples(name):
    text = run(name, "--help").stdout
    assert f"Examples:\n  stratoscope {name}" in text
    assert "--traceback" in text


def test_version_is_told():
    assert run("--version").stdout.startswith("stratoscope, version ")


def test_help_comes_at_once_and_without_torch():
    code = "import sys; from stratoscope.cli import main; main(['--help'], standalone_mode=False); print(sorted(sys.modules))"
    begun = time.process_time()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.splitlines()[-1]
    assert not any(f"'{heavy}'" in loaded for heavy in ("torch", "xarray", "matplotlib", "pandas"))
    assert time.process_time() - begun < 0.5


def test_python_m_is_the_command():
    done = subprocess.run([sys.executable, "-m", "stratoscope", "--help"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Usage: stratoscope [OPTIONS] COMMAND [ARGS]...")


def test_results_are_what_the_commands_print(calls):
    assert isinstance(toy_results(["a"]), Results)
    assert run("profile", "M", "S").stdout.startswith("Results of 'toynet': 4 stages (2 by channel, 2 by position)")
