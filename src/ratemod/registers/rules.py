"""What registers mean under a plan, as data: `registers.toml` beside `plan.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from pathlib import Path
from typing import Any

from ratemod.errors import PlanError, Problem, nearest, problem
from ratemod.plan.model import Plan
from ratemod.registers.certificates import DowngradeRule
from ratemod.registers.hazards import HazardRule

PLAN_ITSELF, EVERYTHING_ELSE = "plan", "*"


@dataclass(frozen=True, slots=True)
class Change:
    """What an action does to one column.

    Attributes
    ----------
    column : str
    from_, to : levels that change, and the level they change to
    at_most, at_least : a number above (below) it is brought to it
    years_after, years : a date is brought to at least so many years after the date column named
    """

    column: str
    from_: tuple[str, ...] = ()
    to: str | None = None
    at_most: float | None = None
    at_least: float | None = None
    years_after: str | None = None
    years: int = 0


@dataclass(frozen=True, slots=True)
class Action:
    """Something an enterprise can do, and what it makes of its columns."""

    name: str
    label_en: str
    label_zh: str
    changes: tuple[Change, ...]
    source: str = ""

    def label(self, lang: str) -> str:
        """Return the label in a language."""
        return self.label_zh if lang == "zh" else self.label_en


@dataclass(frozen=True, slots=True)
class Group:
    """Inputs whose effect on a premium is told as one: columns, ``plan`` (the edition), or ``*`` (all others)."""

    name: str
    label_en: str
    label_zh: str
    columns: tuple[str, ...]

    def label(self, lang: str) -> str:
        """Return the label in a language."""
        return self.label_zh if lang == "zh" else self.label_en


@dataclass(frozen=True, slots=True)
class AccidentRule:
    """Length of the look-back window in years, and whether only accidents with casualties count by their grade."""

    years: int = 3
    needs_casualty: bool = True


@dataclass(frozen=True, slots=True)
class ParticipationRule:
    """Who must insure, and how much.

    Attributes
    ----------
    sectors : tuple of str
    least_staff : int
    sizes : tuple of str
        Size classes; empty for all.
    minimum_limit_yuan : int
    limit_from : date or None
        Policies that began before are not measured by the minimum.
    """

    sectors: tuple[str, ...] = ()
    least_staff: int = 1
    sizes: tuple[str, ...] = ()
    minimum_limit_yuan: int = 0
    limit_from: date | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything `registers.toml` says."""

    hazards: HazardRule = field(default_factory=HazardRule)
    accidents: AccidentRule = field(default_factory=AccidentRule)
    downgrade: DowngradeRule | None = None
    participation: ParticipationRule | None = None
    actions: tuple[Action, ...] = ()
    groups: tuple[Group, ...] = ()


def load_rules(plan: Plan) -> Rules:
    """Return the rules of a plan from the file beside it.

    Raises
    ------
    PlanError
        RM245 no such file, RM246 what is wrong in it: unknown keys, unknown columns or levels, a missing value; all at
        once.

    Examples
    --------
    >>> from ratemod.plan.editions import load_plan
    >>> [action.name for action in load_rules(load_plan("jilin-spli/2025-04")).actions]
    ['rectify', 'certify', 'claim_free']
    """
    path = Path(plan.folder) / "registers.toml"
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise PlanError(problem("RM245", plan=f"{plan.scheme}/{plan.edition}")) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PlanError(problem("RM246", file="registers.toml", why_en=str(error), why_zh=str(error))) from None
    return rules_from(given, plan)


def rules_from(given: Mapping[str, Any], plan: Plan) -> Rules:
    """Return rules from the data of a `registers.toml`, checked against a plan's columns."""
    found: list[Problem] = []
    sections = {
        "hazards": HazardRule,
        "accidents": AccidentRule,
        "downgrade": DowngradeRule,
        "participation": ParticipationRule,
    }
    for name in given:
        if name not in (*sections, "action", "group"):
            found.append(_wrong(f"[{name}]", nearest(name, [*sections, "action", "group"])))
    made = {name: _section(kind, given[name], name, plan, found) for name, kind in sections.items() if name in given}
    actions = tuple(_action(item, plan, found) for item in given.get("action", ()))
    groups = tuple(_made(Group, item, "group", found) for item in given.get("group", ()))
    _groups_whole(groups, plan, found)
    if found:
        raise PlanError(found)
    return Rules(actions=actions, groups=groups, **made)


def _wrong(what: str, near: str | None = None) -> Problem:
    return problem(
        "RM246", file="registers.toml", why_en=f"{what} is not known", why_zh=f"无法识别 {what}", nearest=near
    )


def _made(kind: Any, given: Mapping[str, Any], name: str, found: list[Problem]) -> Any:
    """Return a dataclass from a table of the file; lists become tuples."""
    known = [item.name.rstrip("_") for item in fields(kind)]
    found += [_wrong(f"{name}.{key}", nearest(key, known)) for key in given if key not in known]
    values = {
        ("from_" if key == "from" else key): tuple(value) if isinstance(value, list) else value
        for key, value in given.items()
        if key in known
    }
    try:
        return kind(**values)
    except TypeError as error:
        found.append(problem("RM246", file="registers.toml", why_en=f"{name}: {error}", why_zh=f"{name}：{error}"))
        return kind(*[""] * 3, ())


def _section(kind: Any, given: Mapping[str, Any], name: str, plan: Plan, found: list[Problem]) -> Any:
    source = given.get("source")
    if source not in plan.sources:
        found.append(_wrong(f"{name}.source = {source!r}", nearest(str(source), plan.sources)))
    return _made(kind, {key: value for key, value in given.items() if key != "source"}, name, found)


def _action(given: Mapping[str, Any], plan: Plan, found: list[Problem]) -> Action:
    name = str(given.get("name", "action"))
    if given.get("source") not in plan.sources:
        found.append(_wrong(f"{name}.source = {given.get('source')!r}"))
    changes = tuple(_made(Change, item, name, found) for item in given.get("changes", ()))
    for change in changes:
        column = plan.columns.get(change.column)
        if column is None:
            found.append(_wrong(f"{name}: {change.column}", nearest(change.column, plan.columns)))
            continue
        levels = (*change.from_, *([change.to] if change.to is not None else []))
        found += [
            _wrong(f"{name}: {change.column} = {level}", nearest(level, column.codes()))
            for level in levels
            if level not in column.codes()
        ]
        if change.years_after is not None and change.years_after not in plan.columns:
            found.append(_wrong(f"{name}: {change.years_after}", nearest(change.years_after, plan.columns)))
    return _made(Action, {**given, "changes": list(changes)}, name, found)  # type: ignore[no-any-return]


def _groups_whole(groups: tuple[Group, ...], plan: Plan, found: list[Problem]) -> None:
    """Every column in one group, no more; no group names what there is not."""
    named = [column for group in groups for column in group.columns]
    known = (*plan.columns, PLAN_ITSELF, EVERYTHING_ELSE)
    found += [_wrong(f"group: {name}", nearest(name, known)) for name in named if name not in known]
    twice = sorted({name for name in named if named.count(name) > 1})
    found += [
        problem("RM246", file="registers.toml", why_en=f"'{name}' is in two groups", why_zh=f"“{name}”在两个组中")
        for name in twice
    ]
    if groups and EVERYTHING_ELSE not in named:
        missing = [name for name in plan.columns if name not in named]
        found += [
            problem("RM246", file="registers.toml", why_en=f"'{name}' is in no group", why_zh=f"“{name}”不在任何组中")
            for name in missing
        ]
