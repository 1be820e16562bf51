"""A run that is broken off ends, when it is taken up again, in the results of an unbroken one."""

from __future__ import annotations

import os

import numpy as np
import pytest

import stratoscope as st
from stratoscope.errors import BadInput, ResultsError, UnreadableStimulus
from stratoscope.measure import kept
from stratoscope.measure.partial import folder as folders
from stratoscope.measure.partial import store
from stratoscope.stimuli.examples import chosen_rows

from .runs import METRICS, SETTINGS, N, network, run, same, small_shards, stimuli


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    small_shards(monkeypatch)


def break_off(monkeypatch, after):
    """End the run before the file number `after` is written, as the end of the process would."""
    written = []
    real = store.write_tensors

    def write(path, arrays, about):
        if len(written) == after:
            path.with_name(f".{path.name}-abc").write_bytes(b"half")  # what a process that is killed leaves behind
            raise Killed
        written.append(path.name)
        real(path, arrays, about)

    monkeypatch.setattr(store, "write_tensors", write)
    return written


def test_a_kept_run_gives_what_a_run_in_one_go_gives(unbroken):
    once = st.profile(network(), stimuli(), **SETTINGS)
    ours, theirs = once.table(), st.open_results(unbroken).table()
    for name in ("value", "low", "high"):
        assert np.allclose(
            ours[name].to_numpy(float), theirs[name].to_numpy(float), rtol=1e-12, atol=1e-13, equal_nan=True
        )
    words = ["stage", "metric", "item", "control", "n", "note"]
    assert ours[words].equals(theirs[words])


@pytest.mark.parametrize("after", range(12))
def test_wherever_it_is_broken_off_the_results_are_the_same_bit_for_bit(tmp_path, monkeypatch, unbroken, after):
    out = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch:
        before = break_off(patch, after)
        with pytest.raises(Killed):
            run(out)
    assert not out.exists()
    assert len(before) == after
    with pytest.MonkeyPatch.context() as patch:
        again = break_off(patch, None)
        run(out)
    assert not set(before) & set(again)  # nothing is done twice
    assert len(before) + len(again) == 6 + 6  # shards, and stages in two definitions of a unit
    assert same(out, unbroken)
    assert [one.name for one in tmp_path.iterdir()] == ["run"]


def test_only_the_stimuli_of_unfinished_shards_are_played_again(tmp_path, unbroken):
    def stop(row):
        if row == 27:
            raise Killed

    with pytest.raises(Killed):
        run(tmp_path / "run", stimuli=stimuli(before=stop), workers=0)
    loaded = []
    run(tmp_path / "run", stimuli=stimuli(before=loaded.append), workers=0)
    shown = chosen_rows(stimuli())  # the pictures of the report, when all is done
    assert loaded[-len(shown) :] == shown
    assert sorted(set(loaded[: -len(shown)]) - {0}) == list(range(24, N))  # row 0 finds the stages
    assert same(tmp_path / "run", unbroken)


def test_other_times_on_the_files_change_nothing(tmp_path, monkeypatch, unbroken):
    with pytest.MonkeyPatch.context() as patch:
        break_off(patch, 4)
        with pytest.raises(Killed):
            run(tmp_path / "run")
    for i, one in enumerate((tmp_path / "run.partial").iterdir()):
        os.utime(one, (i * 4e9, i * 4e9))  # 1970, 2096, 2223 ...
    run(tmp_path / "run")
    assert same(tmp_path / "run", unbroken)


def test_a_damaged_file_is_found_made_again_and_mentioned(tmp_path, unbroken):
    with pytest.MonkeyPatch.context() as patch:
        break_off(patch, 8)
        with pytest.raises(Killed):
            run(tmp_path / "run")
    for name in ("shard-00002.safetensors", "stage-0001.safetensors"):
        path = tmp_path / "run.partial" / name
        content = bytearray(path.read_bytes())
        content[-5] ^= 16
        path.write_bytes(content)
    results = run(tmp_path / "run")
    assert same(tmp_path / "run", unbroken)
    damaged = [remark for remark in results.remarks if "was damaged and was made anew" in remark]
    assert [remark.split(",")[0] for remark in damaged] == ["shard-00002.safetensors", "stage-0001.safetensors"]


