"""What rises and what falls, in words. Descriptions of the table, no tests."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from stratoscope.figures import pretty, pretty_lesion
from stratoscope.results import Results, Row

#: Verbs of a direction for several metrics.
_PLURAL = {
    "rises": "rise",
    "falls": "fall",
    "rises, then falls": "rise, then fall",
    "falls, then rises": "fall, then rise",
    "does not clearly change": "do not clearly change",
}
#: A line that is told apart by hierarchy, lesion, unit, item and control.
Line = tuple[str, str, str, str, str]


@dataclass(frozen=True)
class Trend:
    """How a number goes over depth.

    Attributes
    ----------
    direction : str
        ``rises``, ``falls``, ``rises, then falls``, ``falls, then rises`` or ``does not clearly change``.
    brief : str
        The same with the numbers alone.
    words : str
        The same with numbers and stages.
    """

    direction: str
    brief: str
    words: str


@dataclass(frozen=True)
class Finding:
    """What a metric does over depth.

    Attributes
    ----------
    name : str
        The metric, with the item that is told.
    words : str
        What its first line does, with numbers and stages, and which way the controls go.
    others : tuple of (str, str)
        Name of every further line (a lesion, a hierarchy) and what it does, beside the first where they share stages.
    """

    name: str
    words: str
    others: tuple[tuple[str, str], ...] = ()


def trend(rows: Sequence[Row]) -> Trend | None:
    """Describe rows of one line, in order of depth; None where fewer than two have a value.

    Two stages differ where their intervals do not overlap (where no interval is known: where the values differ).
    The line rises, then falls if its largest value differs from both of its ends, and the other way round.
    """
    known = [row for row in rows if math.isfinite(row.value)]
    if len(known) < 2:
        return None
    first, last = known[0], known[-1]
    top, bottom = max(known, key=lambda row: row.value), min(known, key=lambda row: row.value)
    if _above(top, first) and _above(top, last):
        return _turn("rises, then falls", "rises from {} to {}, then falls to {}", first, top, last)
    if _above(first, bottom) and _above(last, bottom):
        return _turn("falls, then rises", "falls from {} to {}, then rises to {}", first, bottom, last)
    if _above(last, first):
        return _turn("rises", "rises from {} to {}", first, last)
    if _above(first, last):
        return _turn("falls", "falls from {} to {}", first, last)
    return _turn("does not clearly change", "does not clearly change, {} to {}", first, last)


def _turn(direction: str, template: str, *rows: Row) -> Trend:
    numbers = [number(row.value) for row in rows]
    places = [f"{value} ({row.stage})" for value, row in zip(numbers, rows, strict=True)]
    return Trend(direction, f"{direction} ({' → '.join(numbers)})", template.format(*places))


def _above(one: Row, other: Row) -> bool:
    low = one.low if math.isfinite(one.low) else one.value
    high = other.high if math.isfinite(other.high) else other.value
    return low > high


def number(value: float) -> str:
    """Return `value` as written in sentences: three digits that count, without an exponent for common sizes."""
    if not math.isfinite(value):
        return "–" if math.isnan(value) else "∞" if value > 0 else "−∞"
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        text = f"{value:#.3g}".rstrip(".") if abs(value) < 100 and value else f"{value:,.0f}"
    else:
        text = f"{value:.2e}"
    return text.replace("-", "−")


def is_paper(source: str) -> bool:
    """Return whether a source is a paper, which has a year, and not a definition in words."""
    return re.search(r"\b(?:1[89]|20)\d\d\b", source) is not None


def lines_of(rows: Iterable[Row]) -> dict[Line, list[Row]]:
    """Gather rows into lines over depth; of repeats under several seeds the first is kept."""
    lines: dict[Line, dict[tuple[str, float], Row]] = {}
    for row in rows:
        key = (row.hierarchy, row.lesion, row.unit, row.item, row.control)
        lines.setdefault(key, {}).setdefault((row.stage, row.depth), row)
    return {key: sorted(line.values(), key=lambda row: row.depth) for key, line in lines.items()}


def answer(results: Results) -> str:
    """Return one paragraph: which metrics of the first intact hierarchy rise and fall, and what lesions change most."""
    rows = [row for row in results.rows if not row.control]
    intact = [row for row in rows if not row.lesion] or rows
    own = [row for row in intact if row.hierarchy == intact[0].hierarchy]
    going: dict[str, list[str]] = {}
    for metric in dict.fromkeys(row.metric for row in own):
        found = trend(next(iter(lines_of(row for row in own if row.metric == metric).values())))
        if found:
            going.setdefault(found.direction, []).append(pretty(metric))
    if not going:
        return ""
    count = len({row.stage for row in own})
    lesion = f" ({pretty_lesion(own[0].lesion)})" if own[0].lesion else ""
    told = "; ".join(
        f"{_listed(names)} {_PLURAL[direction] if len(names) > 1 else direction}" for direction, names in going.items()
    )
    return f"Along the {count} stages of {own[0].hierarchy or 'the hierarchy'}{lesion}: {told}.{_changed(rows, own)}"


def _changed(rows: Sequence[Row], own: Sequence[Row]) -> str:
    """Say for each lesion of the first hierarchy which metrics it sets apart at half of the stages or more."""
    if own[0].lesion:
        return ""
    told = []
    lesions = dict.fromkeys(row.lesion for row in rows if row.lesion and row.hierarchy == own[0].hierarchy)
    for lesion in lesions:
        apart = []
        for metric in dict.fromkeys(row.metric for row in own):
            intact = next(iter(lines_of(row for row in own if row.metric == metric).values()))
            other = [
                row for row in rows if (row.metric, row.lesion, row.hierarchy) == (metric, lesion, own[0].hierarchy)
            ]
            pairs = _pairs(intact, next(iter(lines_of(other).values()), []))
            if pairs and 2 * sum(_above(*pair) or _above(*pair[::-1]) for pair in pairs) >= len(pairs):
                apart.append(pretty(metric))
        told.append(f"{pretty_lesion(lesion)} in {_listed(apart) or 'nothing'}")
    return f" Apart from intact at half of the stages or more: {'; '.join(told)}." if told else ""


def details(results: Results) -> list[Finding]:
    """Return what each metric does, with its lesions and controls, in the order of the run."""
    metrics = dict.fromkeys(row.metric for row in results.rows)
    told = (_about(metric, lines_of(row for row in results.rows if row.metric == metric)) for metric in metrics)
    return [finding for finding in told if finding]


def _about(metric: str, lines: Mapping[Line, Sequence[Row]]) -> Finding | None:
    """Tell the first line of every hierarchy and lesion, and which way the controls of the first go."""
    seen: dict[tuple[str, str], Line] = {}
    for key in lines:
        if not key[-1]:
            seen.setdefault(key[:2], key)
    told = {key: found for key in seen.values() if (found := trend(lines[key]))}
    if not told:
        return None
    several = len({hierarchy for hierarchy, _ in seen}) > 1
    first, *others = told
    name = pretty(metric)[0].upper() + pretty(metric)[1:] + (f" ({first[3]})" if first[3] else "")
    return Finding(
        f"{name} in {first[0]}" if several else name,
        ", ".join([*([f"with {pretty_lesion(first[1])}"] if first[1] else []), told[first].words])
        + _controls(first, lines),
        tuple((_line_name(key, several), told[key].brief + _beside(lines[first], lines[key])) for key in others),
    )


def _line_name(key: Line, several: bool) -> str:
    hierarchy, lesion = key[:2]
    return ", ".join([*([hierarchy] if several else []), *([pretty_lesion(lesion)] if lesion or not several else [])])


def _beside(first: Sequence[Row], other: Sequence[Row]) -> str:
    """Say at how many of the shared stages a line is apart from the first of its hierarchy."""
    pairs = _pairs(first, other)
    if not pairs:
        return ""
    above, below = sum(_above(b, a) for a, b in pairs), sum(_above(a, b) for a, b in pairs)
    name = pretty_lesion(first[0].lesion)
    counted = [f"{word} at {count}" for word, count in ((f"above {name}", above), (f"below {name}", below)) if count]
    if not counted:
        return f"; nowhere apart from {name}"
    return f"; {' and '.join(counted)} of {len(pairs)} stages"


def _pairs(first: Sequence[Row], other: Sequence[Row]) -> list[tuple[Row, Row]]:
    """Return rows of the same hierarchy and stage that both have a value."""
    known = {(row.hierarchy, row.stage): row for row in other if math.isfinite(row.value)}
    places = ((row, known.get((row.hierarchy, row.stage))) for row in first if math.isfinite(row.value))
    return [(row, found) for row, found in places if found]


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def _controls(key: Line, lines: Mapping[Line, Sequence[Row]]) -> str:
    """Say which way each control of the line goes."""
    going: dict[str, list[str]] = {}
    for other, rows in lines.items():
        found = trend(rows) if other[-1] and other[:4] == key[:4] else None
        if found:
            going.setdefault(found.direction, []).append(other[-1])
    told = "; ".join(f"{_listed(names)} {direction}" for direction, names in going.items())
    return f" (controls: {told})" if told else ""
