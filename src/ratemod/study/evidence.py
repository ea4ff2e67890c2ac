"""The exhibits of a study as frames: what a reviewer asks to see, one table each, ready for a chart or a sheet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from ratemod.errors import ModelError, text
from ratemod.ratemaking.arrays import Floats, sums
from ratemod.ratemaking.glm import type_iii
from ratemod.ratemaking.on_level import on_level_premium, parallelogram
from ratemod.ratemaking.validation import gini, lift, lorenz
from ratemod.study.accounts import accounts
from ratemod.study.losses import Development
from ratemod.study.model import NORMAL_95

if TYPE_CHECKING:
    import pandas as pd

    from ratemod.study.fit import Study

SEED = 20260101
BANDS = 10


def frames(study: Study) -> dict[str, pd.DataFrame]:
    """Return every exhibit that can be made, by name.

    Returns
    -------
    dict of pandas.DataFrame
        Those of `EXHIBITS`. One that the data are too few for is left out; ``unmade`` says which, and why.
    """
    import pandas as pd

    found, unmade = {}, []
    for name, make in EXHIBITS.items():
        try:
            made = make(study)
        except ModelError as error:
            unmade += [{"exhibit": name, "code": item.code, "reason": item.what("en")} for item in error.problems]
            continue
        if made is not None:
            found[name] = made
    return found | {"unmade": pd.DataFrame(unmade, columns=["exhibit", "code", "reason"])}


def _tests(study: Study) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
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
        ],
        columns=["model", "term", "df", "kind", "statistic", "p_value"],
    )


def _selections(study: Study) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
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
    )


def _indication(study: Study) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
        [{"line": line.name, "formula": line.formula, "value": line.value} for line in study.rates.indication.lines]
    )


def _merges(study: Study) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
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
    )


def _accounts(study: Study) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "table": line.table,
                "state": text(f"UI_state_{line.state}", "en"),
                "code": "" if line.why is None else line.why.code,
                "reason": line.why.what("en") if line.why else text(f"UI_use_{line.use}", "en") if line.use else "",
                "rows": line.rows,
                "yuan": line.yuan,
            }
            for line in accounts(study)
        ]
    )


def _refused(study: Study) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
        [
            {"table": line.table, "row": row, "code": line.why.code, "reason": line.why.what("en")}
            for line in accounts(study)
            if line.why is not None
            for row in line.numbers
        ],
        columns=["table", "row", "code", "reason"],
    )


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
            "catastrophe_yuan": data.trended_catastrophe_yuan,
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

    return pd.DataFrame(
        [
            {
                "of": name,
                "used": choice.rate,
                "why": choice.why,
                "fitted": float(np.expm1(choice.fitted)),
                "low": float(np.expm1(choice.fitted - NORMAL_95 * choice.error)),
                "high": float(np.expm1(choice.fitted + NORMAL_95 * choice.error)),
                "weight": choice.weight,
            }
            for name, choice in study.trends.of.items()
        ]
    )


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
                    "merged_into": effect.merged_into[i],
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


def _ages(found: Development) -> list[int]:
    return [found.months + 12 * age for age in range(found.counts.shape[1])]


def _triangle(name: str) -> Callable[[Study], pd.DataFrame | None]:
    """Return the maker of a triangle's exhibit, counts or incurred amounts."""

    def make(study: Study) -> pd.DataFrame | None:
        import pandas as pd

        found = study.data.development
        if found is None:
            return None
        values = found.counts if name == "counts" else found.incurred
        columns = [str(age) for age in _ages(found)]
        return pd.DataFrame(values, columns=columns).assign(year=study.data.years).set_index("year").reset_index()

    return make


def _development(study: Study) -> pd.DataFrame | None:
    import pandas as pd

    found = study.data.development
    if found is None:
        return None
    return pd.DataFrame(
        {
            "age_months": _ages(found),
            "count_to_ultimate": found.count_factor,
            "incurred_to_ultimate": found.incurred_factor,
        }
    )


def _mack(study: Study) -> pd.DataFrame | None:
    import pandas as pd

    found = study.data.development
    if found is None or found.incurred_mack is None:
        return None
    model, share = found.incurred_mack, np.ones(len(study.data.years))
    share[-1] = found.lived  # of the youngest year, what it is insured for so far
    return pd.DataFrame(
        {
            "year": study.data.years,
            "ultimate": model.ultimate * share,
            "unpaid": model.ultimate * share - (model.ultimate - model.unpaid),
            "standard_error": model.standard_error * share,
        }
    )


def _ordered(study: Study) -> tuple[Floats, Floats, Floats]:
    """Return predicted rate, actual losses and weight of every policy and year."""
    expected = expected_rows(study)
    return expected / study.data.weight, study.data.capped_yuan, study.data.weight


def _lift(study: Study) -> pd.DataFrame:
    import pandas as pd

    chart = lift(*_ordered(study), BANDS)
    return pd.DataFrame(
        {
            "band": np.arange(1, len(chart.weight) + 1),
            "exposure": chart.weight,
            "predicted": chart.predicted,
            "actual": chart.actual,
        }
    )


