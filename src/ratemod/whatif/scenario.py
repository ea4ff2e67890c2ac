"""Scenarios: named overlays on a frozen plan, small enough to keep in a file beside it.

A change names one number of the plan and its new value: ``"tables.hazard_loading[refused, ..31].value" = "1.60"``. A
value that begins
with ``*`` multiplies (``"*1.10"``), and a path without cell (``tables.base_rate``) means every cell of the table.
``steps.NAME.on = false``
switches a step off: a bound, cap or rounding lets its value pass, a factor becomes 1. ``tables.NAME.file`` names a CSV
file with other rows for a whole table. A scenario with a day applies to business that starts on or after that day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from ratemod.errors import Lang, ModelError, PlanError, Problem, catalogue, nearest, problem, text
from ratemod.plan.edit import all_numbers, exact_number, paths, row_path
from ratemod.plan.edit import replace as edited
from ratemod.plan.model import Plan, Step, plain
from ratemod.plan.op.arithmetic import Product
from ratemod.rules.edit import toml_text
from ratemod.rules.lines import Place
from ratemod.rules.options import strict
from ratemod.rules.read import TomlFile, read_toml
from ratemod.rules.shape import Key, Keys, table_of
from ratemod.whatif.new_table import as_change, is_table, new_tables, table_words

KEYS: Keys = {
    "name": Key(str, True, filled=True),
    "on": Key(date),
    "from": Key(date),
    "note": Key(str),
    "plan": Key(str),
    "changes": Key(table_of("new_value"), True),
}


def _new_value(file: TomlFile, value: Any, place: Place) -> Any:
    """Return what a change says: a number, a text such as ``*1.05``, or yes and no."""
    if isinstance(value, bool | str):
        return value
    return file.fit(value, Decimal, *place)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named change of a plan.

    Attributes
    ----------
    name : str
    changes : path -> new value, as text
    on : date or None, the first day of new and of renewed business that it applies to
    note : why
    plan : id of the plan it was written for, or ""
    folder : where that plan's edition lies, or ""
    """

    name: str
    changes: tuple[tuple[str, str], ...]
    on: date | None = None
    note: str = ""
    plan: str = ""
    folder: str = field(default="", compare=False, repr=False)

    def save(self, path: str | Path | None = None) -> Path:
        """Write the scenario to a file, by default beside its plan: ``scenarios/NAME.toml`` (`whatif.shelf.save`)."""
        from ratemod.whatif.shelf import save

        return save(self, path)

    def toml(self) -> str:
        """Return the scenario as a small TOML file."""
        head = {"name": self.name, "on": self.on, "note": self.note or None, "plan": self.plan or None}
        return toml_text({**head, "changes": dict(self.changes)})


@strict
def scenario(
    name: str, changes: Mapping[str, Any], *, on: date | None = None, note: str = "", plan: Plan | None = None
) -> Scenario:
    """Return a scenario, checked against a plan where one is given.

    Raises
    ------
    PlanError
        RM840 a path that names nothing (with the nearest), RM841 a value that cannot be, and those of `Plan.replace`.

    Examples
    --------
    >>> scenario("dearer", {"tables.base_rate": "*1.05"}).changes
    (('tables.base_rate', '*1.05'),)
    """
    made = Scenario(
        name,
        tuple(sorted(as_change(path, value) for path, value in changes.items())),
        on,
        note,
        "" if plan is None else plan.id,
        "" if plan is None else plan.folder,
    )
    if plan is not None:
        apply(plan, made)
    return made


def read_scenario(path: str | Path) -> Scenario:
    """Read a scenario file.

    Raises
    ------
    PlanError
        What is wrong with the file, all at once: unknown and missing keys, values of another type.
    """
    file = read_toml(Path(path), kinds={"new_value": _new_value})
    given = file.take(file.data, KEYS)
    if "on" in given and "from" in given:
        file.note("RM025", "from", name="on / from", why="on, from: 1 x")
    file.settle()
    changes = {
        item: str(Path(path).parent / value) if is_table(item) == "file" else value
        for item, value in given["changes"].items()
    }
    return scenario(given["name"], changes, on=given.get("on", given.get("from")), note=given.get("note", ""))


