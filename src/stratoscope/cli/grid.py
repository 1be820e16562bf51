"""Words in columns, for the terminal."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from stratoscope.errors import printable


def grid(head: Sequence[str], body: Sequence[Sequence[str]], right: Collection[str] = ()) -> str:
    """Return `head` and `body` in columns as wide as their widest cell; columns named in `right` end flush."""
    head, body = [printable(cell) for cell in head], [[printable(cell) for cell in cells] for cells in body]
    widths = [max(map(len, column)) for column in zip(head, *body, strict=True)]

    def line(cells: Sequence[str]) -> str:
        laid = (
            cell.rjust(width) if name in right else cell.ljust(width)
            for cell, width, name in zip(cells, widths, head, strict=True)
        )
        return "  ".join(laid).rstrip()

    return "\n".join([line(head), *map(line, body)])
