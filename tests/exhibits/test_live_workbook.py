"""The live workbook, recalculated by LibreOffice, gives the engine's fen; every operation, every shipped plan."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from hypothesis import HealthCheck, Phase, find, given, settings
from openpyxl import load_workbook
from python_calamine import CalamineWorkbook
from tests.exhibits.office import convert, needs_office
from tests.own_plan import own_plan, plan_text
from tests.rating import random_plans, written_plans
from tests.rating.steps import step_of
from xlsxwriter.worksheet import Worksheet

from ratemod.document.sheet import sheet_name
from ratemod.document.written_sheet import WrittenSheet
from ratemod.errors import PlanError
from ratemod.formulas.tables import sheet_names, table_sheet
from ratemod.plan.editions import load_plan, shipped
from ratemod.plan.keys import OPERATIONS
from ratemod.plan.model import ANY, Axis, Band, Plan, Row, Table
from ratemod.plan.model import Test as When
from ratemod.plan.operand import EPOCH
from ratemod.rating.exact import evaluate
from ratemod.rating.groups import together
from ratemod.rating.inputs import Inputs
from ratemod.rating.rate import rate
from ratemod.reading.book import Book
from ratemod.report.live_workbook import HEAD, Priced, write_live_sheets, write_live_workbook
from ratemod.report.priced_workbook import _looks
from ratemod.vocabulary.column import Column

PROVINCE = Path(__file__).parents[2] / "data" / "province" / "renewals.parquet"
# What the shipped plans use; every operation is in the random plans below.
USED = {
    "months", "interpolate", "power", "round", "product", "ratio", "bound", "difference", "judgement", "largest",
    "lookup", "cap", "smallest", "sum", "add_percentages",
}  # fmt: skip
DEMO = Path(__file__).parents[2] / "src" / "ratemod" / "demo" / "renewals.xlsx"


def cells(path: Path) -> tuple[list[str], list[list[Any]]]:
    """Return the names and the rows of the policies' sheet."""
    sheet = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python(skip_empty_area=False)
    return [str(name) for name in sheet[HEAD - 1]], sheet[HEAD:]


def case_book(plan: Plan) -> Book:
    """The plan's own worked cases as one book."""
    table = {}
    for name, column in plan.columns.items():
        values = [case.inputs.get(name) for case in plan.cases]
        if not column.derive or any(value is not None for value in values):
            said = [None if v is None else "yes" if v is True else "no" if v is False else str(v) for v in values]
            table[name] = pa.array(said, pa.string())
    if plan.key:
        table[plan.key] = pa.array([f"P{at}" for at in range(len(plan.cases))])
    for check in plan.checks:  # the cases are policies of different units, whatever they have in common
        if check.by:
            table[check.by] = pa.array([f"U{at}" for at in range(len(plan.cases))])
    return Book(pa.table(table))


