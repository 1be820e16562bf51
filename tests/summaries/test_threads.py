"""Work in several threads gives the same numbers, and leaves the products as they were."""

import threading
from functools import partial

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController, threadpool_limits

from stratoscope.errors import BadInput
from stratoscope.metrics import information_table
from stratoscope.summaries.threads import (
    FEW,
    in_threads,
    numpy_in_one_thread,
    one_ahead,
    products_of_few,
    threads_of_products,
)


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


def test_items_are_not_read_far_ahead_of_what_is_done():
    read, done = [], []

    def items():
        for item in range(20):
            read.append(item)
            yield item

    def work(item):
        done.append(item)
        assert len(read) - len(done) < 5
        return item

    for threads in (1, 2):
        read.clear()
        done.clear()
        assert list(in_threads(work, items(), threads)) == list(range(20))


def test_products_take_one_thread_in_each_of_several_and_what_they_had_afterwards():
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with threadpool_limits(2, user_api="blas"):
            assert threads_of_products() == 2
            inside = list(in_threads(lambda _: (torch.get_num_threads(), threads_of_products()), range(4)))
            assert inside == [(1, 1)] * 4
            assert (torch.get_num_threads(), threads_of_products()) == (2, 2)
            with pytest.raises(ZeroDivisionError):
                list(in_threads(lambda item: 1 / item, range(4)))
            stopped = in_threads(str, range(9))
            next(stopped)
            stopped.close()
            assert (torch.get_num_threads(), threads_of_products()) == (2, 2)
    finally:
        torch.set_num_threads(before)


def test_numpy_multiplies_in_one_thread_while_a_network_runs_and_in_as_many_as_before_afterwards():
    with threadpool_limits(2, user_api="blas"):
        before = threads()
        with numpy_in_one_thread():
            assert set(threads()) == {1}
        assert threads() == before
        with pytest.raises(KeyError), numpy_in_one_thread():
            raise KeyError
        assert threads() == before


def test_small_matrices_are_solved_in_one_thread_and_large_ones_in_all():
    with threadpool_limits(2, user_api="blas"):
        with products_of_few(FEW - 1):
            assert set(threads()) == {1}
        with products_of_few(FEW):
            assert set(threads()) == {2}
        assert set(threads()) == {2}


def test_works_that_are_shared_out_at_the_same_time_put_back_what_was_before_them():
    """The first to begin is the first to end: the second must not take its one thread for what was before."""
    with threadpool_limits(2, user_api="blas"):
        first, second = in_threads(str, range(9), 2), in_threads(str, range(9), 2)
        assert next(first) == next(second) == "0"
        first.close()
        assert threads_of_products() == 1
        second.close()
        assert threads_of_products() == 2


def test_an_error_in_a_thread_comes_out_as_itself(rng):
    responses = rng.random((50, 40))
    responses[3, 31] = np.nan
    with threadpool_limits(2, user_api="blas"), pytest.raises(BadInput, match=r"finite values, but 1 of 4 units"):
        information_table(responses, {"x": np.arange(50) % 2}, units_at_a_time=4)


def test_one_is_made_ahead_and_no_more_in_order_and_aside():
    begun, where = [], set()

    def work(item):
        begun.append(item)
        where.add(threading.get_ident())
        return item

    for at, item in enumerate(one_ahead(partial(work, item) for item in range(10))):
        assert item == at
        assert len(begun) <= at + 2
    assert begun == list(range(10))
    assert len(where) == 1
    assert threading.get_ident() not in where
    assert list(one_ahead(iter(()))) == []


def test_what_goes_wrong_ahead_is_raised_in_its_turn():
    def broken():
        raise BadInput("The disk is gone.")

    coming = one_ahead([lambda: 1, broken, lambda: 3])
    assert next(coming) == 1
    with pytest.raises(BadInput, match="The disk is gone"):
        next(coming)
