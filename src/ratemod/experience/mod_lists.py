"""The lists that modifications are made from, as people keep them: claims, exposures, successions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ratemod.errors import BookError, ModelError, Problem, problem
from ratemod.experience.exposure_list import ExposureList, mark
from ratemod.experience.losses import Booleans, ClaimList, Floats, Integers
from ratemod.experience.payroll import by_class
from ratemod.experience.split import SplitRule
from ratemod.experience.successions import Successions, faults
from ratemod.money import in_fen
from ratemod.reading.book import Book
from ratemod.reading.checks import differs_within
from ratemod.reading.convert import MISSING_DATE, convert
from ratemod.reading.decimals import measured
from ratemod.reading.join import join
from ratemod.reading.read import read_book
from ratemod.vocabulary.column import FLAG_LEVELS, Column
from ratemod.vocabulary.table import pick, table

CLAIMS = pick("firm_claims", (), table("firm_claims").fields())
EXPOSURE = pick("exposure", (), table("exposure").fields())
SUCCESSION = pick("successions", table("successions").fields())
AMOUNTS = ("paid_fen", "paid_yuan", "incurred_fen", "incurred_yuan")  # of a claim, one of them at least
NEEDED, VALUED = ("credit_code", "event_date", *AMOUNTS), ("valuation_date", "claim_no")
FIRM = CLAIMS["credit_code"]


def read_exposure(source: Any, effective: Any, rule: SplitRule | None = None) -> ExposureList:
    """Read the exposure list; a firm that cannot be modified keeps its reason (RM616, RM617, unreadable cells).

    One row a firm with its expected losses, or one row a firm, class (and year, and state) with payroll, where the plan
    has a table of classes.
    """
    book = read_book(source, EXPOSURE, shared="exposure")
    n = book.table.num_rows
    found = np.zeros(n, dtype=np.int32)
    problems: list[Problem] = []
    columns = {
        name: cells_of(book, EXPOSURE[name], found, problems) for name in EXPOSURE if name in book.table.column_names
    }
    if "credit_code" in columns:
        _named(columns["credit_code"], found, problems)
    if "class_code" in columns and rule is not None and rule.class_rates is not None:
        _need(book, ("credit_code", "payroll_yuan"), EXPOSURE)
        return by_class(columns, effective, rule, found, book.at_their_rows(found, problems))
    needed = ("credit_code", "expected_losses_yuan", "expected_primary_losses_yuan")
    _need(book, needed if rule is None or rule.d_ratio is None else needed[:2], EXPOSURE)
    if "expected_primary_losses_yuan" not in columns:
        columns["expected_primary_losses_yuan"] = np.zeros(n)
    firms = columns["credit_code"]
    codes = firms.dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False) + 1
    counts = np.bincount(codes)
    mark(found, problems, "RM616", (counts[codes] > 1) & (codes > 0))
    expected, primary = columns["expected_losses_yuan"], columns["expected_primary_losses_yuan"]
    least = expected > 0 if rule is None or rule.new_firm_mod is None else expected >= 0
    mark(found, problems, "RM617", ~(least & (primary >= 0) & (primary <= expected)))
    if "start_date" in columns:
        day = columns["start_date"]
    elif effective is not None:
        day = np.full(n, np.datetime64(effective, "D"))
    else:
        raise ModelError(problem("RM619", name="start_date", label="保险起期"))
    mark(found, problems, "RM612", np.isnat(day), claims=0)
    blank = np.full(n, np.nan)
    exposed, years = _exposed(book)
    states, shares = _states(columns.get("state"), found, problems)
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
        tuple(book.at_their_rows(found, problems)),
        None,
        columns.get("latest_premium_yuan"),
        columns.get("average_premium_yuan"),
        states,
        shares,
        0,
        columns.get("group"),
    )


def _states(
    given: pa.Array | None, found: npt.NDArray[np.int32], problems: list[Problem]
) -> tuple[tuple[str, ...], Floats | None]:
    """Return the states of a list with one row a firm, each firm in one."""
    if given is None:
        return (), None
    coded = given.dictionary_encode()
    place = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    names = tuple(coded.dictionary.to_pylist())
    mark(found, problems, "RM623", place < 0, name="")
    shares = np.zeros((len(place), len(names)))
    shares[np.arange(len(place)), np.maximum(place, 0)] = 1.0
    return names, shares


def read_claims(source: Any, firms: pa.Array, states: tuple[str, ...] = (), *, valuations: bool = False) -> ClaimList:
    """Read the claims list and find each claim's firm; a claim of no firm is counted, not lost.

    With `valuations` a claim may stand there once for each day on which it was valued.
    """
    book = _read_or_none(source, CLAIMS, "firm_claims", (*NEEDED, *(VALUED if valuations else ())))
    if book is None:
        return _no_claims()
    _need(book, ("credit_code", "event_date"), CLAIMS)
    if set(AMOUNTS).isdisjoint(book.table.column_names):
        raise ModelError(problem("RM619", name="paid_yuan", label=CLAIMS["paid_yuan"].label_zh))
    n = book.table.num_rows
    wrong = np.zeros(n, dtype=np.int32)
    problems: list[Problem] = []
    columns = {
        name: cells_of(book, CLAIMS[name], wrong, problems) for name in CLAIMS if name in book.table.column_names
    }
    _named(columns["credit_code"], wrong, problems)
    firm = join(columns["credit_code"], firms).place()
    incurred = _incurred(columns, wrong, problems, n)
    if "claim_no" in columns:
        day = columns["valuation_date"].astype(np.int64) if valuations and "valuation_date" in columns else None
        mark(wrong, problems, "RM629", _twice(columns["claim_no"], firm, day))
        mark(wrong, problems, "RM399", differs_within(columns["credit_code"], columns["claim_no"]))
    event = np.arange(n)
    if "event_no" in columns:
        codes = columns["event_no"].dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False)
        event = np.where(codes < 0, n + event, codes)
    light = columns.get("medical_only")
    return ClaimList(
        firm,
        columns["event_date"],
        incurred,
        event.astype(np.int64),
        columns.get("valuation_date"),
        np.zeros(n, bool) if light is None else light == 1,
        columns.get("claim_no", pa.array([str(i + 1) for i in range(n)]) if n < 100_000 else None),
        *_coded(columns.get("kind"), None),
        _coded(columns.get("state"), states)[0],
        wrong if wrong.any() else None,
        tuple(book.at_their_rows(wrong, problems)),
        columns["credit_code"],
    )


def _named(firms: pa.Array, found: npt.NDArray[np.int32], problems: list[Problem]) -> None:
    """Refuse rows that name no firm (RM201)."""
    blank = firms.is_null().to_numpy(zero_copy_only=False)
    mark(found, problems, "RM201", blank, column=FIRM.name, label=FIRM.label_zh)


def _no_claims() -> ClaimList:
    none = np.zeros(0, dtype=np.int64)
    day = none.astype("datetime64[D]")
    return ClaimList(none, day, none, none, day, none.astype(bool), pa.array([], pa.string()))


def _twice(number: pa.Array, firm: npt.NDArray[Any], day: Integers | None = None) -> Booleans:
    """Return which claims have a number that their firm has twice; with `day`, twice valued on one day."""
    coded = number.dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    if (np.bincount(coded + 1)[1:] < 2).all():
        return np.zeros(len(coded), dtype=bool)
    key = coded * (int(firm.max()) + 2) + firm
    if day is not None:
        key = np.unique(key, return_inverse=True)[1] * 1_000_000 + np.clip(day, 0, 999_999)
    _, place, count = np.unique(key, return_inverse=True, return_counts=True)
    return np.asarray((count[place] > 1) & (coded >= 0) & (firm >= 0), dtype=bool)


def _coded(given: pa.Array | None, names: tuple[str, ...] | None) -> tuple[Integers | None, tuple[str, ...]]:
    """Return text as places among its own names, or among those given; −1 where it is empty or another."""
    if given is None:
        return None, ()
    coded = given.dictionary_encode()
    own = tuple(coded.dictionary.to_pylist())
    place = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    if names is None:
        return place, own
    to = np.array([*(names.index(name) if name in names else -1 for name in own), -1], dtype=np.int64)
    return to[place], names


def successions_of(source: Any, firms: ExposureList) -> Successions:
    """Read successions; a header alone says that nobody handed anything over.

    Raises
    ------
    ModelError
        RM396 a firm that is not in the exposure list; RM614, RM615 shares or successions that cannot be.
    """
    book = _read_or_none(source, SUCCESSION, "successions")
    if book is None:
        none = np.zeros(0, dtype=np.int64)
        return Successions(old=none, new=none, share=none.astype(float))
    _need(book, tuple(SUCCESSION), SUCCESSION)
    wrong, unread = np.zeros(book.table.num_rows, dtype=np.int32), list[Problem]()
    old, new, share = (cells_of(book, SUCCESSION[name], wrong, unread) for name in ("from_code", "to_code", "share"))
    if unread:
        raise BookError(book.at_their_rows(wrong, unread))
    joins = [join(part, firms.firms) for part in (old, new)]
    if lost := [told for met in joins for told in met.told("successions", "exposure", file=book.file)]:
        raise ModelError(lost)
    old, new = (met.place() for met in joins)
    if told := faults(old, new, share, lambda at: str(firms.firms[at])):
        raise ModelError(told)
    return Successions(old=old, new=new, share=share)


def _read_or_none(
    source: Any, declared: Mapping[str, Column], shared: str, needed: tuple[str, ...] = ()
) -> Book | None:
    """Return a list, or None where there is nothing under its header: nothing happened."""
    try:
        return read_book(source, declared, shared=shared, needed=needed)
    except BookError as error:
        if [item.code for item in error.problems] == ["RM225"]:
            return None
        raise


def _need(book: Book, names: tuple[str, ...], declared: Mapping[str, Column]) -> None:
    lacking = [name for name in names if name not in book.table.column_names]
    if lacking:
        raise ModelError(problem("RM619", name=name, label=declared[name].label_zh) for name in lacking)


def cells_of(book: Book, column: Column, found: npt.NDArray[np.int32], problems: list[Problem]) -> Any:
    """Return a column's values; a cell that cannot be read marks its row."""
    array, size = book.table[column.name], book.conversions.get(column.name)
    if column.kind == "number":
        array = measured(array, column.decimals, size)
    coded = convert(array, column, size)
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


