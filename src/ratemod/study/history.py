"""A loss history as found: policies, their mid-term changes, claims and the claims' values at past dates.

A history is a folder (``policies``, ``claims`` and, where there are any, ``endorsements``, ``valuations``,
``variables`` or ``panel``; Parquet, CSV or Excel) or a mapping of the same names to frames. Rows that cannot be used
are kept aside with their reason and their money; nothing is filled in, and what is repeated cell for cell counts once.
The rows are put into the order of their numbers first, so that a study of the same rows is the same study.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ratemod.errors import ModelError, Problem, problem
from ratemod.plan.model import Plan
from ratemod.ratemaking.arrays import Booleans, Dates, Floats, Integers
from ratemod.ratemaking.exposure import Segments, match_claims, segments_from_changes
from ratemod.reading.book import Book
from ratemod.reading.convert import MISSING_DATE, Coded, convert
from ratemod.reading.decimals import measured
from ratemod.reading.folder import found_in
from ratemod.reading.join import join
from ratemod.reading.read import read_book
from ratemod.study.intake import Intake, count_once, in_order, intake_of
from ratemod.vocabulary.column import Column
from ratemod.vocabulary.table import pick

NEEDED = ("policies", "claims")
EXTRA = ("endorsements", "valuations", "variables", "panel", "rate_changes", "renewals")
POLICY = pick("policies", ("policy_no", "start_date", "end_date"), ("credit_code", "premium"))
CHANGE = pick("endorsements", ("policy_no", "effective_date"), ("amount_after", "heads_after"))
CLAIM = pick("claims", ("claim_no", "policy_no", "event_date"), ("event_no", "paid", "case_reserve"))
VALUATION = pick("valuations", ("claim_no", "valuation_date"), ("paid", "case_reserve"))
RATE_CHANGE = pick("rate_changes", ("effective_date", "factor"))


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
    intake : what came in of every table, and why a row is left out
    claim_no : (m,) strings; claim_row : (m,) int64, position of each claim in its intake
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
    intake: Mapping[str, Intake]
    claim_no: pa.Array
    claim_row: Integers
    synthetic: bool
    digests: Mapping[str, str]

    @property
    def refused(self) -> tuple[Refused, ...]:
        """Return the rows set aside, with reasons."""
        return tuple(Refused(name, rows, why) for name, found in self.intake.items() for why, rows, _ in found.left())


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
        found = dict(found_in(path))
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
    intake: dict[str, Intake] = {}
    wanted = {name: column for name, column in plan.columns.items() if name not in POLICY}
    listed = read_book(tables["policies"], POLICY | wanted, shared="policies")
    book = in_order(listed, ["policy_no", "start_date", "end_date"])
    variables = next((name for name in ("variables", "panel") if name in tables), None)
    book = book if variables is None else _with_variables(book, tables[variables], variables, wanted, intake)
    found = intake["policies"] = intake_of("policies", book)
    cells = _columns(book, POLICY, found)
    start, end = (_dates(cells[name]) for name in ("start_date", "end_date"))
    found.yuan = _money(cells, "premium", found, needed=False)
    found.leave(~(end > start), problem("RM577"))
    count_once(found, book, [cells["policy_no"].values], problem("RM578"))
    if not found.good.any():
        raise ModelError([problem("RM575"), *found.problems[:20]])
    kept = np.flatnonzero(found.good)
    numbers = cells["policy_no"].values.take(pa.array(kept))
    term = (start[kept], end[kept])
    segments = _segments(tables.get("endorsements"), numbers, term, book, kept, amount, intake)
    claims = _claims(tables["claims"], numbers, segments, intake)
    valued = _valuations(tables.get("valuations"), claims["claim_no"], intake)
    change_date, change = _rate_changes(tables.get("rate_changes"), intake)
    return History(
        book=book.take(kept),
        start=term[0],
        end=term[1],
        premium_yuan=found.yuan[kept],
        firm=_firms(cells, kept),
        segments=segments,
        claim_policy=claims["policy"],
        claim_event=claims["event"],
        claim_date=claims["date"],
        incurred_yuan=claims["incurred"],
        valued_claim=valued[0],
        valued_date=valued[1],
        valued_yuan=valued[2],
        change_date=change_date,
        change=change,
        intake=intake,
        claim_no=claims["claim_no"],
        claim_row=claims["row"],
        synthetic=is_synthetic(source),
        digests={name: digest_of(item) for name, item in tables.items()},
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


def _rate_changes(source: Any, intake: dict[str, Intake]) -> tuple[Dates, Floats]:
    if source is None:
        return np.zeros(0, "datetime64[D]"), np.zeros(0)
    book = in_order(read_book(source, RATE_CHANGE, shared="rate_changes"), ["effective_date"])
    found = intake["rate_changes"] = intake_of("rate_changes", book)
    cells = _columns(book, RATE_CHANGE, found)
    when, factor = _dates(cells["effective_date"]), np.asarray(cells["factor"].values).astype(np.float64)
    return when[found.good], factor[found.good] - 1


def digest_of(source: Any) -> str:
    """Return the SHA-256 of a file, of several together, or of a frame's columns as Arrow writes them."""
    if isinstance(source, str | Path) and Path(source).is_dir():
        source = tuple(sorted(file for file in Path(source).rglob("*") if file.is_file()))
    if isinstance(source, tuple):
        return hashlib.sha256("".join(map(digest_of, source)).encode()).hexdigest()
    if isinstance(source, str | Path):
        with open(source, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    sink = pa.BufferOutputStream()
    table = pa.table(source)
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return hashlib.sha256(sink.getvalue()).hexdigest()


def _columns(book: Book, declared: Mapping[str, Column], found: Intake) -> dict[str, Coded]:
    """Return the declared columns that the table has, converted; a cell that cannot be read sets its row aside."""
    cells = {}
    for name, column in declared.items():
        if name not in book.table.column_names:
            continue
        values, size = book.table[name], book.conversions.get(name)
        if column.unit == "yuan":  # shares of an amount are measures, not cells that someone wrote
            values = measured(values, column.decimals, size)
        coded = convert(values, column, size)
        for at, item in enumerate(coded.problems, 1):
            found.leave(np.asarray(coded.problem_of) == at, item)
        cells[name] = coded
    lacking = [name for name, column in declared.items() if name not in cells and not column.optional]
    if lacking:
        raise ModelError(
            problem("RM579", table=found.table, name=name, label=declared[name].label_zh) for name in lacking
        )
    return cells


def _dates(coded: Coded) -> Dates:
    days = np.asarray(coded.values).astype(np.int64)
    return np.where(days == MISSING_DATE, np.datetime64("NaT", "D"), days.astype("datetime64[D]"))


def _money(cells: Mapping[str, Coded], name: str, found: Intake, *, needed: bool) -> Floats:
    """Return yuan from the fen and the yuan column; rows where both say different amounts are left out.

    Where the column is needed, or is there at all, an empty cell leaves its row out: it is not nothing.
    """
    given = [
        (column, np.asarray(cells[column].values).astype(np.float64) / unit)
        for column, unit in ((f"{name}_fen", 100), (f"{name}_yuan", 1))
        if column in cells
    ]
    if not given:
        return np.full(len(found.numbers), np.nan)
    yuan = given[0][1]
    for column, other in given[1:]:
        found.leave(np.abs(yuan - other) > 0.005, problem("RM991", one=given[0][0], other=column))
        yuan = np.where(np.isnan(yuan), other, yuan)
    if needed:
        found.leave(np.isnan(yuan), problem("RM971", name=" / ".join(column for column, _ in given)))
    return yuan


def _with_variables(
    book: Book, source: Any, noun: str, wanted: Mapping[str, Column], intake: dict[str, Intake]
) -> Book:
    """Return the policies with the rating variables that stand in a table of their own, by policy number."""
    lacking = {
        name: column
        for name, column in wanted.items()
        if name not in book.table.column_names and column.kind != "text"  # a text rates nothing
    }
    more = read_book(source, {"policy_no": POLICY["policy_no"]} | lacking, shared=noun)
    found = intake["variables"] = intake_of("variables", more)
    numbers = _columns(more, {"policy_no": POLICY["policy_no"]}, found)["policy_no"].values
    count_once(found, more, [numbers], problem("RM578"))
    own = convert(book.table["policy_no"], POLICY["policy_no"]).values
    found.leave_unmet(join(numbers, own), "policies")
    used = np.flatnonzero(found.good)
    at = join(own, numbers.take(pa.array(used))).place()
    take = pa.array(used[np.maximum(at, 0)] if len(used) else np.zeros(len(at), np.int64), mask=at < 0)
    table = book.table
    for name in (name for name in lacking if name in more.table.column_names):
        table = table.append_column(name, more.table[name].combine_chunks().take(take))
    return replace(
        book,
        table=table,
        conversions={**more.conversions, **book.conversions},
        headers={**more.headers, **book.headers},
    )


def _segments(
    source: Any,
    numbers: pa.Array,
    term: tuple[Dates, Dates],
    book: Book,
    kept: Integers,
    amount: str,
    intake: dict[str, Intake],
) -> Segments:
    """Return stretches of unchanged amount as shares of the amount at inception; without changes, whole terms."""
    start, end = term
    ones = np.ones(len(start))
    if source is None or amount not in book.table.column_names:
        return segments_from_changes(start, end, ones, [], np.zeros(0, "datetime64[D]"), [])
    listed = read_book(source, CHANGE, shared="endorsements")
    changes = in_order(listed, ["policy_no", "effective_date", "amount_after", "heads_after"])
    found = intake["endorsements"] = intake_of("endorsements", changes)
    cells = _columns(changes, CHANGE, found)
    met, when = join(cells["policy_no"].values, numbers), _dates(cells["effective_date"])
    policy = met.place()
    given = next((name for name in ("amount_after", "heads_after") if name in cells), None)
    if given is None:
        label = CHANGE["amount_after"].label_zh
        raise ModelError(problem("RM579", table="endorsements", name="amount_after", label=label))
    after = np.asarray(cells[given].values).astype(np.float64)
    at = np.maximum(policy, 0)
    column = Column(amount, "number", low=Decimal(0), high=Decimal(10) ** 12, decimals=4, optional=True)
    first = convert(book.table[amount], column, book.conversions.get(amount)).values
    first = np.asarray(first).astype(np.float64)[kept]
    found.leave_unmet(met, "policies")
    found.leave(~((when >= start[at]) & (when < end[at])), problem("RM580"))
    found.leave(~(first[at] > 0), problem("RM976", name=amount))
    count_once(found, changes, [cells["policy_no"].values, pa.array(when.astype(np.int64))], problem("RM975"))
    used = found.good
    return segments_from_changes(start, end, ones, policy[used], when[used], after[used] / first[at[used]])


def _claims(source: Any, numbers: pa.Array, segments: Segments, intake: dict[str, Intake]) -> dict[str, Any]:
    """Return the claims that belong to a policy in force, with the rest set aside."""
    book = in_order(read_book(source, CLAIM, shared="claims"), ["claim_no", "policy_no", "event_date"])
    found = intake["claims"] = intake_of("claims", book)
    cells = _columns(book, CLAIM, found)
    when, met = _dates(cells["event_date"]), join(cells["policy_no"].values, numbers)
    policy = met.place()
    if not {"paid_fen", "paid_yuan"} & set(cells):
        raise ModelError(problem("RM579", table="claims", name="paid_yuan", label="已决赔款"))
    found.yuan = _incurred(cells, found)
    count_once(found, book, [cells["claim_no"].values], problem("RM581"))
    found.leave(found.yuan < 0, problem("RM582"))
    found.leave_unmet(met, "policies")
    at = np.flatnonzero(found.good)
    _, reason = match_claims(segments.policy, segments.start, segments.end, policy[at], when[at])
    outside = np.zeros(len(policy), bool)
    outside[at[reason != ""]] = True
    found.leave(outside, problem("RM509"))
    if not found.good.any():
        raise ModelError([problem("RM576"), *found.problems[:20]])
    kept = np.flatnonzero(found.good)
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
        "incurred": found.yuan[kept],
        "row": kept,
    }


