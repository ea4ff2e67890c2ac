"""Results as HTML that fits a screen: labels in one language, names escaped, the plan's warning always on top.

There is no script and no outside address; what a frame holds is shown to its first rows, and how many more there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from ratemod.errors import Lang, catalogue, text
from ratemod.exhibits.words import standing, title
from ratemod.money import yuan_text
from ratemod.vocabulary.currency import YUAN

if TYPE_CHECKING:
    import pandas as pd

    from ratemod.plan.model import Plan
    from ratemod.whatif.live import Live

STYLE = (
    "font:14px/1.45 'Noto Sans CJK SC','Noto Sans SC','Microsoft YaHei','PingFang SC',sans-serif;"
    "max-width:1100px;font-variant-numeric:tabular-nums"
)
TABLE = "border-collapse:collapse;margin:4px 0 10px"
CELL = "padding:2px 10px;border-bottom:1px solid rgba(128,128,128,.25);text-align:"
WARN, NOTE = "color:#8a4b00;margin:0 0 8px", "color:#767676;font-size:13px;margin:4px 0"
COUNTS = frozenset(
    {
        "policies", "cheaper", "dearer", "above_25_percent", "rows_priced", "before", "after", "unpriced", "firms",
        "firms_that_save", "pays_for", "policies_uncapped", "rows", "above_25_percent_uncapped",
    }
)  # fmt: skip
SHARES = frozenset({"change", "largest_rise", "largest_fall"})
MOST_ROWS = 12


def card(parts: Sequence[str], lang: Lang, plan: Plan | None = None, head: str = "") -> str:
    """Return some HTML under the plan's name, standing and warning."""
    said = [f"<div style='font-weight:600'>{escape(head)}</div>"] if head else []
    if plan is not None:
        said.append(f"<div>{escape(f'{title(plan, lang)} · {plan.id} · {standing(plan, lang)}')}</div>")
        if plan.warning(lang):
            said.append(f"<p style='{WARN}'>{escape(plan.warning(lang))}</p>")
    return f"<div lang='{'zh-CN' if lang == 'zh' else 'en'}' style=\"{STYLE}\">{''.join([*said, *parts])}</div>"


def label_of(name: str, lang: Lang, plan: Plan | None = None) -> str:
    """Return what a column of results is called."""
    if f"UI_col_{name}" in catalogue():
        return text(f"UI_col_{name}", lang, money=(plan.money if plan is not None else YUAN).name(lang))
    return plan.label(name, lang) if plan is not None else name


def figure(name: str, value: Any, words: Mapping[str, str] | None = None) -> tuple[str, bool]:
    """Return a value as it is read, and whether it is a number."""
    if value is None or (isinstance(value, float | np.floating) and np.isnan(value)):
        return "–", True
    if name.endswith("_fen"):
        return yuan_text(int(value)), True
    if name in SHARES or name.startswith("share"):
        return f"{value:+.2%}", True
    if name in ("change_from", "change_below"):
        return ("" if np.isinf(value) else f"{value:+.1%}"), True
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return f"{value:,}", True
    if isinstance(value, float | np.floating):
        return f"{value:,.0f}" if name in COUNTS else f"{value:,.4g}", True
    return (words or {}).get(str(value), str(value)), False


