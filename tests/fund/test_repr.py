"""What a levy and an allocation show of themselves is a line, not their arrays."""

from __future__ import annotations

import pytest

import ratemod as rm
from ratemod.errors import BookError


def test_a_levy_is_one_line():
    book = {
        "policy_no": ["a", "b"],
        "insurer": ["甲", "甲"],
        "sector": ["mining", "mining"],
        "start_date": ["2025-01-01", "2025-02-01"],
        "premium_fen": [1_000_000, 2_000_000],
    }
    levied = rm.levy(book)
    assert repr(levied) == f"<Levy of 2 policies: {levied.total_fen} fen, 0 problems>"


def test_missing_expected_losses_are_explained():
    book = {
        "policy_no": ["a"],
        "insurer": ["甲"],
        "size_class": ["small"],
        "division_code": ["220102"],
        "premium_fen": [1_000_000],
        "annual_claims": [0.1],
    }
    with pytest.raises(BookError, match="with_expected") as caught:
        rm.allocate(book, {"甲": 100_000})
    assert [item.code for item in caught.value.problems] == ["RM877"]
