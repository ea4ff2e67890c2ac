"""Everything that can be wrong with a plan, found at once.

Each check is a small function that yields problems; `problems_of` runs them all. What fits together statically is
proved here (`proofs`); what depends on rows is guarded at rating time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from ratemod.errors import Problem, nearest, once, problem
from ratemod.plan.idle import never_met
from ratemod.plan.interval import UNKNOWN, Range, operand_range
from ratemod.plan.model import Condition, Plan, Step, Test, plain
from ratemod.plan.operand import NOTHING, Operand
from ratemod.plan.ranges import ranges
from ratemod.plan.reads import kind_of, kinds_in_words, names_in, names_in_condition, tests_of
from ratemod.plan.table_check import table_problems, table_warnings
from ratemod.plan.unused import owned_sources, unused
from ratemod.reading.added import RESULTS
from ratemod.reading.convert import value_of
from ratemod.reading.derive import NEEDS
from ratemod.reading.header import fold
from ratemod.rules.lines import line_of
from ratemod.rules.opened import opened
from ratemod.rules.printed import is_printed
from ratemod.vocabulary.column import Column
from ratemod.vocabulary.spelling import same_level

MOST_LEVELS = 1_000_000


@dataclass(frozen=True, slots=True)
class Proof:
    """How a legal range is kept: proved from the plan alone, or guarded row by row."""

    name: str
    of: str
    proved: bool
    low: Operand | None
    high: Operand | None


def problems_of(plan: Plan) -> list[Problem]:
    """Return every problem of a plan that was read; empty when it can be used."""
    found = list(once(item for check in CHECKS for item in check(plan)))
    if not found:  # ranges assume that names and tables fit
        found = list(_ranges_fit(plan))
    meant = {item.args.get("nearest") for item in found if item.code != "RM155"}  # misspelt where it is read
    unread = any(item.code == "RM159" for item in found)  # nobody knows what a table reads that there is not
    return [item for item in found if item.code != "RM155" or not (unread or item.args["name"] in meant)]


def warnings_of(plan: Plan) -> list[Problem]:
    """Return what is allowed but worth a look: combinations without a rate, conditions never met, what nothing uses."""
    untested = [] if plan.cases or not plan.folder else [_at(plan, "RM029", ("plan",))]
    known = ranges(plan)
    idle = [
        _at(plan, "RM923", _place(plan, owner), name=owner, of=of)
        for owner, condition in _conditions_owned(plan)
        if (of := never_met(condition, plan, known))
    ]
    return [*table_warnings(plan), *unused(plan), *untested, *idle]


def proofs(plan: Plan, known: Mapping[str, Range] | None = None) -> list[Proof]:
    """Return, for each legal range, whether the plan alone proves it; `known` are its ranges, if at hand."""
    known = ranges(plan) if known is None else known
    found = []
    for item in plan.legal:
        reach = known.get(item.of, UNKNOWN)
        ends = [None if end is None else operand_range(end, known) for end in (item.low, item.high)]
        proved = (ends[0] is None or reach.low >= ends[0].high) and (ends[1] is None or reach.high <= ends[1].low)
        proved &= not {item.low, item.high} & set(plan.step_names)  # a step may lack a value
        found.append(Proof(item.name, item.of, proved, item.low, item.high))
    return found


def _at(plan: Plan, code: str, place: tuple[str | int, ...], **args: Any) -> Problem:
    """Return a problem at a place of the plan's own file."""
    line = next((step.line for step in plan.steps if place == ("step", step.name)), None)
    row = line_of(plan.lines, *place) if line is None else line
    return problem(code, file=f"{plan.folder}/plan.toml", row=row, **args)


def _place(plan: Plan, owner: str) -> tuple[str | int, ...]:
    """Return where a step, constant, rule, check or legal range stands in the plan's file."""
    lists: tuple[tuple[str, Sequence[Any]], ...] = (("rule", plan.rules), ("check", plan.checks), ("legal", plan.legal))
    for section, parts in lists:
        for at, part in enumerate(parts):
            if part.name == owner:
                return (section, at)
    return ("constant", owner) if owner in plan.constants else ("step", owner)


