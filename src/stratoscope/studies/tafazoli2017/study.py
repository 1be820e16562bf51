"""Information of units along areas as a study: what was measured, and the claims about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stratoscope.results import Results
from stratoscope.statistics.claims import judge_all
from stratoscope.studies.record import Study, make_study
from stratoscope.studies.tafazoli2017.claims import area_results, rat_claims
from stratoscope.studies.tafazoli2017.information import AreaInformation

NAME = "unit-information"


def unit_information_study(
    areas: Mapping[str, AreaInformation],
    *,
    hierarchy: str,
    equal_trials: Mapping[str, AreaInformation] | None = None,
    beside: Sequence[Results] = (),
    remarks: Sequence[str] = (),
    n_resamples: int = 1000,
    seed: int = 0,
) -> Study:
    """Judge the claims of Tafazoli et al. 2017 about information along areas.

    Parameters
    ----------
    areas : mapping of str to AreaInformation
        What units of each area tell, in the order of the hierarchy, as `area_information` measures it.
    hierarchy : str
        Name of the recording; simulated ones say so in it.
    equal_trials : mapping of str to AreaInformation, optional
        The same with equal numbers of trials, a control.
    beside : sequence of Results
        Other results of the same areas, such as those of `stratoscope.profile`, to be kept in the same study.
    remarks : sequence of str
        What a reader must know.
    n_resamples : int
        Resamples of units for the intervals.
    seed : int
        Seed of all draws.

    Returns
    -------
    Study
        Which `stratoscope compare` puts beside others, claims included.
    """
    told = area_results(areas, hierarchy=hierarchy, equal_trials=equal_trials, seed=seed)
    claims = rat_claims(n_resamples=n_resamples, equal_trials=equal_trials is not None)
    findings = judge_all(claims, told, seed=seed)
    supported = sum(one.verdict == "supported" for one in findings)
    summary = f"{hierarchy}: {supported} of {len(findings)} claims about information along the areas are supported."
    said = {"seed": seed, "n_resamples": n_resamples, "areas": list(areas)}
    return make_study([*beside, told], NAME, said, findings, summary, remarks)
