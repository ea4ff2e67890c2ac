"""The exhibits of a study as frames: what a reviewer asks to see, one table each, ready for a chart or a sheet."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from ratemod.errors import text
from ratemod.ratemaking.arrays import Floats, sums
from ratemod.ratemaking.glm import type_iii
from ratemod.ratemaking.on_level import on_level_premium, parallelogram
from ratemod.ratemaking.validation import gini, lift, lorenz
from ratemod.study.losses import Development

if TYPE_CHECKING:
    import pandas as pd

    from ratemod.study.fit import Study

SEED = 20260101
BANDS = 10


def frames(study: Study) -> dict[str, pd.DataFrame]:
    """Return every exhibit by name.

    Returns
    -------
    dict of pandas.DataFrame
        ``years`` (exposure, counts, losses, on-level and charged premium by accident year), ``triangle_counts``,
        ``triangle_incurred``, ``development``, ``trends``, ``relativities`` (fitted, interval, complement, credibility,
        used), ``actual_expected``, ``tests`` (type III), ``cells``, ``selections``, ``lift``, ``lorenz``, ``summary``
        (Gini and more), ``severity`` (fits by maximum likelihood), ``indication``, ``merges``, ``refused``.
    """
    import pandas as pd

    found = {
        "years": _years(study),
        "trends": _trends(study),
        "relativities": _relativities(study),
        "actual_expected": _actual_expected(study),
        "tests": pd.DataFrame(
            [
                {
                    "model": name,
                    "term": ":".join(test.term),
                    "df": test.df,
                    "kind": test.kind,
                    "statistic": test.statistic,
                    "p_value": test.p_value,
                }
                for name, fit in study.model.fits.items()
                for test in type_iii(study.model.cells[name], fit)
            ]
        ),
        "residuals": _residuals(study),
        "selections": pd.DataFrame(
            [
                {
                    "path": cell.path,
                    "current": float(cell.current),
                    "indicated": cell.indicated,
                    "balanced": cell.balanced,
                    "selected": float(cell.selected),
                    "change": float(cell.selected / cell.current) - 1 if cell.current else float("nan"),
                    "reason": cell.reason,
                    "exposure": cell.exposure,
                    "claims": cell.claims,
                }
                for cell in study.rates.cells
            ]
        ),
        "indication": pd.DataFrame(
            [{"line": line.name, "formula": line.formula, "value": line.value} for line in study.rates.indication.lines]
        ),
        "severity": _severity(study),
        "merges": pd.DataFrame(
            [
                {
                    "factor": item.factor,
                    "level": item.level,
                    "into": item.into,
                    "rows": item.rows,
                    "weight": item.weight,
                    "reason": item.reason,
                }
                for item in study.model.merges
            ],
            columns=["factor", "level", "into", "rows", "weight", "reason"],
        ),
        "refused": pd.DataFrame(
            [
                {
                    "table": item.table,
                    "row": row,
                    "code": item.problem.code,
                    "reason": text(item.problem.code, "en", **item.problem.args),
                }
                for item in study.history.refused
                for row in item.rows
            ]
            + _unrated(study),
            columns=["table", "row", "code", "reason"],
        ),
    }
    if study.data.development is not None:
        found |= _development(study.data.development, study.data.years)
    return found | _order(study)


def _years(study: Study) -> pd.DataFrame:
    import pandas as pd

    data, size = study.data, len(study.data.years)
    at = study.history.start.astype("datetime64[Y]").astype(np.int64) + 1970 - int(data.years[0])
    inside = (at >= 0) & (at < size) & study.base.good
    charged = sums(at[inside], np.nan_to_num(study.history.premium_yuan[inside]), size)
    levelled = np.nan_to_num(_on_level(study))
    factors = _parallelogram(study)
    return pd.DataFrame(
        {
            "year": data.years,
            "policies_incepting": sums(at[inside], np.ones(int(inside.sum())), size).astype(np.int64),
            "charged_premium_yuan": charged,
            "on_level_by_own_date_yuan": sums(at[inside], levelled[inside], size),
            "parallelogram_factor": factors,
            "base_premium_at_current_rates_yuan": sums(at[inside], study.base.current_yuan[inside], size),
            "earned_exposure_base": sums(data.year, data.earned, size),
            "claims_known": sums(data.year, data.counts, size),
            "capped_ultimate_trended_yuan": data.by_year(data.capped_yuan),
            "excess_yuan": data.by_year(data.excess_yuan),
            "catastrophe_yuan": data.catastrophe_yuan,
        }
    )


def _on_level(study: Study) -> Floats:
    """Return each policy's premium at the last rate level, by its own inception date."""
    past = study.history
    known = ~np.isnan(past.premium_yuan)
    found = np.full(len(known), np.nan)
    if len(past.change):
        found[known] = on_level_premium(past.start[known], past.premium_yuan[known], past.change_date, past.change)
    else:
        found[known] = past.premium_yuan[known]
    return found


