"""Results of actuarial methods as documents: their frames as tables with labels and units, facts above them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ratemod.document.model import Blocks, Column, Document, Facts, Listing, Paragraph, Section, Table
from ratemod.errors import Lang, Problem, catalogue, text
from ratemod.ratemaking.bootstrap import QUANTILES, Bootstrap
from ratemod.ratemaking.development import Mack
from ratemod.ratemaking.triangle import holes

if TYPE_CHECKING:
    import pandas as pd

    from ratemod.ratemaking.rate_model import RateModel
    from ratemod.ratemaking.reserve import Reserve, Reserves
    from ratemod.ratemaking.severity import SeverityFit
    from ratemod.ratemaking.severity_fits import Losses, SeverityFits
    from ratemod.ratemaking.triangle_list import TriangleTable

AMOUNTS = ("latest", "ultimate", "unpaid", "standard_error", "limit", "deductible", "per_loss", "per_payment",
           *QUANTILES)  # fmt: skip
SHARES = ("cv", "z", "expected_ratio", "loss_elimination", "excess")
MOST = 30  # rows that a screen shows
UNITS: Mapping[str, str] = {**dict.fromkeys(AMOUNTS, "yuan"), **dict.fromkeys(SHARES, "share")}


def frame_table(
    frame: pd.DataFrame,
    title: str,
    lang: Lang,
    *,
    units: Mapping[str, str] = UNITS,
    total: Mapping[str, Any] | None = None,
    most: int | None = MOST,
) -> Table:
    """Return a frame as a table: labels from the messages, else the column's own name; counts whole, else 6 digits."""
    columns = []
    for at, name in enumerate(frame.columns):
        held = frame[name]
        kind = held.dtype.kind
        whole = kind in "iu" or (kind == "f" and bool((held.dropna() % 1 == 0).all()))
        unit = units.get(str(name)) or ("count" if whole else "factor" if kind == "f" else "")
        code = f"UI_method_{name}"
        label = text(code, lang) if code in catalogue() else str(name)
        cells = [None if kind == "f" and np.isnan(cell) else cell for cell in held.tolist()]
        below = None if total is None else text("UI_total", lang) if at == 0 else total.get(str(name))
        columns.append(Column(label=label, cells=cells, unit=unit, total=below))
    return Table(title=title, columns=tuple(columns), has_total=total is not None, most=most)


def facts_of(pairs: Mapping[str, Any], lang: Lang) -> Facts:
    """Return figures under their labels, six digits each."""
    said = [(text(f"UI_method_{name}", lang), _figure(value)) for name, value in pairs.items()]
    return Facts("", tuple(said))


def _figure(value: Any) -> str:
    if isinstance(value, list | tuple | np.ndarray):
        return "; ".join(_figure(part) for part in value)
    if isinstance(value, bool | str) or not isinstance(value, int | float | np.number):
        return str(value)
    return f"{value:,}" if isinstance(value, int | np.integer) else f"{value:,.6g}"


def told(problems: Iterable[Problem], lang: Lang) -> Blocks:
    """Return what was refused or must be known, one line each."""
    lines = tuple(dict.fromkeys(item.line(lang) for item in problems))
    return (Listing(lines),) if lines else ()


# What a method says beside its amounts.
FIGURES: Mapping[str, tuple[str, ...]] = {
    "clark": ("growth", "omega", "theta", "until", "dispersion"),
    "munich": ("slope",),
    "bootstrap": ("seed", "dispersion"),
}
MULTIPLIES = ("mack", "chain_ladder", "munich", "bootstrap")  # methods that make nothing of nothing


def reserves_document(made: Reserves, lang: Lang) -> Document:
    """Return what is unpaid, segment by segment (by origin, factors, triangle), and segments without an answer."""
    sections: list[Section] = []
    names = made.table.labels.segments
    for at, (name, one) in enumerate(made.found.items(), 1):
        triangle = made.table.segment(names.index(name))
        own = "" if len(names) == 1 else f"{name}: "
        for word, block in (
            ("unpaid", frame_table(one.frame(), "", lang, total=_totals(one), most=None)),
            ("factors", frame_table(one.factors(), "", lang, units={}, most=None)),
            ("triangle", frame_table(triangle.frame().drop(columns="segment"), "", lang,
                                     units=dict.fromkeys(triangle.labels.ages, "yuan"), most=None)),
        ):  # fmt: skip
            above: Blocks = (facts_of(_figures(one, lang), lang), *_notes(one, triangle, lang))
            blocks = (*above, block) if word == "unpaid" else (block,)
            sections.append(Section(f"{word}-{at}", own + text(f"UI_method_of_{word}", lang), blocks))
    title = text("UI_method_title_triangle", lang)
    bare = [name for name, cells in zip(made.table.labels.origins, np.moveaxis(made.table.values, 1, 0))
            if np.isnan(cells).all()]  # fmt: skip
    left = (Paragraph(text("UI_method_empty_origins", lang, origins=", ".join(bare)), "alarm"),) if bare else ()
    return Document(lang=lang, title=title, head=(*left, *told(made.refused, lang)), sections=tuple(sections))


def _totals(one: Reserve) -> dict[str, Any]:
    """Return the amounts of all origins together; what does not add up is the method's own."""
    sums: dict[str, Any] = {word: float(getattr(one, word).sum()) for word in ("latest", "ultimate", "unpaid")}
    error = one.total_standard_error
    if error is not None:
        sums |= {"standard_error": error, "cv": error / sums["unpaid"] if sums["unpaid"] else None}
    if isinstance(one.behind, Bootstrap):
        sums |= {name: one.behind.quantile(chance) for name, chance in QUANTILES.items()}
    return sums


