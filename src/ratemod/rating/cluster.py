"""Pricing a batch on its own, so that any engine which maps Arrow batches can price a book of any size.

A batch knows nothing of other batches. What a plan checks across rows (keys that repeat, values that differ within a
unit) is therefore found by the engine beforehand, as `broken_keys` says, and handed to every batch.
Everything else of a row depends on the row alone: so rows come out as on a single machine, to the byte.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ratemod.errors import BookError, Lang, problem
from ratemod.plan.model import Check, Plan
from ratemod.rating.across import Broken
from ratemod.rating.encode import prepare
from ratemod.rating.fast import compile_plan
from ratemod.rating.pricer import Pricer
from ratemod.rating.rate import kept_steps
from ratemod.reading.arrow import filled_with, whole
from ratemod.reading.book import Book
from ratemod.reading.header import checked, lexicon, match
from ratemod.rules.options import strict

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Keys = Mapping[str, frozenset[str]]  # name of a check -> the keys whose rows break it


@dataclass(frozen=True, eq=False, slots=True)
class Broadcast:
    """What every worker needs: a plan by its fingerprint, what to write, and the keys that break checks."""

    plan: Plan
    fingerprint: str
    steps: tuple[str, ...]
    carry: tuple[str, ...]
    lang: Lang
    broken: Keys = field(default_factory=dict)


@strict
def rate_batch(
    plan: Plan,
    batch: pa.RecordBatch,
    *,
    steps: Sequence[str] | None = None,
    carry: Sequence[str] = (),
    broken: Keys | None = None,
    lang: Lang = "en",
) -> pa.RecordBatch:
    """Return the results of one batch of a book, a row each, refused ones included.

    Parameters
    ----------
    plan : Plan
    batch : pyarrow.RecordBatch
        Rows under the headers that the plan declares, in any of its languages.
    steps : names, optional
        Steps to write; default the headline ones, without the premium and the fund, which stand there in fen.
    carry : names
        Further columns of the batch to carry along, besides the key, the units of checks and the insurer.
    broken : mapping of check to keys, optional
        The keys that break checks across rows, from `broken_keys` over the whole book. Without it no row is refused for
        another one's sake.
    lang : "zh" or "en"

    Returns
    -------
    pyarrow.RecordBatch
        Of the schema `batch_schema`; texts are plain, so that batches of one schema go on to any engine.

    Raises
    ------
    BookError
        RM301 a column that the plan needs is not there; RM344 the plan rolls lines up to policies.
    """
    pricer = _pricer(plan, _steps(plan, steps), lang)
    table = pa.Table.from_batches([batch])
    header = checked(match(table.column_names, lexicon(plan.columns)), plan.columns, "batch", None, 1)
    book = Book(
        table.rename_columns([name or text for name, text in zip(header.columns, header.texts)]),
        conversions=header.conversions,
    )
    prepare(book, plan)
    across = [_among(check, book.table, (broken or {}).get(check.name, frozenset())) for check in plan.checks]
    rated = pricer.rated(book, [item for item in across if len(item.rows)])
    columns = {name: book.table[name] for name in _carried(plan, book.table.column_names, carry)} | rated.results()
    arrays = [_decoded(column) for column in columns.values()]
    return pa.RecordBatch.from_arrays(arrays, names=list(columns))


def batch_schema(
    plan: Plan, given: pa.Schema, *, steps: Sequence[str] | None = None, carry: Sequence[str] = ()
) -> pa.Schema:
    """Return the schema of what `rate_batch` makes of batches of a schema."""
    arrays = [pa.array([], field_.type) for field_ in given]
    empty = pa.RecordBatch.from_arrays(arrays, schema=given)
    return rate_batch(plan, empty, steps=steps, carry=carry).schema


def broken_keys(plan: Plan, table: pa.Table) -> dict[str, frozenset[str]]:
    """Return, for each check across rows, the keys that break it, for `rate_batch`.

    Parameters
    ----------
    table : pyarrow.Table
        The whole book, or just the rows whose keys may break a check (those that stand there more than once): an engine
        finds them by a grouping of its own, which is what `rate_spark` does.
    """
    from ratemod.rating.encode import checked as doubts_of

    header = match(table.column_names, lexicon(plan.columns))
    names = [name or text for name, text in zip(header.columns, header.texts)]
    book = Book(table.rename_columns(names), conversions=header.conversions)
    coding = prepare(book, plan)
    found = {}
    for doubt in doubts_of(coding):
        name = str(doubt.problems[0].args["name"])
        check = next(item for item in plan.checks if item.name == name)
        keys = book.table[key_of(check)].filter(_mask(doubt.which > 0))
        found[name] = frozenset(str(key) for key in keys.to_pylist())
    return found


def key_of(check: Check) -> str:
    """Return the column whose equal values a check compares."""
    return check.of if check.kind == "unique" else check.by


def _mask(rows: Any) -> pa.Array:
    bits = np.packbits(rows, bitorder="little")
    return pa.Array.from_buffers(pa.bool_(), len(rows), [None, pa.py_buffer(bits)])


def _among(check: Check, table: pa.Table, keys: frozenset[str]) -> Broken:
    if not keys or key_of(check) not in table.column_names:
        return Broken(check, np.zeros(0, dtype=np.int64))
    import pyarrow.compute as pc

    column = whole(table[key_of(check)])
    column = _decoded(column).cast(pa.string())
    hit = pc.is_in(column, value_set=pa.array(sorted(keys), pa.string()), skip_nulls=True)
    return Broken(check, np.flatnonzero(filled_with(hit.cast(pa.int8()), 0)))


def _carried(plan: Plan, names: Sequence[str], carry: Sequence[str]) -> tuple[str, ...]:
    wanted = [plan.key or "", *(key_of(check) for check in plan.checks), "insurer", *carry]
    return tuple(dict.fromkeys(name for name in wanted if name in names))


def _decoded(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """Return a column without dictionaries and chunks."""
    array = whole(column) if isinstance(column, pa.ChunkedArray) else column
    return array.cast(array.type.value_type) if pa.types.is_dictionary(array.type) else array


def _steps(plan: Plan, steps: Sequence[str] | None) -> tuple[str, ...]:
    if steps is not None:
        return kept_steps(plan, steps)
    return tuple(name for name in kept_steps(plan, False) if name not in (plan.premium, plan.fund))


@functools.lru_cache(8)
def _pricer(plan: Plan, steps: tuple[str, ...], lang: Lang) -> Pricer:
    """Compile a plan; a worker does that once, however many batches come."""
    program = compile_plan(plan)
    if program.whole:
        raise BookError(problem("RM344", plan=plan.id))
    return Pricer(program, {}, steps, lang)


# ---------------------------------------------------------------- Spark


@strict
def rate_spark(
    frame: DataFrame,
    plan: Plan,
    *,
    steps: Sequence[str] | None = None,
    carry: Sequence[str] = (),
    lang: Lang = "en",
) -> DataFrame:
    """Return a Spark frame with the results of every row, refused ones included.

    Parameters
    ----------
    frame : pyspark.sql.DataFrame
        The book; partitions stay as they are. It is read twice where the plan has checks across rows.
    plan, steps, carry, lang : as for `rate_batch`

    Returns
    -------
    pyspark.sql.DataFrame
        Lazy, but for the keys that break checks, which are found at once.

    Notes
    -----
    The plan goes to each executor once, as a broadcast; workers check its fingerprint and compile it once. Spark sends
    batches of ``spark.sql.execution.arrow.maxRecordsPerBatch`` rows: 65,536 is a good number, its default of 10,000
    costs a third of the speed.
    """
    from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema

    session = frame.sparkSession
    given = to_arrow_schema(frame.schema)
    schema = batch_schema(plan, given, steps=steps, carry=carry)
    broken = _spark_broken(frame, plan)
    sent = session.sparkContext.broadcast(
        Broadcast(plan, plan.fingerprint, _steps(plan, steps), tuple(carry), lang, broken)
    )
    return frame.mapInArrow(functools.partial(_map, sent), from_arrow_schema(schema))


def _map(sent: Any, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Price the batches of one partition; runs on an executor."""
    job: Broadcast = sent.value
    if job.plan.fingerprint != job.fingerprint:
        raise BookError(problem("RM349", sent=job.fingerprint, found=job.plan.fingerprint))
    for batch in batches:
        yield rate_batch(job.plan, batch, steps=job.steps, carry=job.carry, broken=job.broken, lang=job.lang)


