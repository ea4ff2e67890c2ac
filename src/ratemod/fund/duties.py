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
from ratemod.fund.events import (
    Events,
    Tally,
    alike,
    numbers_left_out,
    of_policies,
    policies_once,
    read_events,
    tally_table,
    term_end,
)
from ratemod.fund.fund_table import (
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
from ratemod.fund.promises import Promises, read_promises
from ratemod.fund.proof import Check, prove
from ratemod.fund.visits import rank_within
from ratemod.rules.options import strict

if TYPE_CHECKING:
    import pandas as pd

POLICY = ("policy_no", "credit_code", "insurer", "sector", "size_class", "division_code", "start_date", "end_date")
STATUS = ("met", "late", "missing", "pending", "ended")
WIDE = np.int64(2**33)
MET, LATE, MISSING, PENDING, ENDED = range(5)


@dataclass(frozen=True, eq=False, slots=True)
class Duties:
    """Services owed, one row each.

    Attributes
    ----------
    policy : (n,) int64, row of the policy
    term_year : (n,) int64, 1 for the first insured year of the policy
    number : (n,) int64, 1 for the first service of that year
    due, delivered : (n,) int64 days; `delivered` is `fund_table.NO_DAY` where there is none
    status : (n,) int64, place in `STATUS`
    estimate_fen : (n,) int64 fen
        Cost of one accepted service by the catalogue, the cheapest; -1 without a price.
    owed : (policies,) int64, in all years of the term
    owed_by_law : (policies,) int64, in one year
    promises : Promises, what the contracts say of frequency and items
    as_of : int, day of the state
    services : Events, those that were held against the duties
    rows : tuple of Tally, what became of every row of the policies and services
    """

    policies: Columns
    policy: Ints
    term_year: Ints
    number: Ints
    due: Ints
    delivered: Ints
    status: Ints
    estimate_fen: Ints
    owed: Ints
    owed_by_law: Ints
    promises: Promises
    as_of: int
    services: Events
    refused: tuple[Problem, ...] = ()
    rows: tuple[Tally, ...] = ()

    def tally_table(self) -> pa.Table:
        """Return what became of the rows and money of both lists, as `ratemod.fund.events.tally_table`."""
        return tally_table(self.rows)

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
                "term_year": pa.array(self.term_year),
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

    def statement_table(self, by: str = "insurer", year: int | None = None) -> pa.Table:
        """Return services owed and their state; ``owed = met + late + missing + pending + ended``.

        Parameters
        ----------
        by : "insurer" or "division_code"
        year : int, optional
            Those that fall due in this calendar year; all of them without it.
        """
        rows = np.arange(len(self.due)) if year is None else np.flatnonzero(year_of(self.due) == year)
        names, (group,) = codes_of(self._column(by)[rows])
        counts = np.bincount(group * len(STATUS) + self.status[rows], minlength=len(names) * len(STATUS))
        table = counts.reshape(len(names), len(STATUS))
        return pa.table(
            {by: pa.array(list(names), pa.string()), "owed": pa.array(table.sum(axis=1))}
            | {name: pa.array(np.ascontiguousarray(table[:, at])) for at, name in enumerate(STATUS)}
        )

    def promises_table(self) -> pa.Table:
        """Return the policies owed services by rule whose contract, as listed, promises less than that or says nothing.

        One row a policy and ``finding``: fewer a year than owed; no_item that counts towards the duty among those
        named; items not_understood; no_frequency and no_items stated. A contract must name both.
        """
        book, kinds = self.policies, self.promises.findings(self.owed_by_law)
        rows = np.concatenate([np.flatnonzero(which) for which in kinds.values()]).astype(np.int64)
        finding = np.repeat(np.array([*kinds], dtype=object), [int(which.sum()) for which in kinds.values()])
        names = ("policy_no", "credit_code", "insurer", "sector", "size_class", "division_code")
        promised = self.promises.frequency[rows]
        return pa.table(
            {name: pa.array(book[name][rows], pa.string()) for name in names}
            | {
                "services_per_year": pa.array(promised, mask=promised < 0),
                "service_items": pa.array(self.promises.items[rows], pa.string()),
                "owed_by_law": pa.array(self.owed_by_law[rows]),
                "finding": pa.array(finding, pa.string()),
            }
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
            *self.services.checks(),
            Check("services_owed_rows", "all", int(self.owed.sum()), len(self.policy), unit="count"),
            Check("policies_apart", "all", int((rows != self.owed).sum()), 0, unit="count"),
            Check("met_in_time", "all", int((self.delivered > self.due)[self.status == MET].sum()), 0, unit="count"),
            Check("late_or_met", "all", int((self.status <= LATE).sum()), int(done.sum()), unit="count"),
            Check(
                "missing_past_due", "all", int((self.due >= self.as_of)[self.status == MISSING].sum()), 0, unit="count"
            ),
        ]
        table = self.statement_table()
        for at, name in enumerate(table["insurer"].to_pylist()):
            states = sum(int(table[state][at].as_py()) for state in STATUS)
            checks.append(Check("owed_states", name, int(table["owed"][at].as_py()), states, unit="count"))
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
        cancelled_date, services_per_year (what the contract promises; the larger of rule and contract is owed) and
        service_items (kinds of service that the contract names, with commas between them).
    services : path or frame
        policy_no, service_type, delivered_date (empty where planned only); service_no where there is one.
    as_of : date
        The day of the state: later deliveries do not count yet, later due days are pending.
    rules : sequence of DutyRule, optional
        The notice by default.
    catalogue : Catalogue, optional
        For the estimated cost of what is missing.

    Returns
    -------
    Duties
        Owed for every insured year, which begins on each anniversary of the start. The k-th of n services of a year is
        due on ``first day + floor(k x days / n) - 1``; the k-th accepted service delivered within that year fulfils
        it: met by the due day, late after. Not delivered: missing after the due day, pending before, ended where the
        policy was cancelled before it fell due. Told, the rest goes on: RM750, RM751, RM753, RM754, RM396 a service
        that stands twice, contradicts itself, or meets no policy or no day of its term.

    Raises
    ------
    BookError
        RM950.
    ModelError
        RM713 no policy is left; RM726 a policy ends before it starts.

    Source
    ------
    吉应急规划财务联〔2020〕282号: large and medium insureds of high-risk sectors at least once a year; the days on
    which several services of a year fall due are this project's own convention.
    """
    given = read_duty_rules() if rules is None else tuple(rules)
    given_rows = policies_once(policies, POLICY, ("cancelled_date", "services_per_year", "service_items"))
    book = given_rows.rows
    if not len(book):
        raise ModelError([problem("RM713"), *book.refused[:5]])
    if (wrong := np.flatnonzero(book["end_date"] <= book["start_date"])).size:
        raise ModelError(problem("RM726", policy=book["policy_no"][wrong[0]], count=len(wrong)))
    today = int(day_number(as_of) or 0)
    more = ("delivered_date", "planned_date", "provider", "cost_fen")  # what tells two services of one day apart
    done = read_events(services, "services", ("policy_no", "service_type"), more, ("service_no",))
    done = _within_terms(alike(done, "service_no"), book, today)
    whose, term, begin, stop = _years(book)
    of_law, rule = owed_by_rule(given, book["sector"][whose], book["size_class"][whose], begin)
    promised = book.get("services_per_year", np.zeros(len(book), dtype=np.int64))
    many = np.where(book["start_date"][whose] <= today, np.maximum(of_law, promised[whose]), 0)
    year = np.repeat(np.arange(len(whose)), many)
    turn = np.arange(len(year)) - np.repeat(np.cumsum(many) - many, many)
    due = begin[year] + (turn + 1) * (stop - begin)[year] // np.maximum(many[year], 1) - 1
    policy = whose[year]
    delivered = _delivered(done, given, rule, (whose, begin, stop), year, turn)
    ended = book["cancelled_date"][policy] if "cancelled_date" in book else np.full(len(policy), NO_DAY)
    over = (ended != NO_DAY) & (ended <= due) & (ended <= today)
    status = np.select([delivered == NO_DAY, delivered <= due], [np.where(due < today, MISSING, PENDING), MET], LATE)
    status = np.where((delivered == NO_DAY) & over, ENDED, status)
    law, law_rule = np.zeros(len(book), dtype=np.int64), np.full(len(book), -1)
    np.maximum.at(law, whose, of_law)
    np.maximum.at(law_rule, whose, rule)
    contracts = read_promises(book, [frozenset(one.accepted) for one in given], law_rule)
    return Duties(
        policies=book,
        policy=policy,
        term_year=term[year],
        number=turn + 1,
        due=due,
        delivered=delivered,
        status=status,
        estimate_fen=_estimate(book, given, catalogue)[policy],
        owed=np.bincount(policy, minlength=len(book)),
        owed_by_law=law,
        promises=contracts,
        as_of=today,
        services=done,
        refused=(*book.refused, *done.told, *contracts.told),
        rows=(given_rows.tally, done.tally),
    )


def _within_terms(done: Events, book: Columns, today: int) -> Events:
    """Return services delivered by a day within the term of their policy, which a cancellation ends."""
    if "delivered_date" in done.rows:
        done = done.without(done.rows["delivered_date"] > today, "later", None)
    day = "delivered_date" if "delivered_date" in done.rows else ""
    return of_policies(done, book, numbers_left_out(book), day, term_end(book))


def _years(book: Columns) -> tuple[Ints, Ints, Ints, Ints]:
    """Return the insured years of all policies: policy, number of the year from 1, first day, first day after.

    A year begins on each anniversary of the start (that of 29 February falls on 1 March); the last one may be short.
    """
    start, end = book["start_date"], book["end_date"]
    most = int((end - start).max(initial=1)) // 365 + 2
    month = start.astype("datetime64[D]").astype("datetime64[M]")
    into = start - month.astype("datetime64[D]").astype(np.int64)
    turn = np.arange(most + 1)
    begins = (month[:, None] + 12 * turn[None, :]).astype("datetime64[D]").astype(np.int64) + into[:, None]
    policy, year = np.nonzero(begins[:, :-1] < end[:, None])
    return policy, year + 1, begins[policy, year], np.minimum(begins[policy, year + 1], end[policy])


def _delivered(
    done: Events, rules: tuple[DutyRule, ...], rule: Ints, years: tuple[Ints, Ints, Ints], year: Ints, turn: Ints
) -> Ints:
    """Return the day of the k-th accepted service within each insured year, (n,) int64; `NO_DAY` where none."""
    whose, begin, _ = years
    if "delivered_date" not in done.rows:
        return np.full(len(year), NO_DAY)
    kept = done.rows["delivered_date"] != NO_DAY
    days, place, kind = done.rows["delivered_date"][kept], done.place[kept], done.rows["service_type"][kept].astype(str)
    key = whose * WIDE + begin  # policies in order, the years of each in order
    at = np.searchsorted(key, place * WIDE + days, side="right") - 1
    accepted = rule[at] < 0  # owed by contract alone: any service of the contract
    for number, item in enumerate(rules):
        accepted |= (rule[at] == number) & np.isin(kind, item.accepted)
    at, days = at[accepted], days[accepted]
    order = np.argsort(days, kind="stable")
    at, days = at[order], days[order]
    rank = rank_within(at)
    most = int(turn.max(initial=0)) + 1
    within = rank < most
    table = np.full((len(whose), most), NO_DAY, dtype=np.int64)
    table[at[within], rank[within]] = days[within]
    found: Ints = table[year, turn]
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
