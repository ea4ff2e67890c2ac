"""A priced book: what `rate` returns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ratemod.errors import BookError, Lang, Problem, problem
from ratemod.plan.model import Plan
from ratemod.rating.encode import Coding
from ratemod.rating.run import Outputs
from ratemod.rating.summary import Cells, frame_of, totals
from ratemod.rating.verdict import DECLINED, REFERRED, REFUSED, STATUS, Verdict, say
from ratemod.reading.added import RESULTS
from ratemod.reading.arrow import dictionary, to_arrow
from ratemod.reading.book import Book
from ratemod.reading.convert import convert
from ratemod.rules.options import strict
from ratemod.vocabulary.level_codes import Codes

if TYPE_CHECKING:
    import pandas as pd

    from ratemod.document.model import Document
    from ratemod.rating.worksheet import Worksheet


@dataclass(frozen=True, eq=False)
class Part:
    """The rows of a list that are priced under one edition: (k,) int64, ascending, and their result."""

    rated: Rated
    rows: npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Rated:
    """A priced book.

    Attributes
    ----------
    plan : Plan
    book : Book
    coding : Coding
        The book under the plan, for explanations and summaries.
    outputs : Outputs
    verdict : Verdict
    lang : "zh" or "en"
        Language of reasons and notes.
    parts : tuple of Part
        Where rows belong to several editions: each priced under its own. `plan` then only says what they show between
        them (`ratemod.rating.union`).
    """

    plan: Plan
    book: Book
    coding: Coding
    outputs: Outputs
    verdict: Verdict
    lang: Lang
    parts: tuple[Part, ...] = ()

    @property
    def plans(self) -> tuple[Plan, ...]:
        """The editions that rows are priced under."""
        return tuple(part.rated.plan for part in self.parts) or (self.plan,)

    def one_edition(self) -> Rated:
        """Return this result, for what can be said of one edition only.

        Raises
        ------
        BookError
            RM403 where rows are priced under several.
        """
        if self.parts:
            raise BookError(problem("RM403", plans=", ".join(f"{plan.scheme}/{plan.edition}" for plan in self.plans)))
        return self

    @cached_property
    def table(self) -> pa.Table:
        """The book's columns, one float64 column a step, and the results (`RESULTS`), in the book's row order.

        A step that classifies gives its levels.

        ``premium_fen`` and ``fund_fen`` are int64 and null where there is no premium; ``bounds`` names the ends
        that held, such as ``total_float:high``.
        """
        own = self.book.table
        results = self.results()
        taken = {*own.column_names, *results, *self.coding.derived}
        columns = {own_name(name, results, taken): column for name, column in zip(own.column_names, own.columns)}
        for name in self.coding.derived:
            codes = self.coding.inputs.codes.get(name)
            columns[name] = (
                to_arrow(self.coding.inputs.numbers[name])
                if codes is None
                else dictionary(codes, self.plan.columns[name].codes(), codes >= 0)
            )
        return pa.table(columns | results)

    def results(self) -> dict[str, pa.Array]:
        """Return what pricing adds to the book: the steps kept, then `RESULTS`."""
        verdict, n = self.verdict, self.coding.n
        shown = verdict.status < REFUSED
        steps = {name: self._step(name, values, shown) for name, values in self.outputs.steps.items()}
        results = steps | {"premium_fen": to_arrow(self.outputs.premium_fen, shown)}
        if self.outputs.fund_fen is not None:
            results["fund_fen"] = to_arrow(self.outputs.fund_fen, shown)
        results["status"] = dictionary(verdict.status.astype(np.int8), STATUS)
        codes = tuple(reasons[0].code for reasons in verdict.reasons)
        reasons = tuple(say(reasons, self.lang) for reasons in verdict.reasons)
        notes = tuple(say(said, self.lang) for said in verdict.notes)
        which = verdict.reason_of if verdict.reasons else np.zeros(n, dtype=np.int32)
        note = verdict.note_of if verdict.notes else np.zeros(n, dtype=np.int32)
        results["code"] = _named(which, codes)
        results["reason"] = _named(which, reasons)
        results["bounds"] = self._spread("bounds") if self.parts else self._bounds(shown)
        results["notes"] = _named(note, notes)
        named = dictionary(np.zeros(n, dtype=np.int8), (self.plan.id,))
        results["plan"] = self._spread("plan") if self.parts else named
        return results

    def _spread(self, name: str) -> pa.Array:
        """Return a column of texts that each part has its own of."""
        values = pa.concat_arrays([part.rated.results()[name].cast(pa.string()) for part in self.parts])
        place = np.empty(self.coding.n, dtype=np.int64)
        place[np.concatenate([part.rows for part in self.parts])] = np.arange(self.coding.n)
        return values.take(to_arrow(place)).dictionary_encode()

    def _step(self, name: str, values: npt.NDArray[np.float64], shown: npt.NDArray[np.bool_]) -> pa.Array:
        """Return a step's values, levels by their codes, null where there is none or no premium."""
        there = shown & np.isfinite(values)
        levels = self.plan.level_columns[name].codes() if name in self.plan.level_columns else ()
        if self.plan.step(name).operation.gives == "date":
            days = pa.array(np.where(there, values, 0).astype(np.int32), mask=~there)
            return days.cast(pa.date32())
        if not levels:
            return to_arrow(values, there)
        return dictionary(np.where(there, values, 0).astype(self.plan.level_columns[name].code_type), levels, there)

    def _bounds(self, shown: np.ndarray[Any, np.dtype[np.bool_]]) -> pa.Array:
        names = [f"{step.name}:{end}" for step in self.plan.steps if step.operation.binds for end in ("low", "high")]
        bits = self.outputs.bits
        few = len(names) < 16  # then counting them is cheaper than sorting
        patterns = np.flatnonzero(np.bincount(bits, minlength=1)) if few else np.unique(bits)
        texts = tuple(";".join(name for at, name in enumerate(names) if bit >> at & 1) for bit in patterns.tolist())
        order = np.argsort(np.array(texts, dtype=str), kind="stable").astype(np.int32)  # bytes free of row order
        if few:
            place = np.zeros(1 << len(names), dtype=np.int32)
            place[patterns[order]] = np.arange(len(order), dtype=np.int32)
            codes = place.take(bits)
        else:
            place = np.empty(len(order), dtype=np.int32)
            place[order] = np.arange(len(order), dtype=np.int32)
            codes = place[np.searchsorted(patterns, bits)]
        return dictionary(codes, tuple(texts[at] for at in order), (bits != 0) & shown)

    def level_codes(self, name: str) -> Codes:
        """Return the codes of one level or flag column, -1 where there is none: (n,)."""
        if name not in self.book.table.column_names:
            return self.coding.inputs.codes[name]
        column = self.plan.columns[name]
        values: Codes = convert(self.book.table[name], column).values
        if column.default is not None:
            values = self.coding.inputs.codes[name]
        return values

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """Rows in all and by status; ``rows = rated + referred + refused + declined`` always."""
        found = np.bincount(self.verdict.status, minlength=len(STATUS)).tolist()
        return {"rows": self.coding.n, **dict(zip(STATUS, found))}

    @property
    def premium_fen(self) -> int:
        """Total premium of the priced rows, fen."""
        return int(self.outputs.premium_fen[self.verdict.status < REFUSED].sum())

    @property
    def fund_fen(self) -> int | None:
        """Total prevention fund of the priced rows, fen; None where the plan has no fund."""
        if self.outputs.fund_fen is None:
            return None
        return int(self.outputs.fund_fen[self.verdict.status < REFUSED].sum())

    @cached_property
    def refused(self) -> pa.Table:
        """The rows without a premium: ``row`` (as in the file), status, code, reason, and the book's columns.

        Where the book was read from several tables, ``table`` goes before: the sheet or file of each row.
        """
        rows = np.flatnonzero(self.verdict.status >= REFUSED)
        table = self.table.take(to_arrow(rows.astype(np.int64)))
        kept = table.column_names[: self.book.table.num_columns]
        head = self.book_places(rows) | {name: table[name] for name in ("status", "code", "reason")}
        return pa.table(head | {name: table[name] for name in kept if name not in head})

    def book_places(self, rows: npt.NDArray[np.intp]) -> dict[str, pa.Array]:
        """Return where some rows stood: ``row``, and ``table`` before it where there are several."""
        places = {"row": to_arrow(self.book.numbers[rows].astype(np.int64))}
        sources = self.book.sources()
        return places if sources is None else {"table": sources.take(to_arrow(rows.astype(np.int64)))} | places

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """Every problem once, with the number of rows it touches; most frequent first."""
        found: Counter[int] = Counter()
        by_id: dict[int, Problem] = {}
        keys: dict[tuple[str, str], int] = {}
        counts = np.bincount(self.verdict.reason_of, minlength=len(self.verdict.reasons) + 1)[1:]
        for reasons, count in zip(self.verdict.reasons, counts.tolist()):
            for item in reasons:
                at = keys.setdefault((item.code, str(sorted(item.args.items(), key=str))), len(keys))
                by_id[at] = item
                found[at] += count
        ordered = sorted(found, key=lambda at: (-found[at], by_id[at].code, at))
        return tuple(replace(by_id[at], file=self.book.file, count=found[at]) for at in ordered)

    def to_pandas(self) -> pd.DataFrame:
        """Return `table` as a pandas frame."""
        frame: pd.DataFrame = self.table.to_pandas()
        return frame

    @strict
    def summary(self, by: Sequence[str] = ()) -> pd.DataFrame:
        """Return policies, premium and fund by one or more columns.

        Parameters
        ----------
        by : names of level, flag or text columns

        Returns
        -------
        pandas.DataFrame
            The `by` columns, ``policies`` (priced), ``unpriced``, ``premium_fen``, ``fund_fen``, ``mean_premium_fen``,
            in the plan's order of levels.

        Raises
        ------
        BookError
            RM322 when a name is not a column.
        """
        return frame_of(self.plan, by, self.totals(by))

    def totals(self, by: Sequence[str]) -> Cells:
        """Return the same without pandas: policies, unpriced rows, premium and fund in fen by values; raises as it."""
        return totals(self, by)

    def explain(self, key: str | int) -> Worksheet:
        """Return the worksheet of one policy, by key, name or ``#row``, or (int) by its position, counted from 0.

        Raises
        ------
        BookError
            RM321 when there is no such row (with the nearest key).
        """
        from ratemod.rating.worksheet import worksheet

        at = self.position(key)
        for part in self.parts:
            if len(own := np.flatnonzero(part.rows == at)):
                return worksheet(part.rated, int(own[0]))
        return worksheet(self, at)

    def position(self, key: str | int) -> int:
        """Return the position of a row: of the first that a key, a name or ``#12`` calls, or the position itself."""
        from ratemod.rating.find import rows_called

        if isinstance(key, str):
            return rows_called(self, key)[0]
        if 0 <= key < self.coding.n:
            return key
        raise BookError(problem("RM321", key=key))

    @strict
    def document(self, lang: Lang = "en") -> Document:
        """Return what the book comes to: counts, premium, fund, sectors, why rows have no premium."""
        from ratemod.rating.display import document_of

        return document_of(self, lang)

    def _repr_html_(self) -> str:
        from ratemod.document.html import card

        return card(self.document(self.lang))

    def __repr__(self) -> str:
        counts = ", ".join(f"{name} {count:,}" for name, count in self.counts.items())
        return f"<Rated {self.plan.id}: {counts}; premium {self.plan.money.named(self.premium_fen)}>"


def own_name(name: str, results: Collection[str], taken: set[str]) -> str:
    """Return the name under which a column of the book stands beside results: with a stroke where one has its name.

    Examples
    --------
    >>> own_name("status", ("premium_fen", "status"), {"status"}), own_name("heads", ("status",), {"heads"})
    ("status'", 'heads')
    """
    if name not in results:
        return name
    while name in taken or name in results:
        name += "'"
    return name


def _named(which: npt.NDArray[np.int32], texts: tuple[str, ...]) -> pa.Array:
    """Return ``texts[which - 1]``, null at 0; the dictionary is sorted, so that its bytes are free of blocks."""
    names = tuple(sorted(set(texts)))
    place = {name: at for at, name in enumerate(names)}
    codes = np.array([0, *(place[text] for text in texts)], dtype=np.int32)
    return dictionary(codes.take(which), names, which > 0)


__all__ = ["DECLINED", "REFERRED", "REFUSED", "RESULTS", "STATUS", "Rated"]
