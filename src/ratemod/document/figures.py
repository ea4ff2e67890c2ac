"""How a figure is said: one rule for pages, terminals and workbooks, by what the column measures.

Amounts are yuan, shares per cent, scores have one decimal, and what counts is a whole number, also where it was
computed as a float.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ratemod.errors import Lang, text
from ratemod.money import to_yuan
from ratemod.printed import clean
from ratemod.vocabulary.table import words

NOTHING = "—"
# What a unit looks like: in words, and as Excel writes it.
SHAPES: Mapping[str, tuple[str, str]] = {
    "fen": ("{:,.2f}", "#,##0.00"),
    "yuan": ("{:,.2f}", "#,##0.00"),
    "share": ("{:.1%}", "0.0%"),
    "score": ("{:.1f}", "0.0"),
    "ratio": ("{:.2f}", "0.00"),
    "factor": ("{:.6g}", "General"),
    "count": ("{:,.0f}", "#,##0"),
    "change": ("{:+.2%}", "+0.00%;-0.00%;0.00%"),
    "edge": ("{:+.1%}", "+0.0%;-0.0%;0.0%"),  # where a band of changes begins or ends; none where it does not
    "number": ("{:,.4g}", "General"),
    "label": ("{}", "0"),  # a year, a place in a list: a number that is a name
}
# Figures that are results, so that no shared table declares them.
RESULTS: Mapping[str, str] = {
    **dict.fromkeys(("chance", "chance_first", "weight"), "share"),
    **dict.fromkeys(("assessed_score", "points", "score_mean", "contribution"), "score"),
    **dict.fromkeys(("year", "fund_year"), "label"),
    "p_value": "factor",
}
DECLARED: Mapping[str, str] = {"factor": "factor", "share": "share", "score": "score"}


def unit_of(name: str, column: pa.ChunkedArray) -> str:
    """Return what a column measures: a key of `SHAPES`, or "" where it holds no numbers.

    Examples
    --------
    >>> unit_of("numerator", pa.chunked_array([[44.0, 2.0]])), unit_of("numerator", pa.chunked_array([[44.5, 2.0]]))
    ('count', 'ratio')
    >>> unit_of("delivered_share", pa.chunked_array([[1.0]])), unit_of("paid_fen", pa.chunked_array([[100]]))
    ('share', 'fen')
    """
    if pa.types.is_boolean(column.type) or not (
        pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_decimal(column.type)
    ):
        return ""
    for ending, unit in (("_fen", "fen"), ("_yuan", "yuan"), ("_share", "share")):
        if name.endswith(ending):
            return unit
    if name in RESULTS:
        return RESULTS[name]
    declared = DECLARED.get(words()[name].unit or "") if name in words() else None
    if declared:
        return declared
    return "count" if pa.types.is_integer(column.type) or _whole(column) else "ratio"


def _whole(column: pa.ChunkedArray) -> bool:
    return bool(pc.all(pc.equal(column, pc.round(column)), min_count=0).as_py())


def said(value: Any, unit: str, lang: Lang) -> str:
    """Return a value in words.

    Examples
    --------
    >>> said(44.0, "count", "zh"), said(1234567, "fen", "zh"), said(0.5, "share", "en"), said(None, "count", "en")
    ('44', '12,345.67', '50.0%', '—')
    """
    if value is None or value != value:
        return NOTHING
    if isinstance(value, bool):
        return text("UI_report_yes" if value else "UI_report_no", lang)
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return ""
    if unit:
        return SHAPES[unit][0].format(to_yuan(value) if unit == "fen" else value)
    return value.isoformat() if isinstance(value, datetime.date) else clean(str(value))
