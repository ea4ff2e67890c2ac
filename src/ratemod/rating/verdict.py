"""Every row's status, and for each row without a premium all the reasons why."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod

import numpy as np
import numpy.typing as npt

from ratemod.errors import Lang, Problem, problem
from ratemod.plan.graph import REFUSING, rule_node
from ratemod.plan.model import Legal, Plan, Rule, plain
from ratemod.plan.operand import Operand
from ratemod.rating import exact, working
from ratemod.rating.encode import Coding, Doubt
from ratemod.rating.rational import Mask
from ratemod.rating.refusal import other_lines
from ratemod.rating.why import shown, stuck, why
from ratemod.reading.arrow import from_arrow, to_arrow
from ratemod.rules.options import strict

STATUS = ("rated", "referred", "refused", "declined")
RATED, REFERRED, REFUSED, DECLINED = range(4)
FINALS = ("declined", "refused")  # the last one that holds is the status of a row
FEW = 1 << 16  # combinations that a number of 16 bits can name


@dataclass(frozen=True, eq=False, slots=True)
class Verdict:
    """Status and reasons of n rows.

    Attributes
    ----------
    status : (n,) uint8
        Index into `STATUS`.
    reason_of : (n,) int32
        0, or index + 1 into `reasons`.
    reasons : tuple of tuple of Problem
        All that is wrong with such a row, worst first.
    note_of : (n,) int32
        0, or index + 1 into `notes`.
    notes : tuple of tuple of Problem
        Labels, referral rules, defaults used.
    barred : (n,) bool
        Rows that a cell or a check across rows refuses, whatever the numbers of the plan are.
    """

    status: npt.NDArray[np.uint8]
    reason_of: npt.NDArray[np.int32]
    reasons: tuple[tuple[Problem, ...], ...]
    note_of: npt.NDArray[np.int32]
    notes: tuple[tuple[Problem, ...], ...]
    barred: Mask


@dataclass(eq=False, slots=True)
class Told:
    """Different problems, each numbered once: the work does not grow with how many there are."""

    problems: list[Problem] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)

    def number(self, item: Problem) -> int:
        """Return the number of a problem, from 1."""
        key = repr((item.code, item.args))
        if key not in self.numbers:
            self.problems.append(item)
            self.numbers[key] = len(self.problems)
        return self.numbers[key]


def judge(
    coding: Coding,
    given: Sequence[Doubt],
    said: Sequence[Doubt],
    defaulted: Mapping[str, Mask],
    priced: Mask,
    below: Mask,
    rules: Sequence[tuple[Rule, Mask]],
    legal: Sequence[tuple[Legal, Mask, Mask]],
) -> Verdict:
    """Return the verdict on every row.

    Parameters
    ----------
    given : doubts of cells and across rows
    said : remarks
    defaulted : mapping of column to (n,) bool
    priced : (n,) bool
        Rows whose steps gave a premium.
    below : (n,) bool
        Rows whose premium is below zero.
    rules : (rule, (n,) bool) pairs
        Rows that each rule catches.
    legal : (range, (n,) bool, (n,) bool)
        Rows outside each legal range, and rows that its exception is for.
    """
    plan, inputs = coding.plan, coding
    unread = {doubt.cell: doubt.which > 0 for doubt in given if doubt.cell is not None}
    doubts, notes = [_read(doubt, unread) for doubt in given], list(said)
    barred = np.zeros(inputs.n, dtype=bool)
    for doubt in doubts:
        barred |= doubt.which > 0
    if below.any():
        doubts.append(Doubt(below.view(np.uint8), (problem("RM288"),)))
    for rule, caught in rules:
        if caught.any() and unread:
            caught = _without(caught, unread, plan.graph().upstream([rule_node(rule.name)]))
        if not caught.any():
            continue
        told = problem("RM303", name=rule.name, message_en=rule.message_en, message_zh=rule.message_zh)
        if rule.action in REFUSING:
            doubts.append(Doubt(caught.view(np.uint8), (told,), "declined" if rule.action == "decline" else "refused"))
        else:
            notes.append(Doubt(caught.view(np.uint8), (told,), rule.action))
    wrong = np.zeros(inputs.n, dtype=bool)
    for doubt in doubts:
        wrong |= doubt.which > 0
    unlawful = wrong.copy()
    for _, outside, excepted in legal:
        unlawful |= outside & ~excepted
    others = other_lines(unlawful, inputs.groups) | (other_lines(unlawful | ~priced, inputs.groups) & priced)
    if others.any():
        doubts.append(Doubt(others.astype(np.int32), (problem("RM315"),)))
        wrong |= others
    for item, outside, excepted in legal:
        notes += _exceptions(item, outside & excepted & ~wrong)
        doubts.extend(_legal_doubts(plan, item, outside & ~excepted & ~wrong, inputs))
    doubts.extend(_unpriced(plan, inputs, np.flatnonzero(~priced & ~wrong)))
    for name, used in defaulted.items():
        column = plan.columns[name]
        told = problem(
            "RM330", column=name, label=column.label("zh"), value=column.default, source=column.default_source
        )
        notes.append(Doubt(used.view(np.uint8), (told,), "label"))
    rank = np.zeros(inputs.n, dtype=np.uint8)
    referrals = [note for note in notes if note.final == "refer"]
    for weight, found in enumerate((referrals, *([d for d in doubts if d.final == final] for final in FINALS)), 1):
        for doubt in found:
            np.maximum(rank, (doubt.which > 0) * np.uint8(weight), out=rank)
    status = np.array([RATED, REFERRED, DECLINED, REFUSED], dtype=np.uint8)[rank]
    reason_of, reasons = _combine(doubts)
    note_of, noted = _combine(notes)
    return Verdict(status, reason_of, reasons, note_of, noted, barred)


def _read(doubt: Doubt, unread: Mapping[str, Mask]) -> Doubt:
    """Return a check across rows without the rows whose own cell could not be read: nothing is known of those."""
    if not any(name in unread for name in doubt.over):
        return doubt
    kept = _without(doubt.which > 0, unread, doubt.over)
    return replace(doubt, which=np.where(kept, doubt.which, 0))


def _without(caught: Mask, unread: Mapping[str, Mask], names: Collection[str]) -> Mask:
    """Return the rows caught, less those in which one of the columns was not read: a blank there is no finding."""
    for name, rows in unread.items():
        if name in names:
            caught = caught & ~rows
    return caught


def _combine(doubts: Sequence[Doubt]) -> tuple[npt.NDArray[np.int32], tuple[tuple[Problem, ...], ...]]:
    """Return, per row, the number of its combination of problems, and the combinations."""
    if not doubts:
        return np.zeros(0, dtype=np.int32), ()
    n = len(doubts[0].which)
    doubts = [doubt for doubt in doubts if doubt.which.any()]
    if prod(len(doubt.problems) + 1 for doubt in doubts) <= FEW:
        return _combine_few(doubts, n)
    which_of = np.zeros(n, dtype=np.int32)
    touched = np.zeros(n, dtype=bool)
    for doubt in doubts:
        touched |= doubt.which > 0
    rows = np.flatnonzero(touched)
    found = np.zeros(len(rows), dtype=np.int64)
    combinations: list[tuple[Problem, ...]] = [()]
    for doubt in doubts:  # one doubt at a time: so the number of combinations stays small throughout
        base = len(doubt.problems) + 1
        values, found = distinct(found * base + doubt.which[rows])
        combinations = [
            combinations[value // base] + ((doubt.problems[value % base - 1],) if value % base else ())
            for value in values.tolist()
        ]
    which_of[rows] = found + 1
    return which_of, tuple(combinations)


def _combine_few(doubts: Sequence[Doubt], n: int) -> tuple[npt.NDArray[np.int32], tuple[tuple[Problem, ...], ...]]:
    """Return the same, where all that could come together fits one small number a row: no row is sorted or hashed."""
    code = np.zeros(n, dtype=np.uint16)
    for doubt in doubts:
        code *= np.uint16(len(doubt.problems) + 1)
        np.add(code, doubt.which, out=code, casting="unsafe")
    seen = [number for number in np.flatnonzero(np.bincount(code)).tolist() if number]
    place = np.zeros(FEW, dtype=np.int32)
    place[seen] = np.arange(1, len(seen) + 1)
    combinations = []
    for number in seen:
        told: tuple[Problem, ...] = ()
        for doubt in reversed(doubts):
            number, which = divmod(number, len(doubt.problems) + 1)
            told = ((doubt.problems[which - 1],) if which else ()) + told
        combinations.append(told)
    return place[code], tuple(combinations)


def distinct(numbers: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the different numbers in order, and the place of each number among them; by hashing, not sorting."""
    coded = to_arrow(numbers).dictionary_encode()
    values = from_arrow(coded.dictionary)
    order = np.argsort(values)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return values[order], place[from_arrow(coded.indices)]


