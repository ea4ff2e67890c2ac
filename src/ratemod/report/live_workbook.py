"""A priced book as a workbook that prices: the plan's tables, and every step of every policy as a formula.

A reviewer changes a factor on a table's sheet and sees the premiums move, or recalculates the whole book and compares
it with the engine's figures, which stand beside the formulas as plain numbers.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import ascii_letters, digits
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ratemod.document.sheet import MOST_ROWS, new_sheet, new_workbook, set_widths, sheet_name
from ratemod.document.terminal import display_width
from ratemod.errors import BookError, Lang, PlanError, Problem, problem, text
from ratemod.formulas.formula import ROW, Sheet, formula, helper_names, helpers
from ratemod.formulas.tables import (
    DAY_ZERO,
    FIRST,
    TableSheet,
    letters,
    quoted,
    table_sheet,
)  # fmt: skip
from ratemod.plan.model import Plan
from ratemod.plan.operand import NOTHING
from ratemod.plan.ranges import ranges
from ratemod.rating.find import name_column
from ratemod.rating.groups import whole_groups
from ratemod.rating.target import whole_file
from ratemod.rating.verdict import STATUS
from ratemod.report.live_sheets import (
    OPTIONS,
    free_looks,
    spoken_levels,
    word_ranges,
    write_constants,
    write_table,
    write_words,
)
from ratemod.report.priced_columns import UNPRICED, refused_view, state_words
from ratemod.report.priced_workbook import _about, _fits, _looks, _rows, _sheet
from ratemod.report.receipt_sheet import write_receipt_sheet

if TYPE_CHECKING:
    from ratemod.rating.inputs import Inputs
    from ratemod.rating.rated import Rated

UNNAMED = ("row", "engine", "difference", "insured", "status")
HEAD = 3  # rows above the policies: totals, labels, names
STEP_LOOKS = {
    "yuan": "money",
    "percent": "factor",
    "per_mille": "factor",
    "share": "share",
    "persons": "whole",
    "days": "whole",
}


@dataclass(frozen=True, eq=False, slots=True)
class Priced:
    """What the engine knows of the policies that the workbook shows.

    Attributes
    ----------
    inputs : Inputs of n rows
    keys : (n,) texts
    row : sequence of n numbers or texts
        Row in the file, with its table where there are several.
    texts : mapping of (n,) object
        Text columns that steps read.
    steps : mapping of (n,) float64
        Values of the steps, NaN for none: what a viewer that does not calculate shows.
    premium_fen : (n,) int64
    shown : (n,) bool
        False for rows that only belong to the policy of a shown row.
    names, states : (n,) texts
        The insured, and what became of the row when the workbook was written; empty where not known.
    """

    inputs: Inputs
    keys: Sequence[str]
    row: Sequence[int | str]
    texts: Mapping[str, npt.NDArray[Any]]
    steps: Mapping[str, npt.NDArray[np.float64]]
    premium_fen: npt.NDArray[np.int64]
    shown: npt.NDArray[np.bool_]
    names: Sequence[str] = ()
    states: Sequence[str] = ()


def write_live_workbook(rated: Rated, path: str | Path, *, lang: Lang, facts: Sequence[tuple[str, str]] = ()) -> None:
    """Write a rated book with every step as an Excel formula over the plan's tables.

    Sheets: the policies; constants; one sheet a table; the rows without a premium; the receipt of reading; about.
    Rows that were refused have no formulas.

    Parameters
    ----------
    rated : Rated
        With all steps traced, else viewers that do not calculate show fewer figures.
    path : str or Path
    lang : "zh" or "en"
    facts : label and value pairs for the about sheet

    Raises
    ------
    BookError
        RM807 too many rows, and those of `whole_file`.
    PlanError
        RM880, RM881 what cannot be said as formulas.
    """
    views = {state: refused_view(rated, lang, (state,)) for state in UNPRICED}
    for view in views.values():
        _fits(view)
    with whole_file(path) as part:
        book = new_workbook(part, lang, rated.plan.id, remark=rated.plan.warning(lang))
        looks = _looks(book, rated.plan.money, lang)
        write_live_sheets(book, looks, rated.plan, priced_rows(rated, lang), lang)
        for state, view in views.items():
            for _ in _rows(_sheet(book, text(f"UI_sheet_{state}", lang), rated, lang), view, looks, rated.plan.key):
                pass
        write_receipt_sheet(_sheet(book, text("UI_sheet_receipt", lang), rated, lang), rated, lang, looks)
        sheet = _sheet(book, text("UI_sheet_about", lang), rated, lang)
        about = [*facts, *((text("UI_live_note", lang), said) for said in text("UI_live_notes", lang).split("\n"))]
        _about(sheet, rated, about, lang, looks)
        book.close()


def priced_rows(rated: Rated, lang: Lang) -> Priced:
    """Return the priced rows of a rated book, and the other lines of their policies, which sums need."""
    status = rated.verdict.status
    wanted = status < 2
    rows = np.flatnonzero(whole_groups(wanted, rated.coding.groups))
    table, key = rated.book.table, rated.plan.key
    keys = [str(at) for at in rows] if key not in table.column_names else [
        "" if value is None else str(value) for value in table[key].take(rows).to_pylist()
    ]  # fmt: skip
    texts = {}
    for name in _needed(rated.plan):
        if rated.plan.columns[name].kind == "text" and name in table.column_names:
            raw = table[name].take(rows).to_pylist()
            texts[name] = np.array([("" if value is None else str(value)).strip() for value in raw], dtype=object)
    steps = {name: np.asarray(values, float)[rows] for name, values in rated.outputs.steps.items()}
    return Priced(
        rated.coding.part(rows),
        keys,
        rated.book.said(rows.tolist()) if rated.book.origins else rated.book.numbers[rows].tolist(),
        texts,
        steps,
        rated.outputs.premium_fen[rows],
        (status < 2)[rows],
        _names(rated, rows),
        [state_words(STATUS[state], lang) for state in status[rows]],
    )


def _names(rated: Rated, rows: npt.NDArray[np.intp]) -> list[str]:
    """Return the insured of some rows; nothing where the book does not say."""
    name = name_column(rated)
    cells = [] if name is None or name == rated.plan.key else rated.book.table[name].take(rows).to_pylist()
    return ["" if cell is None else str(cell) for cell in cells]


def write_live_sheets(book: Any, looks: Mapping[str, Any], plan: Plan, priced: Priced, lang: Lang) -> None:
    """Write the sheets of policies, constants and tables into an open workbook.

    Raises
    ------
    BookError
        RM807 too many rows.
    PlanError
        RM880, RM881 what cannot be said as formulas, all at once.
    """
    n = priced.inputs.n
    if n + HEAD > MOST_ROWS:
        raise BookError(problem("RM807", rows=n, columns=0))
    looks = {**looks, **free_looks(book)}
    own = [text(f"UI_live_{name}", lang) for name in ("policies", "constants", "words")]
    taken = [*own, *(text(f"UI_sheet_{name}", lang) for name in (*UNPRICED, "receipt", "about"))]
    used = list(dict.fromkeys(step.operation.table for step in plan.steps if step.operation.table))
    names: dict[str, str] = {}
    for name in used:
        names[name] = sheet_name(plan.label(name, lang), [*taken, *names.values()])
    found: dict[str, TableSheet] = {}
    problems: list[Problem] = []
    for name in used:
        try:
            found[name] = table_sheet(plan.tables[name], names[name])
        except PlanError as error:
            problems += error.problems
    if problems:
        raise PlanError(problems)
    constants = {name: f"{quoted(own[1])}!$B${at}" for at, name in enumerate(plan.constants, FIRST)}
    words = {name: labels for name in _needed(plan) if (labels := spoken_levels(plan, name, lang))}
    sheet, columns = _layout(plan, priced, found, constants, words)
    policies = new_sheet(book, own[0], heads=2, said=plan.id)
    listed = word_ranges(words, own[2])
    _write_policies(policies, sheet, columns, priced, looks, lang, words, listed)
    write_constants(new_sheet(book, own[1], heads=FIRST - 1, said=plan.id), plan, looks, lang)
    for name in used:
        write_table(new_sheet(book, names[name], heads=FIRST - 1, said=plan.id), found[name], plan, looks, lang)
    if words:
        write_words(new_sheet(book, own[2], said=plan.id), words, plan, looks, lang)


def _needed(plan: Plan) -> list[str]:
    """Return the columns that steps and rules read, in the plan's order, without the key."""
    read = plan.graph().read_by("step", "rule", "legal")
    return [name for name in plan.columns if name in read and name != plan.key]


