"""Parquet to Parquet in memory that does not grow with rows: read, code, price and write, overlapping, in order.

Every core runs the same loop: read the next chunk, price it, write it when its turn has come. So no more chunks are in
memory than there are cores, and a slow disk slows the reading. Chunks are `CHUNK` rows of the book whatever the row
groups of the input, and each becomes one row group of the output, so that the bytes depend on the rows, the plan and
the language alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ratemod.errors import Lang, Problem
from ratemod.plan.editions import Business
from ratemod.plan.model import Plan
from ratemod.rating.across import Broken, Edges, broken, keys_of
from ratemod.rating.editions import load_one
from ratemod.rating.encode import identifiers
from ratemod.rating.identity import identity_of
from ratemod.rating.invariants import OutsideDates
from ratemod.rating.manifest import InputFile, Manifest, manifest_path, read_inputs, write_manifest
from ratemod.rating.output_file import Output, OutputFile
from ratemod.rating.parts import Parts, discard
from ratemod.rating.pricer import Pricer, needed, pricer_of, reasons
from ratemod.rating.rate import dating
from ratemod.rating.run import BLOCK
from ratemod.rating.summary import Cells, frame_of
from ratemod.rating.tally import Tally, tally
from ratemod.rating.turns import in_turns
from ratemod.reading.arrow import whole
from ratemod.reading.chunks import CHUNK, Chunked, Chunks, open_chunks
from ratemod.reading.header import HeaderMap, lexicon
from ratemod.reading.implied import with_implied
from ratemod.reading.near_headers import check_chunks_against_blanks
from ratemod.reading.read import TEXT_FILES
from ratemod.reading.receipt import Receipt
from ratemod.reading.text_chunks import open_text
from ratemod.reading.told import tell
from ratemod.reading.void_rows import check_chunks_for_void_rows
from ratemod.rules.options import strict
from ratemod.whole_file import FileSet, file_set

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Streamed:
    """What `rate_file` did.

    Attributes
    ----------
    plan : Plan
    target : Path
    tally : Tally
        Counts, sums, and how often each problem occurred.
    by : tuple of str
        The columns of the tally's groups.
    manifest : Path
    receipt : Receipt
        What was read and what was not.
    """

    plan: Plan
    target: Path
    tally: Tally
    by: tuple[str, ...]
    manifest: Path
    receipt: Receipt = field(default_factory=Receipt)

    @property
    def skipped(self) -> tuple[Problem, ...]:
        """What a reader of the list should know: rows left out, headers not used."""
        return self.receipt.remarks

    @property
    def counts(self) -> Mapping[str, int]:
        """Rows in all and by status."""
        return self.tally.counts

    def summary(self, by: Sequence[str] = ()) -> pd.DataFrame:
        """Return the totals by the columns that were asked for when the file was priced; see `Rated.summary`."""
        return frame_of(self.plan, by, self.totals(by))

    def totals(self, by: Sequence[str]) -> Cells:
        """Return the same without pandas, which takes longer to load than a list takes to price."""
        orders = [(*self.plan.columns[name].codes(), "") for name in by]
        ordered = sorted(self.tally.groups, key=lambda key: [order.index(part) for order, part in zip(orders, key)])
        return {key: self.tally.groups[key] for key in ordered}


@strict
def rate_file(
    source: str | Path,
    plan: Plan | str | Path,
    target: str | Path,
    *,
    at: date | str | None = None,
    business: Business = "new",
    outside_dates: OutsideDates | None = None,
    lang: Lang | None = None,
    trace: bool | Collection[str] = False,
    keep: Sequence[str] = (),
    header_map: HeaderMap | None = None,
    by: Sequence[str] = (),
    threads: int | None = None,
    block: int = BLOCK,
    chunk: int = CHUNK,
    resume: bool = False,
    tick: Callable[[int, int], None] | None = None,
) -> Streamed:
    """Price a Parquet or text file, or a folder of Parquet files, into a Parquet file, in memory that does not grow.

    Parameters
    ----------
    source : path of a Parquet file, of a folder of them (``name=value`` folders become columns), or of a CSV file
    plan, at, business, outside_dates, lang : as for `rate`
    target : path of a Parquet file
    trace : bool or names of steps
        False keeps the plan's headline steps, True every step, names just those.
    keep : headers
        Further columns of the book to carry along. The key, the units of checks across rows and the insurer always are.
    header_map : mapping, optional
        Header in the file -> column of the plan.
    by : names of level columns
        What `Streamed.summary` is split by.
    threads, block : int
        The bytes written do not depend on them.
    chunk : int
        Rows priced at a time, and of a row group of the output.
    resume : bool
        Keep finished chunks beside the target until the run is done, and go on from those of a run that was stopped.
    tick : function, optional
        Called with rows done and rows in all.

    Returns
    -------
    Streamed

    Raises
    ------
    PlanError
        When the plan cannot be used.
    BookError
        RM340 to RM347: a file that cannot be read or written, a row group, a changed schema, a plan of several lines.
        Nothing is left under the target's name then but what was there before.

    Notes
    -----
    A manifest stands beside the target (``<target>.manifest.json``); `verify` checks one against the other.
    """
    held = dating(plan, outside_dates, business)
    chosen = plan if isinstance(plan, Plan) else load_one(plan, at, business)
    chunks = open_book(source, chosen, header_map=header_map, keep=keep, size=chunk)
    pricer = pricer_of(chosen, chunks, trace=trace, keep=keep, by=by, lang=lang, block=block, dating=held)
    return rate_book(chunks, pricer, Path(target), OutputFile, threads=threads, resume=resume, tick=tick)


def open_book(
    source: str | Path,
    plan: Plan,
    *,
    header_map: HeaderMap | None = None,
    keep: Sequence[str] = (),
    size: int = CHUNK,
) -> Chunked:
    """Return the chunks of a text file, of a Parquet file, or of a folder of them, with the plan's columns.

    Raises
    ------
    BookError
        As `open_text` and `open_chunks`; RM265 a header with values that may mean a column which is there and blank,
        RM694 rows that the book says are void.
    """
    if Path(source).suffix.lower() not in TEXT_FILES:
        return open_parquet(source, plan, header_map=header_map, keep=keep, size=size)
    chunks = open_text(source, plan.columns, header_map=header_map, keep=keep, size=size)
    words = lexicon(with_implied(plan.columns), header_map)
    check_chunks_against_blanks(chunks, words)
    check_chunks_for_void_rows(chunks, words)
    return chunks


def open_parquet(
    source: str | Path,
    plan: Plan,
    *,
    header_map: HeaderMap | None = None,
    keep: Sequence[str] = (),
    size: int = CHUNK,
) -> Chunks:
    """Return the chunks of a Parquet file, or of a folder of them, with the plan's columns; raises as `open_book`."""
    chunks = open_chunks(
        source, plan.columns, header_map=header_map, keep=keep, few=reasons(plan), stale=plan.step_names, size=size
    )
    words = lexicon(with_implied(plan.columns), header_map)
    check_chunks_against_blanks(chunks, words)
    check_chunks_for_void_rows(chunks, words)
    return chunks


