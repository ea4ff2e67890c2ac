"""Columns that a book lacks but that follow from others: sector, size class, term."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ratemod.errors import problem
from ratemod.reading.convert import MISSING_DATE, Coded
from ratemod.vocabulary.column import Column
from ratemod.vocabulary.level_codes import Codes

NEEDS: Mapping[str, tuple[str, ...]] = {
    "sector_from_industry_code": ("industry_code",),
    "size_class": ("industry_code", "staff", "revenue_yuan", "assets_yuan"),
    "term_days": ("start_date", "end_date"),
}


def derive(column: Column, coded: Mapping[str, Coded], columns: Mapping[str, Column], n: int) -> Coded:
    """Return a column derived from others; a row that it does not follow for has RM208.

    Parameters
    ----------
    column : Column
        Its `derive` names the derivation; its levels carry the derived codes.
    coded : mapping
        The converted columns of the book.
    columns : mapping
        The declared columns.
    n : int
        Number of rows.
    """
    needs = NEEDS[column.derive or ""]
    told = problem(
        "RM208",
        column=column.name,
        label=column.label("zh"),
        needs=", ".join(needs),
        needs_label="、".join(columns[name].label("zh") for name in needs),
    )
    if needs[0] not in coded or (column.derive == "term_days" and needs[1] not in coded):
        values = np.full(n, -1, column.code_type) if column.codes() else np.full(n, np.nan)
    elif column.derive == "term_days":
        start, end = (coded[name].values for name in needs)
        missing = (start == MISSING_DATE) | (end == MISSING_DATE)
        values = np.where(missing, np.nan, end.astype(np.float64) - start)
    else:
        values = _levels(column, coded, n)
    wrong = values < 0 if column.codes() else np.isnan(values)
    if column.optional or not wrong.any():
        return Coded(values, None, ())
    return Coded(values, wrong.astype(np.int32), (told,))


def _levels(column: Column, coded: Mapping[str, Coded], n: int) -> Codes:
    from ratemod.vocabulary.codes.industry import SECTORS, sector_of
    from ratemod.vocabulary.codes.size_class import SIZES, size_class

    codes = coded["industry_code"].values.to_pylist()
    if column.derive == "size_class":
        names: tuple[str, ...] = SIZES
        unknown = np.full(n, np.nan)
        measures = (coded[name].values if name in coded else unknown for name in NEEDS["size_class"][1:])
        found = size_class(codes, *measures)
    else:
        names = SECTORS
        found = sector_of(codes)
    place = np.array([*(column.place.get(name, -1) for name in names), -1], dtype=column.code_type)
    derived: Codes = place[np.asarray(found)]  # -1, not known, reads the last entry
    return derived
