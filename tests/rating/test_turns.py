"""Taken in order, worked on side by side, finished in order; the first failure in that order is the one that counts."""

from __future__ import annotations

import random
import signal
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratemod.rating.turns import in_turns


@settings(max_examples=50, deadline=None)
@given(n=st.integers(0, 40), workers=st.integers(1, 6), seed=st.integers(0, 9))
def test_order_and_back_pressure(n, workers, seed):
    rng = random.Random(seed)
    naps = [rng.random() / 2000 for _ in range(n)]
    under_way, most, lock = 0, 0, threading.Lock()
    finished = []

    def items():
        nonlocal under_way, most
        for at in range(n):
            with lock:
                under_way += 1
                most = max(most, under_way)
            yield at

    def work(at):
        time.sleep(naps[at])
        return at

    def finish(at):
        nonlocal under_way
        with lock:
            under_way -= 1
        finished.append(at)

    in_turns(items(), work, finish, workers)
    assert finished == list(range(n))
    assert most <= workers


class Broken(Exception):
    pass


@pytest.mark.parametrize("where", ["take", "work", "finish"])
@pytest.mark.parametrize("workers", [1, 3])
def test_the_first_failure_counts_and_nothing_behind_it_is_finished(where, workers):
    finished, closed = [], []

    def items():
        try:
            for at in range(20):
                if where == "take" and at == 7:
                    raise Broken(at)
                yield at
        finally:
            closed.append(True)

    def work(at):
        time.sleep(0.001 * (20 - at) / 20)  # later ones are done earlier
        if where == "work" and at in (7, 9):
            raise Broken(at)
        return at

    def finish(at):
        if where == "finish" and at == 7:
            raise Broken(at)
        finished.append(at)

    with pytest.raises(Broken) as error:
        in_turns(items(), work, finish, workers)
    assert error.value.args == (7,)
    assert finished == list(range(7))
    assert closed == [True]
    assert threading.active_count() < 50


@pytest.mark.parametrize("after", [0.02, 0.07, 0.15])
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_an_interrupt_ends_it_wherever_it_comes(after, workers):
    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, after)
    try:
        with pytest.raises(KeyboardInterrupt):
            in_turns(iter(range(1000)), lambda at: time.sleep(0.05 if at % 3 == 0 else 0), lambda _: None, workers)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
