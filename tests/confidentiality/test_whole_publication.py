"""Kinds of leaks across what a year publishes: each small enough to be seen by hand."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

import ratemod as rm
from ratemod.confidentiality.attack import attack_files
from ratemod.confidentiality.figures import Figure
from ratemod.confidentiality.protection import bounds_of, exposed, protect
from ratemod.confidentiality.system import Block, System, system_of
from ratemod.publication.fund import FundYear
from ratemod.publication.payments import payment_year
from ratemod.publication.service import service_year
from ratemod.publication.subjects import read_facts

YEAR = 2025


def small_year():
    """Return two insurers, 40 firms in two sectors and places, a claim each of 30; one claim was paid a year late."""
    firms = [(f"F{at:02d}", ("mining", "construction")[at % 2], ("220100", "220200")[at // 2 % 2]) for at in range(40)]
    policies = pd.DataFrame(
        {
            "policy_no": [f"P{firm}" for firm, *_ in firms],
            "credit_code": [firm for firm, *_ in firms],
            "insurer": ["he" if at % 5 else "yun" for at in range(40)],
            "division_code": [place for *_, place in firms],
            "sector": [sector for _, sector, _ in firms],
            "start_date": dt.date(YEAR, 1, 1),
            "end_date": dt.date(YEAR + 1, 1, 1),
            "heads": 10,
            "premium_fen": [1_000_000 + 10_000 * at for at in range(40)],
        }
    )
    hit = policies.iloc[:30]
    claims = pd.DataFrame(
        {
            "claim_no": "C" + hit.policy_no,
            "policy_no": hit.policy_no,
            "event_date": dt.date(YEAR, 3, 1),
            "cause": ["falls" if sector == "mining" else "fire" for sector in hit.sector],
            "deaths": [1 if at < 9 else 0 for at in range(30)],
            "serious_injuries": [2 if at == 9 else 0 for at in range(30)],
            "paid_fen": [400_000 + 10_000 * at for at in range(30)],
        }
    )
    payments = pd.DataFrame(
        {
            "claim_no": claims.claim_no,
            "payment_date": [dt.date(YEAR + (at == 7), 4, 1) for at in range(30)],
            "amount_fen": claims.paid_fen,
        }
    )
    services = pd.DataFrame(
        {
            "policy_no": policies.policy_no,
            "insurer": policies.insurer,
            "planned_date": dt.date(YEAR, 5, 1),
            "delivered_date": [dt.date(YEAR, 5, 1) if at % 5 or at == 0 else None for at in range(40)],
            "score": 60 + np.arange(40.0),
            "cost_fen": 50_000,
        }
    )
    ledger = pd.DataFrame(
        {
            "date": policies.start_date,
            "kind": "accrual",
            "insurer": policies.insurer,
            "policy_no": policies.policy_no,
            "amount_fen": policies.premium_fen * 15 // 100,
        }
    )
    return {"policies": policies, "claims": claims, "payments": payments, "services": services, "ledger": ledger}


@pytest.fixture(scope="module")
def told():
    tables = small_year()
    lost = tables["claims"].iloc[:1].assign(claim_no="C-lost", policy_no="P-of-nobody", paid_fen=123_456_700)
    return rm.disclosure(tables | {"claims": pd.concat([tables["claims"], lost])}, YEAR)


def test_the_total_paid_in_the_year_would_tell_the_one_claim_that_was_paid_late(told):
    assert told.paid_in_year_fen is None
    claims = told.subjects["claims"]
    assert not claims.hidden[-1], "the claims of the year have their total, so the other one stays out"
    tables = small_year()
    on_time = tables["payments"].assign(payment_date=dt.date(YEAR, 4, 1))
    parts = {block.subject: block for block in payment_year(read_facts(tables | {"payments": on_time}, YEAR), 3)}
    assert not parts["payments"].unsafe.any(), "where nothing is late, nothing is told"


def test_who_was_hurt_how_is_a_breakdown_as_any_other(told):
    hurt = told.subjects["casualties"]
    assert hurt.tables.unsafe[hurt.tables.at(injury=1)], "one enterprise has all serious injuries"
    assert told.deaths is None, "casualties less deaths would be its two"
    low, high = told.bounds("casualties", "casualties", injury="serious_injuries")
    assert low <= 1 and high >= 4


def test_a_mean_of_one_enterprise_is_told_by_no_line(told):
    found = service_year(read_facts(small_year(), YEAR))
    assert [line.insurer for line in found.lines] == ["he", "yun"] and found.contributors.tolist() == [32, 8]
    assert found.few.tolist() == [32, 1], "one of the services of yun was delivered: its score would be the mean"
    assert not [line for line in told.service if line.insurer in ("yun", "") and not line.hidden]


def test_what_is_set_aside_is_not_named_to_the_public(told, tmp_path):
    assert [(noun, item.code) for noun, item in told.refused] == [("claims", "RM396")]
    for name in ("told.html", "told"):
        for path in told.write(tmp_path / name, "en"):
            if path.suffix != ".parquet":
                said = path.read_text(encoding="utf-8")
                assert "of-nobody" not in said and "1,234,567" not in said and "1234567" not in said
    sources = pd.read_csv(tmp_path / "told" / "sources.csv", encoding="utf-8-sig").set_index("table")
    assert sources.loc["claims", ["rows_read", "rows_used"]].tolist() == [30, 30], "31 and 30, to ten"


def block(subject, keys, values, unsafe=(), derived=False, fixed=()):
    many = np.array(values, np.int64)
    at = [key in unsafe for key in keys]
    return Block(
        YEAR, subject, tuple(keys), {"enterprises": many}, many, np.array(at), np.full(len(keys), -1),
        np.array([key in fixed for key in keys]), np.full(len(keys), derived), derived,
    )  # fmt: skip


def participation_given_up() -> tuple[System, Figure]:
    """Obliged by sector beside insured by sector; who does not insure, by sector, is a table nobody publishes."""
    sectors = [(("sector", name),) for name in "abc"]
    states = [(("state", name),) for name in ("insured", "gap", "uninsured")]
    pairs = [(*state, *sector) for state in states for sector in sectors]
    counts = {"insured": (20, 30, 25), "gap": (0, 0, 0), "uninsured": (2, 6, 9)}
    inner = [counts[state[0][1]]["abc".index(sector[0][1])] for state in states for sector in sectors]
    insured = block("insurance", [*sectors, ()], [20, 30, 25, 75], fixed=[()])
    people = block("participation", [*sectors, *states, ()], [22, 36, 34, 75, 0, 17, 92], fixed=[()])
    unsaid = block("participation", pairs, inner, unsafe=[(("state", "uninsured"), ("sector", "a"))], derived=True)
    return system_of([insured, people, unsaid]), Figure(
        YEAR, "participation", "enterprises", (("state", "uninsured"), ("sector", "a"))
    )


def test_a_table_that_was_given_up_is_not_found_by_subtraction():
    system, two = participation_given_up()
    nothing = system.hidden.copy()
    assert bounds_of(system, nothing, system.figures.index(two)) == pytest.approx((2, 2))
    assert [figure for figure, *_ in exposed(system, nothing)] == [two]
    pattern = protect(system)
    low, high = bounds_of(system, pattern.hidden, system.figures.index(two))
    assert pattern.stuck is None and high - low >= 2 and not exposed(system, pattern.hidden)


def rows_of(counts):
    """Return a file of counts: subject, levels, value; None where left out."""
    names = ("sector", "division", "insurer", "cause", "state", "injury")
    return pd.DataFrame(
        [
            {"year": YEAR, "subject": subject, "measure": "enterprises", "unit": "count"}
            | {name: dict(key).get(name) for name in names}
            | {"value": value, "status": "published" if value is not None else "suppressed"}
            for subject, key, value in counts
        ]
    )


def test_the_attack_finds_planted_leaks(tmp_path):
    sectors = [[("sector", name)] for name in "abc"]
    counts = [("insurance", key, value) for key, value in zip([*sectors, []], (20, 30, 25, 75), strict=True)]
    counts += [("participation", key, value) for key, value in zip([*sectors, []], (22, 36, 34, 92), strict=True)]
    counts += [("participation", [("state", name)], value) for name, value in (("insured", 75), ("gap", 0))]
    counts += [("participation", [("state", "uninsured")], 17)]
    rows_of(counts).to_csv(tmp_path / "figures.csv", index=False)
    (found,) = attack_files([tmp_path / "figures.csv"])
    assert found.figure.key == (("state", "uninsured"), ("sector", "a")) and found.exact, "22 less 20, in no table"
    services = [("services", key, value) for key, value in (([("insurer", "x")], None), ([("insurer", "y")], None))]
    services = rows_of([*services, ("services", [], 40)]).replace("enterprises", "services")
    services.to_csv(tmp_path / "figures.csv", index=False)
    lines = {"year": YEAR, "insurer": ["x", "y"], "status": ["published", "suppressed"], "planned": [8, None]}
    pd.DataFrame(lines | {"delivered_share": [0.25, None]}).to_csv(tmp_path / "service.csv", index=False)
    told = {item.figure: item for item in attack_files([tmp_path])}
    of_x = told[Figure(YEAR, "services", "services", (("insurer", "x"),))]
    assert of_x.exact and of_x.low == pytest.approx(2), "a quarter of eight"
    (tmp_path / "service.csv").unlink()
    told = {item.figure: item for item in attack_files([tmp_path])}
    assert not any(item.exact or item.narrow for item in told.values())


def test_a_fund_that_is_not_published_is_not_told_by_the_tables():
    """Accrued and used stand in tables by insurer, nothing was brought forward: the difference is a closing balance."""
    amounts = {"opening_fen": [0, 0, 0], "accrued_fen": [900_000, 500_000, 1_400_000], "released_fen": [0, 0, 0],
               "used_fen": [500_000, 440_000, 940_000], "closing_fen": [400_000, 60_000, 460_000]}  # fmt: skip
    many = {name: [9 * (value > 0) for value in row] for name, row in amounts.items()}
    unsafe = {name: [name == "closing_fen" and at == 1 for at in range(3)] for name in amounts}
    held = (
        {name: np.array(row, kind) for name, row in part.items()}
        for part, kind in ((amounts, np.int64), (many, np.int64), (unsafe, bool))
    )
    fund = FundYear(YEAR, ("he", "xin"), *held, {name: np.full(3, -1) for name in amounts})
    keys = ((("insurer", "he"),), (("insurer", "xin"),), ())
    none = np.zeros(3, bool)
    tables = [
        Block(
            YEAR, subject, keys, {name: fund.amounts[name]}, fund.contributors[name], none, np.full(3, -1), none, none
        )
        for subject, name in (("insurance", "accrued_fen"), ("services", "used_fen"))
    ]
    system = system_of([*tables, *fund.unsaid()])
    told = exposed(system, system.hidden)
    assert [(figure.measure, figure.key) for figure, *_ in told] == [("closing_fen", keys[1])]
    assert not exposed(system, protect(system).hidden)


def test_who_does_not_insure_by_sector_stays_unknown_where_that_table_is_given_up():
    tables = small_year()
    people = tables["policies"][["credit_code", "sector", "division_code"]].assign(staff=10)
    others = pd.DataFrame({"credit_code": ["U1", "U2", "U3"], "sector": ["mining", "mining", "construction"]})
    others = others.assign(division_code=["220100", "220200", "220100"], staff=10)
    told = rm.disclosure(tables | {"enterprises": pd.concat([people, others])}, YEAR)
    found = told.subjects.get("participation")
    assert found is None or ("state", "sector") in found.left_out, "half of its cells are unsafe"
    if found is not None:
        low, high = told.bounds("participation", "enterprises", state="uninsured", sector="mining")
        assert low <= 1 and high - low >= 2, "22 obliged less 20 insured would be the two"