def together(name: str, parts: Iterable[Scenario]) -> Scenario:
    """Return several scenarios as one; of two changes of one number the later counts; the day of one is that of all.

    Raises
    ------
    PlanError
        RM864 when they are meant for different days.

    Examples
    --------
    >>> together("both", [scenario("a", {"constants.x": 1}), scenario("b", {"constants.x": 2})]).changes
    (('constants.x', '2'),)
    """
    changes: dict[str, str] = {}
    days: set[date] = set()
    for part in parts:
        changes |= dict(part.changes)
        days |= {part.on} if part.on else set()
    if len(days) > 1:
        raise PlanError(problem("RM864", days=", ".join(sorted(day.isoformat() for day in days))))
    return Scenario(name, tuple(sorted(changes.items())), next(iter(days), None))


def apply(plan: Plan, given: Scenario | Mapping[str, Any]) -> Plan:
    """Return the plan with a scenario's changes; the plan itself stays as it is.

    Raises
    ------
    PlanError
        As `scenario`; all problems at once.
    """
    changes = _changes(given)
    found: list[Problem] = []
    plan = new_tables(plan, {path: value for path, value in changes.items() if is_table(path)})
    changes = {path: value for path, value in changes.items() if not is_table(path)}
    numbers: dict[str, str] = {}
    off: list[str] = []
    for path, value in changes.items():
        if path.startswith("steps.") and path.endswith(".on"):
            off += _switched(plan, path, value, found)
        else:
            numbers |= _numbers(plan, path, value, found)
    if found:
        raise PlanError(found)
    made = edited(plan, numbers)
    if off:
        overlay = {**dict(made.overlay), **{f"steps.{name}.on": "false" for name in off}}
        steps = tuple(_passing(step) if step.name in off else step for step in made.steps)
        made = replace(made, steps=steps, overlay=tuple(sorted(overlay.items())))
    return _dated(made, given.on) if isinstance(given, Scenario) and given.on else made


def _dated(plan: Plan, on: date) -> Plan:
    """Return a plan that applies to no business before a day."""
    if plan.until is not None and on > plan.until:
        raise PlanError(problem("RM865", on=on.isoformat(), until=plan.until.isoformat()))
    overlay = tuple(sorted({**dict(plan.overlay), "plan.from": on.isoformat()}.items()))
    return replace(plan, new_from=max(plan.new_from, on), renewal_from=max(plan.renewal_from, on), overlay=overlay)


def _changes(given: Scenario | Mapping[str, Any]) -> dict[str, str]:
    """Return path -> new value as text."""
    return dict(given.changes if isinstance(given, Scenario) else (as_change(p, v) for p, v in given.items()))


@strict
def words(plan: Plan, given: Scenario | Mapping[str, Any], lang: Lang = "en") -> list[str]:
    """Return what a scenario changes, one line each, in the plan's own words with the path behind them.

    Examples
    --------
    >>> from ratemod.plan.editions import load_plan
    >>> words(load_plan("jilin-spli/2025-04"), {"steps.renewal_cap.on": False, "tables.base_rate": "*1.05"})
    ['Base rate, per mille of the limit: every value *1.05 (32 cells; tables.base_rate)', \
'Renewal change within ±25 %: switched off (steps.renewal_cap)']
    """
    made = apply(plan, given)
    changes = _changes(given)
    old, new = current_values(plan), current_values(made)
    on = given.on if isinstance(given, Scenario) else None
    lines = [text("UI_words_from", lang, on=on.isoformat())] if on else []
    for path in sorted(changes, key=lambda p: (p[0] != "t", p)):
        if is_table(path):
            name = path.split(".")[1]
            lines += table_words(plan, made, name, _label(plan, name, lang), lang)
        else:
            lines.append(_line(plan, path, changes[path], old, new, lang))
    return lines


def _line(plan: Plan, path: str, value: str, old: Mapping[str, Decimal], new: Mapping[str, Decimal], lang: Lang) -> str:
    """Return one change in words."""
    kind, _, rest = path.partition(".")
    if path.endswith(".on"):
        name = rest.removesuffix(".on")
        code = "UI_words_off" if value == "false" else "UI_words_on"
        return text(code, lang, label=plan.label(name, lang), path=f"steps.{name}")
    if kind == "tables" and "[" not in path and rest in plan.tables:
        cells = sum(row.offered for row in plan.tables[rest].rows)
        return text("UI_words_table", lang, label=_label(plan, rest, lang), value=value, cells=cells, path=path)
    label = label_of(plan, path, lang)
    if "[" in rest and path.endswith("]"):
        path = f"{path}.value"
    before, after = (plain(values[path]) if path in values else "–" for values in (old, new))
    return text("UI_words_number", lang, label=label, old=before, new=after, path=path)


