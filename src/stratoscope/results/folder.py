"""Results as a folder: written whole or not at all, checked when it is opened.

::

    run.toml        everything that was asked, the schema version, a checksum of the other two
    table.csv       the table, one row a number
    arrays.zarr.zip the arrays, a Zarr (format 2) hierarchy in one zip file
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
import tomllib
import zipfile
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import xarray as xr
import zarr
from zarr.storage import MemoryStore, ZipStore

from stratoscope.errors import ResultsError
from stratoscope.results.declared import Declared
from stratoscope.results.results import Results
from stratoscope.results.table import read_table, write_table
from stratoscope.results.toml import dumps

#: Version of the layout of a results folder, apart from the version of the package.
#: 1: run.toml, table.csv and arrays.zarr.zip; table columns as in `records.Row`; November 2026.
SCHEMA = 1

RUN, TABLE, ARRAYS = "run.toml", "table.csv", "arrays.zarr.zip"
#: Files that belong to a results folder and go when it is overwritten; others that lie there are kept.
OWN = (RUN, TABLE, ARRAYS, "report.html")
#: Characters of a folder's name that the hidden folder beside it takes over, so that no long name is too long for it.
SHOWN = 40


def check_target(path: str | Path, *, overwrite: bool = False) -> Path:
    """Refuse a `path` that results could not be written to; call it before the work begins.

    Raises
    ------
    ResultsError
        If `path` is a file, a folder with other things, results that may not be overwritten, or cannot be written.
    """
    path = Path(path).expanduser().absolute()
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (OSError, ValueError) as error:  # a name too long, or with a NUL byte: found before the work, not after it
        reason = reason_of(error) if isinstance(error, OSError) else str(error)
        raise ResultsError(f"Results cannot be written to {path}: {reason}. Choose another name.") from error
    if path.exists() and not path.is_dir():
        raise ResultsError(f"{path} is a file, and results are a folder. Choose another name.")
    if path.is_dir() and any(path.iterdir()):
        _check_full(path, overwrite)
    parent = next(folder for folder in path.parents if folder.exists())
    if not (parent.is_dir() and os.access(parent, os.W_OK)):
        raise ResultsError(
            f"Results cannot be written to {path}: {parent} cannot be written to. Choose another folder."
        )
    return path


def _check_full(path: Path, overwrite: bool) -> None:
    if not (path / RUN).is_file():
        raise ResultsError(f"{path} holds other things than results. Choose an empty folder or a new name.")
    if not overwrite:
        raise ResultsError(f"{path} holds results already. Choose another name, or say overwrite=True (--overwrite).")


def save(results: Results, path: Path, *, overwrite: bool = False) -> Path:
    """Write `results` to the folder `path`, whole or not at all, and return its absolute path.

    They are written to a hidden folder beside and renamed. With `overwrite`, results that are there are replaced;
    files that are none of ours stay.

    Raises
    ------
    ResultsError
        If `path` cannot be written, or the disk is full; then nothing has changed.
    """
    path = check_target(path, overwrite=overwrite)
    made: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{path.name[:SHOWN]}-", dir=path.parent))
        _write(results, made)
        _put(made, path)
    except OSError as error:
        raise ResultsError(
            f"Results could not be written to {path}: {reason_of(error)}. Nothing was left there; choose another folder."
        ) from error
    finally:
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)
    return path


def _write(results: Results, folder: Path) -> None:
    _write_arrays(results.tree, folder / ARRAYS)
    write_table(results.rows, folder / TABLE)
    about = {
        "schema": SCHEMA,
        "stratoscope": _version(),
        "checksum": _checksum(folder),
        "remarks": list(results.remarks),
        "skipped": [{"stimulus": name, "why": why} for name, why in results.skipped],
    }
    declared = {name: metric.as_dict() for name, metric in results.metrics.items()}
    text = dumps({"results": about, "run": results.run, "metrics": declared})
    (folder / RUN).write_text(text, encoding="utf-8")
    umask = os.umask(0)
    os.umask(umask)
    folder.chmod(0o777 & ~umask)


def _write_arrays(tree: xr.DataTree, path: Path) -> None:
    """Write the arrays as one file: a run has hundreds of small ones, which file systems of clusters do not like.

    Format 2, because strings have no specification in format 3; metadata are consolidated once, not once a node.
    """
    held: dict[str, Any] = {}
    store = MemoryStore(held)
    tree.to_zarr(store, zarr_format=2, consolidated=False)
    zarr.consolidate_metadata(store, zarr_format=2)
    with zipfile.ZipFile(path, "w") as file:
        for name in sorted(held):
            packed = zipfile.ZIP_DEFLATED if name.rpartition("/")[2].startswith(".z") else zipfile.ZIP_STORED
            file.writestr(zipfile.ZipInfo(name), held[name].to_bytes(), compress_type=packed)


def _put(made: Path, path: Path) -> None:
    """Rename `made` to `path`; what was there comes back if that fails, and foreign files stay."""
    if not path.exists():
        made.rename(path)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{path.name[:SHOWN]}-old-", dir=path.parent))
    path.rename(old / path.name)
    try:
        made.rename(path)
    except BaseException:
        (old / path.name).rename(path)
        old.rmdir()
        raise
    for entry in (old / path.name).iterdir():
        if entry.name not in OWN:
            entry.rename(path / entry.name)
    shutil.rmtree(old)


def open_results(path: str | Path) -> Results:
    """Open a results folder; nothing but the folder is needed.

    Parameters
    ----------
    path : str or Path
        The folder.

    Raises
    ------
    ResultsError
        If it is no results folder, is incomplete or damaged, or has another schema version.
    """
    path = Path(path).expanduser()
    _check_complete(path)
    said = _read_run(path)
    about = said["results"]
    if about.get("checksum") != _checksum(path):
        raise ResultsError(
            f"The results in {path} are damaged: {TABLE} or {ARRAYS} is not what was saved. Restore the folder from a copy."
        )
    try:
        return _put_together(said, path)
    except ResultsError:
        raise
    except Exception as error:  # zarr and xarray raise nearly every kind of exception on damaged or missing groups
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise ResultsError(
            f"The results in {path} cannot be read ({type(error).__name__}: {reason}). {RUN} was edited, or {ARRAYS} is "
            "damaged. Restore the folder from a copy."
        ) from error


def _put_together(said: Mapping[str, Any], path: Path) -> Results:
    """Make results of what a folder says, and refuse what has another form than is written here."""
    about, run, declared = said["results"], said.get("run", {}), said.get("metrics", {})
    remarks = about.get("remarks", [])
    _refuse_other_form(
        run, {"source": dict, "stimuli": dict, "settings": dict, "stages": list, "versions": dict}, "run"
    )
    if not (isinstance(remarks, list) and all(isinstance(one, str) for one in remarks)):
        raise ResultsError(f"The remarks in {path / RUN} are no list of sentences. {RUN} was edited; restore it.")
    metrics = {name: Declared.load(name, values) for name, values in declared.items()}
    skipped = tuple((str(entry["stimulus"]), str(entry["why"])) for entry in about.get("skipped", []))
    results = Results(run, read_table(path / TABLE), _read_arrays(path), metrics, tuple(remarks), skipped)
    list(results.stages)  # groups that are missing are found here, not in a report
    return results


def _refuse_other_form(values: Any, kinds: Mapping[str, type], what: str) -> None:
    odd = [
        key
        for key, kind in kinds.items()
        if not isinstance(values, Mapping) or not isinstance(values.get(key, kind()), kind)
    ]
    if odd:
        raise ResultsError(
            f"{what}.{odd[0]} in {RUN} is not what is written there ({kinds[odd[0]].__name__}). It was edited; restore it."
        )


def _check_complete(path: Path) -> None:
    if not os.path.isdir(path):  # noqa: PTH112  that of Path raises where a name is too long
        raise ResultsError(f"There is no results folder {path}. Check the path.")
    missing = [name for name in (RUN, TABLE, ARRAYS) if not (path / name).exists()]
    if RUN in missing:
        raise ResultsError(f"{path} is not a results folder: it has no {RUN}. Give the folder that a run was saved to.")
    if missing:
        raise ResultsError(
            f"The results in {path} are incomplete: {' and '.join(missing)} missing. Restore the folder."
        )


def _read_run(path: Path) -> Mapping[str, Any]:
    try:
        said = tomllib.loads((path / RUN).read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ResultsError(f"{path / RUN} is damaged: {error}. Restore the folder from a copy.") from error
    about = said.get("results")
    schema = about.get("schema") if isinstance(about, dict) else None
    if schema == SCHEMA and not isinstance(schema, bool):
        return said
    if not isinstance(schema, int) or isinstance(schema, bool):
        raise ResultsError(
            f"{path / RUN} does not say which results schema it has. Give a folder that a run was saved to."
        )
    writer = said["results"].get("stratoscope", "unknown")
    raise ResultsError(
        f"The results in {path} have schema {schema}, and this version reads schema {SCHEMA}. "
        f"Open them with stratoscope {writer}, which wrote them."
    )


def _read_arrays(path: Path) -> xr.DataTree:
    """Read everything into memory; attributes such as units are left as words and never decoded into times."""
    options: dict[str, Any] = {"zarr_format": 2, "consolidated": True, "chunks": None}
    store: Any
    if not zipfile.is_zipfile(path / ARRAYS):
        raise ResultsError(f"{path / ARRAYS} is cut off or no zip. Restore the folder from a copy.")
    with ZipStore(path / ARRAYS, mode="r") as store:
        return xr.open_datatree(store, engine="zarr", decode_times=False, decode_timedelta=False, **options).load()


def _checksum(folder: Path) -> str:
    """SHA-256 of the table and the arrays: a lost chunk would read as missing values."""
    digest = hashlib.sha256()
    for name in (TABLE, ARRAYS):
        with (folder / name).open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def reason_of(error: OSError) -> str:
    """Say in a few words why the disk refused."""
    known = {
        errno.ENOSPC: "the disk is full",
        errno.EDQUOT: "the quota is used up",
        errno.EFBIG: "files may not be so large here",
        errno.EROFS: "the disk is read-only",
        errno.EACCES: "permission is missing",
    }
    return known.get(error.errno or 0, (error.strerror or str(error)).lower())


def _version() -> str:
    try:
        return version("stratoscope")
    except PackageNotFoundError:
        return "unknown"
