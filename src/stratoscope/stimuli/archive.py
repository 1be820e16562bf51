"""A zip of images, with a ``labels.csv`` in it or beside it, or with class folders. Nothing is extracted."""

from __future__ import annotations

import os
import posixpath
import re
import threading
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from stratoscope.errors import BadInput
from stratoscope.stimuli.columns import Columns, natural, pick_category
from stratoscope.stimuli.decode import MAX_BYTES, decode, refuse_no_file, unreadable
from stratoscope.stimuli.folder import categories_of, ignored_notes, is_image
from stratoscope.stimuli.openers import Wanted, first_few, make_stimuli, opener, refuse
from stratoscope.stimuli.table import Table, find_image_column, parse_table, properties, read_text
from stratoscope.types import Stimuli

LABELS = "labels.csv"


@dataclass(frozen=True)
class MemberLoader:
    """Loads stimulus `row` from its member of the zip; every thread and process reads through a handle of its own."""

    path: str
    members: tuple[str, ...]
    _own: threading.local = field(default_factory=threading.local, repr=False, compare=False)

    def __call__(self, row: int) -> Image.Image:
        """Return stimulus `row` as RGB."""
        member = self.members[row]
        name = f"{self.path}:{member}"
        return decode(self._read(member, name), name)

    def __reduce__(self) -> tuple[Any, ...]:
        return MemberLoader, (self.path, self.members)

    def _read(self, member: str, name: str) -> bytes:
        try:
            archive = self._archive()
            size = archive.getinfo(member).file_size
            data = archive.read(member) if size <= MAX_BYTES else None
        except MemoryError:
            raise
        except Exception as error:  # zipfile and its decompressors raise many kinds of exception on damaged bytes
            raise unreadable(name, f"the zip is damaged, encrypted or gone ({error})") from error
        if data is None:
            raise unreadable(name, f"it claims {size / 2**20:,.0f} MiB, more than the {MAX_BYTES // 2**20} allowed")
        return data

    def _archive(self) -> zipfile.ZipFile:
        if getattr(self._own, "process", None) != os.getpid():
            self._own.archive = zipfile.ZipFile(self.path)
            self._own.process = os.getpid()
        archive: zipfile.ZipFile = self._own.archive
        return archive


@opener("zip")
def open_zip(where: str, wanted: Wanted) -> Stimuli:
    """Open the images in a zip, as its ``labels.csv`` lists them, or else as a folder of class folders.

    ``labels.csv`` is looked for in the zip, then beside it; it is a table as `open_table` reads it, whose paths are names
    of members. Without one, the first folder in the zip is the category. Ids are names of members. Nothing is extracted;
    members whose names lead out of the zip (``../``, ``/etc``) are left out, with a note.

    Parameters
    ----------
    where : str
        Path of the zip.
    wanted : Wanted
        Columns to keep, image and category column.

    Returns
    -------
    Stimuli
        Its fingerprint is a hash of ids, sizes, CRC-32 checksums and categories.

    Raises
    ------
    BadInput
        Not a zip, a name twice, no image in it, or images listed that it does not have.
    """
    refuse(wanted, f"the zip {where!r}", "root")
    path = Path(where).expanduser()
    members = [info for info in _directory(path, where) if not info.is_dir()]
    _refuse_twice([info.filename for info in members], where)
    infos = {info.filename: info for info in members if not _leads_out(info.filename)}
    table = _find_labels(path, infos, where)
    ids, columns, notes = (
        _by_folders(list(infos), wanted, where) if table is None else _by_table(table, list(infos), wanted, where)
    )
    notes = (*notes, *_slip_notes([info.filename for info in members if _leads_out(info.filename)]))
    content = [f"{infos[member].file_size}:{infos[member].CRC:08x}" for member in ids]
    return make_stimuli(f"zip:{where}", ids, MemberLoader(str(path), tuple(ids)), columns, content, wanted, notes)


def _refuse_twice(names: Sequence[str], where: str) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise BadInput(
            f"{len(twice)} members of {where!r} have a name that another has too: {first_few(twice)}. Which one is meant "
            "depends on the program that reads it; make the zip again."
        )


def _leads_out(name: str) -> bool:
    """Say whether a member of this name would be written outside of the folder a zip is extracted to."""
    parts = re.split(r"[/\\]", name)
    return not parts[0] or ".." in parts or re.match(r"[A-Za-z]:", name) is not None


def _slip_notes(names: Sequence[str]) -> tuple[str, ...]:
    return (f"Left out {len(names)} members whose names lead out of the zip: {first_few(names)}.",) if names else ()


def _directory(path: Path, where: str) -> list[zipfile.ZipInfo]:
    refuse_no_file(path, "a zip")
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.infolist()
    except FileNotFoundError:
        raise BadInput(f"There is no zip {where!r}. Expected a zip of images.") from None
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise BadInput(f"{where!r} is not a whole zip ({error}). Copy or download it again.") from error
    except OSError as error:
        raise BadInput(f"The zip {where!r} cannot be read: {error.strerror}.") from error


def _find_labels(path: Path, infos: dict[str, zipfile.ZipInfo], where: str) -> Table | None:
    beside = path.parent / LABELS
    if LABELS in infos:
        return parse_table(_text_member(path, infos[LABELS], where), f"{where}:{LABELS}")
    return parse_table(read_text(beside), str(beside)) if beside.is_file() else None


def _text_member(path: Path, info: zipfile.ZipInfo, where: str) -> str:
    if info.file_size > MAX_BYTES:
        raise BadInput(
            f"{LABELS} in {where!r} claims {info.file_size / 2**20:,.0f} MiB, more than {MAX_BYTES // 2**20}."
        )
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.read(info).decode("utf-8-sig")
    except Exception as error:
        raise BadInput(f"{LABELS} in {where!r} cannot be read ({error}). Write it again as UTF-8 text.") from error


def _by_table(
    table: Table, members: Sequence[str], wanted: Wanted, where: str
) -> tuple[list[str], Columns, tuple[str, ...]]:
    image_column = find_image_column(table, wanted.image_column)
    ids = [posixpath.normpath(cell.strip()) for cell in table.cells[image_column]]
    there = set(members)
    missing = [member for member in ids if member not in there]
    if missing:
        raise BadInput(
            f"{len(missing)} of {len(ids)} images listed in {table.where!r} are not in {where!r}: {first_few(missing)}. "
            "Expected the names of members of the zip."
        )
    columns, notes = pick_category(properties(table, image_column), wanted.category_column, table.where)
    unlisted = sum(is_image(name) for name in there.difference(ids))
    left = (f"{unlisted} images in {where!r} are not listed in {table.where!r} and were left out.",) if unlisted else ()
    return ids, columns, (*notes, *left)


def _by_folders(members: Sequence[str], wanted: Wanted, where: str) -> tuple[list[str], Columns, tuple[str, ...]]:
    refuse(wanted, f"the zip {where!r}, which has no {LABELS}", "image_column", "category_column")
    ids = sorted(filter(is_image, members), key=natural)
    notes = ignored_notes(members)
    if not ids:
        raise BadInput(f"There is no image in the zip {where!r}; {' '.join(notes) or 'it is empty.'}")
    return ids, categories_of(ids, where), notes
