"""What prevention money may be used for, how a year is closed: rules as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from importlib import resources
from pathlib import Path
from typing import Any

from ratemod.errors import BookError, Problem, nearest, problem
from ratemod.fund.fund_table import check_keys, toml_rows

CHECKS = (
    "purpose",
    "permitted",
    "service",
    "contract",
    "delivery",
    "cost",
    "price",
    "budget",
    "duplicate",
    "related",
    "concentration",
)
FIELDS = ("credit_code", "legal_representative", "shareholder", "bank_account", "phone", "address")
USE = ("name", "check", "words", "most_percent", "most_times", "least_payments", "share_fields", "source", "source_zh")
CLOSING = ("name", "lapse_days", "forfeit_after_years", "source")


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


@dataclass(frozen=True, slots=True)
class UseRules:
    """Rules of use, and of closing."""

    uses: tuple[UseRule, ...]
    closing: Closing


def read_use_rules(source: str | Path | None = None) -> UseRules:
    """Return the rules of a TOML file (``[[use]]``, one ``[[closing]]``); the shipped ones without a file.

    Raises
    ------
    BookError
        RM702 unreadable, RM703 unknown key, RM704 missing key, RM706 a value that is not allowed.

    Examples
    --------
    >>> read_use_rules().closing.forfeit_after_years is None
    True
    """
    if source is None:
        with resources.as_file(resources.files("ratemod") / "fund" / "data" / "use_rules.toml") as shipped:
            return read_use_rules(shipped)
    wrong: list[Problem] = []
    uses: list[UseRule] = []
    closings: list[Closing] = []
    for key, known, needed in (("use", USE, ("name", "check", "source")), ("closing", CLOSING, CLOSING[:2])):
        for at, row in enumerate(toml_rows(source, key), start=1):
            faults = check_keys(row, known, needed, str(source), at)
            if not faults:
                try:
                    if key == "use":
                        uses.append(_use(row))
                    else:
                        closings.append(_closing(row))
                except (ValueError, TypeError, InvalidOperation) as error:
                    faults = [problem("RM706", file=str(source), rule=str(row["name"]), why=str(error))]
            wrong += faults
    if len(closings) > 1:
        wrong.append(problem("RM706", file=str(source), rule="closing", why="[[closing]] x 1"))
    if wrong:
        raise BookError(wrong)
    return UseRules(tuple(uses), closings[0])


def _use(row: Mapping[str, Any]) -> UseRule:
    rule = UseRule(
        str(row["name"]),
        str(row["check"]),
        str(row["source"]),
        tuple(str(word).casefold() for word in row.get("words", ())),
        Decimal(row.get("most_percent", 0)),
        Decimal(row.get("most_times", 1)),
        int(row.get("least_payments", 0)),
        tuple(map(str, row.get("share_fields", FIELDS))),
        str(row.get("source_zh", "")),
    )
    if rule.check not in CHECKS:
        near = nearest(rule.check, CHECKS)
        raise ValueError(f"check = {rule.check}" + (f" ({near}?)" if near else ""))
    if set(rule.share_fields) - set(FIELDS):
        raise ValueError(f"share_fields: {', '.join(FIELDS)}")
    if rule.most_percent < 0 or rule.most_times < 1 or rule.least_payments < 0:
        raise ValueError("most_percent >= 0, most_times >= 1, least_payments >= 0")
    if rule.check in ("purpose", "permitted") and not rule.words:
        raise ValueError("words = []")
    return rule


def _closing(row: Mapping[str, Any]) -> Closing:
    after = row.get("forfeit_after_years")
    found = Closing(int(row["lapse_days"]), None if after is None else int(after), str(row.get("source", "")))
    if found.lapse_days < 0 or (found.forfeit_after_years or 0) < 0:
        raise ValueError("lapse_days >= 0, forfeit_after_years >= 0")
    return found
