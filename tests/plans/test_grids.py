"""The published figures in the shipped plans, read from their files alone: the engine takes no part.

Each table is set against its source as printed, against a rule that makes it, and for sources and oddities.
"""

from __future__ import annotations

import csv
import tomllib
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

PLANS = Path(__file__).parents[2] / "src" / "ratemod" / "plans"
EDITIONS = sorted(path.parent for path in PLANS.glob("*/*/plan.toml"))
TABLES = [table for edition in EDITIONS for table in sorted((edition / "tables").glob("*.csv"))]

# Hunan, as printed (https://360docs.net/doc/1918789599.html): a line is a price band, from the dearest works to the
# cheapest; six columns are a limit per person: aggregate limits of 2, 4, 6 million for general, then high-risk works.
HUNAN = """
1.20 1.28 1.37 1.37 1.45 1.54 1.45 1.54 1.62 1.62 1.71 1.80 1.71 1.80 1.88 1.88 1.97 2.05 1.97 2.05 2.14 2.14 2.22 2.31
1.28 1.37 1.45 1.45 1.54 1.62 1.54 1.62 1.71 1.71 1.80 1.88 1.80 1.88 1.97 1.97 2.05 2.14 2.05 2.14 2.22 2.22 2.31 2.39
1.37 1.45 1.54 1.54 1.62 1.71 1.62 1.71 1.80 1.80 1.88 1.97 1.88 1.97 2.05 2.05 2.14 2.22 2.14 2.22 2.31 2.31 2.39 2.48
1.45 1.54 1.62 1.62 1.71 1.80 1.71 1.80 1.88 1.88 1.97 2.05 1.97 2.05 2.14 2.14 2.22 2.31 2.22 2.31 2.39 2.39 2.48 2.57
"""
HUNAN_BANDS = [("80000000", ""), ("30000000", "80000000"), ("5000000", "30000000"), ("", "5000000")]
HUNAN_LIMITS = ["300000", "400000", "500000", "600000"]
HUNAN_AGGREGATES = ["2000000", "4000000", "6000000"]


