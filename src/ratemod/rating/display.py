"""What a priced book comes to, on a screen: counts, premium, fund, sectors, and why rows have no premium."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratemod.document.model import Document, Heading, Paragraph, joined, listed
from ratemod.document.problems import problem_words
from ratemod.errors import Lang, text
from ratemod.plan.frame_table import frame_table, plan_document
from ratemod.rules.options import strict

if TYPE_CHECKING:
    from ratemod.rating.rated import Rated

MOST_REASONS = 6


@strict
def document_of(rated: Rated, lang: Lang) -> Document:
    """Return what a priced book comes to."""
    plan, counts = rated.plan, rated.counts
    said = [text("UI_rich_counts", lang, **{name: f"{count:,}" for name, count in counts.items()})]
    said.append(f"{plan.text('UI_panel_premium', lang)} {plan.money.said(rated.premium_fen)}")
    if rated.fund_fen is not None:
        said.append(plan.text("UI_rich_fund", lang, fund=plan.money.said(rated.fund_fen)))
    has_sectors = "sector" in rated.coding.inputs.codes
    reasons = [problem_words(item, lang) for item in rated.problems[:MOST_REASONS]]
    blocks = joined(
        *(Paragraph(line) for line in said),
        frame_table(rated.summary(by=["sector"]), lang, plan) if has_sectors else None,
        Heading(text("UI_rich_reasons", lang), 4) if reasons else None,
        listed(reasons),
    )
    return plan_document(plan, lang, blocks)
