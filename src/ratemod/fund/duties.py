"""Duties: the services each insured is owed, when they fall due, and whether they were met, late or missing."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ratemod.errors import Lang, ModelError, Problem, problem
from ratemod.fund.catalogue import Catalogue
from ratemod.fund.duty_rule import DutyRule, owed_by_rule, read_duty_rules
from ratemod.fund.fund_table import (
    NO_DAY,
    Columns,
    Ints,
    Texts,
    codes_of,
    day_column,
    day_number,
    join,
    labelled,
    names_column,
    read_columns,
    to_frame,
)
from ratemod.fund.proof import Check, prove
from ratemod.fund.visits import rank_within
from ratemod.rules.options import strict

if TYPE_CHECKING:
    import pandas as pd

POLICY = ("policy_no", "credit_code", "insurer", "sector", "size_class", "division_code", "start_date", "end_date")
STATUS = ("met", "late", "missing", "pending", "ended")
MET, LATE, MISSING, PENDING, ENDED = range(5)


@dataclass(frozen=True, eq=False, slots=True)
class Duties:
    """Services owed, one row each.

    Attributes
    ----------
    policy : (n,) int64, row of the policy
    number : (n,) int64, 1 for the first service of the year
    due, delivered : (n,) int64 days; `delivered` is `fund_table.NO_DAY` where there is none
    status : (n,) int64, place in `STATUS`
    estimate_fen : (n,) int64 fen
        Cost of one accepted service by the catalogue, the cheapest; -1 without a price.
    owed : (policies,) int64
    as_of : int, day of the state
    """

    policies: Columns
    policy: Ints
    number: Ints
    due: Ints
    delivered: Ints
    status: Ints
    estimate_fen: Ints
    owed: Ints
    as_of: int
    refused: tuple[Problem, ...] = ()

    def _column(self, name: str) -> Texts:
        column: Texts = self.policies[name][self.policy]
        return column

    @property
    def table(self) -> pa.Table:
        """One row a service owed."""
        late = np.where(
            self.status == LATE, self.delivered - self.due, np.where(self.status == MISSING, self.as_of - self.due, 0)
        )
        names = ("policy_no", "credit_code", "insurer", "sector", "size_class", "division_code")
        return pa.table(
            {name: pa.array(self._column(name)) for name in names}
            | {
                "duty_no": pa.array(self.number),
                "due_date": day_column(self.due),
                "delivered_date": day_column(self.delivered),
                "status": names_column(self.status, STATUS),
                "days_late": pa.array(late),
                "estimate_fen": pa.array(self.estimate_fen, mask=self.estimate_fen < 0),
            }
        )

    @strict
    def frame(self, lang: Lang | None = None) -> pd.DataFrame:
        """Return `table` as pandas, with labels of a language where one is given."""
        return to_frame(self.table if lang is None else labelled(self.table, lang))

    def unserved_table(self) -> pa.Table:
        """Return insureds with services past due and not delivered: most missing first, then the longest overdue."""
        lost = np.flatnonzero(self.status == MISSING)
        codes, (firm,) = codes_of(self._column("credit_code")[lost])
        missing = np.bincount(firm, minlength=len(codes))
        first = np.full(len(codes), np.iinfo(np.int64).max)
        np.minimum.at(first, firm, self.due[lost])
        cost = np.zeros(len(codes), dtype=np.int64)
        np.add.at(cost, firm, np.maximum(self.estimate_fen[lost], 0))
        row = np.zeros(len(codes), dtype=np.int64)
        row[firm[::-1]] = lost[::-1]  # the first of its rows tells insurer, sector and size
        order = np.lexsort((np.arange(len(codes)), first, -missing))
        row, at = row[order], order
        named = {
            name: pa.array(self._column(name)[row])
            for name in ("credit_code", "insurer", "sector", "size_class", "division_code")
        }
        return pa.table(
            named
            | {
                "missing": pa.array(missing[at]),
                "due_date": day_column(first[at]),
                "days_overdue": pa.array(self.as_of - first[at]),
                "estimate_fen": pa.array(cost[at]),
            }
        )

    @strict
    def unserved(self, lang: Lang | None = None) -> pd.DataFrame:
        """Return `unserved_table` as pandas, with labels of a language where one is given."""
        table = self.unserved_table()
        return to_frame(table if lang is None else labelled(table, lang))

    def statement_table(self) -> pa.Table:
        """Return services owed by insurer and state; ``owed = met + late + missing + pending + ended``."""
        names, (insurer,) = codes_of(self._column("insurer"))
        counts = np.bincount(insurer * len(STATUS) + self.status, minlength=len(names) * len(STATUS))
        table = counts.reshape(len(names), len(STATUS))
        return pa.table(
            {"insurer": pa.array(list(names)), "owed": pa.array(table.sum(axis=1))}
            | {name: pa.array(np.ascontiguousarray(table[:, at])) for at, name in enumerate(STATUS)}
        )

    @strict
    def statement(self, lang: Lang | None = None) -> pd.DataFrame:
        """Return `statement_table` as pandas, with labels of a language where one is given."""
        table = self.statement_table()
        return to_frame(table if lang is None else labelled(table, lang))

    def outstanding(self) -> Ints:
        """Return services still to be delivered by policy (missing or not yet due), (policies,) int64."""
        still = (self.status == MISSING) | (self.status == PENDING)
        return np.bincount(self.policy[still], minlength=len(self.owed))

    def reconcile(self) -> int:
        """Prove that every service owed has exactly one state and that dates agree with it; return the count.

        Raises
        ------
        ModelError
            RM705 for every sum that fails.
        """
        rows = np.bincount(self.policy, minlength=len(self.owed))
        done = self.delivered != NO_DAY
        checks = [
            Check("services owed = rows", "all", int(self.owed.sum()), len(self.policy)),
            Check("policies that differ", "all", int((rows != self.owed).sum()), 0),
            Check("met in time", "all", int((self.delivered > self.due)[self.status == MET].sum()), 0),
            Check("late or met = delivered", "all", int((self.status <= LATE).sum()), int(done.sum())),
            Check("missing are past due", "all", int((self.due >= self.as_of)[self.status == MISSING].sum()), 0),
        ]
        table = self.statement_table()
        for at, name in enumerate(table["insurer"].to_pylist()):
            states = sum(int(table[state][at].as_py()) for state in STATUS)
            checks.append(Check("owed = states", name, int(table["owed"][at].as_py()), states))
        return prove(checks)


@strict
def duties(
    policies: Any,
    services: Any,
    as_of: datetime.date,
    rules: Sequence[DutyRule] | None = None,
    *,
    catalogue: Catalogue | None = None,
) -> Duties:
    """Hold the services delivered against those owed.

    Parameters
    ----------
    policies : path or frame
        policy_no, credit_code, insurer, sector, size_class, division_code, start_date, end_date; optionally
        cancelled_date and services_per_year (what the contract promises; the larger of rule and contract is owed).
    services : path or frame
        policy_no, service_type, delivered_date (empty where planned only).
    as_of : date
        The day of the state: later deliveries do not count, later due days are pending.
    rules : sequence of DutyRule, optional
        The notice by default.
    catalogue : Catalogue, optional
        For the estimated cost of what is missing.

    Returns
    -------
    Duties
        The k-th of n services of a term is due on ``start + floor(k x days / n) - 1``; the k-th accepted service
        delivered for the policy fulfils it: met by the due day, late after. Not delivered: missing after the due day,
        pending before, ended where the policy was cancelled before it fell due.

    Raises
    ------
    BookError
        RM700, RM701; RM709 a service names a policy that is not in the book.
    ModelError
        RM713 no policy is left; RM726 a policy ends before it starts.

    Source
    ------
    吉应急规划财务联〔2020〕282号: large and medium insureds of high-risk sectors at least once a year; the days on
    which several services of a year fall due are this project's own convention.
    """
    given = read_duty_rules() if rules is None else tuple(rules)
    book = read_columns(policies, POLICY, ("cancelled_date", "services_per_year"))
    done = read_columns(services, ("policy_no", "service_type"), ("delivered_date",))
    if not len(book):
        raise ModelError([problem("RM713"), *book.refused[:5]])
    if (wrong := np.flatnonzero(book["end_date"] <= book["start_date"])).size:
        raise ModelError(problem("RM726", policy=book["policy_no"][wrong[0]], count=len(wrong)))
    owed, rule = owed_by_rule(given, book["sector"], book["size_class"], book["start_date"])
    if "services_per_year" in book:
        owed = np.maximum(owed, book["services_per_year"])
    today = int(day_number(as_of) or 0)
    started = book["start_date"] <= today
    owed = np.where(started, owed, 0)
    policy = np.repeat(np.arange(len(book)), owed)
    turn = np.arange(len(policy)) - np.repeat(np.cumsum(owed) - owed, owed)
    days = (book["end_date"] - book["start_date"])[policy]
    due = book["start_date"][policy] + (turn + 1) * days // np.maximum(owed[policy], 1) - 1
    delivered = _delivered(book, done, given, rule, policy, turn, today)
    ended = book["cancelled_date"][policy] if "cancelled_date" in book else np.full(len(policy), NO_DAY)
    over = (ended != NO_DAY) & (ended <= due) & (ended <= today)
    status = np.select([delivered == NO_DAY, delivered <= due], [np.where(due < today, MISSING, PENDING), MET], LATE)
    status = np.where((delivered == NO_DAY) & over, ENDED, status)
    cost = _estimate(book, given, catalogue)[policy]
    return Duties(book, policy, turn + 1, due, delivered, status, cost, owed, today, book.refused + done.refused)


def _delivered(
    book: Columns, done: Columns, rules: tuple[DutyRule, ...], rule: Ints, policy: Ints, turn: Ints, today: int
) -> Ints:
    """Return the day of the k-th accepted service of each policy, (n,) int64; `NO_DAY` where there is none."""
    place = join(done["policy_no"], book["policy_no"], "RM709", "services")
    accepted = np.zeros(len(place), dtype=bool)
    kind = done["service_type"].astype(str)
    for at, item in enumerate(rules):
        accepted |= (rule[place] == at) & np.isin(kind, item.accepted)
    accepted |= rule[place] < 0  # owed by contract alone: any service of the contract
    days = done["delivered_date"] if "delivered_date" in done else np.full(len(place), NO_DAY)
    counts = accepted & (days != NO_DAY) & (days <= today)
    place, days = place[counts], days[counts]
    order = np.argsort(days, kind="stable")
    place, days = place[order], days[order]
    rank = rank_within(place)
    most = int(turn.max(initial=0)) + 1
    kept = rank < most
    table = np.full((len(book), most), NO_DAY, dtype=np.int64)
    table[place[kept], rank[kept]] = days[kept]
    found: Ints = table[policy, turn]
    return found


def _estimate(book: Columns, rules: tuple[DutyRule, ...], catalogue: Catalogue | None) -> Ints:
    """Return the cost of the cheapest accepted service by policy, fen; -1 where there is no price."""
    best = np.full(len(book), -1, dtype=np.int64)
    if catalogue is None:
        return best
    accepted = {name for rule in rules for name in rule.accepted}
    for item in catalogue.items:
        if item.name in accepted:
            cost = catalogue.cost_fen(item, book["size_class"], book["division_code"])
            best = np.where((cost >= 0) & ((best < 0) | (cost < best)), cost, best)
    return best
