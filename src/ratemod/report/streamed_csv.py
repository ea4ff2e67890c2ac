"""A book priced into CSV in bounded memory: the very bytes that `write_priced_csv` gives, chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa

from ratemod.document.csv_file import BYTE_ORDER_MARK
from ratemod.errors import Lang
from ratemod.plan.editions import Business
from ratemod.plan.model import Plan
from ratemod.rating.invariants import Dating, OutsideDates
from ratemod.rating.manifest import digest
from ratemod.rating.pricer import Pricer, pricer_of
from ratemod.rating.rate import kept_steps
from ratemod.rating.rated import Rated
from ratemod.rating.run import BLOCK
from ratemod.rating.stream import Streamed, open_book, rate_book
from ratemod.rating.target import refused_path
from ratemod.reading.chunks import CHUNK
from ratemod.reading.header import HeaderMap
from ratemod.report.priced_columns import Shown, priced_view, refused_view
from ratemod.report.priced_csv import body, headers
from ratemod.whole_file import FileSet

Printed = tuple[tuple[pa.Buffer, pa.Buffer], tuple[pa.Buffer, pa.Buffer]]  # headers and rows, priced and refused


@dataclass(eq=False)
class CsvOutput:
    """Two CSV files under way: the priced rows at a temporary name, the others likewise beside the target."""

    set: FileSet
    pricer: Pricer
    target: Path
    lang: Lang
    bytes: int = 0
    sha256: str = ""
    others: Mapping[str, Any] = field(default_factory=dict)
    files: list[BinaryIO] = field(default_factory=list)
    stack: ExitStack = field(default_factory=ExitStack)

    def made(self, rated: Rated, start: int) -> Printed:
        """Return a chunk as lines of both files."""
        if rated.book.rows is None:  # a Parquet file: rows count through the whole of it
            rows = np.arange(start + 1, start + 1 + rated.coding.n)
            rated = replace(rated, book=replace(rated.book, rows=rows))
        return _printed(priced_view(rated, self.lang)), _printed(refused_view(rated, self.lang))

    def add(self, made: Printed) -> None:
        """Write the lines of a chunk."""
        for file, (head, rows) in zip(self.files, made):
            if not file.tell():
                file.write(BYTE_ORDER_MARK)
                file.write(head)
            file.write(rows)

    def __enter__(self) -> CsvOutput:
        self.refused, self.path = self.set.new(refused_path(self.target)), self.set.new(self.target)
        self.files = [self.stack.enter_context(path.open("wb")) for path in (self.path, self.refused)]
        return self

    def __exit__(self, *raised: Any) -> None:
        if raised[0] is None:
            for file in self.files:
                file.flush()
            self.bytes, self.sha256 = self.path.stat().st_size, digest(self.path)
            name = refused_path(self.target).name
            self.others = {"refused": {"name": name, "sha256": digest(self.refused)}}
        self.stack.__exit__(*raised)


def _printed(shown: tuple[Shown, ...]) -> tuple[pa.Buffer, pa.Buffer]:
    return headers(shown), body(shown)


def rate_to_csv(
    source: str | Path,
    plan: Plan,
    target: str | Path,
    *,
    lang: Lang,
    trace: bool | Collection[str] = False,
    business: Business = "new",
    outside_dates: OutsideDates = "remark",
    header_map: HeaderMap | None = None,
    by: Sequence[str] = (),
    threads: int | None = None,
    block: int = BLOCK,
    chunk: int = CHUNK,
    tick: Callable[[int, int], None] | None = None,
) -> Streamed:
    """Price a Parquet or text file into a CSV of the priced rows and one of the others beside it, in bounded memory.

    Parameters
    ----------
    source, plan, business, outside_dates, lang, trace, header_map, by, threads, block, chunk, tick : as for `rate_file`
    target : path of the CSV

    Returns
    -------
    Streamed

    Raises
    ------
    BookError
        As `rate_file`.
    """
    path = Path(target)
    chunks = open_book(source, plan, header_map=header_map, keep=("all",), size=chunk)
    held = Dating(outside_dates, business)
    pricer = pricer_of(plan, chunks, trace=trace, by=by, lang=lang, block=block, dating=held)
    pricer = replace(pricer, steps=kept_steps(plan, trace))
    output = partial(CsvOutput, lang=lang)
    return rate_book(chunks, pricer, path, output, threads=threads, tick=tick)
