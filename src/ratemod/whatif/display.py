"""What-ifs on a screen: who moves, what scenarios come to, which cause moved how much, what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratemod.document.model import Beside, Document, Heading, Paragraph, Span, joined, listed, table
from ratemod.errors import Lang, text
from ratemod.plan.frame_table import frame_table, label_of, plan_document
from ratemod.rules.options import strict
from ratemod.whatif.sliders import start_of

if TYPE_CHECKING:
    from ratemod.whatif.attribution import Attribution
    from ratemod.whatif.dislocation import Dislocation
    from ratemod.whatif.incentive import Incentive
    from ratemod.whatif.live import Live
    from ratemod.whatif.solve import Solution
    from ratemod.whatif.sweep import Sweep

MOST_CHANGES = 6


@strict
def dislocation_lines(found: Dislocation, lang: Lang) -> list[str]:
    """Return the totals of a dislocation as sentences."""
    facts, money = found.totals, found.after.plan.money
    said = [
        found.after.plan.text(
            "UI_whatif_totals",
            lang,
            policies=f"{facts['policies']:,}",
            change=f"{facts['change']:+.2%}",
            before=money.said(facts["premium_before_fen"]),
            after=money.said(facts["premium_after_fen"]),
            dearer=f"{facts['dearer']:,}",
            cheaper=f"{facts['cheaper']:,}",
            above=f"{facts['above_25_percent']:,}",
        ),
        text(
            "UI_whatif_moves",
            lang,
            rise=f"{facts['largest_rise']:+.2%}",
            fall=f"{facts['largest_fall']:+.2%}",
            lost=f"{facts['only_before']:,}",
            gained=f"{facts['only_after']:,}",
        ),
    ]
    if found.uncapped_yuan is not None:
        rise, fall = facts["largest_rise_uncapped"], facts["largest_fall_uncapped"]
        above = f"{facts['above_25_percent_uncapped']:,}"
        said.append(text("UI_whatif_uncapped", lang, above=above, rise=f"{rise:+.2%}", fall=f"{fall:+.2%}"))
    if found.waiting is not None:
        said.append(text("UI_whatif_waiting", lang, waiting=f"{int(found.waiting.sum()):,}"))
    if not (facts["cheaper"] or facts["dearer"] or facts["only_before"] or facts["only_after"]):
        said.append(text("UI_whatif_untouched", lang))
    before, after = found.before.fund_fen, found.after.fund_fen
    if before is not None and after is not None and before != after:
        said.append(found.after.plan.text("UI_whatif_fund", lang, before=money.said(before), after=money.said(after)))
    return said


@strict
def dislocation_document(found: Dislocation, lang: Lang) -> Document:
    """Return who moves, by how much: sentences, bands, sectors, bounds, the largest moves."""
    plan, held, changes = found.after.plan, found.bounds(), found.differences(lang)
    bands = frame_table(found.bands(), lang, plan, title=text("UI_panel_bands", lang), bar="policies")
    sides = [(bands,)]
    if "sector" in found.before.coding.inputs.codes:
        sides.append((frame_table(found.by("sector"), lang, plan, title=text("UI_panel_segments", lang)),))
    bound = frame_table(held[(held.before > 0) | (held.after > 0)], lang, plan, title=text("UI_whatif_bounds", lang))
    moves = frame_table(found.movers(5), lang, plan, title=text("UI_panel_movers", lang))
    more = len(changes) - MOST_CHANGES
    blocks = joined(
        Heading(text("UI_whatif_changes", lang), 4),
        listed(changes[:MOST_CHANGES]),
        Paragraph(text("UI_more_rows", lang, rows=f"{more:,}"), "soft") if more > 0 else None,
        *(Paragraph(line) for line in dislocation_lines(found, lang)),
        Beside(tuple(sides)),
        Beside(((moves,), (bound,))),
    )
    return plan_document(plan, lang, blocks)


@strict
def sweep_document(found: Sweep, lang: Lang) -> Document:
    """Return scenarios with what each comes to."""
    plan, frame = found.base.plan, found.frame()
    frame["how"] = [text(f"UI_how_{how.replace(' ', '_')}", lang) for how in found.how]
    paths = [path for item in found.scenarios for path, _ in item.changes]
    head = text("UI_whatif_scenarios", lang, scenarios=f"{len(found.scenarios):,}", policies=f"{found.base.n:,}")
    return plan_document(plan, lang, (frame_table(frame, lang, plan, leave=paths),), head)


@strict
def attribution_document(found: Attribution, lang: Lang) -> Document:
    """Return the causes of a change and their parts."""
    plan = found.base.plan
    head = plan.text("UI_whatif_causes", lang, total=plan.money.said(int(found.change_fen.sum())))
    return plan_document(plan, lang, (frame_table(found.totals(), lang, plan, leave=("policies",)),), head)


@strict
def solution_document(found: Solution, lang: Lang) -> Document:
    """Return what was found, and how near it comes."""
    rows = [
        [found.plan.text(f"UI_measure_{name}", lang), _measure(name, value), _measure(name, found.reached[name])]
        for name, value in found.target.items()
    ]
    heads = [label_of(name, lang) for name in ("measure", "target", "reached")]
    blocks = joined(
        Heading(text("UI_whatif_changes", lang), 4),
        listed(found.words(lang)),
        table(text("UI_whatif_reached", lang), heads, rows, [False, True, True]),
        Paragraph(f"{found.plan.text('UI_panel_premium', lang)} {found.plan.money.said(found.total_fen)}"),
    )
    return plan_document(found.plan, lang, blocks)


@strict
def incentive_document(found: Incentive, lang: Lang) -> Document:
    """Return what actions save by segment; costs are named as assumptions."""
    costs = ", ".join(f"{name} {cost:,.0f}" for name, cost in found.costs_yuan.items()) or "–"
    note = Paragraph(text("UI_whatif_assumed", lang, costs=costs), "soft")
    return plan_document(found.plan, lang, (frame_table(found.table, lang, found.plan), note))


def live_document(held: Live) -> Document:
    """Return what a live panel shows now."""
    view, lang, plan = held.view, held.lang, held.base.plan
    facts = {"dearer": f"{view.dearer:,}", "cheaper": f"{view.cheaper:,}", "above": f"{view.above_25:,}"}
    counts = text("UI_live_counts", lang, **facts, largest=f"{view.largest_rise:+.2%}")
    code = {"no row": "none", "rating cells": "cells"}.get(view.how, "all")
    how = text(f"UI_live_how_{code}", lang, rows=f"{view.rows:,}", all=f"{held.base.n:,}")
    if view.how == "no row" and view.at != start_of(plan, held.sliders):
        how = text("UI_live_untouched", lang)
    total = Span(plan.money.said(view.total_fen), "strong")
    segments = frame_table(view.segments, lang, plan, title=text("UI_panel_segments", lang), most=20)
    bands = frame_table(view.bands, lang, plan, title=text("UI_panel_bands", lang), most=20, bar="policies")
    blocks = (
        Paragraph((f"{plan.text('UI_panel_premium', lang)} ", total, f" {view.change:+.2%}"), "big"),
        Paragraph(counts),
        Beside(((segments,), (bands,))),
        frame_table(view.movers, lang, plan, title=text("UI_panel_movers", lang)),
        Paragraph(how, "soft"),
    )
    return plan_document(plan, lang, blocks)


def _measure(name: str, value: float) -> str:
    return f"{value:,.2f}" if name == "premium_yuan" else f"{value:+.3%}"