def _identity(plan: Plan) -> Iterator[Problem]:
    folder = Path(plan.folder).resolve()
    for key, value, wanted in (("edition", plan.edition, folder.name), ("scheme", plan.scheme, folder.parent.name)):
        if plan.folder and value != wanted:
            yield _at(plan, "RM108", ("plan", key), key=key, value=value, wanted=wanted)
    if plan.standing != "official" and not (plan.warning_en and plan.warning_zh):
        yield _at(plan, "RM109", ("plan", "warning_en"), standing=plan.standing)
    if plan.until is not None and plan.until <= max(plan.new_from, plan.renewal_from):
        yield _at(plan, "RM149", ("plan", "until"), until=plan.until)
    for key, name in (("premium", plan.premium), ("fund", plan.fund)):
        if name is None:
            continue
        if name not in plan.step_names:
            yield _at(plan, "RM110", ("plan", key), key=key, name=name, nearest=nearest(name, plan.step_names))
        elif not plan.step(name).operation.whole(plan.money.smallest):
            yield _at(plan, "RM151", ("plan", key), key=key, name=name, smallest=plan.money.smallest)
    if plan.key is not None and plan.key not in plan.columns:
        yield _at(
            plan, "RM113", ("plan", "key"), name=plan.key, step="plan.key", nearest=nearest(plan.key, plan.columns)
        )


def _names(plan: Plan) -> Iterator[Problem]:
    everything = [*plan.columns, *plan.constants, *plan.step_names]
    for name, count in Counter(everything).items():
        if count > 1:
            yield _at(plan, "RM111", ("step", name), name=name)
        if name == NOTHING or (name in RESULTS and name in plan.step_names):
            yield _at(plan, "RM926", ("step", name), name=name)
        if not name.replace(".", "_").isidentifier():
            yield _at(plan, "RM112", ("step", name), name=name)
    for section, parts in (("rule", plan.rules), ("check", plan.checks), ("legal", plan.legal), ("case", plan.cases)):
        own = Counter(part.name for part in parts)
        yield from (
            _at(plan, "RM927", (section,), name=name, section=f"[[{section}]]") for name in own if own[name] > 1
        )
    for check in plan.checks:
        for name in filter(None, (check.of, check.by)):
            if name in {*plan.constants, *plan.step_names}:
                yield _at(plan, "RM362", _place(plan, check.name), name=name, step=check.name)
        if check.kind == "same" and not check.by:
            yield _at(plan, "RM102", _place(plan, check.name), key="by", section="", section_zh="")
    seen = {*plan.columns, *plan.constants}
    levels = set(_levels_compared(plan))  # told by their own message
    for step in plan.steps:
        for name in names_in(step):
            if name in seen or (step.name, name) in levels:
                continue
            if name in everything:
                yield _at(plan, "RM114", ("step", step.name), name=name, step=step.name)
            else:
                yield _no_name(plan, ("step", step.name), name, step.name)
        seen.add(step.name)
    asked = [(rule.name, name) for rule in plan.rules for name in names_in_condition(rule.when)]
    asked += [
        (item.name, name) for item in plan.legal if item.exception for name in names_in_condition(item.exception.when)
    ]
    asked += [(check.name, name) for check in plan.checks for name in (check.of, check.by) if name]
    asked += [
        (item.name, name) for item in plan.legal for name in (item.of, item.low, item.high) if isinstance(name, str)
    ]
    for owner, name in asked:
        if name not in seen and (owner, name) not in levels:
            yield _no_name(plan, _place(plan, owner), name, owner)


def _no_name(plan: Plan, place: tuple[str | int, ...], name: str, owner: str) -> Problem:
    """Return that a name is none of the plan's; a number with a sign or a fraction is told as what it is."""
    if is_printed(name):
        return _at(plan, "RM969", place, name=name, step=owner)
    if place[0] == "step" and _level_of_axis(plan, plan.step(owner), name):
        return _at(plan, "RM998", place, name=name, step=owner)
    everything = [*plan.columns, *plan.constants, *plan.step_names]
    return _at(plan, "RM113", place, name=name, step=owner, nearest=nearest(name, everything))


