"""The main job: price a book under a plan."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.errors import LANGUAGES, BookError, Lang, default_language, nearest, problem
from ratemod.plan.editions import Business
from ratemod.plan.model import Plan
from ratemod.rating.block import Block
from ratemod.rating.editions import Choice, read_under
from ratemod.rating.encode import Coding, Doubt, Encoded, checked, gather, prepare
from ratemod.rating.fast import Program, compile_plan
from ratemod.rating.inputs import Inputs, Selector
from ratemod.rating.invariants import Dating, OutsideDates
from ratemod.rating.rated import Part, Rated
from ratemod.rating.refusal import below_zero
from ratemod.rating.run import BLOCK, Outputs, Source, run
from ratemod.rating.side_by_side import of_rows, straddling, together
from ratemod.rating.verdict import Verdict, judge
from ratemod.reading.added import RESULTS
from ratemod.reading.book import Book, remarked
from ratemod.reading.corrected import corrected
from ratemod.reading.frame import arrow_table
from ratemod.reading.read import read_book
from ratemod.rules.options import day_of, strict
from ratemod.vocabulary.column import Column


@strict
def rate(
    book: Any,
    plan: Plan | str | Path,
    *,
    at: date | str | None = None,
    business: Business = "new",
    outside_dates: OutsideDates | None = None,
    lang: Lang | None = None,
    trace: bool | Collection[str] = True,
    strict: bool = False,
    threads: int | None = None,
    block: int = BLOCK,
    tick: Callable[[int, int], None] | None = None,
) -> Rated:
    """Price every row of a book, exactly, and say why for every row that cannot be priced.

    Parameters
    ----------
    book : Book, path, or any frame
        A path to CSV, Excel or Parquet; pandas, polars, DuckDB or Arrow.
    plan : Plan, or what `load_plan` takes
    at, business
        Pick the edition where `plan` is a name. Without a day, the rows of the list pick it by their first days and
        kinds of business, each its own; `business` is that of rows that do not say it.
    outside_dates : "refuse" or "remark", optional
        What becomes of rows that begin outside the dates of the edition. They are refused where `plan` is a name, and
        remarked where it is a plan in hand (one that is tried on a list), unless this says otherwise.
    lang : "zh" or "en", optional
        Language of reasons and notes; default from the locale.
    trace : bool or names of steps
        True keeps every step as a column, False the plan's headline steps, names just those.
    strict : bool
        Raise for any row that cannot be read, before any pricing.
    threads, block : int
        Cores to use and rows at a time. The result does not depend on them.
    tick : function, optional
        Called with rows done and rows in all, by the threads that price.

    Returns
    -------
    Rated
        Rows in the order of the book; ``rows = rated + referred + refused + declined``. The column ``plan`` names the
        edition of each row.

    Raises
    ------
    PlanError
        When the plan cannot be used.
    BookError
        When the book cannot be used at all (a column is missing, RM300 rows of editions that cannot stand in one
        table), or with `strict` when
        any row cannot.
    """
    return rate_choice(
        _read(book, plan, None if at is None else day_of(at), business),
        dating(plan, outside_dates, business),
        lang=lang,
        trace=trace,
        strict=strict,
        threads=threads,
        block=block,
        tick=tick,
    )


@strict
def rate_choice(
    choice: Choice,
    dating: Dating,
    *,
    lang: Lang | None = None,
    trace: bool | Collection[str] = True,
    strict: bool = False,
    threads: int | None = None,
    block: int = BLOCK,
    tick: Callable[[int, int], None] | None = None,
) -> Rated:
    """Price a list under the edition, or each row under its own, that `read_under` chose; options as for `rate`."""
    wanted = kept_steps(choice.plan, trace)

    def under(plan: Plan, given: Book, rows: npt.NDArray[np.int64] | None = None) -> Rated:
        book = as_given(plan, given)
        whole = coding = prepare(book, plan, dating)
        if rows is not None:
            book = book.take(rows)
            coding = prepare(book, plan, dating)

        def across() -> list[Doubt]:
            doubts = list(checked(whole))
            return doubts if rows is None else [*of_rows(doubts, rows), *straddling(whole, rows)]

        if strict:
            _refuse_any(coding, across(), block)
        own = tuple(name for name in plan.step_names if name in wanted)
        with ThreadPoolExecutor(1) as beside:  # Arrow hashes keys while the steps run
            doubts = beside.submit(across)
            outputs, verdict = price(coding, compile_plan(plan), own, doubts.result, threads, block, tick=tick)
        return Rated(plan, book, coding, outputs, verdict, lang or default_language())

    if not choice.portions:
        return under(choice.plan, choice.book)
    parts = tuple(Part(under(one.plan, one.book, one.rows), one.rows) for one in choice.portions)
    return together(choice, as_given(choice.plan, choice.book), parts)


def as_given(plan: Plan, book: Book) -> Book:
    """Return a list without what an earlier pricing under the plan added to it."""
    steps = {said for name in plan.step_names for said in (name, *(plan.label(name, one) for one in LANGUAGES))}
    given = corrected(book, steps, plan.money)
    alike = [name for name in given.table.column_names if name in RESULTS]
    return remarked(given, [problem("RM335", file=book.file, columns=", ".join(alike))]) if alike else given


def price(
    coding: Coding,
    program: Program,
    wanted: tuple[str, ...],
    across: Callable[[], list[Doubt]],
    threads: int | None = None,
    block: int = BLOCK,
    memory: list[Block] | None = None,
    tick: Callable[[int, int], None] | None = None,
) -> tuple[Outputs, Verdict]:
    """Return the outputs and the verdict of a prepared book.

    Parameters
    ----------
    across : function
        Gives the doubts across rows, once the steps have run.
    memory : list of Block, optional
        Working memory to take from and to put back, so that blocks of several books share it.
    """
    parts: list[tuple[int, Encoded]] = []
    begun: list[int] = []

    def part(rows: Selector) -> Inputs:
        encoded = coding.code(rows)
        if tick is not None and isinstance(rows, slice):
            begun.append(rows.stop - rows.start)  # one operation of a list: safe among threads
            tick(sum(begun[:-1]), coding.n)
        if isinstance(rows, slice) and (
            encoded.doubts or encoded.remarks or encoded.defaulted
        ):  # not the codes: memory is to be used again
            parts.append((rows.start, Encoded(Inputs(0), encoded.doubts, encoded.remarks, encoded.defaulted)))
        return encoded.inputs

    plan = coding.plan
    outputs = run(program, Source(coding.n, coding.groups, part), wanted, threads, block, memory)
    doubts, said, defaulted = gather(parts, plan, coding.n)
    rules, legal = list(zip(plan.rules, outputs.caught)), list(zip(program.guarded, outputs.outside, outputs.excepted))
    verdict = judge(coding, [*doubts, *across()], said, defaulted, outputs.priced, below_zero(outputs), rules, legal)
    return outputs, verdict


def _read(book: Any, plan: Plan | str | Path, at: date | None, business: Business) -> Choice:
    """Return the book, read where it is not yet, and what it is priced under."""
    if not isinstance(book, Book) and not isinstance(book, str | Path):
        book = arrow_table(book)  # a stream can be read once

    def read(columns: Mapping[str, Column]) -> Book:
        return book if isinstance(book, Book) else read_book(book, columns)

    return read_under(plan, read, at, business)


@strict
def dating(plan: Plan | str | Path, outside: OutsideDates | None, business: Business) -> Dating:
    """Return how first days are held against the edition: a named one refuses, a plan in hand remarks."""
    return Dating(outside or ("remark" if isinstance(plan, Plan) else "refuse"), business)


def kept_steps(plan: Plan, trace: bool | Collection[str]) -> tuple[str, ...]:
    """Return the names of the steps to keep as columns."""
    if isinstance(trace, bool):
        return tuple(step.name for step in plan.steps if trace or step.headline)
    unknown = [name for name in trace if name not in plan.step_names]
    if unknown:
        raise BookError(problem("RM322", name=name, nearest=nearest(name, plan.step_names)) for name in unknown)
    return tuple(name for name in plan.step_names if name in trace)


def _refuse_any(coding: Coding, across: list[Doubt], block: int) -> None:
    """Raise when any cell or check is wrong."""
    book = coding.book
    parts = [(start, coding.code(slice(start, min(start + block, coding.n)))) for start in range(0, coding.n, block)]
    doubts, _, _ = gather(parts, coding.plan, coding.n)
    found = []
    for doubt in [*doubts, *across]:
        counts = np.bincount(doubt.which, minlength=len(doubt.problems) + 1)[1:]
        first = {which: int(np.argmax(doubt.which == which)) for which in range(1, len(doubt.problems) + 1)}
        for which, (item, count) in enumerate(zip(doubt.problems, counts.tolist()), 1):
            file, sheet, row = book.place(first[which])
            found.append(problem(item.code, file=file, sheet=sheet, row=row, count=count, **item.args))
    if found:
        raise BookError([problem("RM320", problems=len(found)), *found])
