"""A problem as people read it, on paper and on a screen."""

from __future__ import annotations

from ratemod.errors import Lang, Problem


def problem_words(item: Problem, lang: Lang, place: str = "") -> str:
    """Return what a problem says, where, how many rows share it, and the way to mend it, on up to two lines."""
    times = f"×{item.count:,}" if item.count > 1 else ""
    said = "  ".join(part for part in (item.code, times, item.what(lang), place or item.where()) if part)
    mend = item.fix(lang)
    return f"{said}\n    → {mend}" if mend else said
