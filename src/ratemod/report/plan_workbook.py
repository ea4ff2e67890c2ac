"""A plan's numbers as a workbook to edit, and back: numbers may change, keys and structure may not.

Both ways use one layout. What comes back is compared with it cell by cell, so that a moved row, a changed key or a
sheet of another edition is found before any number is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from ratemod.document.sheet import new_sheet, new_workbook
from ratemod.errors import BookError, Lang, PlanError, Problem, problem, text
from ratemod.formulas.tables import axis_headers, letters, sheet_names
from ratemod.plan import said as words
from ratemod.plan.edit import replace, row_path
from ratemod.plan.edit import step_numbers as numbers_of
from ratemod.plan.model import ANY, Axis, AxisKey, Band, Plan, Step, Table, plain
from ratemod.plan.path_labels import path_labels
from ratemod.rating.target import whole_file
from ratemod.rules.number import normal

HIDDEN, LAYOUT = "ratemod", "ratemod plan workbook 1"
MOST_DIGITS = 15  # what Excel holds of a number
_DAY_ZERO = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell as exported.

    Attributes
    ----------
    value : str, Decimal or None
    path : str
        What an edit changes (`plan.edit`), empty where the cell must stay as it is.
    low, high : Decimal or None
        Permitted values.
    """

    value: str | Decimal | None
    path: str = ""
    low: Decimal | None = None
    high: Decimal | None = None


Grid = list[list[Cell]]


@dataclass(frozen=True, eq=False, slots=True)
class Edited:
    """What came back: the plan with its new numbers, and each change in words."""

    plan: Plan
    changes: Mapping[str, str]


def layout(plan: Plan) -> dict[str, Grid]:
    """Return every sheet as rows of cells, in a language-free form: sheet name -> rows.

    The first row of each sheet says what it is; the second holds the headers.
    """
    sheets = {"constants": _constants(plan)}
    if steps := _steps(plan):
        sheets["steps"] = steps
    names = sheet_names(list(plan.tables), ["about", "constants", "steps", HIDDEN])
    return sheets | {names[name]: _table(plan, table) for name, table in plan.tables.items()}


def _title(said: str) -> list[Cell]:
    return [Cell(said)]


def _heads(*names: str) -> list[Cell]:
    return [Cell(name) for name in names]


def _labels(plan: Plan, name: str) -> str:
    return " / ".join(dict.fromkeys((plan.label(name, "zh"), plan.label(name, "en"))))


def _constants(plan: Plan) -> Grid:
    legal = {item.of: item for item in plan.legal}
    rows = [_title("constants"), _heads("name", "value", "unit", "label", "source")]
    for name, constant in plan.constants.items():
        low, high = plan.legal_ends(legal[name]) if name in legal else (None, None)
        value = Cell(constant.value, f"constants.{name}", low, high)
        rows.append([Cell(name), value, *_heads(constant.unit or "", _labels(plan, name), constant.source)])
    return rows


def _steps(plan: Plan) -> Grid:
    found = []
    for step in plan.steps:
        for name in step_numbers(plan, step):
            value = Cell(numbers_of(step)[name], f"steps.{step.name}.{name}")
            found.append([Cell(step.name), Cell(name), value, Cell(_labels(plan, step.name))])
    return [_title("steps"), _heads("step", "key", "value", "label"), *found] if found else []


def step_numbers(plan: Plan, step: Step) -> list[str]:
    """Return the keys of a step that hold a number of the plan; parts of an experience step are not the plan's own."""
    own = {other.name for other in plan.steps}
    if "." in step.name and step.name.partition(".")[0] in own:
        return []
    return [name for name in numbers_of(step) if name != "unit"]


