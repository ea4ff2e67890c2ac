"""Duties by hand, their states, the contract, and the list of those not served."""

from __future__ import annotations

import dataclasses
import datetime
import re

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratemod.errors import ModelError, PlanError
from ratemod.fund.catalogue import read_catalogue
from ratemod.fund.duties import duties
from ratemod.fund.duty_rule import read_duty_rules
from tests.fund.books import DAY
from tests.fund.test_papers_accounted import ask, lists, numbers, said

END = datetime.date(2027, 1, 1)


def book(size: list[str], services: list[int], cancelled: list[datetime.date | None] | None = None) -> pa.Table:
    n = len(size)
    return pa.table(
        {
            "policy_no": [f"P{at}" for at in range(n)],
            "credit_code": [f"C{at}" for at in range(n)],
            "insurer": ["x"] * n,
            "sector": ["mining"] * n,
            "size_class": size,
            "division_code": ["220100"] * n,
            "start_date": [DAY] * n,
            "end_date": [END] * n,
            "services_per_year": services,
            "cancelled_date": pa.array(cancelled or [None] * n, pa.date32()),
        }
    )


def visits(rows: list[tuple[str, str, datetime.date | None]]) -> pa.Table:
    return pa.table(
        {
            "policy_no": [row[0] for row in rows],
            "service_type": [row[1] for row in rows],
            "delivered_date": pa.array([row[2] for row in rows], pa.date32()),
        }
    )


def test_states_by_hand():
    owed = book(
        ["large", "medium", "small", "medium", "large"],
        [2, 0, 0, 0, 0],
        [None, None, None, None, datetime.date(2026, 6, 1)],
    )
    done = visits(
        [
            ("P0", "hazard_inspection", datetime.date(2026, 7, 20)),  # due 2026-07-01: 19 days late
            ("P0", "training", datetime.date(2026, 8, 1)),  # does not count
            ("P1", "risk_assessment", datetime.date(2026, 12, 31)),  # on the last insured day: met
            ("P3", "hazard_inspection", None),  # planned only
        ]
    )
    found = duties(owed, done, datetime.date(2027, 1, 31), catalogue=read_catalogue())
    assert found.reconcile() > 0
    frame = found.frame()
    assert frame["policy_no"].tolist() == ["P0", "P0", "P1", "P3", "P4"]
    assert frame["status"].astype(str).tolist() == ["late", "missing", "met", "missing", "ended"]
    assert frame["due_date"].astype(str).tolist()[:3] == ["2026-07-01", "2026-12-31", "2026-12-31"]
    assert frame["days_late"].tolist() == [19, 31, 0, 31, 0]
    assert found.statement().iloc[0].tolist() == ["x", 5, 1, 1, 2, 0, 1]
    assert found.outstanding().tolist() == [1, 0, 0, 1, 0]
    # worst first; the cheapest accepted visit is an inspection: 12,000 (large), 7,200 (medium), and 300 of travel
    assert found.unserved()[["credit_code", "missing", "estimate_fen"]].values.tolist() == [
        ["C0", 1, 1_230_000],
        ["C3", 1, 750_000],
    ]


def test_before_the_due_day_a_service_is_pending_and_later_deliveries_do_not_count():
    done = visits([("P0", "hazard_inspection", datetime.date(2026, 5, 1))])
    found = duties(book(["large"], [0]), done, datetime.date(2026, 4, 1))
    assert found.frame()["status"].astype(str).tolist() == ["pending"]
    assert found.unserved_table().num_rows == 0


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 400)), max_size=12),
    st.lists(st.integers(0, 4), min_size=4, max_size=4),
    st.integers(0, 500),
)
def test_every_service_owed_has_one_state_and_rows_may_come_in_any_order(rows, promised, day):
    sizes = ["large", "medium", "small", "micro"]
    done = [(f"P{firm}", "hazard_inspection", DAY + datetime.timedelta(days=after)) for firm, after in rows]
    done = done or [("P0", "training", None)]
    at = DAY + datetime.timedelta(days=day)
    one, two = (duties(book(sizes, promised), visits(order), at) for order in (done, done[::-1]))
    assert one.reconcile() > 0
    assert one.table.equals(two.table)
    assert one.owed.tolist() == [max(promised[0], 1), max(promised[1], 1), promised[2], promised[3]]


def test_refusals(tmp_path):
    # a service of no policy is set aside by name, and meets nothing
    found = duties(book(["large"], [0]), visits([("Q", "hazard_inspection", DAY)]), END)
    assert [item.code for item in found.refused] == ["RM396"]
    assert found.frame()["status"].astype(str).tolist() == ["missing"]
    wrong = book(["large"], [0])
    wrong = wrong.set_column(wrong.column_names.index("end_date"), "end_date", pa.array([DAY]))
    with pytest.raises(ModelError) as error:
        duties(wrong, visits([("P0", "training", None)]), END)
    assert error.value.problems[0].code == "RM726"
    file = tmp_path / "duties.toml"
    file.write_text('[[duty]]\nedition = "e"\nsize_classes = ["huge"]\ntimes_a_year = 1\naccepted = []\nsource = "s"\n')
    with pytest.raises(PlanError) as error:
        read_duty_rules(file)
    assert [(item.code, item.row) for item in error.value.problems] == [("RM104", 3), ("RM023", 5)]
    file.write_text(
        '[[service]]\nservice_type = "a"\n[[place]]\ndivision_code = "*"\ntravel_yuan = "x"\nsource = "s"\n'
    )
    with pytest.raises(PlanError) as error:
        read_catalogue(file)
    assert {item.code for item in error.value.problems} == {"RM102", "RM103"}


