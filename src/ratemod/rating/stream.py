"""Parquet to Parquet in memory that does not grow with rows: read, code, price and write, overlapping, in order.

One thread decodes ahead, workers price a chunk each, the caller's thread encodes and writes. Every queue is bounded, so
that a slow disk slows the reading. Chunks are `CHUNK` rows of the book whatever the row groups of the input, and each
becomes one row group of the output, so that the bytes depend on the rows, the plan and the language alone.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

from ratemod.book.book import Book
from ratemod.book.derive import NEEDS
from ratemod.errors import BookError, Lang, default_language, nearest, problem
from ratemod.plan.editions import Business, load_plan
from ratemod.plan.model import Plan, conditions_of, names_in, names_in_condition
from ratemod.rating.across import Broken, Edges, broken, keys_of
from ratemod.rating.block import Block
from ratemod.rating.chunks import CHUNK, Chunks, ahead, open_chunks, whole
from ratemod.rating.encode import prepare
from ratemod.rating.fast import Program, compile_plan
from ratemod.rating.manifest import InputFile, Manifest, manifest_path, read_inputs, write_manifest
from ratemod.rating.parts import Parts
from ratemod.rating.rate import kept_steps, price
from ratemod.rating.rated import Rated
from ratemod.rating.run import BLOCK
from ratemod.rating.tally import Tally, tally
from ratemod.whole_file import whole_file

if TYPE_CHECKING:
    import pandas as pd

FEW = 4096  # cells of a table whose look-ups are worth a Parquet dictionary
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, eq=False)
class Pricer:
    """What prices chunks: a compiled plan, the columns to carry, and working memory that chunks share.

    Attributes
    ----------
    keys : mapping of name to pyarrow type
        Columns of the book that go to the output.
    steps : tuple of str
    by : tuple of str
        Level columns that the tally is split by.
    """

    program: Program
    keys: Mapping[str, pa.DataType]
    steps: tuple[str, ...]
    lang: Lang
    by: tuple[str, ...] = ()
    block: int = BLOCK
    memory: list[Block] = field(default_factory=list)

    def rated(self, book: Book, across: Sequence[Broken] = (), start: int = 0) -> Rated:
        """Price one chunk that begins at row `start` of the book."""
        plan, n = self.program.plan, book.table.num_rows
        coding = prepare(book, plan)
        doubts = [doubt for item in across if (doubt := item.doubt(start, n)) is not None]
        outputs, verdict = price(coding, self.program, self.steps, lambda: doubts, 1, self.block, self.memory)
        return Rated(plan, book, coding, outputs, verdict, self.lang)

    def table(self, rated: Rated) -> pa.Table:
        """Return the output columns of a priced chunk."""
        own = rated.book.table
        columns = {name: _plain(own[name], kind) for name, kind in self.keys.items()} | rated.results()
        return pa.Table.from_arrays(list(columns.values()), names=list(columns))


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
    """

    plan: Plan
    target: Path
    tally: Tally
    by: tuple[str, ...]
    manifest: Path

    @property
    def counts(self) -> Mapping[str, int]:
        """Rows in all and by status."""
        return self.tally.counts

    def summary(self, by: Sequence[str] = ()) -> pd.DataFrame:
        """Return the totals by the columns that were asked for when the file was priced; see `Rated.summary`."""
        from ratemod.rating.summary import frame_of

        return frame_of(self.plan, tuple(by), self.tally.groups)