def _unpriced(plan: Plan, inputs: Coding, rows: npt.NDArray[np.intp]) -> Iterator[Doubt]:
    """Yield why the steps of these rows gave no premium: for each row the first step without a value."""
    if not len(rows):
        return
    part = inputs.part(rows)
    state = exact.evaluate(plan, part)
    open_ = np.ones(len(rows), dtype=bool)
    for step in plan.steps:
        lacking = open_ & ~state.values[step.name].ok
        if step.when is not None and step.otherwise == "none":
            lacking &= working.holds(step.when, plan, state)
        if not lacking.any():
            continue
        which = np.zeros(inputs.n, dtype=np.int32)
        told = Told()
        for at in np.flatnonzero(lacking).tolist():
            which[rows[at]] = told.number(why(plan, step, state, at))
        open_ &= ~lacking
        yield Doubt(which, tuple(told.problems))
    if open_.any():
        which = np.zeros(inputs.n, dtype=np.int32)
        which[rows[open_]] = 1
        yield Doubt(which, (stuck(plan, "RM317", plan.premium, money=plan.money.name_en, money_zh=plan.money.name_zh),))


def _exceptions(item: Legal, rows: Mask) -> Iterator[Doubt]:
    """Yield the rows outside a legal range that the plan excepts: they are labelled."""
    if item.exception is not None and rows.any():
        told = problem("RM303", name=item.name, message_en=item.exception.label_en, message_zh=item.exception.label_zh)
        yield Doubt(rows.view(np.uint8), (told,), "label")


