"""Records that are handed over: claims, expectations and counts go together, or the successor is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import ratemod as rm
from ratemod.errors import ModelError
from ratemod.experience.movement import movement
from ratemod.experience.split import SplitRule

# Old hands over to New; Other stands by. Window of a mod from 2026-01-01: 2022 to 2024.
FIRMS = pd.DataFrame(
    {
        "credit_code": ["OLD", "NEW", "OTHER"],
        "expected_losses_yuan": [90_000.0, 40_000.0, 60_000.0],
        "expected_primary_losses_yuan": [40_000.0, 20_000.0, 30_000.0],
    }
)
CLAIMS = pd.DataFrame(
    {
        "credit_code": ["OLD", "OLD", "NEW"],
        "claim_no": ["C1", "C2", "C3"],
        "event_date": ["2024-03-01", "2020-03-01", "2023-05-05"],
        "paid_yuan": [250_000.0, 100.0, 5_000.0],
    }
)
RULE = SplitRule("own", "example", split=10_000, primary_credibility=1.0, excess_credibility=0.2, ballast=50_000)


def over(share=1.0, old="OLD", new="NEW"):
    return pd.DataFrame({"from_code": [old], "to_code": [new], "share": [share]})


def mods(claims=CLAIMS, firms=FIRMS, moved=None, rule=RULE):
    return rm.experience_mod(
        claims, firms, rule, effective="2026-01-01", successions=over() if moved is None else moved
    )


def test_the_successor_is_modified_as_if_both_had_been_one_firm():
    together = FIRMS.set_index("credit_code").T.assign(NEW=lambda frame: frame.OLD + frame.NEW).T[1:]
    one = rm.experience_mod(CLAIMS.assign(credit_code="NEW"), together.reset_index(), RULE, effective="2026-01-01")
    found = mods()
    assert found.frame().set_index("firm")["mod"]["NEW"] == one.frame().set_index("firm")["mod"]["NEW"]
    assert found.frame().set_index("firm")["claims"]["NEW"] == 2
    assert found.frame().code.tolist()[0] == "RM631"


@pytest.mark.parametrize("share", [1.0, 0.3])
def test_claims_that_modify_a_successor_are_counted(share):
    found = mods(moved=over(share))
    assert found.counts["claims_counted"] == 2 and found.counts["claims_before_window"] == 1
    assert found.counts["claims_refused"] == 0
    assert sum(found.account.fen.values()) == 25_510_000
    assert found.account.fen["counted"] == found.actual.primary_fen.sum() + found.actual.excess_fen.sum()


def test_the_worksheet_shows_what_was_taken_over():
    for firm in ("NEW", "OLD"):
        found = mods(moved=over(0.3))
        at = found.place(firm)
        parts = found.explain(firm).claims
        whole = found.actual.primary_fen[at] + found.actual.excess_fen[at]
        assert sum(item.primary_yuan + item.excess_yuan for item in parts) == pytest.approx(whole / 100)
    assert [item.number for item in mods().explain("NEW").claims] == ["C1", "C3"]


def test_nobody_is_free_of_claims_who_took_one_over():
    rule = replace(RULE, claim_free=0.6, most_by_claims=(0.7, 5.0))
    own = mods(CLAIMS[:2], rule=rule, moved=over(0.1)).frame().set_index("firm")["mod"]
    plain = mods(CLAIMS[:2], moved=over(0.1)).frame().set_index("firm")["mod"]
    assert own["NEW"] == plain["NEW"] > 0.7  # neither the mod without claims nor the bound for none
    assert own["OTHER"] == 0.6


@pytest.mark.parametrize(
    ("claims", "firms", "code"),
    [
        (CLAIMS.assign(paid_yuan=[-5.0, 100.0, 5_000.0]), FIRMS, "RM610"),
        (CLAIMS, FIRMS.assign(expected_losses_yuan=[np.nan, 40_000.0, 60_000.0]), "RM617"),
        (CLAIMS, pd.concat([FIRMS, FIRMS[:1]]), "RM616"),
    ],
)
@pytest.mark.parametrize("share", [1.0, 0.5])
def test_no_one_is_modified_by_a_record_that_cannot_be_rated(claims, firms, code, share):
    found = mods(claims, firms, over(share)).frame()
    assert found.code.tolist()[:2] == [code, "RM680"]
    assert found.status.tolist()[2] == "modified"


def test_a_group_is_refused_with_a_member_that_takes_such_a_record_over():
    firms = FIRMS.assign(group=[None, "g", "g"])
    found = mods(CLAIMS.assign(paid_yuan=[-5.0, 100.0, 5_000.0]), firms)
    assert found.frame().code.tolist() == ["RM610", "RM680", "RM632"]
    assert found.counts["claims_refused"] == 3


def test_records_of_two_windows_are_not_added_up():
    firms = FIRMS.assign(start_date=["2020-01-01", "2026-01-01", "2026-01-01"])
    assert mods(firms=firms).frame().code.tolist()[:2] == ["RM631", "RM681"]


def test_a_part_that_stands_there_twice_is_refused_and_a_header_alone_moves_nothing():
    with pytest.raises(ModelError) as caught:
        mods(moved=pd.concat([over(0.5), over(0.5)]))
    assert caught.value.problems[0].code == "RM682"
    alone = rm.experience_mod(CLAIMS, FIRMS, RULE, effective="2026-01-01").frame()
    pd.testing.assert_frame_equal(mods(moved=over()[:0]).frame(), alone)


def test_what_was_taken_over_moves_the_mod_whatever_is_counted():
    rule = replace(RULE, claim_free=0.6, most_by_claims=(0.7, 5.0))
    before = rm.experience_mod(CLAIMS[:2], FIRMS, rule, effective="2025-01-01")
    after = mods(CLAIMS[:2], rule=rule, moved=over(0.5))
    found = movement(before, after)
    at = [after.place(name) for name in found.firms]
    assert found.after.tolist() == after.parts.mod[at].tolist()
    np.testing.assert_allclose(found.parts.sum(axis=1), found.after - found.before, atol=1e-12)
