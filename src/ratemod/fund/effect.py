"""The effect of services on accidents, estimated against selection: insurers serve the riskier firms more.

Five answers to one question, the rate of claims of served policy years against what it would have been without:

naive       served against unserved, nothing else; wrong by however much riskier the served are
adjusted    Poisson regression on what is known of a firm; wrong by what is not known
fixed       Poisson with an effect of every firm and of every insurer and year (`conditional_poisson`)
weighted    served and unserved years of the same firms, weighted to resemble each other
robust      the same with a regression besides; right when either the weights or the regression are

Weights rest on how many of its years a firm was served: where hidden risk moves the odds of service of all of a firm's
years alike, that number is all that services tell of the risk, and which of the years they were is as good as drawn.

Sources: Arkhangelsky & Imbens, "Fixed effects and the generalized Mundlak estimator", Review of Economic
Studies 91 (2024); Robins, Rotnitzky & Zhao, JASA 89 (1994); Li, Morgan & Zaslavsky, JASA 113
(2018); Hausman, Hall & Griliches, Econometrica 52 (1984).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pyarrow as pa

from ratemod.errors import ModelError, Problem, problem
from ratemod.fund.conditional_poisson import ConditionalFit, conditional_poisson, spanning
from ratemod.fund.fund_table import Bools, Columns, Floats, Ints, codes_of, read_columns
from ratemod.rules.options import strict
from ratemod.rules.within import Whole

PANEL = ("policy_no", "credit_code", "year", "insurer", "services_before", "earned_head_years", "claims")
CONTROLS = (
    "sector",
    "size_class",
    "division_code",
    "standardisation",
    "integrity_grade",
    "blacklisted",
    "hazard_state",
)
Method = Literal["naive", "adjusted", "fixed", "weighted", "robust"]
METHODS = get_args(Method)
DOSES = ("1", "2", "3+")
NORMAL = 1.959963984540054  # 97.5 %
MOST_ERROR, MOST_BEYOND = 0.5, 5.0  # beyond these a method cannot tell


def _cannot_tell(policies: int) -> tuple[float, float, int]:
    """Return what stands for an estimate that cannot be made."""
    return np.nan, np.nan, policies


@dataclass(frozen=True, eq=False, slots=True)
class Effect:
    """What services did to claims.

    Attributes
    ----------
    estimates : pyarrow.Table
        method, rate_ratio, low, high (95 %), log_error, policies (rows used): rates of served years against the same
        years without services. Null where a method cannot tell: what it expects without services rests on few claims
        (relative error above `MOST_ERROR`), or lies beyond all that was seen without services (`MOST_BEYOND`).
    doses : pyarrow.Table
        services, rate_ratio, low, high, policies: with firm effects, by number of services.
    placebos : pyarrow.Table
        test, rate_ratio, low, high, p_value, passed: a placebo, in which nothing should be found, and a test of
        significance by permutation (no `passed`).
    observed, avoided, avoided_low, avoided_high : float
        Claims of served years, and claims that services avoided by the `fixed` estimate.
    served, policies : int, policy years
    services : int, services that those years had received before
    """

    estimates: pa.Table
    doses: pa.Table
    placebos: pa.Table
    observed: int
    avoided: float
    avoided_low: float
    avoided_high: float
    served: int
    policies: int
    services: int
    refused: tuple[Problem, ...] = ()

    @strict
    def ratio(self, method: Method = "fixed") -> tuple[float, float, float]:
        """Return a rate ratio with its interval."""
        at = self.estimates["method"].to_pylist().index(method)
        low, high = (float(self.estimates[name][at].as_py()) for name in ("low", "high"))
        return float(self.estimates["rate_ratio"][at].as_py()), low, high


@dataclass(frozen=True, eq=False, slots=True)
class Panel:
    """Policy years, sorted by firm and year.

    Attributes
    ----------
    firm : (n,) int64; turn : (n,) int64, 0 for a firm's first year here
    year, insurer, served (count), claims : (n,) int64
    exposure : (n,) float64
    controls : (n, k) float64 of 0 and 1, the first level of each left out; periods likewise, insurer and year
    """

    firm: Ints
    turn: Ints
    year: Ints
    insurer: Ints
    count: Ints
    claims: Ints
    exposure: Floats
    controls: Floats
    control_names: tuple[str, ...]
    periods: Floats
    period_names: tuple[str, ...]


@strict
def estimate_effect(
    panel: Any, controls: Sequence[str] = CONTROLS, permutations: Whole = 99, seed: Whole = 0
) -> Effect:
    """Estimate what services did to claims.

    Parameters
    ----------
    panel : path or frame
        One row a policy year: policy_no, credit_code, year, insurer, services_before (delivered in the year before),
        earned_head_years, claims (of this year), and the columns of `controls`, as at the start of the year.
    controls : names of columns that may make both services and claims more likely
        Not what services change themselves: part of their effect would be taken away.
    permutations : int
        Of the placebo that deals a firm's services to its years at random; of fewer than two it says nothing (nan).
    seed : int, of those permutations

    Returns
    -------
    Effect

    Raises
    ------
    ModelError
        RM740 to RM742; RM743 no year is served, or every one; RM744 a served firm has no other year.
    """
    read = read_columns(panel, "panel", (*PANEL, *controls))
    if not (read["earned_head_years"] > 0).any():
        raise ModelError([problem("RM740"), *read.refused])
    rows = _panel(read, controls)
    served = rows.count > 0
    if not served.any() or served.all():
        raise ModelError(problem("RM743", served=int(served.sum()), policies=len(served)))
    fit = _fixed(rows, served[:, None].astype(np.float64), ("served",))
    log_ratio, error = fit.of("served")
    weighted, robust = _weighted(rows, served)
    found = [_naive(rows, served), _adjusted(rows, served), (log_ratio, error, len(served)), weighted, robust]
    ratio, bad, many = (np.array(column) for column in zip(*found))
    lost = ~(np.isfinite(ratio) & np.isfinite(bad))
    columns = {"rate_ratio": 0.0, "low": -NORMAL, "high": NORMAL}
    estimates = pa.table(
        {"method": list(METHODS)}
        | {name: pa.array(np.exp(ratio + times * bad), mask=lost) for name, times in columns.items()}
        | {"log_error": pa.array(bad, mask=lost), "policies": many.astype(np.int64)}
    )
    told = tuple(problem("RM761", method=METHODS[at]) for at in np.flatnonzero(lost))
    own = int(rows.claims[served].sum())
    avoided, high, low = (
        own * float(np.expm1(-value)) for value in (log_ratio, log_ratio - NORMAL * error, log_ratio + NORMAL * error)
    )
    return Effect(
        estimates=estimates,
        doses=_doses(rows),
        placebos=_placebos(rows, served, log_ratio, permutations, seed),
        observed=own,
        avoided=avoided,
        avoided_low=low,
        avoided_high=high,
        served=int(served.sum()),
        policies=len(served),
        services=int(rows.count.sum()),
        refused=(*read.refused, *told),
    )


def _panel(read: Columns, controls: Sequence[str]) -> Panel:
    kept = np.flatnonzero(read["earned_head_years"] > 0)
    rows = read.take(kept)
    _, (firm,) = codes_of(rows["credit_code"])
    order = np.lexsort((rows["year"], firm))
    rows, firm = rows.take(order), firm[order]
    start = np.flatnonzero(np.concatenate([[True], firm[1:] != firm[:-1]]))
    turn = np.arange(len(firm)) - np.repeat(start, np.diff([*start, len(firm)]))
    names, (insurer,) = codes_of(rows["insurer"])
    design = [_dummies(rows[name], name) for name in controls]
    period = np.array([f"{names[at]}, {year}" for at, year in zip(insurer, rows["year"])], dtype=object)
    periods, period_names = _dummies(period, "period")
    return Panel(
        firm=firm,
        turn=turn,
        year=rows["year"],
        insurer=insurer,
        count=rows["services_before"],
        claims=rows["claims"],
        exposure=rows["earned_head_years"].astype(np.float64),
        controls=np.concatenate([part for part, _ in design], axis=1) if design else np.zeros((len(firm), 0)),
        control_names=tuple(name for _, part in design for name in part),
        periods=periods,
        period_names=period_names,
    )


def _dummies(column: Any, name: str) -> tuple[Floats, tuple[str, ...]]:
    """Return 0/1 columns of all levels but the most frequent."""
    names, (code,) = codes_of(column)
    often = int(np.argmax(np.bincount(code)))
    kept = [at for at in range(len(names)) if at != often]
    return (code[:, None] == np.array(kept)[None, :]).astype(np.float64), tuple(f"{name}={names[at]}" for at in kept)


def _fixed(
    rows: Panel,
    treatment: Floats,
    names: tuple[str, ...],
    which: Bools | None = None,
) -> ConditionalFit:
    own = np.ones(len(rows.firm), dtype=bool) if which is None else which
    design = np.concatenate([rows.controls, rows.periods, treatment], axis=1)
    return conditional_poisson(
        rows.claims[own],
        design[own],
        np.log(rows.exposure)[own],
        rows.firm[own],
        (*rows.control_names, *rows.period_names, *names),
        len(names),
    )


def _poisson(rows: Panel, design: Floats) -> Any:
    """Return a Poisson regression by statsmodels, errors by firm."""
    import statsmodels.api as sm

    full = np.concatenate([design, np.ones((len(design), 1))], axis=1)
    kept = spanning(full)
    model = sm.GLM(rows.claims, full[:, kept], family=sm.families.Poisson(), offset=np.log(rows.exposure))
    return model.fit(cov_type="cluster", cov_kwds={"groups": rows.firm})


def _naive(rows: Panel, served: Bools) -> tuple[float, float, int]:
    fit = _poisson(rows, served[:, None].astype(np.float64))
    return float(fit.params[0]), float(fit.bse[0]), len(served)


def _adjusted(rows: Panel, served: Bools) -> tuple[float, float, int]:
    fit = _poisson(rows, np.concatenate([served[:, None], rows.controls, rows.periods], axis=1))
    return float(fit.params[0]), float(fit.bse[0]), len(served)


def _chance(rows: Panel, own: Ints, served: Bools) -> Floats:
    """Return the chance that a year is served, given in how many of its years the firm was.

    Where hidden risk moves the odds of all of a firm's years alike, that number is all that services tell of it. Which
    years they were then hangs on the odds of each year against the firm's others: a logistic regression on controls and
    periods, less the firm's mean; a second one puts both together and balances what it holds.
    """
    one = np.ones((len(own), 1))
    known = np.concatenate([rows.controls[own], rows.periods[own]], axis=1)
    odds = np.concatenate([known, one], axis=1) @ _logistic(served, np.concatenate([known, one], axis=1))
    firm = rows.firm[own]
    years = np.bincount(firm)[firm]
    apart = odds - (np.bincount(firm, odds) / np.maximum(np.bincount(firm), 1))[firm]
    _, share, often = _own_services(rows, own, served)
    shape = np.column_stack([share, apart, apart * np.abs(apart), np.log(years), share * np.log(years), often])
    full = np.concatenate([shape, known, one], axis=1)
    fitted: Floats = 1 / (1 + np.exp(-(full @ _logistic(served, full))))
    return fitted


def _own_services(rows: Panel, own: Ints, served: Bools) -> tuple[Ints, Floats, Floats]:
    """Return by year: served years of its firm, their log odds, and the log of services a year."""
    firm = rows.firm[own]
    years, hit = np.bincount(firm)[firm], np.bincount(firm, served)[firm].astype(np.int64)
    mean = np.bincount(firm, rows.count[own])[firm] / years
    return hit, np.log((hit + 1e-12) / (years - hit + 1e-12)), np.log(mean + 0.5)


def _logistic(served: Bools, design: Floats) -> Floats:
    """Return the coefficients of a logistic regression; columns that say nothing more get 0."""
    import statsmodels.api as sm

    kept = spanning(design)
    beta = np.zeros(design.shape[1])
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # separation: chances of 0 and 1 have no weight
        beta[kept] = np.asarray(sm.GLM(served, design[:, kept], family=sm.families.Binomial()).fit().params)
    return beta


def _weighted(rows: Panel, served: Bools) -> tuple[tuple[float, float, int], tuple[float, float, int]]:
    """Return the weighted and the doubly robust log ratio with errors by firm.

    Only years in which a firm could have been served count: not its first, and none of a firm that was always or
    never served.
    A year counts by the chance of the other state (overlap weights), so that years that were almost bound to be served,
    or not, do not decide.
    """
    many = np.bincount(rows.firm, rows.turn > 0)
    hits = np.bincount(rows.firm, served & (rows.turn > 0))
    own = np.flatnonzero((rows.turn > 0) & ((hits > 0) & (hits < many))[rows.firm])
    if not len(own):
        raise ModelError(problem("RM744"))
    hit, y, e, firm = served[own], rows.claims[own].astype(np.float64), rows.exposure[own], rows.firm[own]
    chance = _chance(rows, own, hit)
    weight = np.where(hit, 1 - chance, chance)
    served_claims, other_claims = (weight * y)[hit].sum(), (weight * y)[~hit].sum()
    rate1, rate0 = served_claims / (weight * e)[hit].sum(), other_claims / (weight * e)[~hit].sum()
    pull = weight * np.where(hit, (y - rate1 * e) / served_claims, -(y - rate0 * e) / other_claims)
    plain = (float(np.log(rate1 / rate0)), _by_firm(pull, firm), len(own))
    if min(served_claims, other_claims) <= 0 or not np.isfinite(plain[1]) or plain[1] > MOST_ERROR:
        plain = _cannot_tell(len(own))
    base = _without(rows, own, hit, weight)
    if base is None:
        return plain, _cannot_tell(len(own))
    scale = weight[hit].sum() / weight[~hit].sum()
    other = (weight * base)[hit].sum() + scale * (weight * (y - base))[~hit].sum()
    pull = weight * np.where(hit, y / served_claims - base / other, -scale * (y - base) / other)
    if other <= 0 or served_claims <= 0:
        return plain, _cannot_tell(len(own))
    return plain, (float(np.log(served_claims / other)), _by_firm(pull, firm), len(own))


def _without(rows: Panel, own: Ints, hit: Bools, weight: Floats) -> Floats | None:
    """Return the claims that a regression on unserved years expects without services, the firm's services known.

    None where it cannot tell: it did not converge, its weighted sum over served years has a relative error (delta
    method, ``sqrt(g' V g)`` with V the inverse information) above `MOST_ERROR`, or some served year is expected to
    have many times the rate of every unserved one, which is extrapolation.
    """
    import statsmodels.api as sm

    _, share, often = _own_services(rows, own, hit)
    design = np.column_stack([rows.controls[own], rows.periods[own], share, often, often**2, np.ones(len(own))])
    free = ~hit
    design = design[:, spanning(design[free])]
    model = sm.GLM(
        rows.claims[own][free], design[free], family=sm.families.Poisson(), offset=np.log(rows.exposure[own][free])
    )
    thin = _thin(rows, own, free)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what they warn of is judged here
        fit = model.fit_regularized(alpha=1e-6, L1_wt=0.0) if thin else model.fit()
        rate: Floats = np.exp(design @ np.asarray(fit.params))
        base: Floats = rate * rows.exposure[own]
        information = design[free].T @ (base[free][:, None] * design[free])
        pull = (weight * base * hit) @ design
        error = float(pull @ np.linalg.pinv(information, hermitian=True) @ pull) ** 0.5 / (weight * base)[hit].sum()
    sound = np.isfinite(base).all() and np.isfinite(error) and (thin or fit.converged)
    if not sound or error > MOST_ERROR or rate[hit].max() > MOST_BEYOND * rate[free].max():
        return None
    return base


def _thin(rows: Panel, own: Ints, free: Bools) -> bool:
    """Return whether some level has no claim at all, so that its effect would run away."""
    design = np.concatenate([rows.controls[own], rows.periods[own]], axis=1)[free]
    return bool((rows.claims[own][free] @ design == 0).any())


def _by_firm(pull: Floats, firm: Ints) -> float:
    """Return the standard error of a sum of influences, a firm's years taken together."""
    return float(np.sqrt((np.bincount(firm, pull) ** 2).sum()))


def _doses(rows: Panel) -> pa.Table:
    dose = np.minimum(rows.count, len(DOSES))
    seen = [at for at in range(1, len(DOSES) + 1) if (dose == at).any()]
    fit = _fixed(rows, (dose[:, None] == np.array(seen)).astype(np.float64), tuple(DOSES[at - 1] for at in seen))
    pairs = [fit.of(DOSES[at - 1]) for at in seen]
    return pa.table(
        _ratios("services", [DOSES[at - 1] for at in seen], pairs)
        | {"policies": [int((dose == at).sum()) for at in seen]}
    )


def _ratios(key: str, names: list[str], pairs: list[tuple[float, float]]) -> Any:
    log, error = (np.array(column) for column in zip(*pairs))
    return {
        key: names,
        "rate_ratio": np.exp(log),
        "low": np.exp(log - NORMAL * error),
        "high": np.exp(log + NORMAL * error),
    }


def _placebos(rows: Panel, served: Bools, found: float, permutations: int, seed: int) -> pa.Table:
    """Return a placebo (services of the year after) and a test of significance (services dealt at random)."""
    from scipy.stats import norm

    n = len(rows.firm)
    has_next = np.zeros(n, dtype=bool)
    has_next[:-1] = rows.firm[1:] == rows.firm[:-1]
    later = np.zeros(n)
    later[:-1] = np.where(has_next[:-1], served[1:], 0)
    fit = _fixed(rows, np.column_stack([served, later]), ("served", "later"), has_next)
    log, error = fit.of("later")
    table = _ratios("test", ["later services"], [(log, error)])
    chance = 2 * float(norm.sf(abs(log / error)))
    random = np.random.default_rng(seed)
    drawn = np.array([_dealt(rows, served, random) for _ in range(permutations)])
    mean, spread, extreme = np.nan, np.nan, np.nan
    if permutations > 1:
        mean, spread = float(drawn.mean()), float(drawn.std(ddof=1))
        extreme = float((1 + (np.abs(drawn - mean) >= abs(found - mean)).sum()) / (1 + permutations))
    return pa.table(
        {
            "test": ["later_services", "dealt_at_random"],
            "rate_ratio": [float(table["rate_ratio"][0]), float(np.exp(mean))],
            "low": [float(table["low"][0]), float(np.exp(mean - NORMAL * spread))],
            "high": [float(table["high"][0]), float(np.exp(mean + NORMAL * spread))],
            "p_value": [chance, extreme],
            # A placebo passes when nothing is found. The second row is a test of significance: whether the estimate
            # stands out of those of chance. Where services do nothing it does not, and that is no failure.
            "passed": pa.array([None if np.isnan(chance) else chance > 0.05, None], pa.bool_()),
        }
    )


def _dealt(rows: Panel, served: Bools, random: np.random.Generator) -> float:
    """Return the estimate when each firm's services are dealt to its years (but the first) at random."""
    key = np.where(rows.turn > 0, random.random(len(rows.firm)), -1.0)
    order = np.lexsort((key, rows.firm))
    dealt = served[order][:, None].astype(np.float64)
    return _fixed(rows, dealt, ("served",)).of("served")[0]
