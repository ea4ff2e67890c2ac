"""The pooled part of a province's fund, divided among the insurers' portfolios by several methods side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ratemod.errors import Lang, ModelError, Problem, problem
from ratemod.fund.fund_table import Floats, Ints, labelled, to_frame
from ratemod.fund.proof import Check, prove
from ratemod.money import apportion
from ratemod.rules.options import strict
from ratemod.rules.within import Chance, Whole

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, slots=True)
class PoolComparison:
    """A pool divided by each of several methods.

    Attributes
    ----------
    pool_fen : int, fen
    insurers : (k,) names
    weights : mapping of method to (k,) float64
        What each method divides by, in its own unit.
    parts_fen : mapping of method to (k,) int64 fen; each sums to `pool_fen`
    against : str
        The method that gains and losses are measured from.
    """

    pool_fen: int
    insurers: tuple[str, ...]
    weights: Mapping[str, Floats]
    parts_fen: Mapping[str, Ints]
    against: str

    @property
    def table(self) -> pa.Table:
        """One row an insurer and method: amount, and what is gained (lost: negative) against the first method."""
        k, methods = len(self.insurers), tuple(self.parts_fen)
        base = self.parts_fen[self.against]
        return pa.table(
            {
                "method": pa.array([name for name in methods for _ in range(k)]),
                "insurer": pa.array(list(self.insurers) * len(methods)),
                "amount_fen": pa.array(np.concatenate([self.parts_fen[name] for name in methods])),
                "gain_fen": pa.array(np.concatenate([self.parts_fen[name] - base for name in methods])),
            }
        )

    @strict
    def frame(self, lang: Lang | None = None) -> pd.DataFrame:
        """Return `table` as pandas, with labels of a language where one is given."""
        return to_frame(self.table if lang is None else labelled(self.table, lang))

    def reconcile(self) -> int:
        """Prove that every method divides the whole pool and that gains and losses cancel; return the count.

        Raises
        ------
        ModelError
            RM705 for every method that does not.
        """
        base = self.parts_fen[self.against]
        checks = [Check("pool_parts", name, int(parts.sum()), self.pool_fen) for name, parts in self.parts_fen.items()]
        checks += [Check("pool_gains", name, int((parts - base).sum()), 0) for name, parts in self.parts_fen.items()]
        return prove(checks)


def euler_sd(covariance: npt.ArrayLike) -> Floats:
    """Return what each portfolio adds to the standard deviation of the sum: ``(C 1)_i / sd``; they sum to the sd.

    Parameters
    ----------
    covariance : (k, k) float64, symmetric, of annual losses, yuan squared

    Raises
    ------
    ModelError
        RM714 when the matrix is not finite, square, symmetric, or the sum does not vary.

    Source
    ------
    D. Tasche, *Capital allocation to business units and sub-portfolios: the Euler principle* (2007), section 4.

    Examples
    --------
    >>> euler_sd([[4, 1, 0], [1, 9, 3], [0, 3, 16]]).round(4).tolist()
    [0.822, 2.1372, 3.1236]
    """
    matrix = np.asarray(covariance, dtype=np.float64)
    square = matrix.ndim == 2 and matrix.shape[0] == matrix.shape[1]
    if not square or not np.isfinite(matrix).all() or not np.allclose(matrix, matrix.T) or matrix.sum() <= 0:
        raise ModelError(problem("RM714", name="covariance"))
    part: Floats = matrix.sum(axis=1) / np.sqrt(matrix.sum())
    return part


@strict
def euler_tvar_normal(mean: npt.ArrayLike, covariance: npt.ArrayLike, level: Chance = 0.99) -> Floats:
    """Return contributions to the tail value at risk of jointly normal losses; they sum to it.

    ``m_i + phi(z) / (1 - p) x (C 1)_i / sd`` with z the p-quantile.

    Source
    ------
    H. Panjer, *Measurement of risk, solvency requirements and allocation of capital* (2002), section 4.

    Examples
    --------
    >>> cov = [[4, 1, 0], [1, 9, 3], [0, 3, 16]]
    >>> euler_tvar_normal([10, 20, 30], cov).round(4).tolist()
    [12.1908, 25.6961, 38.325]
    """
    from scipy.stats import norm

    _check_level(level)
    density = norm.pdf(norm.ppf(level)) / (1 - level)
    part: Floats = np.asarray(mean, dtype=np.float64) + density * euler_sd(covariance)
    return part


@strict
def euler_var_normal(mean: npt.ArrayLike, covariance: npt.ArrayLike, level: Chance = 0.99) -> Floats:
    """Return contributions to the value at risk of jointly normal losses: ``m_i + z (C 1)_i / sd``; they sum to it."""
    from scipy.stats import norm

    _check_level(level)
    part: Floats = np.asarray(mean, dtype=np.float64) + norm.ppf(level) * euler_sd(covariance)
    return part


@strict
def euler_tvar(losses: npt.ArrayLike, level: Chance = 0.99) -> Floats:
    """Return contributions to the tail value at risk of simulated losses: each portfolio's mean in the worst years.

    Parameters
    ----------
    losses : (scenarios, k) float64, yuan
    level : float
        The worst ``ceil(scenarios x (1 - level))`` scenarios are the tail; ties go to the earlier scenario.

    Raises
    ------
    ModelError
        RM714 when losses are not finite or the level is not within (0, 1).

    Examples
    --------
    >>> euler_tvar([[1, 1], [5, 0], [2, 9], [0, 0]], 0.5).tolist()
    [3.5, 4.5]
    """
    _check_level(level)
    sample = np.asarray(losses, dtype=np.float64)
    if sample.ndim != 2 or not len(sample) or not np.isfinite(sample).all():
        raise ModelError(problem("RM714", name="losses"))
    worst = int(np.ceil(len(sample) * (1 - level) - 1e-9))
    tail = np.argsort(-sample.sum(axis=1), kind="stable")[:worst]
    part: Floats = sample[tail].mean(axis=0)
    return part


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ModelError(problem("RM714", name=f"level {level}"))


@strict
def compare_pool(
    pool_fen: Whole,
    insurers: Sequence[str],
    *,
    premium_fen: npt.ArrayLike,
    expected_yuan: npt.ArrayLike | None = None,
    losses_yuan: npt.ArrayLike | None = None,
    covariance: npt.ArrayLike | None = None,
    duties: npt.ArrayLike | None = None,
    level: Chance = 0.99,
) -> PoolComparison:
    """Divide a pool by premium and, where the data are given, by expected losses, marginal risk and duties.

    Parameters
    ----------
    pool_fen : int, fen
    insurers : (k,) names
    premium_fen : (k,) int64, fen
    expected_yuan : (k,) float64, expected annual losses, yuan
    losses_yuan : (scenarios, k) float64, yuan; gives ``sd`` and ``tvar``
    covariance : (k, k) float64; gives ``sd`` where there are no scenarios
    duties : (k,) whole numbers of services owed
    level : float, of the tail

    Raises
    ------
    ModelError
        RM714 for every weight that is missing, negative (a portfolio that lowers the risk of the whole has no
        share under a marginal method) or without a positive sum.

    Examples
    --------
    >>> found = compare_pool(100, ["x", "y"], premium_fen=[1, 2], duties=[1, 0])
    >>> {name: parts.tolist() for name, parts in found.parts_fen.items()}, found.reconcile()
    ({'premium': [33, 67], 'duties': [100, 0]}, 4)
    """
    given: dict[str, Any] = {"premium": premium_fen, "expected": expected_yuan}
    if losses_yuan is not None:
        sample = np.asarray(losses_yuan, dtype=np.float64)
        given |= {"sd": euler_sd(np.cov(sample, rowvar=False)), "tvar": euler_tvar(sample, level)}
    elif covariance is not None:
        given["sd"] = euler_sd(covariance)
    given["duties"] = duties
    weights = {name: np.asarray(value, dtype=np.float64) for name, value in given.items() if value is not None}
    wrong: list[Problem] = []
    for name, weight in weights.items():
        if weight.shape != (len(insurers),) or not np.isfinite(weight).all() or (weight < 0).any() or weight.sum() <= 0:
            wrong.append(problem("RM714", name=name))
    if wrong:
        raise ModelError(wrong)
    whole = {name: np.asarray(given[name]) for name in weights}
    exact = {
        name: value.astype(np.int64) if value.dtype.kind in "iu" else value.astype(np.float64)
        for name, value in whole.items()
    }
    parts = {name: apportion(pool_fen, value) for name, value in exact.items()}
    return PoolComparison(int(pool_fen), tuple(insurers), weights, parts, "premium")
