"""The same run over Dask: its workers play shards and close stages, and Dask alone schedules, sends and tries again."""

from __future__ import annotations

import os
import threading
import uuid
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from stratoscope.errors import BadInput, ResultsError, missing_extra
from stratoscope.measure.kept import close_and_put_away, put_shard_away
from stratoscope.measure.partial.folder import MANIFEST, on_disk
from stratoscope.measure.partial.play import Finished, arrays_of, play_shards
from stratoscope.measure.partial.shards import Shard
from stratoscope.measure.partial.store import write_shard
from stratoscope.measure.partial.tensors import Stream
from stratoscope.measure.partial.work import Work

if TYPE_CHECKING:
    from distributed import Client

#: Tasks for every worker, so that a slow one does not keep the others waiting for long.
TASKS = 4


class OnDask:
    """The workers of a Dask client as those who work.

    Parameters
    ----------
    client : distributed.Client
        Of a cluster on this machine or elsewhere, such as one of dask-jobqueue.

    Notes
    -----
    Network and stimuli go to every worker once, also to one that joins or comes back later, and stay until the run has
    ended. A worker that sees the folder of the run writes its shards there itself, and may close stages; the
    others send theirs through the client. A worker does one thing at a time, however many threads it has.
    """

    def __init__(self, client: Client) -> None:
        self.client = client
        self._name = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._name:
            self.client.unregister_worker_plugin(self._name)

    def play(self, work: Work, wanted: list[Shard], step: Any) -> None:
        """Play the shards `wanted`, several in one task, and put them away."""
        workers = len(_workers(self.client))
        size = max(1, len(wanted) // (TASKS * workers))
        groups = [[shard.index for shard in wanted[i : i + size]] for i in range(0, len(wanted), size)]
        done = 0
        for sent in _results(self.client, _play, groups, name=self._installed(work), token=_token(work.folder)):
            for index, n, arrays, skipped in sent:
                if arrays is not None:
                    _write(work, work.shards[index], arrays, skipped)
                done += n
            step(done)

    def close(self, work: Work, wanted: list[int], n: int, step: Any) -> None:
        """Close the stages `wanted` and put them away; here where a worker does not see the folder."""
        told = {"name": self._installed(work), "token": _token(work.folder), "n": n}
        for done, (index, closed) in enumerate(_results(self.client, _close, wanted, **told), start=1):
            if not closed:
                close_and_put_away(work, index, n)
            step(done)

    def _installed(self, work: Work) -> str:
        """Give network and stimuli to every worker, those to come included; return under which name."""
        if not self._name:
            self._name = f"stratoscope-{uuid.uuid4().hex}"
            shared = Counter(worker["host"] for worker in _workers(self.client).values())
            self.client.register_plugin(_plugin(work, dict(shared)), name=self._name)
        return self._name


def checked_client(client: Any) -> Client:
    """Return `client`, or refuse what is none, cannot be waited for, or has no workers."""
    try:
        from distributed import Client
    except ImportError as error:
        raise missing_extra("distributed", "dask", "A run over several workers") from error
    if not isinstance(client, Client):
        raise BadInput(
            f"A run goes over the workers of a dask.distributed.Client, but a {type(client).__name__} came. Give "
            "client=Client(...), or use --cluster."
        )
    if client.asynchronous:
        raise BadInput(
            "A run waits for its workers, but a client came that is asynchronous, or is used inside its own event loop. "
            "Give Client(..., asynchronous=False), and call from outside the loop."
        )
    _workers(client)
    return client


def _workers(client: Client) -> Mapping[str, Any]:
    """Ask the scheduler: what client.scheduler_info() returns, Dask's clock may meanwhile replace by news without workers."""
    scheduler: Any = client.scheduler
    workers: Mapping[str, Any] = client.sync(scheduler.identity)["workers"]
    if not workers:
        raise BadInput(
            f"The cluster at {getattr(scheduler, 'address', '?')} has no workers. Start some, or wait for them with client.wait_for_workers(1)."
        )
    return workers


def _plugin(work: Work, shared: Mapping[str, int]) -> Any:
    from distributed import WorkerPlugin

    class Install(WorkerPlugin):
        """What a worker keeps of a run."""

        def setup(self, worker: Any) -> None:
            self.work, self.lock = work, threading.Lock()
            self.gpu = _own_gpu(work, worker.name)
            if not str(worker.address).startswith(
                "inproc"
            ):  # a thread of the client's process, whose settings are the user's
                _share_cores(shared.get(_host(worker), 1))

    return Install()


def _results(client: Client, task: Any, over: Sequence[Any], **given: Any) -> Iterator[Any]:
    """Yield what `task` returns for each of `over`, as they are done; the rest is called off where one fails."""
    from distributed import KilledWorker, as_completed

    if not over:
        return
    futures = client.map(task, over, **given, pure=False)
    try:
        for future in as_completed(futures):
            yield future.result()
    except KilledWorker as error:
        raise ResultsError(
            f"A part of the run ended its worker {getattr(error.last_worker, 'address', '')} several times, "
            "and Dask gave it up. Mostly the memory was too small: give workers more, or fewer stages, a smaller batch or budget. "
            "What is done is safe, and the same command goes on from it."
        ) from error
    finally:
        client.cancel([future for future in futures if not future.done()])


def _play(indices: list[int], name: str, token: int) -> list[tuple[int, int, Any, Mapping[int, str]]]:
    """Play shards on a worker; return of each its number, its stimuli, what it holds where the folder is not seen, and who was left out."""
    plugin = _found(name)
    work: Work = plugin.work
    seen = _token(work.folder) == token
    wanted = [work.shards[index] for index in indices]
    if seen:  # a worker that was lost may have done some of them
        wanted = [shard for shard in wanted if not work.path_of(shard).is_file()]
    else:
        work = replace(work, folder=Path(gettempdir()))
    sent: list[tuple[int, int, Any, Mapping[int, str]]] = []

    def hand_over(finished: Finished) -> None:
        arrays = None if seen else _whole(arrays_of(finished, work.stages))
        if seen:
            put_shard_away(work, finished)
        sent.append((finished.shard.index, len(finished.shard), arrays, finished.skipped))

    with plugin.lock:
        _take_gpu(plugin.gpu)
        if wanted:
            play_shards(work, wanted, hand_over)
    there = {index for index, *_ in sent}
    return sent + [(index, len(work.shards[index]), None, {}) for index in indices if index not in there]


def _close(index: int, name: str, token: int, n: int) -> tuple[int, bool]:
    """Close a stage on a worker, if that sees the folder; return its number, and whether it is closed."""
    plugin = _found(name)
    if _token(plugin.work.folder) != token:
        return index, False
    with plugin.lock:
        close_and_put_away(plugin.work, index, n)
    return index, True


def _found(name: str) -> Any:
    from distributed import get_worker

    return get_worker().plugins[name]


def _token(folder: Path) -> int:
    """Return what tells whether two processes see the same folder: its manifest, which names the run."""
    try:
        return zlib.crc32((folder / MANIFEST).read_bytes())
    except OSError:
        return -1


def _whole(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Put arrays that come in chunks together, to be sent."""
    return {name: _joined(values) if isinstance(values, Stream) else values for name, values in arrays.items()}


def _joined(stream: Stream) -> Any:
    chunks = [chunk.reshape(-1) for chunk in stream.chunks()]
    return np.concatenate(chunks) if chunks else np.empty(stream.shape, dtype=stream.dtype)


def _write(work: Work, shard: Shard, arrays: Mapping[str, Any], skipped: Mapping[int, str]) -> None:
    on_disk(work, lambda: write_shard(work.path_of(shard), arrays, skipped))


def _host(worker: Any) -> str:
    return str(worker.address.rpartition("://")[2].rpartition(":")[0])


def _share_cores(n: int) -> None:
    """Let torch and BLAS use this worker's share of the cores; `n` workers on one machine would fight for them."""
    import torch
    from threadpoolctl import threadpool_limits

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    share = max(1, cores // n)
    torch.set_num_threads(share)
    threadpool_limits(share)


def _own_gpu(work: Work, name: Any) -> int | None:
    """Return which GPU of its machine a worker takes: the workers of one machine are numbered, and take turns."""
    import torch

    device = getattr(work.source, "device", None)
    if device is None or device.type != "cuda" or device.index is not None:
        return None
    return int("".join(filter(str.isdigit, str(name))) or 0) % torch.cuda.device_count()


def _take_gpu(number: int | None) -> None:
    if number is not None:
        import torch

        torch.cuda.set_device(number)  # of this thread
