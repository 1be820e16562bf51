"""Tiles in several threads give the same numbers, and leave the products as they were."""

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController, threadpool_limits

from stratoscope.errors import BadInput
from stratoscope.metrics import information_table
from stratoscope.metrics.information.workers import each_tile


def threads():
    return [one["num_threads"] for one in ThreadpoolController().info() if one["user_api"] == "blas"]


def test_two_threads_give_the_numbers_of_one(rng):
    responses, properties = rng.standard_normal((100, 90)), {"x": rng.random(100)}
    with threadpool_limits(1):
        one = information_table(responses, properties, n_shuffles=5, units_at_a_time=8)
    with threadpool_limits(2):
        before = threads()
        two = information_table(responses, properties, n_shuffles=5, units_at_a_time=8)
        assert threads() == before
    for name in ("plugin", "corrected", "null_mean", "null_sd", "p"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_tiles_are_not_read_far_ahead_of_what_is_done():
    read, done = [], []

    def tiles():
        for start in range(20):
            read.append(start)
            yield start, np.zeros((1, 1))

    def measure(start, _):
        done.append(start)
        assert len(read) - len(done) < 5
        return start

    with threadpool_limits(2, user_api="blas"):
        assert each_tile(measure, tiles()) == list(range(20))


def test_an_error_in_a_thread_comes_out_as_itself(rng):
    responses = rng.random((50, 40))
    responses[3, 31] = np.nan
    with threadpool_limits(2, user_api="blas"), pytest.raises(BadInput, match=r"finite values, but 1 of 4 units"):
        information_table(responses, {"x": np.arange(50) % 2}, units_at_a_time=4)
