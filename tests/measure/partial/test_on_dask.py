"""A run over Dask gives what one process gives, and a lost worker costs its shards alone."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time

import pytest
from distributed import Client

import stratoscope as st
from stratoscope.errors import BadInput, ResultsError, UnreadableStimulus
from stratoscope.measure import on_dask
from stratoscope.measure.cluster import open_cluster

from .runs import SETTINGS, N, run, same, small_shards, stimuli

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # Dask's own, about ports and sockets of tests that run side by side
]


@pytest.fixture(scope="module")
def client():
    """Two workers on this machine."""
    with open_cluster("local:2") as client:
        yield client


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    small_shards(monkeypatch)


def test_two_workers_give_what_one_process_gives_bit_for_bit(tmp_path, client, unbroken):
    run(tmp_path / "run", client=client)
    assert same(tmp_path / "run", unbroken)
    assert [one.name for one in tmp_path.iterdir()] == ["run"]


def test_workers_on_this_machine_keep_the_memory_they_freed(client):
    assert set(client.run(os.environ.get, "MALLOC_TRIM_THRESHOLD_").values()) == {
        os.environ.get("MALLOC_TRIM_THRESHOLD_")
    }


def test_workers_that_do_not_see_the_folder_send_their_shards(tmp_path, client, unbroken, monkeypatch):
    monkeypatch.setattr(on_dask, "_token", lambda _folder: -2)  # here; the workers read another
    run(tmp_path / "run", client=client)
    assert same(tmp_path / "run", unbroken)


def test_no_folder_is_needed(client, unbroken):
    results = run(None, client=client)
    assert results.table().equals(st.open_results(unbroken).table())


def test_one_process_goes_on_with_what_workers_began(tmp_path, client, unbroken):
    with pytest.raises(UnreadableStimulus, match="Stimulus 40 is broken"):
        run(tmp_path / "run", stimuli=stimuli(unreadable=(40,)), client=client)
    assert list((tmp_path / "run.partial").glob("shard-*"))
    run(tmp_path / "run")
    assert same(tmp_path / "run", unbroken)


def test_stimuli_left_out_by_workers_are_listed(tmp_path, client):
    broken = stimuli(unreadable=(1, 8, 9, 30))
    run(tmp_path / "whole", stimuli=broken, skip_unreadable=True)
    results = run(tmp_path / "run", stimuli=broken, skip_unreadable=True, client=client)
    assert [name for name, _ in results.skipped] == [f"image-{row}" for row in (1, 8, 9, 30)]
    assert same(tmp_path / "run", tmp_path / "whole")


def test_a_worker_that_is_killed_costs_only_its_shards(tmp_path, client, unbroken):
    marks = tmp_path / "marks"
    marks.mkdir()

    def before(row):
        mark = marks / f"{row}-{os.getpid()}-{time.time_ns()}"
        mark.touch()
        if row == 29 and sum(one.name.startswith("29-") for one in marks.iterdir()) == 1:
            os.kill(os.getpid(), signal.SIGKILL)

    run(tmp_path / "run", stimuli=stimuli(before=before), client=client, workers=0)
    assert same(tmp_path / "run", unbroken)
    loaded = [one.name.split("-") for one in marks.iterdir()]
    played = [int(row) for row, process, _ in loaded if int(process) != os.getpid()]  # the client loads examples
    twice = {row for row in range(1, N) if played.count(row) > 1}
    assert 29 in twice
    assert twice <= set(range(24, 32))  # the shard in which it died


def let_die(times, dask_scheduler=None):
    dask_scheduler.allowed_failures = times


def test_what_kills_every_worker_is_said_and_what_is_done_stays(tmp_path, client):
    def before(row):
        if row == 41:
            os.kill(os.getpid(), signal.SIGKILL)

    client.run_on_scheduler(let_die, times=0)
    with pytest.raises(
        ResultsError, match=r"ended its worker .* several times, and Dask gave it up. Mostly the memory"
    ):
        run(tmp_path / "run", stimuli=stimuli(before=before), client=client, workers=0)
    client.run_on_scheduler(let_die, times=3)
    assert list((tmp_path / "run.partial").glob("shard-*"))


def test_networks_from_a_file_of_ones_own_reach_the_workers(tmp_path, client):
    path = tmp_path / "mine.py"
    path.write_text(
        "from torch import nn\n\nclass Mine(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.conv = nn.Conv2d(3, 4, 3)\n        self.relu = nn.ReLU()\n\n    def forward(self, x):\n"
        "        return self.relu(self.conv(x)).flatten(1)\n\ndef build():\n    return Mine()\n"
    )
    source = st.open_source(f"{path}:build", stages="relu", size=10)
    options = SETTINGS | {"metrics": ["two_nn"]}
    st.profile(source, stimuli(), out=tmp_path / "one", **options)
    st.profile(source, stimuli(), out=tmp_path / "two", client=client, **options)
    assert same(tmp_path / "one", tmp_path / "two")


def test_responses_that_exist_already_need_no_cluster(client):
    arrays = st.Arrays({"a": [[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]]})
    with pytest.raises(BadInput, match=r"holds responses that exist already, .* Leave client \(--cluster\) out"):
        st.profile(arrays, arrays.stimuli(), progress=False, client=client)


def test_what_is_no_client_is_refused():
    with pytest.raises(BadInput, match=r"but a str came. Give client=Client\(...\), or use --cluster"):
        run(None, client="tcp://somewhere")


def test_workers_are_seen_while_dask_brings_its_own_news(client, monkeypatch):
    """Every two seconds a client notes totals without workers; it may do so between asking and being read."""
    client.wait_for_workers(2)  # those that were killed come back
    asked = Client._update_scheduler_info

    async def and_the_clock(self, n_workers=0):
        await asked(self, n_workers)
        await asked(self)

    monkeypatch.setattr(Client, "_update_scheduler_info", and_the_clock)
    assert not client.scheduler_info(n_workers=-1)["workers"]  # how it fails
    assert on_dask.checked_client(client) is client
    assert len(on_dask._workers(client)) == 2


def test_a_client_that_cannot_be_waited_for_is_refused(client):
    async def start():
        async with Client(client.scheduler.address, asynchronous=True) as other:
            run(None, client=other)

    with pytest.raises(BadInput, match=r"a client came that is asynchronous.* Give Client\(..., asynchronous=False\)"):
        asyncio.run(start())


def test_nothing_stays_on_the_workers(client, tmp_path):
    run(tmp_path / "run", client=client)
    kept = client.run(lambda dask_worker: [name for name in dask_worker.plugins if "stratoscope" in str(name)])
    assert not any(kept.values())
    assert logging.getLogger("distributed").level != logging.CRITICAL


def test_workers_of_one_machine_share_its_cores_and_its_gpus(monkeypatch):
    import torch

    class OnGpu:
        device = torch.device("cuda")

    class Work:
        source = OnGpu()

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    assert [on_dask._own_gpu(Work, name) for name in (0, 3, "SLURMCluster-5", "tcp")] == [0, 3, 1, 0]
    OnGpu.device = torch.device("cuda:2")
    assert on_dask._own_gpu(Work, 1) is None
