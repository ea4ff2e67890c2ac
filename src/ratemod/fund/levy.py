"""The prevention levy: per policy to the fen, with refunds, endorsements and instalments, floor and cap proved."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ratemod.errors import BookError, Lang, ModelError, Problem, once, problem
from ratemod.fund.documents import known_insurers
from ratemod.fund.events import Events, Tally, numbers_left_out, policies_once, read_events, tally_table
from ratemod.fund.fund_table import (
    Bools,
    Columns,
    Ints,
    Texts,
    codes_of,
    day_column,
    day_number,
    labelled,
    names_column,
    to_frame,
)
from ratemod.fund.journal import unknown_insurers
from ratemod.fund.levy_lacks import Lack, lacking
from ratemod.fund.levy_rule import LevyRule, check_rules, plan_rules, read_levy_rules, rule_of
from ratemod.fund.levy_shares import Shares, read_shares, shared, torn
from ratemod.fund.movements import (
    CHANGE,
    KINDS,
    below_nothing,
    cancelled_in_full,
    levied_by,
    movements,
    over_received,
    read_changes,
)
from ratemod.fund.proof import Check, prove
from ratemod.money import yuan_text
from ratemod.rating.rated import Rated
from ratemod.reading.join import join
from ratemod.reading.shared_table import lacks
from ratemod.rules.options import strict

if TYPE_CHECKING:
    import pandas as pd

POLICY = ("policy_no", "insurer", "sector", "start_date", "premium_fen")
MORE = ("end_date", "cancelled_date")


@dataclass(frozen=True, eq=False, slots=True)
class Movements:
    """Premium movements in order of policy and day; `policy` is the row in the levy's table."""

    policy: Ints
    day: Ints
    kind: Ints
    amount_fen: Ints
    levy_fen: Ints


