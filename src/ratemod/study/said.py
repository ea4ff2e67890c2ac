"""What a study comes to, in words: the same lines for a notebook, a terminal and the notes of an edition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratemod.errors import Lang, text
from ratemod.rules.options import strict
from ratemod.study.accounts import account_lines
from ratemod.study.held_out import HeldOut

if TYPE_CHECKING:
    from ratemod.study.fit import Study


@strict
def study_lines(study: Study, lang: Lang) -> list[str]:
    """Return the change with its interval, what it rests on, the held-out year, caps, the account and the warnings."""
    return [*level_lines(study, lang), *account_lines(study, lang), *warning_lines(study, lang)]


@strict
def level_lines(study: Study, lang: Lang) -> list[str]:
    """Return the change with its interval, its parts, the trends, the large losses, the held-out year and the caps."""
    rates, sure = study.rates, study.uncertainty
    level = f"{sure.level:.0%}"
    low, high = study.indicated_interval
    lines = [
        text("UI_level_change", lang, change=f"{rates.indication.value:+.1%}", level=level, low=f"{low:+.1%}",
             high=f"{high:+.1%}"),
    ]  # fmt: skip
    low, high = study.loss_ratio_interval
    parts = ", ".join(f"{text(f'UI_part_{name.replace(chr(32), chr(95))}', lang)} {part:.1%}"
                      for name, part in sure.parts.items() if part >= 0.0005)  # fmt: skip
    lines += [
        text("UI_level_ratio", lang, ratio=f"{rates.reached:.1%}", level=level, low=f"{low:.1%}", high=f"{high:.1%}"),
        text("UI_level_parts", lang, parts=parts),
        text("UI_level_trends", lang, **{name: f"{item.rate:+.1%}" for name, item in study.trends.of.items()},
             error=f"{study.trends.error:.1%}"),
        text("UI_level_large", lang, cap=f"{study.assumed.large_loss_yuan:,.0f}",
             share=f"{rates.excess.overall_rate / (1 + rates.excess.overall_rate):.1%}",
             catastrophe=f"{rates.catastrophe:.2%}"),
    ]  # fmt: skip
    if isinstance(study.held_out, HeldOut):
        found = study.held_out
        lines.append(
            text("UI_level_held_out_inside" if found.inside else "UI_level_held_out_outside", lang, year=found.year,
                 expected=f"{found.expected_yuan:,.0f}", low=f"{found.low_yuan:,.0f}", high=f"{found.high_yuan:,.0f}",
                 actual=f"{found.actual_yuan:,.0f}", ratio=f"{found.ratio:.2f}", level=level)
        )  # fmt: skip
    if rates.recovery:
        first, years = rates.recovery[0], len(rates.recovery)
        lines.append(
            text("UI_level_caps", lang, withheld=f"{first.withheld_fen / 100:,.2f}",
                 share=f"{first.withheld_fen / max(first.full_fen, 1):.1%}",
                 ratio=f"{rates.expected_yuan * 100 / max(rates.premium_fen, 1):.1%}", years=years)
        )  # fmt: skip
    return lines


@strict
def warning_lines(study: Study, lang: Lang) -> list[str]:
    """Return the warnings of a study."""
    return [text("UI_level_warning", lang, what=f"{item.code} {item.what(lang)}") for item in study.warnings]