def rate_file(
    source: str | Path,
    plan: Plan | str | Path,
    target: str | Path,
    *,
    at: date | str | None = None,
    business: Business = "new",
    lang: Lang | None = None,
    trace: bool | Collection[str] = False,
    keep: Sequence[str] = (),
    header_map: Mapping[str, str] | None = None,
    by: Sequence[str] = (),
    threads: int | None = None,
    block: int = BLOCK,
    chunk: int = CHUNK,
    resume: bool = False,
    tick: Callable[[int, int], None] | None = None,
) -> Streamed:
    """Price a Parquet file, or a folder of them, into a Parquet file, in memory that does not grow with rows.

    Parameters
    ----------
    source : path of a Parquet file, or of a folder of them (``name=value`` folders become columns)
    plan, at, business, lang : as for `rate`
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
    chosen = plan if isinstance(plan, Plan) else load_plan(plan, at, business)
    chunks = open_chunks(source, chosen.columns, header_map=header_map, keep=keep, few=reasons(chosen), size=chunk)
    pricer = pricer_of(chosen, chunks, trace=trace, keep=keep, by=by, lang=lang, block=block)
    path = Path(target)
    with ThreadPoolExecutor(1) as beside:
        reading = beside.submit(read_inputs, chunks)
        if not resume:  # most books are in the order of their keys: look while pricing, and not in a pass before
            with suppress(Unsorted):
                return rate_chunks(chunks, pricer, path, None, reading, threads=threads, tick=tick)
        across = broken(chosen, chunks, path.resolve().parent)
        return rate_chunks(chunks, pricer, path, across, reading, threads=threads, resume=resume, tick=tick)


class Unsorted(Exception):
    """Keys do not ascend, so that checks across rows need a pass of their own."""


def pricer_of(
    plan: Plan,
    chunks: Chunks,
    *,
    trace: bool | Collection[str] = False,
    keep: Sequence[str] = (),
    by: Sequence[str] = (),
    lang: Lang | None = None,
    block: int = BLOCK,
) -> Pricer:
    """Return what prices the chunks of a book.

    Raises
    ------
    BookError
        RM344 the plan rolls lines up to policies; RM322 an unknown step or column.
    """
    program = compile_plan(plan)
    if program.whole:
        raise BookError(problem("RM344", plan=plan.id))
    steps = kept_steps(plan, trace)
    if trace is False:  # the premium and the fund stand there in fen
        steps = tuple(name for name in steps if name not in (plan.premium, plan.fund))
    wrong = [name for name in by if name not in plan.columns or not plan.columns[name].codes()]
    if wrong:
        raise BookError(problem("RM322", name=name, nearest=nearest(name, plan.columns)) for name in wrong)
    kept = [name for header, name in chunks.names.items() if "all" in keep or header in keep]
    kinds = chunks.kinds()
    keys = {name: kinds[name] for name in (*carried(plan, chunks), *kept)}
    if "insurer" in keys:
        keys["insurer"] = pa.dictionary(pa.int32(), pa.string())
    return Pricer(program, keys, steps, lang or default_language(), tuple(by), block)


def rate_chunks(
    chunks: Chunks,
    pricer: Pricer,
    path: Path,
    across: Sequence[Broken] | None,
    inputs: Sequence[InputFile] | Future[tuple[InputFile, ...]],
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
    with whole_file(path) as part:
        parts = Parts.open(path, _settled(inputs), pricer, across or ()) if resume else None
        chunks = needed(plan, chunks, pricer.keys)
        total = _write(part, _priced(chunks, pricer, across, start, workers, parts), pricer, chunks.n, tick)
        manifest = Manifest.of(plan, _settled(inputs), part, path.name, total, pricer.steps, pricer.by, pricer.lang)
    write_manifest(manifest, manifest_path(path))
    if parts is not None:
        parts.remove()
    return Streamed(plan, path, total, pricer.by, manifest_path(path))


def reasons(plan: Plan) -> tuple[str, ...]:
    """Return the text columns that hold an underwriter's reasons: few are ever written."""
    return tuple(step.reason for step in plan.steps if step.reason)


def needed(plan: Plan, chunks: Chunks, keys: Collection[str]) -> Chunks:
    """Return the chunks without texts that nothing uses: of text alone nothing can be wrong."""
    used = {name for step in plan.steps for name in names_in(step)} | set(keys)
    used |= {name for condition in conditions_of(plan) for name in names_in_condition(condition)}
    used |= {name for check in plan.checks for name in (check.of, check.by)}
    used |= {name for column in plan.columns.values() if column.derive for name in NEEDS[column.derive]}
    texts = {name for name in chunks.texts() if name in plan.columns and plan.columns[name].kind == "text"}
    return chunks.only([name for name in chunks.names.values() if name in used or name not in texts])


