"""How sure is the indicated change? The variance of the log of the expected losses, part by part, by the delta method.

    parameter     Σ_models g'V g, g the book's share of every column of the design, V the covariance by firm
    trend         (mean years ahead)²·s²(trend): what remains unknown of the yearly log trend of the pure premium
    years         ω²/n: years beside their trend, ω² what sampling does not explain
    development   (Mack's standard error of all years / their ultimate)²; without one, half of what is still to come
    large losses  (share of the excess)²·Σx²/(Σx)²
    catastrophes  (share of the load)²/(1 + events)
The indicated change is (1 + v)·exp(±z·s) − 1 of these. The loss ratio of one year adds
    process       φ·E[X²]/(E[X]²·N) + ω²: N claims of cost X, dispersion φ, and the year's own turn.
Parts are taken as independent; shrinkage towards the current table, which narrows them, is not counted.

Source: Mack, ASTIN 23 (1993); England & Verrall, BAJ 8 (2002) (parameter and process); Goldburd et al., CAS
Monograph 5, 3.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ratemod.ratemaking.arrays import Floats, sums
from ratemod.rules.options import strict
from ratemod.rules.within import Chance
from ratemod.study.losses import Adjusted
from ratemod.study.model import RateModel
from ratemod.study.year_trend import Trends

ONE_YEAR = ("process",)


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """Standard errors of the log of the expected losses.

    Attributes
    ----------
    parts : name -> standard error; "process" concerns the outcome of one year alone
    level : of the intervals
    """

    parts: Mapping[str, float]
    level: float

    @property
    def error(self) -> float:
        """Return the standard error of the log of the expected losses."""
        return float(np.sqrt(sum(part**2 for name, part in self.parts.items() if name not in ONE_YEAR)))

    @property
    def year_error(self) -> float:
        """Return that of the losses of one year."""
        return float(np.sqrt(sum(part**2 for part in self.parts.values())))

    def around(self, value: float, *, one_year: bool = False) -> tuple[float, float]:
        """Return the interval of a positive amount or ratio that moves with the expected losses."""
        from scipy.special import ndtri

        half = float(ndtri((1 + self.level) / 2)) * (self.year_error if one_year else self.error)
        return value * float(np.exp(-half)), value * float(np.exp(half))


@strict
def uncertainty_of(
    data: Adjusted,
    model: RateModel,
    trends: Trends,
    shares: Mapping[str, Floats],
    capped: float,
    excess_rate: float,
    catastrophe: float,
    level: Chance,
) -> Uncertainty:
    """Return the uncertainty of a book's expected losses.

    Parameters
    ----------
    data, model, trends : of the study
    shares : factor -> (levels,) share of the book's capped losses; a factor that is left out is as in the history
    capped : expected capped losses of the book, yuan
    excess_rate, catastrophe : loads on the capped losses
    level : of the intervals
    """
    whole = 1 + excess_rate
    weight = sums(data.year, data.weight, len(data.years))
    ahead = float(weight @ data.ahead / weight.sum())
    over = data.claim_whole_yuan - data.claim_capped_yuan
    noise = float(np.sqrt(over @ over) / over.sum()) if over.sum() > 0 else 0.0
    mean, square = float(data.claim_whole_yuan.mean()), float((data.claim_whole_yuan**2).mean())
    claims = max(capped / max(float(data.claim_capped_yuan.mean()), 1e-300), 1e-300)
    dispersion = max(1.0, next(iter(model.fits.values())).dispersion) if "frequency" in model.fits else 1.0
    parts = {
        "parameter": float(np.sqrt(sum(_spread(model, fit, shares) for fit in model.fits.values()))),
        "trend": abs(ahead) * trends.error,
        "years": trends.between_years / float(np.sqrt(len(data.years))),
        "development": _development(data),
        "large losses": excess_rate / whole * noise,
        "catastrophes": catastrophe / (1 + catastrophe) / float(np.sqrt(1 + data.events)),
        "process": float(np.sqrt(dispersion * square / mean**2 / claims + trends.between_years**2)),
    }
    return Uncertainty(parts, level)


def _spread(model: RateModel, fit: object, shares: Mapping[str, Floats]) -> float:
    """Return g'V g of one model."""
    design, covariance = fit.design, fit.covariance  # type: ignore[attr-defined]
    g = np.zeros(len(covariance))
    for j, (owner, codes) in enumerate(zip(design.column_term, design.column_levels)):
        if owner < 0:
            g[j] = 1.0
            continue
        (name,) = design.terms[owner]
        effect, level_of = model.effects[name], model.level_of[name]
        part = shares.get(name, effect.weight / effect.weight.sum())
        stay = np.unique(level_of)
        g[j] = float(part[level_of == stay[codes[0]]].sum())
    return float(g @ covariance @ g)


def _development(data: Adjusted) -> float:
    """Return the standard error of the ultimate of all years relative to it."""
    found = data.development
    if found is None:
        return 0.0
    if found.incurred_mack is not None:
        model = found.incurred_mack
        return float(model.total_standard_error) / float(model.ultimate.sum())
    known = np.array([row[~np.isnan(row)][-1] if (~np.isnan(row)).any() else 0.0 for row in found.incurred])
    ultimate = float((known * data.amount_to).sum())
    return abs(ultimate - float(known.sum())) / 2 / ultimate if ultimate else 0.0