def _layout(
    plan: Plan,
    priced: Priced,
    tables: Mapping[str, TableSheet],
    constants: Mapping[str, str],
    words: Collection[str],
) -> tuple[Sheet, list[tuple[str, str]]]:
    """Return where everything stands, and the columns in order as (name, kind)."""
    grouped = [step for step in plan.steps if step.operation.groups]
    columns = [(":row", "row"), (":key", "key")]  # no name of a plan holds a colon
    columns += [(f":{kind}", kind) for kind, texts in (("insured", priced.names), ("status", priced.states)) if texts]
    columns += [(f"{name}:said", "said") if name in words else (name, "input") for name in _needed(plan)]
    if any(step.operation.ordered for step in grouped):
        columns.append((":rank", "rank"))
    columns += [(f"{step.name}:{part}", "group") for step in grouped for part in step.operation.groups]
    for step in plan.steps:
        columns += [(name, "helper") for name in helper_names(step)]
        columns.append((step.name, "step"))
    columns += [(name, "code") for name in _needed(plan) if name in words]
    columns += [(":engine", "engine"), (":difference", "difference")]
    letter = {name: letters(at) for at, (name, _) in enumerate(columns)}
    if plan.key:
        letter.setdefault(plan.key, letter[":key"])
    empty = {name for name in _needed(plan) if _has_blank(plan, name, priced)}
    empty |= {step.name for step in plan.steps if step.otherwise == NOTHING}
    last = HEAD + max(priced.inputs.n, 1)
    known = ranges(plan)
    return Sheet(plan, known, letter, constants, tables, frozenset(empty), HEAD + 1, last), columns