@strict
def label_of(plan: Plan, path: str, lang: Lang) -> str:
    """Return what the number behind a path is called, in the plan's own words.

    Examples
    --------
    >>> from ratemod.plan.editions import load_plan
    >>> label_of(load_plan("jilin-spli/2025-04"), "tables.base_rate[mining, small].value", "zh")
    '基准费率（限额的‰） [矿山、小型]'
    """
    rest = path.partition(".")[2]
    name, _, column = rest.partition("[")[0].partition(".")
    label = _label(plan, name, lang)
    if "[" in rest:
        keys, _, column = rest.partition("[")[2].rpartition("]")
        return f"{label} [{_keys(plan, name, keys, lang)}]"
    if not column or column == "on":
        return label
    return f"{label} {text(f'UI_words_{column}', lang) if f'UI_words_{column}' in catalogue() else column}"


def _label(plan: Plan, name: str, lang: Lang) -> str:
    """Return what a table, a constant or a step is called; a table as the step that reads it."""
    table = plan.tables.get(name)
    if table is not None and not (table.label_zh if lang == "zh" else table.label_en):
        reader = next((step.name for step in plan.steps if step.operation.table == name), name)
        return plan.label(reader, lang)
    return plan.label(name, lang)


def _keys(plan: Plan, table: str, keys: str, lang: Lang) -> str:
    """Return the keys of a cell, levels in words."""
    said = []
    reader = next((dict(step.operation.by) for step in plan.steps if step.operation.table == table), {})
    for axis, key in zip(plan.tables[table].axes, keys.split(",")):
        said.append(plan.level_label(reader.get(axis.name, axis.name), key.strip(), lang))
    return ("、" if lang == "zh" else ", ").join(said)


def _switched(plan: Plan, path: str, value: str, found: list[Problem]) -> list[str]:
    name = path[len("steps.") : -len(".on")]
    steps = {step.name: step for step in plan.steps}
    if name not in steps:
        found.append(problem("RM840", path=path, nearest=nearest(name, plan.step_names)))
    elif value not in ("true", "false") or not _may_be_left_out(steps[name]) or name == plan.premium:
        found.append(problem("RM841", path=path, value=value))
    return [name] if value == "false" and not found else []


def _may_be_left_out(step: Step) -> bool:
    """Return whether a step without effect has a meaning: its own value passes, or the factor is 1."""
    return step.operation.passes or step.operation.factor


def _passing(step: Step) -> Step:
    """Return a step that does nothing: its own value passes, or the factor is 1."""
    kept = step.operation.of[0] if step.operation.passes else Decimal(1)
    return replace(step, operation=Product(of=(kept, Decimal(1))), when=None, otherwise=None)


def _numbers(plan: Plan, path: str, value: str, found: list[Problem]) -> dict[str, str]:
    """Return plain path -> number of one change, whole tables and multiples written out."""
    parts = path.split(".")
    cells = [path]
    if len(parts) == 2 and parts[0] == "tables":
        if parts[1] not in plan.tables:
            found.append(problem("RM840", path=path, nearest=nearest(parts[1], plan.tables)))
            return {}
        table = plan.tables[parts[1]]
        if not value.startswith("*") and exact_number(value) is None and not table.codes("value"):
            found.append(problem("RM841", path=path, value=value))
            return {}
        cells = [row_path(table, row) for row in table.rows if row.offered and "value" in table.value_names]
    if not value.startswith("*"):
        return dict.fromkeys(cells, value)
    factor = exact_number(value[1:])
    if factor is None:
        found.append(problem("RM841", path=path, value=value))
        return {}
    now = all_numbers(plan)
    made = {}
    for cell in cells:
        number = now.get(cell)
        if number is None:
            found.append(problem("RM840", path=cell, nearest=nearest(cell, paths(plan))))
        else:
            made[cell] = format(number * factor, "f")
    return made


def numbers_of(given: Mapping[str, Any]) -> list[Decimal]:
    """Return what is given under some names as exact numbers.

    Raises
    ------
    ModelError
        RM383 what is no number, all at once.
    """
    numbers = {name: exact_number(value) for name, value in given.items()}
    wrong = [problem("RM383", name=name, value=given[name]) for name, number in numbers.items() if number is None]
    if wrong:
        raise ModelError(wrong)
    return [number for number in numbers.values() if number is not None]


def current_values(plan: Plan) -> dict[str, Decimal]:
    """Return every number of a plan that a scenario can change, by path."""
    return {path: number for path, number in all_numbers(plan).items() if number is not None}
