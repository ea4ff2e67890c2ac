"""Experience schemes beside each other: a table for a terminal, a page with charts."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from ratemod.errors import Lang, text

if TYPE_CHECKING:
    from ratemod.experience.compare_schemes import SchemeComparison
    from ratemod.experience.movement import Movement

DIGITS = {"gini": 3, "lift": 2, "off_balance": 3, "at_bound": 3}
STYLE = (
    "body{font-family:'Noto Sans CJK SC','Noto Sans',sans-serif;margin:2em;max-width:1100px}"
    "table{border-collapse:collapse;font-size:13px}td,th{padding:4px 8px;border-bottom:1px solid #ccc;text-align:right}"
    "td:first-child,th:first-child{text-align:left}.charts{display:flex;flex-wrap:wrap}"
    ".charts svg{width:520px;height:auto}.charts div:nth-child(even) svg{width:300px}"
)


def rows_of(found: SchemeComparison, lang: Lang) -> list[list[str]]:
    """Return header and rows of a comparison, as text."""
    frame = found.frame()
    rows = [[text(f"UI_judge_{name}", lang) for name in frame.columns]]
    for record in frame.to_dict("records"):
        row = [text(f"UI_scheme_{record['scheme']}", lang)]
        row += [f"{record[name]:.{DIGITS.get(str(name), 4)}f}" for name in frame.columns[1:]]
        rows.append(row)
    return rows


def heading_of(found: SchemeComparison, lang: Lang) -> list[str]:
    """Return what was compared, in two sentences."""
    small, large = (f"{end:,.0f}" for end in found.size_ends)
    return [
        text(
            "UI_judged",
            lang,
            firms=found.firms,
            year=found.years[-1],
            first=found.years[0],
            before=found.years[-2],
            least=found.least,
            most=found.most,
            claim=f"{found.claim_yuan:,.0f}",
            aside=found.set_aside,
        ),
        text("UI_judged_small", lang, small=small, large=large),
    ]


def comparison_text(found: SchemeComparison, lang: Lang = "en") -> str:
    """Return a comparison for a terminal: one block a scheme, so that no line is too long to read."""
    header, *rows = rows_of(found, lang)
    lines = heading_of(found, lang)
    for row in rows:
        lines.append(row[0])
        for start in (1, 6):
            pairs = zip(header[start : start + 5 + start // 6], row[start : start + 5 + start // 6])
            lines.append("  " + "; ".join(f"{name} {value}" for name, value in pairs))
    return "\n".join(lines)


def comparison_html(found: SchemeComparison, lang: Lang = "en") -> str:
    """Return a comparison as one page: the table, each scheme's quintile test, and the Lorenz curves."""
    from ratemod.exhibits.charts_model import lorenz, quintiles

    header, *rows = rows_of(found, lang)
    cells = ["<tr>" + "".join(f"<th>{escape(cell)}</th>" for cell in header) + "</tr>"]
    cells += ["<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows]
    charts = []
    for item in found.results:
        title = text(f"UI_scheme_{item.fitted.name}", lang)
        charts.append(quintiles(item.all.after, item.all.before, title=title, lang=lang).svg())
        charts.append(lorenz(item.lorenz[0], item.lorenz[1], gini=item.gini, title=title, lang=lang).svg())
    said = "".join(f"<p>{escape(line)}</p>" for line in heading_of(found, lang))
    title = escape(text("UI_judge_title", lang))
    return (
        f'<!doctype html>\n<html lang="{lang}"><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
        f"<h1>{title}</h1>{said}<table>{''.join(cells)}</table>"
        f'<div class="charts">{"".join(f"<div>{chart}</div>" for chart in charts)}</div></html>\n'
    )


def movement_text(found: Movement, lang: Lang = "en") -> str:
    """Return why mods moved, on average, for a terminal."""
    from ratemod.experience.movement import CAUSES

    change = float((found.after - found.before).mean())
    lines = [text("UI_moved", lang, firms=len(found.firms), change=f"{change:+.4f}")]
    lines += [f"  {text(f'UI_moved_{name}', lang)}: {found.parts[:, at].mean():+.4f}" for at, name in enumerate(CAUSES)]
    return "\n".join(lines)
