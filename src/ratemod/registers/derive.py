"""Fill the columns that a plan names from registers, as of each policy's first day, keeping the evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ratemod.errors import BookError, Problem, nearest, problem
from ratemod.plan.model import Plan
from ratemod.reading.book import Book
from ratemod.reading.convert import MISSING_DATE, convert
from ratemod.reading.dates import parse_date
from ratemod.reading.join import Meeting, join, texts
from ratemod.reading.unfilled import is_blank
from ratemod.registers.accident_record import AccidentRecord, accident_record
from ratemod.registers.as_of import Ints, timeline
from ratemod.registers.certificates import LEVELS, DowngradeRule, certificate_state
from ratemod.registers.coded_book import arrow_column
from ratemod.registers.days import NEVER, Days, as_days
from ratemod.registers.evidence import Evidence
from ratemod.registers.hazards import STATES, hazard_state
from ratemod.registers.integrity import GRADES, blacklisted, integrity_grade
from ratemod.registers.register import Register, meeting_of, read_register
from ratemod.registers.rules import Rules, load_rules
from ratemod.rules.options import strict
from ratemod.vocabulary.column import Column
from ratemod.vocabulary.table import table

KEY, EXPIRING = "credit_code", "expiring_premium_yuan"
OnConflict = Literal["register", "refuse"]


@dataclass(frozen=True, eq=False, slots=True)
class Registers:
    """The registers at hand; None where there is none."""

    hazards: Register | None = None
    claims: Register | None = None
    certificates: Register | None = None
    integrity: Register | None = None
    blacklist: Register | None = None
    policies: Register | None = None

    def present(self) -> Iterator[Register]:
        """Yield those that are there."""
        for name in self.__slots__:
            if (found := getattr(self, name)) is not None:
                yield found


def read_registers(**sources: Any) -> Registers:
    """Read registers from files or frames, by noun; None is passed over.

    Raises
    ------
    BookError
        What `read_register` raises.
    """
    given = {noun: read_register(source, noun) for noun, source in sources.items() if source is not None}
    return Registers(**given)


@dataclass(frozen=True, eq=False, slots=True)
class Derived:
    """A book with its columns filled.

    Attributes
    ----------
    book : Book
    evidence : mapping of column to Evidence
    problems : tuple of Problem
        Rows of registers left out, enterprises about which a register contradicts itself, and columns in which book and
        register disagree (RM247), with counts.
    joins : tuple of Meeting
        Of each register: how many rows of the book and of its own met, and whom of its own nobody asked for.
    """

    book: Book
    evidence: Mapping[str, Evidence]
    problems: tuple[Problem, ...]
    joins: tuple[Meeting, ...] = ()


@dataclass(frozen=True, eq=False, slots=True)
class _Found:
    """One derived column: values coded by `names` (levels) or plain, with the deciding row."""

    register: Register
    values: npt.NDArray[Any]
    event: Ints
    names: tuple[str, ...] = ()
    empty: npt.NDArray[np.bool_] | None = None
    besides: tuple[Register, Ints] | None = None


@strict
def derive_columns(
    book: Book,
    plan: Plan,
    registers: Registers,
    *,
    at: str = "start_date",
    rules: Rules | None = None,
    on_conflict: OnConflict = "register",
    known_on: str | None = None,
) -> Derived:
    """Fill a plan's columns from registers as of a day.

    An enterprise that a register does not name has no hazard, no certificate, no accident and is on no list; it has
    no integrity grade, and the row is refused if the plan needs one. An enterprise with refused register rows gets an
    empty cell, never a guess. Claim-free years need the register of policies, which also gives the expiring premium
    where the book has no such column.

    Parameters
    ----------
    book : Book read with the plan's columns
    plan : Plan
    registers : Registers
    at : name of a date column of the plan, or an ISO date for all rows
    rules : Rules, optional
        Default: the plan's `registers.toml`.
    on_conflict : "register" or "refuse"
        Where the book already has the column and says something else, the register's value is used and the
        disagreement reported (RM247), or nothing is priced at all.
    known_on : ISO date, optional
        Later events of hazards and claims are not known.

    Returns
    -------
    Derived

    Raises
    ------
    BookError
        RM301 the book lacks the credit code or the date;
        RM259 `at` is neither a date nor a date column; RM247 with ``on_conflict="refuse"``, all columns at once.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from ratemod.plan.editions import load_plan
    >>> plan = load_plan("jilin-spli/2025-04")
    >>> from ratemod.rating.read import read_book
    >>> book = read_book(pa.table({"credit_code": ["A", "B"], "start_date": ["2026-01-01", "2026-07-01"]}), plan)
    >>> listed = pa.table({"credit_code": ["B"], "listed_date": ["2026-07-01"]})
    >>> derive_columns(book, plan, read_registers(blacklist=listed)).book.table["blacklisted"].to_pylist()
    ['no', 'yes']
    """
    chosen = rules or load_rules(plan)
    keys, day, usable = _questions(book, plan, at)
    joins = tuple(meeting_of(register, keys) for register in registers.present())
    told = [item for register in registers.present() for item in register.refused]
    evidence: dict[str, Evidence] = {}
    table = book.table
    conversions = dict(book.conversions)
    wanted = set(plan.columns) - {name for name in (EXPIRING,) if _stated(book, name)}
    for name, found in _columns(registers, chosen, keys, day, wanted, known_on).items():
        column = plan.columns[name]
        doubt = _in_doubt(found.register, keys)
        values, valid = _coded(column, found, usable & ~doubt)
        said = convert(table[name], column, conversions.get(name)).values if name in table.column_names else None
        differs = np.zeros(len(day), dtype=bool) if said is None else _differs(column, values, valid, said)
        evidence[name] = Evidence(
            column=column,
            register=found.register,
            values=values,
            valid=valid,
            event=found.event,
            doubt=doubt,
            differs=differs,
            said=said,
            besides=found.besides,
        )
        if differs.any():
            first = int(np.argmax(differs))
            file, sheet, row = book.place(first)
            told.append(
                problem(
                    "RM247",
                    file=file,
                    sheet=sheet,
                    row=row,
                    count=int(differs.sum()),
                    column=name,
                    label=column.label("zh"),
                )
            )
        array = arrow_column(column, values, valid)
        table = (
            table.set_column(table.column_names.index(name), name, array)
            if said is not None
            else table.append_column(name, array)
        )
        conversions.pop(name, None)
    if on_conflict == "refuse" and (disagreed := [item for item in told if item.code == "RM247"]):
        raise BookError(disagreed)
    told += _doubts(registers, chosen, keys, book)
    return Derived(replace(book, table=table, conversions=conversions), evidence, tuple(told), joins)


def _questions(book: Book, plan: Plan, at: str) -> tuple[pa.DictionaryArray, Days, npt.NDArray[np.bool_]]:
    """Return the credit codes, the days, and where both are there."""
    dates = [name for name, column in plan.columns.items() if column.kind == "date"]
    if at not in dates and parse_date(at) is None:
        raise BookError(problem("RM259", at=at, nearest=nearest(at, dates)))
    needed = [KEY] if at not in plan.columns else [KEY, at]
    lacking = [
        problem(
            "RM301", file=book.file, column=name, label=plan.columns[name].label("zh") if name in plan.columns else ""
        )
        for name in needed
        if name not in book.table.column_names
    ]
    if lacking:
        raise BookError(lacking)
    keys = pc.dictionary_encode(texts(book.table[KEY]))  # once, for all registers
    day: Days
    if at in plan.columns:
        day = np.asarray(convert(book.table[at], plan.columns[at]).values).astype(np.int64)
    else:
        day = np.full(len(keys), parse_date(at), dtype=np.int64)
    there = (join(keys, []).asked >= 0) & (day != MISSING_DATE)
    return keys, np.where(day == MISSING_DATE, 0, day), there


def _columns(
    registers: Registers, rules: Rules, keys: Any, day: Days, wanted: set[str], known_on: str | None
) -> dict[str, _Found]:
    found: dict[str, _Found] = {}
    known = None if known_on is None else as_days(known_on, len(day))
    if registers.hazards is not None:
        hazards = hazard_state(registers.hazards, keys, day, rule=rules.hazards, known_on=known)
        found["hazard_state"] = _Found(registers.hazards, hazards.state, hazards.event, STATES)
        overdue = np.where(hazards.overdue_days > 0, hazards.event, -1)
        found["hazard_overdue_days"] = _Found(registers.hazards, hazards.overdue_days, overdue)
        found["pending_hazards"] = _Found(registers.hazards, hazards.pending, hazards.event)
        found["hazards_found"] = _Found(registers.hazards, hazards.repeats, hazards.event)
    if registers.certificates is not None:
        downgrade = _applicable(registers.claims, rules)
        held = certificate_state(registers.certificates, keys, day, accidents=registers.claims, downgrade=downgrade)
        struck = None if registers.claims is None else (registers.claims, held.downgraded_by)
        found["standardisation"] = _Found(registers.certificates, held.level, held.event, LEVELS, besides=struck)
        found["certificate_expiry"] = _Found(registers.certificates, held.expiry, held.event, empty=held.event < 0)
    if registers.integrity is not None:
        grade = integrity_grade(registers.integrity, keys, day)
        found["integrity_grade"] = _Found(registers.integrity, grade.grade, grade.event, GRADES)
    if registers.blacklist is not None:
        listed = blacklisted(registers.blacklist, keys, day)
        found["blacklisted"] = _Found(registers.blacklist, listed.listed.astype(np.int8), listed.event, ("no", "yes"))
    if registers.claims is not None:
        record = accident_record(
            registers.claims,
            keys,
            day,
            years=rules.accidents.years,
            policies=registers.policies,
            needs_casualty=rules.accidents.needs_casualty,
            known_on=known_on,
        )
        found |= _record(registers.claims, record, registers.policies is not None)
    if registers.policies is not None and registers.policies.has("premium_fen"):
        found[EXPIRING] = _expiring(registers.policies, keys, day)
    return {name: item for name, item in found.items() if name in wanted}


def _stated(book: Book, name: str) -> bool:
    """Return whether the book says a thing in some row: it stands."""
    return name in book.table.column_names and not is_blank(book.table, name)


def _expiring(policies: Register, keys: Any, day: Days) -> _Found:
    """Return the premium of the last policy that began before the day, in yuan; empty for a new enterprise."""
    met = policies.met(keys)
    query, firm = met.asked, met.there
    last = timeline(firm, policies.dates("start_date")).last(query, day - 1)
    premium = policies.number("premium_fen")[np.maximum(last, 0)] / 100 if len(policies) else np.zeros(len(query))
    return _Found(policies, premium, last, empty=last < 0)


def _applicable(claims: Register | None, rules: Rules) -> DowngradeRule | None:
    """Return the rule without its fatal part where nobody recorded the responsibility; `_doubts` says so."""
    rule = rules.downgrade
    if claims is None or rule is None or claims.has("main_responsibility") or not rule.main_responsibility:
        return rule
    return replace(rule, deaths=None)


def _record(claims: Register, record: AccidentRecord, with_policies: bool) -> dict[str, _Found]:
    counts, last = record.accidents, record.last_by_grade
    found = {
        "general_accidents": _Found(claims, counts[:, 0], last[:, 0]),
        "larger_accidents": _Found(claims, counts[:, 1], last[:, 1]),
        "major_accidents": _Found(claims, counts[:, 2:].sum(axis=1), last[:, 2:].max(axis=1)),
        "claims_3_years": _Found(claims, record.claims, np.where(record.claims > 0, record.last, -1)),
        "deaths_3_years": _Found(claims, record.deaths, np.where(record.deaths > 0, record.last, -1)),
    }
    if with_policies:
        found["claim_free_years"] = _Found(claims, record.claim_free_years, record.last)
    return found


def _coded(
    column: Column, found: _Found, usable: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """Return the values as the plan codes them, and where there is one."""
    if found.names:
        place = np.array([*(column.place.get(name, -1) for name in found.names), -1], dtype=column.code_type)
        values = place[found.values.astype(np.int64)]
        return np.where(usable, values, column.code_type(-1)), usable & (values >= 0)
    return found.values, usable if found.empty is None else usable & ~found.empty


def _in_doubt(register: Register, keys: Any) -> npt.NDArray[np.bool_]:
    if not len(register.doubtful):
        return np.zeros(len(keys), dtype=bool)
    return ~join(keys, register.doubtful).unmet()


def _differs(
    column: Column, values: npt.NDArray[Any], valid: npt.NDArray[np.bool_], said: npt.NDArray[Any]
) -> npt.NDArray[np.bool_]:
    """Return where the book says something, and something else than the register."""
    if column.kind in ("level", "flag"):
        given, equal = said >= 0, said == values
    elif column.kind == "date":
        given = said != MISSING_DATE
        equal = (said == values) & valid
        return np.asarray(given & ~equal & (valid | (values >= NEVER)))
    else:
        given, equal = ~np.isnan(said.astype(np.float64)), said == values
    return np.asarray(given & valid & ~equal)


def _doubts(registers: Registers, rules: Rules, keys: Any, book: Book) -> list[Problem]:
    """Return which registers contradict themselves about how many rows of the book, and rules not applied."""
    told = []
    for register in registers.present():
        rows = np.flatnonzero(_in_doubt(register, keys))
        if len(rows):
            file, sheet, row = book.place(int(rows[0]))
            named = {"noun": table(register.noun).label_en.lower(), "noun_zh": table(register.noun).label_zh}
            told.append(problem("RM248", file=file, sheet=sheet, row=row, count=len(rows), **named))
    claims, rule = registers.claims, rules.downgrade
    if registers.certificates is None or claims is None or rule is None or rule.deaths is None:
        return told
    silent = claims.number("deaths") >= rule.deaths
    if claims.has("main_responsibility"):
        silent &= np.asarray(claims.values["main_responsibility"]) < 0
    if rule.main_responsibility and silent.any():
        told.append(problem("RM249", file=claims.file, count=int(silent.sum())))
    return told