def _table(plan: Plan, table: Table) -> Grid:
    headers = [header for axis in table.axes for header in axis_headers(axis)]
    rows = [_title(table.name), _heads(*headers, *table.value_names, "source", "note", "label")]
    labels = [path_labels(plan, "zh"), path_labels(plan, "en")]
    for row in table.rows:
        cells = [Cell(said) for axis, key in zip(table.axes, row.keys) for said in key_texts(axis, key)]
        for name, value in zip(table.value_names, row.values):
            if value is None:
                cells.append(Cell("none"))
            elif table.codes(name):
                cells.append(Cell(str(table.shown(name, value))))
            else:
                cells.append(Cell(value, row_path(table, row, name), table.low, table.high))
        path = row_path(table, row, table.value_names[0])
        said = " / ".join(dict.fromkeys(known[path].partition(": ")[2] for known in labels))
        rows.append([*cells, Cell(row.source), Cell(row.note), Cell(said)])
    return rows


def key_texts(axis: Axis, key: AxisKey) -> tuple[str, ...]:
    """Return a key as a plan's CSV file writes it, one text a column."""
    if key is ANY:
        return ("*", "*") if axis.kind == "band" else ("*",)
    ends = (key.low, key.high) if isinstance(key, Band) else (key,)
    return tuple("" if end is None else _key(end, axis) for end in ends)


def _key(key: AxisKey, axis: Axis) -> str:
    if isinstance(key, Decimal) and axis.is_date:
        return date.fromordinal(int(key) + _DAY_ZERO).isoformat()
    return str(plain(key))


def export_plan(plan: Plan, path: str | Path, lang: Lang = "en") -> None:
    """Write a plan's numbers as a workbook to edit.

    Cells that may be edited are yellow and unlocked, with the permitted values as validation; all others are locked.
    A hidden sheet holds the plan's identity.

    Parameters
    ----------
    plan : Plan
    path : str or Path
    lang : "zh" or "en"
        Of the first sheet, which says how to use the workbook.

    Raises
    ------
    BookError
        As `ratemod.whole_file`.
    """
    with whole_file(path) as part:
        book = new_workbook(part, lang, plan.id, remark=plan.warning(lang))
        looks = {
            "free": book.add_format({"locked": False, "bg_color": "#FFF6CC", "border": 1, "border_color": "#C9B458"}),
            "text": book.add_format({"num_format": "@"}),
            "head": book.add_format({"bold": True, "bg_color": "#DDE6F0", "bottom": 1}),
            "title": book.add_format({"bold": True, "font_size": 14}),
            "alarm": book.add_format({"bold": True, "font_color": "#B00020", "text_wrap": True}),
            "wrap": book.add_format({"text_wrap": True, "valign": "top"}),
        }
        _write_about(new_sheet(book, "about", said=plan.id), plan, looks, lang)
        for name, rows in layout(plan).items():
            _write_grid(new_sheet(book, name, heads=2, said=plan.id), rows, looks)
        hidden = new_sheet(book, HIDDEN)
        for at, said in enumerate((LAYOUT, plan.id, plan.fingerprint)):
            hidden.write_string(at, 0, said)
        hidden.protect()
        hidden.very_hidden()
        book.close()


def _write_about(sheet: Any, plan: Plan, looks: Mapping[str, Any], lang: Lang) -> None:
    sheet.set_column(0, 0, 110)
    sheet.write_string(0, 0, words.title(plan, lang), looks["title"])
    sheet.write_string(1, 0, f"{plan.id} · {words.standing(plan, lang)}", looks["wrap"])
    sheet.write_string(2, 0, plan.warning(lang), looks["alarm"])
    for at, said in enumerate(text("UI_plan_workbook_notes", lang).split("\n"), 4):
        sheet.write_string(at, 0, said, looks["wrap"])
    sheet.protect()


def _write_grid(sheet: Any, rows: Grid, looks: Mapping[str, Any]) -> None:
    for line, row in enumerate(rows):
        for at, cell in enumerate(row):
            look = looks["title" if line == 0 else "head" if line == 1 else "free" if cell.path else "text"]
            if isinstance(cell.value, Decimal) and _fits(cell.value):
                sheet.write_number(line, at, float(cell.value), look)
            elif cell.value not in (None, ""):
                sheet.write_string(line, at, _text(cell.value), look)
            if cell.path and cell.low is not None and cell.high is not None:
                limits = {"criteria": "between", "minimum": float(cell.low), "maximum": float(cell.high)}
                sheet.data_validation(line, at, line, at, {"validate": "decimal", **limits})
    for at in range(len(rows[1])):
        widest = max((len(_text(row[at].value)) for row in rows[1:] if row[at].value is not None), default=8)
        sheet.set_column(at, at, min(50, widest * 1.2 + 3))
    sheet.freeze_panes(2, 0)
    sheet.protect()


