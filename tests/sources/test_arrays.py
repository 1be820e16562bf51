import numpy as np
import pytest

from stratoscope.errors import BadInput, UnreadableStimulus
from stratoscope.sources import arrays as module
from stratoscope.sources.arrays import Arrays
from stratoscope.testing.source_laws import check_source
from stratoscope.types import Source, Stimuli


def collect(source, stimuli, **options):
    """What a source plays, put together per stage, with a count of the visits to every row."""
    out, seen = {}, {}

    def visit(stage, rows, responses):
        out.setdefault(stage.name, np.full((len(stimuli), stage.n_units), np.nan))[rows] = responses
        seen.setdefault(stage.name, np.zeros(len(stimuli), int))[rows] += 1

    played = source.play(stimuli, visit, **options)
    assert played.n == len(stimuli)
    assert all((counts == 1).all() for counts in seen.values())
    return out


@pytest.fixture
def responses(rng):
    return {"V1": rng.normal(size=(23, 4, 2, 2)), "IT": rng.normal(size=(23, 5)).astype(np.float32)}


def test_it_is_a_source_with_one_stage_an_array(responses):
    source = Arrays(responses, unit="neuron", name="rat")
    assert isinstance(source, Source)
    assert [(s.name, s.depth, s.shape, s.n_units, s.unit, s.hierarchy) for s in source.stages] == [
        ("V1", 0.0, (4, 2, 2), 16, "neuron", "rat"),
        ("IT", 1.0, (5,), 5, "neuron", "rat"),
    ]
    assert source.describe()["matched_by"] == "position"


@pytest.mark.parametrize("batch_size", [1, 5, 23, 100])
def test_every_row_is_played_once_whatever_the_batch(responses, batch_size):
    source = Arrays(responses)
    done = []
    out = collect(source, source.stimuli(), batch_size=batch_size, progress=done.append)
    np.testing.assert_array_equal(out["V1"], responses["V1"].reshape(23, -1))
    np.testing.assert_array_equal(out["IT"], responses["IT"])
    assert done[-1] == 23


def test_reads_are_small_when_the_budget_is_small(responses, monkeypatch):
    monkeypatch.setattr(module, "READ_BYTES", 1)
    source = Arrays(responses)
    np.testing.assert_array_equal(collect(source, source.stimuli(), batch_size=4)["IT"], responses["IT"])


def test_reads_grow_to_whole_chunks():
    class Chunked:
        shape, dtype, chunks, reads = (100, 3), np.dtype("f4"), (50, 3), 0

        def __getitem__(self, rows):
            self.reads += 1
            return np.ones((100, 3), "f4")[rows]

    chunked = Chunked()
    source = Arrays({"a": chunked})
    collect(source, source.stimuli(), batch_size=10)
    assert chunked.reads == 2


def test_stimuli_are_matched_by_id_in_any_order(responses, rng):
    source = Arrays(responses, ids=[f"image-{i}" for i in range(23)])
    order = rng.permutation(23)[:9]
    out = collect(source, source.stimuli().take(order), batch_size=4)
    np.testing.assert_array_equal(out["IT"], responses["IT"][order])


def test_without_ids_a_part_of_its_own_stimuli_still_finds_its_rows(responses):
    source = Arrays(responses)
    out = collect(source, source.stimuli().take(np.array([7, 3])))
    np.testing.assert_array_equal(out["IT"], responses["IT"][[7, 3]])


def test_without_ids_foreign_stimuli_are_matched_by_position_when_the_numbers_agree(responses):
    foreign = Stimuli("photos", tuple(f"p{i}.png" for i in range(23)), lambda row: None)
    np.testing.assert_array_equal(collect(Arrays(responses), foreign)["IT"], responses["IT"])
    few = Stimuli("photos", ("a.png",), lambda row: None)
    with pytest.raises(BadInput, match="'photos' has 1 stimuli and 'arrays' has 23 rows without ids"):
        collect(Arrays(responses), few)


def test_a_stimulus_without_a_row_is_named_with_the_nearest(responses):
    source = Arrays(responses, ids=[f"image-{i:02d}" for i in range(23)])
    foreign = Stimuli("photos", ("image-01", "imaje-02"), lambda row: None)
    with pytest.raises(
        BadInput, match=r"1 of the 2 stimuli of 'photos' have no row.*'imaje-02'\. Did you mean 'image-02'"
    ):
        collect(source, foreign)


def test_loading_an_image_says_that_there_is_none(responses):
    stimuli = Arrays(responses, columns={"category": np.arange(23) % 2}).stimuli()
    assert stimuli.categories.sum() == 11
    with pytest.raises(UnreadableStimulus, match=r"'row-04' has no image: 'arrays' holds responses alone"):
        stimuli.load(4)


def test_integers_and_truth_values_become_floats():
    source = Arrays({"a": np.array([[1, 2], [3, 4]]), "b": np.array([[True], [False]])})
    kinds = []
    source.play(source.stimuli(), lambda stage, rows, responses: kinds.append(responses.dtype))
    assert kinds == [np.float64, np.float64]


@pytest.mark.parametrize(
    ("responses", "options", "message"),
    [
        ({}, {}, "There are no responses"),
        ({"a": np.zeros(3)}, {}, r"stage 'a' must be numbers \(stimulus, unit\); they are float64 with shape \(3,\)"),
        ({"a": np.array([["x"]])}, {}, "stage 'a' must be numbers"),
        ({"a": np.zeros((3, 0))}, {}, "none of them empty"),
        ({"a": np.zeros((3, 1)), "b": np.zeros((4, 1))}, {}, "Stage 'a' has responses to 3 stimuli and stage 'b' to 4"),
        ({"a": np.zeros((3, 1))}, {"ids": ["x"]}, "There are 1 ids and 3 rows"),
        ({"a": np.zeros((3, 1))}, {"ids": ["x", "y", "x"]}, "The id 'x' stands for more than one row"),
        ({"a": np.zeros((3, 1))}, {"depths": [0.1, 0.2]}, "Depths must be 1 numbers from 0 to 1"),
        ({"a": np.zeros((3, 1))}, {"columns": {"category": np.zeros(2)}}, r"Column 'category' has shape \(2,\)"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(responses, options, message):
    with pytest.raises(BadInput, match=message):
        Arrays(responses, **options)


def test_a_batch_of_nothing_is_refused(responses):
    source = Arrays(responses)
    with pytest.raises(BadInput, match="batch_size is 0"):
        collect(source, source.stimuli(), batch_size=0)


def test_it_keeps_the_laws_of_sources(responses):
    check_source(lambda: Arrays(responses), Arrays(responses).stimuli())


def test_a_liar_that_forgets_the_last_rows_is_caught(responses):
    class Liar(Arrays):
        def _blocks(self, n, batch_size):
            return list(super()._blocks(n, batch_size))[:-1] or [(0, n - 1)]

    with pytest.raises(AssertionError):
        check_source(lambda: Liar(responses), Arrays(responses).stimuli())