def test_every_insured_year_owes_and_is_met_only_from_within():
    # Three years from 2024-02-29: the second begins on 2025-03-01, the third on 2026-03-01. Two a year by contract,
    # due on the day floor(k x days / 2) - 1 of each year: 366 days, 365, 365 by hand.
    owed = book(["large"], [2])
    for name, day in (("start_date", datetime.date(2024, 2, 29)), ("end_date", datetime.date(2027, 3, 1))):
        owed = owed.set_column(owed.column_names.index(name), name, pa.array([day]))
    done = visits(
        [
            ("P0", "hazard_inspection", datetime.date(2024, 3, 1)),
            ("P0", "hazard_inspection", datetime.date(2024, 3, 2)),
            ("P0", "hazard_inspection", datetime.date(2024, 3, 3)),  # a third one: not of the second year
            ("P0", "hazard_inspection", datetime.date(2026, 2, 28)),  # last day of the second year
            ("P0", "hazard_inspection", datetime.date(2027, 3, 1)),  # the day after the term
        ]
    )
    found = duties(owed, done, datetime.date(2027, 6, 1))
    frame = found.frame()
    assert frame["due_date"].astype(str).tolist() == [
        "2024-08-29", "2025-02-28", "2025-08-29", "2026-02-28", "2026-08-29", "2027-02-28",
    ]  # fmt: skip
    assert frame["term_year"].tolist() == [1, 1, 2, 2, 3, 3]
    assert frame["status"].astype(str).tolist() == ["met", "met", "late", "missing", "missing", "missing"]
    assert [item.code for item in found.refused] == ["RM754"]
    assert found.statement_table("division_code", 2026)["owed"].to_pylist() == [2]
    assert found.reconcile() > 0


def test_a_contract_that_promises_less_than_the_notice_is_listed():
    rule = read_duty_rules()[0]
    twice = [dataclasses.replace(rule, times_a_year=2)]
    found = duties(book(["large", "medium", "small"], [1, 2, 1]), visits([("P0", "training", None)]), END, twice)
    shown = ["policy_no", "services_per_year", "owed_by_law", "finding"]
    assert [list(row.values()) for row in found.promises_table().select(shown).to_pylist()] == [
        ["P0", 1, 2, "fewer"],
        ["P0", 1, 2, "no_items"],
        ["P1", 2, 2, "no_items"],
    ]


def test_what_contracts_say_beside_what_is_owed(tmp_path, capsys):
    """One a year is owed to all but the small one; promised: 0, unsaid, 1 of training, 1 of what nobody knows, 2."""
    given = lists()
    sizes = ["大型", "中型", "中型", "大型", "小型", "大型"]
    policies = given["保单"].iloc[[0] * 6].assign(保单号=[f"A{at}" for at in range(1, 7)], 企业规模=sizes)
    policies["约定年服务次数"] = [0, None, 1, 1, None, 2]
    policies["约定服务项目"] = [
        "隐患排查",
        "风险评估、宣传教育培训",
        "宣传教育培训",
        "安全体检",
        None,
        "安全体检；隐患排查",
    ]
    given["保单"] = policies.astype(object)
    out = tmp_path / "duties.xlsx"
    code, lines = ask(tmp_path, capsys, "duties", given, "--out", str(out))
    assert code == 3 and "安全体检" in said(lines, "RM776")[0] and "×2" in said(lines, "RM776")[0]
    (line,) = [line for line in lines if line.startswith("依规定应受服务的")]
    assert [int(number) for number in re.findall(r"([0-9]+)张", line)] == [5, 1, 1, 1, 0]
    table = pd.read_excel(out, sheet_name="合同约定", engine="calamine")
    assert table[["保单号", "合同约定情况"]].values.tolist() == [
        ["A1", "次数不足"],
        ["A3", "所列项目均不计入"],
        ["A4", "项目未能识别"],
        ["A2", "未载明次数"],
    ]
    assert numbers(lines, "甲财险")[0] == "6", "1 + 1 + 1 + 1 + 0 + 2: what is owed does not fall below the notice"


def test_only_the_high_risk_sectors_owe_by_the_notice():
    hotel = book(["large"], [0])
    hotel = hotel.set_column(hotel.column_names.index("sector"), "sector", pa.array(["hotel"]))
    assert duties(hotel, None, END).table.num_rows == 0