def _text(value: str | Decimal | None) -> str:
    return "" if value is None else value if isinstance(value, str) else str(plain(value))


def _fits(value: Decimal) -> bool:
    return len(normal(value).as_tuple().digits) <= MOST_DIGITS


def import_plan(plan: Plan, path: str | Path) -> Edited:
    """Return a plan with the numbers of an edited workbook; nothing else can change.

    Parameters
    ----------
    plan : Plan
        The plan that was exported.
    path : str or Path

    Raises
    ------
    BookError
        RM883 not a workbook that can be read.
    PlanError
        RM884 the workbook is of another plan, RM885 a sheet is missing, RM886 a key or another cell that must stay
        was changed, RM887 a number is missing or is not one, and those of `plan.replace` (RM182 outside the permitted
        values, RM184 against the law), all at once.
    """
    sheets = _read(Path(path))
    hidden = [row[0] if row else "" for row in sheets.get(HIDDEN, [])]
    if hidden[:1] != [LAYOUT] or hidden[2:3] != [plan.fingerprint]:
        found = str(hidden[1]) if hidden[:1] == [LAYOUT] and len(hidden) > 1 else "?"
        raise PlanError(problem("RM884", file=str(path), found=found, wanted=plan.id))
    problems: list[Problem] = []
    changes: dict[str, Decimal] = {}
    for name, rows in layout(plan).items():
        if name not in sheets:
            problems.append(problem("RM885", file=str(path), sheet=name, name=name))
        else:
            changes |= _changes(rows, sheets[name], str(path), name, problems)
    if not changes:
        if problems:
            raise PlanError(problems)
        return Edited(plan, {})
    try:
        edited = replace(plan, changes)
    except PlanError as error:
        problems += error.problems
    if problems:
        raise PlanError(problems)
    return Edited(edited, {key: str(plain(value)) for key, value in changes.items()})


def _read(path: Path) -> dict[str, list[list[Any]]]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_path(str(path))
        return {name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names}
    except (CalamineError, OSError) as error:
        raise BookError(problem("RM883", file=str(path), why=str(error))) from None


def _changes(
    wanted: Grid, found: Sequence[Sequence[Any]], file: str, sheet: str, problems: list[Problem]
) -> dict[str, Decimal]:
    """Return path -> number for every editable cell that differs; note every other cell that does."""
    changes: dict[str, Decimal] = {}
    for line in range(max(len(wanted), len(found))):
        row = wanted[line] if line < len(wanted) else []
        cells = list(found[line]) if line < len(found) else []
        for at in range(max(len(row), len(cells))):
            cell = row[at] if at < len(row) else Cell(None)
            value = cells[at] if at < len(cells) else ""
            place = f"{letters(at)}{line + 1}"
            if cell.path:
                number = _number(value)
                if number is None:
                    item = problem("RM887", file=file, sheet=sheet, row=line + 1, cell=place, value=str(value))
                    problems.append(item)
                elif number != cell.value:
                    changes[cell.path] = number
            elif not _same(cell.value, value):
                said = _text(cell.value)
                problems.append(
                    problem("RM886", file=file, sheet=sheet, row=line + 1, cell=place, found=str(value), wanted=said)
                )
    return changes


def _number(value: Any) -> Decimal | None:
    """Return a cell's number as its shortest decimal, which is what was typed; None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = Decimal(value.strip() if isinstance(value, str) else repr(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _same(wanted: str | Decimal | None, found: Any) -> bool:
    if found in (None, ""):
        return wanted in (None, "")
    if isinstance(wanted, Decimal):
        return _number(found) == wanted
    if isinstance(found, float) and wanted is not None:  # a spreadsheet may turn a text of digits into a number
        return _number(wanted) == _number(found)
    return str(found) == (wanted or "")
