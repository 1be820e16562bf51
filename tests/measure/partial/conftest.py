from __future__ import annotations

import pytest

from .runs import run, small_shards


@pytest.fixture(scope="session")
def unbroken(tmp_path_factory):
    """The results of a run in small shards that nothing broke off."""
    with pytest.MonkeyPatch.context() as patch:
        small_shards(patch)
        place = tmp_path_factory.mktemp("unbroken") / "run"
        run(place)
    return place
