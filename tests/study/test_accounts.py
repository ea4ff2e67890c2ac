"""Rows and money that came in are those used and those left out, table by table, reason by reason."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from tests.study import small

from ratemod.study.accounts import accounts
from ratemod.study.fit import fit

STATED = {"new_from": "2026-01-01", **small.FLAT, **small.PLAIN}


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    return small.plan_folder(tmp_path_factory.mktemp("plan"))


def past():
    return small.history([600, 500, 700], 2023)


def left(study):
    return {(line.table, line.why.code): line.rows for line in accounts(study) if line.state == "left_out"}


def adds_up(study):
    lines = accounts(study)
    for came in (line for line in lines if line.state == "came_in"):
        parts = [line for line in lines if line.table == came.table and line is not came]
        assert sum(part.rows for part in parts) == came.rows
        if not np.isnan(came.yuan):
            assert sum(part.yuan for part in parts) == pytest.approx(came.yuan)
    return True


def test_every_kind_of_bad_row_is_left_out_with_its_money(plan):
    given = past()
    claims = given["claims"].reset_index(drop=True)
    claims["case_reserve_yuan"] = claims["case_reserve_yuan"].astype(object)
    claims.loc[0, "paid_yuan"] = np.nan
    claims.loc[1, "case_reserve_yuan"] = None
    claims.loc[2, "policy_no"] = "of another system"
    claims.loc[3, "event_date"] = dt.date(2019, 3, 1)
    claims.loc[4, "paid_yuan"] = -5.0
    claims.loc[5, "claim_no"] = claims.claim_no[6]
    claims["case_reserve_yuan"] = claims["case_reserve_yuan"].astype(float)
    policies = given["policies"].astype({"trade": str})
    policies.loc[policies.index[1], "trade"] = "qarry"
    made = fit(given | {"claims": claims, "policies": policies}, plan, **STATED)
    found = left(made)
    assert found["claims", "RM971"] == 1  # nothing paid
    assert sum(rows for (table, code), rows in found.items() if (table, code) == ("claims", "RM581")) == 2
    assert {("claims", code) for code in ("RM396", "RM509", "RM582", "RM994")} <= set(found)
    assert found["policies", "RM993"] == 1
    assert adds_up(made)
    assert "RM396" in repr(made) and f"{claims.paid_yuan[2]:,.2f}" in repr(made)
    assert "RM993" in made._repr_html_()


def test_an_empty_amount_is_never_nothing(plan):
    given = past()
    claims = given["claims"].reset_index(drop=True)
    claims.loc[:9, "case_reserve_yuan"] = np.nan
    blank = fit(given | {"claims": claims}, plan, **STATED)
    assert sum(line.rows for line in accounts(blank) if line.why and line.why.code == "RM971") == 10


def test_rows_repeated_cell_for_cell_count_once(plan):
    given = past()
    clean = fit(given, plan, **STATED)
    twice = given | {
        "claims": pd.concat([given["claims"], given["claims"].iloc[10:40]]),
        "policies": pd.concat([given["policies"], given["policies"].iloc[:7]]),
    }
    made = fit(twice, plan, **STATED)
    assert made.rates.expected_yuan == clean.rates.expected_yuan
    assert left(made) == {("claims", "RM970"): 30, ("policies", "RM970"): 7}
    assert adds_up(made)


def test_two_amounts_of_one_claim_are_a_contradiction(plan):
    given = past()
    claims = given["claims"].assign(paid_fen=(given["claims"].paid_yuan * 100).round().astype(np.int64))
    claims.loc[claims.index[:3], "paid_fen"] *= 2
    made = fit(given | {"claims": claims}, plan, **STATED)
    assert left(made) == {("claims", "RM991"): 3}


def test_shares_of_an_amount_are_measures_to_the_fen(plan):
    given = past()
    claims = given["claims"].assign(paid_yuan=given["claims"].paid_yuan * 2 / 7)
    made = fit(given | {"claims": claims}, plan, **STATED)
    assert left(made) == {}
    assert made.rates.expected_yuan == pytest.approx(claims.paid_yuan.sum() / 3, rel=1e-6)


def test_the_order_of_the_rows_changes_no_figure(plan):
    given = small.with_valuations(small.history([700, 800, 900, 850], 2022), 0.3)
    rng = np.random.default_rng(3)
    mixed = {name: frame.iloc[rng.permutation(len(frame))] for name, frame in given.items()}
    stated = STATED | {"development": "volume"}
    one, other = (fit(rows, plan, **stated).frames() for rows in (given, mixed))
    for name in set(one) - {"refused"}:
        pd.testing.assert_frame_equal(one[name], other[name], check_exact=False, rtol=1e-10)
