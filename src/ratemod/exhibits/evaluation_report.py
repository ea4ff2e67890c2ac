"""The yearly evaluation as a written report: one HTML file that needs nothing else, or workbook, CSV and Parquet."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ratemod.errors import BookError, Lang, nearest, problem, text
from ratemod.exhibits.figures import said, unit_of
from ratemod.exhibits.fund_file import NO_NAMES, Names, called, shown_label, value_label, write_fund
from ratemod.exhibits.output import SUFFIXES
from ratemod.fund.fund_table import in_language
from ratemod.money import yuan_text
from ratemod.whole_file import whole_file

if TYPE_CHECKING:
    from ratemod.fund.evaluation import Evaluation

STYLE = """
:root{--ink:#1d2733;--soft:#5b6875;--line:#d5dbe1;--head:#eef2f6;--blue:#1f5f99;--warn:#a3470b}
body{font-family:'Noto Sans CJK SC','Source Han Sans SC','Microsoft YaHei','PingFang SC',sans-serif;color:var(--ink);
max-width:68rem;margin:2rem auto;padding:0 1.2rem;line-height:1.55;font-size:15px}
h1{font-size:1.7rem;margin-bottom:.2rem}h2{font-size:1.2rem;margin-top:2.2rem;border-bottom:2px solid var(--line)}
.mark{background:#fff4e5;border-left:4px solid var(--warn);padding:.5rem .8rem;margin:1rem 0}
.facts{color:var(--soft)}table{border-collapse:collapse;width:100%;margin:.8rem 0;font-size:13px}
th,td{border-bottom:1px solid var(--line);padding:.3rem .5rem;text-align:left;vertical-align:top}
th{background:var(--head);font-weight:600}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
.wide{overflow-x:auto}svg{max-width:100%;height:auto}li{margin:.25rem 0}
@media print{body{max-width:none;font-size:12px}h2{break-after:avoid}table{break-inside:auto}tr{break-inside:avoid}}
"""
# What the report shows of each table, in this order; workbooks hold all columns.
SECTIONS: Sequence[tuple[str, str, tuple[str, ...]]] = (
    ("money", "ledger", ("insurer", "opening_fen", "accrued_fen", "released_fen", "used_fen", "forfeited_fen",
                         "closing_fen", "budget_fen", "paid_fen", "beyond_fen")),
    ("money", "flags", ("rule", "flags", "amount_fen", "source")),
    ("duties", "duties", ("insurer", "owed", "met", "late", "missing", "pending", "ended")),
    *(("quality", f"by_{name}", (name, "planned", "delivered", "missing", "delivered_share", "in_time_share",
                                 "hazards_per_service", "score_mean", "cost_fen", "cost_per_service_fen"))
      for name in ("insurer", "provider", "sector", "service_type")),
    *(("hazards", f"hazards_by_{name}", (name, "found", "rectified_in_time", "rectified_late", "refused", "overdue",
                                         "open", "rectified_share"))
      for name in ("insurer", "sector")),
)  # fmt: skip
INTERVALS = {"delivered_share": "delivered", "in_time_share": "in_time", "rectified_share": "rectified",
             "score_mean": "score"}  # fmt: skip
NO_UNITS: Mapping[str, str] = MappingProxyType({})


def write_evaluation(found: Evaluation, path: str | Path, lang: Lang, names: Names = NO_NAMES) -> Path:
    """Write the report as the ending says: .html, .xlsx (a sheet a table), .csv or .parquet (services by insurer).

    Raises
    ------
    BookError
        RM800 unknown ending, and those of `write_fund` and `whole_file`.
    """
    target = Path(path)
    suffix = target.suffix.lower()
    if suffix in (".html", ".htm"):
        page = evaluation_html(found, lang, names)
        with whole_file(target) as part:
            part.write_text(page, encoding="utf-8")
        return target
    if suffix not in SUFFIXES:
        known = (".html", *SUFFIXES)
        raise BookError(problem("RM800", path=str(path), suffixes=" ".join(known), nearest=nearest(suffix, known)))
    return write_fund(list(found.tables().items()), target, lang, names=names)


def evaluation_html(found: Evaluation, lang: Lang, names: Names = NO_NAMES) -> str:
    """Return the report as one HTML page; the same evaluation gives the same bytes."""
    year = str(found.year) if found.year else text("UI_report_all_years", lang)
    title = text("UI_report_title", lang, year=year)
    who = found.evaluator or text("UI_report_self", lang)
    facts = text("UI_report_facts", lang, who=who, day=found.as_of.isoformat())
    parts = [
        f'<!doctype html>\n<html lang="{"zh-CN" if lang == "zh" else "en"}"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head><body>",
        f'<h1>{html.escape(title)}</h1><p class="facts">{html.escape(facts)}</p>',
    ]
    marks = [text("UI_report_synthetic", lang)] if found.synthetic else []
    parts.append(f'<p class="mark">{html.escape(" ".join([*marks, text("UI_report_illustrative", lang)]))}</p>')
    parts.append(f"<h2>{_word('summary', lang)}</h2><ul>")
    parts += [f"<li>{html.escape(line)}</li>" for line in summary(found, lang)]
    parts.append("</ul>")
    tables, before = found.tables(), ""
    for section, name, columns in SECTIONS:
        if name not in tables:
            continue
        if section != before:
            parts.append(
                f"<h2>{_word(section, lang)}</h2><p>{html.escape(text(f'UI_report_about_{section}', lang))}</p>"
            )
            before = section
        parts.append(html_table(called(tables[name], names), columns, lang))
    parts += _effect(found, lang)
    parts += [
        f"<h2>{_word('proof', lang)}</h2>",
        f"<p>{html.escape(text('UI_report_proved', lang, count=found.reconcile()))}</p>",
        "</body></html>\n",
    ]
    return "\n".join(parts)


def summary(found: Evaluation, lang: Lang) -> list[str]:
    """Return what a reader in a hurry must know, in sentences."""
    total, effect = found.quality.total, found.effect
    due = max(total["delivered"] + total["missing"], 1)
    ratio, low, high = effect.ratio()
    adjusted = effect.ratio("adjusted")
    each = found.avoided_per_million
    judged = [passed for passed in effect.placebos["passed"].to_pylist() if passed is not None]
    lines = [
        text("UI_report_sum_services", lang, delivered=total["delivered"], planned=total["planned"],
             share=f"{total['delivered'] / due:.1%}", cost=yuan_text(total["cost_fen"])),
    ]  # fmt: skip
    if found.quality.hazard_total:
        hazard = found.quality.hazard_total
        fell = max(hazard["found"] - hazard["open"], 1)
        lines.append(
            text("UI_report_sum_hazards", lang, found=hazard["found"], refused=hazard["refused"],
                 share=f"{hazard['rectified_in_time'] / fell:.1%}")
        )  # fmt: skip
    verdict = "UI_report_sum_effect" if high < 1 or low > 1 else "UI_report_sum_no_effect"
    lines += [
        text(verdict, lang, change=f"{ratio - 1:+.0%}", low=f"{low - 1:+.0%}", high=f"{high - 1:+.0%}"),
        text("UI_report_sum_naive", lang, change=f"{adjusted[0] - 1:+.0%}"),
        text("UI_report_sum_avoided", lang, avoided=f"{effect.avoided:,.0f}", low=f"{effect.avoided_low:,.0f}",
             high=f"{effect.avoided_high:,.0f}", each=f"{each[0]:.1f}", each_low=f"{each[1]:.1f}",
             each_high=f"{each[2]:.1f}"),
        text("UI_report_sum_placebo", lang, passed=sum(judged), of=len(judged)),
    ]  # fmt: skip
    return lines


def _effect(found: Evaluation, lang: Lang) -> list[str]:
    effect = found.effect
    parts = [f"<h2>{_word('effect', lang)}</h2><p>{html.escape(text('UI_report_about_effect', lang))}</p>"]
    parts.append(forest(effect.estimates.filter(effect.estimates["rate_ratio"].is_valid()), lang))
    parts.append(html_table(effect.estimates, ("method", "rate_ratio", "low", "high", "policies"), lang))
    parts.append(f"<p>{html.escape(text('UI_report_doses', lang))}</p>")
    parts.append(html_table(effect.doses, ("services", "rate_ratio", "low", "high", "policies"), lang))
    parts.append(f"<p>{html.escape(text('UI_report_placebos', lang))}</p>")
    parts.append(html_table(effect.placebos, ("test", "rate_ratio", "low", "high", "p_value", "passed"), lang))
    limits = (text(f"UI_report_limit_{at}", lang) for at in range(1, 5))
    parts.append("<ul>" + "".join(f"<li>{html.escape(line)}</li>" for line in limits) + "</ul>")
    return parts


def forest(estimates: pa.Table, lang: Lang) -> str:
    """Return the estimates with their intervals as SVG: left of the line, fewer claims with services."""
    rows = estimates.to_pylist()
    low = min(0.5, *(row["low"] for row in rows))
    high = max(1.3, *(row["high"] for row in rows))
    left, width, step = 250, 420, 30

    def at(value: float) -> float:
        return float(left + (value - low) / (high - low) * width)

    top, bottom = 14, 14 + step * len(rows)
    lines = [
        f'<svg viewBox="0 0 760 {bottom + 40}" role="img" aria-label="{html.escape(_word("effect", lang))}" '
        'font-family="inherit" font-size="13">',
        f'<line x1="{at(1):.1f}" x2="{at(1):.1f}" y1="{top}" y2="{bottom}" stroke="#5b6875" stroke-dasharray="4 3"/>',
    ]
    for place, row in enumerate(rows):
        y = top + step * place + step / 2
        best = row["method"] == "fixed"
        colour = "#1f5f99" if best else "#8795a3"
        lines += [
            f'<text x="{left - 12}" y="{y + 4:.1f}" text-anchor="end" font-weight="{600 if best else 400}">'
            f"{html.escape(value_label(row['method'], lang))}</text>",
            f'<line x1="{at(row["low"]):.1f}" x2="{at(row["high"]):.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="{colour}" '
            'stroke-width="3"/>',
            f'<circle cx="{at(row["rate_ratio"]):.1f}" cy="{y:.1f}" r="5" fill="{colour}"/>',
            f'<text x="{left + width + 14}" y="{y + 4:.1f}">{row["rate_ratio"]:.2f}</text>',
        ]
    ticks = [tick / 10 for tick in range(2, 31, 2) if low <= tick / 10 <= high]
    lines += [
        f'<text x="{at(tick):.1f}" y="{bottom + 16}" text-anchor="middle" fill="#5b6875">{tick:.1f}</text>'
        for tick in ticks
    ]
    axis = html.escape(text("UI_report_axis", lang))
    lines.append(
        f'<text x="{left + width / 2}" y="{bottom + 34}" text-anchor="middle" fill="#5b6875">{axis}</text></svg>'
    )
    return "\n".join(lines)


def html_table(table: pa.Table, columns: Sequence[str], lang: Lang, units: Mapping[str, str] = NO_UNITS) -> str:
    """Return some columns as an HTML table: yuan, per cent, intervals beside what they belong to.

    `units` are those of columns that their name does not tell (see `figures.SHAPES`).
    """
    table = in_language(table, lang)
    names = [name for name in columns if name in table.column_names]
    rows = table.to_pylist()
    number = {name: units.get(name) or unit_of(name, table[name]) for name in names}
    head = "".join(
        f"<th{' class=n' if number[name] else ''}>{html.escape(shown_label(name, lang))}</th>" for name in names
    )
    lines = [f'<div class="wide"><table><tr>{head}</tr>']
    for row in rows:
        cells = "".join(
            f"<td{' class=n' if number[name] else ''}>{html.escape(_cell(name, row, number[name], lang))}</td>"
            for name in names
        )
        lines.append(f"<tr>{cells}</tr>")
    return "\n".join(lines) + "</table></div>"


def _cell(name: str, row: Mapping[str, Any], unit: str, lang: Lang) -> str:
    value = row[name]
    if isinstance(value, str):
        return value_label(value, lang, name)
    shown = said(value, unit, lang)
    ends = [row.get(f"{INTERVALS.get(name)}_{end}") for end in ("low", "high")]
    return shown if None in (value, *ends) else f"{shown} ({'–'.join(said(end, unit, lang) for end in ends)})"


def _word(name: str, lang: Lang) -> str:
    return text(f"UI_report_{name}", lang)
