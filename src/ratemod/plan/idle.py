"""Conditions that no row can meet: a step, rule or exception that looks at nothing.

Of each name that a condition asks about: whether a number within its range, or one of its levels, is as all its tests
together ask. Nothing is concluded from what several names have to do with each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ratemod.plan.interval import UNKNOWN, Range, operand_range
from ratemod.plan.model import Combination, Condition, Plan, Test


def never_met(condition: Condition, plan: Plan, known: Mapping[str, Range]) -> str:
    """Return the name that can never be as a condition asks, an empty text where there is none.

    Parameters
    ----------
    known : the ranges of columns, constants and steps
    """
    if isinstance(condition, Combination) and condition.how == "any":
        found = [never_met(part, plan, known) for part in condition.parts]
        return found[0] if all(found) else ""
    asked: dict[str, list[Test]] = {}
    for part in _together(condition):
        if isinstance(part, Test):
            asked.setdefault(part.of, []).append(part)
        elif part.how == "any" and (name := never_met(part, plan, known)):
            return name
    return next((name for name, tests in asked.items() if not _possible(name, tests, plan, known)), "")


def _together(condition: Condition) -> Iterator[Condition]:
    """Yield what must hold at once; what a negation asks is left open."""
    if isinstance(condition, Combination) and condition.how == "all":
        for part in condition.parts:
            yield from _together(part)
    else:
        yield condition


def _possible(name: str, tests: list[Test], plan: Plan, known: Mapping[str, Range]) -> bool:
    column = plan.columns.get(name)
    empty = {test.missing for test in tests if test.missing is not None}
    asks = any(test.names_levels or test.compared for test in tests)
    if True in empty:
        always_there = column is not None and not column.optional
        return not (asks or False in empty or always_there)
    levels = plan.level_columns[name].codes() if name in plan.level_columns else ()
    texts = [set(test.is_) for test in tests if test.is_]
    if levels:
        texts += [set(levels), *(set(test.within(levels)) for test in tests)]
    if texts and not set.intersection(*texts) - {code for test in tests for code in test.is_not}:
        return False
    return bool(levels) or _number_possible(known.get(name, UNKNOWN), tests, known)


def _number_possible(own: Range, tests: list[Test], known: Mapping[str, Range]) -> bool:
    """Return whether some number of a range lies within all ends, each taken where it leaves the most room."""
    lows, highs = [(own.low, False)], [(own.high, False)]
    for key, end in (item for test in tests for item in test.compared.items()):
        reach = operand_range(end, known)
        if key in ("at_least", "above"):
            lows.append((reach.low, key == "above"))
        else:
            highs.append((reach.high, key == "below"))
    pairs = ((low, high, one or other) for low, one in lows for high, other in highs)
    return all(low < high or (low == high and not apart) for low, high, apart in pairs)