def _has_blank(plan: Plan, name: str, priced: Priced) -> bool:
    """Return whether a column may be empty: where the plan allows it, or where a cell is."""
    inputs, column = priced.inputs, plan.columns[name]
    if column.optional:
        return True
    if name in inputs.numbers:
        return bool(np.isnan(inputs.numbers[name]).any())
    return bool((inputs.codes[name] < 0).any()) if name in inputs.codes else True


def _write_policies(
    sheet: Any, where: Sheet, columns: list[tuple[str, str]], priced: Priced, looks: Mapping[str, Any], lang: Lang,
    words: Mapping[str, Mapping[str, str]], listed: Mapping[str, tuple[str, str]],
) -> None:  # fmt: skip
    plan, n, first, last = where.plan, priced.inputs.n, where.first, where.last
    _head(sheet, where, columns, looks, lang)
    formulas: dict[str, str] = {}
    for step in plan.steps:
        formulas |= helpers(step, where)
        formulas[step.name] = formula(step, where)
    engine, premium = where.letter[":engine"], where.letter[plan.premium]
    formulas[":difference"] = f'IF(${engine}{ROW}="","",ROUND(${premium}{ROW}-${engine}{ROW},{plan.money.decimals}))'
    group = {
        f"{step.name}:{part}": priced.inputs.groups[names]
        for step in plan.steps
        for part, names in step.operation.groups.items()
    }
    for at, (name, kind) in enumerate(columns):
        look = looks[_look(plan, name, kind)]
        if kind in ("input", "said"):  # what a reviewer may change is not locked
            look = looks.get(f"open_{_look(plan, name, kind)}", look)
        if kind in ("step", "helper", "difference"):
            made, values = formulas[name].split(ROW), priced.steps.get(name)
            zero = DAY_ZERO if kind == "step" and where.is_date(name) else 0
            known = [] if values is None else values.tolist()
            shown: list[Any] = ["" if np.isnan(value) else value + zero for value in known] or [""] * n
            shown = [0] * n if kind == "difference" else shown
            for line in range(n):
                sheet.write_formula(HEAD + line, at, "=" + str(first + line).join(made), look, shown[line])
        elif kind == "said":
            name = name.removesuffix(":said")
            _write_said(
                sheet, at, [words[name].get(code, "") for code in _codes(plan, name, priced)], listed[name][0], look
            )
        elif kind == "code":
            said = letters(columns.index((f"{name}:said", "said")))
            sheet.set_column(at, at, None, None, {"hidden": True})
            for line, code in enumerate(_codes(plan, name, priced)):
                cell = f"${said}{first + line}"
                found = f"INDEX({listed[name][1]},MATCH({cell},{listed[name][0]},0))"
                sheet.write_formula(HEAD + line, at, f'=IF({cell}="","",{found})', look, code)
        else:
            values_of = group[name] if kind == "group" else None
            _write_inputs(sheet, at, name, kind, where, priced, look, values_of)
    difference = where.letter[":difference"]
    rest = f"{difference}{first}:{difference}{last}"
    alarm = {"type": "cell", "criteria": "!=", "value": 0, "format": looks["warning"]}
    sheet.conditional_format(rest, alarm)
    count = f'=COUNTIF({rest},">0")+COUNTIF({rest},"<0")+SUMPRODUCT(--ISERROR({rest}))'
    sheet.write_formula(0, len(columns) - 1, count, looks["count"], 0)


def _codes(plan: Plan, name: str, priced: Priced) -> list[str]:
    """Return the level codes of a column, empty where there is none."""
    codes = (*plan.columns[name].codes(), "")
    return [codes[code] for code in priced.inputs.codes[name].tolist()]


