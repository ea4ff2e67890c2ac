"""One firm's modification explained: every claim's part, the least it can be, and what each claim costs in premium."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from ratemod.document.html import card, page
from ratemod.document.model import Document, Drawing, Paragraph, Picture
from ratemod.errors import Lang, Problem, text
from ratemod.experience.splitter import months_before
from ratemod.rules.options import strict

if TYPE_CHECKING:
    import pandas as pd

    from ratemod.experience.mods import Mods


@dataclass(frozen=True, slots=True)
class ClaimPart:
    """One claim on a worksheet; `effect` is what it adds to the mod before bounds, `cost_yuan` in premium."""

    number: str
    event_date: str
    incurred_yuan: float
    primary_yuan: float
    excess_yuan: float
    effect: float
    years_left: int
    cost_yuan: float


@dataclass(frozen=True, slots=True)
class ModWorksheet:
    """A firm's modification, line by line.

    Attributes
    ----------
    firm, status : str; problem : what refuses the firm, or None
    lines : (name, value) of the formula in order
    claims : ClaimPart, dearest first
    minimum_mod : without any claim; controllable_mod : mod − minimum
    premium_yuan : what the mod multiplies, NaN where not given
    window : first and last day
    """

    firm: str
    rule: str
    status: str
    problem: Problem | None
    lines: tuple[tuple[str, float], ...]
    claims: tuple[ClaimPart, ...]
    mod: float
    minimum_mod: float
    controllable_mod: float
    premium_yuan: float
    window: tuple[str, str]

    def frame(self) -> pd.DataFrame:
        """Return the claims as a frame."""
        import pandas as pd

        return pd.DataFrame(
            [{name: getattr(item, name) for name in ClaimPart.__slots__} for item in self.claims],
            columns=list(ClaimPart.__slots__),
        )

    @strict
    def text(self, lang: Lang = "en") -> str:
        """Return the worksheet as text."""
        head = text("UI_mod_head", lang, firm=self.firm, rule=self.rule, first=self.window[0], last=self.window[1])
        if self.problem is not None:
            return f"{head}\n{self.problem.code} {text(self.problem.code, lang, **self.problem.args)}"
        rows = [
            f"  {text(f'UI_mod_{name}', lang)}: {value:,.4f}"
            if abs(value) < 100
            else f"  {text(f'UI_mod_{name}', lang)}: {value:,.2f}"
            for name, value in self.lines
        ]
        rows.append(text("UI_mod_minimum", lang, least=f"{self.minimum_mod:.3f}", part=f"{self.controllable_mod:.3f}"))
        for item in self.claims:
            rows.append(
                text(
                    "UI_mod_claim",
                    lang,
                    number=item.number,
                    day=item.event_date,
                    incurred=f"{item.incurred_yuan:,.2f}",
                    primary=f"{item.primary_yuan:,.2f}",
                    excess=f"{item.excess_yuan:,.2f}",
                    effect=f"{item.effect:+.4f}",
                )
            )
            if np.isfinite(item.cost_yuan):
                rows.append(text("UI_mod_cost", lang, cost=f"{item.cost_yuan:,.2f}", years=item.years_left))
        return "\n".join([head, *rows])

    @strict
    def svg(self, lang: Lang = "en") -> str:
        """Return a picture: from the least mod, claim by claim, to the mod."""
        shown = self.claims if len(self.claims) <= 12 else self.claims[:11]
        steps = [(text("UI_mod_claim_free", lang), 0.0, self.minimum_mod)]
        now = self.minimum_mod
        parts = [(item.number, item.effect) for item in shown]
        if len(shown) < len(self.claims):
            rest = self.claims[len(shown) :]
            parts.append((text("UI_mod_others", lang, claims=len(rest)), sum(item.effect for item in rest)))
        if abs(self.mod - now - sum(effect for _, effect in parts)) > 5e-4:
            parts.append((text("UI_mod_bounds", lang), self.mod - now - sum(effect for _, effect in parts)))
        for name, effect in parts:
            steps.append((name, now, now + effect))
            now += effect
        steps.append((text("UI_mod_mod", lang), 0.0, self.mod))
        widest = max(max(high for _, _, high in steps), 1.0)
        rows = []
        for at, (name, low, high) in enumerate(steps):
            y, x, width = 10 + 24 * at, 190 + 380 * min(low, high) / widest, max(380 * abs(high - low) / widest, 1)
            colour = "#0072b2" if low == 0 else "#d55e00" if high >= low else "#009e73"
            rows.append(
                f'<text x="180" y="{y + 13}" text-anchor="end">{escape(name)}</text>'
                f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="16" fill="{colour}"/>'
                f'<text x="{x + width + 4:.1f}" y="{y + 13}">{high:.3f}</text>'
            )
        height = 24 * len(steps) + 20
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="640" height="{height}" '
            f'font-family="sans-serif" font-size="13"><title>{escape(self.firm)}</title>{"".join(rows)}</svg>'
        )

    @strict
    def document(self, lang: Lang = "en") -> Document:
        """Return text and picture."""
        lines = tuple(Paragraph(line.strip()) for line in self.text(lang).split("\n"))
        if self.problem is not None:
            return Document(lang=lang, title=self.firm, head=lines)
        alt = text("UI_mod_head", lang, firm=self.firm, rule=self.rule, first=self.window[0], last=self.window[1])
        return Document(lang=lang, title=self.firm, head=(*lines, Picture(Drawing(self.firm, alt, self.svg(lang)))))

    @strict
    def html(self, lang: Lang = "en") -> str:
        """Return text and picture as a page."""
        return page([self.document(lang)], lang)

    def _repr_html_(self) -> str:
        return card(self.document())


def worksheet_of(mods: Mods, at: int) -> ModWorksheet:
    """Return the worksheet of the firm in row `at`."""
    parts, firms = mods.parts, mods.exposure
    first, after = mods.window.of(firms.effective[at : at + 1])
    window = (str(first[0]), str(after[0] - np.timedelta64(1, "D")))
    which = int(mods.problem_of[at])
    name, status = firms.firms[at].as_py() or "", str(mods.status[at])
    if which:
        item = mods.problems[which - 1]
        blank = float("nan")
        return ModWorksheet(name, mods.rule.name, status, item, (), (), blank, blank, blank, blank, window)
    names = (
        "actual_primary",
        "actual_excess",
        "expected",
        "expected_primary",
        "primary_credibility",
        "excess_credibility",
        "ballast",
        "unbounded",
        "mod",
    )
    values = {key: float(getattr(parts, key)[at]) for key in names}
    minimum = float(min(mods.minimum[at], values["mod"]))
    premium = float(firms.premium_yuan[at])
    base = premium / values["mod"] if np.isfinite(premium) else float("nan")
    claims = []
    weight = values["expected"] + values["ballast"]
    for row, primary, excess in _claims_of(mods, at):
        effect = (values["primary_credibility"] * primary + values["excess_credibility"] * excess) / weight
        years = _years_left(mods, row, firms.effective[at])
        number = mods.claims.number[int(row)] if mods.claims.number is not None else str(int(row) + 1)
        claims.append(
            ClaimPart(
                str(getattr(number, "as_py", lambda n=number: n)()),
                str(mods.claims.event_date[row]),
                mods.claims.incurred_fen[row] / 100,
                primary,
                excess,
                effect,
                years,
                effect * base * years,
            )
        )
    claims.sort(key=lambda item: (-item.effect, item.number))
    return ModWorksheet(
        name,
        mods.rule.name,
        status,
        None,
        tuple(values.items()),
        tuple(claims),
        values["mod"],
        minimum,
        values["mod"] - minimum,
        premium,
        window,
    )


def _claims_of(mods: Mods, at: int) -> list[tuple[int, float, float]]:
    """Return row, primary and excess losses in yuan of the claims of a firm's record, as far as they are its own."""
    members, n = np.flatnonzero(mods.group == mods.group[at]), len(mods.group)
    part = np.isin(np.arange(n), members).astype(np.float64)
    if mods.successions is not None:
        part = mods.successions.parts_of(members, n)
    own = np.flatnonzero(np.append(part, 0.0)[mods.claims.firm] > 0)
    first, after = mods.window.of(mods.exposure.effective[at : at + 1])
    day = mods.claims.event_date[own]
    own = own[(day >= first[0]) & (day < after[0])]
    own = own[mods.claims.incurred_fen[own] >= 0]
    primary, excess = mods.splitter.of(own)
    mine = part[mods.claims.firm[own]]
    return [(int(row), p * m / 100, x * m / 100) for row, p, x, m in zip(own, primary, excess, mine)]


def _years_left(mods: Mods, row: int, effective: np.datetime64) -> int:
    """Return in how many yearly mods from this one on the claim still counts."""
    event, left = mods.claims.event_date[row], 0
    for year in range(mods.window.years):
        day = months_before(np.array([effective], "datetime64[D]"), -12 * year)
        first, after = mods.window.of(day)
        left += bool(first[0] <= event < after[0])
    return left