def _level_of_axis(plan: Plan, step: Step, name: str) -> bool:
    """Return whether a name in `by` of a step is what its table holds on that axis."""
    table = plan.tables.get(step.operation.table)
    axes = [] if table is None else [at for at, axis in enumerate(table.axes) if (axis.name, name) in step.operation.by]
    return table is not None and any(row.keys[at] == name for at in axes for row in table.rows)


def _operations(plan: Plan) -> Iterator[Problem]:
    """Yield what an operation cannot act on, and what does not fit together in it."""
    for step in plan.steps:
        operation, place = step.operation, ("step", step.name)
        asked = [(key, value, allowed.takes) for key, allowed, value in operation.operands()]
        if step.otherwise is not None and step.otherwise != NOTHING:
            asked.append(("otherwise", step.otherwise, (operation.gives,)))
        for key, value, takes in asked:
            kind = kind_of(value, plan)
            if kind is not None and kind not in takes:
                kinds = kinds_in_words(kind=(kind,), wanted=takes)
                yield _at(plan, "RM361", place, name=plain(value), key=key, step=step.name, **kinds)
        for key, allowed in operation.keys().items():
            many = [value for name, _, value in operation.operands() if name == key]
            if allowed.count not in (None, len(many)):
                yield _at(plan, "RM152", place, step=step.name, op=operation.op)
        for code, said in operation.faults_in(plan):
            yield _at(plan, code, place, **{"step": step.name, "column": step.name, **said})
        for code in operation.faults():
            yield _at(plan, code, place, step=step.name)
        if len(operation.levels) > MOST_LEVELS:
            yield _at(plan, "RM376", place, name=step.name, levels=len(operation.levels), most=MOST_LEVELS)
        if (step.when is None) != (step.otherwise is None) and not (operation.passes and step.otherwise is None):
            yield _at(plan, "RM143", place, step=step.name)
        for name in operation.columns_named():
            if isinstance(name, Decimal) or (name not in plan.columns and name in {*plan.constants, *plan.step_names}):
                yield _at(plan, "RM362", place, name=plain(name), step=step.name)


def _conditions_owned(plan: Plan) -> Iterator[tuple[str, Condition]]:
    """Yield every condition with the name of the step, rule or legal range that has it."""
    yield from ((step.name, step.when) for step in plan.steps if step.when is not None)
    yield from ((rule.name, rule.when) for rule in plan.rules)
    yield from ((item.name, item.exception.when) for item in plan.legal if item.exception is not None)


def _conditions(plan: Plan) -> Iterator[Problem]:
    for owner, condition in _conditions_owned(plan):
        for test in tests_of(condition):
            column = plan.level_columns.get(test.of)
            codes = column.codes() if column is not None else ()
            for value in (*test.is_, *test.is_not):
                if kind_of(test.of, plan) is None:  # a name that there is not is told once
                    continue
                if column is None or column.kind not in ("level", "flag", "text"):
                    yield _at(plan, "RM116", _place(plan, owner), name=test.of, value=value, step=owner)
                elif not codes and "*" in value:
                    yield _at(plan, "RM363", _place(plan, owner), name=test.of, value=value, step=owner)
                elif codes and value not in codes:
                    yield _at(
                        plan, "RM130", _place(plan, owner), column=test.of, value=value, nearest=nearest(value, codes)
                    )
            yield from _within(plan, owner, test, column)
            for end in dict.fromkeys(test.compared.values()):
                yield from _comparable(plan, owner, test.of, end)


def _levels_compared(plan: Plan) -> Iterator[tuple[str, Operand]]:
    """Yield each level that stands where a condition takes a name, with the owner of the condition."""
    for owner, condition in _conditions_owned(plan):
        for test in tests_of(condition):
            codes = plan.level_columns[test.of].codes() if test.of in plan.level_columns else ()
            yield from ((owner, end) for end in test.compared.values() if end in codes)


