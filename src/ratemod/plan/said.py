"""Small phrases that every exhibit says in the same way: titles, periods, sources, problems."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratemod.errors import Lang, text
from ratemod.rules.options import strict

if TYPE_CHECKING:
    from ratemod.plan.model import Plan, Source


@strict
def title(plan: Plan, lang: Lang) -> str:
    """Return the title of a plan."""
    return plan.title_zh if lang == "zh" else plan.title_en


@strict
def standing(plan: Plan, lang: Lang) -> str:
    """Return how far a plan may be trusted, in a word or two."""
    return text(f"UI_standing_{plan.standing}", lang)


@strict
def period(plan: Plan, lang: Lang) -> str:
    """Return when an edition applies."""
    said = text("UI_period", lang, new=plan.new_from, renewal=plan.renewal_from)
    return said + text("UI_period_until", lang, until=plan.until) if plan.until else said


@strict
def source_words(source: Source, lang: Lang) -> str:
    """Return a source in one line: title, date, how far to trust it, address."""
    parts = [
        source.title,
        str(source.date) if source.date else "",
        text(f"UI_confidence_{source.confidence}", lang),
        source.url or "",
    ]
    return text("UI_semicolon", lang).join(part for part in parts if part)


@strict
def plan_text(plan: Plan, lang: Lang) -> str:
    """Return which plan priced this and how far it may be trusted: its identity is never left out."""
    lines = [f"{title(plan, lang)} · {standing(plan, lang)}", f"{text('UI_plan', lang)}  {plan.id}"]
    if plan.warning(lang):
        lines.append(f"! {plan.warning(lang)}")
    return "\n".join(lines)