def _incurred(cells: Mapping[str, Coded], found: Intake) -> Floats:
    """Return what is paid and reserved; without a column of reserves, what is paid."""
    paid, reserve = _money(cells, "paid", found, needed=True), _money(cells, "case_reserve", found, needed=True)
    return paid + (reserve if {"case_reserve_fen", "case_reserve_yuan"} & set(cells) else 0.0)


def _valuations(source: Any, claims: pa.Array, intake: dict[str, Intake]) -> tuple[Integers, Dates, Floats]:
    """Return every value of a claim at a past date; values of claims set aside are left out with them."""
    if source is None:
        return np.zeros(0, np.int64), np.zeros(0, "datetime64[D]"), np.zeros(0)
    book = in_order(read_book(source, VALUATION, shared="valuations"), ["claim_no", "valuation_date"])
    found = intake["valuations"] = intake_of("valuations", book)
    cells = _columns(book, VALUATION, found)
    met, when = join(cells["claim_no"].values, claims), _dates(cells["valuation_date"])
    claim = met.place()
    found.yuan = _incurred(cells, found)
    count_once(found, book, [cells["claim_no"].values, pa.array(when.astype(np.int64))], problem("RM975"))
    found.leave(found.yuan < 0, problem("RM582"))
    found.leave_unmet(met, "claims")
    between = _between_years(when, found.good)
    found.leave(between, problem("RM474", days=", ".join(str(day) for day in np.unique(when[between])[:6])))
    used = found.good
    return claim[used], when[used], found.yuan[used]


def _between_years(when: Dates, good: Booleans) -> Booleans:
    """Return which values stand on a day that is no whole number of years before the last, as quarters' ends do.

    Raises
    ------
    ModelError
        RM590 where a year before has no value of that month at all: then nothing is a year apart.
    """
    if not good.any():
        return np.zeros(len(when), bool)
    months = np.where(good, when, when[good][0]).astype("datetime64[M]").astype(np.int64)
    last, first = int(months[good].max()), int(months[good].min())
    if not set(range(last, first - 1, -12)) <= set(months[good].tolist()):
        raise ModelError(problem("RM590", dates=", ".join(str(day) for day in np.unique(when[good])[:6])))
    found: Booleans = good & ((last - months) % 12 != 0)
    return found
