"""Is the province believable? What was generated beside what was published, with sources and tolerances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ratemod.errors import Lang, text
from ratemod.rules.options import strict
from ratemod.rules.read import read_rules
from ratemod.synth.province import Province

VERDICTS = {"holds": "RM931", "off": "RM932", "thin": "RM947"}
SAMPLING = 3.0  # standard errors of the generated figure that the comparison allows for


@dataclass(frozen=True, slots=True)
class Figure:
    """One published figure and what the province shows.

    Attributes
    ----------
    name : str
        Key of the label in the catalogue.
    generated : float
    error : float
        Standard error of the generated figure (0 where it is exact), from the number of events behind it.
    low, high : float
        Range within which the generated figure must lie, give or take `SAMPLING` errors: what was published and
        the tolerance stated for it.
    published, unit, source, confidence : str
    """

    name: str
    generated: float
    error: float
    low: float
    high: float
    published: str
    unit: str
    source: str
    confidence: str

    @property
    def verdict(self) -> Literal["holds", "off", "thin"]:
        """Return whether the figure lies within its range, its own sampling error allowed.

        ``thin`` when the sampling error alone is wider than the range: the province is too small to tell.
        """
        slack = SAMPLING * self.error
        if slack > max(self.high - self.low, 0.0) and slack > 0:
            return "thin"
        return "holds" if self.low - slack <= self.generated <= self.high + slack else "off"


@dataclass(frozen=True, slots=True)
class Calibration:
    """The calibration report of a province.

    Attributes
    ----------
    figures : tuple of Figure
    """

    figures: tuple[Figure, ...]

    @property
    def holds(self) -> bool:
        """Return whether no figure is off; thin ones say nothing."""
        return all(figure.verdict != "off" for figure in self.figures)

    def frame(self) -> Any:
        """Return the report as a pandas frame, one row per figure."""
        import pandas as pd

        names = (*Figure.__slots__, "verdict")
        return pd.DataFrame([{name: getattr(figure, name) for name in names} for figure in self.figures])

    @strict
    def text(self, lang: Lang = "en") -> str:
        """Return the report as text, one line per figure and its source below."""
        lines = []
        for figure in self.figures:
            mark = text(VERDICTS[figure.verdict], lang)
            lines.append(f"{mark}  {text('RM930', lang, **_shown(figure, lang))}")
            lines.append(f"      {figure.source} ({figure.confidence})")
        counts = {name: sum(figure.verdict == name for figure in self.figures) for name in VERDICTS}
        lines.append(text("RM933", lang, **counts))
        return "\n".join(lines)


def _shown(figure: Figure, lang: Lang) -> dict[str, str]:
    """Return the numbers of a figure as text."""
    digits = 0 if abs(figure.generated) >= 100 else 3
    return {
        "label": text(figure.name, lang),
        "generated": f"{figure.generated:,.{digits}f}",
        "published": figure.published,
        "unit": figure.unit,
        "error": f"{figure.error:,.{digits}f}",
    }


def calibration(province: Province) -> Calibration:
    """Compare a province with the published figures.

    Accidents that strike several policies at once (one is always planted) count in the loss ratio only. "Reported
    accidents" are those with a death or at least two serious injuries, as official counts hold few others.

    Source
    ------
    Each figure names its own; see also ``synth/published.toml``.

    Examples
    --------
    >>> from ratemod.synth.province import synthesize
    >>> report = calibration(synthesize(2000, 3, seed=1))
    >>> report.figures[0].unit
    'yuan'
    """
    listed = read_rules(None, "synth/published.toml").data
    seen = _exposure(province) | _accidents(province) | _rules(province)
    return Calibration(
        tuple(
            Figure(
                item["label"],
                *seen[name],
                float(item["low"]),
                float(item["high"]),
                item["published"],
                item["unit"],
                item["source"],
                item["confidence"],
            )
            for name, item in listed.items()
        )
    )


def _columns(province: Province, table: str, *names: str) -> list[Any]:
    """Return columns of a table: levels as their text in an object array, the rest as numbers."""
    import pyarrow as pa

    found = province.table(table, list(names))
    plain = [
        found.column(name).cast(pa.string()) if pa.types.is_dictionary(found.column(name).type) else found.column(name)
        for name in names
    ]
    return [column.to_numpy() for column in plain]


def _rate(count: float, base: float, scale: float = 1.0) -> tuple[float, float]:
    """Return a rate and its Poisson standard error."""
    return scale * count / base, scale * float(np.sqrt(max(count, 1.0))) / base


def _share(count: float, base: float) -> tuple[float, float]:
    """Return a share in per cent and its binomial standard error; at least one event is assumed for the error."""
    part = max(count, 1.0) / max(base, 1.0)
    return 100 * count / max(base, 1.0), 100 * float(np.sqrt(part * max(1 - part, 0.0) / max(base, 1.0)))


def _mean(values: np.ndarray[Any, Any]) -> tuple[float, float]:
    """Return a mean and its standard error, which is infinite where fewer than ten values tell nothing."""
    if len(values) < 10:
        return float(values.mean()) if len(values) else 0.0, float("inf")
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))


def _exposure(province: Province) -> dict[str, tuple[float, float]]:
    """Return premium, frequency and loss ratio."""
    heads, earned = _columns(province, "panel", "earned_head_years", "earned_premium_fen")
    (written,) = _columns(province, "policies", "premium_fen")
    site, loss, day = _columns(province, "truth_claims", "catastrophe", "loss_fen", "event_date")
    (start,) = _columns(province, "policies", "start_date")
    # The valuation day is 31 December of the last year in which policies start.
    last = np.datetime64(start.max(), "Y") + 1 if len(start) else np.datetime64("1970", "Y")
    until = day < last.astype("M8[D]")
    premium = float(earned.sum())
    return {
        "premium_per_head": (premium / 100 / heads.sum(), 0.0),
        "premium_per_enterprise": _mean(written / 100),
        "claims_per_1000_heads": _rate(float((until & (site == "no")).sum()), heads.sum(), 1000),
        "loss_ratio": (
            100 * float(loss[until].sum()) / premium,
            100 * float(np.sqrt((loss[until].astype(float) ** 2).sum())) / premium,
        ),
    }


def _accidents(province: Province) -> dict[str, tuple[float, float]]:
    """Return size of claims, deaths, grades and causes; accidents of whole sites left out."""
    (heads,) = _columns(province, "panel", "earned_head_years")
    event, status, paid, deaths, serious, cause, sector = _columns(
        province, "claims", "event_no", "status", "paid_fen", "deaths", "serious_injuries", "cause", "sector"
    )
    alone = np.array([name[0] == "E" for name in event], dtype=bool)
    reported = alone & ((deaths > 0) | (serious >= 2))
    larger = reported & ((deaths >= 3) | (serious >= 10))
    falls = alone & (sector == "construction")
    return {
        "mean_claim": _mean(paid[alone & (status == "closed")] / 100),
        "deaths_per_100000_heads": _rate(float(deaths[alone].sum()), heads.sum(), 1e5),
        "larger_share": _share(float(larger.sum()), float(reported.sum())),
        "deaths_per_larger": _mean(deaths[larger]),
        "deaths_per_accident": _mean(deaths[reported]),
        "falls_in_construction": _share(float((falls & (cause == "falls")).sum()), float(falls.sum())),
    }


def _rules(province: Province) -> dict[str, tuple[float, float]]:
    """Return what must hold exactly: no fireworks makers, least limit, fund share."""
    (industry,) = _columns(province, "enterprises", "industry_code")
    start, limit, premium = _columns(province, "policies", "start_date", "limit_yuan", "premium_fen")
    later = start >= np.datetime64("2025-03-29")
    (change,) = _columns(province, "endorsements", "premium_change_fen")
    kind, amount = _columns(province, "ledger", "kind", "amount_fen")
    fund = amount[kind == "accrual"].sum() - amount[kind == "release"].sum()
    return {
        "fireworks_makers": (float((industry == "2672").sum()), 0.0),
        "limits_under_least": (float((limit[later] < 400_000).sum()), 0.0),
        "fund_share": (100 * float(fund) / float(premium.sum() + change.sum()), 0.0),
    }