def rate_book(
    chunks: Chunked,
    pricer: Pricer,
    path: Path,
    output: Callable[[FileSet, Pricer, Path], Output],
    *,
    threads: int | None = None,
    resume: bool = False,
    tick: Callable[[int, int], None] | None = None,
) -> Streamed:
    """Price a whole book in chunks into one output, which `output` opens."""
    plan = pricer.program.plan
    with own_pool(), ThreadPoolExecutor(1) as beside:
        reading = beside.submit(read_inputs, chunks)
        if not resume:  # most books are in the order of their keys: look while pricing, and not in a pass before
            with suppress(Unsorted):
                return rate_chunks(chunks, pricer, path, None, reading, output, threads=threads, tick=tick)
        across = broken(plan, chunks, path.resolve().parent)
        return rate_chunks(chunks, pricer, path, across, reading, output, threads=threads, resume=resume, tick=tick)


@contextmanager
def own_pool() -> Iterator[None]:
    """Let Arrow allocate from jemalloc meanwhile, where it is built in.

    Arrow's usual pool gives pages back at once, to get them anew; the C library's keeps them in pieces, and more of
    them the more rows there are.
    """
    before = pa.default_memory_pool()
    if "jemalloc" in pa.supported_memory_backends():
        pa.set_memory_pool(pa.jemalloc_memory_pool())
    try:
        yield
    finally:
        pa.set_memory_pool(before)


class Unsorted(Exception):
    """Keys do not ascend, so that checks across rows need a pass of their own."""


