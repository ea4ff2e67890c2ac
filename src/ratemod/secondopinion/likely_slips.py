"""Slips of use rather than of arithmetic, each as a plan of its own.

Another edition, a unit, a swapped column, a condition that is not looked at, another way of counting days.

They differ from the guesses of `likely_causes` in that they may touch some rows only: one branch types the limit in
万元, one clerk keeps an expired certificate's credit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from ratemod.errors import PlanError
from ratemod.plan.editions import editions_in, load_folder, shipped_folder
from ratemod.plan.model import Combination, Condition, Plan, Step, Test
from ratemod.plan.op.arithmetic import AddPercentages, Product, Ratio, Sum
from ratemod.plan.op.base import TableOperation
from ratemod.plan.op.dates import Days, Months, Term
from ratemod.plan.op.look_up import Interpolate, Lookup
from ratemod.plan.op.rounding import Round
from ratemod.plan.operand import Operand
from ratemod.plan.reads import axes_read
from ratemod.plan.reads import names_in_condition as named_in
from ratemod.secondopinion.guess import Guess, with_steps

YEAR_DAYS = Decimal(365)
# What a premium is multiplied by when fen, yuan, thousands and 万元 are mixed up.
PREMIUM_UNITS = (Decimal(100), Decimal("0.01"), Decimal("0.0001"), Decimal(10000))
INPUT_UNITS = (Decimal(10000), Decimal("0.0001"))


def slips(plan: Plan) -> Iterator[Guess]:
    """Yield every guess about the use of a plan."""
    yield from _editions(plan)
    yield from _premium_units(plan)
    for step in plan.steps:
        yield from _conditions(plan, step)
        yield from _dates(plan, step)
        of = step.operation.of
        if isinstance(step.operation, Product) and len(of) > 1 and all(_is_factor(plan, operand) for operand in of):
            yield Guess("added", step.name, "", with_steps(plan, replace(step, operation=AddPercentages(of=of))))
    read = _read(plan)
    yield from _input_units(plan, read)
    yield from _swapped_columns(plan, read)


def _editions(plan: Plan) -> Iterator[Guess]:
    """Yield the other editions of the scheme: those beside the plan, and those that ship."""
    beside = editions_in(Path(plan.folder).parent) if plan.folder else []
    seen = {plan.fingerprint}
    for folder in [*beside, *editions_in(shipped_folder() / plan.scheme)]:
        try:
            other = load_folder(folder)
        except PlanError:  # a neighbour that is no plan
            continue
        if other.scheme == plan.scheme and other.fingerprint not in seen and set(other.columns) == set(plan.columns):
            seen.add(other.fingerprint)
            yield Guess("edition", plan.scheme, other.edition, other)


def _premium_units(plan: Plan) -> Iterator[Guess]:
    final = plan.step(plan.premium)
    if not isinstance(final.operation, Round):
        return
    for factor in PREMIUM_UNITS:
        whole = replace(final, name=f"{final.name}.right", headline=False)
        slipped = Step(f"{final.name}.slipped", Product(of=(whole.name, factor)))
        # In 万元 a premium keeps the decimals it needs; the comparison is in whole fen whatever they are.
        last = Step(final.name, Round(of=(slipped.name,), unit=Decimal("0.01")), unit=final.unit)
        yield Guess("premium_unit", final.name, f"{factor}", with_steps(plan, whole, slipped, last))


def _conditions(plan: Plan, step: Step) -> Iterator[Guess]:
    """Yield that a step's condition is not looked at: it always holds, or it never does."""
    if step.when is None:
        return
    names = ", ".join(dict.fromkeys(named_in(step.when)))
    yield Guess("condition", step.name, names, with_steps(plan, replace(step, when=None, otherwise=None)))
    if step.otherwise is not None and step.otherwise != "none":
        never = replace(step, operation=Sum(of=(step.otherwise,)), when=None, otherwise=None)
        yield Guess("never", step.name, names, with_steps(plan, never))