CHANGES = {
    "weights": ({"source": network(bias=0.01)}, r"network: weights_sha256 was .+ and is .+"),
    "stimuli": ({"stimuli": stimuli(fingerprint="other")}, r"stimuli: content was same and is other"),
    "fewer stimuli": ({"stimuli": stimuli().take(np.arange(40))}, r"stimuli: number was 44 and is 40"),
    "batch": ({"batch_size": 8}, r"settings: batch_size was 4 and is 8"),
    "seed": ({"seed": 4}, r"settings: seed was 3 and is 4"),
    "metrics": ({"metrics": METRICS[:-1]}, r"metrics: 5: metric was cka and is nothing|metrics: 5 was .+ and is nothing"),
    "options": ({"metrics": [*METRICS[:3], "gride:n1=(1, 4)", *METRICS[4:]]}, r"metrics: 3: options was .*\(1, 2\).* and is .*\(1, 4\)"),
    "stages": ({"stages": "conv"}, r"stages: 1 \(channel\) was \[6.* and is nothing"),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_another_run_is_refused_and_the_difference_is_named(tmp_path, change):
    with pytest.MonkeyPatch.context() as patch:
        break_off(patch, 3)
        with pytest.raises(Killed):
            run(tmp_path / "run")
    changes, words = CHANGES[change]
    files = sorted(one.name for one in (tmp_path / "run.partial").iterdir())
    with pytest.raises(ResultsError, match=words) as caught:
        run(tmp_path / "run", **changes)
    assert "run.partial holds the beginning of another run" in str(caught.value)
    assert "throw the beginning away with resume=False (--restart)" in str(caught.value)
    assert sorted(one.name for one in (tmp_path / "run.partial").iterdir()) == files
    run(tmp_path / "run", **changes, resume=False)
    assert [one.name for one in tmp_path.iterdir()] == ["run"]


def test_threads_budget_and_progress_may_change(tmp_path, unbroken):
    with pytest.MonkeyPatch.context() as patch:
        break_off(patch, 3)
        with pytest.raises(Killed):
            run(tmp_path / "run")
    run(tmp_path / "run", workers=0, budget="1GB")
    assert same(tmp_path / "run", unbroken)


def test_stimuli_that_were_left_out_are_still_known_after_a_break(tmp_path):
    broken = stimuli(unreadable=(1, 8, 9, 10, 11, 20))
    run(tmp_path / "whole", stimuli=broken, skip_unreadable=True)
    with pytest.MonkeyPatch.context() as patch:
        break_off(patch, 4)
        with pytest.raises(Killed):
            run(tmp_path / "run", stimuli=broken, skip_unreadable=True)
    with pytest.raises(
        UnreadableStimulus, match=r"Stimulus 1 is broken. The run was begun with leave to skip .* \(--restart\)"
    ):
        run(tmp_path / "run", stimuli=broken)
    results = run(tmp_path / "run", stimuli=broken, skip_unreadable=True)
    assert [name for name, _ in results.skipped] == [f"image-{row}" for row in (1, 8, 9, 10, 11, 20)]
    assert same(tmp_path / "run", tmp_path / "whole")


def test_a_bad_stimulus_late_in_the_run_does_not_cost_what_was_done(tmp_path):
    broken = stimuli(unreadable=(40,))
    with pytest.raises(UnreadableStimulus, match="Stimulus 40 is broken"):
        run(tmp_path / "run", stimuli=broken)
    assert len(list((tmp_path / "run.partial").glob("shard-*"))) == 5
    assert run(tmp_path / "run", stimuli=broken, skip_unreadable=True).skipped == (
        ("image-40", "Stimulus 40 is broken."),
    )


def test_nothing_readable_is_said_and_leaves_nothing(tmp_path):
    with pytest.raises(BadInput, match="Not one stimulus could be read|is broken"):
        run(tmp_path / "run", stimuli=stimuli(unreadable=range(N)), skip_unreadable=True)
    assert list(tmp_path.iterdir()) == []


def test_a_stage_that_is_not_finite_has_no_numbers_after_a_break_either(tmp_path):
    images = np.random.default_rng(2).random((N, 3, 10, 10), dtype=np.float32)
    images[18, 0, 0, 0] = np.inf
    infinite = st.Stimuli("noise", stimuli().ids, images.__getitem__, stimuli().columns, "infinite")
    run(tmp_path / "whole", stimuli=infinite)
    with pytest.MonkeyPatch.context() as patch:
        break_off(patch, 4)
        with pytest.raises(Killed):
            run(tmp_path / "run", stimuli=infinite)
    results = run(tmp_path / "run", stimuli=infinite)
    assert any(
        "The responses to 1 stimuli are not finite (first: 'image-18')" in note for note in results.table()["note"]
    )
    assert same(tmp_path / "run", tmp_path / "whole")


def test_a_checkpoint_without_results_stays_until_the_caller_removes_it(tmp_path):
    first = run(None, checkpoint=tmp_path / "kept")
    loaded = []
    second = run(None, checkpoint=tmp_path / "kept", stimuli=stimuli(before=loaded.append))
    assert set(loaded[: -len(chosen_rows(stimuli()))]) == {0}
    assert first.table().equals(second.table())
    folders.discard(tmp_path / "kept")
    assert list(tmp_path.iterdir()) == []


def test_a_run_without_a_folder_puts_nothing_away(monkeypatch):
    monkeypatch.setattr(kept, "put_shard_away", None)
    assert len(run(None).table())


def test_responses_that_exist_already_are_not_put_away(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "put_shard_away", None)
    arrays = st.Arrays({"a": np.random.default_rng(0).random((30, 5))})
    st.profile(arrays, arrays.stimuli(), metrics=["two_nn"], progress=False, out=tmp_path / "run")
    assert [one.name for one in tmp_path.iterdir()] == ["run"]
