"""One premium step by step as HTML, for notebooks and reports; everything from a book or a plan is escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from ratemod.errors import Lang, text
from ratemod.exhibits.terminal import line_label, line_unit, line_value, worksheet_inputs

if TYPE_CHECKING:
    from ratemod.rating.worksheet import Worksheet

STYLE = ("border-collapse:collapse;font-variant-numeric:tabular-nums", "text-align:left;padding:2px 10px",
         "text-align:right;padding:2px 10px")


def worksheet_html(worksheet: Worksheet, lang: Lang) -> str:
    """Return a worksheet as an HTML table with its inputs and sources.

    Cell texts come from customers' lists, so every one is escaped; there is no script and no outside address.
    """
    sources = list(dict.fromkeys(line.source for line in worksheet.lines if line.source))
    status = text(f"UI_status_{worksheet.status}", lang)
    reason = f": {escape(worksheet.reason)}" if worksheet.reason else ""
    head = (f"<caption style='text-align:left'><b>{escape(str(worksheet.key))}</b> · {escape(worksheet.plan_id)} · "
            f"{escape(status)}{reason}</caption>")
    names = ("step", "figure", "unit", "how", "source")
    header = "".join(f"<th style='{STYLE[1]}'>{escape(text(f'UI_{name}', lang))}</th>" for name in names)
    rows = []
    for line in worksheet.lines:
        bound = text(f"UI_bound_{line.bound}", lang, step="").strip() if line.bound in ("low", "high") else ""
        how = text("UI_semicolon", lang).join(part for part in (line.text, bound) if part)
        mark = f"[{sources.index(line.source) + 1}]" if line.source else ""
        cells = ((line_label(line, lang), 1), (line_value(line), 2), (line_unit(line, lang), 1), (how, 1), (mark, 1))
        rows.append("<tr>" + "".join(f"<td style='{STYLE[side]}'>{escape(said)}</td>" for said, side in cells) + "</tr>")
    table = f"<table style='{STYLE[0]}'>{head}<thead><tr>{header}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    given = "".join(f"<li>{escape(name)}: {escape(value)}</li>" for name, value in worksheet_inputs(worksheet))
    listed = "".join(f"<li>{escape(source)}</li>" for source in sources)
    parts = [table]
    if given:
        parts.append(f"<details><summary>{escape(text('UI_inputs', lang))}</summary><ul>{given}</ul></details>")
    if listed:
        parts.append(f"<p>{escape(text('UI_sources', lang))}</p><ol>{listed}</ol>")
    return f"<div lang='{'zh-CN' if lang == 'zh' else 'en'}'>{''.join(parts)}</div>"
