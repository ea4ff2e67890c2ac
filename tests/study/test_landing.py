"""Studies of provinces whose truth is known land on it, and their interval says how surely; all seeds in benchmarks."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.landing import landing


@pytest.fixture(scope="module")
def found():
    return [landing(3_000, seed) for seed in (21, 22, 23, 24)]


def test_expected_losses_are_those_that_were_planted(found):
    """One seed has a standard deviation of about 0.08; four have a mean within 0.9 to 1.1 unless the level is wrong."""
    assert 0.9 < np.mean([one.ratio for one in found]) < 1.1


def test_the_interval_holds_the_change_that_is_needed(found):
    assert sum(one.held for one in found) >= 3
    assert all(one.high - one.low < 0.8 for one in found)
