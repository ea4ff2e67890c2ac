"""What prevention money may be used for, how a year is closed: rules as data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from ratemod.rules.options import strict
from ratemod.rules.read import read_rules
from ratemod.rules.shape import Key, keys_of

CHECKS = (
    "purpose",
    "permitted",
    "service",
    "contract",
    "delivery",
    "term",
    "cost",
    "price",
    "budget",
    "duplicate",
    "related",
    "qualified",
    "concentration",
)
FIELDS = ("credit_code", "legal_representative", "shareholder", "bank_account", "phone", "address")


@strict
@dataclass(frozen=True, slots=True)
class UseRule:
    """One rule that payments are held against.

    Attributes
    ----------
    check : one of `CHECKS`
    words : of `purpose`, a purpose that holds one of these breaks the rule; of `permitted`, one that holds none
    most_percent : Decimal, of `cost` how far a payment may differ from the cost, of `concentration` the largest share
    most_times : Decimal, of `price`, how many times the catalogue price
    least_payments : int, of `concentration`, below which nothing is said
    share_fields : of `related`, which identities are compared
    """

    name: str
    check: str
    source: str
    words: tuple[str, ...] = ()
    most_percent: Decimal = Decimal(0)
    most_times: Decimal = Decimal(1)
    least_payments: int = 0
    share_fields: tuple[str, ...] = FIELDS
    source_zh: str = ""


@strict
@dataclass(frozen=True, slots=True)
class Closing:
    """How a fund year is closed.

    Attributes
    ----------
    lapse_days : int, after so many days without delivery a contract no longer binds the budget at a year's end
    forfeit_after_years : int or None
        Money accrued in year y and unspent at the end of year y + this is forfeited; None: it is carried for ever.
    """

    lapse_days: int
    forfeit_after_years: int | None = None
    source: str = ""
    name: str = "closing"


@strict
@dataclass(frozen=True, slots=True)
class UseRules:
    """Rules of use, and of closing."""

    uses: tuple[UseRule, ...]
    closing: Closing


USE = keys_of(
    UseRule,
    check=Key(str, True, choices=CHECKS),
    words=Key(tuple[str, ...], filled=True),
    most_percent=Key(Decimal, low=0),
    most_times=Key(Decimal, low=1),
    least_payments=Key(int, low=0),
    share_fields=Key(tuple[str, ...], choices=FIELDS, filled=True),
)
CLOSING = keys_of(Closing, lapse_days=Key(int, True, low=0), forfeit_after_years=Key(int, low=0))


def read_use_rules(source: str | Path | None = None) -> UseRules:
    """Return the rules of a TOML file (``[[use]]``, one ``[[closing]]``); the shipped ones without a file.

    Raises
    ------
    PlanError
        What is wrong with the file, all at once: unknown and missing keys, values of another type or out of range.

    Examples
    --------
    >>> read_use_rules().closing.forfeit_after_years is None
    True
    """
    file = read_rules(source, "fund/data/use_rules.toml")
    file.sections(("use", "closing"))
    uses = file.records(UseRule, "use", USE, least=1, faults=_faults)
    closings = file.records(Closing, "closing", CLOSING, least=1)
    if len(file.tables("closing")) > 1:
        file.note("RM025", "closing", 1, name="closing", why="[[closing]] x 1")
    file.settle()
    uses = tuple(replace(rule, words=tuple(word.casefold() for word in rule.words)) for rule in uses)
    return UseRules(uses, closings[0])


def _faults(rule: UseRule) -> list[str]:
    return ["words = []"] if rule.check in ("purpose", "permitted") and not rule.words else []