def _comparable(plan: Plan, owner: str, of: str, end: Operand) -> Iterator[Problem]:
    """Yield why a value is not compared with another: each with its own kind, levels with levels of the same order."""
    kind, other, place = kind_of(of, plan), kind_of(end, plan), _place(plan, owner)
    own, theirs = (plan.level_columns[name].codes() if name in plan.level_columns else () for name in (of, str(end)))
    if end in own and other is None:
        yield _at(plan, "RM443", place, name=of, value=end, step=owner)
    elif kind is None or other is None:  # a name that there is not is told once
        return
    elif kind != other or kind == "text":
        kinds = kinds_in_words(kind=(kind,), other_kind=(other,))
        yield _at(plan, "RM444", place, name=of, other=plain(end), step=owner, **kinds)
    else:
        for code in [code for code in theirs if code not in own][:1]:
            yield _at(plan, "RM130", place, column=of, value=code, nearest=nearest(code, own))


def _within(plan: Plan, owner: str, test: Test, column: Column | None) -> Iterator[Problem]:
    """Yield what a test of levels between two, or of how they begin, asks in vain."""
    codes, place = () if column is None else column.codes(), _place(plan, owner)
    ends = [end for end in (test.first, test.last) if end is not None]
    if (ends and not codes) or (test.begins and (column is None or column.kind not in ("level", "text"))):
        yield _at(plan, "RM116", place, name=test.of, value=[*ends, *test.begins][0], step=owner)
        return
    unknown = [end for end in ends if end not in codes]
    for end in unknown:
        yield _at(plan, "RM130", place, column=test.of, value=end, nearest=nearest(end, codes))
    if codes and not unknown and (ends or test.begins) and not test.within(codes):
        yield _at(plan, "RM437", place, name=test.of, step=owner)


def _sources(plan: Plan) -> Iterator[Problem]:
    known = plan.sources
    for owner, source in owned_sources(plan):
        if source not in known:
            yield _at(plan, "RM117", _place(plan, owner), name=source, owner=owner, nearest=nearest(source, known))
    for step in plan.steps:
        misplaced = set(step.operation.columns_named())  # told as such
        numbers = {value for _, _, value in step.operation.operands() if isinstance(value, Decimal)} - misplaced
        stated = any(number not in (0, 1, -1, 100) for number in numbers)
        if stated and not step.source:
            yield _at(plan, "RM118", ("step", step.name), step=step.name)
        if step.source and step.source not in known:
            yield _at(
                plan,
                "RM117",
                ("step", step.name),
                name=step.source,
                owner=step.name,
                nearest=nearest(step.source, known),
            )
    for column in plan.columns.values():
        for name in (column.source, column.default_source):
            if name and name not in known:
                yield _at(
                    plan, "RM117", ("column", column.name), name=name, owner=column.name, nearest=nearest(name, known)
                )


def _columns(plan: Plan) -> Iterator[Problem]:
    read = plan.graph().read_by()
    headers: dict[str, str] = {}
    for column in plan.columns.values():
        place = ("column", column.name)
        yield from _column(plan, column)
        if column.kind != "text" and column.name not in read and column.name != plan.key:
            yield _at(plan, "RM155", place, name=column.name)
        for name in column.names():
            other = headers.setdefault(fold(name), column.name)
            if other != column.name:
                yield _at(plan, "RM144", place, name=name, other=other)
    for constant in plan.constants:
        if constant not in read:
            yield _at(plan, "RM155", ("constant", constant), name=constant)


def _column(plan: Plan, column: Column) -> Iterator[Problem]:
    place = ("column", column.name)
    if column.kind == "number" and (column.low is None or column.high is None):
        yield _at(plan, "RM139", place, name=column.name)
    if column.kind == "number" and column.low is not None and column.high is not None:
        if column.low > column.high:
            yield _at(plan, "RM156", place, name=column.name)
        if max(abs(column.low), abs(column.high)) * 10**column.decimals >= 2**53:
            yield _at(plan, "RM157", place, name=column.name)
    if column.kind == "level" and not column.levels:
        yield _at(plan, "RM140", place, name=column.name)
    if len(column.levels) > MOST_LEVELS:
        yield _at(plan, "RM376", place, name=column.name, levels=len(column.levels), most=MOST_LEVELS)
    spellings = Counter(name for level in column.levels for name in {same_level(name) for name in level.names()})
    if column.kind == "level":
        for name, count in spellings.items():
            if count > 1:
                yield _at(plan, "RM145", place, name=column.name, level=name)
    if (column.default is None) != (column.default_source is None):
        yield _at(plan, "RM141", place, name=column.name)
    if column.default is not None:
        yield from _default(plan, column, column.default)
    if column.derive is not None:
        if column.derive not in NEEDS:
            yield _at(plan, "RM142", place, name=column.derive, nearest=nearest(column.derive, NEEDS))
        for name in NEEDS.get(column.derive, ()):
            if name not in plan.columns:
                yield _at(plan, "RM158", place, name=column.name, needs=name)


