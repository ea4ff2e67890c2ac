"""How one step of one row came about, in typed parts: a renderer puts names, levels and words into its language.

What an operation is told by stands in `WORDS`, keyed by class; an operation without an entry of its own is told by that
of the nearest class above it, which names every key that was given, so that nothing which decided a value is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from ratemod.plan.model import Axis, AxisKey, Combination, Condition, Plan, Step, Test, plain
from ratemod.plan.op.arithmetic import Arithmetic
from ratemod.plan.op.base import Operation, TableOperation
from ratemod.plan.op.judgement import Judgement
from ratemod.plan.op.level import LevelExtreme, OneLevel
from ratemod.plan.op.limits import Cap
from ratemod.plan.op.lines import Rollup
from ratemod.plan.op.look_up import Interpolate
from ratemod.plan.op.progressive import Progressive
from ratemod.plan.op.ranked import Rank, TakeLevel, Taken
from ratemod.plan.operand import Day, Operand
from ratemod.plan.reads import axes_read, kind_of
from ratemod.plan.slices import slices
from ratemod.rating import working
from ratemod.rating.op.judgement import permitted
from ratemod.rating.why import shown
from ratemod.rules.number import shifted

DIGITS = 12  # significant digits shown of a value that is no short decimal
BETWEEN = {"first": ("", " …"), "last": ("… ", ""), "begins": ("", "…")}  # levels between two, or that begin alike
SIGNS = {"at_least": ("≥", "<"), "above": (">", "≤"), "at_most": ("≤", ">"), "below": ("<", "≥")}


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of what is said of a step.

    Attributes
    ----------
    kind : "sign", "word", "name" or "value"
        A word is one of the calculation, in the messages as ``UI_word_...``; a name is one of the plan.
    of : str
        Of a value: the name whose value it is, which may be the code of a level.
    """

    said: str
    kind: Literal["sign", "word", "name", "value"] = "sign"
    of: str = ""


Parts = Iterator[Part]


@dataclass(frozen=True, slots=True)
class Telling:
    """A step of a row that is told.

    Attributes
    ----------
    own : int
        Place of the row among those of `state`.
    """

    plan: Plan
    step: Step
    state: working.Exact
    own: int

    def exact(self, operand: Operand) -> Fraction | None:
        """Return an operand's exact value, None where it has none."""
        return Fraction(operand) if isinstance(operand, Decimal) else self.state.values[operand].fraction(self.own)

    def value(self, operand: Operand) -> Part:
        """Return an operand's value: a number, a date or a level; a text by its column's name."""
        if isinstance(operand, Decimal):
            return Part(str(plain(operand)))
        if operand in self.plan.constants:
            return Part(str(plain(self.plan.constants[operand].value)))
        column, texts = self.plan.level_columns.get(operand), self.state.inputs.texts
        if column is not None and column.kind == "text":
            known = operand in texts
            return Part(str(texts[operand][self.own] or ""), "value", operand) if known else Part(operand, "name")
        if column is not None:
            return Part(shown(self.plan, operand, self.state, self.own), "value", operand)
        if kind_of(operand, self.plan) == "date":
            return Part(shown(self.plan, operand, self.state, self.own))
        return Part(short(self.exact(operand)))

    def pair(self, name: str) -> Parts:
        """Yield ``name = value``."""
        yield Part(name, "name")
        yield Part(" = ")
        yield self.value(name)


