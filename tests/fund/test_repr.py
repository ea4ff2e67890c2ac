"""What a levy and an allocation show of themselves is a line, not their arrays."""

from __future__ import annotations

import ratemod as rm


def test_a_levy_is_one_line():
    book = {"policy_no": ["a", "b"], "insurer": ["甲", "甲"], "sector": ["mining", "mining"],
            "start_date": ["2025-01-01", "2025-02-01"], "premium_fen": [1_000_000, 2_000_000]}
    levied = rm.levy(book)
    assert repr(levied) == f"<Levy of 2 policies: {levied.total_fen} fen, 0 problems>"