def _parallelogram(study: Study) -> Floats:
    """Return the on-level factor of each policy year by the parallelogram method; 1 without rate changes."""
    past, years = study.history, study.data.years
    if not len(past.change):
        return np.ones(len(years))
    edges = np.array([f"{year}-01-01" for year in [*years, years[-1] + 1]], "datetime64[D]")
    return parallelogram(past.change_date, past.change, edges, period="policy").factor


def _trends(study: Study) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for name, choice in study.data.trends.items():
        fit = choice.fit
        rows.append(
            {
                "of": name,
                "used": choice.rate,
                "why": choice.why,
                "fitted": np.nan if fit is None else fit.rate,
                "low": np.nan if fit is None else fit.rate_low,
                "high": np.nan if fit is None else fit.rate_high,
                "r_squared": np.nan if fit is None else fit.r_squared,
            }
        )
    return pd.DataFrame(rows)


def _relativities(study: Study) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for name, effect in study.model.effects.items():
        for i, level in enumerate(effect.factor.levels):
            rows.append(
                {
                    "factor": name,
                    "level": level,
                    "exposure": effect.weight[i],
                    "claims": effect.claims[i],
                    "fitted": effect.fitted[i],
                    "low": effect.low[i],
                    "high": effect.high[i],
                    "current": effect.complement[i],
                    "credibility": effect.credibility[i],
                    "used": effect.used[i],
                }
            )
    return pd.DataFrame(rows)


def expected_rows(study: Study) -> Floats:
    """Return what the claims known today were expected to cost, by policy and year, (r,) float64 yuan, capped."""
    rows = [np.maximum(code, 0)[study.data.policy] for code in study.base.codes]
    return study.model.predict(study.base.factors, rows, len(study.tables[0].axes)) * study.data.weight


def _actual_expected(study: Study) -> pd.DataFrame:
    import pandas as pd

    data, expected, rows = study.data, expected_rows(study), []
    named = [
        (factor.name, factor.levels, np.maximum(code, 0)[data.policy])
        for factor, code in zip(study.base.factors, study.base.codes)
    ]
    named.append(("year", tuple(str(year) for year in data.years), data.year))
    for name, levels, code in named:
        parts = [sums(code, part, len(levels)) for part in (data.weight, data.counts, data.capped_yuan, expected)]
        for i, level in enumerate(levels):
            exposure, claims, actual, awaited = (float(part[i]) for part in parts)
            rows.append(
                {
                    "factor": name,
                    "level": level,
                    "exposure": exposure,
                    "claims": claims,
                    "actual_yuan": actual,
                    "expected_yuan": awaited,
                    "ratio": actual / awaited if awaited else np.nan,
                }
            )
    return pd.DataFrame(rows)


def _residuals(study: Study) -> pd.DataFrame:
    """Return standardised residuals of the cells of each model, the largest first."""
    import pandas as pd

    from ratemod.ratemaking.validation import cell_residuals

    rows = []
    for name, fit in study.model.fits.items():
        cells = study.model.cells[name]
        residual = cell_residuals(cells, fit)
        for i in np.argsort(-np.abs(residual), kind="stable")[:50]:
            label = ", ".join(factor.levels[code] for factor, code in zip(cells.factors, cells.codes[i]))
            rows.append(
                {
                    "model": name,
                    "cell": label,
                    "weight": cells.weight[i],
                    "total": cells.total[i],
                    "fitted": fit.fitted[i] * cells.weight[i],
                    "residual": residual[i],
                }
            )
    return pd.DataFrame(rows)


