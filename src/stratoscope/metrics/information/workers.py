"""Tiles in as many threads as the user lets matrix products have, each thread with products of its own.

A product of a tile is too small to be shared out, and the steps around it run in one thread. So tiles are shared out
instead, and products take one thread for as long.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from threadpoolctl import ThreadpoolController

from stratoscope.metrics.information.bins import Values

Result = TypeVar("Result")


def each_tile(measure: Callable[[int, Values], Result], tiles: Iterable[tuple[int, Values]]) -> list[Result]:
    """Return ``measure(start, tile)`` of every tile, in order."""
    products = ThreadpoolController().select(user_api="blas")
    threads = max((one.num_threads for one in products.lib_controllers), default=1)
    if threads < 2:
        return [measure(*one) for one in tiles]
    with products.limit(limits=1), ThreadPoolExecutor(threads) as pool:
        return list(_in_turn(pool, measure, tiles, ahead=threads + 1))


def _in_turn(
    pool: ThreadPoolExecutor,
    measure: Callable[[int, Values], Result],
    tiles: Iterable[tuple[int, Values]],
    ahead: int,
) -> Iterator[Result]:
    """Hand out tiles no more than `ahead` of what is done, so that a stage is never held whole."""
    running: deque[Future[Result]] = deque()
    for one in tiles:
        running.append(pool.submit(measure, *one))
        if len(running) >= ahead:
            yield running.popleft().result()
    while running:
        yield running.popleft().result()
