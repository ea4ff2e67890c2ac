"""What several editions of a scheme show between them: the columns, steps and sources of one table with blanks.

Nothing is priced under it: it gives a table of rows of several editions its headers. So a name must mean one thing in
all of them: a column of one kind and unit, a step of one unit and the same levels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ratemod.plan.model import Plan
from ratemod.vocabulary.column import Column


def apart(plans: Sequence[Plan]) -> str | None:
    """Return the first name that does not mean one thing in all editions, None where they can stand in one table."""
    if len({plan.money for plan in plans}) > 1:
        return "currency"
    if len({plan.key for plan in plans}) > 1:
        return "key"
    columns = _meanings((name, (column.kind, column.unit)) for plan in plans for name, column in plan.columns.items())
    steps = _meanings((step.name, (step.unit, _levels(plan, step.name))) for plan in plans for step in plan.steps)
    names = {name for plan in plans for name in plan.columns} & {name for plan in plans for name in plan.step_names}
    return columns or steps or min(names, default=None)


def _meanings(said: Iterable[tuple[str, Any]]) -> str | None:
    """Return the first name that is said to mean two things."""
    meant: dict[str, Any] = {}
    return next((name for name, what in said if meant.setdefault(name, what) != what), None)


def _levels(plan: Plan, step: str) -> tuple[str, ...]:
    return tuple(plan.level_columns[step].codes()) if step in plan.level_columns else ()


def side_by_side(plans: Sequence[Plan]) -> Plan:
    """Return what editions that are not `apart` show between them; where several say it, as the last says it.

    Parameters
    ----------
    plans : oldest first
    """
    last, newest_first = plans[-1], plans[::-1]

    def together(of: Callable[[Plan], Mapping[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for plan in plans:
            found.update(of(plan))
        return {name: found[name] for name in dict.fromkeys(name for plan in newest_first for name in of(plan))}

    warnings = [tuple(dict.fromkeys(plan.warning(lang) for plan in newest_first)) for lang in ("en", "zh")]
    return replace(
        last,
        edition="+".join(plan.edition for plan in plans),
        new_from=min(plan.new_from for plan in plans),
        renewal_from=min(plan.renewal_from for plan in plans),
        fund=next((plan.fund for plan in newest_first if plan.fund is not None), None),
        warning_en=" ".join(filter(None, warnings[0])),
        warning_zh=" ".join(filter(None, warnings[1])),
        sources=together(lambda plan: plan.sources),
        columns={name: _column(plans, name) for name in together(lambda plan: plan.columns)},
        constants=together(lambda plan: plan.constants),
        tables=together(lambda plan: plan.tables),
        steps=tuple(together(lambda plan: {step.name: step for step in plan.steps}).values()),
        rules=(),
        checks=(),
        legal=(),
        cases=(),
    )


def _column(plans: Sequence[Plan], name: str) -> Column:
    """Return a column with the levels of all editions that have it; it may be empty where one does not need it."""
    found = [plan.columns[name] for plan in reversed(plans) if name in plan.columns]
    levels = {level.code: level for column in reversed(found) for level in column.levels}
    order = dict.fromkeys(level.code for column in found for level in column.levels)
    return replace(found[0], levels=tuple(levels[code] for code in order), optional=True)


def only_in(plans: Sequence[Plan]) -> dict[str, str]:
    """Return the columns and steps that not all editions have, and which have them."""
    names = dict.fromkeys(name for plan in plans for name in (*plan.columns, *plan.step_names))
    owners = {
        name: [plan.edition for plan in plans if name in plan.columns or name in plan.step_names] for name in names
    }
    return {name: ", ".join(said) for name, said in owners.items() if len(said) < len(plans)}
