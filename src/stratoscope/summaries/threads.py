"""Work in as many threads as the user lets matrix products have, each thread with products of its own.

Products of one tile are too small to be shared out well, and the steps around them run in one thread. So tiles are shared
out instead, and products take one thread each for as long.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import cache
from threading import Lock
from typing import TypeVar

from threadpoolctl import ThreadpoolController

#: Rows of a matrix below which more threads do not solve it sooner.
FEW = 500
Item = TypeVar("Item")
Result = TypeVar("Result")


def threads_of_products() -> int:
    """Return how many threads numpy's matrix products may take."""
    return max((one.num_threads for one in _libraries().lib_controllers), default=1)


def in_threads(
    work: Callable[[Item], Result], items: Iterable[Item], threads: int | None = None, *, ahead: int = 1
) -> Iterator[Result]:
    """Yield ``work(item)`` of every item, in order, from as many threads as products may take, or `threads`.

    No more than `ahead` items for each thread, and one, are taken up before their results are asked for: more where items
    differ in size, so that no thread waits for another. With one thread there is no other, and each item is worked on when
    its result is asked for.
    """
    threads = threads_of_products() if threads is None else threads
    if threads < 2:
        yield from map(work, items)
        return
    with _products_in_one_thread(), ThreadPoolExecutor(threads, initializer=_torch_takes, initargs=(1,)) as pool:
        running: deque[Future[Result]] = deque()
        for item in items:
            running.append(pool.submit(work, item))
            if len(running) > ahead * threads:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()


def one_ahead(works: Iterable[Callable[[], Result]]) -> Iterator[Result]:
    """Yield ``work()`` of each of `works`; a thread of its own waits for the next, such as for a disk, meanwhile."""
    with ThreadPoolExecutor(1) as aside:
        coming: Future[Result] | None = None
        for work in works:
            before, coming = coming, aside.submit(work)
            if before is not None:
                yield before.result()
        if coming is not None:
            yield coming.result()


def products_of_few(n: int) -> AbstractContextManager[None]:
    """Have products take one thread while matrices of `n` rows are solved, if that is few.

    numpy and scipy have threads of their own, which wait for more work for a while and keep the other's from the
    processors: small problems that turn from one to the other take up to 14 times as long. This costs some 10 us.
    """
    return _products_in_one_thread() if n < FEW else nullcontext()


@contextmanager
def _products_in_one_thread() -> Iterator[None]:
    """Have products take one thread, and afterwards as many as before."""
    # new threads of torch change for all what threads begun later have
    had = sys.modules["torch"].get_num_threads() if "torch" in sys.modules else 0
    try:
        with _one_thread:
            yield
    finally:
        _torch_takes(had)


class _OneThread:
    """While any work is shared out numpy multiplies in one thread, and afterwards in as many as before.

    Works that are shared out at the same time, from several threads, must not restore what another has set.
    """

    def __init__(self) -> None:
        self._lock, self._shared, self._before = Lock(), 0, ExitStack()

    def __enter__(self) -> None:
        with self._lock:
            if not self._shared:
                self._before.enter_context(_libraries().limit(limits=1))
            self._shared += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._shared -= 1
            if not self._shared:
                self._before.close()


_one_thread = _OneThread()


def numpy_in_one_thread() -> AbstractContextManager[None]:
    """Have numpy multiply in one thread: while a network runs on all of them, or where digits must not depend on threads.

    What summarises the responses between two layers multiplies small matrices. Were the threads of numpy's products to wake
    for each, they would spin on the cores that the network's next layer wants: measured, the pass then takes half as
    long again. Torch's own library is left alone, and what was set before is set again afterwards.
    """
    return _one_thread


def _torch_takes(threads: int) -> None:
    """Have torch, where it is, multiply in so many threads when this thread, or one begun later, asks it to."""
    if threads and "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)


@cache
def _libraries() -> ThreadpoolController:
    """Find the libraries of matrix products but torch's own, which takes some milliseconds, once a process."""
    found = ThreadpoolController().select(user_api="blas")
    paths = [one.filepath for one in found.lib_controllers]
    return found.select(filepath=[path for path in paths if "torch" not in path.replace("\\", "/").split("/")])
