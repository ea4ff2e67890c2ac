"""Small phrases that every exhibit says in the same way: titles, periods, sources, problems."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratemod.errors import Lang, Problem, text

if TYPE_CHECKING:
    from ratemod.plan.model import Plan, Source


def title(plan: Plan, lang: Lang) -> str:
    """Return the title of a plan."""
    return plan.title_zh if lang == "zh" else plan.title_en


def standing(plan: Plan, lang: Lang) -> str:
    """Return how far a plan may be trusted, in a word or two."""
    return text(f"UI_standing_{plan.standing}", lang)


def period(plan: Plan, lang: Lang) -> str:
    """Return when an edition applies."""
    said = text("UI_period", lang, new=plan.new_from, renewal=plan.renewal_from)
    return said + text("UI_period_until", lang, until=plan.until) if plan.until else said


def source_words(source: Source, lang: Lang) -> str:
    """Return a source in one line: title, date, how far to trust it, address."""
    parts = [
        source.title,
        str(source.date) if source.date else "",
        text(f"UI_confidence_{source.confidence}", lang),
        source.url or "",
    ]
    return text("UI_semicolon", lang).join(part for part in parts if part)


def problem_words(item: Problem, lang: Lang, place: str = "") -> str:
    """Return what a problem says, where, how many rows share it, and the way to mend it, on up to two lines."""
    times = f"×{item.count:,}" if item.count > 1 else ""
    said = "  ".join(part for part in (item.code, times, item.what(lang), place or item.where()) if part)
    mend = item.fix(lang)
    return f"{said}\n    → {mend}" if mend else said
