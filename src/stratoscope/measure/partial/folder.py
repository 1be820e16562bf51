"""The folder of a run that is not finished: what it belongs to, what is done, and who may write to it."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, TypeVar

from stratoscope.errors import ResultsError
from stratoscope.measure.partial.shards import Shard
from stratoscope.measure.partial.store import read_skipped
from stratoscope.measure.partial.tensors import Damaged, open_tensors
from stratoscope.measure.partial.work import Work, differences
from stratoscope.results.folder import reason_of

MANIFEST, LOCK = "run.json", "lock"
#: What the folder holds; anything else makes it somebody else's, and it is left alone.
_OWN = ("shard-", "stage-", ".shard-", ".stage-", f".{MANIFEST}-")
_SHOWN = 6
#: Bytes of a name that leave room for an ending, where the system allows 255.
_LONGEST = 240

T = TypeVar("T")


@contextmanager
def opened(work: Work, *, resume: bool) -> Iterator[list[str]]:
    """Hold the folder of `work` while the run goes on: its own from the beginning, or one that was broken off.

    Yields notes on what was found. A run that breaks off before anything is put away leaves no folder behind.

    Raises
    ------
    ResultsError
        The folder belongs to another run, which is said, or is in use, or cannot be written to.
    """
    folder = work.folder
    made = _make(folder)
    with _locked(folder):
        try:
            if not resume:
                _empty(folder)
            _check_own(folder)
            _claim(work)
            yield _drop_damaged(work)
        except BaseException:
            if not any(folder.glob("s*.safetensors")):
                _remove(folder)
                _unmake(made)
            raise


def beside(target: Path) -> Path:
    """Return the folder that belongs to results at `target`: its name with ``.partial`` behind, or of a long one a digest."""
    name = target.name
    if len(os.fsencode(name)) > _LONGEST:
        name = hashlib.sha256(os.fsencode(name)).hexdigest()[:32]
    return target.with_name(f"{name}.partial")


def discard(folder: Path) -> None:
    """Remove the folder of a run that is finished."""
    if (folder / MANIFEST).is_file():
        _remove(folder)


def done(work: Work) -> list[Shard]:
    """Return the shards that are put away."""
    return [shard for shard in work.shards if work.path_of(shard).is_file()]


def skipped(work: Work) -> tuple[tuple[int, str], ...]:
    """Return the rows that were left out by all shards, and why; every shard must be there."""
    return tuple(sorted(pair for shard in work.shards for pair in read_skipped(work.path_of(shard)).items()))


def on_disk(work: Work, action: Callable[[], T]) -> T:
    """Do something that writes to the folder; an error of the disk becomes a sentence that says what is kept."""
    try:
        return action()
    except OSError as error:
        raise ResultsError(
            f"What is done of the run could not be put away in {work.folder}: {reason_of(error)}. {len(done(work))} of "
            f"{len(work.shards)} shards are safe there. Make room, or make the folder writable, and give the same "
            "command again: it goes on from them."
        ) from error


def _make(folder: Path) -> list[Path]:
    """Make the folder and those above it; return those that were not there, the topmost first."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()][::-1]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ResultsError(
            f"The run needs a folder for what is done of it, and {folder} could not be made: {reason_of(error)}. "
            "Choose a place for the results that can be written to."
        ) from error
    return missing[:-1]


def _unmake(folders: list[Path]) -> None:
    with suppress(OSError):  # somebody has put something there meanwhile
        for folder in reversed(folders):
            folder.rmdir()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the lock of the folder; the system lets it go with the process, however that ends."""
    with _lock_file(folder) as file:
        try:
            import fcntl
        except ImportError:  # pragma: no cover (Windows has no such locks)
            yield
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ResultsError(
                f"Another process is at work on the run in {folder}. Wait until it ends, or choose another folder."
            ) from error
        except OSError:  # a file system without locks
            pass
        yield


def _lock_file(folder: Path) -> IO[bytes]:
    try:
        return (folder / LOCK).open("wb")
    except OSError as error:
        raise ResultsError(
            f"The run keeps what is done of it in {folder}, which cannot be written to: {reason_of(error)}. Make it "
            "writable, or choose another place for the results."
        ) from error


def _check_own(folder: Path) -> None:
    """Refuse a folder that holds other things than a run that is not finished."""
    found = [one.name for one in folder.iterdir() if one.name not in {MANIFEST, LOCK}]
    foreign = [name for name in found if not name.startswith(_OWN)]
    if foreign or (found and not (folder / MANIFEST).is_file()):
        raise ResultsError(
            f"{folder} is where this run would keep what is done of it, and it holds other things, such as "
            f"{(foreign or found)[0]!r}. Move it away, or choose another name for the results."
        )


def _claim(work: Work) -> None:
    """Write down what the folder belongs to, or refuse it where it belongs to another run."""
    path, now = work.folder / MANIFEST, work.manifest()
    if not path.is_file():
        on_disk(work, lambda: _write_text(path, json.dumps(now, indent=1)))
        return
    before = _read_manifest(path)
    found = differences(before, now)
    if found:
        more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise ResultsError(
            f"{work.folder} holds the beginning of another run: {'; '.join(found[:_SHOWN])}{more}. A run is taken up with the "
            "settings it was begun with. Give those to go on with it, choose another name for the results, or throw the "
            "beginning away with resume=False (--restart)."
        )


def _read_manifest(path: Path) -> Mapping[str, Any]:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        said = error
    if not isinstance(said, dict):
        raise ResultsError(
            f"{path} is damaged, so nobody can say which run {path.parent} belongs to. Throw it away with resume=False "
            "(--restart), or choose another name for the results."
        )
    return said


def _drop_damaged(work: Work) -> list[str]:
    """Read everything that is put away, and delete what is not what was written, which is then made again."""
    for left in work.folder.glob(".s*-*"):  # a file that was being written when the run broke off
        left.unlink(missing_ok=True)
    notes = []
    files = [work.path_of(shard) for shard in work.shards]
    files += [work.path_of_stage(index) for index in range(len(work.stages))]
    for path in (one for one in files if one.is_file()):
        try:
            with open_tensors(path) as file:
                file.verify()
        except Damaged:
            path.unlink()
            notes.append(f"{path.name}, kept from a run that was broken off, was damaged and was made anew.")
    return notes


def _write_text(path: Path, text: str) -> None:
    handle, made = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(made).replace(path)
    except BaseException:
        Path(made).unlink(missing_ok=True)
        raise


def _empty(folder: Path) -> None:
    """Throw away what is done of a run; the folder and its lock stay."""
    if (folder / MANIFEST).is_file():
        for one in folder.iterdir():
            if one.name.startswith(_OWN) or one.name == MANIFEST:
                one.unlink()


def _remove(folder: Path) -> None:
    """Remove the folder and what is ours in it, the manifest last: half a folder still says what it belongs to."""
    for one in folder.iterdir():
        if one.name.startswith(_OWN) or one.name == LOCK:
            one.unlink(missing_ok=True)
    (folder / MANIFEST).unlink(missing_ok=True)
    with suppress(OSError):  # something of somebody else's is in it
        folder.rmdir()
