"""An empty list to fill in: headers with units, drop-downs, remarks, an example row, and each column explained."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ratemod.document.sheet import new_sheet, new_workbook
from ratemod.document.terminal import display_width
from ratemod.errors import BookError, Lang, PlanError, Problem, nearest, text
from ratemod.plan.editions import load_plan
from ratemod.reading.examples import EXPLAINED
from ratemod.reading.folder import meant_by, names_of_tables, table_named
from ratemod.rules.options import strict
from ratemod.vocabulary.column import Column
from ratemod.vocabulary.table import Table, examples, words
from ratemod.whole_file import whole_file

ROWS = 5_000  # rows with drop-downs
UNITS_ZH = {"yuan": "元", "fen": "分", "persons": "人", "days": "天", "months": "个月", "hours": "小时", "tonnes": "吨"}
EXAMPLE_DAY = datetime.date(2026, 3, 1)


@dataclass(frozen=True, slots=True)
class Field:
    """A column of the list, and whether a row must fill it."""

    column: Column
    required: bool

    def header(self, lang: Lang) -> str:
        """Return the header, with the unit in brackets."""
        unit = self.column.unit
        said = UNITS_ZH.get(unit or "", "") if lang == "zh" else unit if unit in ("yuan", "fen") else ""
        label = self.column.label(lang)
        bare = not said or label.endswith((")", "）", "%"))
        return label if bare else f"{label}（{said}）" if lang == "zh" else f"{label} ({said})"

    def example(self, lang: Lang) -> Any:
        """Return what the example row shows."""
        one = self.column
        known = next((value for word, value in examples().items() if words()[word].label_zh == one.label_zh), None)
        if one.levels:
            return next((level for level in one.levels if level.code == known), one.levels[0]).label(lang)
        if one.kind == "date":
            return datetime.date.fromisoformat(known) if known else EXAMPLE_DAY
        if one.kind == "number":
            return float(known) if known else float(max(one.low or 0, min(1, one.high or 1)))
        return known or text("UI_template_example", lang)


@dataclass(frozen=True, slots=True)
class BlankList:
    """A list to fill in: the name of its file without the ending, its title, and its columns."""

    stem: str
    title: str
    fields: tuple[Field, ...]


@strict
def blank_lists(names: Sequence[str], lang: Lang) -> tuple[BlankList, ...]:
    """Return the blank list of every table and plan that is named, each once; a plan's says its edition.

    Raises
    ------
    BookError
        For every name that means nothing: RM952 where it is like that of a table, else what `load_plan` says of it.
    """
    found: dict[str, BlankList] = {}
    wrong: list[Problem] = []
    for name in names:
        try:
            one = _blank_list(name, lang)
        except (BookError, PlanError) as error:
            wrong += error.problems
        else:
            found[one.stem] = one
    if wrong:
        raise BookError(wrong)
    return tuple(found.values())


def _blank_list(name: str, lang: Lang) -> BlankList:
    if meant_by(name):
        declared = table_named(name)
        return BlankList(declared.label(lang), declared.label(lang), fields_of(declared))
    try:
        plan = load_plan(name)
    except PlanError as error:
        told = error.problems[0]
        if told.code == "RM170" and not told.args["nearest"] and nearest(name, names_of_tables()):
            table_named(name)
        raise
    title = text("UI_template_plan", lang)
    return BlankList(f"{title}-{plan.scheme}-{plan.edition}", title, fields_of_plan(list(plan.columns.values())))


def fields_of(declared: Table) -> tuple[Field, ...]:
    """Return what a list of a shared table is made of, amounts in yuan."""
    return tuple(
        Field(declared.read_as(declared.in_fen(name))[-1], name in declared.required and name not in declared.open)
        for name in declared.fields()
    )


def fields_of_plan(columns: Sequence[Column]) -> tuple[Field, ...]:
    """Return what a list to be priced is made of."""
    return tuple(Field(one, not one.optional and one.default is None and one.derive is None) for one in columns)


def write_template(fields: Sequence[Field], path: str | Path, title: str, lang: Lang) -> Path:
    """Write the workbook; the same fields give the same bytes.

    Raises
    ------
    BookError
        Those of `whole_file`.
    """
    target = Path(path)
    with whole_file(target) as part:
        book = new_workbook(part, lang, title)
        _list(book, fields, title, lang)
        _explained(book, fields, lang)
        book.close()
    return target


def _list(book: Any, fields: Sequence[Field], title: str, lang: Lang) -> None:
    sheet = new_sheet(book, title)
    sheet.freeze_panes(1, 0)
    must, may = book.add_format({"bold": True, "bg_color": "#fde9d9"}), book.add_format({"bold": True})
    day, plain = book.add_format({"num_format": "yyyy-mm-dd"}), book.add_format({"num_format": "@"})
    for at, one in enumerate(fields):
        header = one.header(lang)
        sheet.write_string(0, at, header, must if one.required else may)
        sheet.write_comment(0, at, remark(one, lang))
        look = day if one.column.kind == "date" else plain if one.column.kind == "text" else None
        sheet.set_column(at, at, max(display_width(header) + 2, 12), look)
        shown = one.example(lang)
        if at == 0:  # marked, so that the row is not taken for a record where it is left in the list
            shown = marked(shown, lang)
        if isinstance(shown, datetime.date):
            sheet.write_datetime(1, at, datetime.datetime(shown.year, shown.month, shown.day), day)
        elif isinstance(shown, float):
            sheet.write_number(1, at, shown)
        else:
            sheet.write_string(1, at, shown, look)
        if one.column.levels:
            said = list(one.column.level_labels(lang).values())
            if len(",".join(said)) <= 255:  # what a drop-down can hold
                sheet.data_validation(1, at, ROWS, at, {"validate": "list", "source": said})
    sheet.write_comment(1, 0, text("UI_template_delete", lang))


def marked(shown: Any, lang: Lang) -> str:
    """Return what a cell shows behind the mark of an example; see `ratemod.reading.examples`."""
    said = f"{shown:g}" if isinstance(shown, float) else str(shown)
    mark = text("UI_template_example", lang)
    return mark if said == mark else f"{mark}：{said}" if lang == "zh" else f"{mark}: {said}"


def remark(one: Field, lang: Lang) -> str:
    """Return what is to be written in a column, in a line."""
    column = one.column
    said = [text("UI_template_required" if one.required else "UI_template_optional", lang)]
    if column.levels:
        said.append(text("UI_template_words", lang, words=_words(column, lang)))
    elif column.kind == "date":
        said.append(text("UI_template_day", lang))
    elif column.kind == "number" and column.low is not None and column.high is not None:
        said.append(text("UI_template_range", lang, low=f"{column.low:f}", high=f"{column.high:f}"))
    return " ".join(said)


def _words(column: Column, lang: Lang) -> str:
    return " / ".join(column.level_labels(lang).values())


def _explained(book: Any, fields: Sequence[Field], lang: Lang) -> None:
    sheet = new_sheet(book, text("UI_template_sheet", lang))
    bold, wrap = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
    for at, (code, width) in enumerate(zip(EXPLAINED, (28, 60, 80), strict=True)):
        sheet.set_column(at, at, width, wrap)
        sheet.write_string(0, at, text(code, lang), bold)
    for row, one in enumerate(fields, start=1):
        others = " | ".join(name for name in one.column.names() if name != one.column.label(lang))
        also = text("UI_template_also", lang, headers=others)
        # Numbered, and in sentences: the sheet must not look like a list itself.
        for at, said in enumerate((f"{row}. {one.header(lang)}", remark(one, lang), also)):
            sheet.write_string(row, at, said, wrap)
