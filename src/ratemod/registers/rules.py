"""What registers mean under a plan, as data: `registers.toml` beside `plan.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from ratemod.errors import PlanError, nearest, problem
from ratemod.plan.model import Plan
from ratemod.registers.certificates import DowngradeRule
from ratemod.registers.hazards import HazardRule
from ratemod.rules.options import strict
from ratemod.rules.read import TomlFile, read_toml
from ratemod.rules.shape import Key, keys_of

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


@strict
@dataclass(frozen=True, slots=True)
class AccidentRule:
    """Length of the look-back window in years, and whether only accidents with casualties count by their grade."""

    years: int = 3
    needs_casualty: bool = True


@strict
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


@strict
@dataclass(frozen=True, slots=True)
class Rules:
    """Everything `registers.toml` says."""

    hazards: HazardRule = field(default_factory=HazardRule)
    accidents: AccidentRule = field(default_factory=AccidentRule)
    downgrade: DowngradeRule | None = None
    participation: ParticipationRule | None = None
    actions: tuple[Action, ...] = ()
    groups: tuple[Group, ...] = ()


SECTIONS: Mapping[str, type] = {
    "hazards": HazardRule,
    "accidents": AccidentRule,
    "downgrade": DowngradeRule,
    "participation": ParticipationRule,
}
SOURCE = Key(str, True)


def load_rules(plan: Plan) -> Rules:
    """Return the rules of a plan from the file beside it.

    Raises
    ------
    PlanError
        RM245 no such file; what is wrong in it, all at once: unknown keys, columns or levels, values of another type.

    Examples
    --------
    >>> from ratemod.plan.editions import load_plan
    >>> [action.name for action in load_rules(load_plan("jilin-spli/2025-04")).actions]
    ['rectify', 'certify', 'claim_free']
    """
    path = Path(plan.folder) / "registers.toml"
    if not path.exists():
        raise PlanError(problem("RM245", plan=f"{plan.scheme}/{plan.edition}"))
    return _rules(read_toml(path, "registers.toml"), plan)


def rules_from(given: Mapping[str, Any], plan: Plan) -> Rules:
    """Return rules from the data of a `registers.toml`, checked against a plan's columns."""
    return _rules(TomlFile("registers.toml", given), plan)


def _rules(file: TomlFile, plan: Plan) -> Rules:
    file.sections((*SECTIONS, "action", "group"))
    made = {}
    for name, shape in SECTIONS.items():
        if name in file.data:
            taken = file.take(file.data[name], keys_of(shape, source=SOURCE), name)
            _known_source(file, plan, taken.pop("source", None), name)
            made[name] = shape(**taken)
    keys = keys_of(Action, source=SOURCE)
    actions = file.records(Action, "action", keys)
    groups = file.records(Group, "group", keys_of(Group))
    for at, action in enumerate(actions):
        _known_source(file, plan, action.source, "action", at)
        for number, change in enumerate(action.changes):
            _known_columns(file, plan, change, "action", at, "changes", number)
    _groups_whole(file, groups, plan)
    file.settle()
    return Rules(actions=actions, groups=groups, **made)


def _known_source(file: TomlFile, plan: Plan, source: str | None, *place: str | int) -> None:
    if source is not None and source not in plan.sources:
        near = nearest(source, plan.sources)
        file.note("RM117", *place, "source", name=source, owner=place[0], nearest=near)


def _known_columns(file: TomlFile, plan: Plan, change: Change, *place: str | int) -> None:
    """Note columns that the plan has not, and levels that its column has not."""
    for name in (change.column, change.years_after):
        if name is not None and name not in plan.columns:
            file.note("RM246", *place, name=name, nearest=nearest(name, plan.columns))
    codes = plan.columns[change.column].codes() if change.column in plan.columns else ()
    for level in (*change.from_, *([] if change.to is None else [change.to])) if change.column in plan.columns else ():
        if level not in codes:
            near = nearest(level, codes)
            file.note("RM130", *place, column=change.column, value=level, nearest=near)


def _groups_whole(file: TomlFile, groups: tuple[Group, ...], plan: Plan) -> None:
    """Every column in one group, no more; no group names what there is not."""
    named = [column for group in groups for column in group.columns]
    known = (*plan.columns, PLAN_ITSELF, EVERYTHING_ELSE)
    for name in dict.fromkeys(named):
        if name not in known:
            file.note("RM246", "group", name=name, nearest=nearest(name, known))
        if named.count(name) > 1:
            file.note("RM027", "group", name=name)
    if groups and EVERYTHING_ELSE not in named:
        for name in plan.columns:
            if name not in named:
                file.note("RM028", "group", name=name)
