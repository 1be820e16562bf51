"""The report of unit lesions: accuracy over the fraction silenced, and what each ablation costs."""

from __future__ import annotations

from stratoscope.figures.unit_lesions import accuracy_over_ablated
from stratoscope.report.parts import Grid, Section, panelled
from stratoscope.report.sentences import number
from stratoscope.results import Results, Row

_HEAD = ("silenced", "accuracy", "loss", "p: random costs as much", "p: random costs as little", "note")


def unit_lesions_sections(results: Results) -> tuple[Section, ...]:
    """Return the one section of the study."""
    said = results.run["study"]
    figure = panelled(
        "accuracy over silenced channels", accuracy_over_ablated(results),
        f"Channels of {said['protocol']['stage']} set to 0, ranked on the same stimuli. Full lines: the highest of a "
        "criterion; dashed: the lowest; grey: mean and range of random ablations of as many channels. The accuracy is that "
        "of the network's own output.",
    )  # fmt: skip
    words = (
        "Intervals: percentile bootstrap over stimuli, paired for the loss; of random ablation the range of the draws. "
        "The p-values are one-sided, against the random draws, and not corrected for the number of ablations."
    )
    lesions = dict.fromkeys(row.lesion for row in results.rows if row.metric == "accuracy_loss")
    body = tuple(_cells([row for row in results.rows if row.lesion == lesion]) for lesion in lesions)
    return (Section("What silenced channels cost", str(said["summary"]), ((words, Grid(_HEAD, body)),), (figure,)),)


def _cells(rows: list[Row]) -> tuple[str, ...]:
    # Of random ablation the row that sums the draws up comes last.
    of = {row.metric if row.metric != "p_random" else row.item: row for row in rows}
    found = [of.get(name) for name in ("accuracy", "accuracy_loss", "costs more", "costs less")]
    numbers = ["–" if row is None else _number(row) for row in found]
    return (rows[0].lesion, *numbers, of["accuracy_loss"].note)


def _number(row: Row) -> str:
    return number(row.value) + (f" [{number(row.low)}, {number(row.high)}]" if row.low == row.low else "")
