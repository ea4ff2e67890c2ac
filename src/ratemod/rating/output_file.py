"""The file that a run writes: Parquet, a row group a chunk, and its digest taken while it grows.

Encodings are chosen by what a column is: dictionaries where values are few, packed differences for whole fen (half
the time and two thirds of the bytes of compressing them), snappy for the rest, statistics only for the key.
"""

from __future__ import annotations

import hashlib
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from ratemod.plan.model import Plan
from ratemod.plan.op.judgement import Judgement
from ratemod.plan.op.look_up import Lookup

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ratemod.rating.pricer import Pricer
    from ratemod.rating.rated import Rated
    from ratemod.whole_file import FileSet

FEW = 4096  # cells of a table whose look-ups are worth a Parquet dictionary
READ = 1 << 20
SYNC = 64 << 20  # bytes after which they are handed to the disk, so that the end need not wait for all of them


class Output(Protocol):
    """Where priced chunks go: `OutputFile`, or the CSV of `ratemod.report.priced_csv`."""

    bytes: int
    sha256: str
    others: Mapping[str, Any]

    def made(self, rated: Rated, start: int) -> Any:
        """Return what is to be written of a chunk that begins at row `start` of the book."""

    def add(self, made: Any) -> None:
        """Write it."""

    def __enter__(self) -> Output: ...

    def __exit__(self, *_: object) -> None: ...


@dataclass(eq=False)
class OutputFile:
    """A Parquet file under way; a context, left only when its bytes are known.

    Attributes
    ----------
    files : FileSet
        What it is one of.
    target : Path
    bytes : int
    sha256 : str
        Of the finished file.
    others : mapping
        Further facts for the manifest.
    """

    files: FileSet
    pricer: Pricer
    target: Path
    bytes: int = 0
    sha256: str = ""
    others: Mapping[str, Any] = field(default_factory=dict)
    writer: Any = None
    follower: Follower | None = None
    path: Path = field(init=False)

    def made(self, rated: Rated, start: int) -> pa.Table:
        """Return what is to be written of a priced chunk; threads do that side by side."""
        return self.pricer.table(rated)

    def add(self, table: pa.Table) -> None:
        """Write a chunk as one row group."""
        if self.writer is None:
            import pyarrow.parquet as pq

            self.writer = pq.ParquetWriter(self.path, table.schema, **writing(table, self.pricer.program.plan))
            self.follower = Follower(self.path)
        self.writer.write_table(table, row_group_size=max(table.num_rows, 1))
        assert self.follower is not None
        self.follower.grown()

    def __enter__(self) -> OutputFile:
        self.path = self.files.new(self.target)
        return self

    def __exit__(self, *raised: object) -> None:
        try:
            if self.writer is not None:
                self.writer.close()
        finally:
            if self.follower is not None:
                self.bytes, self.sha256 = self.follower.end()
        if raised[0] is None and self.follower is not None and self.follower.error is not None:
            raise self.follower.error


@dataclass(eq=False)
class Follower:
    """Reads what was written, just behind the writer: for the digest, and to hand it to the disk."""

    path: Path
    more: threading.Event = field(default_factory=threading.Event)
    ended: bool = False
    error: OSError | None = None
    digest: Any = field(default_factory=hashlib.sha256)
    read: int = 0

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._follow, daemon=True)
        self.thread.start()

    def grown(self) -> None:
        """Say that there is more to read."""
        self.more.set()

    def end(self) -> tuple[int, str]:
        """Return bytes and digest of the file, which is closed by now."""
        self.ended = True
        self.more.set()
        self.thread.join()
        return self.read, self.digest.hexdigest()

    def _follow(self) -> None:
        try:
            with open(self.path, "rb", buffering=0) as file:
                synced, last = 0, False
                while not last:
                    self.more.wait()
                    self.more.clear()
                    last = self.ended
                    while part := file.read(READ):
                        self.digest.update(part)
                        self.read += len(part)
                    if self.read - synced >= SYNC:
                        os.fdatasync(file.fileno())
                        synced = self.read
        except OSError as error:
            self.error = error


def writing(table: pa.Table, plan: Plan) -> dict[str, Any]:
    """Return how Parquet is to be written, by what the columns are."""
    few = {
        step.name
        for step in plan.steps
        if isinstance(step.operation, Lookup | Judgement)
        and step.operation.table
        and len(plan.tables[step.operation.table].rows) <= FEW
    }
    coded = [column.name for column in table.schema if pa.types.is_dictionary(column.type) or column.name in few]
    packed = {name: "DELTA_BINARY_PACKED" for name in ("premium_fen", "fund_fen") if name in table.column_names}
    key = [plan.key] if plan.key in table.column_names else False
    return {"compression": "snappy", "use_dictionary": coded, "write_statistics": key, "column_encoding": packed}
