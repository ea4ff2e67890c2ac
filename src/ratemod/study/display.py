"""Where a rate study lands, on a screen: premium, loss ratio, and the cells that move most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratemod.document.model import Blocks, Document, Paragraph, table
from ratemod.errors import Lang, text
from ratemod.money import yuan_text
from ratemod.plan.frame_table import label_of, plan_document
from ratemod.rules.options import strict
from ratemod.study.evidence import EXHIBITS
from ratemod.study.said import study_lines

if TYPE_CHECKING:
    from ratemod.study.fit import Study


@strict
def document_of(study: Study, lang: Lang) -> Document:
    """Return where a rate study lands."""
    rates = study.rates
    head = study.plan.text(
        "UI_rich_study",
        lang,
        before=yuan_text(rates.current_premium_fen),
        after=yuan_text(rates.full_fen),
        change=f"{rates.full_fen / max(rates.current_premium_fen, 1) - 1:+.2%}",
        reached=f"{rates.reached:.1%}",
        target=f"{rates.target:.1%}",
        off=f"{rates.off_balance:.4f}",
    )
    moved = sorted(rates.cells, key=lambda cell: -abs(float(cell.selected / cell.current - 1)) if cell.current else 0.0)
    rows = [
        [cell.path, f"{cell.current:f}", f"{cell.selected:f}",
         float(cell.selected / cell.current - 1) if cell.current else None]
        for cell in moved
    ]  # fmt: skip
    heads = [label_of(name, lang, study.plan) for name in ("cell", "current", "selected", "change")]
    blocks: Blocks = (
        Paragraph(head),
        *(Paragraph(line) for line in study_lines(study, lang)),
        table("", heads, rows, ["", True, True, "change"], most=10),
        Paragraph(text("UI_rich_frames", lang, names=", ".join(EXHIBITS)), "soft"),
    )
    return plan_document(study.plan, lang, blocks)
