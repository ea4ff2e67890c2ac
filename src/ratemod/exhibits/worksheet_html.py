"""One premium step by step as HTML, for notebooks and reports; everything from a book or a plan is escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from ratemod.errors import Lang, text
from ratemod.exhibits.terminal import (
    line_bound,
    line_how,
    line_label,
    line_unit,
    line_value,
    worksheet_facts,
    worksheet_inputs,
)

if TYPE_CHECKING:
    from ratemod.rating.worksheet import Worksheet

TABLE = "border-collapse:collapse;font-variant-numeric:tabular-nums"
LEFT, RIGHT = "text-align:left;padding:2px 10px", "text-align:right;padding:2px 10px"


def worksheet_html(worksheet: Worksheet, lang: Lang) -> str:
    """Return a worksheet as an HTML table with its inputs and sources.

    Cell texts come from customers' lists, so every one is escaped; there is no script and no outside address.
    """
    sources = list(dict.fromkeys(line.source for line in worksheet.lines if line.source))
    head = "".join(
        f"<div>{escape(label)}: <b>{escape(value)}</b></div>" for label, value in worksheet_facts(worksheet, lang)
    )
    names = ("step", "figure", "unit", "how", "source")
    header = "".join(f"<th style='{LEFT}'>{escape(text(f'UI_{name}', lang))}</th>" for name in names)
    rows = []
    for line in worksheet.lines:
        how = text("UI_semicolon", lang).join(
            part for part in (line_how(worksheet, line, lang), line_bound(line, lang)) if part
        )
        mark = f"[{sources.index(line.source) + 1}]" if line.source else ""
        cells = (
            (line_label(line, lang), LEFT),
            (line_value(line), RIGHT),
            (line_unit(line, lang), LEFT),
            (how, LEFT),
            (mark, LEFT),
        )
        rows.append("<tr>" + "".join(f"<td style='{side}'>{escape(said)}</td>" for said, side in cells) + "</tr>")
    parts = [head, f"<table style='{TABLE}'><thead><tr>{header}</tr></thead><tbody>{''.join(rows)}</tbody></table>"]
    given = "".join(f"<li>{escape(name)}: {escape(value)}</li>" for name, value in worksheet_inputs(worksheet, lang))
    listed = "".join(f"<li>{escape(source)}</li>" for source in sources)
    if given:
        parts.append(f"<details><summary>{escape(text('UI_inputs', lang))}</summary><ul>{given}</ul></details>")
    if listed:
        parts.append(f"<p>{escape(text('UI_sources', lang))}</p><ol>{listed}</ol>")
    return f"<div lang='{'zh-CN' if lang == 'zh' else 'en'}'>{''.join(parts)}</div>"
