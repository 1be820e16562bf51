"""A small registry: one owner a name, nearest names for a typo, plug-ins found on first look-up."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Generic, TypeVar

from stratoscope.errors import BadInput, unknown_name

T = TypeVar("T")


class Registry(Generic[T]):
    """Names of one `kind` and what they stand for.

    Parameters
    ----------
    kind : str
        What the names are names of, in the singular ("metric"); used in messages.
    group : str, optional
        Entry-point group whose plug-ins are loaded at the first look-up.
    """

    def __init__(self, kind: str, group: str | None = None) -> None:
        self.kind = kind
        self._group = group
        self._items: dict[str, T] = {}

    def add(self, name: str, item: T) -> T:
        """Give `name` to `item`; refuses a name that already has an owner."""
        if name in self._items:
            raise BadInput(f"Two {self.kind}s are called {name!r}: {self._items[name]!r} and {item!r}. Rename one.")
        self._items[name] = item
        return item

    def remove(self, name: str) -> T:
        """Take `name` away from its owner, and return that: before a notebook defines it again."""
        item = self[name]
        del self._items[name]
        return item

    def __getitem__(self, name: str) -> T:
        self._load_plugins()
        if name not in self._items:
            raise unknown_name(self.kind, name, self._items)
        return self._items[name]

    def __iter__(self) -> Iterator[str]:
        self._load_plugins()
        return iter(self._items)

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __contains__(self, name: object) -> bool:
        self._load_plugins()
        return name in self._items

    def _load_plugins(self) -> None:
        group, self._group = self._group, None
        for point in entry_points(group=group) if group else ():
            self.add(point.name, point.load())
