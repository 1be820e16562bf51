"""Runs that are broken off: disks, folders, other processes and dead workers; what is done is kept in `OUT.partial`."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from stratoscope.errors import ResultsError
from stratoscope.measure.partial import folder as folders
from stratoscope.measure.partial import tensors

from ..measure.partial.runs import run, same, small_shards


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    small_shards(monkeypatch)


@contextmanager
def files_up_to(size):
    """Let this process write no file larger than `size` bytes, as a quota would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def mounted(place: Path, *options: str):
    place.mkdir()
    command = ["mount", *options, str(place)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount here")
    if done.returncode:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def full_after(monkeypatch, n, code=errno.ENOSPC):
    """Let the disk refuse every write of a file of arrays after the first `n` files."""
    real, opened = os.fdopen, []

    class Refusing:
        def __init__(self, file):
            self.file, self.refuses = file, len(opened) >= n
            opened.append(file)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def write(self, content):
            if self.refuses:
                raise OSError(code, os.strerror(code))
            return self.file.write(content)

        def seek(self, place):
            return self.file.seek(place)

    monkeypatch.setattr(
        tensors.os,
        "fdopen",
        lambda handle, mode, **more: (
            Refusing(real(handle, mode, **more)) if mode == "wb" else real(handle, mode, **more)
        ),
    )


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the quota is used up"),
        (errno.EROFS, "the disk is read-only"),
        (errno.EIO, "input/output error"),
    ],
)
def test_a_disk_that_refuses_costs_nothing_that_was_done(tmp_path, code, words):
    """The disk is full, a quota is used up, the disk became read-only or has an error, in the middle of a run -> a
    sentence that says why and how many shards are safe; nothing half-written; the same command goes on, to the same
    results bit for bit.
    """
    run(tmp_path / "whole")
    with pytest.MonkeyPatch.context() as patch:
        full_after(patch, 3, code)
        with pytest.raises(
            ResultsError,
            match=rf"could not be put away in .*run.partial: {words}. 3 of 6 shards are safe there. Make room.* goes on from them",
        ):
            run(tmp_path / "run")
    assert sorted(one.name for one in (tmp_path / "run.partial").glob("*sh*")) == [
        f"shard-0000{i}.safetensors" for i in range(3)
    ]
    run(tmp_path / "run")
    assert same(tmp_path / "run", tmp_path / "whole")


def test_a_limit_on_the_size_of_files_is_said(tmp_path):
    """A limit on the size of files (ulimit -f) -> said; no folder is left where nothing was done."""
    with (
        files_up_to(9_000),
        pytest.raises(ResultsError, match="files may not be so large here. 0 of 6 shards are safe"),
    ):
        run(tmp_path / "run")
    assert list(tmp_path.iterdir()) == []
    run(tmp_path / "run")


def test_a_small_disk_that_fills_up_is_said_and_the_run_goes_on_elsewhere_unharmed(tmp_path):
    """A real disk of 128 kB that fills up -> said with the shards that are safe; with more room the same command goes
    on, to the same results.
    """
    run(tmp_path / "whole")
    with mounted(tmp_path / "small", "-t", "tmpfs", "-o", "size=128k", "tmpfs"):
        with pytest.raises(ResultsError, match=r"the disk is full. [1-5] of 6 shards are safe there"):
            run(tmp_path / "small" / "run")
        subprocess.run(["mount", "-o", "remount,size=8m", str(tmp_path / "small")], check=True)
        run(tmp_path / "small" / "run")
        assert same(tmp_path / "small" / "run", tmp_path / "whole")


def test_a_read_only_disk_is_said_before_the_pass(tmp_path):
    """A read-only disk -> said before the pass."""
    with (
        mounted(tmp_path / "small", "-t", "tmpfs", "-o", "size=1m,ro", "tmpfs"),
        pytest.raises(ResultsError, match="cannot be written"),
    ):
        run(tmp_path / "small" / "run")


def test_a_folder_that_cannot_be_made_is_said(tmp_path, monkeypatch):
    """No folder can be made for what is done -> said before the pass, with the reason."""

    def refuse(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(
        ResultsError,
        match=r"needs a folder for what is done of it, and .*run.partial could not be made: the disk is read-only. Choose a place",
    ):
        run(tmp_path / "run")


def test_a_folder_that_has_become_read_only_is_said(tmp_path):
    """A run is taken up in a folder that cannot be written to any more -> said before the pass."""
    made = tmp_path / "run.partial"
    made.mkdir()
    (made / "lock").mkdir()  # opening it to write fails as it does without permission, also for root
    with pytest.raises(
        ResultsError, match=r"run.partial, which cannot be written to: is a directory. Make it writable"
    ):
        run(tmp_path / "run")


def test_two_processes_do_not_work_on_one_run(tmp_path):
    """The same command twice at the same time -> the second is refused; the lock dies with its process."""
    (tmp_path / "run.partial").mkdir()
    with (
        folders._locked(tmp_path / "run.partial"),
        pytest.raises(ResultsError, match="Another process is at work on the run in .*run.partial. Wait until it ends"),
    ):
        run(tmp_path / "run")
    run(tmp_path / "run")


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    """Something else lies where the run would keep what is done -> refused and left alone, also with --restart."""
    other = tmp_path / "run.partial"
    other.mkdir()
    (other / "thesis.tex").write_text("years of work")
    for resume in (True, False):
        with pytest.raises(ResultsError, match=r"it holds other things, such as 'thesis.tex'. Move it away"):
            run(tmp_path / "run", resume=resume)
    assert (other / "thesis.tex").read_text() == "years of work"


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe"])
def test_a_damaged_manifest_is_said_and_can_be_thrown_away(tmp_path, content):
    """The file that says which run it is, damaged -> said; --restart throws the beginning away."""
    with pytest.MonkeyPatch.context() as patch:
        full_after(patch, 2)
        with pytest.raises(ResultsError):
            run(tmp_path / "run")
    (tmp_path / "run.partial" / "run.json").write_bytes(content)
    with pytest.raises(
        ResultsError, match=r"run.json is damaged, so nobody can say which run .* Throw it away with resume=False"
    ):
        run(tmp_path / "run")
    run(tmp_path / "run", resume=False)
    assert [one.name for one in tmp_path.iterdir()] == ["run"]


def test_what_a_killed_process_leaves_half_written_is_cleared_away(tmp_path):
    """Half-written files of a process that was killed -> cleared away."""
    run(tmp_path / "whole")
    made = tmp_path / "run.partial"
    made.mkdir()
    for name in (".run.json-x1", ".shard-00001.safetensors-x2", ".stage-0001.safetensors-x3"):
        (made / name).write_bytes(b"half")
    with pytest.MonkeyPatch.context() as patch:
        full_after(patch, 2)
        with pytest.raises(ResultsError):
            run(tmp_path / "run", resume=False)
    run(tmp_path / "run")
    assert same(tmp_path / "run", tmp_path / "whole")
    assert not made.exists()


KILLS = Path(__file__).parents[1] / "measure" / "partial" / "kills.py"


def test_a_killed_process_goes_on_where_it_was(tmp_path):
    """kill -9 at random moments, again and again -> the same command goes on, to the same results bit for bit; `make soak` does it
    200 times to the demo.
    """
    signal.alarm(600)  # runs that are slow by intent, several of them
    done = subprocess.run([sys.executable, KILLS, tmp_path, "2"], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("killed 2 times"), done.stderr
