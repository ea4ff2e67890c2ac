"""A plan, a priced book and a rate study as HTML that fits a screen."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from ratemod.errors import Lang, text
from ratemod.exhibits.rich import NOTE, card, columns_html, heading_html, table_html
from ratemod.exhibits.words import period, problem_words
from ratemod.money import yuan_text

if TYPE_CHECKING:
    from ratemod.plan.model import Plan
    from ratemod.rating.rated import Rated
    from ratemod.study.fit import Study


MOST_STEPS = 16


def plan_html(plan: Plan, lang: Lang) -> str:
    """Return what a plan is: standing, dates, its steps in order, its tables."""
    import pandas as pd

    steps = pd.DataFrame(
        {
            "step": [plan.label(step.name, lang) for step in plan.steps],
            "op": [step.operation.op for step in plan.steps],
            "table": [step.operation.table for step in plan.steps],
        }
    )
    tables = pd.DataFrame(
        {
            "table": list(plan.tables),
            "axes": [" × ".join(axis.name for axis in table.axes) for table in plan.tables.values()],
            "cells": [len(table.rows) for table in plan.tables.values()],
        }
    )
    if len(steps) > MOST_STEPS:  # then those that are shown of every policy too
        steps = steps[[step.headline for step in plan.steps]]
    parts = [
        heading_html("UI_rich_steps", lang) + table_html(steps, lang, most=MOST_STEPS),
        heading_html("UI_rich_tables", lang) + table_html(tables, lang, most=MOST_STEPS),
    ]
    return card([f"<div>{escape(period(plan, lang))}</div>", columns_html(parts)], lang, plan)


def rated_html(rated: Rated, lang: Lang) -> str:
    """Return what a priced book comes to: counts, premium, fund, sectors, and why rows have no premium."""
    plan, counts = rated.plan, rated.counts
    said = [text("UI_rich_counts", lang, **{name: f"{count:,}" for name, count in counts.items()})]
    said.append(f"{plan.text('UI_panel_premium', lang)} {yuan_text(rated.premium_fen)}")
    if rated.fund_fen is not None:
        said.append(plan.text("UI_rich_fund", lang, fund=yuan_text(rated.fund_fen)))
    parts = ["".join(f"<div>{escape(line)}</div>" for line in said)]
    names = [name for name in ("sector",) if name in rated.coding.inputs.codes]
    if names:
        parts.append(table_html(rated.summary(by=names), lang, plan))
    if rated.problems:
        lines = [problem_words(item, lang) for item in rated.problems[:6]]
        listed = "".join(f"<li>{escape(line)}</li>" for line in lines)
        parts.append(heading_html("UI_rich_reasons", lang) + f"<ul style='margin:2px 0'>{listed}</ul>")
    return card(parts, lang, plan)


def study_html(study: Study, lang: Lang) -> str:
    """Return where a rate study lands: premium, loss ratio, and the cells that move most."""
    import pandas as pd

    from ratemod.study.evidence import EXHIBITS
    from ratemod.study.said import study_lines

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
    cells = pd.DataFrame(
        {
            "cell": [cell.path for cell in moved],
            "current": [f"{cell.current:f}" for cell in moved],
            "selected": [f"{cell.selected:f}" for cell in moved],
            "change": [float(cell.selected / cell.current - 1) if cell.current else np.nan for cell in moved],
        }
    )
    names = ", ".join(EXHIBITS)
    parts = [
        f"<p>{escape(head)}</p>",
        "".join(f"<div>{escape(line)}</div>" for line in study_lines(study, lang)),
        table_html(cells, lang, study.plan, most=10),
        f"<div style='{NOTE}'>{escape(text('UI_rich_frames', lang, names=names))}</div>",
    ]
    return card(parts, lang, study.plan)
