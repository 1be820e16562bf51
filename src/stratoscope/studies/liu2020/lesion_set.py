"""The lesions of the study as data: names as they stand in the results, and what makes a lesioned source of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from stratoscope.errors import BadInput, StratoscopeError, unknown_name
from stratoscope.sources import lesions
from stratoscope.sources.lesions import GATINGS, SCOPES
from stratoscope.sources.network import Network

if TYPE_CHECKING:
    from stratoscope.types import Source, Stimuli

#: The lesions of Fig. 3 of the paper.
IN_THE_PAPER = ("permute_weights", "permute_biases", "remove_gating")
#: With the meaning of "untrained" that the paper does not have.
DEFAULT = (*IN_THE_PAPER, "reinitialize")
#: Every lesion of a whole network.
ALL = (
    *DEFAULT,
    *(f"permute_weights[{scope}]" for scope in SCOPES if scope != "tensor"),
    *(f"replace_gating[{kind}]" for kind in GATINGS),
)
#: Words that stand for several lesions.
SETS: Mapping[str, tuple[str, ...]] = {"paper": IN_THE_PAPER, "default": DEFAULT, "all": ALL, "none": ()}
#: Models of each random lesion, as in the paper.
N_MODELS = 10
#: Gating lesions draw nothing at random, so there is one model of each.
_GATING = ("remove_gating", "replace_gating")
_FORM = re.compile(r"(?P<whole>(?P<kind>[a-z_]+)(\[(?P<variant>[a-z_]+)\])?)( at (?P<where>.+))?")


@dataclass(frozen=True)
class Lesion:
    """One lesion that the study makes.

    Attributes
    ----------
    name : str
        As it stands in the results, such as ``permute_weights[channels] at conv1``.
    make : callable
        ``make(network, seed)`` gives the lesioned network.
    random : bool
        Whether several models are made of it.
    """

    name: str
    make: Callable[[Network, int], Network]
    random: bool

    def seeds(self, n_models: int | Mapping[str, int], seed: int) -> tuple[int, ...]:
        """Return the seeds of its models, by its own name where `n_models` has names; each model is made on its own."""
        n = n_models if isinstance(n_models, int) else n_models.get(self.name, N_MODELS)
        return tuple(range(seed, seed + n)) if self.random else (seed,)


def check_models(n_models: int | Mapping[str, int], made: Sequence[Lesion]) -> None:
    """Refuse counts below 1, and names that are not random lesions of this study."""
    drawn = [lesion.name for lesion in made if lesion.random]
    for name, n in ({"": n_models} if isinstance(n_models, int) else n_models).items():
        if name and name not in drawn:
            raise unknown_name("random lesion of this study", name, drawn)
        if n < 1:
            which = f"n_models of {name!r}" if name else "n_models"
            raise BadInput(f"A random lesion needs at least 1 model, but {which} is {n}. Give 1 or more.")


def planned(
    source: Source, stimuli: Stimuli, asked: str | Sequence[str] | None, seed: int
) -> tuple[list[Lesion], list[str]]:
    """Return the lesions to make, each tried on one stimulus, and why others cannot be made.

    Parameters
    ----------
    source : Source
        The intact source, prepared.
    stimuli : Stimuli
        Of which the first goes through every lesioned network.
    asked : str or sequence of str
        Names as in `ALL`, or ``paper``, ``default``, ``all``, ``none``. `` at STAGE`` limits a lesion to one stage, and
        `` at each`` makes one version for each. None asks for ``default`` where the source is a network.

    Returns
    -------
    list of Lesion
    list of str
        Lesions of a set that this source does not allow; one asked for by its own name is an error.

    Raises
    ------
    UnknownName
        For a lesion that does not exist.
    BadInput
        For a lesion asked for by name that this source does not allow.
    """
    given = [asked] if isinstance(asked, str) else list(asked if asked is not None else ["default"])
    if not isinstance(source, Network):
        return _of_responses(source, given, explicit=asked is not None)
    found: list[Lesion] = []
    notes: list[str] = []
    for entry in given:
        for name in SETS.get(entry, (entry,)):
            for lesion in _versions(source, name):
                why = _refused(lesion, source, stimuli, seed)
                if why and entry not in SETS:
                    raise BadInput(f"The lesion {lesion.name!r} cannot be made of {source.name!r}. {why}")
                notes += [f"{lesion.name} was left out: {why}"] if why else []
                found += [] if why else [lesion]
    return list({lesion.name: lesion for lesion in found}.values()), notes


def _of_responses(source: Source, given: Sequence[str], *, explicit: bool) -> tuple[list[Lesion], list[str]]:
    if explicit and any(SETS.get(entry, (entry,)) for entry in given):
        raise BadInput(
            f"{source.name!r} holds responses, and only a network can be lesioned. Ask for lesions='none', or give a network."
        )
    return [], [] if explicit else [f"No lesions were made: {source.name!r} holds responses and is no network."]


def _versions(source: Network, name: str) -> list[Lesion]:
    """Return the lesion called `name`, or one version a stage for `` at each``."""
    match = _FORM.fullmatch(name)
    if match is None or match["whole"] not in ALL:
        raise unknown_name("lesion", name.partition(" at ")[0], [*ALL, *SETS])
    kind, variant, where = match["kind"], match["variant"], match["where"]
    places: Sequence[str | None] = [where]
    if where == "each":
        places = (
            _gates(source) if kind in _GATING else _holders(source, "bias" if kind == "permute_biases" else "weight")
        )
    return [_lesion(match["whole"], kind, variant, place) for place in places]


def _lesion(whole: str, kind: str, variant: str | None, where: str | None) -> Lesion:
    function: Callable[..., Network] = getattr(lesions, kind)
    options: dict[str, Any] = {"stages": where}
    if variant is not None:
        options["scope" if kind == "permute_weights" else "kind"] = variant
    name = whole if where is None else f"{whole} at {where}"
    if kind in _GATING:
        return Lesion(name, partial(_without_seed, function, options), random=False)
    return Lesion(name, partial(function, **options), random=True)


def _without_seed(function: Callable[..., Network], options: Mapping[str, Any], source: Network, _seed: int) -> Network:
    return function(source, **options)


def _gates(source: Network) -> list[str]:
    return [stage.name for stage in source.stages if stage.kind in ("relu", "activation")]


def _holders(source: Network, kind: str) -> list[str]:
    """Name the modules with a kernel or matrix of weights, or with a bias, in order."""
    held = (
        (path, getattr(module, kind, None)) for path, module in source.module.named_modules() if path
    )  # fmt: skip
    return [path for path, one in held if getattr(one, "ndim", 0) > (1 if kind == "weight" else 0)]


def _refused(lesion: Lesion, source: Network, stimuli: Stimuli, seed: int) -> str:
    try:
        lesion.make(source, seed).prepare(stimuli)
    except StratoscopeError as error:
        return str(error)
    return ""
