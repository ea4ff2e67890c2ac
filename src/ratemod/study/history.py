"""A loss history as found: policies, their mid-term changes, claims and the claims' values at past dates.

A history is a folder (``policies``, ``claims`` and, where there are any, ``endorsements``, ``valuations``,
``variables`` or ``panel``; Parquet, CSV or Excel) or a mapping of the same names to frames. Rows that cannot be used
are kept aside with their reason; nothing is filled in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ratemod.errors import ModelError, Problem, problem
from ratemod.plan.model import Plan
from ratemod.ratemaking.arrays import Booleans, Dates, Floats, Integers
from ratemod.ratemaking.exposure import Segments, match_claims, segments_from_changes
from ratemod.reading.book import Book
from ratemod.reading.convert import MISSING_DATE, Coded, convert
from ratemod.reading.read import read_book
from ratemod.study.history_columns import CHANGE, CLAIM, POLICY, RATE_CHANGE, VALUATION
from ratemod.vocabulary.column import Column

NEEDED = ("policies", "claims")
EXTRA = ("endorsements", "valuations", "variables", "panel", "rate_changes", "renewals")
SUFFIXES = (".parquet", ".csv", ".xlsx", ".xls", ".txt", ".tsv")


@dataclass(frozen=True, slots=True)
class Refused:
    """Rows of one table that were not used, for one reason."""

    table: str
    rows: tuple[int, ...]
    problem: Problem


@dataclass(frozen=True, eq=False)
class History:
    """A loss history ready for a study.

    Attributes
    ----------
    book : Book of the accepted policies, with their rating variables under the plan's names, n rows
    start, end : (n,) datetime64[D]; end is the first day no longer insured
    premium_yuan : (n,) float64, as charged; NaN where not given
    firm : (n,) int64, equal for policies of one enterprise (by credit code; without one, each policy alone)
    segments : stretches of unchanged amount, as a share of the amount at inception
    claim_policy : (m,) int64 row of `book`; claim_event : (m,) int64 code of the event; claim_date : (m,) datetime64[D]
    incurred_yuan : (m,) float64, paid and reserved at the latest value
    valued_claim, valued_date, valued_yuan : (v,) every known value of a claim at a past date; empty when there is none
    change_date, change : (c,) past rate changes, datetime64[D] and float64 (+0.05 for +5 %); empty where not given
    refused : rows set aside, with reasons
    synthetic : the folder holds the truth it was made from, so the data are invented
    digests : table -> SHA-256 of the file (or of the frame's bytes)
    """

    book: Book
    start: Dates
    end: Dates
    premium_yuan: Floats
    firm: Integers
    segments: Segments
    claim_policy: Integers
    claim_event: Integers
    claim_date: Dates
    incurred_yuan: Floats
    valued_claim: Integers
    valued_date: Dates
    valued_yuan: Floats
    change_date: Dates
    change: Floats
    refused: tuple[Refused, ...]
    synthetic: bool
    digests: Mapping[str, str]


def sources_of(source: Any) -> dict[str, Any]:
    """Return table name -> path or frame of a history folder, mapping or province.

    Raises
    ------
    ModelError
        RM573 no such folder, RM574 a table that every history needs is missing.
    """
    folder = getattr(source, "folder", source)
    found: dict[str, Any]
    if isinstance(folder, str | Path):
        path = Path(folder)
        if not path.is_dir():
            raise ModelError(problem("RM573", path=str(path)))
        found = {}
        for name in (*NEEDED, *EXTRA):
            files = [path / f"{name}{suffix}" for suffix in SUFFIXES]
            present = [file for file in files if file.exists()]
            if present:
                found[name] = present[0]
    else:
        found = dict(getattr(source, "held", source))
    missing = [problem("RM574", name=name) for name in NEEDED if name not in found]
    if missing:
        raise ModelError(missing)
    return {name: found[name] for name in (*NEEDED, *EXTRA) if name in found}


def read_history(source: Any, plan: Plan, amount: str) -> History:
    """Read and check a history.

    Parameters
    ----------
    source : folder, Province, or mapping of table name to frame or path
    plan : Plan whose columns the policies carry
    amount : column that endorsements change

    Returns
    -------
    History

    Raises
    ------
    ModelError
        RM573, RM574; RM575 when no policy, or RM576 when no claim, can be used.
    BookError
        When a table cannot be read at all.
    """
    tables = sources_of(source)
    refused: list[Refused] = []
    wanted = {name: column for name, column in plan.columns.items() if name not in POLICY}
    book = read_book(tables["policies"], POLICY | wanted)
    book = _with_variables(book, tables.get("variables", tables.get("panel")), wanted, refused)
    cells = _columns(book, POLICY, "policies", refused)
    start, end = (_dates(cells[name]) for name in ("start_date", "end_date"))
    bad = np.isnat(start) | np.isnat(end) | ~_filled(cells["policy_no"])
    good = _aside(~bad, ~bad & ~(end > start), book, "policies", "RM577", refused)
    good = _aside(good, good & _repeated(cells["policy_no"].values), book, "policies", "RM578", refused)
    if not good.any():
        raise ModelError([problem("RM575"), *(item.problem for item in refused[:20])])
    kept = np.flatnonzero(good)
    numbers = cells["policy_no"].values.take(pa.array(kept))
    segments = _segments(tables.get("endorsements"), numbers, start[kept], end[kept], book, kept, amount, refused)
    claims = _claims(tables["claims"], numbers, start[kept], segments, refused)
    valued = _valuations(tables.get("valuations"), claims["claim_no"], refused)
    return History(
        Book(
            book.table.take(pa.array(kept)),
            None if book.rows is None else book.rows[kept],
            book.file,
            book.sheet,
            (),
            book.conversions,
            book.headers,
        ),
        start[kept],
        end[kept],
        _money(cells, "premium")[kept],
        _firms(cells, kept),
        segments,
        claims["policy"],
        claims["event"],
        claims["date"],
        claims["incurred"],
        *valued,
        *_rate_changes(tables.get("rate_changes"), refused),
        tuple(refused),
        is_synthetic(source),
        {name: digest_of(item) for name, item in tables.items()},
    )


def _firms(cells: Mapping[str, Coded], kept: Integers) -> Integers:
    if "credit_code" not in cells:
        return np.arange(len(kept))
    codes = cells["credit_code"].values.take(pa.array(kept)).dictionary_encode().indices.fill_null(-1)
    found = np.asarray(codes.to_numpy(zero_copy_only=False)).astype(np.int64)
    return np.where(found < 0, len(kept) + np.arange(len(kept)), found)


def is_synthetic(source: Any) -> bool:
    """Return whether a history holds the truth it was drawn from: nobody knows that of real business."""
    folder = getattr(source, "folder", source)
    if isinstance(folder, str | Path):
        return any(Path(folder).glob("truth_parameters.*"))
    return "truth_parameters" in getattr(source, "held", source)


def _rate_changes(source: Any, refused: list[Refused]) -> tuple[Dates, Floats]:
    if source is None:
        return np.zeros(0, "datetime64[D]"), np.zeros(0)
    book = read_book(source, RATE_CHANGE)
    cells = _columns(book, RATE_CHANGE, "rate_changes", refused)
    when, factor = _dates(cells["effective_date"]), np.asarray(cells["factor"].values).astype(np.float64)
    good = ~np.isnat(when) & ~np.isnan(factor)
    return when[good], factor[good] - 1


def digest_of(source: Any) -> str:
    """Return the SHA-256 of a file, or of a frame's columns as Arrow writes them."""
    if isinstance(source, str | Path):
        with open(source, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    sink = pa.BufferOutputStream()
    table = pa.table(source)
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return hashlib.sha256(sink.getvalue()).hexdigest()


def _columns(book: Book, declared: Mapping[str, Column], table: str, refused: list[Refused]) -> dict[str, Coded]:
    """Return the declared columns that the table has, converted; a cell that cannot be read sets its row aside."""
    found = {}
    for name, column in declared.items():
        if name not in book.table.column_names:
            continue
        coded = convert(book.table[name], column, book.conversions.get(name))
        for at, item in enumerate(coded.problems, 1):
            rows = np.flatnonzero(np.asarray(coded.problem_of) == at)
            refused.append(Refused(table, _numbers(book, rows), item))
        found[name] = coded
    lacking = [name for name, column in declared.items() if name not in found and not column.optional]
    if lacking:
        raise ModelError(problem("RM579", table=table, name=name, label=declared[name].label_zh) for name in lacking)
    return found


def _aside(good: Booleans, wrong: Booleans, book: Book, table: str, code: str, refused: list[Refused]) -> Booleans:
    """Return which rows are still good once the wrong ones are set aside."""
    if wrong.any():
        refused.append(Refused(table, _numbers(book, np.flatnonzero(wrong)), problem(code)))
    return good & ~wrong


def _numbers(book: Book, rows: Integers) -> tuple[int, ...]:
    return tuple((rows + 1 if book.rows is None else book.rows[rows]).tolist())


def _dates(coded: Coded) -> Dates:
    days = np.asarray(coded.values).astype(np.int64)
    return np.where(days == MISSING_DATE, np.datetime64("NaT", "D"), days.astype("datetime64[D]"))


def _filled(coded: Coded) -> Booleans:
    return np.asarray(pc.fill_null(pc.greater(pc.utf8_length(coded.values), 0), False).to_numpy(zero_copy_only=False))


def _repeated(values: pa.Array) -> Booleans:
    codes = values.dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False)
    counts = np.bincount(codes + 1)
    return np.asarray((counts[codes + 1] > 1) & (codes >= 0))


def _place(values: pa.Array, among: pa.Array) -> Integers:
    """Return the position of each value, -1 where there is none."""
    found = pc.index_in(values, value_set=among, skip_nulls=True).fill_null(-1)
    return np.asarray(found.to_numpy(zero_copy_only=False)).astype(np.int64)


def _money(cells: Mapping[str, Coded], name: str) -> Floats:
    """Return yuan from the fen or the yuan column, NaN where neither is given."""
    if f"{name}_fen" in cells:
        return np.asarray(cells[f"{name}_fen"].values).astype(np.float64) / 100
    if f"{name}_yuan" in cells:
        return np.asarray(cells[f"{name}_yuan"].values).astype(np.float64)
    return np.full(len(next(iter(cells.values())).values), np.nan)


def _with_variables(book: Book, source: Any, wanted: Mapping[str, Column], refused: list[Refused]) -> Book:
    """Return the policies with the rating variables that stand in a table of their own, by policy number."""
    if source is None:
        return book
    lacking = {name: column for name, column in wanted.items() if name not in book.table.column_names}
    more = read_book(source, {"policy_no": POLICY["policy_no"]} | lacking)
    numbers = convert(more.table["policy_no"], POLICY["policy_no"]).values
    _aside(np.ones(len(numbers), bool), _repeated(numbers), more, "variables", "RM578", refused)
    own = convert(book.table["policy_no"], POLICY["policy_no"]).values
    at = _place(own, numbers)
    take = pa.array(np.maximum(at, 0), mask=at < 0)
    table = book.table
    for name in (name for name in lacking if name in more.table.column_names):
        table = table.append_column(name, more.table[name].combine_chunks().take(take))
    return Book(
        table,
        book.rows,
        book.file,
        book.sheet,
        book.skipped,
        {**more.conversions, **book.conversions},
        {**more.headers, **book.headers},
    )


def _segments(
    source: Any,
    numbers: pa.Array,
    start: Dates,
    end: Dates,
    book: Book,
    kept: Integers,
    amount: str,
    refused: list[Refused],
) -> Segments:
    """Return stretches of unchanged amount as shares of the amount at inception; without changes, whole terms."""
    ones = np.ones(len(start))
    if source is None or amount not in book.table.column_names:
        return segments_from_changes(start, end, ones, [], np.zeros(0, "datetime64[D]"), [])
    changes = read_book(source, CHANGE)
    cells = _columns(changes, CHANGE, "endorsements", refused)
    policy, when = _place(cells["policy_no"].values, numbers), _dates(cells["effective_date"])
    after = np.asarray(cells["amount_after"].values).astype(np.float64)
    good = (policy >= 0) & ~np.isnat(when) & ~np.isnan(after)
    good = _aside(good, (policy < 0) & _filled(cells["policy_no"]), changes, "endorsements", "RM508", refused)
    at = np.maximum(policy, 0)
    good = _aside(good, good & ~((when >= start[at]) & (when < end[at])), changes, "endorsements", "RM580", refused)
    column = Column(amount, "number", low=Decimal(0), high=Decimal(10) ** 12, decimals=4, optional=True)
    first = convert(book.table[amount], column, book.conversions.get(amount)).values
    first = np.asarray(first).astype(np.float64)[kept]
    known = good & (first[at] > 0)
    return segments_from_changes(start, end, ones, policy[known], when[known], after[known] / first[at[known]])


def _claims(source: Any, numbers: pa.Array, start: Dates, segments: Segments, refused: list[Refused]) -> dict[str, Any]:
    """Return the claims that belong to a policy in force, with the rest set aside."""
    book = read_book(source, CLAIM)
    cells = _columns(book, CLAIM, "claims", refused)
    when, policy = _dates(cells["event_date"]), _place(cells["policy_no"].values, numbers)
    paid, reserve = _money(cells, "paid"), _money(cells, "case_reserve")
    if np.isnan(paid).all():
        raise ModelError(problem("RM579", table="claims", name="paid_yuan", label="已决赔款"))
    incurred = paid + np.nan_to_num(reserve)
    good = ~np.isnat(when) & ~np.isnan(incurred) & _filled(cells["claim_no"])
    good = _aside(good, _repeated(cells["claim_no"].values), book, "claims", "RM581", refused)
    good = _aside(good, good & (incurred < 0), book, "claims", "RM582", refused)
    good = _aside(good, good & (policy < 0), book, "claims", "RM508", refused)
    at = np.flatnonzero(good)
    _, reason = match_claims(segments.policy, segments.start, segments.end, policy[at], when[at])
    outside = np.zeros(len(good), bool)
    outside[at[reason != ""]] = True
    good = _aside(good, outside, book, "claims", "RM509", refused)
    if not good.any():
        raise ModelError([problem("RM576"), *(item.problem for item in refused[:20])])
    kept = np.flatnonzero(good)
    event = np.arange(len(kept))
    if "event_no" in cells:
        codes = cells["event_no"].values.take(pa.array(kept)).dictionary_encode().indices.fill_null(-1)
        codes = np.asarray(codes.to_numpy(zero_copy_only=False)).astype(np.int64)
        event = np.where(codes < 0, len(kept) + event, codes)
    return {
        "claim_no": cells["claim_no"].values.take(pa.array(kept)),
        "policy": policy[kept],
        "event": event,
        "date": when[kept],
        "incurred": incurred[kept],
    }


def _valuations(source: Any, claims: pa.Array, refused: list[Refused]) -> tuple[Integers, Dates, Floats]:
    """Return every value of a claim at a past date; values of claims set aside are left out with them."""
    if source is None:
        return np.zeros(0, np.int64), np.zeros(0, "datetime64[D]"), np.zeros(0)
    book = read_book(source, VALUATION)
    cells = _columns(book, VALUATION, "valuations", refused)
    claim, when = _place(cells["claim_no"].values, claims), _dates(cells["valuation_date"])
    value = _money(cells, "paid") + np.nan_to_num(_money(cells, "case_reserve"))
    good = (claim >= 0) & ~np.isnat(when) & ~np.isnan(value)
    good = _aside(good, good & (value < 0), book, "valuations", "RM582", refused)
    return claim[good], when[good], value[good]
