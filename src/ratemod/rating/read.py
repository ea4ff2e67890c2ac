"""Read a book with the columns of a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ratemod.plan.editions import load_plan
from ratemod.plan.model import Plan
from ratemod.reading.book import Book
from ratemod.reading.header import HeaderMap
from ratemod.reading.read import read_book as read_columns


def read_book(
    source: Any,
    plan: Plan | str | Path,
    *,
    header_map: HeaderMap | None = None,
    sheet: str | Sequence[str] | None = None,
    fills: Mapping[str, str] | None = None,
) -> Book:
    """Read a list of enterprises as the plan's columns.

    Parameters
    ----------
    source : path, several paths, a folder of lists, or any frame
        CSV (UTF-8, with or without BOM, or GB18030), Excel, Parquet; pandas, polars, DuckDB, Arrow; one row as a
        dictionary, or several.
    plan : Plan, or what `load_plan` takes
        Its columns say which headers, labels and aliases are understood.
    header_map : mapping, optional
        Header in the file -> column of the plan, for headers that no alias covers.
    sheet : str or several, optional
        Sheets of an Excel file; ``all`` takes hidden ones too.
    fills : mapping, optional
        Column, by name or label -> the value of its blank cells, or of all rows where the list lacks it.

    Raises
    ------
    BookError
        When the file cannot be read, or lacks columns, with every reason at once.
    """
    chosen = load_plan(plan) if isinstance(plan, str | Path) else plan
    return read_columns(source, chosen.columns, header_map=header_map, sheet=sheet, fills=fills)
