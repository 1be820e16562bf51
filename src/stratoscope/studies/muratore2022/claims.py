"""The sentences of the abstract as data, for the stages, properties and untrained models of one study."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from stratoscope.statistics.claims import Claim, Control, Finding, Reading
from stratoscope.studies.muratore2022.comparison import EXPANSION, GAIN, PRUNING, against
from stratoscope.studies.muratore2022.informed import (
    CONCENTRATION,
    INFORMATION,
    SHUFFLED,
    TOP_SHARE,
    WITHOUT_SILENT,
)
from stratoscope.studies.muratore2022.invariance import OBJECTS
from stratoscope.studies.muratore2022.over_units import ALL
from stratoscope.studies.muratore2022.protocol import PAPER, Protocol
from stratoscope.types import Stage

_CASE, _OVER = "case_against_models", "correlation_over_stages"


@dataclass(frozen=True)
class Layout:
    """What the claims are about.

    Attributes
    ----------
    stages : tuple of Stage
        The stages, in order.
    base : str
        Lesion of the trained source, empty for none.
    untrained : mapping of str to (str, bool)
        Meanings of untrained, the first of which the claims are about: the lesion as it stands in the results, and
        whether several models of it are there.
    properties : tuple of str
        Properties that were measured.
    n_matched : int
        Units of the matched subsets.
    readout : str
        Item of the population read-out the claims are about, empty for no read-out.
    training : str
        Hierarchy of the points in training, empty for fewer than three of them.
    """

    stages: tuple[Stage, ...]
    base: str
    untrained: dict[str, tuple[str, bool]]
    properties: tuple[str, ...]
    n_matched: int
    readout: str = ""
    training: str = ""


def prune_and_distill_claims(layout: Layout, protocol: Protocol) -> tuple[Claim, ...]:
    """Return the claims that these stages and models can answer.

    Every claim about the effect of training is judged against the first meaning of untrained, and again against the others.
    """
    return tuple(_claims(_Claims(layout, protocol)))


def _claims(make: _Claims) -> Iterator[Claim]:
    layout = make.layout
    if layout.untrained:
        yield make.lower("information-falls", "Training lowers unit information about image properties", ALL)
        for name in layout.properties:
            words = name.replace("_", " ")
            yield make.lower(f"information-falls-{name}", f"Training lowers unit information about {words}", name)
        yield make.concentrated()
    if len(layout.stages) > 2:
        yield make.hump()
        if layout.untrained:
            yield make.hump_of_training()
    if layout.untrained and len(layout.stages) > 3:
        yield make.relation()
    if layout.readout:
        yield from make.readout()
    if layout.training:
        yield make.over_training()


@dataclass(frozen=True)
class _Claims:
    layout: Layout
    protocol: Protocol

    @property
    def trained(self) -> Reading:
        """The trained network, one number a stage."""
        return Reading("", over="stage", lesion=self.layout.base, hierarchy=self.layout.stages[0].hierarchy)

    def _of(self, reading: Reading, kind: str) -> Reading:
        lesion, several = self.layout.untrained[kind]
        return replace(reading, lesion=lesion, over="seed" if several else "stage")

    def _versus(self, reading: Reading) -> tuple[Reading, tuple[Control, ...]]:
        """Return the reading of the first meaning of untrained, and a control for each other one."""
        first, *others = self.layout.untrained
        controls = []
        for kind in others:
            other = self._of(reading, kind)
            controls.append(Control(against(kind), {"lesion": other.lesion, "over": other.over}, of="compared"))
        return self._of(reading, first), tuple(controls)

    def _case(
        self,
        name: str,
        sentence: str,
        reading: Reading,
        direction: str,
        controls: Sequence[Control] = (),
        **options: str,
    ) -> Claim:
        compared, others = self._versus(reading)
        return Claim(
            name, sentence, PAPER, reading, _CASE, direction, compared, controls=(*controls, *others), options=options
        )

    def lower(self, name: str, sentence: str, item: str) -> Claim:
        reading = replace(self.trained, metric=INFORMATION, item=item)
        return self._case(name, sentence, reading, "below", self._of_information())

    def _of_information(self) -> tuple[Control, ...]:
        bins = f"{self.protocol.other_response_bins} response bins"
        return tuple(Control(name, {"control": name}) for name in (SHUFFLED, WITHOUT_SILENT, bins))

    def concentrated(self) -> Claim:
        reading = replace(self.trained, metric=CONCENTRATION, item=ALL)
        other = Control("by the share of the best tenth", {"metric": TOP_SHARE})
        return self._case(
            "information-is-distilled", "The information that is left is concentrated in fewer units", reading, "above",
            (*self._of_information(), other),
        )  # fmt: skip

    @property
    def _dimension(self) -> Reading:
        name = self.protocol.estimator
        return replace(self.trained, metric=name, item="n1=2" if name == "gride" else "")

    def _of_dimension(self) -> tuple[Control, ...]:
        others = {
            "by Gride at n1 = 2": {"metric": "gride", "item": "n1=2"},
            "by Levina and Bickel's estimator": {"metric": "levina_bickel", "item": ""},
            "by TwoNN, calibrated": {"metric": "two_nn_calibrated", "item": ""},
            "by TwoNN": {"metric": "two_nn", "item": ""},
            "by the participation ratio": {"metric": "participation_ratio", "item": ""},
            "of single objects": {"metric": "object_dimension", "item": "mean over objects"},
        }
        kept = {words: changes for words, changes in others.items() if changes["metric"] != self.protocol.estimator}
        controls = [Control(words, changes) for words, changes in kept.items()]
        if self.protocol.estimator in ("two_nn", "participation_ratio"):
            matched = f"matched to {self.layout.n_matched} units"
            controls.insert(0, Control("at matched numbers of units", {"control": matched}))
        return tuple(controls)

    def hump(self) -> Claim:
        sentence = "In the trained network intrinsic dimension rises and then falls along the stages"
        return Claim(
            "dimension-rises-and-falls",
            sentence,
            PAPER,
            self._dimension,
            "rise_then_fall",
            controls=self._of_dimension(),
        )

    def hump_of_training(self) -> Claim:
        sentence = "The rise and fall of intrinsic dimension is larger in the trained network than in untrained ones"
        return self._case(
            "the-rise-and-fall-is-learnt", sentence, self._dimension, "above", self._of_dimension(), summary="hump"
        )

    def relation(self) -> Claim:
        pruned = replace(self.trained, metric=PRUNING, item=ALL)
        grown = replace(self.trained, metric=EXPANSION, item=self.protocol.estimator)
        controls = [
            Control(SHUFFLED, {"control": SHUFFLED}, of="reads"),
            Control(WITHOUT_SILENT, {"control": WITHOUT_SILENT}, of="reads"),
        ]
        if self.protocol.estimator in ("two_nn", "participation_ratio"):
            matched = f"matched to {self.layout.n_matched} units"
            controls.append(Control("at matched numbers of units", {"control": matched}, of="compared"))
        controls += [Control(against(kind), {"control": against(kind)}) for kind in list(self.layout.untrained)[1:]]
        return Claim(
            "pruning-goes-with-expansion", "The stages whose dimension grows with training are those that are pruned", PAPER,
            pruned, _OVER, "above", grown, controls=tuple(controls), options={"n_resamples": 500},
        )  # fmt: skip

    def readout(self) -> Iterator[Claim]:
        population = replace(self.trained, metric="population_generalization", item=self.layout.readout)
        within = Control("within the views that were learnt", {"metric": "population_separability"})
        units = Control("by single units", {"metric": "unit_generalization", "item": ""})
        yield Claim(
            "objects-generalise-along-stages", "Objects are read out across views better and better along the stages", PAPER,
            population, "permute_stages", "above", controls=(within, units), options={"statistic": "medians"},
        )  # fmt: skip
        if not self.layout.untrained:
            return
        sentence = "Training makes objects read out better across views"
        yield self._case("objects-generalise", sentence, population, "above", (within, units))
        told = replace(self.trained, metric=OBJECTS)
        controls = [Control(name, {"control": name}) for name in (SHUFFLED, WITHOUT_SILENT)]
        sentence = "Training raises unit information about objects of like luminance"
        yield self._case("object-information-rises", sentence, told, "above", controls)
        if len(self.layout.stages) > 3:
            gained = replace(self.trained, metric=GAIN, item=self.layout.readout)
            grown = replace(self.trained, metric=EXPANSION, item=self.protocol.estimator)
            others = tuple(
                Control(against(kind), {"control": against(kind)}) for kind in list(self.layout.untrained)[1:]
            )
            yield Claim(
                "generalisation-goes-with-expansion", "The stages whose dimension grows with training are those that gain "
                "read-out across views", PAPER, gained, _OVER, "above", grown, controls=others, options={"n_resamples": 500},
            )  # fmt: skip

    def over_training(self) -> Claim:
        reading = Reading(INFORMATION, over="stage", hierarchy=self.layout.training, item=ALL)
        return Claim(
            "information-falls-over-training", "Unit information about image properties falls in the course of training",
            PAPER, reading, "permute_stages", "below", options={"statistic": "medians"},
        )  # fmt: skip


def survival(findings: Sequence[Finding]) -> str:
    """Say in one sentence whether training lowers information, and whether that survives the controls."""
    if not findings:
        return "Nothing is claimed: that takes an untrained network to compare with, or more stages."
    first = findings[0]
    kept = [one.control for one in first.controls if one.verdict == first.verdict]
    lost = [f"{one.control} ({one.verdict}, {one.numbers})" for one in first.controls if one.verdict != first.verdict]
    told = f"{first.claim.sentence}: {first.verdict}, {first.itself.numbers}."
    if not first.controls:
        return told
    same = f" The same comes out {_listed(kept)}." if kept else ""
    other = f" Otherwise {_listed(lost)}." if lost else ""
    return told + same + other


def _listed(words: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)
