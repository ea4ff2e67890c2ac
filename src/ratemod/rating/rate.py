"""The main job: price a book under a plan."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from ratemod.book.book import Book
from ratemod.book.read import read_book
from ratemod.errors import BookError, Lang, default_language, problem
from ratemod.plan.editions import Business, load_plan
from ratemod.plan.model import Plan
from ratemod.rating.encode import Encoded, encode
from ratemod.rating.fast import compile_plan
from ratemod.rating.rated import Rated
from ratemod.rating.run import BLOCK, run
from ratemod.rating.verdict import judge


def rate(
    book: Any,
    plan: Plan | str | Path,
    *,
    at: date | str | None = None,
    business: Business = "new",
    lang: Lang | None = None,
    trace: bool = True,
    strict: bool = False,
    threads: int | None = None,
    block: int = BLOCK,
) -> Rated:
    """Price every row of a book, exactly, and say why for every row that cannot be priced.

    Parameters
    ----------
    book : Book, path, or any frame
        A path to CSV, Excel or Parquet; pandas, polars, DuckDB or Arrow.
    plan : Plan, or what `load_plan` takes
    at, business
        Pick the edition where `plan` is a name.
    lang : "zh" or "en", optional
        Language of reasons and notes; default from the locale.
    trace : bool
        Keep every step as a column; otherwise only the plan's headline steps.
    strict : bool
        Raise for any row that cannot be read, before any pricing.
    threads, block : int
        Cores to use and rows at a time. The result does not depend on them.

    Returns
    -------
    Rated
        Rows in the order of the book; ``rows = rated + referred + refused + declined``.

    Raises
    ------
    PlanError
        When the plan cannot be used.
    BookError
        When the book cannot be used at all (a column is missing), or with `strict` when any row cannot.
    """
    chosen = plan if isinstance(plan, Plan) else load_plan(plan, at, business)
    read = book if isinstance(book, Book) else read_book(book, chosen.columns)
    encoded = encode(read, chosen)
    if strict:
        _refuse_any(read, encoded)
    program = compile_plan(chosen)
    wanted = tuple(step.name for step in chosen.steps if trace or step.headline)
    outputs = run(program, encoded.inputs, wanted, threads, block)
    verdict = judge(
        chosen,
        encoded,
        outputs.priced,
        list(zip(chosen.rules, outputs.caught)),
        list(zip(program.guarded, outputs.outside)),
    )
    return Rated(chosen, read, encoded, outputs, verdict, lang or default_language())


def _refuse_any(book: Book, encoded: Encoded) -> None:
    """Raise when any cell or check is wrong."""
    found = []
    for doubt in encoded.doubts:
        counts = np.bincount(doubt.which, minlength=len(doubt.problems) + 1)[1:]
        first = {which: int(np.argmax(doubt.which == which)) for which in range(1, len(doubt.problems) + 1)}
        for which, (item, count) in enumerate(zip(doubt.problems, counts.tolist()), 1):
            row = first[which] + 1 if book.rows is None else int(book.rows[first[which]])
            found.append(problem(item.code, file=book.file, sheet=book.sheet, row=row, count=count, **item.args))
    if found:
        raise BookError([problem("RM320", problems=len(found)), *found])
