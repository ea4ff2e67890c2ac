"""What a study leaves behind: the edition's folder, a record that runs again to the same bytes, and the exhibits.

<folder>/<scheme>/<edition>/   plan.toml, tables, cases, NOTES.md
<folder>/study/record.json     inputs by digest, every judgement, every result
<folder>/study/*.csv           the exhibits
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ratemod.errors import BookError, ModelError, problem
from ratemod.plan.model import Case, Plan, Source
from ratemod.plan.write import edition_files
from ratemod.rating.cases import recomputed
from ratemod.study.accounts import refused_counts
from ratemod.study.notes import notes_of
from ratemod.version import VERSION
from ratemod.whole_file import whole_folder

if TYPE_CHECKING:
    from ratemod.study.fit import Study

RECORD = "study/record.json"


def edition_name(study: Study) -> str:
    """Return the edition's name: year and month of its first day.

    Examples
    --------
    >>> from types import SimpleNamespace as S
    >>> from datetime import date
    >>> edition_name(S(assumed=S(new_from=date(2026, 1, 1))))
    '2026-01'
    """
    return f"{study.assumed.new_from:%Y-%m}"


def source_of(study: Study) -> Source:
    """Return the study as a source of plan rows; a study of synthetic or example data ranks as derived."""
    name = f"study_{edition_name(study).replace('-', '_')}"
    inputs = ", ".join(f"{table} {digest[:12]}" for table, digest in sorted(study.digests.items()))
    kind = "Rate study on a SYNTHETIC history" if study.history.synthetic else "Rate study"
    return Source(
        name,
        f"{kind} for {study.plan.scheme}, policies from {study.assumed.new_from}: {RECORD} ({inputs})",
        "derived",
        study.assumed.new_from,
    )


def study_files(study: Study, edition: str | None = None) -> dict[str, str]:
    """Return every file of the study by path, so that they can be written or compared without touching a disk."""
    name = edition or edition_name(study)
    source = source_of(study)
    new = replace(study.rates.plan, edition=name)
    cases = [recompute(new, case, study.plan.edition) for case in new.cases]
    notes: dict[str, dict[int, str]] = {}
    for cell in study.rates.cells:
        if cell.reason != "not studied: kept":
            said = f"current {cell.current:f}; indicated {cell.indicated:.6g}; {cell.reason}"
            notes.setdefault(cell.table, {})[cell.row] = said
    plan_files = edition_files(
        new,
        edition=name,
        new_from=study.assumed.new_from,
        source=source,
        notes=notes_of(study, name),
        cases=cases,
        reasons=notes,
    )
    files = {f"{study.plan.scheme}/{name}/{path}": content for path, content in plan_files.items()}
    files[RECORD] = json.dumps(record_of(study), ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    for title, frame in study.frames().items():
        files[f"study/{title}.csv"] = frame.to_csv(index=False, lineterminator="\n", float_format="%.12g")
    return files


def recompute(plan: Plan, case: Case, before: str) -> Case:
    """Return a case with what the new edition gives for the same inputs, and words that say so."""
    found = recomputed(plan, case)
    same = found == dict(case.expect)
    said = case.source if same else f"inputs as in edition {before}; expected values computed in exact arithmetic"
    return replace(case, expect=found, source=said)


def record_of(study: Study) -> dict[str, Any]:
    """Return the study as data: enough to run it again, and to see that it gave the same."""
    rates = study.rates
    chosen = {
        cell.path: [str(cell.selected), cell.reason]
        for cell in rates.cells
        if cell.reason not in ("as indicated, off-balanced, rounded", "not studied: kept")
    }
    return {
        "ratemod": VERSION,
        "plan": study.plan.id,
        "inputs": dict(sorted(study.digests.items())),
        "synthetic": study.history.synthetic,
        "assumptions": study.assumed.plain(),
        "chosen": chosen,
        "exposure_step": study.base.step,
        "controls": list(study.controls),
        "valuation": str(study.data.valuation),
        "expenses": {**study.rates.loadings.variable, "profit": study.rates.loadings.profit},
        "trends": {name: {"rate": item.rate, "why": item.why} for name, item in study.trends.of.items()},
        "models": {
            name: {
                "family": fit.family.name,
                "terms": [":".join(term) for term in fit.design.terms],
                "names": list(fit.design.names),
                "coefficient": _numbers(fit.coefficient),
                "standard_error": _numbers(fit.standard_error),
                "dispersion": fit.dispersion,
                "deviance": fit.deviance,
                "iterations": fit.iterations,
            }
            for name, fit in study.model.fits.items()
        },
        "refused": dict(sorted(refused_counts(study).items())),
        "results": {
            "target_loss_ratio": rates.target,
            "reached_loss_ratio": rates.reached,
            "off_balance": rates.off_balance,
            "expected_losses_yuan": rates.expected_yuan,
            "full_premium_fen": rates.full_fen,
            "premium_fen": rates.premium_fen,
            "current_premium_fen": rates.current_premium_fen,
            "catastrophe_load": rates.catastrophe,
            "indicated_change": rates.indication.value,
            "indicated_interval": list(study.indicated_interval),
            "loss_ratio_interval": list(study.loss_ratio_interval),
            "standard_errors": dict(study.uncertainty.parts),
            "cells": [
                {
                    "path": cell.path,
                    "current": f"{cell.current:f}",
                    "indicated": cell.indicated,
                    "selected": f"{cell.selected:f}",
                    "reason": cell.reason,
                }
                for cell in rates.cells
            ],
        },
    }


def _numbers(values: Any) -> list[float]:
    return [float(value) for value in np.asarray(values)]


def write_study(
    study: Study, folder: Path, edition: str | None = None, extra: Mapping[str, bytes] | None = None
) -> Path:
    """Write a study whole or not at all; return the folder of the new edition.

    Parameters
    ----------
    folder : Path
        Made new. A folder that holds an earlier study is replaced; any other that is not empty is refused.
    edition : name of the edition; default year and month of its first day
    extra : further files by path, such as figures

    Raises
    ------
    ModelError
        RM596 a folder that holds something else, RM597 the system refuses to write.
    """
    target = Path(os.path.realpath(folder))
    if target.exists() and not (target.is_dir() and (not any(target.iterdir()) or (target / RECORD).is_file())):
        raise ModelError(problem("RM596", path=str(folder)))
    contents = {path: text.encode("utf-8") for path, text in study_files(study, edition).items()} | dict(extra or {})
    try:
        with whole_folder(target) as part:
            for path, content in sorted(contents.items()):
                (part / path).parent.mkdir(parents=True, exist_ok=True)
                (part / path).write_bytes(content)
    except BookError as error:
        why = "; ".join(item.line() for item in error.problems)
        raise ModelError(problem("RM597", path=str(folder), why=why)) from error
    return target / study.plan.scheme / (edition or edition_name(study))
