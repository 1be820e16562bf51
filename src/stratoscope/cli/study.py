"""``stratoscope study``: the studies, one command each."""

from __future__ import annotations

from typing import Any

import click

from stratoscope.cli.commands import Command, Group, finish
from stratoscope.cli.options import opened_source, source_options, study_options
from stratoscope.cli.prune_and_distill import prune_and_distill
from stratoscope.cli.say import say
from stratoscope.cli.unit_lesions import unit_lesions


class StudyGroup(Group):
    """The studies, by name."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a study, or None."""
        del ctx
        studies = {
            "sparse-coding": sparse_coding, "prune-and-distill": prune_and_distill, "unit-lesions": unit_lesions,
        }  # fmt: skip
        return studies.get(cmd_name)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write an example of each."""
        del ctx
        with formatter.section("Examples"):
            formatter.write("  stratoscope study sparse-coding torchvision:alexnet photos/\n")
            formatter.write("  stratoscope study prune-and-distill 'bundled:alexnet@*' objects:\n")
            formatter.write("  stratoscope study unit-lesions bundled:alexnet objects: --stage relu6\n")
        formatter.write("\nEvery study takes --traceback, which shows where an error came from.\n")


@click.group(cls=StudyGroup, modules=("sparse-coding", "prune-and-distill", "unit-lesions"))
def command() -> None:
    """Run every analysis of a paper, with the controls it lacked, on any network and stimuli."""


@click.command(
    "sparse-coding",
    cls=Command,
    examples="""
    stratoscope study sparse-coding torchvision:alexnet imagenet-val/ --input squash
    stratoscope study sparse-coding torchvision:alexnet imagenet-val/ --readout-stimuli caltech256.stim.csv --input squash
    stratoscope study sparse-coding bundled:alexnet objects: --lesion all --models 5 --out study-run
    stratoscope study sparse-coding my_net.py:build photos/ --stages activation --lesion 'remove_gating at each'
    """,
)
@click.argument("model")
@click.argument("stimuli")
@source_options
@click.option("--readout-stimuli", metavar="STIMULI", help="Other stimuli for the read-out. [default: the same]")
@click.option("--readout-stage", metavar="STAGE", help="Stage to read out from. [default: the last]")
@click.option(
    "--folds",
    type=click.Choice(["interleaved", "stratified"]),
    default="interleaved",
    show_default=True,
    help="How the read-out is cross-validated.",
)
@click.option("--n-folds", type=click.IntRange(min=2), default=2, show_default=True, help="Number of folds.")
@click.option("--standardise", is_flag=True, help="Standardise units before the read-out; the paper does not.")
@click.option("--stepwise", is_flag=True, help="Also the stepwise regression of accuracy on sparseness.")
@click.option("--no-readout", is_flag=True, help="Leave the read-out out.")
@click.option(
    "--lesion",
    "lesions",
    multiple=True,
    metavar="NAME",
    help="default, paper, all, none, or names such as permute_weights[channels] or 'remove_gating at each'; repeatable. [default: default]",
)
@click.option(
    "--models",
    "n_models",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="Models of each random lesion.",
)
@click.option(
    "--resamples",
    type=click.IntRange(min=2),
    default=1000,
    show_default=True,
    help="Bootstrap resamples of the categories.",
)
@click.option(
    "--only",
    metavar="COLUMN=VALUE",
    help="Only the stimuli whose column has this value, chosen before anything is normalised.",
)
@study_options("sparse-coding-run")
def sparse_coding(model: str, stimuli: str, **asked: Any) -> None:
    """Run the sparse-coding study of Liu, Zhen & Liu 2020 on MODEL and STIMULI.

    Sparseness of every category at every ReLU, the read-out of one stage, lesions of learning and of gating, the paper's
    claims before and after controls, and a report. MODEL and STIMULI are those of 'stratoscope profile'; STIMULI needs
    categories.
    """
    from stratoscope.studies import sparse_coding

    own = asked["readout_stimuli"]
    study = sparse_coding(
        opened_source(model, asked),
        _stimuli(stimuli, asked),
        readout_stimuli=None if own is None else _stimuli(own, asked),
        **_run(asked),
    )
    if not asked["quiet"]:
        say(repr(study))
    say(f"Study: {asked['out']}")
    say(f"Report: {study.report(asked['out'] / 'report.html')}")
    finish(study.results.failures)


def _stimuli(spec: str, asked: dict[str, Any]) -> Any:
    from stratoscope.stimuli import open_stimuli
    from stratoscope.stimuli.choose import choose
    from stratoscope.studies.subset import only

    column, equals, value = (asked["only"] or "").partition("=")
    opened = open_stimuli(spec)
    if asked["only"]:
        if not equals:
            raise click.BadParameter(f"{column!r} names no value. Write COLUMN=VALUE.", param_hint="--only")
        opened = only(opened, column, value)
    return choose(opened, limit=asked["limit"], per_category=asked["per_category"], seed=asked["seed"])


def _run(asked: dict[str, Any]) -> dict[str, Any]:
    """Return what the study itself is told."""
    from stratoscope.studies import Readout
    from stratoscope.studies.liu2020.protocol import Protocol

    kept = ("readout_stage", "n_models", "correction", "seed", "batch_size", "workers", "budget", "skip_unreadable",
            "out", "overwrite")  # fmt: skip
    readout = Readout(
        folds=asked["folds"], n_folds=asked["n_folds"], standardise=asked["standardise"], stepwise=asked["stepwise"]
    )
    return {
        **{name: asked[name] for name in kept},
        "protocol": Protocol(n_resamples=asked["resamples"]),
        "readout": None if asked["no_readout"] else readout,
        "stages": asked["stages"] or "relu",
        "unit": asked["unit"] or "channel",
        "lesions": list(asked["lesions"]) or None,
        "progress": not asked["quiet"],
    }
