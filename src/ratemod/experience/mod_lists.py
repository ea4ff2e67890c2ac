"""The lists that modifications are made from, as people keep them: claims, exposures, successions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ratemod.book.book import Book
from ratemod.book.column import FLAG_LEVELS, Column
from ratemod.book.convert import MISSING_DATE, convert
from ratemod.book.read import read_book
from ratemod.errors import ModelError, Problem, problem
from ratemod.experience.losses import Booleans, ClaimList, Dates, Floats, Integers

MOST = Decimal(10) ** 14


def _column(
    name: str, kind: Any, zh: str, *aliases: str, unit: str | None = None, decimals: int = 2, low: Decimal = -MOST
) -> Column:
    levels = FLAG_LEVELS if kind == "flag" else ()
    return Column(name, kind, name.replace("_", " "), zh, aliases, levels, unit, decimals, low, MOST * 100, True)


def _declared(*columns: Column) -> dict[str, Column]:
    return {column.name: column for column in columns}


FIRM = _column("credit_code", "text", "统一社会信用代码", "社会信用代码", "信用代码", "firm", "企业")
CLAIMS = _declared(
    FIRM,
    _column("claim_no", "text", "赔案号", "立案号"),
    _column("event_no", "text", "事故号"),
    _column("event_date", "date", "出险日期", "事故日期"),
    _column("valuation_date", "date", "评估日", "评估日期"),
    _column("paid_fen", "number", "已决赔款（分）", decimals=0),
    _column("case_reserve_fen", "number", "未决赔款（分）", decimals=0),
    _column("paid_yuan", "number", "已决赔款", "已付赔款", unit="yuan"),
    _column("case_reserve_yuan", "number", "未决赔款", "未决准备金", unit="yuan"),
    _column("medical_only", "flag", "仅医疗", "仅医疗费"),
)
EXPOSURE = _declared(
    FIRM,
    _column("expected_losses_yuan", "number", "期望损失", unit="yuan"),
    _column("expected_primary_losses_yuan", "number", "期望初级损失", unit="yuan"),
    _column("start_date", "date", "保险起期", "起期"),
    _column("last_mod", "number", "上年经验修正系数", decimals=6),
    _column("premium_yuan", "number", "保费", "expiring_premium_yuan", "上年保费", "上年年保费", unit="yuan"),
)
SUCCESSION = _declared(
    _column("from_code", "text", "原企业", "原统一社会信用代码"),
    _column("to_code", "text", "承继企业"),
    _column("share", "number", "份额", decimals=9, low=Decimal(0)),
)


@dataclass(frozen=True, eq=False, slots=True)
class ExposureList:
    """Firms and what was expected of them, n rows.

    Attributes
    ----------
    firms : names; expected_yuan, expected_primary_yuan : (n,) float64, NaN where missing
    effective : (n,) datetime64[D]; last_mod, premium_yuan : (n,) float64, NaN where not given
    exposed : (n, y) bool or None; years : y calendar years
    problem_of, problems : which reason refuses a firm, 0 for none
    """

    firms: pa.Array
    expected_yuan: Floats
    expected_primary_yuan: Floats
    effective: Dates
    last_mod: Floats
    premium_yuan: Floats
    exposed: Booleans | None
    years: tuple[str, ...]
    problem_of: npt.NDArray[np.int32]
    problems: tuple[Problem, ...]


def read_exposure(source: Any, effective: Any) -> ExposureList:
    """Read the exposure list; a firm that cannot be modified keeps its reason (RM616, RM617, unreadable cells)."""
    book = read_book(source, EXPOSURE)
    _need(book, ("credit_code", "expected_losses_yuan", "expected_primary_losses_yuan"), EXPOSURE)
    n = book.table.num_rows
    found = np.zeros(n, dtype=np.int32)
    problems: list[Problem] = []
    columns = {
        name: _cells(book, EXPOSURE[name], found, problems) for name in EXPOSURE if name in book.table.column_names
    }
    firms = columns["credit_code"]
    codes = firms.dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False) + 1
    counts = np.bincount(codes)
    _mark(found, problems, "RM616", (counts[codes] > 1) & (codes > 0))
    expected, primary = columns["expected_losses_yuan"], columns["expected_primary_losses_yuan"]
    _mark(found, problems, "RM617", ~((expected > 0) & (primary >= 0) & (primary <= expected)))
    if "start_date" in columns:
        day = columns["start_date"]
    elif effective is not None:
        day = np.full(n, np.datetime64(effective, "D"))
    else:
        raise ModelError(problem("RM619", name="start_date", label="保险起期"))
    _mark(found, problems, "RM612", np.isnat(day), claims=0)
    blank = np.full(n, np.nan)
    exposed, years = _exposed(book)
    return ExposureList(
        firms,
        expected,
        primary,
        day,
        columns.get("last_mod", blank),
        columns.get("premium_yuan", blank),
        exposed,
        years,
        found,
        tuple(problems),
    )


def read_claims(source: Any, firms: ExposureList) -> ClaimList:
    """Read the claims list and find each claim's firm; a claim of no firm is counted, not lost."""
    book = read_book(source, CLAIMS)
    _need(book, ("credit_code", "event_date"), CLAIMS)
    if "paid_fen" not in book.table.column_names and "paid_yuan" not in book.table.column_names:
        raise ModelError(problem("RM619", name="paid_yuan", label=CLAIMS["paid_yuan"].label_zh))
    n = book.table.num_rows
    wrong, problems = np.zeros(n, dtype=np.int32), []  # type: ignore[var-annotated]
    columns = {name: _cells(book, CLAIMS[name], wrong, problems) for name in CLAIMS if name in book.table.column_names}
    firm = np.asarray(
        pc.index_in(columns["credit_code"], value_set=firms.firms).fill_null(-1).to_numpy(zero_copy_only=False)
    )
    incurred = _money(columns, "paid", n) + np.nan_to_num(_money(columns, "case_reserve", n)).astype(np.int64)
    event = np.arange(n)
    if "event_no" in columns:
        codes = columns["event_no"].dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False)
        event = np.where(codes < 0, n + event, codes)
    none = np.full(n, np.datetime64("NaT", "D"))
    light = columns.get("medical_only")
    return ClaimList(
        firm.astype(np.int64),
        columns["event_date"],
        incurred,
        event.astype(np.int64),
        columns.get("valuation_date", none),
        np.zeros(n, bool) if light is None else light == 1,
        columns.get("claim_no", pa.array([str(i + 1) for i in range(n)]) if n < 100_000 else None),
    )


