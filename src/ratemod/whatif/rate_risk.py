"""How sure are the premiums? The parameter risk of a rate study carried through the rating to premium and dislocation.

Coefficients b of the study's models are drawn from N(b̂, cov b̂). A drawn cell is the selected one times e^d, with
    d = Σ_models [Δ0 + Σ_factors w·Δ_f] + Σ_axes z_l·(Δ_l − w·Δ),
Δ the drawn less the fitted coefficient, w the exposure shares of a factor's levels, z the credibility that the study
gave the level (1 where it used none). Each draw is a plan of its own: the book is priced anew under it, bounds and caps
in force. The off-balance factor stays as it is, and so does what the losses of one year may bring: this is what the
estimates leave open (for the other see `ratemod.whatif.uncertainty`).

Source: Goldburd, Khare, Tevet & Guller, CAS Monograph 5, 3.2 (normal estimates of a GLM); Bühlmann & Gisler (2005),
ch. 3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ratemod.document.html import card
from ratemod.document.model import Document, Paragraph
from ratemod.errors import ModelError, problem
from ratemod.money import to_unit
from ratemod.plan.edit import key_text
from ratemod.plan.frame_table import frame_table
from ratemod.plan.model import Plan
from ratemod.ratemaking.arrays import Floats, sums
from ratemod.ratemaking.glm import Fit
from ratemod.rating.summary import codes_by
from ratemod.rules.number import shifted
from ratemod.rules.options import strict
from ratemod.rules.within import Count, Finite, Whole
from ratemod.study.fit import Study
from ratemod.study.model import RateModel
from ratemod.whatif.engine import Engine, engine

if TYPE_CHECKING:
    import pandas as pd

AT = (0.05, 0.5, 0.95)


@dataclass(frozen=True, eq=False, repr=False)
class RateRisk:
    """Simulated plans of a study.

    Attributes
    ----------
    premium_fen : (draws,) int64, the whole book
    segment_fen : (draws, segments) int64; segments : their values, by `by`
    share_above : (draws,) float64, share of policies that rise by more than `above` over the plan in force, of those
        priced under both
    selected_fen : premium under the selected cells; seed : int
    """

    premium_fen: npt.NDArray[np.int64]
    segment_fen: npt.NDArray[np.int64]
    segments: tuple[tuple[str, ...], ...]
    by: tuple[str, ...]
    share_above: Floats
    above: float
    selected_fen: int
    seed: int

    def frame(self) -> pd.DataFrame:
        """Return quantiles of premium, yuan, by segment and for the whole book; those of the share in `attrs`."""
        import pandas as pd

        rows = [(*names, *np.quantile(fen / 100, AT)) for names, fen in zip(self.segments, self.segment_fen.T)]
        rows.append((*["*"] * len(self.by), *np.quantile(self.premium_fen / 100, AT)))
        found = pd.DataFrame(rows, columns=[*self.by, *(f"premium_yuan_{int(100 * p)}" for p in AT)])
        found.attrs["share_above"] = dict(zip(AT, np.quantile(self.share_above, AT).tolist()))
        return found

    def __repr__(self) -> str:
        low, _, high = np.quantile(self.premium_fen / 100, AT)
        few, _, many = np.quantile(self.share_above, AT)
        return (
            f"<RateRisk of {len(self.premium_fen):,} draws: premium {low:,.0f} to {high:,.0f} yuan in nine of ten, "
            f"{few:.1%} to {many:.1%} of policies rise by more than {self.above:.0%}>"
        )

    def _repr_html_(self) -> str:
        blocks = (Paragraph(repr(self)), frame_table(self.frame().round(0), "en"))
        return card(Document(lang="en", title="", head=blocks))


@strict
def rate_risk(
    study: Study, *, draws: Count = 200, seed: Whole, by: Sequence[str] = ("sector",), above: Finite = 0.25
) -> RateRisk:
    """Price the study's book under plans drawn from the uncertainty of its estimates.

    Parameters
    ----------
    study : Study
    draws, seed : of the simulation; the same seed gives the same numbers
    by : columns of the book that make segments
    above : a rise over the plan in force that counts, 0.25 for 25 %

    Returns
    -------
    RateRisk

    Raises
    ------
    ModelError
        RM855 for fewer than two draws; BookError RM322 for a column that the book does not have.
    """
    if draws < 2:
        raise ModelError(problem("RM855"))
    before, after = engine(study.book, study.plan), engine(study.book, _free(study))
    index, labels = codes_by(after.rated, by)
    used, place = np.unique(index, return_inverse=True)
    values = np.unravel_index(used, [len(names) for names in labels]) if by else ()
    segments = tuple(tuple(names[at[k]] for names, at in zip(labels, values)) for k in range(len(used)))
    moves = _moves(study, np.random.default_rng(seed), draws)
    premium, shares = np.empty((draws, len(used)), dtype=np.int64), np.empty(draws)
    for at in range(draws):
        fen = after.price(_cells(study, {path: move[at] for path, move in moves.items()})).whole(after)
        premium[at] = [fen[place == k].sum() for k in range(len(used))]
        shares[at] = _share_above(before, fen, above)
    return RateRisk(
        premium.sum(axis=1), premium, segments, tuple(by), shares, above, int(after.premium_fen.sum()), seed
    )


def _share_above(before: Engine, fen: npt.NDArray[np.int64], above: float) -> float:
    both = (before.premium_fen > 0) & (fen > 0)
    return float((fen[both] > (1 + above) * before.premium_fen[both]).mean()) if both.any() else 0.0


def _free(study: Study) -> Plan:
    """Return the selected plan without the permitted values of the studied tables: a draw is no filing."""
    plan = study.rates.plan
    free = {table.name: replace(plan.tables[table.name], low=None, high=None) for table in study.tables}
    return replace(plan, tables=MappingProxyType({**plan.tables, **free}))


def _cells(study: Study, moved: Mapping[str, float]) -> dict[str, str]:
    """Return the drawn cells at the decimals of the selected ones, at least one unit of the last place."""
    found = {}
    for cell in study.rates.cells:
        unit = shifted(Decimal(1), int(cell.selected.as_tuple().exponent))
        value = to_unit(Decimal(float(cell.selected) * float(np.exp(moved.get(cell.path, 0.0)))), unit)
        found[cell.path] = str(max(value, unit) if cell.selected else cell.selected)
    return found


def _moves(study: Study, rng: np.random.Generator, draws: int) -> dict[str, Floats]:
    """Return d of every cell by path, (draws,) each."""
    level, effects = _drawn(study.model, rng, draws)
    found = {}
    for cell in study.rates.cells:
        table = next(table for table in study.tables if table.name == cell.table)
        keys = [key_text(key) for key in table.rows[cell.row].keys]
        move = level.copy() if table is study.tables[0] else np.zeros(draws)
        for axis, text in zip(table.axes, keys):
            levels = study.model.effects[axis.name].factor.levels
            if text in levels:  # a row for any level moves with the level of the book alone
                move += effects[axis.name][:, levels.index(text)]
        found[cell.path] = move
    return found


def _drawn(model: RateModel, rng: np.random.Generator, draws: int) -> tuple[Floats, dict[str, Floats]]:
    """Return what the level moves by, (draws,), and every level of every factor, (draws, levels), in logs."""
    level = np.zeros(draws)
    effects = {name: np.zeros((draws, len(effect.factor.levels))) for name, effect in model.effects.items()}
    for fit in model.fits.values():
        noise = rng.multivariate_normal(np.zeros(len(fit.coefficient)), fit.covariance, draws, method="eigh")
        level += noise[:, 0]
        for name, effect in model.effects.items():
            stay = np.unique(model.level_of[name])
            to = np.searchsorted(stay, model.level_of[name])
            share = sums(to, effect.weight, len(stay))
            share = share / share.sum()
            moved = _of_term(fit, name, noise, len(stay))
            level += moved @ share
            z = np.where(np.isnan(effect.credibility), 1.0, effect.credibility)
            effects[name] += (moved - (moved @ share)[:, None])[:, to] * z
    return level, effects


def _of_term(fit: Fit, name: str, noise: Floats, levels: int) -> Floats:
    """Return the noise of a main effect's levels, (draws, levels), the reference 0."""
    found = np.zeros((len(noise), levels))
    for j, (owner, codes) in enumerate(zip(fit.design.column_term, fit.design.column_levels)):
        if owner >= 0 and fit.design.terms[owner] == (name,):
            found[:, codes[0]] = noise[:, j]
    return found
