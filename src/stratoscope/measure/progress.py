"""A progress bar on anything that takes a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm

from stratoscope.errors import printable


@contextmanager
def bar(total: int, label: str, what: str = "stimuli", *, show: bool, done: int = 0) -> Iterator[Callable[[int], None]]:
    """Show on stderr how many of `what` are done, the rate and the time left, on anything over two seconds.

    The function given takes the number done so far; `done` were done before.
    """
    looks: dict[str, Any] = {"unit": f" {what}", "delay": 2, "leave": False, "dynamic_ncols": True}
    with tqdm(total=total, desc=printable(label), disable=not show, initial=done, **looks) as shown:

        def step(count: int) -> None:
            shown.update(count - shown.n)

        yield step