def _legal_doubts(plan: Plan, item: Legal, outside: Mask, inputs: Coding) -> Iterator[Doubt]:
    """Yield the rows outside a legal range."""
    rows = np.flatnonzero(outside)
    if not len(rows):
        return
    state = exact.evaluate(plan, inputs.part(rows))
    which = np.zeros(inputs.n, dtype=np.int32)
    told_of = Told()
    for at in range(len(rows)):
        reason = problem(
            "RM316",
            of=item.of,
            label=plan.label(item.of, "zh"),
            value=shown(plan, item.of, state, at),
            legal=item.name,
            low=_end(plan, item.low, state, at),
            high=_end(plan, item.high, state, at),
            source=plan.sources[item.source].title,
        )
        which[rows[at]] = told_of.number(reason)
    yield Doubt(which, tuple(told_of.problems))


def _end(plan: Plan, end: Operand | None, state: working.Exact, at: int) -> str:
    if end is None:
        return ""
    return shown(plan, end, state, at) if isinstance(end, str) else str(plain(end))


@strict
def say(problems: Sequence[Problem], lang: Lang) -> str:
    """Return several problems as one text."""
    return "; ".join(
        f"{item.code} {item.what(lang)}" if item.code not in ("RM303", "RM302", "RM330") else item.what(lang)
        for item in problems
    )