def table_html(
    frame: pd.DataFrame,
    lang: Lang,
    plan: Plan | None = None,
    *,
    most: int = MOST_ROWS,
    bar: str | None = None,
    leave: Sequence[str] = (),
) -> str:
    """Return a frame as an HTML table: labels, yuan, per cent, words of levels; the first rows, and how many more.

    Parameters
    ----------
    bar : a column that is drawn as bars too
    leave : columns not to show
    """
    names = [str(name) for name in frame.columns if name not in leave]
    words = {name: level_words(plan, name, lang) for name in names}
    shown = frame.head(most)
    sides = dict.fromkeys(names, "right")
    lines = []
    most_often = int(np.argmax(frame[bar])) if bar else -1
    top = max(float(frame[bar].drop(index=frame.index[most_often]).max()), 1.0) if bar and len(frame) > 1 else 1.0
    for at, values in enumerate(shown[names].itertuples(index=False, name=None)):
        cells = []
        for name, value in zip(names, values):
            said, number = figure(name, value, words[name])
            sides[name] = sides[name] if number else "left"
            cells.append(f"<td style='{CELL}{'right' if number else 'left'}'>{escape(said)}</td>")
            if name == bar:
                width, colour = min(round(180 * float(value) / top), 180), "#0072b2"
                if at == most_often and float(value) > 3 * top:  # it would leave the others no room: cut, and pale
                    colour = "linear-gradient(90deg,#bbb,#bbb 80%,transparent)"
                cells.append(
                    f"<td style='{CELL}left;min-width:184px'><span style='display:inline-block;height:12px;"
                    f"background:{colour};width:{width}px'></span></td>"
                )
        lines.append(f"<tr>{''.join(cells)}</tr>")
    heads = []
    for name in names:
        heads.append(f"<th style='{CELL}{sides[name]}'>{escape(label_of(name, lang, plan))}</th>")
        heads += [f"<th style='{CELL}left'></th>"] if name == bar else []
    more = len(frame) - len(shown)
    note = f"<div style='{NOTE}'>{escape(text('UI_rich_more', lang, rows=f'{more:,}'))}</div>" if more > 0 else ""
    return (
        f"<table style='{TABLE}'><thead><tr>{''.join(heads)}</tr></thead><tbody>{''.join(lines)}</tbody></table>{note}"
    )


def heading_html(code: str, lang: Lang) -> str:
    """Return a small heading."""
    return f"<div style='font-weight:600;margin-top:6px'>{escape(text(code, lang))}</div>"


def list_html(lines: Sequence[str], lang: Lang, most: int = MOST_ROWS) -> str:
    """Return lines as a list, the first of them, and how many more there are."""
    said = "".join(f"<li>{escape(line)}</li>" for line in lines[:most])
    more = len(lines) - most
    note = f"<div style='{NOTE}'>{escape(text('UI_rich_more', lang, rows=f'{more:,}'))}</div>" if more > 0 else ""
    return f"<ul style='margin:2px 0'>{said}</ul>{note}"


def columns_html(parts: Sequence[str]) -> str:
    """Return parts side by side, where there is room."""
    cells = "".join(f"<div>{part}</div>" for part in parts)
    return f"<div style='display:flex;flex-wrap:wrap;gap:0 32px;align-items:flex-start'>{cells}</div>"


def view_html(held: Live) -> str:
    """Return what a live panel shows now."""
    view, lang, plan = held.view, held.lang, held.base.plan
    facts = {"dearer": f"{view.dearer:,}", "cheaper": f"{view.cheaper:,}", "above": f"{view.above_25:,}"}
    counts = text("UI_live_counts", lang, **facts, largest=f"{view.largest_rise:+.2%}")
    code = {"no row": "none", "rating cells": "cells"}.get(view.how, "all")
    how = text(f"UI_live_how_{code}", lang, rows=f"{view.rows:,}", all=f"{held.base.n:,}")
    if view.how == "no row" and _differs(held):
        how = text("UI_live_untouched", lang)
    head = (
        f"<div><span style='color:#767676'>{escape(plan.text('UI_panel_premium', lang))}</span> "
        f"<span style='font-size:26px'>{yuan_text(view.total_fen)}</span> {view.change:+.2%}</div>"
        f"<div>{escape(counts)}</div>"
    )
    segments = heading_html("UI_panel_segments", lang) + table_html(view.segments, lang, plan, most=20)
    bands = heading_html("UI_panel_bands", lang) + table_html(view.bands, lang, plan, most=20, bar="policies")
    movers = heading_html("UI_panel_movers", lang) + table_html(view.movers, lang, plan)
    note = f"<div style='{NOTE}'>{escape(how)}</div>"
    return card([head, columns_html([segments, bands]), movers, note], lang, plan)


def _differs(held: Live) -> bool:
    from ratemod.whatif.sliders import start_of

    return held.view.at != start_of(held.base.plan, held.sliders)


def level_words(plan: Plan | None, name: str, lang: Lang) -> dict[str, str]:
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
    column = plan.columns.get(name) if plan is not None else None
    return {level.code: getattr(level, f"label_{lang}") or level.code for level in column.levels} if column else {}
