"""Severity by maximum likelihood, when small losses are not reported and large ones are cut at a limit.

Claim i is seen only if it exceeds d_i (deductible, reporting threshold: truncation), and only up to its limit
(censoring):
    log L = Σ [censored ? log S(x_i) : log f(x_i)] − Σ log S(d_i),   x_i ground up, from the first yuan.
Parameters are sought on the log (mixture weights on the log-ratio) scale on losses divided by their median; standard
errors come from the observed information by the delta method. Source: Klugman, Panjer & Willmot, 5th ed., ch. 11.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, nearest, problem
from ratemod.ratemaking.arrays import Booleans, Floats, non_negative, positive, same_length
from ratemod.ratemaking.distribution import Component, Severity, log_density, log_survival, quantile
from ratemod.rules.floats import go_together, truths
from ratemod.rules.options import strict
from ratemod.rules.within import Amount

if TYPE_CHECKING:
    import pandas as pd

PARAMETERS = {
    "lognormal": ("mu", "sigma"),
    "gamma": ("shape", "scale"),
    "pareto": ("shape", "scale"),
    "weibull": ("shape", "scale"),
    "exponential": ("mean",),
    "loglogistic": ("power", "scale"),
}
SINGLE = "single pareto"  # by a closed form, from a threshold that is known
CLAIMS_PER_PARAMETER = 5
GRADIENT = 1e-6
FARTHEST = 15.0
ROUGH = 4000


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class SeverityFit:
    """A fitted severity.

    Attributes
    ----------
    severity : Severity
    names : parameter names, components in order, then the weights of all components but the last
    estimate, standard_error : (p,) float64, on the natural scale
    log_likelihood, aic, bic : float
    claims, censored : int
    """

    severity: Severity
    names: tuple[str, ...]
    estimate: Floats
    standard_error: Floats
    log_likelihood: float
    aic: float
    bic: float
    claims: int
    censored: int

    @property
    def family(self) -> str:
        """The name of its family; those of a mixture joined by " + "."""
        return " + ".join(one.name for one in self.severity.components)

    def frame(self) -> pd.DataFrame:
        """Return one row a parameter: parameter, estimate, standard_error."""
        import pandas as pd

        held = {"parameter": self.names, "estimate": self.estimate, "standard_error": self.standard_error}
        return pd.DataFrame(held)

    def __repr__(self) -> str:
        said = ", ".join(f"{name} {value:.6g}" for name, value in zip(self.names, self.estimate))
        cut = f", {self.censored:,} cut at a limit" if self.censored else ""
        return f"SeverityFit({self.family}: {said}; {self.claims:,} losses{cut}; AIC {self.aic:,.2f})"


def fit_severity(
    loss: npt.ArrayLike,
    family: str | tuple[str, ...],
    *,
    truncation: npt.ArrayLike = 0.0,
    censored: npt.ArrayLike | None = None,
) -> SeverityFit:
    """Fit a severity, or a mixture when several families are named.

    Parameters
    ----------
    loss : (n,) float64 > 0, ground-up loss of each claim; its limit where censored
    family : "lognormal", "gamma", "pareto", "weibull", "exponential", "loglogistic", or a tuple of them for a mixture;
        or "single pareto", S = (d/x)^α above the thresholds d: α = exact losses / Σ log(x/d)
    truncation : scalar or (n,) float64, the claim would be unknown at or below this; 0 for none
    censored : (n,) bool, True where the loss is known only to exceed `loss`

    Returns
    -------
    SeverityFit

    Raises
    ------
    ModelError
        RM544 for an unknown family; RM830 for a single-parameter Pareto without thresholds;
        RM545 for too few or constant claims; RM546 for claims at or below their truncation; RM547 when it does not
        converge or a weight vanishes; RM500..RM503, RM833.

    Examples
    --------
    >>> fit_severity([10.0, 20, 30, 40, 50, 60], "exponential").estimate.round(6).tolist()
    [35.0]
    """
    families = (family,) if isinstance(family, str) else tuple(family)
    x, below = np.ravel(positive("loss", loss)), non_negative("truncation", truncation)
    go_together(loss=x, truncation=below)
    below = np.broadcast_to(below, x.shape)
    cut = np.zeros(len(x), bool) if censored is None else truths("censored", censored)
    same_length(loss=x, censored=cut)
    _check(x, below, cut, families)
    if families == (SINGLE,):
        return _single(x, below, cut)
    scale = float(np.median(x))
    objective = _objective(x / scale, below / scale, cut, families)
    few = np.argsort(x, kind="stable")[:: max(len(x) // ROUGH, 1)]
    rough = _objective(x[few] / scale, below[few] / scale, cut[few], families)
    constant = float((~cut).sum()) * float(np.log(scale))
    return fitted(objective, rough, np.sort(x / scale), families, scale, len(x), int(cut.sum()), constant)


def fitted(
    objective: Callable[[Floats], float],
    rough: Callable[[Floats], float],
    sample: Floats,
    families: tuple[str, ...],
    scale: float,
    claims: int,
    censored: int,
    constant: float,
) -> SeverityFit:
    """Return the fit that an objective (mean negative log-likelihood, losses divided by `scale`) has its least at.

    `rough` is the objective of fewer losses, `sample` sorted losses to start from, `constant` what scaling took off the
    log-likelihood.
    """
    best = _search(objective, rough, _start(sample, families), claims)
    slope = _jacobian(best, families, scale)
    covariance = slope @ np.linalg.inv(_hessian(objective, best) * claims) @ slope.T
    severity, like = _scaled(severity_of(best, families), scale), -objective(best) * claims - constant
    natural = _natural(best, families, scale)
    return _told(severity, _names(families), natural, np.sqrt(np.diag(covariance)), like, len(best), claims, censored)


def _told(
    severity: Severity, names: tuple[str, ...], estimate: Floats, error: Floats, like: float, k: int, n: int, cut: int
) -> SeverityFit:
    """Return a fit with the criteria that follow from its log-likelihood and its k free parameters."""
    bic = k * float(np.log(n)) - 2 * like
    return SeverityFit(severity, names, estimate, error, like, 2 * k - 2 * like, bic, n, cut)


def _single(x: Floats, below: Floats, cut: Booleans) -> SeverityFit:
    """Return the single-parameter Pareto: each loss beside its own threshold, the distribution from the least on."""
    from ratemod.ratemaking.distribution import single_pareto

    exact, least = int((~cut).sum()), float(below.min())
    alpha = exact / float(np.log(x / below).sum())
    like = float(
        (np.log(alpha / below) - (alpha + 1) * np.log(x / below))[~cut].sum() - alpha * np.log(x / below)[cut].sum()
    )
    names, estimate, error = ("shape", "threshold"), np.array([alpha, least]), np.array([alpha / exact**0.5, 0.0])
    return _told(single_pareto(alpha, least), names, estimate, error, like, 1, len(x), int(cut.sum()))


def product_limit(
    loss: npt.ArrayLike, *, truncation: npt.ArrayLike = 0.0, censored: npt.ArrayLike | None = None
) -> tuple[Floats, Floats]:
    """Return the product-limit (Kaplan–Meier) survival after each uncensored loss, given X > the least truncation.

    Returns
    -------
    at, survival : (u,) float64

    Examples
    --------
    >>> product_limit([1.0, 2.0, 2.0, 3.0], censored=[False, False, True, False])[1].tolist()
    [0.75, 0.5, 0.0]
    """
    x, below = np.ravel(positive("loss", loss)), non_negative("truncation", truncation)
    go_together(loss=x, truncation=below)
    below = np.sort(np.broadcast_to(below, x.shape))
    cut = np.zeros(len(x), bool) if censored is None else truths("censored", censored)
    same_length(loss=x, censored=cut)
    at, deaths = np.unique(x[~cut], return_counts=True)
    entered = np.searchsorted(below, at, side="left")
    left = np.searchsorted(np.sort(x), at, side="left")
    return at, np.cumprod(1 - deaths / (entered - left))


@strict
def quantile_plot(
    fit: SeverityFit, loss: npt.ArrayLike, *, truncation: Amount = 0.0, censored: npt.ArrayLike | None = None
) -> tuple[Floats, Floats]:
    """Return observed losses and the losses that the fit expects at the same survival (mid-step), for a quantile plot.

    Examples
    --------
    >>> data = [10.0, 20, 30, 40, 50, 60]
    >>> quantile_plot(fit_severity(data, "exponential"), data)[1].round(1).tolist()[:2]
    [3.0, 10.1]
    """
    from ratemod.ratemaking.distribution import survival

    at, after = product_limit(loss, truncation=truncation, censored=censored)
    before = np.concatenate([[1.0], after[:-1]])
    whole = float(survival(fit.severity, truncation))
    return at, quantile(fit.severity, 1 - whole * (before + after) / 2)


def _check(x: Floats, below: Floats, cut: Booleans, families: tuple[str, ...]) -> None:
    """Refuse what cannot be fitted, all reasons at once."""
    known = PARAMETERS if len(families) != 1 else (*PARAMETERS, SINGLE)
    found = [
        problem("RM544", name=name, known=", ".join(known), nearest=nearest(name, known))
        for name in families
        if name not in known
    ]
    if families == (SINGLE,) and (below <= 0).any():
        found.append(problem("RM830", wrong=int((below <= 0).sum())))
    need = CLAIMS_PER_PARAMETER * (
        sum(len(PARAMETERS.get(name, ())) for name in families) + max(len(families) - 1, families == (SINGLE,))
    )
    exact = x[~cut]
    if len(exact) < need or len(exact) == 0 or exact.min() == exact.max():
        found.append(problem("RM545", claims=len(exact), need=need))
    if (x <= below).any():
        found.append(problem("RM546", wrong=int((x <= below).sum()), first=int(np.flatnonzero(x <= below)[0])))
    if found:
        raise ModelError(found)


def severity_of(theta: Floats, families: tuple[str, ...]) -> Severity:
    """Return the severity of unconstrained parameters."""
    components, at = [], 0
    for name in families:
        width = len(PARAMETERS[name])
        raw = theta[at : at + width]
        values = (raw[0], np.exp(raw[1])) if name == "lognormal" else np.exp(raw)
        components.append(Component(name, tuple(float(value) for value in values)))
        at += width
    odds = np.exp(np.append(theta[at:], 0.0))
    return Severity(tuple(components), tuple(float(value) for value in odds / odds.sum()))


def _objective(x: Floats, below: Floats, cut: Booleans, families: tuple[str, ...]) -> Callable[[Floats], float]:
    """Return the mean negative log-likelihood as a function of unconstrained parameters."""
    exact, capped = x[~cut], x[cut]
    floor, times = np.unique(below[below > 0], return_counts=True)

    def value(theta: Floats) -> float:
        with np.errstate(all="ignore"):
            severity = severity_of(theta, families)
            spread = [one.parameters[one.name == "lognormal" :] for one in severity.components]
            if not all(0 < number < np.inf for numbers in spread for number in numbers):
                return 1e10  # a step beyond what floats hold
            logs = [
                np.logaddexp.reduce(
                    [np.log(weight) + function(one, at) for one, weight in zip(severity.components, severity.weights)]
                )
                for function, at in ((log_density, exact), (log_survival, capped), (log_survival, floor))
            ]
            like = logs[0].sum() + logs[1].sum() - times @ logs[2]
        return float(-like / len(x)) if np.isfinite(like) else 1e10

    return value


def _start(x: Floats, families: tuple[str, ...]) -> Floats:
    """Return a start: each component on its own share of the sorted losses."""
    parts: list[float] = []
    for name, piece in zip(families, np.array_split(x, len(families))):
        logs = np.log(piece)
        spread = max(float(logs.std()), 0.1)
        middle = float(piece.mean())
        parts += {
            "lognormal": [float(logs.mean()), np.log(spread)],
            "gamma": [0.0, np.log(middle)],
            "weibull": [np.log(1.2 / spread), np.log(middle)],
            "exponential": [np.log(middle)],
            "pareto": [np.log(2.0), np.log(2 * middle)],
            "loglogistic": [np.log(np.pi / (np.sqrt(3) * spread)), float(logs.mean())],
        }[name]
    return np.array(parts + [0.0] * (len(families) - 1))


def _gradient(function: Callable[[Floats], float], at: Floats, step: float = 1e-5) -> Floats:
    """Return the gradient by fourth-order central differences."""
    move = np.eye(len(at)) * step
    return np.array(
        [
            (8 * (function(at + row) - function(at - row)) - function(at + 2 * row) + function(at - 2 * row))
            / (12 * step)
            for row in move
        ]
    )


def _search(
    objective: Callable[[Floats], float], rough: Callable[[Floats], float], start: Floats, claims: int
) -> Floats:
    """Return the minimum: a simplex on evenly picked claims to come near, then BFGS, then Newton to the last digits."""
    from scipy.optimize import minimize

    near = minimize(
        rough, start, method="Nelder-Mead", options={"maxiter": 400 * len(start), "xatol": 1e-4, "fatol": 1e-7}
    )
    best: Floats = near.x
    with np.errstate(all="ignore"):  # a search may step where floats end; what it ends on is judged below
        for function in (rough, objective):
            best = minimize(function, best, jac=partial(_gradient, function), method="BFGS", options={"gtol": 1e-7}).x
    curve = _hessian(objective, best)
    firm = bool(np.isfinite(curve).all()) and float(np.linalg.eigvalsh(curve).min()) * claims > 1e-3
    for _ in range(3 if firm else 0):
        best = best - np.clip(np.linalg.solve(curve, _gradient(objective, best)), -0.1, 0.1)
    slope = float(np.abs(_gradient(objective, best)).max())
    if not firm or not slope <= GRADIENT or float(np.abs(best).max()) > FARTHEST:
        raise ModelError(problem("RM547", slope=slope, claims=claims))
    return best


def _hessian(objective: Callable[[Floats], float], at: Floats, step: float = 1e-3) -> Floats:
    """Return second derivatives by central differences."""
    move = np.eye(len(at)) * step
    curve = np.empty((len(at), len(at)))
    for i in range(len(at)):
        for j in range(i + 1):
            plus, minus = move[i] + move[j], move[i] - move[j]
            curve[i, j] = curve[j, i] = (
                objective(at + plus) - objective(at + minus) - objective(at - minus) + objective(at - plus)
            ) / (4 * step * step)
    return curve


def _names(families: tuple[str, ...]) -> tuple[str, ...]:
    """Return parameter names, numbered by component in a mixture."""
    single = len(families) == 1
    names = [
        name if single else f"{family} {i + 1} {name}"
        for i, family in enumerate(families)
        for name in PARAMETERS[family]
    ]
    return tuple(names + [f"weight {i + 1}" for i in range(len(families) - 1)])


def _natural(theta: Floats, families: tuple[str, ...], scale: float) -> Floats:
    """Return the parameters on their natural scale and the caller's unit."""
    severity = _scaled(severity_of(theta, families), scale)
    values = [value for one in severity.components for value in one.parameters]
    return np.array(values + list(severity.weights[:-1]))


def _jacobian(theta: Floats, families: tuple[str, ...], scale: float, step: float = 1e-5) -> Floats:
    """Return d natural / d unconstrained by central differences."""
    return np.stack(
        [
            (_natural(theta + move, families, scale) - _natural(theta - move, families, scale)) / (2 * step)
            for move in np.eye(len(theta)) * step
        ],
        axis=1,
    )


def _scaled(severity: Severity, scale: float) -> Severity:
    """Return the severity of losses multiplied by `scale`."""

    def one(part: Component) -> Component:
        a = part.parameters
        if part.name == "lognormal":
            return Component(part.name, (a[0] + float(np.log(scale)), a[1]))
        return Component(part.name, (*a[:-1], a[-1] * scale))

    return Severity(tuple(one(part) for part in severity.components), severity.weights)
