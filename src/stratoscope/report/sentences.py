"""What rises and what falls, in words. Descriptions of the table, no tests."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from stratoscope.figures import pretty
from stratoscope.results import Results, Row

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
    return _turn("does not clearly change", "does not clearly change ({} to {})", first, last)


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


def lines_of(rows: Iterable[Row]) -> dict[Line, list[Row]]:
    """Gather rows into lines over depth; of repeats under several seeds the first is kept."""
    lines: dict[Line, dict[tuple[str, float], Row]] = {}
    for row in rows:
        key = (row.hierarchy, row.lesion, row.unit, row.item, row.control)
        lines.setdefault(key, {}).setdefault((row.stage, row.depth), row)
    return {key: sorted(line.values(), key=lambda row: row.depth) for key, line in lines.items()}


def answer(results: Results) -> str:
    """Return one paragraph: which way every metric of the first intact hierarchy goes, with its numbers."""
    rows = [row for row in results.rows if not row.control]
    intact = [row for row in rows if not row.lesion] or rows
    own = [row for row in intact if row.hierarchy == intact[0].hierarchy]
    brief: dict[str, str] = {}
    for metric in dict.fromkeys(row.metric for row in own):
        found = trend(next(iter(lines_of(row for row in own if row.metric == metric).values())))
        if found:
            brief[pretty(metric)] = found.brief
    if not brief:
        return ""
    count = len({row.stage for row in own})
    lesion = f" under {own[0].lesion}" if own[0].lesion else ""
    told = "; ".join(f"{name} {words}" for name, words in brief.items())
    return f"Along the {count} stages of {own[0].hierarchy or 'the hierarchy'}{lesion}: {told}."


def details(results: Results) -> list[str]:
    """Return one sentence about each metric with its stages, lesions and controls, in the order of the run."""
    metrics = dict.fromkeys(row.metric for row in results.rows)
    told = (_about(metric, lines_of(row for row in results.rows if row.metric == metric)) for metric in metrics)
    return [sentence for sentence in told if sentence]


def _about(metric: str, lines: Mapping[Line, Sequence[Row]]) -> str:
    """Tell the first line of every hierarchy and lesion, and which way its controls go."""
    seen: dict[tuple[str, str], Line] = {}
    for key in lines:
        if not key[-1]:
            seen.setdefault(key[:2], key)
    several = len({hierarchy for hierarchy, _ in seen}) > 1
    told: list[str] = []
    for key in seen.values():
        clause = _clause(key, lines, several, first=not told)
        told += [clause] if clause else []
    if not told:
        return ""
    item = next(iter(seen.values()))[3]
    name = pretty(metric)[0].upper() + pretty(metric)[1:]
    return f"{name}{f' ({item})' if item else ''} {'; '.join(told)}."


def _clause(key: Line, lines: Mapping[Line, Sequence[Row]], several: bool, first: bool) -> str:
    found = trend(lines[key])
    if found is None:
        return ""
    hierarchy, lesion = key[:2]
    where = [f"in {hierarchy}"] if several else []
    where += [f"under {lesion}"] if lesion else []
    where += ["it"] if where and not first else []
    controls = "" if lesion else _controls(key, lines)
    return " ".join([*where, found.words]) + controls


def _controls(key: Line, lines: Mapping[Line, Sequence[Row]]) -> str:
    """Say which way each control of the line goes."""
    going: dict[str, list[str]] = {}
    for other, rows in lines.items():
        found = trend(rows) if other[-1] and other[:4] == key[:4] else None
        if found:
            going.setdefault(found.direction, []).append(other[-1])
    told = "; ".join(f"{' and '.join(names)} {direction}" for direction, names in going.items())
    return f" (controls: {told})" if told else ""
