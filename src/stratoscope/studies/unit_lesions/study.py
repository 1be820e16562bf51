"""The study as one call: the intact network once, then every ablation of one stage, on stimuli that are decoded once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from stratoscope.errors import BadInput
from stratoscope.measure.budget import parse_bytes
from stratoscope.measure.progress import bar
from stratoscope.measure.record import Settings, record
from stratoscope.metrics.declare import METRICS
from stratoscope.results import Results, check_target, declared
from stratoscope.sources.lesions import ablate_units
from stratoscope.sources.network import Network
from stratoscope.stimuli import choose_examples
from stratoscope.studies.hear import Heard, hear, room
from stratoscope.studies.remember import remembered
from stratoscope.studies.unit_lesions.classes import checked_codes, class_of_categories, correctness, output_stage
from stratoscope.studies.unit_lesions.criteria import CRITERIA, ENDS, RANDOM, check_asked, planned_ablations, scores
from stratoscope.studies.unit_lesions.rows import DECLARED, Measured, ablation_labels, random_losses, stage_result
from stratoscope.types import Floats, Integers, Source, Stage, Stimuli

NAME = "unit-lesions"


def ablate_by_rank(
    source: Source,
    stimuli: Stimuli,
    stage: str,
    *,
    by: Sequence[str] = (*CRITERIA, RANDOM),
    fractions: Sequence[float] = (0.1, 0.25, 0.5, 0.75),
    ends: Sequence[str] = ENDS,
    labels: Sequence[str | int] | None = None,
    output: str | None = None,
    n_random: int = 19,
    seed: int = 0,
    batch_size: int = 32,
    workers: int = 2,
    budget: str | float = "4GB",
    progress: bool = True,
    out: str | Path | None = None,
    overwrite: bool = False,
) -> Results:
    """Silence channels of one stage, ranked by a criterion or at random, and measure what accuracy is lost.

    One pass over the intact network ranks the channels and gives its accuracy; then every ablated network plays the same
    stimuli. The accuracy is the network's own: the largest output against the category, no read-out is trained.

    Parameters
    ----------
    source : Network
        A classifier; not changed.
    stimuli : Stimuli
        At least two categories, each a class of the network.
    stage : str
        Name of the stage whose channels are silenced (set to 0, whole maps).
    by : sequence of str
        ``lifetime_sparseness`` (Treves-Rolls over stimuli, of the spatial mean), ``selectivity``
        (`stratoscope.studies.unit_lesions.criteria.selectivity`), ``mean_activation``, and ``random``, the control.
    fractions : sequence of float
        Fractions of the channels, above 0 up to 1; at least one channel is taken.
    ends : sequence of str
        ``highest`` and ``lowest``: which end of the ranking goes. Equal channels go in their order.
    labels : sequence of str or int, optional
        The category of every output, in order. Known for bundled networks; otherwise categories may be the numbers of
        the outputs, from 0.
    output : str, optional
        Stage that holds the classes; by default the last one.
    n_random : int
        Random ablations of each size, with seeds ``seed``, ``seed + 1`` ...; 19 are the fewest whose one-sided p-values
        can reach 0.05, 39 the fewest for two-sided ones, and each costs a pass for every fraction.
    seed : int
        Seed of the random ablations and of the bootstrap.
    batch_size, workers, budget, progress, out, overwrite
        As in `stratoscope.measure.profile`; what the budget leaves holds decoded stimuli.

    Returns
    -------
    Results
        At `stage`, for every ablation: ``accuracy`` and ``accuracy_loss`` (intact minus ablated) with the percentile
        bootstrap over stimuli, paired for the loss; ``p_random``, items ``costs more`` and ``costs less``: a one-sided
        permutation p-value against the random draws, never below 1 / (1 + n_random). Random rows have the control
        ``random``; their mean has the range of the draws for ends. Arrays: the criteria (unit), ``silenced`` (ablation,
        unit), ``accuracy_by_category`` (ablation, category), ``correct`` (ablation, stimulus).

    Raises
    ------
    UnknownName, StageError
        For a stage, criterion or end that does not exist.
    BadInput
        For fractions outside 0 to 1, stimuli without categories, classes that do not match them, an output that is not
        (stimulus, class), or a source that is no network.

    When it misleads
    ----------------
    The criteria go together: sparse channels are selective and seldom active, so that "the sparse ones matter" may mean
    "the weak ones do not". Channels that never respond cost nothing and lie at the lowest end of every criterion. The
    ranking and the loss come from the same stimuli. Zero is far from the usual response of a channel with a high mean,
    and the loss is in part that of an unusual input to the next stage.

    Examples
    --------
    >>> found = ablate_by_rank(st.open("bundled:alexnet"), st.open_stimuli("objects:dense"), "relu6")  # doctest: +SKIP
    """
    by, ends = ((one,) if isinstance(one, str) else tuple(one) for one in (by, ends))
    check_asked(by, fractions, ends, n_random)
    settings = Settings(batch_size, workers, parse_bytes(budget), seed, False, progress)
    if out is not None:
        check_target(Path(out), overwrite=overwrite)
    codes, names = checked_codes(stimuli)
    network = _network(source)
    answer = output_stage(network, stimuli, output)
    both = network.select(stages=[f"name:{stage}", f"name:{answer.name}"], unit="channel").prepare(stimuli)
    if stage == answer.name:
        raise BadInput(f"Stage {stage!r} is the output itself. Ablate a stage before it.")
    wanted = class_of_categories(names, answer.shape[0], labels, network)[codes]
    kept = remembered(stimuli, room(both.stages, stimuli, answer.name, settings.budget))
    ablate_units(both, stage, [0])  # channels that cannot be silenced are refused before the pass
    heard = hear(both, kept, kept=answer.name, settings=settings, label=network.name)
    place = next(one for one in both.stages if one.name == stage)
    _check_finite(heard)
    state = heard.states[place]
    scored = scores(state)
    planned = planned_ablations(scored, by, fractions, ends, n_random, seed)
    reader = network.select(stages=f"name:{answer.name}", unit="channel").prepare(kept)
    ablated = []
    with bar(len(planned), f"ablations at {stage}", "networks", show=progress) as step:
        for done, one in enumerate(planned, start=1):
            changed = ablate_units(reader, stage, one.channels.tolist()).prepare(kept)
            played = hear(changed, kept, kept=answer.name, settings=replace(settings, progress=False), label="")
            ablated.append((one, _right(played, answer.name, wanted)))
            step(done)
    base = "" if network.lesion == "intact" else network.lesion
    dead = np.asarray(state["per_unit"]["maximum"]) <= 0
    right = _right(heard, answer.name, wanted)
    measured = Measured(place, scored, dead, codes, names, right, ablated, base, seed)
    asked = {
        "stage": stage,
        "output": answer.name,
        "by": by,
        "fractions": fractions,
        "ends": ends,
        "n_random": n_random,
    }
    results = _results(heard, stimuli, measured, asked, settings, _remarks(state, by, n_random))
    if out is not None:
        results.save(out, overwrite=overwrite)
    return results


def _network(source: Source) -> Network:
    if not isinstance(source, Network):
        raise BadInput(
            f"{source.name!r} holds responses, and only the channels of a network can be silenced. Give a network."
        )
    return source


def _check_finite(heard: Heard) -> None:
    for stage, why in heard.broken.items():
        raise BadInput(f"Stage {stage.name!r} gave no numbers. {why}")


def _right(heard: Heard, output: str, wanted: Integers) -> Floats:
    """Return how far the network is right about each stimulus (stimulus,)."""
    _check_finite(heard)
    answer: Stage = next(stage for stage in heard.stages if stage.name == output)
    return correctness(heard.states[answer]["responses"]["responses"], wanted)


def _remarks(state: Any, by: Sequence[str], n_random: int) -> list[str]:
    told = []
    if RANDOM in by and n_random < 39:
        least = 1 / (1 + n_random)
        told.append(
            f"With {n_random} random draws no p-value is below {least:.3f}, and p-values are one-sided: a loss that may be "
            f"more or less than random cannot be below {2 * least:.3f}. Give 39 draws or more to reach 0.05 there."
        )
    if np.min(state["per_unit"]["minimum"]) < 0 and {"lifetime_sparseness", "selectivity"}.intersection(by):
        told.append(
            "Some responses at the ablated stage are negative: lifetime sparseness and selectivity assume responses that "
            "are not, and rank poorly here. A stage after a ReLU, where there is one, is better."
        )
    return told


def _results(
    heard: Heard, stimuli: Stimuli, measured: Measured, asked: dict[str, Any], settings: Settings, remarks: list[str]
) -> Results:
    coordinates = {
        "stimulus": np.asarray(stimuli.ids), "category": np.asarray(measured.names),
        "ablation": np.asarray(ablation_labels(measured)),
    }  # fmt: skip
    built = Results.build(
        record(heard.said, [measured.stage], stimuli, (), heard.played, settings),
        [stage_result(measured)],
        coordinates,
        columns=stimuli.columns,
        metrics=[declared(METRICS["lifetime_sparseness"]), *DECLARED],
        remarks=[*stimuli.notes, *remarks],
        examples=choose_examples(stimuli, [row for row, _ in heard.played.skipped]),
    )
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in asked.items()}
    study = {"name": NAME, "summary": _summary(measured), "findings": [], "protocol": plain, "claims": []}
    return replace(built, run={"study": study, "runs": [built.run]})


def _summary(measured: Measured) -> str:
    """Say in one or two sentences what came out against the random draws."""
    intact = f"The intact network is right about {measured.intact.mean():.3f} of {len(measured.intact)} stimuli."
    random = random_losses(measured)
    ranked = [(one, float((measured.intact - right).mean())) for one, right in measured.ablated if one.end]
    if not random or not ranked:
        return intact
    more = sum(loss > random[one.fraction].max() for one, loss in ranked)
    less = sum(loss < random[one.fraction].min() for one, loss in ranked)
    draws = len(next(iter(random.values())))
    return (
        f"{intact} Of {len(ranked)} ablations by rank at {measured.stage.name}, {more} cost more accuracy than every one "
        f"of {draws} random ablations of as many channels, and {less} cost less than every one."
    )