@pytest.fixture(scope="module")
def recalculated(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("live")
    rated = {}
    for place in shipped():
        plan = load_plan(place)
        rated[f"{plan.scheme}-{plan.edition}-cases"] = rate(case_book(plan), plan, lang="en", threads=1)
        if plan.scheme == "jilin-spli":
            rated[f"{plan.scheme}-{plan.edition}-demo"] = rate(DEMO, plan, business="renewal", lang="zh", threads=1)
    rated["province"] = rate(pq.read_table(PROVINCE).slice(0, 800), "jilin-spli/2025-04", lang="zh", threads=1)
    files = []
    for name, book in rated.items():
        files.append(folder / f"{name}.xlsx")
        write_live_workbook(book, files[-1], lang=book.lang)
    return {name: (rated[name], made) for name, made in zip(rated, convert(files, "xlsx", folder))}


@needs_office
def test_every_shipped_plan_recalculates_to_the_fen(recalculated):
    seen = 0
    for name, (rated, file) in recalculated.items():
        names, rows = cells(file)
        premium, keys = names.index(rated.plan.premium), [row[1] for row in rows]
        wanted = rated.outputs.premium_fen[rated.verdict.status < 2].tolist()
        assert len(wanted) >= 4, name
        assert [round(row[premium] * 100) for row in rows] == wanted, name
        assert [abs(row[premium] * 100 - round(row[premium] * 100)) < 1e-4 for row in rows] == [True] * len(rows)
        assert len(set(keys)) == len(keys)
        for step in rated.plan.steps:
            found = [row[names.index(step.name)] for row in rows]
            values = rated.outputs.steps[step.name][rated.verdict.status < 2]
            numbers = np.array([one if isinstance(one, float) else np.nan for one in found])
            assert np.isclose(numbers, values, rtol=1e-9, atol=1e-12, equal_nan=True).all(), (name, step.name)
        assert [row[-1] for row in rows] == [0.0] * len(rows)
        seen += len(rows)
    used = {step.operation.op for rated, _ in recalculated.values() for step in rated.plan.steps}
    assert seen > 1400 and used >= USED


def test_only_numbers_and_inputs_are_free(tmp_path):
    plan = load_plan("jilin-spli/2025-04")
    write_live_workbook(rate(DEMO, plan, business="renewal", lang="en", threads=1), tmp_path / "live.xlsx", lang="en")
    book = load_workbook(tmp_path / "live.xlsx")
    sheet = book["Policies"]
    names = [cell.value for cell in sheet[HEAD]]
    assert sheet.protection.sheet and sheet.freeze_panes == f"C{HEAD + 1}"
    free = {name for name, cell in zip(names, sheet[HEAD + 1]) if not cell.protection.locked}
    assert free and free <= set(plan.columns) and "heads" in free and not free & set(plan.step_names)
    table = book[sheet_name(plan.label("base_rate", "en"))]
    assert table.protection.sheet and table.freeze_panes == "A4"
    rows = [[cell.protection.locked for cell in row[:3]] for row in table.iter_rows(min_row=4)]
    assert rows == [[True, True, False]] * len(plan.tables["base_rate"].rows)


@needs_office
def test_a_changed_factor_moves_the_premiums_as_the_engine_says(tmp_path):
    plan = load_plan("jilin-spli", at="2026-01-01")
    rated = rate(DEMO, plan, business="renewal", lang="en", threads=1)
    write_live_workbook(rated, tmp_path / "live.xlsx", lang="en")
    book = load_workbook(tmp_path / "live.xlsx")
    sheet = book[sheet_name(plan.label("base_rate", "en"))]
    for row in sheet.iter_rows(min_row=4):
        if (row[0].value, row[1].value) == ("construction", "small"):
            row[2].value = 1.37
    book["Constants"]["B4"].value = 1.25
    book.save(tmp_path / "edited.xlsx")
    name = next(iter(plan.constants))
    changed = plan.replace({"tables.base_rate[construction, small].value": "1.37", f"constants.{name}": "1.25"})
    wanted = rate(DEMO, changed, business="renewal", lang="en", threads=1)
    names, rows = cells(convert([tmp_path / "edited.xlsx"], "xlsx", tmp_path)[0])
    found = [round(row[names.index(plan.premium)] * 100) for row in rows]
    assert found == wanted.outputs.premium_fen[wanted.verdict.status < 2].tolist()
    assert found != rated.outputs.premium_fen[rated.verdict.status < 2].tolist()


def write_plan(plan: Plan, inputs: Inputs, path: Path) -> None:
    """Write a plan over coded rows, without any cached value that could be mistaken for a calculation."""
    n = inputs.n
    keys, nothing = [f"k{at}" for at in range(n)], np.zeros(n, np.int64)
    priced = Priced(inputs, keys, range(n), dict(inputs.texts), {}, nothing, np.ones(n, bool))
    book = xlsxwriter.Workbook(str(path), {"strings_to_formulas": False})
    write_live_sheets(book, _looks(book, plan.money, "en"), plan, priced, "en")
    book.close()


def compare(plan: Plan, inputs: Inputs, file: Path) -> int:
    """Hold every step of every row against exact arithmetic; return how many premiums agreed.

    What a spreadsheet cannot hold (e to the 300,000th) has no value there, nor has what rests on it: not 0 times it.
    """
    names, rows = cells(file)
    state, agreed, largest = evaluate(plan, inputs), 0, plan.money.most
    beyond: dict[str, set[int]] = {}  # by step, the rows that a spreadsheet cannot hold
    for step in plan.steps:
        exact = state.values[step.name].fractions()
        rests = set().union(*(beyond.get(name, ()) for name in plan.graph().reads[step.name]))
        beyond[step.name] = {at for at, wanted in enumerate(exact) if wanted is not None and abs(wanted) > largest}
        for at, (wanted, row) in enumerate(zip(exact, rows)):
            found = row[names.index(step.name)]
            if at in rests and found == "":
                beyond[step.name].add(at)
            elif wanted is None or abs(wanted) > largest:
                assert wanted is not None or not isinstance(found, float), (step, at, found)
            elif step.name == "premium":
                assert isinstance(found, float), (step, at, found)
                apart = abs(Fraction(round(found * 100), 100) - wanted)
                # Above 10⁸ yuan the float error nears a fen, and it grows with the amount; the workbook counts such a
                # row as differing.
                most = max(Fraction(1, 50), abs(wanted) / 10**11)
                assert apart == 0 if abs(wanted) < 10**8 else apart <= most, (plan, at, found, float(wanted))
                agreed += apart == 0
            elif step.operation.levels:
                assert found == step.operation.levels[int(wanted)].code, (step, at)
            else:
                if isinstance(found, date):
                    found = found.toordinal() - EPOCH
                assert found == pytest.approx(float(wanted), rel=1e-9, abs=1e-9), (step, at)
    return agreed


@needs_office
def test_random_plans_of_every_operation_equal_exact_arithmetic(tmp_path, monkeypatch):
    made: list[tuple[Plan, Inputs, Path]] = []
    functions: set[str] = set()

    def prepared(sheet, formula, expand_future_functions=False):
        functions.update(re.findall(r"(?<![.A-Z0-9])[A-Z][A-Z0-9]*\(", formula))
        return plainly(sheet, formula)

    plainly = WrittenSheet._prepare_formula
    monkeypatch.setattr(WrittenSheet, "_prepare_formula", prepared)

    @settings(
        max_examples=25, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(plan=random_plans.plans())
    def collect(plan):
        inputs = random_plans.inputs(len(made), 40, plan)
        path = tmp_path / f"plan{len(made)}.xlsx"
        try:
            write_plan(plan, inputs, path)
        except PlanError as error:  # weights that are no decimals cannot be shared out in a spreadsheet
            assert {item.code for item in error.problems} == {"RM881"}
            return
        made.append((plan, inputs, path))

    collect()
    for op in sorted(set(OPERATIONS) - {"classify"} - _used(made)):
        first = settings(max_examples=1000, derandomize=True, database=None, phases=[Phase.generate])  # not the least
        rare = find(random_plans.plans(), lambda plan, op=op: op in _used([(plan,)]), settings=first)
        made.append((rare, random_plans.inputs(len(made), 40, rare), tmp_path / f"{op}.xlsx"))
        write_plan(*made[-1])
    made.append((*grouped_plan(), tmp_path / "grouped.xlsx"))
    write_plan(*made[-1])
    made.append((*axes_plan(), tmp_path / "axes.xlsx"))
    write_plan(*made[-1])
    done = convert([path for *_, path in made], "xlsx", tmp_path)
    agreed = sum(compare(plan, inputs, file) for (plan, inputs, _), file in zip(made, done))
    assert agreed > 500
    assert _used(made) == set(OPERATIONS) - {"classify"}  # which gives no number
    every = "".join(sorted(functions))
    assert "ROUND(" in every and Worksheet()._prepare_formula(every, True) == every  # none that needs a prefix


OTHERWISE = """[column.sector]
kind = "level"
levels = ["mine", "road", "shop"]
[column.other]
kind = "level"
levels = ["shop", "road", "mine"]
[column.heads]
kind = "number"
min = 1
max = 9
[[step]]
name = "worst"
op = "last_level"
of = ["sector", "other"]
when = {{ of = "heads", below = 5 }}
otherwise = {otherwise}
[[step]]
name = "rate"
op = "lookup"
table = "rate"
by = {{ sector = "worst" }}
[[step]]
name = "premium"
op = "round"
of = "rate"
unit = "0.01"
"""


@needs_office
def test_what_a_step_of_levels_is_otherwise_recalculates_and_so_do_plans_as_authors_write_them(tmp_path):
    rated, rates = [], {"mine": 300, "road": 200, "shop": 100}
    for at, (otherwise, above) in enumerate((('"road"', 9 * 200), ('"other"', 3 * 600), ('"none"', 0))):
        place = tmp_path / str(at) / "own" / "1"
        (place / "tables").mkdir(parents=True)
        (place / "plan.toml").write_text(plan_text(OTHERWISE.format(otherwise=otherwise)), encoding="utf-8")
        (place / "tables" / "rate.csv").write_text("sector,value,source\nmine,3,s\nroad,2,s\nshop,1,s\n")
        every = [
            {"policy_no": f"{a}{b}{n}", "sector": a, "other": b, "heads": n}
            for a, b, n in itertools.product(("mine", "road", "shop"), ("mine", "road", "shop"), (4, 5))
        ]
        rated.append(rate(pd.DataFrame(every), load_plan(place), lang="en"))
        below = sum(min(rates[row["sector"]], rates[row["other"]]) for row in every if row["heads"] == 4)
        assert rated[-1].premium_fen == below + above

    @settings(max_examples=6, derandomize=True, database=None, phases=[Phase.generate], deadline=None)
    @given(written=written_plans.written_plans())
    def collect(written):
        book = written_plans.frame(written_plans.rows(len(rated), 25))
        rated.append(rate(book, written_plans.read(written), lang="en"))

    collect()
    files = [tmp_path / f"{at}.xlsx" for at in range(len(rated))]
    for book, file in zip(rated, files):
        write_live_workbook(book, file, lang="en")
    seen = 0
    for book, file in zip(rated, convert(files, "xlsx", tmp_path)):
        names, rows = cells(file)
        priced = np.flatnonzero(book.verdict.status < 2).tolist()
        state = evaluate(book.plan, book.coding.inputs)
        for at, row in zip(priced, rows, strict=True):
            for step in book.plan.steps:
                wanted, found = state.values[step.name].fraction(at), row[names.index(step.name)]
                if wanted is not None and step.operation.levels:
                    assert found == step.operation.levels[int(wanted)].code, (step, at)
                elif step.name == "premium":
                    assert round(found * book.plan.money.per_unit) == wanted * book.plan.money.per_unit, (step, at)
            assert row[-1] == 0.0
            seen += 1
    assert seen > 100


def _used(made) -> set[str]:
    return {step.operation.op for plan, *_ in made for step in plan.steps}


def grouped_plan() -> tuple[Plan, Inputs]:
    """Several lines a policy: rolled up, and shared out with a remainder; some groups lack a value."""
    columns = {
        "policy_no": Column("policy_no", "text"),
        "site": Column("site", "text"),
        "amount": Column("amount", "number", decimals=2, low=Decimal(-(10**6)), high=Decimal(10**6), optional=True),
        "weight": Column("weight", "number", decimals=3, low=Decimal(0), high=Decimal(10**6)),
    }
    steps = (
        step_of("lines_total", "rollup", of=("amount",), by="policy_no", how="sum"),
        step_of("largest_line", "rollup", of=("amount",), by="policy_no", how="max"),
        step_of("least_line", "rollup", of=("amount",), by="policy_no", how="min"),
        step_of("mean_line", "rollup", of=("amount",), by="policy_no", how="mean"),
        step_of("count", "rollup", by="policy_no", how="count"),
        step_of("at_site", "rollup", of=("amount",), by=("policy_no", "site"), how="max"),
        step_of("sites", "rollup", by="policy_no", each="site", how="count"),
        step_of("largest_of_sites", "rollup", of=("at_site",), by="policy_no", each="site", how="sum"),
        step_of("mean_of_sites", "rollup", of=("at_site",), by="policy_no", each="site", how="mean"),
        step_of("unlike", "rollup", of=("amount",), by="policy_no", each="site", how="sum"),
        step_of("with_fee", "product", of=("lines_total", Decimal("1.0033"))),
        step_of("whole", "round", of=("with_fee",), unit=Decimal("0.01")),
        step_of("premium", "share_out", of=("whole",), by="policy_no", weights="weight"),
    )
    plan = replace(random_plans.plan_of(steps), columns=columns)
    rng = np.random.default_rng(7)
    n = 60
    own = {"policy_no": np.sort(rng.integers(0, 18, n)), "site": rng.integers(0, 2, n)}
    amount = np.where(rng.random(n) < 0.04, np.nan, rng.integers(-(10**6), 10**8, n) / 100)
    inputs = Inputs(
        n,
        {"amount": amount, "weight": rng.choice([0.0, 1.0, 1.0, 333.333, 999999.999], n)},
        groups={names: together([own[name] for name in names]) for names in plan.groups},
        ranks=rng.permutation(n),
        filled={"policy_no": np.ones(n, bool), "site": np.ones(n, bool)},
    )
    return plan, inputs


def axes_plan() -> tuple[Plan, Inputs]:
    """Several axes, wildcards of unequal standing, points on several lines, dates, levels that differ by case."""
    columns = {
        "grade": Column("grade", "level", levels=tuple(random_plans.Level(code) for code in ("A", "a", "B~", "*x"))),
        "zone": Column("zone", "level", levels=tuple(random_plans.Level(code) for code in ("n", "s"))),
        "size": Column("size", "number", decimals=0, low=Decimal(0), high=Decimal(100), optional=True),
        "day": Column("day", "date", optional=True),
    }
    wild = (
        Row((ANY, ANY), (Decimal("1.5"),), "s"),
        Row(("A", "n"), (Decimal("2"),), "s"),
        Row((ANY, "s"), (Decimal("3"),), "s"),
        Row(("a", "n"), (Decimal("5"),), "s"),
        Row(("B~", "n"), (None,), "s", offered=False),
    )
    points = tuple(
        Row((zone, Decimal(at)), (Decimal(at) * factor,), "s")
        for zone, factor in (("n", Decimal("0.7")), ("s", Decimal("1.3")))
        for at in (60, 10, 30)
    )
    days = tuple(
        Row((Band(low, high), Decimal(size)), (Decimal(f"1.0{size}"),), "s")
        for low, high in ((None, Decimal(20500)), (Decimal(20500), None))
        for size in range(0, 40)
    )
    plane = tuple(  # on the day of the one axis, of the size of the other
        Row((zone, Decimal(day), Decimal(size)), (Decimal(day - 20490) * Decimal(size) / 64,), "s", offered=size != 50)
        for zone, day, size in itertools.product("ns", (20499, 20500, 20502), (10, 35, 50, 60))
    )
    plane = tuple(replace(row, values=row.values if row.offered else (None,)) for row in plane)
    tables = {
        "plane": Table(
            "plane",
            (Axis("zone", "level"), Axis("day", "point", is_date=True), Axis("size", "point")),
            ("value",),
            plane,
        ),
        "wild": Table("wild", (Axis("grade", "level"), Axis("zone", "level")), ("value",), wild),
        "line": Table("line", (Axis("zone", "level"), Axis("size", "point")), ("value",), points),
        "days": Table("days", (Axis("day", "band", "high", is_date=True), Axis("size", "number")), ("value",), days),
        "cased": Table(
            "cased",
            (Axis("grade", "level"),),
            ("value",),
            tuple(Row((code,), (Decimal(at),), "s") for at, code in enumerate(("A", "a", "B~", "*x"), 1)),
        ),
    }
    late = When("day", at_least=Decimal(20500))
    steps = (
        step_of("wild", "lookup", table="wild"),
        step_of("flat", "interpolate", table="line", beyond="flat"),
        step_of("strict", "interpolate", table="line", when=When("size", missing=False), otherwise=Decimal(1)),
        step_of("onward", "interpolate", table="line", beyond="extend"),
        *(step_of(f"plane_{how}", "interpolate", table="plane", beyond=how) for how in ("flat", "refuse", "extend")),
        step_of("days", "lookup", table="days", when=late, otherwise=Decimal("0.5")),
        step_of("cased", "lookup", table="cased"),
        step_of("per_day", "ratio", of=("strict", "days")),
        step_of("all", "product", of=("wild", "flat", "onward", "per_day", "cased", Decimal("0.0999"))),
        step_of("premium", "round", of=("all",), unit=Decimal("0.01")),
    )
    rng = np.random.default_rng(3)
    n = 200
    inputs = Inputs(
        n,
        {
            "size": np.where(rng.random(n) < 0.1, np.nan, rng.integers(5, 65, n)),
            "day": np.where(rng.random(n) < 0.1, np.nan, rng.integers(20498, 20503, n)),
        },
        {"grade": rng.integers(-1, 4, n).astype(np.int16), "zone": rng.integers(-1, 2, n).astype(np.int16)},
    )
    plan = random_plans.plan_of(steps, tables)
    return Plan(**{**{f: getattr(plan, f) for f in plan.__dataclass_fields__}, "columns": columns}), inputs


@needs_office
def test_exact_ties_go_up_however_the_float_falls(tmp_path):
    """Products that are exact half fen, whose floats lie on either side of the tie."""
    rng = np.random.default_rng(11)
    steps = (
        step_of("all", "product", of=("limit_yuan", "ratio_in", Decimal("0.5"), Decimal("1.1"))),
        step_of("premium", "round", of=("all",), unit=Decimal("0.01")),
    )
    plan = random_plans.plan_of(steps)
    n = 4000
    limit, ratio = rng.integers(1, 10**7, n) / 100, rng.integers(-30000, 30000, n) / 10000
    limit[:800], ratio[:800] = 2 * rng.integers(0, 10**5, 800) + 1, rng.choice([0.7, -0.7, 2.1], 800)
    exact = [Fraction(str(a)) * Fraction(str(b)) * 55 for a, b in zip(limit.tolist(), ratio.tolist())]
    floats = np.array([a * b * 0.5 * 1.1 for a, b in zip(limit.tolist(), ratio.tolist())])
    tie = np.array([value.denominator == 2 for value in exact])
    below = np.array([abs(Fraction(one)) * 100 < abs(value) for one, value in zip(floats.tolist(), exact)])
    assert (tie & below).sum() > 50 and (tie & ~below).sum() > 50
    inputs = random_plans.inputs(1, n)
    inputs = Inputs(
        n, {**inputs.numbers, "limit_yuan": limit, "ratio_in": ratio}, inputs.codes, inputs.filled, inputs.texts
    )
    write_plan(plan, inputs, tmp_path / "ties.xlsx")
    compare(plan, inputs, convert([tmp_path / "ties.xlsx"], "xlsx", tmp_path)[0])


def test_names_from_a_list_never_become_formulas_and_bytes_repeat(tmp_path):
    plan = load_plan("jilin-spli", at="2026-01-01")
    rated = rate(DEMO, plan, business="renewal", lang="en", threads=1)
    for name in ("a", "b"):
        write_live_workbook(rated, tmp_path / f"{name}.xlsx", lang="en")
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    inputs = random_plans.inputs(0, 3)
    inputs = Inputs(3, inputs.numbers, inputs.codes, {"why": np.ones(3, bool)}, {"why": np.array(["=1+1"] * 3, object)})
    steps = (step_of("s", "round", of=("heads",), unit=Decimal("0.01"), when=When("why", is_=("=1+1",))),)
    plan = random_plans.plan_of((*steps, step_of("premium", "round", of=("s",), unit=Decimal("0.01"))))
    write_plan(plan, inputs, tmp_path / "c.xlsx")
    sheet = load_workbook(tmp_path / "c.xlsx").worksheets[0]
    said = [cell for row in sheet.iter_rows() for cell in row if cell.value == "=1+1"]
    assert said and all(cell.data_type == "s" for cell in said)


def test_no_formula_is_longer_than_excel_allows():
    for place in shipped():
        plan = load_plan(place)
        rated = rate(case_book(plan), plan, lang="en", threads=1)
        from ratemod.formulas.formula import formula
        from ratemod.report.live_workbook import _layout, priced_rows

        names = sheet_names(list(plan.tables), [])
        tables = {name: table_sheet(table, names[name]) for name, table in plan.tables.items()}
        sheet, _ = _layout(plan, priced_rows(rated, "en"), tables, dict.fromkeys(plan.constants, "Constants!$B$4"), ())
        for step in plan.steps:
            said = formula(step, sheet)
            assert len(said) < 8000
            assert re.search(r"[\d.]e[-+]?\d", said) is None


def test_points_with_wildcards_are_refused():
    rows = (Row((ANY, Decimal(1)), (Decimal(1),), "s"),)
    with pytest.raises(PlanError) as caught:
        table_sheet(Table("t", (Axis("zone", "level"), Axis("x", "point")), ("value",), rows), "t")
    assert caught.value.problems[0].code == "RM880"


@needs_office
def test_levels_are_chosen_in_words_and_move_the_premium_as_the_engine_says(tmp_path):
    plan = load_plan("jilin-spli", at="2026-01-01")
    rated = rate(DEMO, plan, business="renewal", lang="zh", threads=1)
    write_live_workbook(rated, tmp_path / "live.xlsx", lang="zh")
    book = load_workbook(tmp_path / "live.xlsx")
    sheet = book["逐单计算"]
    heads = [cell.value for cell in sheet[2]]
    assert heads[:4] == ["原行号", "保单号", "企业名称", "状态（出表时）"]
    states = [sheet.cell(line, 4).value for line in range(HEAD + 1, sheet.max_row + 1)]
    assert states.count("须人工核保") == rated.counts["referred"] > 0
    label = plan.label("integrity_grade", "zh")
    at = heads.index(label) + 1
    cell = sheet.cell(HEAD + 1, at).coordinate
    (choice,) = (one for one in sheet.data_validations.dataValidation if cell in one.sqref)
    words = [cell.value for (cell,) in book["词汇"][choice.formula1.partition("!")[2].replace("$", "")]]
    assert words == list(plan.level_labels("integrity_grade", "zh").values())
    code = max(cell.column for cell in sheet[HEAD] if cell.value == "integrity_grade")
    assert code > at and any(one.hidden for one in sheet.column_dimensions.values() if one.min <= code <= one.max)
    for line in range(HEAD + 1, sheet.max_row + 1):
        sheet.cell(line, at).value = words[-1]
    book.save(tmp_path / "edited.xlsx")
    mine = rated.book.table
    codes = pa.array(list(plan.level_labels("integrity_grade", "zh"))[-1:] * mine.num_rows)
    table = mine.set_column(mine.column_names.index("integrity_grade"), "integrity_grade", codes)
    wanted = rate(replace(rated.book, table=table), plan, business="renewal", lang="zh", threads=1)
    names, rows = cells(convert([tmp_path / "edited.xlsx"], "xlsx", tmp_path)[0])
    found = [round(row[names.index(plan.premium)] * 100) for row in rows]
    priced = rated.verdict.status < 2
    assert found == wanted.outputs.premium_fen[priced].tolist() != rated.outputs.premium_fen[priced].tolist()


def test_the_command_writes_it_and_asks_for_a_workbook(tmp_path, capsys):
    from ratemod.cli import main

    words = ["rate", str(DEMO), "--plan", "jilin-spli", "--business", "renewal", "--at", "2026-01-01"]
    words += ["--lang", "en", "--live", "-o"]
    assert main([*words, str(tmp_path / "live.xlsx")]) == 3
    book = load_workbook(tmp_path / "live.xlsx")
    assert book.sheetnames[:2] == ["Policies", "Constants"]
    assert str(book["Policies"].cell(HEAD + 1, book["Policies"].max_column).value).startswith("=IF(")
    assert main([*words, str(tmp_path / "live.csv")]) == 1
    assert "RM882" in capsys.readouterr().err


@needs_office
def test_columns_may_bear_the_names_of_the_sheet_s_own(tmp_path):
    """1 + 2 + 3 + 4 + 5 + 6 = 21.00, whatever the sheet keeps of rows, keys, ranks and premiums for itself."""
    names = ("row", "key", "engine", "difference", "rank", "insured")
    body = "".join(f'[column.{name}]\nkind = "number"\nmin = 0\nmax = 9\n' for name in names)
    body += f'[[step]]\nname = "all"\nop = "sum"\nof = {list(names)}\n'
    body += '[[step]]\nname = "premium"\nop = "round"\nof = "all"\nunit = "0.01"\n'
    book = pa.table({"policy_no": ["A"], **{name: [at] for at, name in enumerate(names, 1)}})
    rated = rate(book, own_plan(tmp_path, body), lang="en", threads=1)
    write_live_workbook(rated, tmp_path / "named.xlsx", lang="en")
    heads, rows = cells(convert([tmp_path / "named.xlsx"], "xlsx", tmp_path)[0])
    assert rows[0][heads.index("premium")] == 21.0 and rows[0][-1] == 0.0
