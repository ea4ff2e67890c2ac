"""What-ifs as HTML that fits a screen."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from ratemod.errors import Lang, text
from ratemod.exhibits.rich import NOTE, card, columns_html, heading_html, list_html, table_html
from ratemod.money import yuan_text

if TYPE_CHECKING:
    from ratemod.whatif.attribution import Attribution
    from ratemod.whatif.dislocation import Dislocation
    from ratemod.whatif.incentive import Incentive
    from ratemod.whatif.solve import Solution
    from ratemod.whatif.sweep import Sweep


def dislocation_lines(found: Dislocation, lang: Lang) -> list[str]:
    """Return the totals of a dislocation as sentences."""
    facts = found.totals
    said = [
        found.after.plan.text(
            "UI_whatif_totals",
            lang,
            policies=f"{facts['policies']:,}",
            change=f"{facts['change']:+.2%}",
            before=yuan_text(facts["premium_before_fen"]),
            after=yuan_text(facts["premium_after_fen"]),
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
        said.append(found.after.plan.text("UI_whatif_fund", lang, before=yuan_text(before), after=yuan_text(after)))
    return said


def dislocation_html(found: Dislocation, lang: Lang) -> str:
    """Return who moves, by how much: sentences, bands, sectors, bounds, the largest moves."""
    plan = found.after.plan
    lines = "".join(f"<div>{escape(line)}</div>" for line in dislocation_lines(found, lang))
    changes = heading_html("UI_whatif_changes", lang) + list_html(found.differences(lang), lang, 6)
    parts = [heading_html("UI_panel_bands", lang) + table_html(found.bands(), lang, plan, bar="policies")]
    if "sector" in found.before.coding.inputs.codes:
        parts.append(heading_html("UI_panel_segments", lang) + table_html(found.by("sector"), lang, plan))
    held = found.bounds()
    bounds = heading_html("UI_whatif_bounds", lang) + table_html(held[(held.before > 0) | (held.after > 0)], lang, plan)
    moves = heading_html("UI_panel_movers", lang) + table_html(found.movers(5), lang, plan)
    return card([changes, lines, columns_html(parts), columns_html([moves, bounds])], lang, plan)


def sweep_html(found: Sweep, lang: Lang) -> str:
    """Return scenarios with what each comes to."""
    plan, frame = found.base.plan, found.frame()
    frame["how"] = [text(f"UI_how_{how.replace(' ', '_')}", lang) for how in found.how]
    paths = [path for item in found.scenarios for path, _ in item.changes]
    head = text("UI_whatif_scenarios", lang, scenarios=f"{len(found.scenarios):,}", policies=f"{found.base.n:,}")
    return card([table_html(frame, lang, plan, leave=paths)], lang, plan, head)


def attribution_html(found: Attribution, lang: Lang) -> str:
    """Return the causes of a change and their parts."""
    head = found.base.plan.text("UI_whatif_causes", lang, total=yuan_text(int(found.change_fen.sum())))
    return card([table_html(found.totals(), lang, found.base.plan, leave=("policies",))], lang, found.base.plan, head)


def solution_html(found: Solution, lang: Lang) -> str:
    """Return what was found, and how near it comes."""
    import pandas as pd

    goals = pd.DataFrame(
        {
            "measure": [found.plan.text(f"UI_measure_{name}", lang) for name in found.target],
            "target": [_measure(name, value) for name, value in found.target.items()],
            "reached": [_measure(name, value) for name, value in found.reached.items()],
        }
    )
    premium = f"{found.plan.text('UI_panel_premium', lang)} {yuan_text(found.total_fen)}"
    parts = [
        heading_html("UI_whatif_changes", lang) + list_html(found.words(lang), lang),
        heading_html("UI_whatif_reached", lang) + table_html(goals, lang),
        f"<div>{escape(premium)}</div>",
    ]
    return card(parts, lang, found.plan)


def incentive_html(found: Incentive, lang: Lang) -> str:
    """Return what actions save by segment; costs are named as assumptions."""
    costs = ", ".join(f"{name} {cost:,.0f}" for name, cost in found.costs_yuan.items()) or "–"
    note = f"<div style='{NOTE}'>{escape(text('UI_whatif_assumed', lang, costs=costs))}</div>"
    return card([table_html(found.table, lang, found.plan), note], lang, found.plan)


def _measure(name: str, value: float) -> str:
    return f"{value:,.2f}" if name == "premium_yuan" else f"{value:+.3%}"
