"""The figures of a rate study, each from one of its frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ratemod import charts
from ratemod.charts.style import heading
from ratemod.errors import Lang

if TYPE_CHECKING:
    import pandas as pd

    from ratemod.charts.style import Chart
    from ratemod.plan.model import Plan
    from ratemod.study.fit import Study


def study_charts(study: Study, lang: Lang) -> dict[str, Chart]:
    """Return the figures of a study by name: development, relativities and actual/expected by factor, lift, Lorenz.

    Raises
    ------
    ModelError
        Those of the charts, as when matplotlib or a font is missing.
    """
    axes = [axis.name for table in study.tables for axis in table.axes]
    return frame_charts(study.frames(), study.plan, axes, lang) | _severity(study, lang)


def frame_charts(frames: Mapping[str, pd.DataFrame], plan: Plan, axes: Sequence[str], lang: Lang) -> dict[str, Chart]:
    """Return the figures that need no more than a study's frames, as it keeps them in its folder.

    Parameters
    ----------
    frames : name -> frame, as `study.evidence.frames` makes them
    plan : the plan that was studied, for labels
    axes : the factors whose relativities the edition uses; the others are controls
    """
    found: dict[str, Chart] = {}
    for name in ("counts", "incurred"):
        if f"triangle_{name}" in frames:
            found |= _triangle(name, frames[f"triangle_{name}"], lang)
    for name, part in _by_factor(frames["relativities"]):
        found[f"relativities_{name}"] = charts.relativities(
            _labels(plan, name, list(part.level), lang),
            part.fitted,
            part.low,
            part.high,
            part.exposure,
            current=None if part.current.isna().any() else part.current,
            selected=part.used if name in axes else None,
            title=plan.label(name, lang),
            lang=lang,
        )
    for name, part in _by_factor(frames["actual_expected"]):
        found[f"actual_expected_{name}"] = charts.actual_expected(
            _labels(plan, name, [str(level) for level in part.level], lang),
            part.actual_yuan,
            part.expected_yuan,
            part.exposure,
            title=heading("Accident year", "事故年度", lang) if name == "year" else plan.label(name, lang),
            lang=lang,
        )
    if "lift" in frames:
        banded = frames["lift"]
        found["lift"] = charts.lift(banded.predicted, banded.actual, banded.exposure, lang=lang)
    if "gini" in frames and "lorenz" in frames:
        curve, index = frames["lorenz"], float(frames["gini"].value.iloc[0])
        found["lorenz"] = charts.lorenz(curve.exposure_share, curve.loss_share, gini=index, lang=lang)
    return found


def _by_factor(frame: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    return [(str(name), part) for name, part in frame.groupby("factor", sort=False)]


def _labels(plan: Plan, name: str, levels: list[str], lang: Lang) -> list[str]:
    return [plan.level_label(name, level, lang) for level in levels]


def _triangle(name: str, frame: pd.DataFrame, lang: Lang) -> dict[str, Chart]:
    ages = [column for column in frame.columns if column != "year"]
    origins = [str(year) for year in frame.year]
    values = frame[ages].to_numpy(dtype=np.float64)
    named = {"counts": ("claim counts", "赔案件数"), "incurred": ("incurred losses", "已报告赔款")}
    of = heading(*named[name], lang)
    factors = heading(f"Age-to-age factors, {of}", f"进展因子：{of}", lang)
    curves = heading(f"Development, {of}", f"进展曲线：{of}", lang)
    months = np.array(ages, dtype=np.float64)
    return {
        f"triangle_{name}": charts.triangle_heat_map(values, origins, ages, title=factors, lang=lang),
        f"development_{name}": charts.development_curves(values, origins, months, title=curves, lang=lang),
    }


def _severity(study: Study, lang: Lang) -> dict[str, Chart]:
    """Return the best severity fit against the claims, at a few hundred quantiles."""
    from ratemod.ratemaking.distribution import quantile, survival
    from ratemod.ratemaking.severity import fit_severity
    from ratemod.study.evidence import EXHIBITS

    fits = EXHIBITS["severity"](study)
    if fits is None or fits.empty or not np.isfinite(fits.aic.iloc[0]):
        return {}
    best = fits.iloc[0]
    loss = np.sort(study.data.claim_whole_yuan)
    place = np.unique(np.round(np.linspace(0, len(loss) - 1, min(len(loss), 300))).astype(np.int64))
    fitted = fit_severity(loss, best.family).severity
    share = (place + 0.5) / len(loss)
    return {
        "severity": charts.severity_fit(
            loss[place], quantile(fitted, share), 1 - share, survival(fitted, loss[place]), lang=lang
        )
    }
