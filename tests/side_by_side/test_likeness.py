from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from stratoscope.errors import BadInput, TooFew
from stratoscope.metrics import cka, rdm, rsa
from stratoscope.studies import given_rdms
from stratoscope.studies.side_by_side.draws import half_samples
from stratoscope.studies.side_by_side.geometry import geometries, gram_of, shared
from stratoscope.studies.side_by_side.likeness import likeness

IDS = tuple(f"image-{row}" for row in range(60))


def both(pair):
    return geometries(pair[0])[0], geometries(pair[1])[0]


def test_every_cell_is_the_rsa_of_its_two_stages(pair, layers):
    network, cortex = layers
    found = likeness(*both(pair), "rsa-spearman", n_draws=0, seed=0)
    expected = [[rsa(rdm(one), rdm(other)) for other in cortex.values()] for one in network.values()]
    np.testing.assert_allclose(found.value, expected, atol=1e-9)
    assert found.n == 60
    assert np.isnan(found.interval(0.95)).all()


def test_every_cell_is_the_debiased_cka_of_its_two_stages(pair, layers):
    network, cortex = layers
    found = likeness(*both(pair), "cka", n_draws=0, seed=0)
    expected = [[cka(one, other, debiased=True) for other in cortex.values()] for one in network.values()]
    np.testing.assert_allclose(found.value, expected, atol=1e-9)


def test_an_area_is_most_similar_to_the_layer_it_was_made_from(pair):
    for measure in ("rsa-spearman", "rsa-pearson", "cka"):
        found = likeness(*both(pair), measure, n_draws=40, seed=0)
        assert found.best().tolist() == [0, 2]
        assert found.best_share()[[0, 2], [0, 1]].min() > 0.95
        np.testing.assert_allclose(found.best_share().sum(axis=0), 1)
        assert set(np.unique(found.best_depths()[:, 1])) == {1.0}


def test_stimuli_are_matched_by_id_in_any_order_and_number(layers, profiled):
    network, cortex = layers
    order = np.random.default_rng(1).permutation(60)[:40]
    some = {name: responses[order] for name, responses in cortex.items()}
    found = likeness(
        geometries(profiled("network", network))[0],
        geometries(profiled("cortex", some, [IDS[row] for row in order]))[0],
        "rsa-spearman", n_draws=0, seed=0,
    )  # fmt: skip
    kept = np.sort(order)
    expected = [[rsa(rdm(one[kept]), rdm(other[kept])) for other in cortex.values()] for one in network.values()]
    np.testing.assert_allclose(found.value, expected, atol=1e-9)


def test_halves_scatter_as_much_as_new_stimuli_do():
    rng = np.random.default_rng(5)
    mix = rng.normal(size=(4, 30)), rng.normal(size=(4, 30))

    def responses(n):
        latent = rng.normal(size=(n, 4))
        return [latent @ one + 4 * rng.normal(size=(n, 30)) for one in mix]

    fresh = [rsa(*map(rdm, responses(80))) for _ in range(300)]
    one, other = map(rdm, responses(80))
    halves = [rsa(one[np.ix_(rows, rows)], other[np.ix_(rows, rows)]) for rows in half_samples(80, 300, 0)]
    assert np.std(halves) == pytest.approx(np.std(fresh), rel=0.25)
    assert norm.ppf(0.975) > 1.9  # the scale the interval stands for


def test_a_half_never_holds_a_stimulus_twice():
    for rows in half_samples(11, 20, 3):
        assert len(rows) == len(set(rows)) == 5


def test_a_euclidean_matrix_gives_its_inner_products_back():
    points = np.random.default_rng(0).normal(size=(9, 4))
    centred = points - points.mean(axis=0)
    for distance in ("euclidean", "sqeuclidean"):
        np.testing.assert_allclose(gram_of(rdm(points, distance=distance), distance), centred @ centred.T, atol=1e-9)
    assert gram_of(rdm(points), "unknown") is None


def test_matrices_of_unknown_distance_have_rsa_but_no_cka(pair, layers):
    network, _ = layers
    published = given_rdms("published", {"IT": rdm(network["layer2"])}, IDS)
    one, other = geometries(pair[0])[0], geometries(published)[0]
    assert np.isnan(likeness(one, other, "cka", n_draws=5, seed=0).value).all()
    assert likeness(one, other, "rsa-spearman", n_draws=5, seed=0).value[1, 0] == pytest.approx(1)


def test_published_matrices_may_be_condensed(pair, layers):
    from scipy.spatial.distance import squareform

    whole = rdm(layers[0]["layer2"])
    square, condensed = (
        geometries(given_rdms("p", {"IT": one}, IDS))[0] for one in (whole, squareform(whole, checks=False))
    )
    np.testing.assert_allclose(square.rdms[0], condensed.rdms[0])


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        (np.zeros((59, 59)), "have the shape (59, 59), and there are 60 stimuli. Give (60, 60), or the 1770 pairs"),
        (np.triu(np.ones((60, 60)), 1), "must be finite, at least 0 and symmetric"),
        (np.full((60, 60), np.nan), "must be finite, at least 0 and symmetric"),
    ],
)
def test_published_matrices_that_cannot_be_read_are_refused(matrix, words):
    with pytest.raises(BadInput) as raised:
        given_rdms("published", {"IT": matrix}, IDS)
    assert words in str(raised.value)


def test_an_unknown_distance_is_refused_with_the_known_ones():
    with pytest.raises(BadInput, match="The distance 'manhattan' is none of unknown, euclidean"):
        given_rdms("published", {}, IDS, distance="manhattan")


def test_hierarchies_without_common_stimuli_are_refused_with_examples_of_their_ids(pair, layers, profiled):
    other = profiled("elsewhere", layers[1], [f"photo-{row}" for row in range(60)])
    with pytest.raises(TooFew) as raised:
        shared(both(pair)[0], geometries(other)[0])
    assert "share 0 stimuli, and at least 4 are needed" in str(raised.value)
    assert "'image-0', 'image-1' ..." in str(raised.value)
    assert "'photo-0'" in str(raised.value)