def decimal_of(value: Fraction | None) -> tuple[Decimal | None, bool]:
    """Return a fraction as a decimal, and whether it is exact; at most `DIGITS` significant digits if not."""
    if value is None:
        return None, True
    den, twos, fives = value.denominator, 0, 0
    while den % 2 == 0:
        den, twos = den // 2, twos + 1
    while den % 5 == 0:
        den, fives = den // 5, fives + 1
    places = max(twos, fives)
    if den == 1 and places <= DIGITS:
        return shifted(Decimal(value.numerator * 10**places // value.denominator), -places), True
    return Decimal(working.plain_text(value)), False


def short(value: Fraction | None) -> str:
    """Return an exact value as text, nothing where there is none."""
    found, _ = decimal_of(value)
    return "" if found is None else str(plain(found))


def words(telling: Telling) -> Parts:
    """Yield how a step came about: which test decided whether it applies, and what its value was made of."""
    step = telling.step
    if step.when is None:
        yield from _told(telling)
        return
    met = bool(working.holds(step.when, telling.plan, telling.state)[telling.own])
    if not met:
        yield Part("when", "word")
        yield Part(": ")
        yield Part("no", "word")
        yield Part(" (")
        yield from decision(step.when, telling)
        yield Part(") → ")
        yield _operand(step.other)
        return
    yield from _told(telling)
    yield Part("; ")
    yield Part("when", "word")
    yield Part(" ")
    yield from decision(step.when, telling)


def _told(telling: Telling) -> Parts:
    operation = telling.step.operation
    told = next(WORDS[kind] for kind in type(operation).__mro__ if kind in WORDS)
    yield from told(operation, telling)


def _operand(operand: Operand | None) -> Part:
    if isinstance(operand, str):
        return Part(operand, "word" if operand == "none" else "name")
    return Part(str(plain(operand)))


def _between(sign: str, parts: list[list[Part]]) -> Parts:
    for at, part in enumerate(parts):
        yield from ([Part(sign)] if at else [])
        yield from part


def decision(condition: Condition, telling: Telling) -> Parts:
    """Yield the tests that decided a condition, each as the fact that it found: ``heads = 35 < 100``."""
    yield from _between(", ", [list(_fact(test, telling)) for test in dict.fromkeys(_deciding(condition, telling))])


def _deciding(condition: Condition, telling: Telling) -> Iterator[Test]:
    """Yield the single tests on which a condition hangs: the first that settles it, or all where none alone does."""
    if isinstance(condition, Test):
        single = [Test(condition.of, **{name: value}) for name, value in _asked(condition)]
        condition = single[0] if len(single) == 1 else Combination("all", tuple(single))
        if isinstance(condition, Test):
            yield condition
            return
    settles = condition.how != "all"  # one that holds settles any and none, one that fails settles all
    for part in condition.parts:
        if bool(working.holds(part, telling.plan, telling.state)[telling.own]) == settles:
            yield from _deciding(part, telling)
            return
    for part in condition.parts:
        yield from _deciding(part, telling)


def _asked(test: Test) -> Iterator[tuple[str, Any]]:
    for name in ("missing", "is_", "is_not", "first", "last", "begins", *SIGNS):
        value = getattr(test, name)
        if value not in (None, ()):
            yield name, value


def _fact(test: Test, telling: Telling) -> Parts:
    """Yield what a single test found."""
    ((name, wanted),) = _asked(test)
    value, met = telling.value(test.of), bool(working.holds(test, telling.plan, telling.state)[telling.own])
    if name == "missing" or value.said == "":
        yield Part(test.of, "name")
        yield Part(" = ")
        lacks = met == wanted if name == "missing" else True
        yield Part("none", "word") if lacks else value
        return
    if name in BETWEEN:
        ends = [wanted] if isinstance(wanted, str) else wanted
        yield from (*telling.pair(test.of), Part(" ∈ " if met else " ∉ "))
        yield from _between(" / ", [_ends(name, end, test.of) for end in ends])
        return
    if isinstance(wanted, str) and telling.value(wanted).said == "":  # nothing is known of a limit that is missing
        yield from (Part(wanted, "name"), Part(" = "), Part("none", "word"))
        return
    yield from telling.pair(test.of)
    if name in SIGNS:
        yield Part(f" {SIGNS[name][not met]} ")
        yield from ([telling.value(wanted)] if isinstance(wanted, Decimal) else telling.pair(wanted))
    elif met == (name == "is_not"):
        yield Part(" ≠ ")
        yield from _between(" / ", [[Part(code, "value", test.of)] for code in wanted])


def _ends(name: str, end: str, of: str) -> list[Part]:
    before, after = BETWEEN[name]
    said = Part(end) if name == "begins" else Part(end, "value", of)
    return [part for part in (Part(before), said, Part(after)) if part.said]


def _operation(operation: Operation, telling: Telling) -> Parts:
    """Yield the operation's name, what it acts on, and every key that was given or has a choice."""
    yield Part(operation.op, "word")
    yield Part("(")
    yield from _between(", ", [[telling.value(operand)] for operand in operation.of])
    stated, keys = operation.stated(), operation.keys()
    for name, key in keys.items():
        value: Any = stated.get(name)
        if name in ("of", "table", "column", "unit", "mode") or (value is None and not key.choices):
            continue
        if key.kind == "operands":
            said = list(_between(" : ", [[telling.value(operand)] for operand in value]))
        elif key.kind in ("operand", "name"):
            said = [telling.value(value)]
        elif key.choices:
            said = [Part(operation.setting(name), "word")]
        else:
            said = [] if key.kind == "flag" else [Part(str(plain(value)))]
        if said != [Part("", "value", str(value))]:
            yield Part(", ")
            yield from [] if key.choices else [Part(name, "word"), *([Part(" ")] if said else [])]
            yield from said
    if "unit" in keys:
        mode = operation.setting("mode") if "mode" in keys else "half_up"
        yield from (Part(", "), Part("to", "word"), Part(f" {plain(operation.setting('unit'))} "), Part(mode, "word"))
    yield Part(")")


def _arithmetic(operation: Arithmetic, telling: Telling) -> Parts:
    if not operation.sign:
        yield from _operation(operation, telling)
        return
    sign = f" {operation.sign} "
    yield from _between(sign, [[_operand(operand)] for operand in operation.of])
    yield Part(" = ")
    yield from _between(sign, [[telling.value(operand)] for operand in operation.of])


def _axes(operation: TableOperation, telling: Telling) -> Parts:
    axes = axes_read(telling.plan, telling.step)
    yield from _between(", ", [list(telling.pair(name)) for _, name in axes])


def _points(operation: Interpolate, telling: Telling) -> Parts:
    """Yield the axes, and the points between which the value lies, or on which it does."""
    yield from _axes(operation, telling)
    table = telling.plan.tables[operation.table]
    on = [at for at, axis in enumerate(table.axes) if axis.kind == "point"]
    rows = telling.state.cells[telling.step.name], *telling.state.beyond[telling.step.name]
    found = [table.rows[int(row[telling.own])] for row in rows if row[telling.own] >= 0]
    values = table.value_names.index(operation.column)
    said = []
    for row in dict.fromkeys(found):
        place = ", ".join(_key(table.axes[at], row.keys[at]) for at in on)
        value = row.values[values]
        told = [Part("none", "word")] if value is None else [Part(str(plain(value)))]
        said.append([Part(f"({place}) → " if len(on) > 1 else f"{place} → "), *told])
    if said:
        yield Part("; ")
        yield from _between(", ", said)


def _key(axis: Axis, key: AxisKey) -> str:
    """Return a point as the table's file writes it."""
    return str(plain(Day(key) if axis.is_date and isinstance(key, Decimal) else key))


def _slice(operation: Progressive, telling: Telling) -> Parts:
    """Yield the axes, the slices below and the slice reached of a sum over slices, in numbers."""
    yield from _axes(operation, telling)
    found = slices(operation, telling.plan.tables[operation.table], telling.plan.level_columns)
    axis, name = found.grid.axes[-1], telling.step.name
    x, value = telling.exact(axis.bound), telling.exact(name)
    if x is None or value is None:
        return
    row = int(telling.state.cells[name][telling.own])
    for at, start, base, rate in zip(found.row_of, found.start, found.base, found.rate):
        if at != row or start is None or base is None or rate is None:
            continue
        if Fraction(base) + Fraction(rate) * (x - Fraction(start)) == value:
            yield Part(f"; {plain(base)} + {plain(rate)} × ({short(x)} - {plain(start)})")
            return


def _choice(operation: Judgement, telling: Telling) -> Parts:
    """Yield the axes or what stands unless chosen, what was chosen, and the range that it may lie in."""
    if not operation.table:
        yield from _operation(operation, telling)
        return
    yield from _axes(operation, telling)
    for name in (operation.chosen, operation.reason):
        if name and telling.exact(operation.chosen) is not None:
            yield Part(", ")
            yield from telling.pair(name) if name == operation.chosen else [Part(name, "name")]
    ends = permitted(operation, telling.step.name, telling.plan, telling.state)
    yield Part(f"; {' … '.join(short(end.fraction(telling.own)) for end in ends)}")


def _lines(operation: Rollup, telling: Telling) -> Parts:
    """Yield the value of each line that was rolled up, or of each part that has one; where it counts, how many."""
    inputs = telling.state.inputs
    lines = {part: inputs.groups[names] for part, names in operation.groups.items()}
    rows = np.flatnonzero(lines["group"] == lines["group"][telling.own])
    if "each" in lines:
        rows = np.sort(rows[np.unique(lines["each"][rows], return_index=True)[1]])
    yield Part(operation.how, "word")
    said = [short(telling.state.get(of).fraction(at)) for of in operation.of for at in rows.tolist()]
    yield Part(f"({', '.join(said) or len(rows)})")
    if operation.each:
        yield from (Part(", "), Part("each", "word"), Part(" "))
        yield from _between(", ", [[Part(name, "name")] for name in operation.each])


def _ranked(operation: Rank, telling: Telling) -> Parts:
    """Yield the value of each line among which the row was ranked."""
    group = telling.state.inputs.groups[operation.group]
    rows = np.flatnonzero(group == group[telling.own]).tolist()
    yield from (Part(operation.op, "word"), Part("("))
    yield telling.value(operation.of[0])
    yield from (Part("; "), Part(operation.first, "word"), Part(" "))
    yield Part(", ".join(short(telling.state.get(operation.of[0]).fraction(at)) for at in rows))
    yield Part(")")


def _taken(operation: Taken, telling: Telling) -> Parts:
    """Yield what was taken from the line at a place, and which place by which ranking."""
    of = operation.level if isinstance(operation, TakeLevel) else operation.of[0]
    yield from (Part(operation.op, "word"), Part(f" {operation.which} ("))
    yield Part(operation.rank, "name")
    yield Part("): ")
    yield _operand(of)
    yield Part(" = ")
    said = shown(telling.plan, telling.step.name, telling.state, telling.own)
    yield Part(said, "value", telling.step.name) if said else Part("none", "word")


def _level_extreme(operation: LevelExtreme, telling: Telling) -> Parts:
    yield from (Part(operation.op, "word"), Part("("))
    yield from _between(", ", [[telling.value(operand)] for operand in operation.of])
    yield Part(")")


def _one_level(operation: OneLevel, telling: Telling) -> Parts:
    yield Part(operation.code, "value", telling.step.name)


def _cap(operation: Cap, telling: Telling) -> Parts:
    yield Part(operation.op, "word")
    yield Part("(")
    yield telling.value(operation.of[0])
    for key, end in operation.ends.items():
        if end is not None:
            yield Part(", ")
            yield Part(key, "word")
            yield Part(" ")
            yield from (telling.value(end), Part(" × "), telling.value(operation.against))
    yield Part(")")


Words = Callable[[Any, Telling], Parts]
WORDS: Mapping[type[Operation], Words] = MappingProxyType(
    {
        Operation: _operation,
        TableOperation: _axes,
        Arithmetic: _arithmetic,
        Interpolate: _points,
        Progressive: _slice,
        Judgement: _choice,
        Rollup: _lines,
        Cap: _cap,
        OneLevel: _one_level,
        LevelExtreme: _level_extreme,
        Rank: _ranked,
        Taken: _taken,
    }
)
