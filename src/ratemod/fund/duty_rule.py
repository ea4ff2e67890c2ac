"""How many services an insured is owed: by edition of the standard, sector, size and contract."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ratemod.fund.fund_table import Ints, Texts, day_number
from ratemod.rules.options import strict
from ratemod.rules.read import read_rules
from ratemod.rules.shape import Key, keys_of
from ratemod.vocabulary.codes.industry import SECTORS
from ratemod.vocabulary.codes.size_class import SIZES


@strict
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


KEYS = keys_of(
    DutyRule,
    **{
        "size_classes": Key(tuple[str, ...], True, choices=SIZES, filled=True),
        "times_a_year": Key(int, True, low=0, high=366),
        "accepted": Key(tuple[str, ...], True, filled=True),
        "from": Key(datetime.date, field="start"),
        "source": Key(str, True),
    },
)


def read_duty_rules(source: str | Path | None = None) -> tuple[DutyRule, ...]:
    """Return the rules of a TOML file with one ``[[duty]]`` each; the shipped ones (the notice) without a file.

    Raises
    ------
    PlanError
        What is wrong with the file, all at once: unknown and missing keys, values of another type or out of range.

    Examples
    --------
    >>> read_duty_rules()[0].accepted
    ('risk_assessment', 'hazard_inspection')
    """
    file = read_rules(source, "fund/data/duty_rules.toml")
    file.sections(("duty",))
    rules = file.records(DutyRule, "duty", KEYS, least=1)
    file.settle()
    return rules


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
