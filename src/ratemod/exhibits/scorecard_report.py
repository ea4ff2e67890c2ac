"""An assessment as a page to publish: scores with intervals, ranks that stand, every indicator, every weight."""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ratemod.errors import Lang, text
from ratemod.exhibits.evaluation_report import STYLE, html_table
from ratemod.exhibits.figures import said as figure
from ratemod.exhibits.fund_file import NO_NAMES, Names, called, value_label
from ratemod.fund.fund_table import fund_label, in_language
from ratemod.fund.score_rule import MEASURES
from ratemod.whole_file import whole_file

if TYPE_CHECKING:
    from ratemod.fund.scorecard import Scorecard

# What the rate of a measure is: shares of events, but for a mean score and a ratio of claims.
MEASURED = dict.fromkeys(MEASURES, "share") | {"satisfaction": "score", "claims_ratio": "ratio"}


def write_scorecard(found: Scorecard, path: str | Path, lang: Lang, synthetic: bool, names: Names = NO_NAMES) -> Path:
    """Write the page; the same scorecard gives the same bytes.

    Raises
    ------
    BookError
        Those of `whole_file`.
    """
    target = Path(path)
    page = scorecard_html(found, lang, synthetic, names)
    with whole_file(target) as part:
        part.write_text(page, encoding="utf-8")
    return target


def scorecard_html(found: Scorecard, lang: Lang, synthetic: bool, names: Names = NO_NAMES) -> str:
    """Return the page of the last year."""
    last = found.years[-1]
    title = text("UI_card_title", lang, year=last, by=fund_label(found.by, lang))
    table = found.table
    now = table.filter(pa.array([year == last for year in table["year"].to_pylist()]))
    now = now.sort_by([("assessed_score", "descending"), (found.by, "ascending")])
    now = called(now, names)
    marks = [text("UI_report_synthetic", lang)] if synthetic else []
    parts = [
        f'<!doctype html>\n<html lang="{"zh-CN" if lang == "zh" else "en"}"><head><meta charset="utf-8">',
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head><body><h1>{html.escape(title)}</h1>",
        f'<p class="mark">{html.escape(" ".join([*marks, text("UI_fund_weights_note", lang)]))}</p>',
        bars(now, found.by, lang),
        f"<p>{html.escape(text('UI_fund_rank_note', lang))}</p>",
        html_table(_ranked(now), (found.by, "assessed_score", "low", "high", "rank", "chance_first", "change",
                                  "moved"), lang),
        f"<h2>{html.escape(text('UI_card_indicators', lang))}</h2><p>{html.escape(text('UI_card_about', lang))}</p>",
    ]  # fmt: skip
    rows = called(found.indicator_table(), names)
    sources = in_language(found.weight_table(), lang)["source"].to_pylist()
    for item, source in zip(found.indicators, sources, strict=True):
        pairs = zip(rows["indicator"].to_pylist(), rows["year"].to_pylist())
        own = rows.filter(pa.array([pair == (item.name, last) for pair in pairs]))
        unit = MEASURED[item.measure]
        said = text(
            "UI_card_indicator",
            lang,
            weight=f"{item.weight:.0%}",
            worst=figure(item.worst, unit, lang),
            best=figure(item.best, unit, lang),
        )
        parts += [
            f"<h3>{html.escape(value_label(item.measure, lang))}</h3>",
            f"<p>{html.escape(said)} {html.escape(source)}</p>",
            html_table(
                own,
                (found.by, "numerator", "denominator", "own", "z", "estimate", "error", "points"),
                lang,
                dict.fromkeys(("own", "estimate", "error"), unit),
            ),
        ]
    proved = html.escape(text("UI_fund_proved", lang, count=found.reconcile()))
    return "\n".join([*parts, f"<p>{proved}</p></body></html>\n"])


def _ranked(now: pa.Table) -> pa.Table:
    """Return the table with one column of ranks: a number where it stands, else a span."""
    ends = zip(now["rank_from"].to_pylist(), now["rank_to"].to_pylist())
    return now.append_column("rank", pa.array([str(low) if low == high else f"{low}–{high}" for low, high in ends]))


def bars(now: pa.Table, by: str, lang: Lang) -> str:
    """Return scores and their intervals as SVG, the highest first."""
    rows: list[dict[str, Any]] = now.to_pylist()
    left, width, step = 180, 480, 28
    bottom = 10 + step * len(rows)
    lines = [
        f'<svg viewBox="0 0 740 {bottom + 24}" role="img" font-size="13" font-family="inherit" '
        f'aria-label="{html.escape(text("UI_fund_assessed_score", lang))}">'
    ]
    for tick in range(0, 101, 20):
        x = left + width * tick / 100
        lines.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="6" y2="{bottom}" stroke="#d5dbe1"/>')
        lines.append(f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle" fill="#5b6875">{tick}</text>')
    for at, row in enumerate(rows):
        y = 10 + step * at + step / 2
        ends = [left + width * row[name] / 100 for name in ("low", "high", "assessed_score")]
        lines += [
            f'<text x="{left - 10}" y="{y + 4:.1f}" text-anchor="end">{html.escape(str(row[by]))}</text>',
            f'<line x1="{ends[0]:.1f}" x2="{ends[1]:.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="#1f5f99" '
            'stroke-width="4" stroke-opacity=".45"/>',
            f'<circle cx="{ends[2]:.1f}" cy="{y:.1f}" r="5" fill="#1f5f99"/>',
            f'<text x="{left + width + 12}" y="{y + 4:.1f}">{row["assessed_score"]:.1f}</text>',
        ]
    return "\n".join([*lines, "</svg>"])