def _lorenz(study: Study) -> pd.DataFrame:
    import pandas as pd

    share, losses = lorenz(*_ordered(study))
    keep = np.unique(np.round(np.linspace(0, len(share) - 1, 201)).astype(np.int64))
    return pd.DataFrame({"exposure_share": share[keep], "loss_share": losses[keep]})


def _gini(study: Study) -> pd.DataFrame:
    import pandas as pd

    index = gini(*_ordered(study), seed=SEED)
    return pd.DataFrame([{"value": index.value, "low": index.low, "high": index.high}])


def _summary(study: Study) -> pd.DataFrame:
    """Return what the study comes to; without a Gini where the rows are too few for one."""
    import pandas as pd

    rates = study.rates
    facts = {
        "target loss ratio": rates.target,
        "reached loss ratio": rates.reached,
        "off-balance factor": rates.off_balance,
        "expected losses, yuan": rates.expected_yuan,
        "full premium, yuan": rates.full_fen / 100,
        "premium of the first year, caps in force, yuan": rates.premium_fen / 100,
        "loss ratio of the first year, caps in force": rates.expected_yuan * 100 / rates.premium_fen,
        "premium at current rates, yuan": rates.current_premium_fen / 100,
        "catastrophe load": rates.catastrophe,
        "excess rate, all": rates.excess.overall_rate,
    }
    try:
        index = _gini(study).iloc[0]
        facts |= {"gini": index.value, "gini low": index.low, "gini high": index.high}
    except ModelError:
        facts |= {"gini": np.nan, "gini low": np.nan, "gini high": np.nan}
    credible = study.model.cell_credibility
    if credible is not None:
        facts |= {"cell credibility, K": credible.k, "cell credibility, between": credible.between}
    return pd.DataFrame({"name": list(facts), "value": list(facts.values())})


def _severity(study: Study) -> pd.DataFrame:
    """Return severity distributions fitted to the claims, limits taken as censoring, best first by AIC."""
    import pandas as pd

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


def _uncertainty(study: Study) -> pd.DataFrame:
    """Return the indicated change and one year's loss ratio with their intervals, then the parts of the error."""
    import pandas as pd

    rates, sure = study.rates, study.uncertainty
    rows = [
        {"of": of, "value": value, "low": low, "high": high}
        for of, value, (low, high) in (
            ("indicated change", rates.indication.value, study.indicated_interval),
            ("loss ratio of one year", rates.reached, study.loss_ratio_interval),
        )
    ]
    rows += [
        {"of": f"standard error: {name}", "value": part, "low": np.nan, "high": np.nan}
        for name, part in sure.parts.items()
    ]
    return pd.DataFrame(rows)


def _held_out(study: Study) -> pd.DataFrame:
    import pandas as pd

    found = study.held_out
    if isinstance(found, tuple):
        raise ModelError(found)
    return pd.DataFrame(
        [
            {
                "year": found.year,
                "expected_yuan": found.expected_yuan,
                "low_yuan": found.low_yuan,
                "high_yuan": found.high_yuan,
                "actual_yuan": found.actual_yuan,
                "actual_expected": found.ratio,
                "inside": found.inside,
            }
        ]
    )


def _warnings(study: Study) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
        [{"code": item.code, "what": item.what("en")} for item in study.warnings], columns=["code", "what"]
    )


def _recovery(study: Study) -> pd.DataFrame:
    import pandas as pd

    rates = study.rates
    return pd.DataFrame(
        [
            {
                "year": item.year,
                "premium_yuan": item.premium_fen / 100,
                "full_premium_yuan": item.full_fen / 100,
                "withheld_yuan": item.withheld_fen / 100,
                "loss_ratio": rates.expected_yuan * 100 / item.premium_fen if item.premium_fen else np.nan,
            }
            for item in rates.recovery
        ],
        columns=["year", "premium_yuan", "full_premium_yuan", "withheld_yuan", "loss_ratio"],
    )


EXHIBITS: Mapping[str, Callable[[Study], pd.DataFrame | None]] = MappingProxyType(
    {
        "years": _years,  # exposure, counts, losses, on-level and charged premium by accident year
        "trends": _trends,
        "relativities": _relativities,  # fitted, interval, complement, credibility, used
        "actual_expected": _actual_expected,
        "tests": _tests,  # type III
        "residuals": _residuals,
        "selections": _selections,
        "indication": _indication,
        "severity": _severity,  # fits by maximum likelihood
        "uncertainty": _uncertainty,
        "held_out": _held_out,
        "recovery": _recovery,  # what caps on renewals withhold, year by year
        "warnings": _warnings,
        "merges": _merges,
        "accounts": _accounts,  # rows and money by what became of them
        "refused": _refused,
        "triangle_counts": _triangle("counts"),
        "triangle_incurred": _triangle("incurred"),
        "development": _development,
        "mack": _mack,
        "lift": _lift,
        "lorenz": _lorenz,
        "gini": _gini,
        "summary": _summary,
    }
)