def successions_of(source: Any, firms: ExposureList) -> tuple[Integers, Integers, Floats]:
    """Read successions as places and shares.

    Raises
    ------
    ModelError
        RM618 a firm that is not in the exposure list.
    """
    book = read_book(source, SUCCESSION)
    _need(book, tuple(SUCCESSION), SUCCESSION)
    old, new = (convert(book.table[name], SUCCESSION[name]).values for name in ("from_code", "to_code"))
    places = [
        np.asarray(pc.index_in(part, value_set=firms.firms).fill_null(-1).to_numpy(zero_copy_only=False))
        for part in (old, new)
    ]
    lost = [
        problem("RM618", name=part[int(i)].as_py(), nearest=None)
        for part, at in zip((old, new), places)
        for i in np.flatnonzero(at < 0)[:20]
    ]
    if lost:
        raise ModelError(lost)
    share = np.asarray(convert(book.table["share"], SUCCESSION["share"]).values, dtype=np.float64)
    return places[0].astype(np.int64), places[1].astype(np.int64), share


def _need(book: Book, names: tuple[str, ...], declared: Mapping[str, Column]) -> None:
    lacking = [name for name in names if name not in book.table.column_names]
    if lacking:
        raise ModelError(problem("RM619", name=name, label=declared[name].label_zh) for name in lacking)


def _cells(book: Book, column: Column, found: npt.NDArray[np.int32], problems: list[Problem]) -> Any:
    """Return a column's values; a cell that cannot be read marks its row."""
    coded = convert(book.table[column.name], column, book.conversions.get(column.name))
    for at, item in enumerate(coded.problems, 1):
        problems.append(item)
        rows = (np.asarray(coded.problem_of) == at) & (found == 0)
        found[rows] = len(problems)
    if column.kind == "date":
        days = np.asarray(coded.values).astype(np.int64)
        return np.where(days == MISSING_DATE, np.datetime64("NaT", "D"), days.astype("datetime64[D]"))
    if column.kind == "number":
        return np.asarray(coded.values).astype(np.float64)
    return coded.values if column.kind == "text" else np.asarray(coded.values)


def _mark(found: npt.NDArray[np.int32], problems: list[Problem], code: str, wrong: Booleans, **args: Any) -> None:
    hit = wrong & (found == 0)
    if hit.any():
        problems.append(problem(code, **args))
        found[hit] = len(problems)


def _money(columns: Mapping[str, Any], name: str, n: int) -> Integers:
    """Return whole fen from the fen or the yuan column, 0 where neither is given."""
    if f"{name}_fen" in columns:
        return np.asarray(np.nan_to_num(columns[f"{name}_fen"])).astype(np.int64)
    if f"{name}_yuan" in columns:
        return np.asarray(np.rint(np.nan_to_num(columns[f"{name}_yuan"]) * 100)).astype(np.int64)
    return np.zeros(n, dtype=np.int64)


def _exposed(book: Book) -> tuple[Booleans | None, tuple[str, ...]]:
    """Return in which years each firm had exposure, from columns exposed_YYYY; None where the list has none."""
    names = sorted(name for name in book.table.column_names if name.startswith("exposed_") and name[8:].isdigit())
    if not names:
        return None, ()
    parts = [pc.fill_null(book.table[name].cast(pa.float64()), 0.0).to_numpy() > 0 for name in names]
    return np.stack(parts, axis=1), tuple(name[8:] for name in names)
