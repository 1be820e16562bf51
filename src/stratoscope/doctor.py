"""What this installation can do: versions, processor, threads, graphics card, and what each extra would bring."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata, version

from packaging.requirements import Requirement

#: What each extra is for, in the order in which one meets them.
EXTRAS = {
    "readout": "reading categories and objects out of responses",
    "timm": "networks by timm:NAME",
    "hf": "vision models by hf:NAME",
    "mesh": "rendering your own meshes",
    "netcdf": "responses in netCDF files",
    "nwb": "recordings in NWB files",
    "parquet": "tables in Parquet",
    "dask": "runs over several machines",
    "slurm": "runs in the jobs of a cluster that queues them",
    "docs": "building the documentation",
    "peers": "checking against other packages' estimators",
}


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, what was found, and what to do where something is amiss (empty where all is well)."""

    what: str
    found: str
    advice: str = ""


def examine() -> list[Finding]:
    """Look at everything; nothing is changed, and nothing is fetched."""
    return [*_versions(), *_machine(), *_torch(), *_extras()]


def _versions() -> Iterator[Finding]:
    yield Finding("python", platform.python_version())
    for name in ("stratoscope", "torch", "torchvision", "numpy", "scipy", "xarray", "zarr"):
        found = _version(name)
        yield Finding(name, found or "missing", "" if found else f"Install it: pip install {name}")


def _machine() -> Iterator[Finding]:
    yield Finding("system", f"{platform.system()} {platform.machine()}")
    free = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    yield Finding("processor cores", f"{free} for this process, {os.cpu_count()} in the machine")
    memory = _memory()
    if memory:
        advice = "Give --budget below that." if memory < 4e9 else ""
        yield Finding("memory", f"{memory / 1e9:.1f} GB", advice)
    import numpy as np
    from threadpoolctl import threadpool_info

    np.ones(2) @ np.ones(2)  # so that the library that multiplies is there to be asked
    for pool in threadpool_info():
        kernel = f", kernels for {pool['architecture']}" if pool.get("architecture") else ""
        yield Finding(f"threads of {pool['internal_api']}", f"{pool['num_threads']}{kernel}")


def _torch() -> Iterator[Finding]:
    try:
        import torch

        from stratoscope._compat import import_torchvision
    except ImportError as error:
        yield Finding("torch", f"cannot be imported: {error}", "Metrics on arrays work; networks need torch.")
        return
    yield Finding("torch threads", str(torch.get_num_threads()))
    if torch.cuda.is_available():
        yield Finding("graphics card", f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}")
    elif torch.version.cuda is None:
        yield Finding("graphics card", "none used: this torch is built for the processor alone")
    else:
        advice = "Look whether the driver is there and new enough: nvidia-smi."
        yield Finding("graphics card", f"none found, though torch is built for CUDA {torch.version.cuda}", advice)
    try:
        import_torchvision()
    except (ImportError, RuntimeError) as error:
        advice = "Install the torchvision that belongs to this torch; constraints.txt names a pair that works."
        yield Finding("torchvision", f"cannot be imported: {error}", advice)


def _extras() -> Iterator[Finding]:
    needs = _requirements()
    for extra, purpose in EXTRAS.items():
        missing = [name for name in needs.get(extra, ()) if _version(name) is None]
        if missing:
            advice = f"For {purpose}: pip install 'stratoscope[{extra}]'"
            yield Finding(f"extra {extra}", f"not there ({', '.join(missing)})", advice)
        elif extra in needs:
            yield Finding(f"extra {extra}", f"there, for {purpose}")


def _requirements() -> dict[str, list[str]]:
    """Return the packages that each extra asks for, as the installed package declares them."""
    try:
        lines = metadata("stratoscope").get_all("Requires-Dist") or []
    except PackageNotFoundError:
        return {}
    found: dict[str, list[str]] = {}
    for one in map(Requirement, lines):
        for extra in EXTRAS:
            if one.marker and not one.marker.evaluate({"extra": ""}) and one.marker.evaluate({"extra": extra}):
                found.setdefault(extra, []).append(one.name)
    return found


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
