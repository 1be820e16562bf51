"""The table: blocks, permutations, properties of each unit, and bad input."""

import numpy as np
import pytest

from stratoscope.errors import BadInput, TooFew, UnknownName
from stratoscope.metrics import information_breakdown, information_table, object_information, unit_information
from stratoscope.metrics.information.counting import CellSums, Packing, one_hot, paired_counts
from stratoscope.metrics.information.entropies import n_log_n
from stratoscope.summaries import Spool

FIELDS = ("plugin", "corrected", "null_mean", "null_sd", "p", "z")


def stage(rng, n=150, units=70):
    properties = {"light": rng.random(n), "object": rng.permutation(np.arange(n) % 5)}
    drive = properties["light"][:, None] * rng.standard_normal(units) + 0.3 * rng.standard_normal((n, units))
    return np.maximum(drive, 0).astype(np.float32), properties


def same(a, b):
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    np.testing.assert_array_equal(a.response_bins, b.response_bins)


@pytest.mark.parametrize("correction", ["panzeri-treves", "quadratic-extrapolation", "shuffle"])
def test_any_cut_into_blocks_gives_the_same_numbers(rng, correction):
    responses, properties = stage(rng)
    properties["own"] = rng.random(responses.shape)
    options = {"n_shuffles": 13, "correction": correction}
    whole = information_table(responses, properties, **options)
    same(information_table(responses, properties, units_at_a_time=1, **options), whole)
    blocks = [(0, responses[:, :33]), (33, responses[:, 33:34]), (34, responses[:, 34:])]
    same(information_table(iter(blocks), properties, units_at_a_time=7, **options), whole)
    same(information_table(lambda: (block for _, block in blocks), properties, **options), whole)


def test_a_spool_is_read_in_its_blocks(rng):
    responses, properties = stage(rng)
    spool = Spool(150, 70, panel_units=32)
    order = rng.permutation(150)
    spool.write(order[:100], responses[order[:100]])
    spool.write(order[100:], responses[order[100:]])
    same(
        information_table(spool.blocks(), properties, n_shuffles=5),
        information_table(responses, properties, n_shuffles=5),
    )
    same(
        information_table(spool.blocks, properties, n_shuffles=5),
        information_table(responses, properties, n_shuffles=5),
    )


@pytest.mark.parametrize("response_bins", [2, 3, 8])
def test_a_permutation_is_the_same_as_measuring_permuted_stimuli(rng, response_bins):
    responses, properties = stage(rng, units=9)
    options = {"response_bins": response_bins, "value_bins": 9, "correction": "none"}
    table = information_table(responses, properties, n_shuffles=3, seed=4, **options)
    orders = [np.random.default_rng([4, number]).permutation(150) for number in range(3)]
    null = [
        [unit_information(responses, np.asarray(values)[order], **options) for order in orders]
        for values in properties.values()
    ]
    np.testing.assert_allclose(table.null_mean, np.mean(null, axis=1), atol=1e-12)
    np.testing.assert_allclose(table.null_sd, np.std(null, axis=1, ddof=1), atol=1e-12)
    reached = (np.array(null) >= table.plugin[:, None] - 1e-12).sum(axis=1)
    np.testing.assert_array_equal(table.p, (1 + reached) / 4)
    np.testing.assert_allclose(table.z, (table.plugin - table.null_mean) / table.null_sd)


def test_values_for_each_unit_that_are_all_the_same_are_one_property(rng):
    responses, properties = stage(rng)
    light = properties["light"]
    own = {"light": np.repeat(light[:, None], 70, axis=1)}
    same(
        information_table(responses, own, n_shuffles=7),
        information_table(responses, {"light": light}, n_shuffles=7),
    )


def test_properties_come_back_in_their_order(rng):
    responses, properties = stage(rng)
    mixed = {"own": rng.random(responses.shape), **properties}
    table = information_table(responses, mixed)
    assert table.properties == ("own", "light", "object")
    np.testing.assert_array_equal(table.of("object")["corrected"], unit_information(responses, properties["object"]))
    assert table.value_bins.tolist() == [10, 10, 5]
    assert table.per_cell == pytest.approx([5, 5, 10])
    with pytest.raises(UnknownName, match=r"No property is called 'lihgt'\. Did you mean 'light'\?"):
        table.of("lihgt")


def test_numbers_depend_on_the_seed_and_on_nothing_else(rng):
    responses, properties = stage(rng)
    first, again, other = (information_table(responses, properties, n_shuffles=5, seed=seed) for seed in (1, 1, 2))
    same(first, again)
    assert not np.array_equal(first.null_mean, other.null_mean)
    np.testing.assert_array_equal(first.corrected, other.corrected)