def _development(found: Development, years: np.ndarray[Any, Any]) -> dict[str, pd.DataFrame]:
    import pandas as pd

    ages = [f"{12 * (age + 1)}" for age in range(found.counts.shape[1])]
    frames_ = {
        f"triangle_{name}": pd.DataFrame(values, columns=ages).assign(year=years).set_index("year").reset_index()
        for name, values in (("counts", found.counts), ("incurred", found.incurred))
    }
    factors = {
        "age_months": [12 * (age + 1) for age in range(len(ages))],
        "count_to_ultimate": found.count_factor,
        "incurred_to_ultimate": found.incurred_factor,
    }
    frames_["development"] = pd.DataFrame(factors)
    if found.incurred_mack is not None:
        model = found.incurred_mack
        frames_["mack"] = pd.DataFrame(
            {"year": years, "ultimate": model.ultimate, "unpaid": model.unpaid, "standard_error": model.standard_error}
        )
    return frames_


def _order(study: Study) -> dict[str, pd.DataFrame]:
    """Return lift, Lorenz curve and Gini of the study's pure premiums, and what it comes to."""
    import pandas as pd

    data, expected = study.data, expected_rows(study)
    rate, actual = expected / data.weight, data.capped_yuan
    chart = lift(rate, actual, data.weight, BANDS)
    share, losses = lorenz(rate, actual, data.weight)
    keep = np.unique(np.round(np.linspace(0, len(share) - 1, 201)).astype(np.int64))
    index = gini(rate, actual, data.weight, seed=SEED)
    rates = study.rates
    facts = {
        "target loss ratio": rates.target,
        "reached loss ratio": rates.reached,
        "off-balance factor": rates.off_balance,
        "expected losses, yuan": rates.expected_yuan,
        "premium, yuan": rates.premium_fen / 100,
        "premium at current rates, yuan": rates.current_premium_fen / 100,
        "catastrophe load": rates.catastrophe,
        "excess rate, all": rates.excess.overall_rate,
        "gini": index.value,
        "gini low": index.low,
        "gini high": index.high,
    }
    credible = study.model.cell_credibility
    if credible is not None:
        facts |= {"cell credibility, K": credible.k, "cell credibility, between": credible.between}
    return {
        "lift": pd.DataFrame(
            {
                "band": np.arange(1, len(chart.weight) + 1),
                "exposure": chart.weight,
                "predicted": chart.predicted,
                "actual": chart.actual,
            }
        ),
        "lorenz": pd.DataFrame({"exposure_share": share[keep], "loss_share": losses[keep]}),
        "summary": pd.DataFrame({"name": list(facts), "value": list(facts.values())}),
    }


def _severity(study: Study) -> pd.DataFrame:
    """Return severity distributions fitted to the claims, limits taken as censoring, best first by AIC."""
    import pandas as pd

    from ratemod.errors import ModelError
    from ratemod.ratemaking.severity import fit_severity

    amounts = study.data.claim_whole_yuan
    rows = []
    for name in ("lognormal", "gamma", "weibull", "pareto"):
        try:
            fit = fit_severity(amounts, name)
        except ModelError as error:
            rows.append({"family": name, "aic": np.nan, "parameters": "; ".join(str(p.code) for p in error.problems)})
            continue
        rows.append(
            {
                "family": name,
                "aic": fit.aic,
                "parameters": ", ".join(f"{label} {value:.6g}" for label, value in zip(fit.names, fit.estimate)),
            }
        )
    return pd.DataFrame(rows).sort_values("aic", kind="stable", ignore_index=True)


def _unrated(study: Study) -> list[dict[str, Any]]:
    """Return the policies that the plan could not rate, with its reasons."""
    book = study.history.book
    bad = np.flatnonzero(~study.base.good)
    numbers = bad + 1 if book.rows is None else book.rows[bad]
    return [
        {"table": "policies", "row": int(row), "code": "", "reason": study.base.reasons[int(at)]}
        for at, row in zip(bad, numbers)
    ]


def refused_counts(study: Study) -> Counter[str]:
    """Return how many rows each table lost."""
    lost = Counter({item.table: 0 for item in study.history.refused})
    for item in study.history.refused:
        lost[item.table] += len(item.rows)
    lost["policies"] += int((~study.base.good).sum())
    return lost
