"""A list whose rows belong to several editions: each portion priced by its own, put together in the list's order.

Checks across rows look at the whole list. Lines of one policy that belong to several editions cannot be rolled up by
any: they are refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ratemod.errors import Problem, problem
from ratemod.plan.model import Plan
from ratemod.rating.editions import Choice
from ratemod.rating.encode import Coding, Doubt, prepare
from ratemod.rating.rated import Part, Rated
from ratemod.rating.run import Outputs
from ratemod.rating.union import only_in
from ratemod.rating.verdict import Verdict
from ratemod.reading.arrow import whole
from ratemod.reading.book import Book
from ratemod.reading.joined import as_type

Rows = npt.NDArray[np.int64]


def straddling(whole: Coding, rows: Rows) -> list[Doubt]:
    """Return the rows of a portion, (k,), whose lines are not all in it."""
    inside = np.zeros(whole.n, dtype=bool)
    inside[rows] = True
    doubts = []
    for names, group in whole.groups.items():
        wrong = (group >= 0) & inside & np.isin(group, group[~inside])
        if wrong.any():
            labels = {lang: ", ".join(whole.plan.label(name, lang) for name in names) for lang in ("en", "zh")}
            told = problem("RM401", names=labels["en"], names_zh=labels["zh"])
            doubts.append(Doubt(wrong[rows].astype(np.int32), (told,)))
    return doubts


def of_rows(doubts: Sequence[Doubt], rows: Rows) -> list[Doubt]:
    """Return doubts about a whole list for some of its rows."""
    return [replace(doubt, which=doubt.which[rows]) for doubt in doubts if doubt.which[rows].any()]


def together(choice: Choice, book: Book, parts: tuple[Part, ...]) -> Rated:
    """Return portions of a list, each priced, as one result in the order of the list."""
    plan, n = choice.plan, book.table.num_rows
    book = _as_priced(book, parts)
    book = replace(book, receipt=replace(book.receipt, remarks=(*book.receipt.remarks, *_blanks(parts))))
    coding = prepare(book, plan, parts[0].rated.coding.dating)
    return Rated(
        plan=plan,
        book=book,
        coding=coding,
        outputs=_outputs(plan, parts, n),
        verdict=_verdict(parts, n),
        lang=parts[0].rated.lang,
        parts=parts,
    )


def _as_priced(book: Book, parts: Sequence[Part]) -> Book:
    """Return the list with the cells that each portion was priced by, where these are not those of the list."""
    place = np.argsort(np.concatenate([part.rows for part in parts]))
    for name in dict.fromkeys(name for part in parts for name in part.rated.plan.columns):
        given = [table[name] if name in (table := part.rated.book.table).column_names else None for part in parts]
        if all(cells is None for cells in given) or (name in book.table.column_names and all(
            cells is None or cells.equals(book.table[name].take(pa.array(part.rows)))
            for cells, part in zip(given, parts)
        )):  # fmt: skip
            continue
        kinds = {cells.type for cells in given if cells is not None}
        kind = kinds.pop() if len(kinds) == 1 else pa.string()
        chunks = [
            pa.nulls(len(part.rows), kind) if cells is None else whole(as_type(cells, kind))
            for cells, part in zip(given, parts)
        ]
        column = pa.chunked_array(chunks, kind).take(pa.array(place))
        at = book.table.column_names.index(name) if name in book.table.column_names else None
        table = book.table.append_column(name, column) if at is None else book.table.set_column(at, name, column)
        units = [part.rated.book.conversions for part in parts if name in part.rated.book.table.column_names]
        kept = {other: unit for other, unit in book.conversions.items() if other != name}
        book = replace(book, table=table, conversions=kept | ({name: units[-1][name]} if name in units[-1] else {}))
    return book


def _blanks(parts: Sequence[Part]) -> list[Problem]:
    """Return RM400 where a column or step is blank in the rows of an edition that has none."""
    plans = [part.rated.plan for part in parts]
    only = only_in(plans)
    if not only:
        return []
    said = {
        lang: "; ".join(f"{next(p for p in plans if _has(p, name)).label(name, lang)} ({owners})"
                        for name, owners in only.items())
        for lang in ("en", "zh")
    }  # fmt: skip
    return [problem("RM400", names=said["en"], names_zh=said["zh"])]


def _has(plan: Plan, name: str) -> bool:
    return name in plan.columns or name in plan.step_names


def _outputs(plan: Plan, parts: Sequence[Part], n: int) -> Outputs:
    def spread(empty: npt.NDArray[Any], of: Any) -> npt.NDArray[Any]:
        for part in parts:
            values = of(part.rated.outputs)
            if values is not None:
                empty[part.rows] = values
        return empty

    kept = {name for part in parts for name in part.rated.outputs.steps}
    return Outputs(
        steps={
            name: spread(np.full(n, np.nan), lambda out, name=name: out.steps.get(name))
            for name in plan.step_names
            if name in kept
        },
        premium_fen=spread(np.zeros(n, dtype=np.int64), lambda out: out.premium_fen),
        fund_fen=None if plan.fund is None else spread(np.zeros(n, dtype=np.int64), lambda out: out.fund_fen),
        priced=spread(np.zeros(n, dtype=bool), lambda out: out.priced),
        bits=np.zeros(n, dtype=np.int64),  # the bounds of each edition are its own: `Rated.results`
        caught=(),
        outside=(),
        excepted=(),
        suspects=sum(part.rated.outputs.suspects for part in parts),
    )


def _verdict(parts: Sequence[Part], n: int) -> Verdict:
    status, barred = np.zeros(n, dtype=np.uint8), np.zeros(n, dtype=bool)
    numbers = {name: np.zeros(n, dtype=np.int32) for name in ("reason", "note")}
    told: dict[str, tuple[tuple[Problem, ...], ...]] = {"reason": (), "note": ()}
    for part in parts:
        own = part.rated.verdict
        status[part.rows], barred[part.rows] = own.status, own.barred
        for name, which, said in (("reason", own.reason_of, own.reasons), ("note", own.note_of, own.notes)):
            if said:
                numbers[name][part.rows] = np.where(which > 0, which + len(told[name]), 0)
                told[name] += said
    return Verdict(status, numbers["reason"], told["reason"], numbers["note"], told["note"], barred)
