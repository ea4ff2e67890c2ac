"""An assessment to publish: scores with intervals, ranks that stand, every indicator, every weight."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from ratemod.document.figures import said as figure
from ratemod.document.model import Block, Document, Drawing, Heading, Paragraph, Picture, Section
from ratemod.document.svg import intervals
from ratemod.errors import Lang, text
from ratemod.fund.evaluation_document import told_table
from ratemod.fund.fund_document import NO_NAMES, Names, called, value_label
from ratemod.fund.fund_table import fund_label, in_language
from ratemod.fund.score_rule import MEASURES
from ratemod.rules.options import strict

if TYPE_CHECKING:
    from ratemod.fund.scorecard import Scorecard

# What the rate of a measure is: shares of events, but for a mean score and a ratio of claims.
MEASURED = dict.fromkeys(MEASURES, "share") | {"satisfaction": "score", "claims_ratio": "ratio"}


@strict
def scorecard_document(found: Scorecard, lang: Lang, synthetic: bool, names: Names = NO_NAMES) -> Document:
    """Return the assessment of the last year."""
    last = found.years[-1]
    table = found.table
    now = table.filter(pa.array([year == last for year in table["year"].to_pylist()]))
    now = now.sort_by([("assessed_score", "descending"), (found.by, "ascending")])
    now = called(now, names)
    marks = [text("UI_report_synthetic", lang)] if synthetic else []
    ranks = told_table(
        _ranked(now), (found.by, "assessed_score", "low", "high", "rank", "chance_first", "change", "moved"), lang
    )
    scores = (Picture(bars(now, found.by, lang)), Paragraph(text("UI_fund_rank_note", lang)), ranks)
    proved = Paragraph(text("UI_fund_proved", lang, count=found.reconcile()))
    indicators = (Paragraph(text("UI_card_about", lang)), *_indicators(found, last, lang, names), proved)
    return Document(
        lang=lang,
        title=text("UI_card_title", lang, year=last, by=fund_label(found.by, lang)),
        head=(Paragraph(" ".join([*marks, text("UI_fund_weights_note", lang)]), "alarm"),),
        sections=(
            Section("scores", text("UI_fund_assessed_score", lang), scores),
            Section("indicators", text("UI_card_indicators", lang), indicators),
        ),
    )


def _indicators(found: Scorecard, year: int, lang: Lang, names: Names) -> list[Block]:
    """Return every indicator: its weight and ends, then who stands where."""
    rows, blocks = called(found.indicator_table(), names), list[Block]()
    sources = in_language(found.weight_table(), lang)["source"].to_pylist()
    shown = (found.by, "numerator", "denominator", "own", "z", "estimate", "error", "points")
    for item, source in zip(found.indicators, sources, strict=True):
        pairs = zip(rows["indicator"].to_pylist(), rows["year"].to_pylist())
        own = rows.filter(pa.array([pair == (item.name, year) for pair in pairs]))
        unit = MEASURED[item.measure]
        ends = {"worst": figure(item.worst, unit, lang), "best": figure(item.best, unit, lang)}
        said = text("UI_card_indicator", lang, weight=f"{item.weight:.0%}", **ends)
        label = value_label(item.measure, lang)
        units = dict.fromkeys(("own", "estimate", "error"), unit)
        blocks += [Heading(label), Paragraph(f"{said} {source}"), told_table(own, shown, lang, units)]
    return blocks


def _ranked(now: pa.Table) -> pa.Table:
    """Return the table with one column of ranks: a number where it stands, else a span."""
    ends = zip(now["rank_from"].to_pylist(), now["rank_to"].to_pylist())
    return now.append_column("rank", pa.array([str(low) if low == high else f"{low}–{high}" for low, high in ends]))


@strict
def bars(now: pa.Table, by: str, lang: Lang) -> Drawing:
    """Return scores and their intervals as a picture, the highest first."""
    lines = [(str(row[by]), row["low"], row["assessed_score"], row["high"], True) for row in now.to_pylist()]
    said = text("UI_fund_assessed_score", lang)
    return intervals(said, said, lines, (0, 100), list(range(0, 101, 20)), digits=1)