@pytest.mark.parametrize("n_bins", [2, 3, 6])
@pytest.mark.parametrize("n", [40, 5000])
def test_counts_that_share_numbers_are_the_counts(rng, n, n_bins):
    codes = rng.integers(0, n_bins, (n, 8)).astype(np.uint8)
    values = rng.integers(0, 3, n)
    packing = Packing.of(n_bins, int(np.bincount(values).max()))
    counts = np.stack(packing.count(one_hot(values, 3, packing.dtype), packing.pack(codes)))
    expected = [[((codes == r) & (values == v)[:, None]).sum(axis=0) for v in range(3)] for r in range(n_bins)]
    np.testing.assert_array_equal(counts, expected)
    own = np.repeat(values[:, None], 8, axis=1)
    np.testing.assert_array_equal(paired_counts(codes, own, n_bins, 3), expected)


@pytest.mark.parametrize("n_bins", [2, 3, 4])
def test_sums_over_response_bins_are_looked_up(rng, n_bins):
    values = np.repeat([0, 1, 2, 3], [15, 9, 9, 2])
    codes = rng.integers(0, n_bins, (35, 8)).astype(np.uint8)
    totals, table = np.bincount(values), n_log_n(35)
    packing = Packing.of(n_bins, 15)
    sums = CellSums.of(packing, totals, table)
    columns, packed = one_hot(values, 4, packing.dtype), packing.pack(codes)
    expected = table.take(np.stack(packing.count(columns, packed))).sum(axis=0)
    np.testing.assert_array_equal(sums.look_up(columns, packed[0]), expected)
    np.testing.assert_array_equal(
        sums.look_up(np.repeat(columns, 2, axis=0), packed[0]), np.repeat(expected, 2, axis=0)
    )


def test_sums_that_would_fill_the_cache_are_not_tabulated():
    assert CellSums.of(Packing.of(3, 1000), np.array([1000, 1000]), n_log_n(2000)) is None
    assert CellSums.of(Packing.of(8, 40), np.array([40, 20]), n_log_n(60)) is None


def test_what_shares_numbers_never_exceeds_what_they_hold_exactly():
    assert Packing.of(3, 100) == Packing(3, 7, np.dtype(np.float32))
    assert Packing.of(3, 100).together == 3
    assert Packing.of(3, 5000).together == 1
    assert Packing.of(3, 2**24).dtype == np.float64


def test_a_constant_property_has_no_information_and_is_named(rng):
    responses, _ = stage(rng)
    table = information_table(responses, {"flat": np.full(150, 0.5)}, n_shuffles=9)
    assert (table.plugin == 0).all()
    assert (table.corrected == 0).all()
    assert (table.p == 1).all()
    assert np.isnan(table.z).all()
    assert "flat is constant: every unit has 0 bits about it." in table.notes


def test_units_that_never_fire_have_no_information(rng):
    responses, properties = stage(rng)
    responses[:, 5] = 0
    for correction in ("panzeri-treves", "quadratic-extrapolation", "shuffle", "none"):
        table = information_table(responses, properties, n_shuffles=9, correction=correction)
        assert (table.corrected[:, 5] == 0).all()
        assert (table.p[:, 5] == 1).all()


def test_a_property_with_two_values_keeps_two_of_three_bins(rng):
    responses, _ = stage(rng)
    lit = np.repeat([0.1, 0.9], 75)
    table = information_table(responses, {"lit": lit}, value_bins=3)
    assert table.value_bins.tolist() == [2]
    np.testing.assert_array_equal(table.corrected[0], unit_information(responses, lit > 0.5))


def test_ties_that_cost_a_property_bins_are_noted(rng):
    responses, _ = stage(rng)
    mostly = np.concatenate([np.zeros(120), np.linspace(1, 2, 30)])
    table = information_table(responses, {"mostly": mostly}, value_bins=6)
    assert table.value_bins.tolist() == [3]
    assert "mostly keeps 3 of 6 bins, as equal values share one." in table.notes


def test_few_stimuli_a_cell_are_noted(rng):
    responses, properties = stage(rng)
    table = information_table(responses, properties, response_bins=8, value_bins={"light": 20})
    assert table.value_bins.tolist() == [20, 5]
    assert table.notes[0].startswith(
        "light has 0.9 stimuli for each cell of response bins and value bins, fewer than the 4"
    )