def rate_chunks(
    chunks: Chunked,
    pricer: Pricer,
    path: Path,
    across: Sequence[Broken] | None,
    inputs: Sequence[InputFile] | Future[tuple[InputFile, ...]],
    output: Callable[[FileSet, Pricer, Path], Output] = OutputFile,
    *,
    start: int = 0,
    threads: int | None = None,
    resume: bool = False,
    tick: Callable[[int, int], None] | None = None,
) -> Streamed:
    """Price chunks, whose first row is row `start` of the book, into one file with its manifest.

    Without `across`, keys are held to ascend: Unsorted is raised where they do not.
    Digests of the `inputs` may still be under way: they are needed for the manifest, and to resume.
    """
    plan, workers = pricer.program.plan, threads or os.cpu_count() or 1
    parts = Parts.open(path, identity_of(chunks, pricer, _settled(inputs), across or ())) if resume else None
    if parts is None:
        discard(path)
    try:
        with file_set() as files:
            read_as = chunks
            chunks = needed(plan, chunks, pricer.keys) if output is OutputFile else chunks
            run = Run(chunks, pricer, across, start, workers, parts, tick)
            with output(files, pricer, path) as out:
                total = run.into(out)
            read = _settled(inputs)
            if len(read) == 1:  # rows of a text file are known only now
                read = [replace(read[0], rows=total.rows)]
            identity = identity_of(read_as, pricer, read, across or ())
            write_manifest(Manifest.of(plan, read, out, path.name, total, identity), files.new(manifest_path(path)))
        if parts is not None:
            parts.remove()
    finally:
        if parts is not None:
            parts.close()
    receipt = chunks.receipt()
    tell(receipt)
    return Streamed(plan, path, total, pricer.by, manifest_path(path), receipt)


def _settled(inputs: Sequence[InputFile] | Future[tuple[InputFile, ...]]) -> Sequence[InputFile]:
    return inputs.result() if isinstance(inputs, Future) else inputs


@dataclass(frozen=True, eq=False)
class Run:
    """The chunks of a book on their way into one file.

    Attributes
    ----------
    across : sequence of Broken, or None
        None while keys are held to ascend.
    start : int
        Row of the book that the first chunk begins at.
    """

    chunks: Chunked
    pricer: Pricer
    across: Sequence[Broken] | None
    start: int
    workers: int
    parts: Parts | None
    tick: Callable[[int, int], None] | None

    def into(self, out: Output) -> Tally:
        """Write every chunk in order: finished ones from the parts of a stopped run, the others priced."""
        total, done = Tally(), 0

        def add(made: Any, found: Tally) -> None:
            nonlocal total
            out.add(made)
            total = total.plus(found)
            if self.tick is not None:
                self.tick(total.rows, self.chunks.n)

        while self.parts is not None and (kept := self.parts.load(done)) is not None:
            add(*kept)
            done += 1
        last: list[Edges] = []

        def finish(found: tuple[Any, Tally, list[Edges]]) -> None:
            nonlocal last
            made, own, edges = found
            if not all(one.before(other) for one, other in zip(last, edges)):
                raise Unsorted
            last = edges
            add(made, own)

        tables = self.chunks.tables(done * self.chunks.size, threads=self.workers > 2)
        in_turns(enumerate_closing(tables, done), lambda item: self._priced(item, out), finish, self.workers)
        return total

    def _priced(self, item: tuple[int, pa.Table], out: Output) -> tuple[Any, Tally, list[Edges]]:
        at, table = item
        start = self.start + at * self.chunks.size
        for name in self.pricer.keys:  # of two row groups: joined once, and not by everyone who reads them
            if table[name].num_chunks > 1:
                table = table.set_column(table.column_names.index(name), name, whole(table[name]))
        keys = keys_of(self.pricer.program.plan, self.chunks) if self.across is None else ()
        edges = [Edges.of(identifiers(table[name])) for name in keys]
        if any(one.ends is None for one in edges):
            raise Unsorted
        rated = self.pricer.rated(self.chunks.book(table), self.across or (), start)
        result = out.made(rated, start), tally(rated, self.pricer.by)
        if self.parts is not None:
            self.parts.save(at, *result)
        return *result, edges


def enumerate_closing(tables: Iterator[pa.Table], start: int) -> Iterator[tuple[int, pa.Table]]:
    """Number the chunks; closing this closes what reads them."""
    try:
        yield from enumerate(tables, start)
    finally:
        close = getattr(tables, "close", None)
        if close is not None:
            close()