def _default(plan: Plan, column: Column, default: str) -> Iterator[Problem]:
    """Hold a default against its column as a cell of a list is held."""
    place = ("column", column.name, "default")
    if column.codes() and default not in column.codes():
        near = nearest(default, column.codes())
        yield _at(plan, "RM130", place, column=column.name, value=default, nearest=near)
    elif not column.codes():
        _, wrong = value_of(default, replace(column, default=None, default_source=None, optional=False))
        if wrong is not None:
            yield replace(_at(plan, wrong.code, place), args=wrong.args)


def _tables(plan: Plan) -> Iterator[Problem]:
    asked = {step.operation.table for step in plan.steps if step.operation.table}
    for name in sorted(asked - set(plan.tables)):
        step = next(step for step in plan.steps if step.operation.table == name)
        yield _at(plan, "RM159", ("step", step.name), name=name, step=step.name, nearest=nearest(name, plan.tables))
    for name, table in plan.tables.items():
        if name not in asked:
            yield problem("RM135", file=table.file, name=name)
    yield from table_problems(plan)


def _legal(plan: Plan) -> Iterator[Problem]:
    for item in plan.legal:
        if item.low is None and item.high is None:
            yield _at(plan, "RM153", _place(plan, item.name), step=item.name)
        for key, name in (("of", item.of), ("low", item.low), ("high", item.high)):
            kind, takes = None if name is None else kind_of(name, plan), ("number", "date")
            if kind is not None and kind not in takes:
                kinds = kinds_in_words(kind=(kind,), wanted=takes)
                yield _at(plan, "RM361", _place(plan, item.name), name=name, key=key, step=item.name, **kinds)
            elif name is not None and key != "of" and kind_of(item.of, plan) in ("number", "date"):
                yield from _comparable(plan, item.name, item.of, name)
        if isinstance(item.low, Decimal) and isinstance(item.high, Decimal) and item.low > item.high:
            yield _at(plan, "RM928", _place(plan, item.name), step=item.name)
        constant = plan.constants.get(item.of)
        if constant is not None and (
            (isinstance(item.low, Decimal) and constant.value < item.low)
            or (isinstance(item.high, Decimal) and constant.value > item.high)
        ):
            yield _at(
                plan,
                "RM146",
                ("constant", item.of),
                name=item.of,
                value=constant.value,
                low="" if item.low is None else item.low,
                high="" if item.high is None else item.high,
                legal=item.name,
            )


def _lock(plan: Plan) -> Iterator[Problem]:
    lock = Path(plan.folder) / "plan.lock"
    if plan.status != "active" or not plan.folder or plan.overlay:
        return
    locked = opened(lock, str(lock)).strip() if lock.exists() else None
    if locked is None:
        yield _at(plan, "RM160", ("plan", "status"), fingerprint=plan.fingerprint)
    elif locked != plan.fingerprint:
        yield _at(plan, "RM148", ("plan", "status"), locked=locked, fingerprint=plan.fingerprint)


def _ranges_fit(plan: Plan) -> Iterator[Problem]:
    known = ranges(plan)
    for item in plan.legal:
        reach = known[item.of]
        never = (item.high is not None and reach.low > operand_range(item.high, known).high) or (
            item.low is not None and reach.high < operand_range(item.low, known).low
        )
        if never and item.exception is None:
            yield _at(plan, "RM161", ("legal",), name=item.of, legal=item.name)


CHECKS: tuple[Callable[[Plan], Iterator[Problem]], ...] = (
    _identity,
    _names,
    _operations,
    _conditions,
    _sources,
    _columns,
    _tables,
    _legal,
    _lock,
)
