"""Choose stages among the taps of a network: by kind, name, glob, regex, or a sensible dozen."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase

from stratoscope.errors import BadInput, StageError, did_you_mean, unknown_name
from stratoscope.sources.kinds import KINDS
from stratoscope.sources.layouts import UNKNOWN
from stratoscope.sources.taps import Tap, Traced

#: `auto` shows a network in this many stages at most.
A_DOZEN = 12
#: `auto` shows blocks where there are at least this many.
SEVERAL_BLOCKS = 3


def choose_taps(stages: str | Sequence[str], traced: Traced) -> tuple[Tap, ...]:
    r"""Return the taps that `stages` asks for, in order of execution.

    Parameters
    ----------
    stages : str or sequence of str
        ``auto`` (blocks where there are several, else activations, thinned evenly to at most twelve, the last always
        among them), a kind (``relu``, ``activation``, ``conv``, ``linear``, ``block``, ``norm``, ``pool``, ``other``),
        a name, a glob (``layer?.*``), a regex that matches the whole name (``re:layer\d\.1``), ``name:X`` for a name
        that is also a kind, or several of these.
    traced : Traced
        What the network has. Taps that cannot be read are passed over by kinds and patterns, and refused by name.

    Raises
    ------
    UnknownName
        No stage and no module has that name; the nearest names are offered.
    StageError
        The stage exists but never runs or cannot be read, or there is none of that kind.
    """
    wishes = [stages] if isinstance(stages, str) else list(stages)
    if not wishes:
        raise BadInput(f"No stages were asked for. Give 'auto', a kind ({', '.join(KINDS)}), names or patterns.")
    if not traced.taps:
        raise StageError(
            "The network has no call that could be read: none returns floating-point responses by stimulus."
        )
    chosen = {tap.name for wish in wishes for tap in _granted(wish, traced)}
    return tuple(tap for tap in traced.taps if tap.name in chosen)


def of_kind(kind: str, taps: Sequence[Tap]) -> tuple[Tap, ...]:
    """Return the taps of `kind`; ``activation`` takes in ``relu``."""
    kinds = {"relu", "activation"} if kind == "activation" else {kind}
    return tuple(tap for tap in taps if tap.kind in kinds)


def a_dozen(taps: Sequence[Tap]) -> tuple[Tap, ...]:
    """Return at most twelve of the taps that show a network best, evenly thinned, first and last among them."""
    blocks = of_kind("block", taps)
    shown = blocks if len(blocks) >= SEVERAL_BLOCKS else of_kind("activation", taps) or _weighted(taps) or tuple(taps)
    if len(shown) <= A_DOZEN:
        return shown
    step = (len(shown) - 1) / (A_DOZEN - 1)
    return tuple(shown[round(i * step)] for i in range(A_DOZEN))


def _weighted(taps: Sequence[Tap]) -> tuple[Tap, ...]:
    return tuple(tap for tap in taps if tap.kind in ("conv", "linear"))


def _granted(wish: str, traced: Traced) -> Sequence[Tap]:
    if wish == "auto":
        return a_dozen([tap for tap in traced.taps if tap.layout != UNKNOWN] or traced.taps)
    if wish in KINDS:
        return of_kind(wish, traced.taps) or _refuse_kind(wish, traced)
    if wish.startswith("name:"):
        return _named(wish.removeprefix("name:"), traced)
    if wish.startswith("re:"):
        pattern = _compiled(wish.removeprefix("re:"))
        return _matched(wish, traced, lambda name: pattern.fullmatch(name) is not None)
    if any(sign in wish for sign in "*?["):
        return _matched(wish, traced, lambda name: fnmatchcase(name, wish))
    return _named(wish, traced)


def _named(name: str, traced: Traced) -> Sequence[Tap]:
    found = [tap for tap in traced.taps if tap.name == name]
    if found:
        return found
    if name in traced.left_out:
        raise StageError(f"Stage {name!r} cannot be read: {traced.left_out[name]}. Choose a stage before or after it.")
    if name in traced.idle:
        raise _never_runs(name)
    known = [tap.name for tap in traced.taps]
    hint = did_you_mean(name, [*known, *KINDS, "auto"])
    raise unknown_name("stage", name, [*known, *KINDS, "auto"] if hint or len(known) <= 20 else ["auto", *KINDS])


def _matched(wish: str, traced: Traced, matches: Callable[[str], bool]) -> Sequence[Tap]:
    found = [tap for tap in traced.taps if matches(tap.name)]
    if found:
        return found
    for name, reason in traced.left_out.items():
        if matches(name):
            raise StageError(f"Stage {name!r}, the first that {wish!r} fits, cannot be read: {reason}.")
    for name in traced.idle:
        if matches(name):
            raise _never_runs(name)
    names = ", ".join(repr(tap.name) for tap in traced.taps[:8])
    raise StageError(f"No stage fits the pattern {wish!r}. There are {len(traced.taps)} stages, first {names}.")


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise BadInput(f"{pattern!r} is not a regular expression: {error}.") from error


def _never_runs(name: str) -> StageError:
    return StageError(
        f"Stage {name!r} never runs: the module exists, and a pass with one stimulus did not call it. "
        "Choose one that answers every stimulus (some modules exist for training only)."
    )


def _refuse_kind(kind: str, traced: Traced) -> Sequence[Tap]:
    if kind == "relu":
        others = of_kind("activation", traced.taps)
        if others:
            what = ", ".join(sorted({tap.operation for tap in others}))
            raise StageError(
                f"The network has no stage of kind 'relu'; its {len(others)} non-linearities are {what}. "
                "Ask for 'activation' to read them."
            )
    kinds = sorted({tap.kind for tap in traced.taps})
    raise StageError(f"The network has no stage of kind {kind!r}. It has stages of kind {', '.join(map(repr, kinds))}.")
