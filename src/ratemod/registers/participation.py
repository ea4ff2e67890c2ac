"""Participation: who must insure and does not, for too few heads, below the minimum limit, or for part of the year."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ratemod.errors import ModelError, problem
from ratemod.reading.join import Meeting, join
from ratemod.registers.as_of import Ints, moment, pairs, timeline
from ratemod.registers.days import NEVER, Days, as_days
from ratemod.registers.register import Register
from ratemod.registers.rules import ParticipationRule
from ratemod.rules.options import strict
from ratemod.vocabulary.codes.division import division_name

GAPS = ("uninsured", "part_of_year", "short_of_heads", "below_limit")


@dataclass(frozen=True, eq=False, slots=True)
class Coverage:
    """Participation of every enterprise in a period, one entry an enterprise.

    Attributes
    ----------
    enterprises : Register
    must : (n,) bool, obliged to insure on at least a day of the period
    obliged_days, covered_days : (n,) int64, of the period; overlapping policies count once
    uninsured : (n,) bool, obliged and not covered on any day
    heads_short : (n,) int64
        Staff less insured heads on the last covered day, where positive; all staff of the uninsured.
    limit_short_yuan : (n,) int64, minimum less limit on that day, where positive
    doubtful : (n,) bool, obliged, with a row of policies or endorsements that cannot be used: nothing is said of them
    last_policy : (n,) int64, place in `policies` of the last that began before the period ended, -1 where none did
    joins : what policies are to enterprises, and endorsements to policies: rows of nobody insure nobody
    """

    enterprises: Register
    policies: Register
    must: npt.NDArray[np.bool_]
    obliged_days: Ints
    covered_days: Ints
    uninsured: npt.NDArray[np.bool_]
    heads_short: Ints
    limit_short_yuan: Ints
    doubtful: npt.NDArray[np.bool_]
    last_policy: Ints
    joins: tuple[Meeting, ...]

    @property
    def judged(self) -> npt.NDArray[np.bool_]:
        """Obliged, and every row of theirs can be used, (n,) bool."""
        return self.must & ~self.doubtful

    @property
    def short_of_heads(self) -> npt.NDArray[np.bool_]:
        """Insured for fewer heads than the staff, (n,) bool."""
        return (self.heads_short > 0) & ~self.uninsured

    @property
    def part_of_year(self) -> npt.NDArray[np.bool_]:
        """Obliged, covered on some days but not on all, (n,) bool."""
        return self.judged & ~self.uninsured & (self.covered_days < self.obliged_days)

    @property
    def in_full(self) -> npt.NDArray[np.bool_]:
        """Obliged and without any gap, (n,) bool."""
        short = (self.heads_short > 0) | (self.limit_short_yuan > 0)
        return self.judged & ~self.uninsured & ~self.part_of_year & ~short

    def by_division_and_sector(self) -> pa.Table:
        """Return the coverage gap by division and sector.

        Returns
        -------
        pyarrow.Table
            ``division_code``, ``division``, ``sector``, then numbers of enterprises: ``obliged``, ``uninsured``,
            ``part_of_year``, ``short_of_heads``, ``below_limit``, ``in_full`` (an enterprise may have several gaps),
            ``doubtful`` (of which nothing is said);
            staff ``staff_obliged`` and ``staff_uninsured`` (of uninsured enterprises, and heads short).
        """
        values = self.enterprises.values
        staff = self.enterprises.number("staff")
        flags = {
            "obliged": self.must,
            "uninsured": self.uninsured,
            "part_of_year": self.part_of_year,
            "short_of_heads": self.short_of_heads,
            "below_limit": self.limit_short_yuan > 0,
            "in_full": self.in_full,
            "doubtful": self.doubtful,
        }
        figures = {name: flag.astype(np.int64) for name, flag in flags.items()}
        figures["staff_obliged"] = np.where(self.must, staff, 0)
        figures["staff_uninsured"] = self.heads_short
        where = {"division_code": values["division_code"], "sector": self.enterprises.codes("sector")}
        table = pa.table(where | figures)
        table = table.filter(pa.array(self.must))
        found = table.group_by(["division_code", "sector"], use_threads=False).aggregate(
            [(name, "sum") for name in figures]
        )
        found = found.rename_columns(["division_code", "sector", *figures])
        found = found.sort_by([("division_code", "ascending"), ("sector", "ascending")])
        names = division_name(found["division_code"].to_pylist(), "zh").tolist()
        return found.add_column(1, "division", pa.array(names, pa.string()))

    def table(self) -> pa.Table:
        """Return the gaps of each obliged enterprise that has one: who to write to.

        ``gap`` is a code of `GAPS`, several joined by ``+``; ``insurer`` and ``policy_no`` are of its last policy.
        """
        values, kept = self.enterprises.values, np.flatnonzero(self.judged & ~self.in_full)
        sector = np.asarray(self.enterprises.values["sector"])[kept]  # as the notice orders them
        where = np.asarray(values["division_code"].to_pylist(), dtype=str)[kept]
        firm = np.asarray(self.enterprises.keys.to_pylist(), dtype=str)[kept]
        kept = kept[np.lexsort((firm, sector, where))]
        place = pa.array(kept)
        return pa.table(
            {
                "division_code": values["division_code"].take(place),
                "sector": self.enterprises.codes("sector").take(place),
                "credit_code": self.enterprises.keys.take(place),
                "name": text_of(self.enterprises, "name", kept),
                "phone": text_of(self.enterprises, "phone", kept),
                "gap": self._gaps(kept),
                "insurer": text_of(self.policies, "insurer", self.last_policy[kept]),
                "policy_no": text_of(self.policies, "policy_no", self.last_policy[kept]),
                "staff": pa.array(self.enterprises.number("staff")[kept]),
                "obliged_days": pa.array(self.obliged_days[kept]),
                "covered_days": pa.array(self.covered_days[kept]),
                "heads_short": pa.array(self.heads_short[kept]),
                "limit_short_yuan": pa.array(self.limit_short_yuan[kept]),
            }
        )

    def _gaps(self, rows: Ints) -> pa.Array:
        flags = (self.uninsured, self.part_of_year, self.short_of_heads, self.limit_short_yuan > 0)
        found = [[name for name, flag in zip(GAPS, flags, strict=True) if flag[row]] for row in rows]
        return pa.array(["+".join(names) for names in found], pa.string())


def text_of(register: Register, name: str, rows: Ints) -> pa.Array:
    """Return the texts of some rows of a register, (k,); null where it has no such column, or the row is -1."""
    if not register.has(name):
        return pa.nulls(len(rows), pa.string())
    return register.values[name].take(pa.array(np.maximum(rows, 0), mask=rows < 0))


@strict
def coverage(
    enterprises: Register,
    policies: Register,
    period: tuple[str, str],
    rule: ParticipationRule,
    *,
    endorsements: Register | None = None,
) -> Coverage:
    """Return who must insure in a period, and what is missing.

    Parameters
    ----------
    enterprises : Register of ``enterprises``
    policies : Register of ``policies``
    period : first day, and the day after the last, as ISO dates
    rule : ParticipationRule
    endorsements : Register of ``endorsements``, optional
        Headcount changes during a policy.

    Raises
    ------
    ModelError
        RM254 when the period is empty.

    Formula
    -------
    A closed enterprise is obliged up to the day before it closes. Covered days are the union of its policies, each
    from its start to the day before its end or cancellation. Heads and limit are those of the policies in force on the
    last covered day of the period: heads added up, the lowest limit. Of an enterprise with a row that cannot be used
    nothing is derived: a slip of the pen must not make it uninsured.

    Source
    ------
    应急〔2025〕27号 (read in reports): eight sectors must insure; all staff; one limit, at least the minimum.
    """
    low, high = (int(as_days(np.datetime64(end, "D"))) for end in period)
    if low >= high:
        raise ModelError(problem("RM254", first=period[0], last=period[1]))
    met = policies.met(enterprises.keys)
    query, firm, count = met.asked, met.there, met.count
    until = np.minimum(enterprises.dates("closed_date"), high)
    must = _obliged(enterprises, rule) & (until > low)
    obliged = np.where(must, until - low, 0)
    start = policies.dates("start_date")
    end = np.minimum(policies.dates("end_date"), policies.dates("cancelled_date"))
    covered, last = _covered(firm, start, end, query, np.full(len(query), low), np.maximum(until, low), count)
    heads, limit = _in_force(policies, endorsements, firm, start, end, query, last, count)
    insured = must & (covered > 0)
    measured = insured & (limit < NEVER)
    if rule.limit_from is not None:
        measured &= _begun(firm, start, end, query, last, count) >= int(as_days(np.datetime64(rule.limit_from, "D")))
    staff = enterprises.number("staff")
    doubtful = must & _doubtful(enterprises, policies, endorsements)
    known = insured & ~doubtful
    uninsured = must & ~insured & ~doubtful
    return Coverage(
        enterprises=enterprises,
        policies=policies,
        last_policy=timeline(firm, start).last(query, np.full(len(query), high - 1)),
        must=must,
        obliged_days=obliged,
        covered_days=np.where(must, covered, 0),
        uninsured=uninsured,
        heads_short=np.select([uninsured, known & policies.has("heads")], [staff, np.maximum(staff - heads, 0)], 0),
        limit_short_yuan=np.where(measured & known, np.maximum(rule.minimum_limit_yuan - limit, 0), 0),
        doubtful=doubtful,
        joins=(met.meeting("policies", policies.money_fen()), *_of_changes(policies, endorsements)),
    )


def _of_changes(policies: Register, endorsements: Register | None) -> tuple[Meeting, ...]:
    if endorsements is None or not policies.has("policy_no"):
        return ()
    return (join(policies.values["policy_no"], endorsements.values["policy_no"]).meeting("endorsements"),)


def _doubtful(enterprises: Register, policies: Register, endorsements: Register | None) -> npt.NDArray[np.bool_]:
    """Return the enterprises with a row of policies, or of endorsements of their policies, that cannot be used."""
    codes = policies.doubtful
    found = np.asarray(pc.is_in(enterprises.keys, value_set=codes))
    if endorsements is not None and policies.has("policy_no") and len(endorsements.doubtful):
        own = np.asarray(pc.is_in(policies.values["policy_no"], value_set=endorsements.doubtful))
        found |= np.asarray(pc.is_in(enterprises.keys, value_set=policies.keys.filter(pa.array(own))))
        found |= np.asarray(pc.is_in(enterprises.keys, value_set=endorsements.doubtful))
    return found


def _obliged(enterprises: Register, rule: ParticipationRule) -> npt.NDArray[np.bool_]:
    must = np.asarray(pc.is_in(enterprises.codes("sector"), value_set=pa.array(list(rule.sectors), pa.string())))
    must = must & (enterprises.number("staff") >= rule.least_staff)
    if rule.sizes and enterprises.has("size_class"):
        must &= np.asarray(pc.is_in(enterprises.codes("size_class"), value_set=pa.array(list(rule.sizes), pa.string())))
    return must


def _covered(firm: Ints, start: Days, end: Days, query: Ints, low: Days, high: Days, count: int) -> tuple[Ints, Days]:
    """Return days covered in [low, high), overlaps once, and the last of them (`-NEVER` where none)."""
    line = timeline(firm, start)
    order = line.order
    begin, stop, own = start[order], end[order], firm[order]
    # What earlier policies of the same enterprise already cover: a running maximum that never crosses enterprises.
    reach = np.maximum.accumulate(moment(own, stop))
    before = np.full(len(own), -NEVER, dtype=np.int64)
    same = own[1:] == own[:-1]
    before[1:] = np.where(same, reach[:-1] - moment(own[1:], np.zeros(len(own[1:]), dtype=np.int64)), -NEVER)
    fresh = np.empty(len(firm), dtype=np.int64)
    fresh[order] = np.maximum(begin, before)
    covered, last = np.zeros(len(query), dtype=np.int64), np.full(len(query), -NEVER, dtype=np.int64)
    for pair in pairs(firm, query, count):
        event = pair.event
        top = np.minimum(end[event], high[pair.query])
        days = np.maximum(top - np.maximum(fresh[event], low[pair.query]), 0)
        pair.sums(days, covered)
        inside = top > np.maximum(start[event], low[pair.query])
        pair.highest(np.where(inside, top - 1, -NEVER), last)
    return covered, last


def _in_force(
    policies: Register,
    endorsements: Register | None,
    firm: Ints,
    start: Days,
    end: Days,
    query: Ints,
    day: Days,
    count: int,
) -> tuple[Ints, Ints]:
    """Return insured heads, added up over the policies in force, and their lowest limit (`NEVER` where not told)."""
    heads, limit = np.zeros(len(query), dtype=np.int64), np.full(len(query), -NEVER, dtype=np.int64)
    lowest = policies.number("limit_yuan") if policies.has("limit_yuan") else np.full(len(policies), NEVER)
    for pair in pairs(firm, query, count):
        event, on = pair.event, day[pair.query]
        runs = (start[event] <= on) & (on < end[event])
        insured = policies.number("heads")[event]
        if endorsements is not None and policies.has("policy_no"):
            insured = _changed(policies, endorsements, event, on, insured)
        pair.sums(np.where(runs, insured, 0), heads)
        pair.highest(np.where(runs, -lowest[event], -NEVER), limit)
    return heads, -limit


def _changed(policies: Register, endorsements: Register, event: Ints, on: Days, insured: Ints) -> Ints:
    """Return heads after the last change on or before the day."""
    met = join(policies.values["policy_no"], endorsements.values["policy_no"])
    last = timeline(met.there, endorsements.dates("effective_date")).last(met.asked[event], on)
    after = endorsements.number("heads_after")
    return np.where(last >= 0, after[np.maximum(last, 0)], insured) if len(after) else insured


def _begun(firm: Ints, start: Days, end: Days, query: Ints, day: Days, count: int) -> Days:
    """Return when the latest policy in force on each day began (`-NEVER` where none)."""
    begun = np.full(len(query), -NEVER, dtype=np.int64)
    for pair in pairs(firm, query, count):
        on = day[pair.query]
        runs = (start[pair.event] <= on) & (on < end[pair.event])
        pair.highest(np.where(runs, start[pair.event], -NEVER), begun)
    return begun
