"""Premium subsidies by rule, within a fiscal budget, to the fen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ratemod.errors import BookError, Lang, ModelError, Problem, problem
from ratemod.fund.events import read_policies
from ratemod.fund.fund_table import (
    Columns,
    Ints,
    Texts,
    codes_of,
    labelled,
    names_column,
    to_frame,
)
from ratemod.fund.levy_rule import share_of
from ratemod.fund.proof import Check, prove
from ratemod.money import apportion, to_fen
from ratemod.rules.options import strict
from ratemod.rules.read import read_rules
from ratemod.rules.shape import Key, Keys
from ratemod.rules.within import Whole
from ratemod.vocabulary.codes.size_class import SIZES

if TYPE_CHECKING:
    import pandas as pd

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


@strict
@dataclass(frozen=True, slots=True)
class SubsidyRule:
    """A subsidy of some sizes in one sector (or all, ``*``) with a clean enough record.

    Attributes
    ----------
    share : Decimal, of the premium, rounded down to the fen
    cap_fen : int, for one policy, fen
    most_accidents : (general, larger, major), most accidents within the three years of the register
    integrity_grades, hazard_states : tuple of str
        Which are accepted. Who is on the joint-punishment list never is.
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


KEYS: Keys = {
    "name": Key(str, True),
    "sector": Key(str),
    "size_classes": Key(tuple[str, ...], True, choices=SIZES, filled=True),
    "share": Key(Decimal, True, low=0, high=1),
    "cap_yuan": Key(Decimal, True, low=0),
    **{f"most_{name}": Key(int, low=0) for name in ACCIDENTS},
    "integrity_grades": Key(tuple[str, ...], filled=True),
    "hazard_states": Key(tuple[str, ...], filled=True),
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
    premium_fen, entitled_fen, granted_fen : (n,) int64 fen
    budget_fen : int, fen
    """

    rules: tuple[SubsidyRule, ...]
    policy_no: Texts
    insurer: Texts
    rule: Ints
    premium_fen: Ints
    entitled_fen: Ints
    granted_fen: Ints
    budget_fen: int
    refused: tuple[Problem, ...] = ()

    @property
    def table(self) -> pa.Table:
        """One row a policy: rule, entitlement, grant, what the budget cut, and what the insured pays."""
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
            }
        )

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
        for name, column in (("entitled_fen", self.entitled_fen), ("granted_fen", self.granted_fen)):
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
        return prove(
            [
                Check("granted = smaller of budget and entitled", "all", granted, min(self.budget_fen, entitled)),
                Check("grants above entitlement", "all", int((self.granted_fen > self.entitled_fen).sum()), 0),
                Check("grants below 0", "all", int((self.granted_fen < 0).sum()), 0),
                Check("entitlements above the cap", "all", int((self.entitled_fen > cap).sum()), 0),
                Check("grants above premium", "all", int((self.granted_fen > self.premium_fen).sum()), 0),
            ]
        )


@strict
def subsidise(policies: Any, budget_fen: Whole, rules: Sequence[SubsidyRule] | str | Path | None = None) -> Subsidy:
    """Grant premium subsidies within a fiscal budget.

    Parameters
    ----------
    policies : path or frame
        policy_no, insurer, sector, size_class, premium_fen, general_accidents, larger_accidents, major_accidents
        (three years), integrity_grade, blacklisted (yes, no), hazard_state.
    budget_fen : int, fen
    rules : sequence of SubsidyRule, path of a TOML file, or None (the shipped, illustrative ones)
        Of several rules that an insured fulfils, the first is taken.

    Returns
    -------
    Subsidy
        Entitled: ``min(share x premium rounded down, cap)``. Where the entitlements exceed the budget, it is divided
        in proportion to them by largest remainder; the cut stands in every row.

    Raises
    ------
    BookError
        RM950 a column is missing; RM702 to RM706 bad rules; RM724 a negative premium.
    ModelError
        RM713 no policy is left.

    Source
    ------
    吉应急规划财务联〔2020〕282号 lets regions with means subsidise premiums and states no rate.
    """
    given = read_subsidy_rules(rules) if rules is None or isinstance(rules, str | Path) else tuple(rules)
    book = read_policies(policies, NEEDED)
    if not len(book):
        raise ModelError([problem("RM713"), *book.refused[:5]])
    if (negative := book["premium_fen"] < 0).any():
        raise BookError(
            problem(
                "RM724", name=f"premium_fen, {book['policy_no'][negative][0]}", value=int(book["premium_fen"].min())
            )
        )
    rule, entitled = np.full(len(book), -1, dtype=np.int64), np.zeros(len(book), dtype=np.int64)
    for at in reversed(range(len(given))):
        fits = _fits(book, given[at])
        rule[fits] = at
        entitled[fits] = np.minimum(share_of(book["premium_fen"][fits], given[at].share, "down"), given[at].cap_fen)
    granted = entitled.copy()
    if entitled.sum() > budget_fen:
        own = np.flatnonzero(entitled)
        order = own[np.argsort(book["policy_no"][own].astype(str), kind="stable")]  # ties do not hang on row order
        granted[order] = apportion(budget_fen, entitled[order])
    return Subsidy(
        given,
        book["policy_no"],
        book["insurer"],
        rule,
        book["premium_fen"],
        entitled,
        granted,
        budget_fen,
        book.refused,
    )


def _fits(book: Columns, rule: SubsidyRule) -> Any:
    fits = np.isin(book["size_class"].astype(str), rule.size_classes) & (book["blacklisted"] == "no")
    fits &= np.isin(book["integrity_grade"].astype(str), rule.integrity_grades)
    fits &= np.isin(book["hazard_state"].astype(str), rule.hazard_states)
    for name, most in zip(ACCIDENTS, rule.most_accidents):
        fits &= book[name] <= most
    return fits if rule.sector == "*" else fits & (book["sector"] == rule.sector)
