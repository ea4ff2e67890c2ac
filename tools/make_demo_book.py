"""Make the demonstration book that ships with the package: ``python tools/make_demo_book.py``.

About 300 invented enterprises of Jilin under Chinese headers, as an underwriter's list looks, with a few mistakes such
as lists have. Every name is marked 示例 (example); nothing describes a real enterprise. The same seed gives the same
file. Columns come from the plan, so the book follows it. Expiring premiums are the plan's own, moved up or down, so
that a renewal cap has work to do.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import xlsxwriter

from ratemod.book.column import Column
from ratemod.plan.editions import load_plan
from ratemod.plan.model import Plan
from ratemod.rating.rate import rate
from ratemod.rating.rated import Rated

PLAN, AT, SEED, ROWS, TRIED = "jilin-spli", date(2026, 1, 1), 20260101, 300, 1200
TARGET = Path(__file__).parents[1] / "src" / "ratemod" / "demo" / "renewals.xlsx"
CITIES = ("长春", "吉林", "四平", "辽源", "通化", "白山", "松原", "白城", "延边")
NAME = "企业名称"  # carried along; the plan does not ask for it
USUAL = 0.75  # share of rows that take a column's first level: most enterprises have nothing against them
Cells = list[Any]


def labels(column: Column) -> list[str]:
    """Return what an underwriter writes for each level."""
    return [level.label_zh or level.code for level in column.levels]


def guess(column: Column, random: np.random.Generator, n: int) -> Cells:
    """Return plausible cells for a column that no function of its own makes."""
    if column.kind == "flag":
        return [("是" if bad else "否") for bad in random.random(n) < 0.05]
    if column.kind == "level":
        names = labels(column)
        rest = (1 - USUAL) / max(len(names) - 1, 1)
        return random.choice(names, n, p=[USUAL, *[rest] * (len(names) - 1)] if len(names) > 1 else None).tolist()
    if column.kind == "date":
        return [AT + timedelta(days=int(day)) for day in random.integers(0, 180, n)]
    if column.kind == "number" and not column.optional:
        low = float(column.low or 0)
        return [round(low + float(step), column.decimals) for step in random.poisson(0.15, n)]
    return [None] * n


def heads(random: np.random.Generator, n: int) -> Cells:
    """Return numbers of insured people: many small enterprises, a few large ones."""
    return [max(3, round(float(value))) for value in random.lognormal(3.6, 1.0, n)]


def even(column: Column, random: np.random.Generator, n: int) -> Cells:
    """Return levels in equal shares."""
    return random.choice(labels(column), n).tolist()


def limits(random: np.random.Generator, n: int) -> Cells:
    """Return limits per person in yuan."""
    return random.choice([400_000, 500_000, 600_000, 800_000, 1_000_000], n, p=[0.5, 0.2, 0.15, 0.1, 0.05]).tolist()


def make(plan: Plan, random: np.random.Generator, n: int) -> dict[str, Cells]:
    """Return n rows as column -> cells."""
    own: Mapping[str, Callable[[Column], Cells]] = {
        "sector": lambda column: even(column, random, n),
        "size": lambda column: even(column, random, n),
        "size_class": lambda column: even(column, random, n),
        "heads": lambda column: heads(random, n),
        "staff": lambda column: heads(random, n),
        "limit_yuan": lambda column: limits(random, n),
        "limit_per_person_yuan": lambda column: limits(random, n),
        "start_date": lambda column: [AT + timedelta(days=int(day)) for day in random.integers(0, 180, n)],
    }
    rows = {
        name: own[name](column) if name in own else guess(column, random, n)
        for name, column in plan.columns.items()
        if name != "end_date"
    }
    if "end_date" in plan.columns:
        rows["end_date"] = [day.replace(year=day.year + 1) for day in rows["start_date"]]
    if plan.key:
        rows[plan.key] = [f"JL2026-{number:05d}" for number in range(1, n + 1)]
    return rows


def price(plan: Plan, rows: Mapping[str, Cells]) -> Rated:
    """Return the rows rated, their cells read as text as from any list."""
    text = {
        name: pa.array([None if cell is None else str(cell) for cell in cells], pa.string())
        for name, cells in rows.items()
    }
    return rate(pa.table(text), plan, lang="zh", trace=True)


def take(rows: Mapping[str, Cells], chosen: Sequence[int]) -> dict[str, Cells]:
    """Return some of the rows."""
    return {name: [cells[at] for at in chosen] for name, cells in rows.items()}


def good_rows(plan: Plan, random: np.random.Generator) -> dict[str, Cells]:
    """Return rows that the plan prices, with their expiring premiums."""
    rows = make(plan, random, TRIED)
    status = price(plan, rows).table["status"].to_pylist()
    kept = [at for at, said in enumerate(status) if said in ("rated", "referred")]
    if len(kept) < ROWS:
        raise SystemExit(f"only {len(kept)} of {TRIED} invented rows can be priced")
    rows = take(rows, kept[:ROWS])
    if plan.key:
        rows[plan.key] = [f"JL2026-{number:05d}" for number in range(1, ROWS + 1)]
    if "expiring_premium_yuan" in plan.columns:
        fen = price(plan, rows).table["premium_fen"].to_pylist()
        drift = random.lognormal(0.0, 0.25, ROWS)
        fresh = random.random(ROWS) < 0.2  # new business has none
        rows["expiring_premium_yuan"] = [
            None if new else round(amount / 100 * by) for amount, by, new in zip(fen, drift.tolist(), fresh.tolist())
        ]
    return rows


def spoil(plan: Plan, rows: dict[str, Cells]) -> None:
    """Put in the mistakes that lists have, a column at a time, as far as the plan has the column."""
    limit = next((name for name in ("limit_yuan", "limit_per_person_yuan") if name in rows), "")
    key = plan.key or ""
    mistakes: list[tuple[int, str, Any]] = [
        (16, "sector", labels(plan.columns["sector"])[0] + "业务"),
        (17, "sector", "水产养殖"),
        (48, "heads", "三十二"),
        (77, "heads", -5),
        (78, "heads", None),
        (131, limit, "四十万"),
        (132, limit, 40),
        (203, key, rows[key][202] if key else None),
        (250, "sector", None),
    ]
    for at, name, value in mistakes:
        if name in rows:
            rows[name][at] = value
    # Understood all the same, as people write them: a separator, full-width digits, a stray space.
    for at, name, said in ((5, "heads", "1,200"), (6, "heads", "３５"), (7, "sector", f" {rows['sector'][7]} ")):
        rows[name][at] = said


def trade_names(rows: Mapping[str, Cells], random: np.random.Generator) -> Cells:
    """Return invented names of enterprises."""
    cities = random.choice(CITIES, ROWS).tolist()
    return [
        f"{city}示例{str(sector or '').strip()}{number:03d}号有限公司"
        for number, (city, sector) in enumerate(zip(cities, rows["sector"]), start=1)
    ]


def write(plan: Plan, rows: Mapping[str, Cells], path: Path) -> None:
    """Write the list as a workbook; the same rows give the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        book.set_properties({"created": datetime(2000, 1, 1), "title": "示例名册（虚构）"})
        bold, day = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd"})
        sheet = book.add_worksheet("续保名册（虚构）")
        sheet.freeze_panes(1, 2)
        for at, (name, cells) in enumerate(rows.items()):
            header = plan.columns[name].label("zh") if name in plan.columns else name
            sheet.write_string(0, at, header, bold)
            sheet.set_column(at, at, 32 if name == NAME else max(12, 2.2 * len(header)))
            for line, cell in enumerate(cells, start=1):
                if isinstance(cell, date):
                    sheet.write_datetime(line, at, cell, day)
                elif isinstance(cell, str):
                    sheet.write_string(line, at, cell)
                elif cell is not None:
                    sheet.write_number(line, at, cell)


def main() -> int:
    """Make the book and say how it prices."""
    plan = load_plan(PLAN, AT, "renewal")
    random = np.random.default_rng(SEED)
    rows = good_rows(plan, random)
    names = trade_names(rows, random)
    spoil(plan, rows)
    key = {plan.key: rows.pop(plan.key)} if plan.key else {}
    rows = {
        **key,
        NAME: names,
        **{name: cells for name, cells in rows.items() if any(cell is not None for cell in cells)},
    }
    write(plan, rows, TARGET)
    counts = price(plan, rows).counts
    print(f"{TARGET}: {dict(counts)}")
    return 0 if 5 <= counts["refused"] <= 20 else 1


if __name__ == "__main__":
    sys.exit(main())
