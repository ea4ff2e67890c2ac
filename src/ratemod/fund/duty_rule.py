"""How many services an insured is owed: by edition of the standard, sector, size and contract."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from ratemod.errors import BookError, Problem, problem
from ratemod.fund.fund_table import Ints, Texts, check_keys, day_number, toml_rows
from ratemod.vocabulary.codes.industry import SECTORS
from ratemod.vocabulary.codes.size_class import SIZES

KEYS = ("edition", "sector", "size_classes", "times_a_year", "accepted", "from", "until", "source")
NEEDED = ("edition", "size_classes", "times_a_year", "accepted", "source")


@dataclass(frozen=True, slots=True)
class DutyRule:
    """Services owed in a policy year to insureds of some sizes in one sector, or in every high-risk sector (``*``).

    Attributes
    ----------
    edition : str
        Edition of the service standard.
    accepted : tuple of str
        Kinds of service that fulfil the duty.
    start, until : date or None
        First day, and the first day no longer, on which the insured year starts.
    """

    edition: str
    size_classes: tuple[str, ...]
    times_a_year: int
    accepted: tuple[str, ...]
    sector: str = "*"
    start: datetime.date | None = None
    until: datetime.date | None = None
    source: str = ""


def read_duty_rules(source: str | Path | None = None) -> tuple[DutyRule, ...]:
    """Return the rules of a TOML file with one ``[[duty]]`` each; the shipped ones (the notice) without a file.

    Raises
    ------
    BookError
        RM702 unreadable, RM703 unknown key, RM704 missing key, RM706 a value that is not allowed.

    Examples
    --------
    >>> read_duty_rules()[0].accepted
    ('risk_assessment', 'hazard_inspection')
    """
    if source is None:
        with resources.as_file(resources.files("ratemod") / "fund" / "data" / "duty_rules.toml") as shipped:
            return read_duty_rules(shipped)
    found: list[DutyRule] = []
    wrong: list[Problem] = []
    for at, row in enumerate(toml_rows(source, "duty"), start=1):
        faults = check_keys(row, KEYS, NEEDED, str(source), at)
        if not faults:
            found.append(_rule(row))
            faults = [
                problem("RM706", file=str(source), rule=str(row["edition"]), why=why) for why in _faults(found[-1])
            ]
        wrong += faults
    if wrong:
        raise BookError(wrong)
    return tuple(found)


def _rule(row: Mapping[str, Any]) -> DutyRule:
    return DutyRule(
        str(row["edition"]),
        tuple(map(str, row["size_classes"])),
        row["times_a_year"],
        tuple(map(str, row["accepted"])),
        str(row.get("sector", "*")),
        row.get("from"),
        row.get("until"),
        str(row["source"]),
    )


def _faults(rule: DutyRule) -> list[str]:
    found = [f"size_classes: {name}" for name in rule.size_classes if name not in SIZES]
    if not isinstance(rule.times_a_year, int) or not 0 <= rule.times_a_year <= 366:
        found.append(f"times_a_year = {rule.times_a_year}")
    if not rule.accepted:
        found.append("accepted = []")
    return found


def owed_by_rule(rules: Sequence[DutyRule], sector: Texts, size: Texts, start: Ints) -> tuple[Ints, Ints]:
    """Return services owed a year and the place of the rule that owes most, each (n,) int64; -1 where no rule.

    ``*`` is the eight high-risk sectors of the notice (`ratemod.book.industry.SECTORS`), and no other.
    """
    owed, which = np.zeros(len(sector), dtype=np.int64), np.full(len(sector), -1, dtype=np.int64)
    for at, rule in enumerate(rules):
        fits = np.isin(size.astype(str), rule.size_classes)
        fits &= np.isin(sector.astype(str), SECTORS) if rule.sector == "*" else sector == rule.sector
        if rule.start is not None:
            fits &= start >= int(day_number(rule.start) or 0)
        if rule.until is not None:
            fits &= start < int(day_number(rule.until) or 0)
        more = fits & (rule.times_a_year > owed)
        owed[more], which[more] = rule.times_a_year, at
    return owed, which
