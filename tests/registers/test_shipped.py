"""The shipped province: what its generator knows, the authority's list, the coverage gap, filled books."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import ratemod as rm
from ratemod.errors import BookError
from ratemod.registers.authority_report import authority_report, prefectures
from ratemod.registers.days import as_days
from ratemod.registers.derive import derive_columns, read_registers
from ratemod.registers.hazards import STATES, days_by_state, hazard_state
from ratemod.registers.participation import coverage
from ratemod.registers.register import read_register
from ratemod.registers.rules import ParticipationRule, load_rules
from ratemod.vocabulary.column import Column

PROVINCE = rm.load_province(Path(__file__).parents[2] / "data" / "province")
PLAN = rm.load_plan("jilin-spli/2025-04")
NOUNS = ("hazards", "claims", "certificates", "integrity", "blacklist", "policies")
DERIVED = (
    "hazard_state",
    "hazard_overdue_days",
    "standardisation",
    "certificate_expiry",
    "integrity_grade",
    "blacklisted",
    "general_accidents",
    "larger_accidents",
    "major_accidents",
    "claim_free_years",
)


@pytest.fixture(scope="module")
def registers():
    return read_registers(**{noun: PROVINCE.table(noun) for noun in NOUNS})


@pytest.fixture(scope="module")
def filled(registers):
    return derive_columns(rm.read_book(PROVINCE.table("renewals"), PLAN), PLAN, registers)


def test_a_book_without_the_columns_is_filled_as_the_generator_knows(registers):
    known = PROVINCE.table("renewals")
    bare = rm.read_book(known.drop_columns([*DERIVED]), PLAN)
    book = derive_columns(bare, PLAN, registers).book.table
    differing = {
        name: int(pc.sum(pc.not_equal(book[name].cast(known[name].type), known[name])).as_py() or 0)
        for name in DERIVED
        if name != "certificate_expiry"
    }
    # Two serious injuries took a level from two enterprises (the generator has no such rule); one joined in mid-year.
    assert {name: count for name, count in differing.items() if count} == {"standardisation": 2, "claim_free_years": 1}
    assert book["certificate_expiry"].to_pylist() == known["certificate_expiry"].to_pylist()


def test_disagreements_are_reported_with_their_rows_and_the_register_is_used(filled):
    told = {item.args["column"]: item.count for item in filled.problems if item.code == "RM247"}
    assert told == {"standardisation": 2, "claim_free_years": 1}
    evidence = filled.evidence["standardisation"]
    at = int(np.flatnonzero(evidence.differs)[0])
    assert filled.book.table["standardisation"][at].as_py() == "level_3"
    assert "二级" in evidence.words(at, "zh").split("名册填写为")[1]
    assert "taken down by" in evidence.words(at, "en")


def test_disagreements_can_stop_everything(registers):
    with pytest.raises(BookError) as told:
        derive_columns(rm.read_book(PROVINCE.table("renewals"), PLAN), PLAN, registers, on_conflict="refuse")
    assert {item.args["column"] for item in told.value.problems} == {"standardisation", "claim_free_years"}


def test_evidence_names_the_row_of_the_register(filled, registers):
    evidence = filled.evidence["hazard_state"]
    at = int(np.flatnonzero(evidence.values == 2)[0])
    row = PROVINCE.table("hazards").slice(evidence.row(at) - 1, 1).to_pylist()[0]
    assert row["credit_code"] == filled.book.table["credit_code"][at].as_py()
    assert str(row["due_date"]) in evidence.words(at, "en")


def test_an_enterprise_with_a_contradictory_register_is_not_priced_and_others_are(registers):
    rows = PROVINCE.table("hazards").to_pylist()
    firm = PROVINCE.table("renewals")["credit_code"][0].as_py()
    next(row for row in rows if row["credit_code"] == firm)["verified_date"] = rows[0]["found_date"].replace(year=2001)
    told = read_registers(hazards=pa.Table.from_pylist(rows))
    derived = derive_columns(rm.read_book(PROVINCE.table("renewals"), PLAN), PLAN, told)
    rated = rm.rate(derived.book, PLAN, lang="en")
    assert rated.counts["refused"] == 1
    assert rated.refused["credit_code"].to_pylist() == [firm]
    assert {"RM240", "RM248"} <= {item.code for item in derived.problems}
    assert "contradicts itself" in derived.evidence["hazard_state"].words(0, "en")


def test_an_enterprise_never_graded_is_refused_where_the_plan_needs_a_grade():
    book = rm.read_book(PROVINCE.table("renewals").slice(0, 2), PLAN)
    other = read_registers(
        integrity=pa.table({"credit_code": ["X"], "effective_date": ["2020-01-01"], "integrity_grade": ["A"]})
    )
    derived = derive_columns(book, PLAN, other)
    assert derived.book.table["integrity_grade"].to_pylist() == [None, None]
    assert rm.rate(derived.book, PLAN).counts["refused"] == 2


def test_the_list_is_the_refusals_and_agrees_with_the_loadings(filled, registers):
    rated = rm.rate(filled.book, PLAN, trace=("hazard_loading",))
    report = authority_report(rated, registers.hazards)
    assert report.balanced
    assert report.policies == report.loaded == (PROVINCE.table("renewals")["hazard_state"].to_pylist().count("refused"))
    assert report.lines.num_rows == report.hazards == pc.sum(report.totals["hazards"]).as_py()
    assert pc.sum(report.totals["insureds"]).as_py() == report.insureds
    assert pc.min(report.lines["hazard_loading"]).as_py() > 1
    lines = report.lines.to_pylist()
    assert all(line["refused_date"] <= line["start_date"] for line in lines)
    keys = [(line["division_code"], line["sector"], line["credit_code"]) for line in lines]
    assert keys == sorted(keys)
    assert set(prefectures(report)) <= {
        "220100",
        "220200",
        "220300",
        "220400",
        "220500",
        "220600",
        "220700",
        "220800",
        "222400",
        "220581",
        "22CBS",
    }
    again = authority_report(rm.rate(filled.book, PLAN, trace=("hazard_loading",)), registers.hazards)
    assert again.lines.equals(report.lines)


def test_a_policy_priced_otherwise_than_the_register_says_is_named(filled, registers):
    refusing = np.array(filled.book.table["hazard_state"].to_pylist()) == "refused"
    states = filled.book.table["hazard_state"].to_pylist()
    hidden, invented = int(np.flatnonzero(refusing)[0]), int(np.flatnonzero(~refusing)[0])
    states[hidden], states[invented] = "none", "refused"
    table = filled.book.table
    table = table.set_column(table.column_names.index("hazard_state"), "hazard_state", pa.array(states))
    report = authority_report(rm.rate(table, PLAN, trace=("hazard_loading",)), registers.hazards)
    keys = table["policy_no"].to_pylist()
    assert (report.missing, report.unfounded) == ((keys[hidden],), (keys[invented],))
    assert not report.balanced
    assert report.policies == report.loaded + 1


def test_the_list_needs_the_loading_that_was_applied(filled, registers):
    with pytest.raises(BookError) as told:
        authority_report(rm.rate(filled.book, PLAN, trace=()), registers.hazards)
    assert told.value.problems[0].code == "RM253"


def test_the_coverage_gap_is_that_of_a_plain_loop():
    read = {noun: read_register(PROVINCE.table(noun), noun) for noun in ("enterprises", "policies", "endorsements")}
    rule = load_rules(PLAN).participation
    found = coverage(
        read["enterprises"], read["policies"], ("2025-01-01", "2026-01-01"), rule, endorsements=read["endorsements"]
    )
    low, high = (int(day) for day in as_days(["2025-01-01", "2026-01-01"]))
    by_firm: dict[str, list] = {}
    for row in PROVINCE.table("policies").to_pylist():
        by_firm.setdefault(row["credit_code"], []).append(row)
    changes: dict[str, list] = {}
    for row in PROVINCE.table("endorsements").to_pylist():
        changes.setdefault(row["policy_no"], []).append(row)
    for at, firm in enumerate(PROVINCE.table("enterprises").to_pylist()[:600]):
        until = high if firm["closed_date"] is None else min(high, int(as_days([firm["closed_date"]])[0]))
        must = until > low
        days: dict[int, list] = {}
        for row in by_firm.get(firm["credit_code"], []):
            start, end = (int(as_days([row[name]])[0]) for name in ("start_date", "end_date"))
            end = end if row["cancelled_date"] is None else min(end, int(as_days([row["cancelled_date"]])[0]))
            for day in range(max(start, low), min(end, until)):
                days.setdefault(day, []).append(row)
        assert found.must[at] == must
        assert found.covered_days[at] == (len(days) if must else 0)
        assert found.uninsured[at] == (must and not days)
        if must and days:
            last = max(days)
            heads = 0
            for row in days[last]:
                past = [
                    change
                    for change in changes.get(row["policy_no"], [])
                    if int(as_days([change["effective_date"]])[0]) <= last
                ]
                heads += max(past, key=lambda change: change["effective_date"])["heads_after"] if past else row["heads"]
            assert found.heads_short[at] == max(firm["staff"] - heads, 0)
    totals = found.by_division_and_sector()
    assert pc.sum(totals["obliged"]).as_py() == found.must.sum()
    assert pc.sum(totals["uninsured"]).as_py() == found.uninsured.sum()
    assert found.table().num_rows == (found.must & ~found.in_full).sum()


def test_overlapping_policies_cover_a_day_once_and_limits_are_measured_from_their_day():
    firms = read_register(
        pa.table(
            {"credit_code": ["A", "B"], "division_code": ["220100"] * 2, "sector": ["mining"] * 2, "staff": [10, 10]}
        ),
        "enterprises",
    )
    held = read_register(
        pa.table(
            {
                "credit_code": ["A", "A", "A", "B"],
                "start_date": ["2025-01-01", "2025-02-01", "2025-06-01", "2025-01-01"],
                "end_date": ["2025-03-01", "2025-02-10", "2025-07-01", "2026-01-01"],
                "heads": [10, 5, 4, 10],
                "limit_yuan": [400_000, 400_000, 300_000, 300_000],
            }
        ),
        "policies",
    )
    rule = ParticipationRule(("mining",), minimum_limit_yuan=400_000, limit_from=np.datetime64("2025-03-29").item())
    found = coverage(firms, held, ("2025-01-01", "2026-01-01"), rule)
    assert found.covered_days.tolist() == [59 + 30, 365]
    assert found.part_of_year.tolist() == [True, False]
    assert found.heads_short.tolist() == [6, 0]
    assert found.limit_short_yuan.tolist() == [100_000, 0]  # B's policy began before the minimum was in force
    assert found.in_full.tolist() == [False, True]


def test_days_by_state_of_the_province_add_up_and_begin_as_the_state_says(registers):
    table = PROVINCE.table("policies")
    ends = [table[name].to_numpy() for name in ("start_date", "end_date")]
    parts = days_by_state(registers.hazards, table["credit_code"], *ends, thresholds=(31, 91))
    days = np.bincount(parts.query, parts.days)
    assert (days == (as_days(ends[1]) - as_days(ends[0]))).all()
    first = np.concatenate([[True], parts.query[1:] != parts.query[:-1]])
    assert (parts.state[first] == hazard_state(registers.hazards, table["credit_code"], ends[0]).state).all()
    assert len({STATES[state] for state in parts.state}) == len(STATES)


def test_as_of_one_day_for_all_and_nothing_that_is_no_day(registers):
    book = rm.read_book(PROVINCE.table("renewals"), PLAN)
    found = derive_columns(book, PLAN, registers, at="2022-06-30").evidence["hazard_state"]
    expected = hazard_state(registers.hazards, book.table["credit_code"], "2022-06-30")
    assert [found.column.codes()[value] for value in found.values] == [STATES[state] for state in expected.state]
    with pytest.raises(BookError) as told:
        derive_columns(book, PLAN, registers, at="start_dat")
    assert (told.value.problems[0].code, told.value.problems[0].args["nearest"]) == ("RM259", "start_date")


def test_a_plan_may_load_by_the_number_of_hazards_and_by_repeats(registers):
    counts = {
        name: Column(name, "number", unit="count", low=Decimal(0), high=Decimal(99))
        for name in ("pending_hazards", "hazards_found")
    }
    plan = replace(PLAN, columns=PLAN.columns | counts)
    book = derive_columns(rm.read_book(PROVINCE.table("renewals"), PLAN), plan, registers).book
    found = hazard_state(registers.hazards, book.table["credit_code"], book.table["start_date"].to_numpy())
    assert book.table["pending_hazards"].to_pylist() == found.pending.tolist()
    assert book.table["hazards_found"].to_pylist() == found.repeats.tolist()
    assert found.repeats.max() > 1


def test_fatal_accidents_whose_responsibility_nobody_recorded_are_counted(registers):
    def told(values):
        claims = PROVINCE.table("claims")
        if values is not None:
            claims = claims.append_column("main_responsibility", pa.array(values, pa.string()))
        given = replace(registers, claims=read_register(claims, "claims"))
        derived = derive_columns(rm.read_book(PROVINCE.table("renewals"), PLAN), PLAN, given)
        return derived, sum(item.count for item in derived.problems if item.code == "RM249")

    deaths = PROVINCE.table("claims")["deaths"].to_pylist()
    fatal = sum(count > 0 for count in deaths)
    assert fatal > 0
    assert told(None)[1] == fatal
    silent = [None if at % 2 else "no" for at in range(len(deaths))]
    assert told(silent)[1] == sum(count > 0 for count in deaths[1::2])
    blamed, none = told(["是"] * len(deaths))
    assert none == 0
    assert blamed.evidence["standardisation"].differs.sum() > 2
