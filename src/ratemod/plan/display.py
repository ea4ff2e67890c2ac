"""What a plan is, on a screen: standing, dates, its steps in order, its tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratemod.document.model import Beside, Document, Paragraph, table
from ratemod.errors import Lang, text
from ratemod.plan.frame_table import label_of, plan_document
from ratemod.plan.said import period
from ratemod.rules.options import strict

if TYPE_CHECKING:
    from ratemod.plan.model import Plan

MOST_STEPS = 16


@strict
def document_of(plan: Plan, lang: Lang) -> Document:
    """Return what a plan is; of many steps those that every policy shows."""
    chosen = [step for step in plan.steps if len(plan.steps) <= MOST_STEPS or step.headline]
    rows = [[plan.label(step.name, lang), step.operation.op, step.operation.table] for step in chosen]
    heads = [label_of(name, lang) for name in ("step", "op", "table")]
    steps = table(text("UI_rich_steps", lang), heads, rows, ["", "", ""], most=MOST_STEPS)
    cells = [[name, " × ".join(axis.name for axis in one.axes), len(one.rows)] for name, one in plan.tables.items()]
    heads = [label_of(name, lang) for name in ("table", "axes", "cells")]
    tables = table(text("UI_rich_tables", lang), heads, cells, ["", "", "count"], most=MOST_STEPS)
    return plan_document(plan, lang, (Paragraph(period(plan, lang)), Beside(((steps,), (tables,)))))
