"""Clusters by a short text."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from stratoscope.errors import BadInput, MissingExtra
from stratoscope.measure.cluster import open_cluster


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("lokal", r"'lokal' names no cluster. Did you mean 'local'\? A cluster is local, local:N, tcp://"),
        ("tcp:somewhere", "names no cluster"),
        ("local:0", r"'local:0' says '0'. Write local:2, say"),
        ("local:two", r"says 'two'"),
        ("slurm:queue", r"'queue' in 'slurm:queue' is no option. Write name=value, with commas between"),
        ("slurm:cores=many", r"cores in 'slurm:cores=many' must be a number from 1 up, and is 'many'. Write cores=4, say"),
        ("slurm:cores=2", r"'slurm:cores=2' does not say its memory. Write slurm:cores=8,memory=32GB, say"),
        ("tcp://127.0.0.1:1", r"No scheduler answers at 'tcp://127.0.0.1:1' .* Start one with 'dask scheduler'"),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore")
def test_a_cluster_that_cannot_be_had_is_said(spec, words, monkeypatch):
    monkeypatch.setattr("stratoscope.measure.cluster.TIMEOUT", 1)
    with pytest.raises(BadInput, match=words), open_cluster(spec):
        pass


def test_without_dask_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtra, match=r"needs distributed, .*stratoscope\[dask\]"), open_cluster("local"):
        pass


def test_without_jobqueue_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "dask_jobqueue", None)
    with (
        pytest.raises(MissingExtra, match=r"needs dask-jobqueue, .*stratoscope\[slurm\]"),
        open_cluster("slurm:cores=1"),
    ):
        pass


@pytest.mark.filterwarnings("ignore")
def test_options_of_a_batch_system_come_to_its_jobs(monkeypatch):
    import dask_jobqueue
    import distributed

    asked = {}

    class Slurm(dask_jobqueue.SLURMCluster):
        def scale(self, jobs):
            asked.setdefault("jobs", jobs)  # closing asks for none

    jobqueue = ModuleType("dask_jobqueue")
    jobqueue.SLURMCluster = Slurm
    monkeypatch.setitem(sys.modules, "dask_jobqueue", jobqueue)
    monkeypatch.setattr(distributed, "Client", lambda cluster: cluster)
    with open_cluster("slurm:queue=gpu,cores=8,memory=32GB,walltime=08:00:00,jobs=4") as cluster:
        script = cluster.job_script()
    assert asked == {"jobs": 4}
    for line in ("#SBATCH -p gpu", "#SBATCH --cpus-per-task=8", "#SBATCH --mem=30G", "#SBATCH -t 08:00:00"):
        assert line in script