def _spark_broken(frame: DataFrame, plan: Plan) -> dict[str, frozenset[str]]:
    """Return the keys that break checks: Spark groups, the few rows of groups in doubt are judged as on one machine."""
    from pyspark.sql import functions as sql

    header = match(frame.columns, lexicon(plan.columns))
    texts = {name: text for name, text in zip(header.columns, header.texts) if name}
    found: dict[str, frozenset[str]] = {}
    for check in plan.checks:
        key = texts.get(key_of(check))
        if key is None or check.of not in texts:
            continue
        named = sql.col(f"`{key}`")
        groups = frame.where(named.isNotNull()).groupBy(named.alias("key"))
        if check.kind == "unique":
            rows = groups.count().where("count > 1").select("key").collect()
            keys = frozenset(str(row["key"]) for row in rows)
        else:
            value = sql.col(f"`{texts[check.of]}`")
            doubtful = groups.agg(sql.countDistinct(value).alias("values")).where("values > 1").select("key")
            pairs = frame.select(named.alias("key"), value.alias("value")).join(doubtful, "key").distinct()
            keys = _judged(plan, check, header.conversions, pairs.toArrow())
        if keys:
            found[check.name] = keys
    return found


def _judged(plan: Plan, check: Check, conversions: Mapping[str, Decimal], pairs: pa.Table) -> frozenset[str]:
    """Return the keys within which the value, once read as the plan reads it, is not the same."""
    from ratemod.rating.across import values_of
    from ratemod.reading.checks import differs_within

    if not pairs.num_rows:
        return frozenset()
    broken = differs_within(values_of(check, plan, conversions, pairs["value"]), pairs["key"])
    return frozenset(str(key) for key in pairs["key"].filter(_mask(broken)).to_pylist())


def spark_totals(rated: DataFrame, by: str | None = "insurer") -> pa.Table:
    """Return counts and exact sums of fen of a rated Spark frame, by a column or in all.

    Returns
    -------
    pyarrow.Table
        The column, ``rows``, ``priced``, ``premium_fen``, ``fund_fen``; sorted, so that the order of partitions does
        not show. Sums are decimals of 30 digits on the cluster: nothing wraps, nothing rounds.
    """
    from pyspark.sql import functions as sql

    fen = [name for name in ("premium_fen", "fund_fen") if name in rated.columns]
    priced = sql.sum(sql.col("premium_fen").isNotNull().cast("long")).alias("priced")
    sums = [sql.sum(sql.col(name).cast("decimal(20,0)")).alias(name) for name in fen]
    groups = rated.groupBy(by) if by else rated.groupBy()
    table = groups.agg(sql.count("*").alias("rows"), priced, *sums).toArrow()
    return table.sort_by([(by, "ascending")]) if by else table
