"""Premium subsidies by rule, within a fiscal budget, to the fen; what is claimed back, and the payment list.

    entitled = min(share · premium rounded down, cap), by policy; with ``cap_for = "firm"`` the cap is that of all
               policies of a firm under the rule, divided by their entitlements (largest remainder)
    granted  = entitled, or the budget divided by entitlements (largest remainder) where they exceed it
    claimed back, of a policy that was cancelled within its term:
        "pro_rata"  granted, divided between days in force and days left (largest remainder): the part of those left
        "whole"     granted
        "none"      0
    to pay   = granted - claimed back

What is claimed back returns to the treasury and is not granted to others. No source found states a rule: conventions of
this project, named in the rules.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pyarrow as pa

from ratemod.errors import BookError, Lang, ModelError, Problem, problem
from ratemod.fund.events import Tally, policies_once
from ratemod.fund.fund_table import (
    FAR,
    NO_DAY,
    Columns,
    Ints,
    Texts,
    codes_of,
    day_column,
    day_number,
    labelled,
    names_column,
    to_frame,
    year_of,
)
from ratemod.fund.levy_rule import share_of
from ratemod.fund.proof import Check, prove
from ratemod.money import apportion, to_fen
from ratemod.reading.shared_table import lacks
from ratemod.rules.options import strict
from ratemod.rules.read import read_rules
from ratemod.rules.shape import Key, Keys
from ratemod.rules.within import Whole, Year
from ratemod.vocabulary.codes.size_class import SIZES

if TYPE_CHECKING:
    import pandas as pd

CapFor = Literal["policy", "firm"]
OnCancellation = Literal["pro_rata", "whole", "none"]
ACCIDENTS = ("general_accidents", "larger_accidents", "major_accidents")
NEEDED = (
    "policy_no",
    "insurer",
    "sector",
    "size_class",
    "premium_fen",
    *ACCIDENTS,
    "integrity_grade",
    "blacklisted",
    "hazard_state",
)
MORE = ("credit_code", "division_code", "start_date", "end_date", "cancelled_date")
MONEY = ("granted", "clawback", "to_pay")
PAYMENT = ("policy_no", "insurer", "rule", "premium_fen", "granted_fen", "cancelled_date", "clawback_fen", "to_pay_fen")


@strict
@dataclass(frozen=True, slots=True)
class SubsidyRule:
    """A subsidy of some sizes in one sector (or all, ``*``) with a clean enough record.

    Attributes
    ----------
    share : Decimal, of the premium, rounded down to the fen
    cap_fen : int, fen, for one policy, or for one firm, as `cap_for` says
    most_accidents : (general, larger, major), most accidents within the three years of the register
    integrity_grades, hazard_states : tuple of str
        Which are accepted. Who is on the joint-punishment list never is.
    on_cancellation : what is claimed back of a policy cancelled within its term
    """

    name: str
    size_classes: tuple[str, ...]
    share: Decimal
    cap_fen: int
    most_accidents: tuple[int, int, int] = (0, 0, 0)
    integrity_grades: tuple[str, ...] = ("AA", "A", "B")
    hazard_states: tuple[str, ...] = ("none", "verified")
    sector: str = "*"
    source: str = ""
    cap_for: CapFor = "policy"
    on_cancellation: OnCancellation = "pro_rata"


KEYS: Keys = {
    "name": Key(str, True),
    "sector": Key(str),
    "size_classes": Key(tuple[str, ...], True, choices=SIZES, filled=True),
    "share": Key(Decimal, True, low=0, high=1),
    "cap_yuan": Key(Decimal, True, low=0),
    **{f"most_{name}": Key(int, low=0) for name in ACCIDENTS},
    "integrity_grades": Key(tuple[str, ...], filled=True),
    "hazard_states": Key(tuple[str, ...], filled=True),
    "cap_for": Key(str, choices=get_args(CapFor)),
    "on_cancellation": Key(str, choices=get_args(OnCancellation)),
    "source": Key(str, True),
}


def read_subsidy_rules(source: str | Path | None = None) -> tuple[SubsidyRule, ...]:
    """Return the rules of a TOML file with one ``[[subsidy]]`` each; the shipped ones (illustrative) without a file.

    Raises
    ------
    PlanError
        What is wrong with the file, all at once: unknown and missing keys, values of another type or out of range.
    """
    file = read_rules(source, "fund/data/subsidy_rules.toml")
    file.sections(("subsidy",))
    rules = file.records(_rule, "subsidy", KEYS, least=1)
    file.settle()
    return rules


def _rule(cap_yuan: Decimal, **given: Any) -> SubsidyRule:
    general, larger, major = (given.pop(f"most_{name}", 0) for name in ACCIDENTS)
    return SubsidyRule(cap_fen=to_fen(cap_yuan), most_accidents=(general, larger, major), **given)


@dataclass(frozen=True, eq=False, slots=True)
class Subsidy:
    """Subsidies granted.

    Attributes
    ----------
    rule : (n,) int64, place in `rules`, -1 where no rule is fulfilled
    premium_fen, entitled_fen, granted_fen, clawback_fen : (n,) int64 fen
    budget_fen : int, fen
    credit_code, division_code : (n,) texts, "" where the list has none
    cancelled : (n,) int64 days, `fund_table.NO_DAY` where not cancelled within the term
    rows : Tally, what became of the rows of the policies
    """

    rules: tuple[SubsidyRule, ...]
    policy_no: Texts
    insurer: Texts
    rule: Ints
    premium_fen: Ints
    entitled_fen: Ints
    granted_fen: Ints
    clawback_fen: Ints
    budget_fen: int
    credit_code: Texts
    division_code: Texts
    cancelled: Ints
    rows: Tally
    refused: tuple[Problem, ...] = ()

    @property
    def table(self) -> pa.Table:
        """One row a policy: rule, entitlement, grant, what the budget cut, what is claimed back, to pay."""
        return pa.table(
            {
                "policy_no": pa.array(self.policy_no),
                "insurer": pa.array(self.insurer),
                "rule": names_column(self.rule, [rule.name for rule in self.rules]),
                "premium_fen": pa.array(self.premium_fen),
                "entitled_fen": pa.array(self.entitled_fen),
                "granted_fen": pa.array(self.granted_fen),
                "cut_fen": pa.array(self.entitled_fen - self.granted_fen),
                "pays_fen": pa.array(self.premium_fen - self.granted_fen),
                "cancelled_date": day_column(self.cancelled),
                "clawback_fen": pa.array(self.clawback_fen),
                "to_pay_fen": pa.array(self.granted_fen - self.clawback_fen),
            }
        )

    def payment_table(self) -> pa.Table:
        """Return whom each county's treasury pays, or claims from: one row a policy granted, by county and firm."""
        own = np.flatnonzero(self.granted_fen)
        keys = (self.policy_no, self.credit_code, self.division_code)
        own = own[np.lexsort(tuple(key[own].astype(str) for key in keys))]
        table = self.table.take(pa.array(own))
        return pa.table(
            {"division_code": pa.array(self.division_code[own]), "credit_code": pa.array(self.credit_code[own])}
            | {name: table[name] for name in PAYMENT}
        )

    def county_table(self) -> pa.Table:
        """Return what each county's treasury pays in all: firms, policies, granted, claimed back, to pay."""
        rows = self.payment_table()
        sums = rows.group_by("division_code", use_threads=False).aggregate(
            [("credit_code", "count_distinct"), ("policy_no", "count"), *((f"{name}_fen", "sum") for name in MONEY)]
        )
        names = ["division_code", "firms", "policies", *(f"{name}_fen" for name in MONEY)]
        return sums.rename_columns(names).sort_by("division_code")

    @strict
    def frame(self, lang: Lang | None = None) -> pd.DataFrame:
        """Return `table` as pandas, with labels of a language where one is given."""
        return to_frame(self.table if lang is None else labelled(self.table, lang))

    def statement_table(self) -> pa.Table:
        """Return entitlements, grants and cuts by rule and insurer."""
        names, (insurer,) = codes_of(self.insurer)
        own = self.rule >= 0
        group, size = (self.rule * len(names) + insurer)[own], len(self.rules) * len(names)
        count = np.bincount(group, minlength=size)
        sums = {}
        parts = {"entitled_fen": self.entitled_fen, "granted_fen": self.granted_fen, "clawback_fen": self.clawback_fen}
        for name, column in parts.items():
            total = np.zeros(size, dtype=np.int64)
            np.add.at(total, group, column[own])
            sums[name] = total
        kept = np.flatnonzero(count)
        return pa.table(
            {
                "rule": pa.array([self.rules[at // len(names)].name for at in kept.tolist()], pa.string()),
                "insurer": pa.array([names[at % len(names)] for at in kept.tolist()], pa.string()),
                "policies": pa.array(count[kept]),
                "entitled_fen": pa.array(sums["entitled_fen"][kept]),
                "granted_fen": pa.array(sums["granted_fen"][kept]),
                "cut_fen": pa.array((sums["entitled_fen"] - sums["granted_fen"])[kept]),
                "clawback_fen": pa.array(sums["clawback_fen"][kept]),
                "to_pay_fen": pa.array((sums["granted_fen"] - sums["clawback_fen"])[kept]),
            }
        )

    @strict
    def statement(self, lang: Lang | None = None) -> pd.DataFrame:
        """Return `statement_table` as pandas, with labels of a language where one is given."""
        table = self.statement_table()
        return to_frame(table if lang is None else labelled(table, lang))

    def reconcile(self) -> int:
        """Prove grants against budget, entitlements, caps and premiums; return how many sums were proved.

        Raises
        ------
        ModelError
            RM705 for every sum that fails.
        """
        granted, entitled = int(self.granted_fen.sum()), int(self.entitled_fen.sum())
        cap = np.array([*(rule.cap_fen for rule in self.rules), 0])[self.rule]
        firm = _capped_together(self.rules, self.rule, self.policy_no, self.credit_code)
        together = np.zeros(int(firm.max(initial=-1)) + 1, dtype=np.int64)
        np.add.at(together, firm, self.entitled_fen)
        county = self.county_table()
        to_pay = int((self.granted_fen - self.clawback_fen).sum())
        return prove(
            [
                Check("granted", "all", granted, min(self.budget_fen, entitled)),
                Check("grants_beyond", "all", int((self.granted_fen > self.entitled_fen).sum()), 0, unit="count"),
                Check("grants_negative", "all", int((self.granted_fen < 0).sum()), 0, unit="count"),
                Check("entitled_cap", "all", int((together[firm] > cap).sum()), 0, unit="count"),
                Check("grants_premium", "all", int((self.granted_fen > self.premium_fen).sum()), 0, unit="count"),
                Check("clawback", "all", int((self.clawback_fen > self.granted_fen).sum()), 0, unit="count"),
                Check("to_pay", "all", sum(county["to_pay_fen"].to_pylist()), to_pay),
            ]
        )


@strict
def subsidise(
    policies: Any,
    budget_fen: Whole,
    rules: Sequence[SubsidyRule] | str | Path | None = None,
    *,
    year: Year | None = None,
    as_of: datetime.date | None = None,
) -> Subsidy:
    """Grant premium subsidies within a fiscal budget, and claim back those of cancelled policies.

    Parameters
    ----------
    policies : path or frame
        policy_no, insurer, sector, size_class, premium_fen, general_accidents, larger_accidents, major_accidents
        (three years), integrity_grade, blacklisted (yes, no), hazard_state; credit_code where a cap is a firm's;
        start_date and end_date where a cancelled_date stands; division_code for the payment list.
    budget_fen : int, fen
    rules : sequence of SubsidyRule, path of a TOML file, or None (the shipped, illustrative ones)
        Of several rules that an insured fulfils, the first is taken.
    year : int, optional
        Budget year: only policies that begin in it; without it, all.
    as_of : date, optional
        Cancellations after it are not known yet.

    Returns
    -------
    Subsidy
        As the head of this module says; every cut stands in its row.

    Raises
    ------
    BookError
        RM950 a column is missing; RM702 to RM706 bad rules.
    ModelError
        RM713 no policy is left.

    Source
    ------
    吉应急规划财务联〔2020〕282号 lets regions with means subsidise premiums and states no rate.
    """
    given = read_subsidy_rules(rules) if rules is None or isinstance(rules, str | Path) else tuple(rules)
    needed = (
        *NEEDED,
        *(("credit_code",) if any(rule.cap_for == "firm" for rule in given) else ()),
        *(() if year is None else ("start_date",)),
    )
    found = policies_once(policies, needed, [name for name in MORE if name not in needed])
    if year is not None:
        found = found.without(year_of(found.rows["start_date"]) != year, "other", None)
    book = found.rows
    if not len(book):
        raise ModelError([problem("RM713"), *found.told[:5]])
    blank = np.full(len(book), "", dtype=object)
    firm = book.get("credit_code", blank)
    rule, entitled = np.full(len(book), -1, dtype=np.int64), np.zeros(len(book), dtype=np.int64)
    for at in reversed(range(len(given))):
        fits = _fits(book, given[at])
        rule[fits] = at
        entitled[fits] = share_of(book["premium_fen"][fits], given[at].share, "down")
    order = np.argsort(book["policy_no"].astype(str), kind="stable")  # ties do not hang on row order
    _cap(entitled, given, rule, _capped_together(given, rule, book["policy_no"], firm), order)
    granted = entitled.copy()
    if entitled.sum() > budget_fen:
        own = order[entitled[order] > 0]
        granted[own] = apportion(budget_fen, entitled[own])
    cancelled = _cancelled(book, day_number(as_of))
    return Subsidy(
        rules=given,
        policy_no=book["policy_no"],
        insurer=book["insurer"],
        rule=rule,
        premium_fen=book["premium_fen"],
        entitled_fen=entitled,
        granted_fen=granted,
        clawback_fen=_clawback(book, given, rule, granted, cancelled),
        budget_fen=budget_fen,
        credit_code=firm,
        division_code=book.get("division_code", blank),
        cancelled=cancelled,
        rows=found.tally,
        refused=found.told,
    )


def _capped_together(rules: Sequence[SubsidyRule], rule: Ints, policy_no: Texts, firm: Texts) -> Ints:
    """Return a code for all policies that one cap is for, (n,) int64: a policy alone, or a firm under one rule."""
    by_firm = np.array([*(one.cap_for == "firm" for one in rules), False])[rule]
    whose = np.where(by_firm, firm, policy_no).astype(str)
    said = np.array([f"{at} {bool(one)} {name}" for at, one, name in zip(rule.tolist(), by_firm, whose)], dtype=object)
    return codes_of(said)[1][0]


def _cap(entitled: Ints, rules: Sequence[SubsidyRule], rule: Ints, group: Ints, order: Ints) -> None:
    """Cut what is entitled to together to its cap, divided by largest remainder."""
    total = np.zeros(int(group.max(initial=-1)) + 1, dtype=np.int64)
    np.add.at(total, group, entitled)
    cap = np.array([*(one.cap_fen for one in rules), 0])[rule]
    over = order[total[group[order]] > cap[order]]
    for code in np.unique(group[over]):
        own = over[group[over] == code]
        entitled[own] = apportion(int(cap[own[0]]), entitled[own])


def _cancelled(book: Columns, today: int | None) -> Ints:
    """Return on which day a policy was cancelled within its term, as known on a day, (n,) int64."""
    none = np.full(len(book), NO_DAY)
    day = book.get("cancelled_date", none)
    if (day == NO_DAY).all():
        return none
    for name in ("start_date", "end_date"):
        if name not in book:
            raise BookError(lacks("policies", name, None if book.book is None else book.book.file))
    known = (day != NO_DAY) & (day < book["end_date"]) & (day <= (FAR if today is None else today))
    return np.where(known, np.maximum(day, book["start_date"]), NO_DAY)


def _clawback(book: Columns, rules: Sequence[SubsidyRule], rule: Ints, granted: Ints, cancelled: Ints) -> Ints:
    """Return what is claimed back, (n,) int64 fen."""
    claimed = np.zeros(len(book), dtype=np.int64)
    own = np.flatnonzero((cancelled != NO_DAY) & (granted > 0))
    if not len(own):
        return claimed
    start, end, day = book["start_date"][own], book["end_date"][own], cancelled[own]
    left = apportion(granted[own], np.column_stack([day - start, end - day]))[:, 1]
    how = np.array([one.on_cancellation for one in rules])[rule[own]]
    claimed[own] = np.select([how == "pro_rata", how == "whole"], [left, granted[own]], 0)
    return claimed


def _fits(book: Columns, rule: SubsidyRule) -> Any:
    fits = np.isin(book["size_class"].astype(str), rule.size_classes) & (book["blacklisted"] == "no")
    fits &= np.isin(book["integrity_grade"].astype(str), rule.integrity_grades)
    fits &= np.isin(book["hazard_state"].astype(str), rule.hazard_states)
    for name, most in zip(ACCIDENTS, rule.most_accidents):
        fits &= book[name] <= most
    return fits if rule.sector == "*" else fits & (book["sector"] == rule.sector)