def _settled(inputs: Sequence[InputFile] | Future[tuple[InputFile, ...]]) -> Sequence[InputFile]:
    return inputs.result() if isinstance(inputs, Future) else inputs


def carried(plan: Plan, chunks: Chunks) -> tuple[str, ...]:
    """Return the columns of the book that every output carries: its key, what checks compare within, the insurer."""
    names = [plan.key or "", *(check.of if check.kind == "unique" else check.by for check in plan.checks), "insurer"]
    return tuple(dict.fromkeys(name for name in names if name in chunks.names.values()))


def _priced(
    chunks: Chunks, pricer: Pricer, across: Sequence[Broken] | None, start: int, workers: int, parts: Parts | None
) -> Iterator[tuple[pa.Table, Tally]]:
    """Yield the output of every chunk in order: finished ones from the parts of a stopped run, the others priced."""
    done = 0
    while parts is not None and (found := parts.load(done)) is not None:
        yield found
        done += 1

    keys = keys_of(pricer.program.plan, chunks) if across is None else ()

    def work(item: tuple[int, pa.Table]) -> tuple[pa.Table, Tally, list[Edges]]:
        at, table = item
        edges = [Edges.of(table[name]) for name in keys]
        if any(one.ends is None for one in edges):
            raise Unsorted
        rated = pricer.rated(chunks.book(table), across or (), start + at * chunks.size)
        result = pricer.table(rated), tally(rated, pricer.by)
        if parts is not None:
            parts.save(at, *result)
        return *result, edges

    tables = ahead(chunks.tables(done * chunks.size, threads=workers > 1), 1)
    last: list[Edges] = []
    for found_table, found_tally, edges in in_order(work, enumerate(tables, done), workers):
        if not all(one.before(other) for one, other in zip(last, edges)):
            raise Unsorted
        last = edges
        yield found_table, found_tally


def in_order(work: Callable[[T], R], items: Iterator[T], workers: int) -> Iterator[R]:
    """Yield what `work` makes of each item, in order, by threads; one item more than workers is under way at most."""
    waiting: deque[Future[R]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                del item
                if len(waiting) > workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
            close = getattr(items, "close", None)
            if close is not None:
                close()


def _write(
    path: Path,
    priced: Iterator[tuple[pa.Table, Tally]],
    pricer: Pricer,
    n: int,
    tick: Callable[[int, int], None] | None,
) -> Tally:
    import pyarrow.parquet as pq

    total, writer = Tally(), None
    try:
        for table, part in priced:
            if writer is None:
                writer = pq.ParquetWriter(path, table.schema, **writing(table, pricer.program.plan))
            writer.write_table(table, row_group_size=table.num_rows)
            total = total.plus(part)
            if tick is not None:
                tick(total.rows, n)
    finally:
        if writer is not None:
            writer.close()
    return total


def writing(table: pa.Table, plan: Plan) -> dict[str, Any]:
    """Return how Parquet is to be written: dictionaries only where values are few, statistics only for the key."""
    few = {
        step.name
        for step in plan.steps
        if step.op in ("lookup", "judgement") and step.table and len(plan.tables[step.table].rows) <= FEW
    }
    coded = [column.name for column in table.schema if pa.types.is_dictionary(column.type) or column.name in few]
    key = [plan.key] if plan.key in table.column_names else False
    return {"compression": "snappy", "use_dictionary": coded, "write_statistics": key}


def _plain(column: pa.ChunkedArray, kind: pa.DataType) -> pa.Array:
    """Return a column of the book as the output carries it, free of how the file stored it."""
    array = whole(column)
    if pa.types.is_dictionary(kind):
        return array.cast(kind.value_type).dictionary_encode()
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    return array if array.type == kind else array.cast(kind)
