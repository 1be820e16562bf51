"""How stimuli are cut into shards."""

from __future__ import annotations

import pytest

from stratoscope.measure.partial.shards import BYTES, STIMULI, cut


@pytest.mark.parametrize(("n", "batch"), [(1, 32), (255, 32), (256, 32), (1000, 32), (1000, 7), (5000, 300), (3, 1)])
def test_shards_cover_the_set_once_and_in_order_in_whole_batches(n, batch):
    shards = cut(n, batch, [])
    assert [row for shard in shards for row in range(shard.start, shard.stop)] == list(range(n))
    assert [shard.index for shard in shards] == list(range(len(shards)))
    assert all(len(shard) % batch == 0 for shard in shards[:-1])
    assert all(len(shard) <= max(STIMULI, batch) for shard in shards)


def test_wide_stages_make_smaller_shards_but_never_less_than_a_batch():
    each = BYTES // 64  # bytes a stimulus: 64 of them fit
    assert {len(shard) for shard in cut(640, 16, [each * 320, each * 320])} == {64}
    assert {len(shard) for shard in cut(640, 160, [each * 640])} == {160}
