"""Which modules are the building blocks of a network: residual blocks, encoder layers, inception modules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from stratoscope.sources.trace import Call, Site

#: A block does at least this many weighted operations; a convolution with its norm and ReLU is no block.
WEIGHTED_IN_A_BLOCK = 2
#: A module is a mere row of blocks when they do this share of its weighted operations (the rest is down-sampling).
SHARE_OF_A_ROW = 0.8

_PLAIN = (nn.Sequential, nn.ModuleList, nn.ModuleDict)


def find_blocks(calls: Sequence[Call]) -> frozenset[tuple[Site, int]]:
    """Return the calls that are building blocks.

    A block is the outermost module of a class that occurs several times, does several weighted operations, and is not
    itself a mere row of blocks (a stage of a Swin transformer); and so are their unlike siblings, as the modules
    between the repeated ones of Inception are.
    """
    able = [call for call in calls if _able(call)]
    repeated = _repeated(able)
    rows = {type(call.owner) for call in able if type(call.owner) in repeated and _is_row(call, able, repeated)}
    blocks = [call for call in able if type(call.owner) in repeated - rows]
    parents = {_parent(call.path) for call in _outermost(blocks)}
    siblings = [call for call in able if _parent(call.path) in parents and type(call.owner) not in rows]
    return frozenset((call.site, call.ordinal) for call in _outermost([*blocks, *siblings]))


def _able(call: Call) -> bool:
    enough = call.site[0] == "module" and call.inside >= WEIGHTED_IN_A_BLOCK
    return enough and type(call.owner) not in _PLAIN and any(True for _ in call.owner.children())


def _repeated(able: Sequence[Call]) -> set[type[nn.Module]]:
    paths: defaultdict[type[nn.Module], set[str]] = defaultdict(set)
    for call in able:
        paths[type(call.owner)].add(call.path)
    return {kind for kind, where in paths.items() if len(where) > 1}


def _is_row(call: Call, able: Sequence[Call], repeated: set[type[nn.Module]]) -> bool:
    within = [inner for inner in able if inner.path.startswith(call.path + ".") and type(inner.owner) in repeated]
    by_class: defaultdict[type[nn.Module], list[Call]] = defaultdict(list)
    for inner in _outermost(within):
        by_class[type(inner.owner)].append(inner)
    return any(_fill(call, alike) for alike in by_class.values())


def _fill(call: Call, alike: Sequence[Call]) -> bool:
    """Whether `alike` are several, do nearly all that `call` does, and are in a chain that ends it or at least three."""
    chained = alike[-1].given == call.given and any(b.taken and b.taken == a.given for a, b in pairwise(alike))
    share = sum(inner.inside for inner in alike) / call.inside
    return len(alike) >= 2 and (chained or len(alike) >= 3) and share >= SHARE_OF_A_ROW


def _outermost(calls: Sequence[Call]) -> list[Call]:
    paths = {call.path for call in calls}
    return [call for call in calls if not any(_above(call.path, path) for path in paths)]


def _above(path: str, other: str) -> bool:
    return path.startswith(other + ".")


def _parent(path: str) -> str:
    return path.rpartition(".")[0]
