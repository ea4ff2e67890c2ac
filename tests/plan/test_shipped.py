"""Every plan that ships: its cases hold, its published figures are those of its source."""

from __future__ import annotations

import csv
from decimal import Decimal

import pytest

from ratemod.plan.editions import load_plan, shipped
from ratemod.rating.cases import check_plan

EDITIONS = list(shipped())


@pytest.mark.parametrize("folder", EDITIONS, ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_every_shipped_plan_passes_its_own_check(folder):
    report = check_plan(folder)
    assert [item.line() for item in report.problems] == []
    assert [item.line() for item in report.warnings] == []
    assert report.passed >= 6
    assert (folder / "NOTES.md").exists() and report.plan.standing != "official" and report.plan.warning_zh


def rows(plan: str, table: str) -> list[dict[str, str]]:
    folder = next(folder for folder in EDITIONS if f"{folder.parent.name}/{folder.name}" == plan)
    return list(csv.DictReader((folder / "tables" / f"{table}.csv").open(encoding="utf-8")))


def test_hunan_grid_follows_its_pattern_in_every_cell():
    values = [
        "1.20",
        "1.28",
        "1.37",
        "1.45",
        "1.54",
        "1.62",
        "1.71",
        "1.80",
        "1.88",
        "1.97",
        "2.05",
        "2.14",
        "2.22",
        "2.31",
        "2.39",
        "2.48",
        "2.57",
    ]
    bands = {"80000000": 0, "30000000": 1, "5000000": 2, "": 3}
    found = rows("hunan-construction/undated", "rate")
    published = [row for row in found if row["works"] != "metro"]
    assert len(published) == 96 and len(found) == 144
    for row in found:
        step = (
            bands[row["contract_price_yuan_above"]]
            + 3 * (int(row["limit_yuan"]) // 100_000 - 3)
            + int(row["aggregate_limit_yuan"]) // 2_000_000
            - 1
            + (0 if row["works"] == "general" else 2)
        )
        assert row["value"] == values[step], row


def test_shandong_rates_fall_evenly_and_limits_are_multiples():
    found = rows("shandong-construction/2018", "rate")
    assert [row["value"] for row in found] == ["0.65", "0.60", "0.55", "0.50", "0.45", "0.40"]
    assert [Decimal(row["aggregate_limit_yuan"]) / 21_000_000 for row in found] == [1, 2, 3, 4, Decimal("4.5"), 5]


def test_work_injury_classes_and_floats():
    assert [row["value"] for row in rows("work-injury/2015", "base_rate")] == [
        "0.2",
        "0.4",
        "0.7",
        "0.9",
        "1.1",
        "1.3",
        "1.6",
        "1.9",
    ]
    floats = [
        (row["risk_class_from"], row["value"]) for row in rows("work-injury/2015", "float") if row["value"] != "none"
    ]
    assert floats == [
        ("", "1.00"),
        ("", "1.20"),
        ("", "1.50"),
        ("2", "0.50"),
        ("2", "0.80"),
        ("2", "1.00"),
        ("2", "1.20"),
        ("2", "1.50"),
    ]


def test_zhongshan_product_range():
    extremes = {"standardisation": None, "accidents": None, "risk": None, "integrity": None, "blacklist": None}
    low = high = Decimal(1)
    for name in extremes:
        values = [Decimal(row["value"]) for row in rows("zhongshan-general/prototype", name)]
        low, high = low * min(values), high * max(values)
    assert (low, high) == (Decimal("0.5184"), Decimal("3.3462"))


def test_the_jilin_editions_follow_the_law_of_their_day():
    old, new = load_plan("jilin-spli", at="2021-01-01"), load_plan("jilin-spli", at="2026-01-01")
    assert (old.edition, new.edition) == ("2020-11", "2025-04")
    assert old.constants["fund_share"].value == Decimal("0.10") and old.step("fund").operation.mode == "up"
    assert new.constants["fund_share"].value <= Decimal("0.21") and new.step("fund").operation.mode == "down"
    assert new.constants["commission_share"].value <= Decimal("0.05")
    limits = {
        plan.edition: next(item.low for item in plan.legal if item.name == "limit_per_person") for plan in (old, new)
    }
    assert limits == {"2020-11": 300_000, "2025-04": 400_000}
    for plan in (old, new):
        assert "未能公开查到" in plan.warning_zh and "not the tariff of Jilin" in plan.warning_en