def _incurred(columns: Mapping[str, Any], wrong: npt.NDArray[np.int32], problems: list[Problem], n: int) -> Integers:
    """Return each claim's whole fen: paid and reserve, or incurred in one sum; what is given twice must agree.

    A paid or incurred amount that is empty refuses its firm (RM630), a reserve may be empty: a closed claim has none.
    """
    paid, reserve = (_money(columns, name, wrong, problems, n) for name in ("paid", "case_reserve"))
    in_one = _money(columns, "incurred", wrong, problems, n)
    parts = paid + np.nan_to_num(reserve)
    mark(wrong, problems, "RM671", (parts != in_one) & ~np.isnan(parts) & ~np.isnan(in_one), name="incurred")
    incurred = np.where(np.isnan(parts), in_one, parts)
    has_paid = any(name.startswith("paid_") for name in columns)
    mark(wrong, problems, "RM630", np.isnan(paid if has_paid else incurred) & np.isnan(in_one))
    return np.nan_to_num(incurred).astype(np.int64)


def _money(
    columns: Mapping[str, Any], name: str, wrong: npt.NDArray[np.int32], problems: list[Problem], n: int
) -> Floats:
    """Return whole fen from the fen and the yuan column, NaN where neither is filled; both must agree (RM671)."""
    fen = np.asarray(columns.get(f"{name}_fen", np.full(n, np.nan)), dtype=np.float64)
    from_yuan = in_fen(columns.get(f"{name}_yuan", np.full(n, np.nan)))
    mark(wrong, problems, "RM671", (fen != from_yuan) & ~np.isnan(fen) & ~np.isnan(from_yuan), name=name)
    return np.where(np.isnan(fen), from_yuan, fen)


def _exposed(book: Book) -> tuple[Booleans | None, tuple[str, ...]]:
    """Return in which years each firm had exposure, from columns exposed_YYYY; None where the list has none."""
    names = sorted(name for name in book.table.column_names if name.startswith("exposed_") and name[8:].isdigit())
    if not names:
        return None, ()
    coded = [convert(book.table[name], Column(name, "flag", levels=FLAG_LEVELS, optional=True)) for name in names]
    wrong = [item for found in coded for item in found.problems]
    if wrong:
        raise BookError(wrong)
    return np.stack([found.values == 1 for found in coded], axis=1), tuple(name[8:] for name in names)