def _dates(plan: Plan, step: Step) -> Iterator[Guess]:
    """Yield other ways of counting a term, and pro rata in place of a short-period table."""
    operation = step.operation
    if isinstance(operation, Term):
        other_day = replace(operation, inclusive=not operation.inclusive)
        yield Guess("end_day", step.name, "", with_steps(plan, replace(step, operation=other_day)))
    if isinstance(operation, Months):
        other: Literal["started", "complete"] = "complete" if operation.count == "started" else "started"
        counted = replace(step, operation=replace(operation, count=other))
        yield Guess("months", step.name, other, with_steps(plan, counted))
    if not isinstance(operation, Lookup | Interpolate):
        return
    for _, term in axes_read(plan, step):
        dates = plan.step(term).operation if term in plan.step_names else None
        if not isinstance(dates, Term):
            continue
        count = Step(f"{step.name}.days", Days(of=dates.of, inclusive=dates.inclusive))
        by_days = Step(step.name, Ratio(of=(count.name, YEAR_DAYS)), unit=step.unit)
        yield Guess("pro_rata", step.name, "days", with_steps(plan, count, by_days))
        if isinstance(dates, Months):
            by_months = Step(step.name, Ratio(of=(term, Decimal(12))), unit=step.unit)
            yield Guess("pro_rata", step.name, "months", with_steps(plan, by_months))
        whole = Step(step.name, Sum(of=(Decimal(1),)), unit=step.unit)
        yield Guess("pro_rata", step.name, "none", with_steps(plan, whole))


def _read(plan: Plan) -> list[str]:
    """Return the columns that steps read, in the plan's order."""
    read = plan.graph().read_by("step")
    return [name for name in plan.columns if name in read]


def _input_units(plan: Plan, read: list[str]) -> Iterator[Guess]:
    for name in read:
        column = plan.columns[name]
        if column.kind == "number" and column.unit == "yuan":
            for factor in INPUT_UNITS:
                scaled = Step(f"{name}.slipped", Product(of=(name, factor)))
                yield Guess("input_unit", name, f"{factor}", _with_names(plan, {name: scaled.name}, (scaled,)))


def _swapped_columns(plan: Plan, read: list[str]) -> Iterator[Guess]:
    """Yield pairs of columns that a list could hold the wrong way round."""
    for at, one in enumerate(read):
        for other in read[at + 1 :]:
            first, second = plan.columns[one], plan.columns[other]
            alike = first.kind == second.kind and first.unit == second.unit and first.codes() == second.codes()
            if alike and first.kind in ("number", "level", "date"):
                yield Guess("swapped_columns", one, other, _with_names(plan, {one: other, other: one}))


def _with_names(plan: Plan, names: Mapping[str, str], before: tuple[Step, ...] = ()) -> Plan:
    """Return a plan whose steps read other names; its rules still read the right ones."""
    steps = tuple(_renamed(plan, step, names) for step in plan.steps)
    return replace(plan, steps=(*before, *steps))


def _renamed(plan: Plan, step: Step, names: Mapping[str, str]) -> Step:
    operation = step.operation
    if isinstance(operation, TableOperation):
        pairs = tuple((axis.name, name) for axis, name in axes_read(plan, step))
        if any(name in names for _, name in pairs):
            operation = replace(operation, by=tuple((axis, names.get(name, name)) for axis, name in pairs))
    return replace(
        step,
        operation=operation.renamed(names),
        otherwise=names.get(step.otherwise, step.otherwise) if isinstance(step.otherwise, str) else step.otherwise,
        when=None if step.when is None else _condition(step.when, names),
    )


def _condition(when: Condition, names: Mapping[str, str]) -> Condition:
    if isinstance(when, Combination):
        return replace(when, parts=tuple(_condition(part, names) for part in when.parts))
    assert isinstance(when, Test)
    ends = {key: names.get(end, end) for key, end in when.compared.items() if isinstance(end, str)}
    return replace(when, of=names.get(when.of, when.of), **ends)  # type: ignore[arg-type]


def _is_factor(plan: Plan, operand: Operand) -> bool:
    """Return whether an operand is a step that is a factor: a percentage that could be added."""
    if not isinstance(operand, str) or operand not in plan.step_names:
        return False
    return plan.step(operand).unit in (None, "", "factor")


def swapped_cells(plan: Plan, table_name: str, one: int, other: int) -> Plan:
    """Return a plan with the values of two rows of a table exchanged."""
    table = plan.tables[table_name]
    rows = list(table.rows)
    rows[one], rows[other] = (
        replace(rows[one], values=rows[other].values),
        replace(rows[other], values=rows[one].values),
    )
    return replace(plan, tables=MappingProxyType({**plan.tables, table_name: replace(table, rows=tuple(rows))}))
