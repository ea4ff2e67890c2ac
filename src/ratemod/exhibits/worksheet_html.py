"""One premium step by step as HTML, for notebooks and reports; everything from a book or a plan is escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from ratemod.errors import Lang, text
from ratemod.exhibits.worksheet_words import WorksheetWords

if TYPE_CHECKING:
    from ratemod.plan.model import Plan
    from ratemod.rating.worksheet import Worksheet

TABLE = "border-collapse:collapse;font-variant-numeric:tabular-nums"
LEFT, RIGHT = "text-align:left;padding:2px 10px", "text-align:right;padding:2px 10px"


def worksheet_html(worksheet: Worksheet, lang: Lang, plan: Plan | None = None) -> str:
    """Return a worksheet as an HTML table with its inputs and sources.

    Cell texts come from customers' lists, so every one is escaped; there is no script and no outside address.
    With the plan, level codes and constants too are put in words.
    """
    said = WorksheetWords(worksheet, lang, plan)
    sources = said.sources()
    head = "".join(f"<div>{escape(label)}: <b>{escape(value)}</b></div>" for label, value in said.facts())
    names = ("step", "figure", "unit", "how", "source")
    header = "".join(f"<th style='{LEFT}'>{escape(text(f'UI_{name}', lang))}</th>" for name in names)
    rows = []
    for line in worksheet.lines:
        how = text("UI_semicolon", lang).join(part for part in (said.how(line), said.bound(line)) if part)
        mark = f"[{sources.index(line.source) + 1}]" if line.source else ""
        cells = (said.label(line), said.figure(line), said.unit(line), how, mark)
        sides = (LEFT, RIGHT, LEFT, LEFT, LEFT)
        row = "".join(f"<td style='{side}'>{escape(cell)}</td>" for cell, side in zip(cells, sides))
        rows.append(f"<tr>{row}</tr>")
    parts = [head, f"<table style='{TABLE}'><thead><tr>{header}</tr></thead><tbody>{''.join(rows)}</tbody></table>"]
    given = "".join(f"<li>{escape(name)}: {escape(value)}</li>" for name, value in said.inputs())
    listed = "".join(f"<li>{escape(source)}</li>" for source in sources)
    if given:
        parts.append(f"<details><summary>{escape(text('UI_inputs', lang))}</summary><ul>{given}</ul></details>")
    if listed:
        parts.append(f"<p>{escape(text('UI_sources', lang))}</p><ol>{listed}</ol>")
    return f"<div lang='{'zh-CN' if lang == 'zh' else 'en'}'>{''.join(parts)}</div>"
