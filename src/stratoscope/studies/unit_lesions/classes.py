"""Which output of a network stands for which category, and how far it is right about each stimulus."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from stratoscope.errors import BadInput, TooFew, did_you_mean, unknown_name
from stratoscope.measure.listen import category_codes
from stratoscope.sources.bundled import bundled_classes
from stratoscope.sources.network import Network
from stratoscope.types import Floats, Integers, Stage, Stimuli


def output_stage(source: Network, stimuli: Stimuli, wanted: str | None) -> Stage:
    """Return the stage that holds the answer of the network: the last one, or the one called `wanted`.

    Raises
    ------
    UnknownName
        For a name that is no stage.
    BadInput
        For a stage that does not answer one number for each of several classes.
    """
    taps = source.taps(stimuli)
    found = next((tap for tap in taps if wanted is None or tap.name == wanted), None) if wanted else taps[-1]
    if found is None:
        raise unknown_name("stage", str(wanted), [tap.name for tap in taps])
    if len(found.shape) != 1 or found.shape[0] < 2:
        raise BadInput(
            f"Accuracy needs an output of shape (stimulus, class), but stage {found.name!r} of {source.name!r} answers "
            f"{('stimulus', *found.shape)}. Name the stage that holds the classes with output=, or give a classifier."
        )
    return found


def checked_codes(stimuli: Stimuli) -> tuple[Integers, list[str]]:
    """Return code of each stimulus and names of the categories; refuses stimuli with fewer than two."""
    codes = category_codes(stimuli)
    if codes is None:
        raise BadInput(
            f"Unit lesions are judged by the accuracy for each category, and {stimuli.name!r} has no column "
            "'category'. Use class folders, or a CSV with that column."
        )
    if len(codes[1]) < 2:
        raise TooFew(
            f"Unit lesions need at least 2 categories, but {stimuli.name!r} has {len(codes[1])} "
            f"({', '.join(codes[1])}). Add class folders."
        )
    return codes


def class_of_categories(
    names: Sequence[str], n_classes: int, labels: Sequence[str | int] | None, source: Network
) -> Integers:
    """Return the output (category,) that stands for each of the categories `names`.

    Parameters
    ----------
    names : sequence of str
        The categories of the stimuli.
    n_classes : int
        Number of outputs.
    labels : sequence of str or int, optional
        The category of every output, in order. Without them the classes of a bundled network are known; of any other,
        categories must be the numbers of the outputs, from 0.
    source : Network
        Whose outputs they are.

    Raises
    ------
    BadInput
        For labels of another number than the outputs, or twice the same, and for categories without an output.
    """
    known, whose = _known(labels, source)
    if known is None:
        numbers = [int(name) if name.isdecimal() else -1 for name in names]
        if min(numbers) < 0 or max(numbers) >= n_classes:
            raise BadInput(
                f"Which of the {n_classes} outputs of {source.name!r} stands for which category is not known: the "
                f"categories are {_few(names)}. Give labels=, the names of the classes in the order of the outputs, or "
                f"categories that are numbers from 0 to {n_classes - 1}."
            )
        return np.array(numbers, dtype=np.int64)
    if len(known) != n_classes or len(set(known)) != n_classes:
        raise BadInput(
            f"{whose} are {len(known)} names, {len(set(known))} of them different, but the output of {source.name!r} "
            f"has {n_classes} classes. Give each class one name, in the order of the outputs."
        )
    lost = [name for name in names if name not in known]
    if lost:
        raise BadInput(
            f"{len(lost)} of {len(names)} categories are no class of {source.name!r}: {_few(lost)}."
            f"{did_you_mean(lost[0], known)} {whose} are {_few(known)}. Leave these categories out, or give other labels."
        )
    return np.array([known.index(name) for name in names], dtype=np.int64)


def correctness(outputs: Floats, wanted: Integers) -> Floats:
    """Return for each stimulus (stimulus,) whether the largest of `outputs` (stimulus, class) is the class `wanted`.

    Classes that share the largest output share the answer: two make 0.5, and an output that says nothing is at chance.
    """
    largest = outputs == outputs.max(axis=1, keepdims=True)
    right = largest[np.arange(len(outputs)), wanted]
    return np.asarray(right / largest.sum(axis=1), dtype=np.float64)


def _known(labels: Sequence[str | int] | None, source: Network) -> tuple[list[str] | None, str]:
    if labels is not None:
        return [str(label) for label in labels], "The labels"
    bundled = re.match(r"bundled:([^,@]+)", str(source.describe()["origin"] or ""))
    named = list(bundled_classes(bundled[1])) if bundled else []
    return named or None, "The classes"


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - 6} more" if len(names) > 6 else ""
    return ", ".join(map(repr, names[:6])) + more
