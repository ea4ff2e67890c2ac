"""An Arrow table as a table of a document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import pyarrow as pa

from ratemod.document.figures import unit_of
from ratemod.document.model import Column, Table

Values = Mapping[str, Mapping[str, str]]  # column -> code -> what it is called
NO_VALUES: Values = MappingProxyType({})
NO_UNITS: Mapping[str, str] = MappingProxyType({})


def arrow_table(
    table: pa.Table,
    title: str,
    labels: Sequence[str],
    *,
    values: Values = NO_VALUES,
    units: Mapping[str, str] = NO_UNITS,
    most: int | None = None,
) -> Table:
    """Return an Arrow table as a table of a document.

    Parameters
    ----------
    labels : (k,) what each column is called
    values : what codes are called
    units : of columns that their name and type do not tell, see `figures.unit_of`
    most : rows that a screen shows
    """
    columns = []
    for name, label in zip(table.column_names, labels, strict=True):
        cells = table[name].to_pylist()
        if name in values:
            cells = [values[name].get(cell, cell) for cell in cells]
        unit = "" if name in values else units.get(name) or unit_of(name, table[name])
        columns.append(Column(label=label, cells=cells, unit=unit))
    return Table(title=title, columns=tuple(columns), most=most)
