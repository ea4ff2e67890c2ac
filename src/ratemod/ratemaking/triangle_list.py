"""A triangle from a file or a frame, as it is printed (a column an age) or as a list (a row an origin and age).

Ages keep their words (12, 12 months, 12个月, 第1年) and are put in the order of their numbers; origins and segments
keep theirs too. A cell that is told twice, that is unreadable, or of an age that leaves a hole in the row of ages stops
the list: a triangle with a number missing is another triangle.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ratemod.errors import BookError, Problem, problem
from ratemod.ratemaking.arrays import Floats, Integers
from ratemod.ratemaking.labels import Labels
from ratemod.ratemaking.triangle import triangle_frame, unbroken
from ratemod.reading.convert import convert
from ratemod.reading.header import HeaderMap
from ratemod.reading.read import read_table
from ratemod.reading.text_levels import text_levels
from ratemod.rules.options import strict
from ratemod.vocabulary.column import Column
from ratemod.vocabulary.table import column, table

if TYPE_CHECKING:
    import pandas as pd

    from ratemod.reading.book import Book

ALL = "–"  # the one segment of a triangle that names none
AGE = re.compile(r"(?:dev(?:elopment)?|age|lag|year|month|m|y|第|进展期?|发展期?)?[\s_.-]*"
                 r"(\d+(?:\.0+)?)\s*(?:m|mo|months?|y|yrs?|years?|个?月|年|期)?", re.I)  # fmt: skip
WHOLE = re.compile(r"^(\d+)\.0+$")
BASES = ("premium_yuan", "exposure")


@dataclass(frozen=True, eq=False, kw_only=True, slots=True, repr=False)
class TriangleTable:
    """Cumulative amounts as they were read.

    Attributes
    ----------
    values : (segments, origins, ages) float64, yuan (or a count), NaN = not known
    labels : names of segments, origins and ages
    base : (segments, origins) float64, premium or exposure of each origin; None where the list has neither
    base_name : "premium_yuan" or "exposure"; "" without
    """

    values: Floats
    labels: Labels
    base: Floats | None = None
    base_name: str = ""

    def segment(self, at: int) -> TriangleTable:
        """Return the triangle of one segment, (1, origins, ages): its own origins, and ages as far as it has any."""
        rows = ~np.isnan(self.values[at]).all(axis=1)
        ages = int(np.flatnonzero(~np.isnan(self.values[at]).all(axis=0)).max(initial=0)) + 1
        origins = tuple(name for name, kept in zip(self.labels.origins, rows) if kept)
        labels = Labels(segments=self.labels.segments[at : at + 1], origins=origins, ages=self.labels.ages[:ages])
        base = None if self.base is None else self.base[at : at + 1, rows]
        values = self.values[at : at + 1, rows, :ages]
        return TriangleTable(values=values, labels=labels, base=base, base_name=self.base_name)

    def frame(self) -> pd.DataFrame:
        """Return one row a segment and origin, one column an age."""
        return triangle_frame(self.values, self.labels)

    def __repr__(self) -> str:
        segments, origins, ages = self.values.shape
        base = f", {self.base_name}" if self.base_name else ""
        return f"TriangleTable({segments} segments, {origins} origins, {ages} ages{base})"


@strict
def read_triangle(
    source: Any,
    *,
    header_map: HeaderMap | None = None,
    sheet: str | Sequence[str] | None = None,
    incremental: bool = False,
) -> TriangleTable:
    """Read a triangle from a file or a frame.

    Parameters
    ----------
    source : path (csv, xlsx, parquet …) or any frame; either a column an age beside a column of origins, or a row an
        origin and age with columns origin, age and amount; a column of segments, and a premium or an exposure of each
        origin, may stand beside them
    header_map : header in the file -> column of the table "triangle"
    sheet : of a workbook
    incremental : whether amounts are those of each age rather than the sums up to it

    Raises
    ------
    BookError
        When the table cannot be read; RM454 no ages, RM455 ages that do not follow each other evenly, RM456 a cell told
        twice, RM202 to RM206 cells that cannot be read, RM458 a row without origin, RM459 two bases or a base that
        differs within an origin, RM460 a sum that falls to zero, as blanks do that are printed as 0.
    ModelError
        RM515 for increments with a gap.

    Examples
    --------
    >>> read_triangle({"AY": [2022, 2023], "12": [100.0, 110.0], "24": [150.0, None]}).frame()["24"].tolist()
    [150.0, nan]
    """
    declared = table("triangle").columns
    # The headers first: which of them are ages is not known before.
    heads = read_table(source, declared, header_map=header_map, sheet=sheet).table.column_names
    ages = [name for name in heads if name not in declared and age_of(name) is not None]
    if "origin" not in heads or ("age" in heads) == bool(ages) or ("amount_yuan" in heads) == bool(ages):
        raise BookError(problem("RM454", headers=", ".join(heads[:20])))
    cells = {name: replace(column("developed_yuan", name), aliases=(), label_zh="", label_en="") for name in ages}
    left = ("age", "amount_yuan") if ages else ()
    wanted = {name: one for name, one in declared.items() if name not in left} | cells
    optional = {name: replace(one, optional=True) for name, one in wanted.items()}
    book = read_table(source, optional, header_map=header_map, sheet=sheet)
    return _laid(book, optional, ages, incremental)


def age_of(said: str) -> float | None:
    """Return the number of an age, None where a header is none.

    Examples
    --------
    >>> [age_of(name) for name in ("12", "24.0", "dev 3", "36 months", "第2年", "12个月", "premium", "2023-12-31")]
    [12.0, 24.0, 3.0, 36.0, 2.0, 12.0, None, None]
    """
    found = AGE.fullmatch(said.strip())
    return float(found[1]) if found else None


def _laid(book: Book, columns: Mapping[str, Column], ages: list[str], incremental: bool) -> TriangleTable:
    """Return the cells of a list at their places."""
    n = book.table.num_rows
    origin, origins = text_levels(book.table["origin"])
    segment, segments = np.zeros(n, dtype=np.int64), [ALL]
    if "segment" in book.table.column_names:
        segment, segments = text_levels(book.table["segment"])
    lost = np.flatnonzero((origin < 0) | (segment < 0))
    wrong = [problem("RM458", rows=", ".join(book.said(lost[:5].tolist())), n=len(lost))] if len(lost) else []
    if ages:
        said = list(dict.fromkeys(ages))
        age = np.tile(np.arange(len(said)), n)
        amount = np.stack([_numbers(book, name, columns, wrong) for name in said], axis=1).reshape(-1)
        row = np.repeat(np.arange(n), len(said))
    else:
        age, said = text_levels(book.table["age"])
        amount, row = _numbers(book, "amount_yuan", columns, wrong), np.arange(n)
        bare = np.flatnonzero((age < 0) & ~np.isnan(amount))
        wrong += [problem("RM458", rows=", ".join(book.said(bare[:5].tolist())), n=len(bare))] if len(bare) else []
    if wrong:
        raise BookError(wrong)
    order = _order(said)
    place = np.empty(len(said) + 1, dtype=np.int64)
    place[order], place[-1] = np.arange(len(order)), -1
    age = place[age]
    used = ~np.isnan(amount) & (age >= 0)
    shape = (len(segments), len(origins), len(said))
    at = np.ravel_multi_index((segment[row[used]], origin[row[used]], age[used]), shape)
    many = np.bincount(at, minlength=int(np.prod(shape)))
    if (many > 1).any():
        s, o, a = np.unravel_index(int(np.flatnonzero(many > 1)[0]), shape)
        cell = f"{segments[s]} / {origins[o]} / {said[order[a]]}"
        raise BookError(problem("RM456", cell=cell, n=int((many > 1).sum())))
    values = np.full(int(np.prod(shape)), np.nan)
    values[at] = amount[used]
    values = values.reshape(shape)
    if incremental:
        values = _cumulated(values)
    elif (gone := np.argwhere((values[..., 1:] == 0) & (values[..., :-1] > 0))).size:
        s, o, a = gone[0]
        raise BookError(problem("RM460", cell=f"{segments[s]} / {origins[o]} / {said[order[a + 1]]}", n=len(gone)))
    printed = tuple(WHOLE.sub(r"\1", said[at]) for at in order)
    labels = Labels(segments=tuple(segments), origins=tuple(origins), ages=printed)
    base, name = _base(book, columns, segment, origin, shape[:2])
    return TriangleTable(values=values, labels=labels, base=base, base_name=name)


def _order(said: Sequence[str]) -> list[int]:
    """Return ages in the order of their numbers; refuse ages that are none or leave a hole."""
    number = [age_of(name) for name in said]
    odd = [name for name, one in zip(said, number) if one is None]
    if odd:
        raise BookError(problem("RM455", ages=", ".join(odd[:5])))
    known = np.array(number, dtype=np.float64)
    order = np.argsort(known, kind="stable")
    steps = np.diff(known[order])
    if (len(steps) and (steps <= 0).any()) or len(np.unique(steps)) > 1:
        raise BookError(problem("RM455", ages=", ".join(said[at] for at in order)))
    return [int(at) for at in order]


def _cumulated(values: Floats) -> Floats:
    """Return sums up to each age; an origin whose amounts have a gap is refused, for its sums are not known."""
    seen = ~np.isnan(values)
    unbroken(values[seen.any(axis=-1)])
    return np.where(seen, np.cumsum(np.where(seen, values, 0.0), axis=-1), np.nan)


def _numbers(book: Book, name: str, columns: Mapping[str, Column], wrong: list[Problem]) -> Floats:
    """Return a column in yuan, NaN where blank; what cannot be read is added to the faults, by row."""
    coded = convert(book.table[name], columns[name], book.conversions.get(name))
    wrong += [item for item in book.placed(coded.problem_of, coded.problems) if item.code != "RM201"]
    return np.asarray(coded.values, dtype=np.float64)


def _base(
    book: Book, columns: Mapping[str, Column], segment: Integers, origin: Integers, shape: tuple[int, ...]
) -> tuple[Floats | None, str]:
    """Return premium or exposure by segment and origin, the same in every row of an origin."""
    held = [name for name in BASES if name in book.table.column_names]
    if not held:
        return None, ""
    if len(held) > 1:
        raise BookError(problem("RM459", what=" / ".join(book.headers.get(name, name) for name in held)))
    wrong: list[Problem] = []
    value = _numbers(book, held[0], columns, wrong)
    if wrong:
        raise BookError(wrong)
    low, high = np.full(shape, np.inf), np.full(shape, -np.inf)
    known = ~np.isnan(value)
    np.minimum.at(low, (segment[known], origin[known]), value[known])
    np.maximum.at(high, (segment[known], origin[known]), value[known])
    odd = np.argwhere(np.isfinite(low) & (low != high))
    if len(odd):
        raise BookError(problem("RM459", what=f"{book.headers.get(held[0], held[0])} ({int(odd[0][1]) + 1})"))
    return np.where(np.isfinite(low), low, np.nan), held[0]
