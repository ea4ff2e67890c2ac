"""完成率 is one number in every official report: disclosure, evaluation and scorecard of a year's last day."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

import ratemod as rm
from ratemod.fund.scorecard import scorecard

END = dt.date(2025, 12, 31)


def by_hand(services):
    """Return the share of each insurer from the rows as they stand, in plain Python."""
    hits, due = {}, {}
    for row in services.to_pylist():
        given = row["delivered_date"]
        there = given is not None and given <= END
        missing = not there and (END - row["planned_date"]).days > 30
        if (given if there else row["planned_date"]).year == END.year and (there or missing):
            due[row["insurer"]] = due.get(row["insurer"], 0) + 1
            hits[row["insurer"]] = hits.get(row["insurer"], 0) + there
    return {who: hits[who] / due[who] for who in due}


def test_disclosure_evaluation_and_scorecard_have_the_same_share(tmp_path):
    province = rm.synthesize(300, 3, seed=2, first_year=2023)
    table = province.table
    right = by_hand(table("services"))
    assert len(right) == 6 and len(set(right.values())) > 3
    told = rm.disclosure(province, 2025)
    found = rm.evaluate_services(
        table("services"), table("policies"), table("panel"), END, year=2025,
        controls=("sector", "size_class"), permutations=2, synthetic=True,
    )  # fmt: skip
    evaluated = {row["insurer"]: row["delivered_share"] for row in found.quality.by["insurer"].to_pylist()}
    indicators = tmp_path / "own.toml"
    indicators.write_text(
        '[[indicator]]\nname="d"\nmeasure="delivered"\nweight=1\nworst=0\nbest=1\nsource="own"\n', encoding="utf-8"
    )
    card = scorecard(table("policies"), END, services=table("services"), indicators=indicators).indicator_table()
    rows = pd.DataFrame(card.to_pydict())
    scored = rows[rows.year == 2025].set_index("insurer").own.to_dict()
    assert {line.insurer: line.delivered_share for line in told.service if line.insurer} == pytest.approx(
        right, abs=5e-5
    )
    assert evaluated == pytest.approx(right)
    assert scored == pytest.approx(right)
    assert not np.isnan(list(right.values())).any()