def _figures(one: Reserve, lang: Lang) -> dict[str, Any]:
    figures: dict[str, Any] = {"method": text(f"UI_method_is_{one.method}", lang)}
    if one.curve is not None:
        figures |= {"tail_curve": text(f"UI_method_is_{one.curve.curve}", lang), "r_squared": one.curve.r_squared}
    figures |= {name: getattr(one.behind, name) for name in FIGURES.get(one.method, ())}
    if isinstance(one.behind, Bootstrap):
        figures["draws"] = len(one.behind.drawn)
    return figures | {"tail": float(one.to_ultimate[-1])}


def _notes(one: Reserve, triangle: TriangleTable, lang: Lang) -> Blocks:
    """Return what must be known before the amounts are used."""
    notes = []
    known = isinstance(one.behind, Mack) and one.behind.tail_se == one.behind.tail_sigma == 0
    if known and one.to_ultimate[-1] != 1:
        notes.append(text("UI_method_tail_known", lang))
    if missing := int(holes(triangle.values).sum()):
        notes.append(text("UI_method_holes", lang, n=missing))
    if one.method in MULTIPLIES and (bare := int((one.latest == 0).sum())):
        notes.append(text("UI_method_nothing_yet", lang, n=bare))
    return tuple(Paragraph(note, "alarm") for note in notes)


def credibility_document(frame: pd.DataFrame, lang: Lang) -> Document:
    """Return what `rm.credibility` found: the structure, then one row a firm; refused firms with their reasons."""
    structure = {
        str(name): value for name, value in frame.attrs.items() if name not in ("warnings", "warnings_in", "method")
    }
    method = text(f"UI_method_is_{frame.attrs['method']}", lang)
    warnings = tuple(frame.attrs["warnings_in"][lang])
    good, bad = frame[frame["code"] == ""], frame[frame["code"] != ""]
    head: Blocks = (facts_of({"method": method, **structure}, lang), *((Listing(warnings),) if warnings else ()))
    rows = frame_table(good.drop(columns=["code", "reason"]).astype({"periods": int}), "", lang)
    sections = [Section("estimates", text("UI_method_of_estimates", lang), (rows,))]
    if len(bad):
        sections.append(_refused(bad[["firm", "code", "reason"]], lang))
    return Document(lang=lang, title=text("UI_method_title_credibility", lang), head=head, sections=tuple(sections))


def severity_document(
    losses: Losses, found: SeverityFits, chosen: SeverityFit, layers: pd.DataFrame, limits: pd.DataFrame, lang: Lang
) -> Document:
    """Return the fits with how good they are, the parameters, layers and increased limits factors."""
    figures: dict[str, Any] = {"rows": losses.rows, "claims": found.claims, "censored": found.censored}
    if len(layers) or len(limits):
        figures["chosen"] = chosen.family
    fits = frame_table(found.frame(), "", lang, units={}, most=None)
    parameters = frame_table(found.parameters(), "", lang, units={}, most=None)
    head: Blocks = (facts_of(figures, lang), *told([*losses.refused, *(item for _, item in found.failed)], lang))
    sections = [
        Section("fits", text("UI_method_of_fits", lang), (Paragraph(text("UI_method_fits_note", lang), "soft"), fits)),
        Section("parameters", text("UI_method_of_parameters", lang), (parameters,)),
    ]
    for word, frame in (("layers", layers), ("limits", limits)):
        if len(frame):
            table = frame_table(frame, "", lang, most=None)
            sections.append(Section(word, text(f"UI_method_of_{word}", lang), (table,)))
    return Document(lang=lang, title=text("UI_method_title_severity", lang), head=head, sections=tuple(sections))


def model_document(model: RateModel, lang: Lang) -> Document:
    """Return a tariff: its base rate and statistics, relativities, tests of terms, coefficients, rows not used."""
    done, fit = model.rows.accounts, model.fit
    figures = {
        "family": fit.family.name,
        "base_rate": model.base_rate,
        "dispersion": fit.dispersion,
        "deviance": fit.deviance,
        "residual_df": int(fit.residual_df),
        "rows": done.rows,
        "rows_used": done.used,
        "rows_refused": done.refused,
        "rows_without_weight": done.without_weight,
    }
    if np.isfinite(fit.aic):
        figures["aic"] = fit.aic
    head: Blocks = (facts_of(figures, lang),)
    if done.refused:
        said = text("UI_method_refused_total", lang, total=f"{done.refused_total:,.6g}", rows=f"{done.refused:,}")
        head = (*head, Paragraph(said, "alarm"))
    relativities = model.frame()
    terms = fit.design.curves
    curves = [model.curve(item.name, level=0.95).iloc[::10].assign(factor=item.name) for item in terms
              if (item.name,) in fit.design.terms]  # fmt: skip
    parts: list[tuple[str, pd.DataFrame]] = [("relativities", relativities.drop(columns="log_standard_error"))]
    parts += [("curve", one[["factor", "value", "relativity", "low", "high"]]) for one in curves]
    parts += [("tests", model.tests()), ("coefficients", model.coefficients().reset_index())]
    sections = [
        Section(f"{word}-{at}", text(f"UI_method_of_{word}", lang), (frame_table(frame, "", lang, units={}),))
        for at, (word, frame) in enumerate(parts, 1)
        if len(frame)
    ]
    if done.refused:
        sections.append(_refused(model.refused, lang))
    return Document(lang=lang, title=text("UI_method_title_model", lang), head=head, sections=tuple(sections))


def _refused(frame: pd.DataFrame, lang: Lang) -> Section:
    shown = frame.copy()
    if "reason" in shown and "value" in shown:
        shown["reason"] = [text(code, lang) for code in shown["code"]]
        shown["value"] = [str(value) for value in shown["value"]]
    return Section("refused", text("UI_method_of_refused", lang), (frame_table(shown, "", lang, units={}),))