def test_texts_and_truth_values_are_properties(rng):
    responses, properties = stage(rng)
    names = np.array([*"abcde"])[properties["object"]]
    expected = unit_information(responses, properties["object"])
    np.testing.assert_array_equal(unit_information(responses, names), expected)
    np.testing.assert_array_equal(unit_information(responses, names.astype(object)), expected)
    np.testing.assert_array_equal(unit_information(responses, names, value_bins=2), expected)


@pytest.mark.parametrize(
    ("change", "error", "sentence"),
    [
        (
            {"values": np.r_[np.nan, np.zeros(149)]},
            BadInput,
            r"The property 'values' expects finite values, but 1 of 150",
        ),
        (
            {"values": np.zeros(140)},
            BadInput,
            r"needs one value for each of the 150 stimuli, .* but shape \(140,\) came",
        ),
        (
            {"values": np.arange(150)},
            BadInput,
            r"'values' has 150 distinct values over 150 stimuli, so most are seen once",
        ),
        ({"values": [f"s{i}" for i in range(150)], "value_bins": 3}, BadInput, r"150 distinct values over 150 stimuli"),
        (
            {"values": np.full((150, 70), "a")},
            BadInput,
            r"has values for each unit, which must be numbers, but <U1 came",
        ),
        ({"response_bins": 1}, BadInput, r"response_bins must be from 2 to 255, but 1 came"),
        ({"response_bins": 151}, TooFew, r"151 bins need at least as many stimuli, but 150 came\. Give more stimuli"),
        ({"value_bins": 151}, TooFew, r"151 bins need at least as many stimuli, .* or a smaller value_bins"),
        ({"binning": "equal"}, UnknownName, r"No binning is called 'equal'\. Did you mean 'equal-width'\?"),
        ({"correction": "panzeri"}, UnknownName, r"No correction is called 'panzeri'\. Did you mean 'panzeri-treves'"),
        (
            {"correction": "shuffle", "n_shuffles": 0},
            BadInput,
            r"the shuffle correction needs some: give n_shuffles=100",
        ),
        ({"responses": np.zeros((150, 0))}, TooFew, r"needs at least 1 unit, but no unit came"),
        ({"responses": np.zeros(150)}, BadInput, r"expects responses of shape \(stimulus, unit\), but \(150,\) came"),
        ({"responses": np.full((150, 2), "a")}, BadInput, r"Responses must be numbers, but values of type <U1 came"),
        (
            {"responses": iter([np.zeros((150, 2)), np.zeros((149, 2))])},
            BadInput,
            r"the same 150 stimuli, but one with 149",
        ),
        (
            {"responses": iter([(0, np.zeros((150, 2))), (3, np.zeros((150, 2)))])},
            BadInput,
            r"from unit 2 on, but one from",
        ),
    ],
)
def test_what_cannot_be_measured_is_refused_with_a_sentence(rng, change, error, sentence):
    responses, properties = stage(rng)
    arguments = {"responses": responses, "values": properties["light"], **change}
    with pytest.raises(error, match=sentence):
        unit_information(**arguments)


@pytest.mark.parametrize("columns", [69, 71])
def test_values_for_another_number_of_units_are_refused(rng, columns):
    responses, properties = stage(rng)
    own = rng.random((150, columns))
    sentence = rf"has values for {columns} units, but (at least )?70 units came\. Give one column for each unit"
    with pytest.raises(BadInput, match=rf"The property 'own' {sentence}"):
        information_table(responses, {"own": own})
    with pytest.raises(BadInput, match=f"Luminance {sentence}"):
        object_information(responses, properties["object"], luminance=own)
    trials = np.repeat(np.arange(15), 10)
    with pytest.raises(BadInput, match=f"Luminance {sentence}"):
        information_breakdown(responses, own[trials], trials, luminance_bins=3)


def test_no_property_at_all_is_refused(rng):
    with pytest.raises(BadInput, match=r"Information needs a property, but none came\."):
        information_table(stage(rng)[0], {})
    with pytest.raises(BadInput, match=r"units_at_a_time must be at least 1, but 0 came"):
        information_table(*stage(rng), units_at_a_time=0)


def test_nothing_given_is_changed(rng):
    responses, properties = stage(rng)
    before = responses.copy(), {name: values.copy() for name, values in properties.items()}
    information_table(responses, properties, n_shuffles=3)
    np.testing.assert_array_equal(responses, before[0])
    for name, values in properties.items():
        np.testing.assert_array_equal(values, before[1][name])
