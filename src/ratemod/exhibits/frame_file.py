"""A table of results as a file: Parquet for programs, CSV and Excel for people, whole or not at all."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from ratemod.exhibits.output import whole_file
from ratemod.exhibits.priced_columns import safe_text
from ratemod.exhibits.priced_csv import printed
from ratemod.exhibits.worksheet import new_sheet

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
CREATED = datetime(2020, 1, 1)


def write_frame(table: pa.Table, path: str | Path, *, sheet: str = "ratemod") -> Path:
    """Write a table as its file name's ending says: .parquet, .csv or .xlsx.

    Text that a spreadsheet could run gets an apostrophe in front in CSV, and is written as text in Excel.

    Raises
    ------
    BookError
        Those of `whole_file`.
    """
    target = Path(path)
    with whole_file(target) as part:
        if target.suffix.lower() == ".parquet":
            import pyarrow.parquet as pq

            pq.write_table(table, part, compression="zstd")
        elif target.suffix.lower() == ".csv":
            _csv(table, part)
        else:
            _workbook(table, part, sheet)
    return target


def _csv(table: pa.Table, part: Path) -> None:
    import pyarrow.csv as pa_csv

    names = [safe_text(name) for name in table.column_names]
    with open(part, "wb") as file:
        file.write(BYTE_ORDER_MARK)
        pa_csv.write_csv(pa.Table.from_arrays([printed(column) for column in table.columns], names=names), file)


def _workbook(table: pa.Table, part: Path, sheet: str) -> None:
    import xlsxwriter

    book = xlsxwriter.Workbook(str(part), {"constant_memory": True, "nan_inf_to_errors": False})
    page = new_sheet(book, sheet)
    bold = book.add_format({"bold": True})
    book.set_properties({"created": CREATED})  # not the clock: the same table gives the same bytes
    for at, name in enumerate(table.column_names):
        page.write_string(0, at, name, bold)
    columns = [
        pc.if_else(pc.is_nan(column), None, column) if pa.types.is_floating(column.type) else column
        for column in table.columns
    ]
    for row, cells in enumerate(zip(*(column.to_pylist() for column in columns)), 1):
        for at, cell in enumerate(cells):
            if cell is None:
                continue
            if isinstance(cell, bool | str) or not isinstance(cell, int | float):
                page.write_string(row, at, str(cell))
            else:
                page.write_number(row, at, cell)
    page.freeze_panes(1, 0)
    book.close()