def rows(edition: str, table: str) -> list[dict[str, str]]:
    with (PLANS / edition / "tables" / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def column(edition: str, table: str, axis: str) -> dict[str, str]:
    found = rows(edition, table)
    values = {row[axis]: row["value"] for row in found}
    assert len(values) == len(found)
    return values


def hunan_cells() -> dict[tuple[str, str, str, str, str], str]:
    found = rows("hunan-construction/undated", "rate")
    names = ("contract_price_yuan_above", "contract_price_yuan_to", "limit_yuan", "aggregate_limit_yuan", "works")
    cells = {tuple(row[name] for name in names): row["value"] for row in found}
    assert len(cells) == len(found) == 144
    return cells  # type: ignore[return-value]


def hunan_printed() -> dict[tuple[str, str, str, str, str], str]:
    printed = {}
    for band, line in zip(HUNAN_BANDS, HUNAN.split("\n")[1:-1], strict=True):
        values = iter(line.split())
        for limit in HUNAN_LIMITS:
            for works in ("general", "high_risk"):
                for aggregate in HUNAN_AGGREGATES:
                    printed[*band, limit, aggregate, works] = next(values)
        assert next(values, None) is None
    assert len(printed) == 96
    return printed


def test_hunan_grid_is_the_printed_one():
    cells = hunan_cells()
    assert {key: value for key, value in cells.items() if key[4] != "metro"} == hunan_printed()


def test_hunan_grid_is_one_rate_in_steps_of_five_per_cent():
    for (above, to, limit, aggregate, works), printed in hunan_printed().items():
        steps = (
            HUNAN_BANDS.index((above, to))
            + 3 * HUNAN_LIMITS.index(limit)
            + HUNAN_AGGREGATES.index(aggregate)
            + 2 * (works == "high_risk")
        )
        exact = Decimal("1.71") * (Decimal("0.70") + Decimal("0.05") * steps)
        assert exact.quantize(Decimal("0.01"), ROUND_HALF_UP) == Decimal(printed), (above, limit, aggregate, works)


def test_no_other_hunan_base_rate_makes_the_printed_values():
    ladder = sorted({Decimal(value) for value in hunan_printed().values()})
    assert len(ladder) == 17

    def made(base: Decimal) -> list[Decimal]:
        return [(base * (70 + 5 * step) / 100).quantize(Decimal("0.01"), ROUND_HALF_UP) for step in range(len(ladder))]

    assert [base for cent in range(150, 200) if made(base := Decimal(cent) / 100) == ladder] == [Decimal("1.71")]


def test_hunan_metro_is_the_high_risk_rate_and_half_as_much_again():
    cells = hunan_cells()
    metro = {key[:4]: value for key, value in cells.items() if key[4] == "metro"}
    assert metro == {key[:4]: value for key, value in cells.items() if key[4] == "high_risk"}
    factors = column("hunan-construction/undated", "metro", "works")
    assert {works: Fraction(value) for works, value in factors.items()} == {
        "general": 1,
        "high_risk": 1,
        "metro": Fraction(3, 2),
    }


def test_hunan_medical_limits():
    found = column("hunan-construction/undated", "medical", "limit_yuan")
    assert found == {"300000": "25000", "400000": "40000", "500000": "50000", "600000": "60000"}


def test_shandong_table_as_read():
    # https://www.doczj.com/doc/4611862298.html, in 10,000 yuan: price band, aggregate limit, rate per mille
    printed = [
        ("", 1_000, 2_100, "0.65"),
        (1_000, 5_000, 4_200, "0.60"),
        (5_000, 10_000, 6_300, "0.55"),
        (10_000, 50_000, 8_400, "0.50"),
        (50_000, 100_000, 9_450, "0.45"),
        (100_000, "", 10_500, "0.40"),
    ]
    found = [
        (row["contract_price_yuan_above"], row["contract_price_yuan_to"], row["aggregate_limit_yuan"], row["value"])
        for row in rows("shandong-construction/2018", "rate")
    ]
    yuan = [(*(str(wan * 10_000) if wan else "" for wan in line[:3]), line[3]) for line in printed]
    assert found == yuan


def test_shandong_digits_fit_together():
    found = rows("shandong-construction/2018", "rate")
    rates = [Decimal(row["value"]) for row in found]
    assert {high - low for high, low in pairwise(rates)} == {Decimal("0.05")}
    limits = [int(row["aggregate_limit_yuan"]) for row in found]
    assert limits == sorted(limits)
    assert [Fraction(limit, 21_000_000) for limit in limits] == [1, 2, 3, 4, Fraction(9, 2), 5]
    # A band starts where the last one ends, and the whole price takes the lower rate: the fall that NOTES tells of.
    for band, following in pairwise(found):
        edge = band["contract_price_yuan_to"]
        assert edge == following["contract_price_yuan_above"]
        assert int(edge) * Decimal(band["value"]) > (int(edge) + 1) * Decimal(following["value"])


ZHONGSHAN = {
    "standardisation": ("standardisation", {"none": "1.1", "level_3": "1.0", "level_2": "0.9", "level_1": "0.8"}),
    "accidents": (
        "accident_record",
        {"general_last_year": "1.3", "clean_2": "1.0", "clean_3": "0.95", "clean_4": "0.9"},
    ),
    "risk": ("risk_level", {"high": "1.2", "medium": "1.0", "low": "0.9"}),
    "integrity": ("integrity_grade", {"dishonest": "1.3", "C": "1.1", "B": "1.0", "A": "0.9", "AA": "0.8"}),
    "blacklist": ("blacklisted", {"yes": "1.5", "no": "1.0"}),
}


@pytest.mark.parametrize("table", ZHONGSHAN)
def test_zhongshan_factors_are_those_of_the_tool(table):
    axis, printed = ZHONGSHAN[table]
    assert column("zhongshan-general/prototype", table, axis) == printed


def test_zhongshan_headcount_scale_and_limits():
    scale = [
        (row["heads_from"], row["heads_below"], Fraction(row["value"]))
        for row in rows("zhongshan-general/prototype", "headcount")
    ]
    assert scale == [
        ("", "301", 1),
        ("301", "1001", Fraction(19, 20)),
        ("1001", "5001", Fraction(9, 10)),
        ("5001", "", Fraction(17, 20)),
    ]
    offered = column("zhongshan-general/prototype", "limits", "limit_yuan")
    assert {limit for limit, flag in offered.items() if flag == "1"} == {
        str(wan * 10_000) for wan in (10, 15, 20, 30, 50, 100)
    }
    assert offered["*"] == "0"


def test_zhongshan_formula_holds_the_tools_numbers():
    plan = tomllib.loads((PLANS / "zhongshan-general/prototype/plan.toml").read_text(encoding="utf-8"))
    of = {step["name"]: step.get("of") for step in plan["step"]}
    assert of["office_premium"] == ["office_heads", 15] and of["field_premium"] == ["field_heads", 30]
    assert of["limit_factor"] == ["limit_yuan", 150_000]
    assert of["employer"] == ["base", "0.20"] and of["medical"] == ["base", "0.15"]
    assert of["rescue"] == ["rescue_limit_yuan", "0.0001", 50, "heads"]
    assert len(of["float"]) == len(ZHONGSHAN) == 5


def test_work_injury_classes_and_floats_are_those_of_the_notice():
    rates = column("work-injury/2015", "base_rate", "risk_class")
    assert rates == dict(zip("12345678", ["0.2", "0.4", "0.7", "0.9", "1.1", "1.3", "1.6", "1.9"], strict=True))
    floats: dict[str, dict[str, str]] = {"1": {}, "2-8": {}}
    for row in rows("work-injury/2015", "float"):
        of_class = {("", "2"): "1", ("2", ""): "2-8"}[row["risk_class_from"], row["risk_class_below"]]
        floats[of_class][row["float_step"]] = row["value"]
    assert floats == {
        "1": {"down_2": "none", "down_1": "none", "base": "1.00", "up_1": "1.20", "up_2": "1.50"},
        "2-8": {"down_2": "0.50", "down_1": "0.80", "base": "1.00", "up_1": "1.20", "up_2": "1.50"},
    }


@pytest.mark.parametrize("edition", ["2020-11", "2025-04"])
def test_jilin_level_lies_where_the_notes_say(edition):
    """Loss 2.5 claims per 1,000 heads at 80,000 to 93,000 yuan; premium at 400,000; published premiums a head."""
    found = {
        (row["sector"], row["size_class"]): Fraction(row["value"]) for row in rows(f"jilin-spli/{edition}", "base_rate")
    }
    assert len(found) == 32
    small = [rate for (_, size), rate in found.items() if size == "small"]
    premium = sum(small) / len(small) * 400
    ratios = [Fraction(25, 10_000) * claim / premium for claim in (80_000, 93_000)]
    assert premium == 375 and Fraction(1, 2) <= ratios[0] <= ratios[1] <= Fraction(65, 100)
    assert min(found.values()) * 400 >= 175 and max(found.values()) * 400 <= 856
    for (sector, size), rate in found.items():
        share = {"micro": "1.10", "small": "1", "medium": "0.95", "large": "0.90"}[size]
        exact = Decimal(str(float(found[sector, "small"]))) * Decimal(share)
        assert rate == Fraction(exact.quantize(Decimal("0.01"), ROUND_HALF_UP)), (sector, size)


def test_jilin_law_names_its_articles_and_illustrations_do_not_pose_as_law():
    for edition in ("2020-11", "2025-04"):
        plan = tomllib.loads((PLANS / "jilin-spli" / edition / "plan.toml").read_text(encoding="utf-8"))
        for legal in plan["legal"]:
            assert plan["source"][legal["source"]]["confidence"] in ("primary", "secondary"), legal["name"]
        law = {legal["name"]: legal for legal in plan["legal"]}
        assert "total_float" not in law
        if edition == "2025-04":
            sources = {
                name: plan["source"][law[name]["source"]]["title"] for name in ("commission", "limit_per_person")
            }
            assert "第十四条" in sources["commission"] and "第十五条" in sources["limit_per_person"]


@pytest.mark.parametrize("table", TABLES, ids=lambda path: "/".join(path.parts[-4:-2]) + "/" + path.stem)
def test_every_row_of_every_table_names_a_declared_source(table):
    declared = tomllib.loads((table.parents[1] / "plan.toml").read_text(encoding="utf-8"))["source"]
    with table.open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    assert found and {row["source"] for row in found} <= set(declared)
