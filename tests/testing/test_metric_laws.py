"""Every law catches a metric that breaks it."""

import numpy as np
import pytest

from stratoscope.errors import TooFew, UnknownName
from stratoscope.metrics.responses import checked_responses
from stratoscope.testing.metric_laws import check_metric
from stratoscope.types import Estimate, Metric


def stage(rng):
    return rng.random((30, 8)), {}


def declared(function, through=None, dims=(), range=(0.0, np.inf)):
    return Metric(function.__name__, function, "per_unit", through or function, dims, "1", range, "channel", (), "none")


def honest(responses):
    array = checked_responses(responses, "honest", fewest=2)
    return array.mean(axis=0)


def state_of(responses):
    return {"mean": responses.mean(axis=0)}


def test_an_honest_metric_passes_every_law():
    metric = declared(honest, through=lambda state: state["mean"], dims=("unit",))
    check_metric(metric, stage, make_state=state_of, invariances=("units", "stimuli"), fewest=2)


def out_of_range(responses):
    return float(checked_responses(responses, "out_of_range").sum())


def of_another_shape(responses):
    return checked_responses(responses, "of_another_shape").mean(axis=1)


def depends_on_order(responses):
    return float(checked_responses(responses, "depends_on_order")[0].mean())


def depends_on_unit_order(responses):
    return float(checked_responses(responses, "depends_on_unit_order")[:, 0].mean())


def depends_on_scale(responses):
    return float(checked_responses(responses, "depends_on_scale").mean())


def changes_its_input(responses):
    checked_responses(responses, "changes_its_input")
    responses -= responses.mean(axis=0)
    return 0.5


def ignores_its_seed(responses, *, seed=0):
    array = checked_responses(responses, "ignores_its_seed")
    return float(np.random.default_rng().random() * array.max())


def redraws_its_interval(responses):
    value = float(checked_responses(responses, "redraws_its_interval").mean())
    return Estimate(value, value - np.random.default_rng().random(), value + 1, len(responses))


def outside_its_interval(responses):
    value = float(checked_responses(responses, "outside_its_interval").mean())
    return Estimate(value, value + 1, value + 2, len(responses))


def swallows_nan(responses):
    return float(np.nanmean(np.where(np.isfinite(responses), responses, np.nan)))


def works_with_nothing(responses):
    return float(np.abs(checked_responses(responses, "works_with_nothing")).mean())


def never_a_number(responses):
    checked_responses(responses, "never_a_number")
    return float("nan")


@pytest.mark.parametrize(
    ("metric", "options", "sentence"),
    [
        (declared(out_of_range, range=(0, 1)), {}, r"out_of_range declares the range 0 to 1 and returns"),
        (declared(of_another_shape), {}, r"of_another_shape declares dims \(\) and returns shape \(30,\)\."),
        (declared(of_another_shape, dims=("unit",)), {}, r"of_another_shape returns 30 values along 'unit', not 8\."),
        (declared(depends_on_order), {}, r"depends_on_order is not invariant under stimuli:"),
        (declared(depends_on_unit_order), {}, r"depends_on_unit_order is not invariant under units:"),
        (declared(depends_on_scale), {"invariances": ("scale",)}, r"depends_on_scale is not invariant under scale:"),
        (declared(depends_on_scale), {"invariances": ("offset",)}, r"depends_on_scale is not invariant under offset:"),
        (declared(depends_on_scale), {"invariances": ("rotation",)}, r"depends_on_scale is not invariant under rotat"),
        (declared(changes_its_input), {}, r"changes_its_input changes the responses it is given\."),
        (declared(ignores_its_seed), {}, r"ignores_its_seed gives .* and then .* for the same input and seed\."),
        (declared(redraws_its_interval), {}, r"redraws_its_interval gives another interval for the same input"),
        (declared(outside_its_interval), {}, r"outside_its_interval lies outside its interval\."),
        (declared(swallows_nan), {}, r"swallows_nan returns .* for responses that hold nan, where it should refuse\."),
        (declared(works_with_nothing), {"fewest": 5}, r"works_with_nothing works with 4 stimuli, where 5 are said"),
        (declared(never_a_number), {}, r"never_a_number returns no finite number for ordinary responses\."),
    ],
)
def test_a_metric_that_breaks_a_law_is_caught(metric, options, sentence):
    with pytest.raises(AssertionError, match=sentence):
        check_metric(metric, stage, **options)


def test_a_metric_that_differs_through_its_summary_is_caught():
    other = declared(honest, through=lambda state: 1.01 * state["mean"], dims=("unit",))
    with pytest.raises(
        AssertionError, match=r"(?s)honest is .* from the array and .* through the summary 'per_unit'\."
    ):
        check_metric(other, stage, make_state=state_of)


def test_another_interval_through_the_summary_is_caught():
    def estimate(responses):
        value = float(checked_responses(responses, "estimate").mean())
        return Estimate(value, value - 1, value + 1, len(responses))

    def through(state):
        value = float(state["mean"].mean())
        return Estimate(value, value - 2, value + 1, 30)

    with pytest.raises(AssertionError, match=r"^estimate has another interval through its summary\.$"):
        check_metric(declared(estimate, through=through), stage, make_state=state_of)


def test_results_along_stimuli_must_follow_their_permutation():
    def forgetful(responses):
        return np.sort(checked_responses(responses, "forgetful").mean(axis=1))

    with pytest.raises(AssertionError, match=r"^forgetful is not invariant under stimuli:"):
        check_metric(declared(forgetful, dims=("stimulus",)), stage)


def test_too_few_is_looked_for_with_the_options_of_those_stimuli():
    def per_label(responses, *, labels):
        array = checked_responses(responses, "per_label")
        if len(array) != len(labels):
            raise ValueError
        if len(array) < 4:
            raise TooFew("per_label needs at least 4 stimuli.")
        return float(array.mean())

    def labelled(rng):
        return rng.random((30, 8)), {"labels": np.arange(30)}

    check_metric(declared(per_label), labelled, per_row=("labels",), fewest=4)


def test_an_unknown_invariance_is_refused():
    with pytest.raises(UnknownName, match=r"No invariance is called 'unit'\. Did you mean 'units'\?"):
        check_metric(declared(honest, dims=("unit",)), stage, invariances=("unit",))
