"""A cluster by a short text: workers on this machine, a scheduler that runs already, or jobs of a batch system."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from stratoscope.errors import BadInput, did_you_mean, missing_extra

if TYPE_CHECKING:
    from distributed import Client

#: Seconds that a scheduler may take to answer.
TIMEOUT = 10
FORMS = "local, local:N, tcp://HOST:PORT, tls://HOST:PORT, or slurm:queue=NAME,cores=N,memory=SIZE,jobs=N"
#: Batch systems, and what dask-jobqueue calls their clusters.
SYSTEMS = {"slurm": "SLURMCluster", "pbs": "PBSCluster", "sge": "SGECluster", "lsf": "LSFCluster"}
#: Dask tells its workers to give every freed block back at once. The tensors of a network come and go by the megabyte, and
#: fetching their pages anew each time took a fifth of a worker's time.
_TRIMMING = "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_"
#: Options that are numbers.
_NUMBERS = ("jobs", "cores", "processes")


@contextmanager
def open_cluster(spec: str) -> Iterator[Client]:
    """Open the cluster that `spec` names, and close it at the end if it was made here.

    Parameters
    ----------
    spec : str
        ``local``, as many workers as this process may use cores; ``local:N``; the address of a scheduler
        (``tcp://...``); or a batch system with options, as ``slurm:queue=gpu,cores=8,memory=32GB,walltime=08:00:00,jobs=4``:
        ``jobs`` of them are asked for, every other option is one of dask-jobqueue's cluster.

    Yields
    ------
    distributed.Client

    Raises
    ------
    BadInput
        A text that names no cluster, or a scheduler that does not answer.
    MissingExtra
        Dask, or dask-jobqueue, is not installed.

    Examples
    --------
    >>> with open_cluster("local:2") as client:  # doctest: +SKIP
    ...     st.profile(source, stimuli, client=client, out="run")
    """
    try:
        import distributed
    except ImportError as error:
        raise missing_extra("distributed", "dask", "A run over several workers") from error
    kind, _, rest = spec.partition(":")
    if kind in ("tcp", "tls") and rest.startswith("//"):
        with _at(spec) as client:
            yield client
        return
    with _made(kind, rest, spec) as cluster, distributed.Client(cluster) as client:
        yield client


def _made(kind: str, rest: str, spec: str) -> Any:
    if kind == "local":
        return _local(rest, spec)
    if kind in SYSTEMS:
        return _jobs(kind, rest, spec)
    hint = did_you_mean(kind, ("local", "tcp", "tls", *SYSTEMS), n=1)
    raise BadInput(f"{spec!r} names no cluster.{hint} A cluster is {FORMS}.")


def _local(rest: str, spec: str) -> Any:
    import dask
    from distributed import LocalCluster

    number = rest or str(_cores())
    if not number.isdecimal() or int(number) < 1:
        raise BadInput(
            f"A cluster on this machine has a number of workers, but {spec!r} says {rest!r}. Write local:2, say."
        )
    with dask.config.set({_TRIMMING: None}):
        return LocalCluster(
            n_workers=int(number), threads_per_worker=1, dashboard_address=":0", silence_logs=logging.ERROR
        )


def _at(address: str) -> Client:
    from distributed import Client

    try:
        return Client(address, timeout=TIMEOUT)
    except (OSError, ValueError) as error:
        raise BadInput(
            f"No scheduler answers at {address!r} ({error}). Start one with 'dask scheduler', or check the address."
        ) from error


def _jobs(kind: str, rest: str, spec: str) -> Any:
    try:
        import dask_jobqueue
    except ImportError as error:
        raise missing_extra("dask-jobqueue", "slurm", f"A cluster of {kind} jobs") from error
    options = _options(rest, spec)
    jobs = options.pop("jobs", 1)
    _check_size(kind, options, spec)
    try:
        cluster = getattr(dask_jobqueue, SYSTEMS[kind])(**options)
    except (TypeError, ValueError) as error:
        raise BadInput(
            f"{spec!r} cannot be asked for: {error}. Options are those of dask-jobqueue, and jobs=N."
        ) from error
    cluster.scale(jobs=jobs)
    return cluster


def _check_size(kind: str, options: dict[str, Any], spec: str) -> None:
    """Refuse a job of no size, before it is half made; a site may have written its sizes into Dask's configuration."""
    import dask

    known = dask.config.get(f"jobqueue.{kind}", {})
    missing = [name for name in ("cores", "memory") if not options.get(name) and not known.get(name)]
    if missing:
        raise BadInput(
            f"A job needs a size, and {spec!r} does not say its {' and '.join(missing)}. Write {kind}:cores=8,memory=32GB, say."
        )


def _options(text: str, spec: str) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for part in filter(None, text.split(",")):
        name, equals, value = part.partition("=")
        if not equals or not name.isidentifier():
            raise BadInput(f"{part!r} in {spec!r} is no option. Write name=value, with commas between.")
        if name in _NUMBERS and not (value.isdecimal() and int(value) > 0):
            raise BadInput(f"{name} in {spec!r} must be a number from 1 up, and is {value!r}. Write {name}=4, say.")
        options[name] = int(value) if name in _NUMBERS else value
    return options


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