@dataclass(frozen=True, eq=False, slots=True)
class Levy:
    """The levy of a book.

    Attributes
    ----------
    rules : tuple of LevyRule
    policy_no, insurer, sector : (n,) texts
    rule : (n,) int64, place in `rules`
    written_fen, change_fen, base_fen, levy_fen : (n,) int64 fen
        Premium at inception, endorsements since (of a written base), what the levy is taken of, and the levy.
    movements : Movements
    shares : Shares
        The movements by who bears them: the insurer of the policy, or its co-insurers.
    ledger_fen : (n,) int64 fen or None
        Accruals less releases of the policy in the ledger that was given.
    stray_fen : int, fen
        Ledger accruals on policies that are not in the book; must be 0.
    refused : tuple of Problem
        Policies left out and why, and events that were refused, repeated or set aside.
    tallies : tuple of Events
        Endorsements, receipts, shares of co-insurers and the ledger's entries that count.
    rows : tuple of Tally, what became of every row of the policies and of `tallies`
    lacking : mapping of insurer ("" where it is not known) to Lack
        The policies that were refused or set aside, so that the levy is not the whole of the insurer's.
    """

    rules: tuple[LevyRule, ...]
    policy_no: Texts
    insurer: Texts
    sector: Texts
    rule: Ints
    written_fen: Ints
    change_fen: Ints
    base_fen: Ints
    levy_fen: Ints
    movements: Movements
    shares: Shares
    ledger_fen: Ints | None = None
    stray_fen: int = 0
    refused: tuple[Problem, ...] = ()
    tallies: tuple[Events, ...] = ()
    rows: tuple[Tally, ...] = ()
    lacking: Mapping[str, Lack] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<Levy of {len(self.policy_no)} policies: {self.total_fen} fen, {len(self.refused)} problems>"

    @property
    def total_fen(self) -> int:
        """The whole levy, fen."""
        return int(self.levy_fen.sum())

    @property
    def table(self) -> pa.Table:
        """One row a policy."""
        columns = {
            "policy_no": pa.array(self.policy_no),
            "insurer": pa.array(self.insurer),
            "sector": pa.array(self.sector),
            "rule": names_column(self.rule, [rule.name for rule in self.rules]),
            "written_fen": pa.array(self.written_fen),
            "change_fen": pa.array(self.change_fen),
            "base_fen": pa.array(self.base_fen),
            "levy_fen": pa.array(self.levy_fen),
        }
        return pa.table(columns | ({} if self.ledger_fen is None else {"ledger_fen": pa.array(self.ledger_fen)}))

    @strict
    def frame(self, lang: Lang | None = None) -> pd.DataFrame:
        """Return `table` as pandas, with labels of a language where one is given."""
        return to_frame(self.table if lang is None else labelled(self.table, lang))

    def movement_table(self) -> pa.Table:
        """Return one row a movement of premium, with what it adds to the levy."""
        moved = self.movements
        return pa.table(
            {
                "policy_no": pa.array(self.policy_no[moved.policy]),
                "insurer": pa.array(self.insurer[moved.policy]),
                "date": day_column(moved.day),
                "kind": names_column(moved.kind, KINDS),
                "amount_fen": pa.array(moved.amount_fen),
                "levy_fen": pa.array(moved.levy_fen),
            }
        )

    def tally_table(self) -> pa.Table:
        """Return what became of the rows and money of every list, as `ratemod.fund.events.tally_table`."""
        return tally_table(self.rows)

    def bearers(self) -> dict[str, set[str]]:
        """Return policy -> those whose fund its levy goes into."""
        found = {policy: {insurer} for policy, insurer in zip(self.policy_no.tolist(), self.insurer.tolist())}
        whose = self.policy_no[self.movements.policy[self.shares.movement]]
        for policy, insurer in set(zip(whose.tolist(), self.shares.insurer.tolist())):
            found[policy].add(insurer)
        return found

    @property
    def left_to_leader(self) -> int:
        """How many rows of co-insurers' shares a rule does not use, since the leader sets aside the whole."""
        return sum(one.other for one in self.rows if one.table == "coinsurance")

    def share_table(self) -> pa.Table:
        """Return base and levy by insurer: of the policies it wrote, and of what it bears."""
        return self.shares.table(self.insurer[self.movements.policy])

    @strict
    def statement(self, lang: Lang | None = None) -> pd.DataFrame:
        """Return premium, base, floor, levy, cap and ledger by insurer of the policy and rule: what `reconcile` proves.

        What each co-insurer bears of it stands in `share_table`.
        """
        names, (insurer,) = codes_of(self.insurer)
        group = insurer * len(self.rules) + self.rule
        size = len(names) * len(self.rules)
        sums = {name: _sums(group, column, size) for name, column in self._amounts().items()}
        kept = np.flatnonzero(np.bincount(group, minlength=size))
        rows: dict[str, Any] = {
            "insurer": [names[at // len(self.rules)] for at in kept],
            "rule": [self.rules[at % len(self.rules)].name for at in kept],
            "policies": np.bincount(group, minlength=size)[kept],
        }
        rows |= {name: column[kept] for name, column in sums.items()}
        ends = [self._ends([(self.rules[at % len(self.rules)], int(sums["base_fen"][at]))]) for at in kept]
        rows |= {
            "floor_fen": [low for low, _ in ends],
            "cap_fen": [
                None if self.rules[at % len(self.rules)].cap is None else high for at, (_, high) in zip(kept, ends)
            ],
        }
        table = pa.table(rows)
        return to_frame(table if lang is None else labelled(table, lang))

    def apart_from_ledger(self) -> Problem | None:
        """Return RM758 where the levy is not what the ledger holds: on how many policies, and by how much."""
        if all(check.holds for check in self.ledger_checks()) or self.ledger_fen is None:
            return None
        apart = np.flatnonzero(self.levy_fen != self.ledger_fen)
        return problem(
            "RM758",
            policies=len(apart),
            levy=yuan_text(self.total_fen),
            ledger=yuan_text(int(self.ledger_fen.sum())),
            policy=str(self.policy_no[apart[0]]) if len(apart) else "",
            stray=yuan_text(self.stray_fen),
        )

    def _amounts(self) -> dict[str, Ints]:
        held = {
            "written_fen": self.written_fen,
            "change_fen": self.change_fen,
            "base_fen": self.base_fen,
            "levy_fen": self.levy_fen,
        }
        return held if self.ledger_fen is None else held | {"ledger_fen": self.ledger_fen}

    @staticmethod
    def _ends(bases: Sequence[tuple[LevyRule, int]]) -> tuple[int, int]:
        """Return the least and the most whole fen that floors and caps allow on bases by rule."""
        low = sum((Fraction(rule.floor) * base for rule, base in bases), Fraction(0))
        high = sum((Fraction(1 if rule.cap is None else rule.cap) * base for rule, base in bases), Fraction(0))
        return -(-low.numerator // low.denominator), high.numerator // high.denominator

    def reconcile(self) -> int:
        """Prove premium -> levy -> ledger; return how many sums were proved.

        Raises
        ------
        ModelError
            RM705 for every sum that fails: movements against policies, floor and cap by insurer and overall, and,
            where a ledger was given, the ledger by insurer and by policy.
        """
        return prove([*self.checks(), *self.ledger_checks()])

    def checks(self) -> list[Check]:
        """Return the sums from premium to levy, and that every row that came in is accounted for."""
        moved, n = self.movements, len(self.levy_fen)
        checks = [check for found in self.tallies for check in found.checks()]
        checks += _unequal("levy_movements", self.policy_no, _sums(moved.policy, moved.levy_fen, n), self.levy_fen)
        for what, parts, whole in (
            ("base_insurers", self.shares.amount_fen, moved.amount_fen),
            ("levy_insurers", self.shares.levy_fen, moved.levy_fen),
        ):
            checks += _unequal(
                what, self.policy_no[moved.policy], _sums(self.shares.movement, parts, len(whole)), whole
            )
        checks += _unequal(
            "base_movements",
            self.policy_no,
            _sums(moved.policy, moved.amount_fen, n),
            self.base_fen,
        )
        written = np.array([rule.base == "written" for rule in self.rules])[self.rule]
        checks += _unequal(
            "base_written",
            self.policy_no[written],
            (self.written_fen + self.change_fen)[written],
            self.base_fen[written],
        )
        names, (insurer,) = codes_of(self.insurer)
        for at, name in [*enumerate(names), (-1, "all")]:
            mine = insurer == at if at >= 0 else np.ones(n, dtype=bool)
            bases = [
                (rule, int(self.base_fen[mine & (self.rule == which)].sum())) for which, rule in enumerate(self.rules)
            ]
            low, high = self._ends(bases)
            levy = int(self.levy_fen[mine].sum())
            checks += [Check("levy_floor", name, levy, low, ">="), Check("levy_cap", name, levy, high, "<=")]
        return checks

    def ledger_checks(self) -> list[Check]:
        """Return the levy beside the ledger that was given, by insurer and policy; none without a ledger."""
        if self.ledger_fen is None:
            return []
        names, (insurer,) = codes_of(self.insurer)
        sums = (_sums(insurer, fen, len(names)).tolist() for fen in (self.levy_fen, self.ledger_fen))
        found = [Check("ledger", name, ours, theirs) for name, ours, theirs in zip(names, *sums)]
        found.append(Check("ledger", "all", self.total_fen, int(self.ledger_fen.sum())))
        found += _unequal("ledger_policy", self.policy_no, self.levy_fen, self.ledger_fen)
        return [*found, Check("stray", "all", self.stray_fen, 0)]


@strict
def levy(
    source: Any,
    rules: Sequence[LevyRule] | str | Path | None = None,
    *,
    endorsements: Any = None,
    receipts: Any = None,
    coinsurance: Any = None,
    ledger: Any = None,
    insurers: Any = None,
    as_of: datetime.date | None = None,
) -> Levy:
    """Return the prevention levy of a priced book or of a table of policies.

    Parameters
    ----------
    source : Rated, path or frame
        Policies: policy_no, insurer, sector, start_date, premium_fen (at inception, fen); for an earned base also
        end_date. Of a `Rated` book the priced rows are taken.
    rules : sequence of LevyRule, path of a TOML file, or None
        None: the constant ``fund_share`` of the plan of a `Rated` book, else the shipped rules (illustrative shares).
    endorsements : path or frame, optional
        policy_no, effective_date, premium_change_fen (refunds negative); endorsement_no where there is one.
    receipts : path or frame, optional
        policy_no, date, amount_fen: premium received by instalment, repayments negative; receipt_no where there is
        one. Needed for a received base.
    coinsurance : path or frame, optional
        policy_no, insurer, leader (yes, no), share_percent: who bears premium and levy of a policy (`Levy.shares`).
    ledger : path or frame, optional
        policy_no, kind (accrual, release; others are left alone), amount_fen; date where `as_of` is given. Of a `Rated`
        book the plan's own fund.
    insurers : path, frame or names, optional
        Who may occur as insurer or co-insurer.
    as_of : date, optional
        Movements after this day do not count yet. Needed for an earned base.

    Returns
    -------
    Levy
        ``levy = share x base`` to the fen by the rule's rounding; `Levy.reconcile` proves the sums.

    Raises
    ------
    BookError
        RM950 a column is missing, RM706/RM707 bad rules, RM730 an unknown insurer; those of `co_insure`.
    ModelError
        RM710 a base needs receipts, end dates or `as_of` that were not given; RM713 no policy is left.

    Notes
    -----
    Refused in the result, others unaffected: RM711 no rule fits sector and start, RM712 more was refunded than paid,
    RM755 more was received than written, RM762 who bears it cannot be told, RM750, RM751, RM753, RM754, RM396 policies
    and events that stand twice, contradict each other, or meet no policy or no day of its term (an endorsement's day; a
    premium may be paid before and after).
    An earned base counts every movement evenly over its days: ``amount x days passed / days of the movement``.

    Source
    ------
    吉应急规划财务联〔2020〕282号: at least 10 % of premium. 应急〔2025〕27号: budget at most 21 % of premium received
    (from digests).

    Examples
    --------
    >>> import pyarrow as pa, datetime
    >>> from decimal import Decimal
    >>> book = pa.table({"policy_no": ["A"], "insurer": ["birch"], "sector": ["mining"], "premium_fen": [105],
    ...                  "start_date": [datetime.date(2026, 1, 1)]})
    >>> found = levy(book, [LevyRule("floor", Decimal("0.10"), Decimal("0.10"))])
    >>> found.total_fen, found.reconcile()
    (11, 13)
    """
    read, plan_fund = _book(source)
    known = None if insurers is None else known_insurers(insurers, [])
    if known is not None and (wrong := unknown_insurers(read.rows, known, "policies")):
        raise BookError(wrong)
    given, today = _rules_of(source, rules), day_number(as_of)
    kept = _Kept(
        book=read.rows,
        rule=rule_of(given, read.rows["sector"], read.rows["start_date"]),
        plan_fund=plan_fund,
        gone=numbers_left_out(read.rows),
        refused=read.rows.refused,
    )
    kept = kept.without(*_without_rule(kept))
    shares_of, by_share = read_shares(coinsurance), np.array([item.accrues == "shares" for item in given])
    kept = kept.without(*torn(kept.book, by_share[kept.rule], shares_of, known))
    changes = read_changes(kept.book, endorsements, receipts, kept.gone)
    if receipts is not None:
        over, told = over_received(kept.book, changes)
        kept, changes = kept.without(over, told), changes.without(over)
    changes = changes.known_by(today)
    moved = movements(kept.book, kept.rule, given, changes, receipts is not None, today)
    below, told = below_nothing(kept.book, moved)
    if below.any():
        kept, changes = kept.without(below, told), changes.without(below)
        moved = movements(kept.book, kept.rule, given, changes, receipts is not None, today)
    book, n = kept.book, len(kept.book)
    if n == 0:
        raise ModelError([problem("RM713"), *kept.refused[:5]])
    written = book["premium_fen"] if today is None else np.where(book["start_date"] <= today, book["premium_fen"], 0)
    levy_fen, change = levied_by(moved, kept.rule, given), moved[2] == CHANGE
    shares, divided = shared(book, moved, levy_fen, by_share[kept.rule], shares_of, kept.gone, known)
    booked = None if ledger is None else read_accruals(ledger, book, today)
    policies = read.without(join(read.rows["policy_no"], book["policy_no"]).unmet(), "aside", None)
    others = (divided, None if booked is None else booked[2])
    events = (changes.endorsements, changes.receipts, *(found for found in others if found is not None))
    return Levy(
        rules=given,
        policy_no=book["policy_no"],
        insurer=book["insurer"],
        sector=book["sector"],
        rule=kept.rule,
        written_fen=written,
        change_fen=_sums(moved[0][change], moved[3][change], n),
        base_fen=_sums(moved[0], moved[3], n),
        levy_fen=_sums(moved[0], levy_fen, n),
        movements=Movements(*moved, levy_fen),
        shares=shares,
        ledger_fen=kept.plan_fund if booked is None else booked[0],
        stray_fen=0 if booked is None else booked[1],
        refused=once(
            [
                *kept.refused,
                *(item for found in events for item in found.told),
                *cancelled_in_full(book, changes, today),
            ]
        ),
        lacking=lacking(read.rows, book, shares_of),
        tallies=events,
        rows=(policies.tally, *(found.tally for found in events)),
    )


@dataclass(frozen=True, eq=False, slots=True)
class _Kept:
    """The policies of a levy under way, each with its rule; of the others, their numbers and why they are left out."""

    book: Columns
    rule: Ints
    plan_fund: Ints | None
    gone: frozenset[str]
    refused: tuple[Problem, ...]

    def without(self, out: Bools, told: Sequence[Problem]) -> _Kept:
        """Return the policies less some, and what is said of it."""
        return _Kept(
            book=self.book.take(~out),
            rule=self.rule[~out],
            plan_fund=None if self.plan_fund is None else self.plan_fund[~out],
            gone=self.gone.union(self.book["policy_no"][out].tolist()),
            refused=(*self.refused, *told),
        )


def _rules_of(source: Any, rules: Sequence[LevyRule] | str | Path | None) -> tuple[LevyRule, ...]:
    """Return the rules given, those of a file, of the plan of a rated book, or those shipped."""
    if rules is None and isinstance(source, Rated):
        return plan_rules(source.one_edition().plan)
    if rules is None or isinstance(rules, str | Path):
        return read_levy_rules(rules)
    check_rules(rules)
    return tuple(rules)


def _without_rule(kept: _Kept) -> tuple[Bools, list[Problem]]:
    """Return the policies that no rule fits, and RM711."""
    lost, book = kept.rule < 0, kept.book
    if not lost.any():
        return lost, []
    at = int(np.argmax(lost))
    policy, sector = book["policy_no"][at], book["sector"][at]
    return lost, [problem("RM711", **book.first(lost, "policies"), policy=policy, sector=sector)]


def _book(source: Any) -> tuple[Events, Ints | None]:
    if not isinstance(source, Rated):
        return policies_once(source, POLICY, MORE), None
    source.plan.money.need_hundredths()
    table = source.table
    if source.plan.key and source.plan.key != "policy_no":
        table = table.append_column("policy_no", table[source.plan.key].cast(pa.string()))
    priced = np.asarray(table["premium_fen"].is_valid().to_numpy(), dtype=bool)
    kept = table.filter(pa.array(priced))
    found = policies_once(kept, POLICY, MORE)
    fund = np.asarray(kept["fund_fen"].to_numpy(), dtype=np.int64) if "fund_fen" in kept.column_names else None
    return found, fund if len(found.rows) == kept.num_rows else None


def _sums(group: Ints, amount: Ints, size: int) -> Ints:
    """Return exact sums of fen by group, (size,) int64."""
    total = np.zeros(size, dtype=np.int64)
    np.add.at(total, group, amount)
    return total


def _unequal(what: str, where: Texts, left: Ints, right: Ints) -> list[Check]:
    """Return one check for the whole column where all agree, else one for each place that does not."""
    apart = np.flatnonzero(left != right)
    if not len(apart):
        return [Check(what, "all", int(left.sum()), int(right.sum()))]
    return [Check(what, str(where[at]), int(left[at]), int(right[at])) for at in apart]


def read_accruals(ledger: Any, book: Columns, today: int | None) -> tuple[Ints, int, Events]:
    """Return accruals less releases of a ledger by policy, those on policies that are not in the book, and its rows.

    Raises
    ------
    BookError
        Rows that cannot be read; RM710 a day is asked for and the ledger says none.
    """
    entries = read_events(ledger, "ledger", ("policy_no", "kind", "amount_fen"), ("date", "entry_no"))
    if entries.rows.refused:
        raise BookError(entries.rows.refused)
    if today is not None:
        if "date" not in entries.rows:
            raise BookError(lacks("ledger", "date", None if entries.rows.book is None else entries.rows.book.file))
        entries = entries.without(entries.rows["date"] > today, "later", None)
    rows = entries.rows
    signed = np.select(
        [rows["kind"] == "accrual", rows["kind"] == "release"], [rows["amount_fen"], -rows["amount_fen"]], 0
    )
    counted = (rows["kind"] == "accrual") | (rows["kind"] == "release")
    found = join(rows["policy_no"][counted], book["policy_no"]).place()
    amount = signed[counted].astype(np.int64)
    return _sums(found[found >= 0], amount[found >= 0], len(book)), int(np.abs(amount[found < 0]).sum()), entries
