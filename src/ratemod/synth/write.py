"""Tables on disk, streamed: row groups of a fixed size, so that bytes do not depend on how blocks were batched."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from ratemod.rules.options import strict
from ratemod.synth import frame

Format = Literal["parquet", "csv"]
FORMATS: tuple[Format, ...] = ("parquet", "csv")
ROW_GROUP = 131_072


class Writer:
    """One growing file: takes tables of any length, writes row groups of `ROW_GROUP` rows.

    Notes
    -----
    Holds an open file, which is why it is a class; `close` or `abandon` it.
    """

    @strict
    def __init__(self, path: Path, format: Format, schema: Any) -> None:
        self.path = path
        self._rows = 0
        self._waiting: list[frame.Table] = []
        if format == "parquet":
            import pyarrow.parquet as pq

            low = [field.name for field in schema if str(field.type).startswith("dictionary")]
            self._sink: Any = pq.ParquetWriter(
                path, schema, compression="zstd", use_dictionary=low, write_statistics=True
            )
        else:
            import pyarrow.csv as pc

            self._sink = pc.CSVWriter(str(path), _plain_schema(schema))
        self._csv = format == "csv"

    def add(self, table: frame.Table) -> None:
        """Take some rows; whole row groups are written at once, the rest waits."""
        self._waiting.append(table)
        self._rows += table.num_rows
        if self._rows >= ROW_GROUP:
            import pyarrow as pa

            whole = pa.concat_tables(self._waiting)
            full = self._rows // ROW_GROUP * ROW_GROUP
            for start in range(0, full, ROW_GROUP):
                self._write(whole.slice(start, ROW_GROUP))
            self._waiting = [whole.slice(full)]
            self._rows -= full

    def close(self) -> None:
        """Write what waits and close the file."""
        if self._rows:
            import pyarrow as pa

            self._write(pa.concat_tables(self._waiting))
        self._waiting, self._rows = [], 0
        self._sink.close()

    def abandon(self) -> None:
        """Close and remove the unfinished file."""
        self._sink.close()
        self.path.unlink(missing_ok=True)

    def _write(self, table: frame.Table) -> None:
        table = table.combine_chunks()
        if self._csv:
            self._sink.write_table(table.cast(_plain_schema(table.schema)))
        else:
            self._sink.write_table(table, row_group_size=ROW_GROUP)


def _plain_schema(schema: Any) -> Any:
    """Return the schema with text instead of levels, as CSV holds it."""
    import pyarrow as pa

    return pa.schema(
        [pa.field(item.name, pa.string() if pa.types.is_dictionary(item.type) else item.type) for item in schema]
    )
