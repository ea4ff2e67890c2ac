"""A frame of results as a table of a document: labels, amounts, per cent, levels in the words of a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ratemod.document.model import FIGURE, Blocks, Column, Document, Paragraph, Table, joined
from ratemod.errors import Lang, catalogue, text
from ratemod.plan.said import standing, title
from ratemod.rules.options import strict
from ratemod.vocabulary.currency import YUAN, Currency

if TYPE_CHECKING:
    import pandas as pd

    from ratemod.plan.model import Plan

# What a column of results measures, where neither its ending nor its type tells.
UNITS: Mapping[str, str] = {
    **dict.fromkeys(("change", "largest_rise", "largest_fall"), "change"),
    **dict.fromkeys(("change_from", "change_below"), "edge"),
    **dict.fromkeys(
        ("policies", "cheaper", "dearer", "above_25_percent", "rows_priced", "before", "after", "unpriced", "firms",
         "firms_that_save", "pays_for", "policies_uncapped", "rows", "above_25_percent_uncapped"), "count",
    ),
}  # fmt: skip
MOST_ROWS = 12


@strict
def plan_document(plan: Plan, lang: Lang, blocks: Blocks, head: str = "") -> Document:
    """Return blocks under a plan's name, standing and warning."""
    said = joined(
        Paragraph(f"{title(plan, lang)} · {plan.id} · {standing(plan, lang)}"),
        Paragraph(plan.warning(lang), "alarm") if plan.warning(lang) else None,
    )
    return Document(lang=lang, title=head, head=(*said, *blocks))


@strict
def frame_table(
    frame: pd.DataFrame,
    lang: Lang,
    plan: Plan | None = None,
    *,
    title: str = "",
    most: int | None = MOST_ROWS,
    bar: str = "",
    leave: Sequence[str] = (),
) -> Table:
    """Return a frame as a table.

    Parameters
    ----------
    most : rows that a screen shows
    bar : a column that is drawn too
    leave : columns not to show
    """
    names = [str(name) for name in frame.columns if name not in leave]
    columns = tuple(_column(frame[name], name, lang, plan, name == bar) for name in names)
    return Table(title=title, columns=columns, most=most)


def _column(values: pd.Series[Any], name: str, lang: Lang, plan: Plan | None, bar: bool) -> Column:
    unit, cells = unit_of(name, values), values.tolist()
    if not unit:
        words = level_words(plan, name, lang)
        cells = [words.get(str(cell), cell if cell is None else str(cell)) for cell in cells]
    if unit == "fen" and plan is not None:
        cells, unit = money_cells(cells, plan.money)
    return Column(label=label_of(name, lang, plan), cells=cells, unit=unit, bar=bar)


def money_cells(counts: list[Any], money: Currency) -> tuple[list[Any], str]:
    """Return amounts as a document holds them, and their unit: in hundredths as they are, others as figures."""
    if money.decimals == YUAN.decimals:
        return counts, "fen"
    return [None if count is None or count != count else money.shown(int(count)) for count in counts], FIGURE


def unit_of(name: str, values: pd.Series[Any]) -> str:
    """Return what a column of results measures, a key of `document.figures.SHAPES`; "" where it holds no numbers."""
    if values.dtype.kind not in "iuf":
        return ""
    if name.endswith("_fen"):
        return "fen"
    if name.startswith("share"):
        return "change"
    return UNITS.get(name, "number" if values.dtype.kind == "f" else "count")


@strict
def label_of(name: str, lang: Lang, plan: Plan | None = None) -> str:
    """Return what a column of results is called."""
    if f"UI_col_{name}" in catalogue():
        return text(f"UI_col_{name}", lang, money=(plan.money if plan is not None else YUAN).name(lang))
    return plan.label(name, lang) if plan is not None else name


@strict
def level_words(plan: Plan | None, name: str, lang: Lang) -> Mapping[str, str]:
    """Return what the levels of a column, the bounds or the causes of a plan are called."""
    if plan is not None and name == "bound":
        return {
            f"{step.name}:{end}": f"{plan.label(step.name, lang)} {text(f'UI_words_{end}', lang)}"
            for step in plan.steps
            for end in ("low", "high")
        }
    if plan is not None and name == "cause":
        readers = {f"tables.{step.operation.table}": plan.label(step.name, lang) for step in plan.steps}
        return readers | {f"constants.{item}": plan.label(item, lang) for item in plan.constants}
    return plan.level_labels(name, lang) if plan is not None else {}