def _write_said(sheet: Any, at: int, cells: Sequence[str], listed: str, look: Any) -> None:
    """Write a column of levels in words, each to be chosen from those that there are."""
    for line, cell in enumerate(cells, HEAD):
        sheet.write_string(line, at, cell, look) if cell else sheet.write_blank(line, at, None, look)
    if cells:
        sheet.data_validation(HEAD, at, HEAD + len(cells) - 1, at, {"validate": "list", "source": f"={listed}"})


def _write_inputs(
    sheet: Any, at: int, name: str, kind: str, where: Sheet, priced: Priced, look: Any,
    group: npt.NDArray[np.int64] | None,
) -> None:  # fmt: skip
    inputs, n = priced.inputs, priced.inputs.n
    column = where.plan.columns.get(name)
    if kind == "row":
        cells: list[Any] = list(priced.row)
    elif kind in ("key", "insured", "status"):
        cells = list({"key": priced.keys, "insured": priced.names, "status": priced.states}[kind])
    elif kind == "rank":
        cells = (np.arange(n) if inputs.ranks is None else inputs.ranks).tolist()
    elif kind == "group":
        assert group is not None
        cells = group.tolist()
    elif kind == "engine":
        per_unit = where.plan.money.per_unit
        cells = [fen / per_unit if ok else None for fen, ok in zip(priced.premium_fen.tolist(), priced.shown.tolist())]
    elif name in inputs.numbers:
        shift = DAY_ZERO if column is not None and column.kind == "date" else 0
        cells = [None if np.isnan(value) else value + shift for value in inputs.numbers[name].tolist()]
    elif name in inputs.codes and column is not None:
        codes = (*column.codes(), None)
        cells = [codes[code] for code in inputs.codes[name].tolist()]
        listed = {"validate": "list", "source": list(column.codes())}
        if n and len(",".join(column.codes())) <= 255:
            sheet.data_validation(HEAD, at, HEAD + n - 1, at, listed)
    else:
        cells = [value or None for value in priced.texts.get(name, [None] * n)]
    for line, value in enumerate(cells, HEAD):
        if value is None:
            sheet.write_blank(line, at, None, look)
        elif isinstance(value, str):
            sheet.write_string(line, at, value, look)
        else:
            sheet.write_number(line, at, value, look)


def _head(sheet: Any, where: Sheet, columns: list[tuple[str, str]], looks: Mapping[str, Any], lang: Lang) -> None:
    """Write labels and names above the policies, and what the sheet is."""
    plan = where.plan
    sheet.write_string(0, 0, f"{plan.id}  {plan.warning(lang)}", looks["alarm"])
    sheet.write_string(0, len(columns) - 2, text("UI_live_count", lang), looks["label"])
    sheet.set_row(1, 45)
    widths = list[float]()
    for at, (name, kind) in enumerate(columns):
        label = plan.label(plan.key or "", lang) if kind == "key" else plan.label(name.removesuffix(":said"), lang)
        if kind in ("row", "engine", "difference", "rank", "insured", "status"):
            label = text(f"UI_live_{kind}", lang)
        if kind in ("group", "helper"):
            step, _, part = name.partition(":")
            of = text(f"UI_live_{part.rstrip(digits)}", lang)
            label = f"{plan.label(step, lang)} · {of} {part.lstrip(ascii_letters)}".rstrip()
        sheet.write_string(1, at, label, looks["header"])
        sheet.write_string(2, at, "" if kind in UNNAMED else name.removesuffix(":said").lstrip(":"), looks["text"])
        widths.append(_width(plan, name, kind, label))
    sheet.freeze_panes(HEAD, 2)
    sheet.protect("", OPTIONS)
    set_widths(sheet, widths, keys=2)


def _width(plan: Plan, name: str, kind: str, label: str) -> float:
    """Return a column width that shows whole dates, level codes and amounts."""
    column = plan.columns.get(name.removesuffix(":said"))
    codes = max((display_width(code) for code in column.codes()), default=0) if column else 0
    least = 18 if kind in ("key", "insured") else 12.5 if kind in ("step", "engine") or column else 9
    return max(least, min(26, max(display_width(label) * 0.55, codes, len(name) * 0.8) + 3))


def _look(plan: Plan, name: str, kind: str) -> str:
    if kind in ("engine", "difference"):
        return "money"
    if kind in ("row", "rank", "group", "helper"):
        return "whole"
    if kind == "step" and plan.step(name).operation.gives == "date":
        return "date"
    if kind == "step":
        return "money" if name in (plan.premium, plan.fund) else STEP_LOOKS.get(plan.step(name).unit or "", "factor")
    if kind in ("said", "code", "insured", "status", "key"):
        return "text"
    column = plan.columns.get(name)
    if column is None or column.kind in ("text", "level", "flag"):
        return "text"
    return "date" if column.kind == "date" else "number"
