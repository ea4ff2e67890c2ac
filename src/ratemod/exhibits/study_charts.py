"""The figures of a rate study, each from one of its frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ratemod.errors import Lang
from ratemod.exhibits import charts

if TYPE_CHECKING:
    import pandas as pd

    from ratemod.exhibits.chart_style import Chart
    from ratemod.plan.model import Plan
    from ratemod.study.fit import Study


def study_charts(study: Study, lang: Lang) -> dict[str, Chart]:
    """Return the figures of a study by name: development, relativities and actual/expected by factor, lift, Lorenz.

    Raises
    ------
    ModelError
        Those of the charts, as when matplotlib or a font is missing.
    """
    frames = study.frames()
    found: dict[str, Chart] = {}
    for name in ("counts", "incurred"):
        if f"triangle_{name}" in frames:
            found |= _triangle(name, frames[f"triangle_{name}"], lang)
    selected = _selected(study)
    for name, part in frames["relativities"].groupby("factor", sort=False):
        found[f"relativities_{name}"] = charts.relativities(
            _labels(study.plan, str(name), list(part.level), lang),
            part.fitted,
            part.low,
            part.high,
            part.exposure,
            current=None if part.current.isna().any() else part.current,
            selected=selected.get(str(name)),
            title=study.plan.label(str(name), lang),
            lang=lang,
        )
    for name, part in frames["actual_expected"].groupby("factor", sort=False):
        found[f"actual_expected_{name}"] = charts.actual_expected(
            _labels(study.plan, str(name), list(part.level), lang),
            part.actual_yuan,
            part.expected_yuan,
            part.exposure,
            title=study.plan.label(str(name), lang),
            lang=lang,
        )
    banded = frames["lift"]
    found["lift"] = charts.lift(banded.predicted, banded.actual, banded.exposure, lang=lang)
    curve, facts = frames["lorenz"], dict(zip(frames["summary"].name, frames["summary"].value))
    found["lorenz"] = charts.lorenz(curve.exposure_share, curve.loss_share, gini=facts["gini"], lang=lang)
    return found | _severity(study, lang)


def _labels(plan: Plan, name: str, levels: list[str], lang: Lang) -> list[str]:
    column = plan.columns.get(name)
    known = {} if column is None else {item.code: getattr(item, f"label_{lang}") for item in column.levels}
    return [known.get(level) or level for level in levels]


def _selected(study: Study) -> dict[str, np.ndarray]:
    """Return the relativities in use for the axes of the tables under study."""
    names = [axis.name for table in study.tables for axis in table.axes]
    return {name: study.model.effects[name].used for name in names}


def _triangle(name: str, frame: pd.DataFrame, lang: Lang) -> dict[str, Chart]:
    ages = [column for column in frame.columns if column != "year"]
    origins = [str(year) for year in frame.year]
    values = frame[ages].to_numpy(dtype=np.float64)
    return {
        f"triangle_{name}": charts.triangle_heat_map(values, origins, ages, lang=lang),
        f"development_{name}": charts.development_curves(values, origins, np.array(ages, dtype=np.float64), lang=lang),
    }


def _severity(study: Study, lang: Lang) -> dict[str, Chart]:
    """Return the best severity fit against the claims, at a few hundred quantiles."""
    from ratemod.ratemaking.distribution import quantile, survival
    from ratemod.ratemaking.severity import fit_severity

    best = study.frames()["severity"].iloc[0]
    if not np.isfinite(best.aic):
        return {}
    loss = np.sort(study.data.claim_whole_yuan)
    place = np.unique(np.round(np.linspace(0, len(loss) - 1, min(len(loss), 300))).astype(np.int64))
    fitted = fit_severity(loss, best.family).severity
    share = (place + 0.5) / len(loss)
    return {
        "severity": charts.severity_fit(
            loss[place], quantile(fitted, share), 1 - share, survival(fitted, loss[place]), lang=lang
        )
    }
