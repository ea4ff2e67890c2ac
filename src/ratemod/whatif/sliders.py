"""Sliders of a panel: numbers of a plan with the positions they may take; the plan's own is always one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from math import prod
from typing import Any

from ratemod.errors import Lang, ModelError, problem
from ratemod.plan.model import Plan, plain
from ratemod.rules.options import strict
from ratemod.whatif.scenario import apply, current_values, label_of

Sliders = Mapping[str, tuple[str, ...]]
MOST = 4096  # positions that a page holds


def positions(plan: Plan, sliders: Mapping[str, Sequence[Any]]) -> dict[str, tuple[str, ...]]:
    """Return the values of every slider as text, the plan's own among them; every value is tried.

    A value that the plan has anyway is put in where the values rise or fall, else first.

    Raises
    ------
    ModelError
        RM382 values that are no list, RM856 without a slider or without a value.
    PlanError
        For changes that cannot be.
    """
    odd = [
        problem("RM382", path=path, value=given)
        for path, given in sliders.items()
        if isinstance(given, str | bytes | Mapping) or not hasattr(given, "__iter__")
    ]
    if odd:
        raise ModelError(odd)
    values = {path: tuple(dict.fromkeys(map(_text, given))) for path, given in sliders.items()}
    if not values or not all(values.values()):
        raise ModelError(problem("RM856", positions=0, most=MOST))
    for path, given in values.items():
        for value in given:
            apply(plan, {path: value})
    return {path: _with_own(plan, path, given) for path, given in values.items()}


def own_value(plan: Plan, path: str, values: Sequence[str]) -> str | None:
    """Return the value under which a slider leaves the plan as it is, as `values` write it; None for a new table."""
    now = current_values(plan)
    whole = any(value.startswith("*") for value in values) or (path not in now and not path.endswith((".on", ".file")))
    written = "*1" if whole else "true" if path.endswith(".on") else str(plain(now[path])) if path in now else None
    return next((value for value in values if _number(value) == _number(written)), written)


def start_of(plan: Plan, sliders: Sliders) -> dict[str, str]:
    """Return where every slider starts: at the plan's own number; at its first value where the plan has none."""
    own = {path: own_value(plan, path, given) for path, given in sliders.items()}
    return {path: next((value for value in given if value == own[path]), given[0]) for path, given in sliders.items()}


def thinned(plan: Plan, sliders: Sliders, at: Mapping[str, str], most: int) -> dict[str, tuple[str, ...]]:
    """Return sliders of at most `most` positions in all, as far as their own values and where they stand allow."""
    values = {path: tuple(given) for path, given in sliders.items()}
    while prod(map(len, values.values())) > most:
        fewer = {}
        for path, given in values.items():
            stays = {own_value(plan, path, given), at[path]}
            rest = [value for value in given if value not in stays]
            fewer[path] = tuple(value for value in given if value in stays or value in rest[1::2])
        path = max(values, key=lambda name: (len(values[name]) - len(fewer[name]), len(values[name])))
        if len(fewer[path]) == len(values[path]):
            break
        values[path] = fewer[path]
    return values


@strict
def labels_of(plan: Plan, sliders: Sliders, given: Mapping[str, str] | None, lang: Lang) -> dict[str, str]:
    """Return what every slider is called: as the caller says, else as the plan does."""
    return {path: (given or {}).get(path) or label_of(plan, path, lang) for path in sliders}


def _with_own(plan: Plan, path: str, values: tuple[str, ...]) -> tuple[str, ...]:
    own = own_value(plan, path, values)
    if own is None or own in values:
        return values
    numbers = [_number(value) for value in (own, *values)]
    if all(isinstance(number, Decimal) for number in numbers):
        for falling in (False, True):
            if sorted(values, key=_number, reverse=falling) == list(values):  # type: ignore[arg-type]
                return tuple(sorted((own, *values), key=_number, reverse=falling))  # type: ignore[arg-type]
    return (own, *values)


def _number(value: str | None) -> Decimal | str | None:
    """Return a value as a number, multiples too, so that *1 and *1.00 are the same; a word as it is."""
    try:
        return None if value is None else Decimal(value.removeprefix("*"))
    except InvalidOperation:
        return value


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
