"""Year on year: why an enterprise's premium changed, split exactly among groups of inputs and the change of plan.

Last year's row becomes this year's group by group; every mixture is priced, and the change is split by the Shapley
value: it does not depend on any order, and the parts add up to the change to the fen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ratemod.errors import BookError, Lang, ModelError, Problem, nearest_of, problem
from ratemod.plan.model import Plan
from ratemod.rating.rate import rate
from ratemod.rating.rated import Rated
from ratemod.reading.arrow import truths, whole
from ratemod.reading.book import Book
from ratemod.reading.checks import repeats
from ratemod.reading.identifiers import keys
from ratemod.reading.join import join
from ratemod.registers.coded_book import arrow_column, coded_column
from ratemod.registers.controllable import is_priced
from ratemod.registers.rules import EVERYTHING_ELSE, PLAN_ITSELF, Group, load_rules
from ratemod.registers.shapley import MOST, Fen, shapley_fen
from ratemod.rules.options import strict

KEY = "credit_code"
Texts = npt.NDArray[np.str_]
COMPARED, UNPRICED, ALONE, REPEATED, UNIDENTIFIED = FATES = (
    "compared", "unpriced", "alone", "repeated", "unidentified"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Account:
    """What became of rows of both books, in rows and money; over all fates they are the books.

    Attributes
    ----------
    fate : str
        "compared"; "unpriced", where either year, or a mixture of the two, has no premium; "alone", in one book only;
        "repeated", of an enterprise with several rows in a book; "unidentified", without a credit code.
    rows, fen : of last year's book and this year's; a row without a premium has no money
    """

    fate: str
    rows: tuple[int, int]
    fen: tuple[int, int]


@dataclass(frozen=True, eq=False, slots=True)
class Movement:
    """The change of each enterprise that stands in both books, once in each.

    Attributes
    ----------
    keys : (n,) tuple of credit codes, in the order of this year's book
    plan : Plan
        This year's.
    groups : tuple of Group
    before_fen, after_fen : (n,) int64
    parts_fen : (g, n) int64; ``before_fen + parts_fen.sum(axis=0) == after_fen``
    priced : (n,) bool; False where either year, or a mixture of the two, has no premium: then all figures are 0
    accounts : tuple of Account
        Every row of both books, by what became of it.
    books : Rated of both years, as they came: why a row has no premium
    """

    keys: tuple[str, ...]
    plan: Plan
    groups: tuple[Group, ...]
    before_fen: Fen
    after_fen: Fen
    parts_fen: Fen
    priced: npt.NDArray[np.bool_]
    accounts: tuple[Account, ...] = ()
    books: tuple[Rated, ...] = ()

    def table(self) -> pa.Table:
        """Return credit code, both premiums and the part of each group, in fen; null where not priced."""
        mask = ~self.priced
        figures = {"before_fen": self.before_fen, "after_fen": self.after_fen}
        figures |= {f"{group.name}_fen": part for group, part in zip(self.groups, self.parts_fen)}
        columns = {KEY: pa.array(self.keys, pa.string())}
        return pa.table(columns | {name: pa.array(values, mask=mask) for name, values in figures.items()})

    @strict
    def words(self, key: str, lang: Lang = "en") -> str:
        """Return why one enterprise's premium changed, in words.

        Raises
        ------
        BookError
            RM321 not compared; RM250 no premium to compare.
        """
        if key not in self.keys:
            raise BookError(_not_compared(key, self.keys))
        at = self.keys.index(key)
        if not self.priced[at]:
            raise BookError(problem("RM250", key=key))
        before, after = int(self.before_fen[at]), int(self.after_fen[at])
        money = self.plan.money
        head = self.plan.text(
            "UI_movement_head", lang, key=key, before=money.shown(before), after=money.shown(after),
            change=money.moved(after - before),
        )  # fmt: skip
        lines = [
            self.plan.text("UI_movement_part", lang, group=group.label(lang), change=money.moved(int(part[at])))
            for group, part in zip(self.groups, self.parts_fen)
            if part[at]
        ]
        return "\n".join([head, *lines])


def _not_compared(key: str, keys: Sequence[str]) -> Problem:
    return problem("RM321", key=key, nearest=nearest_of(keys)(key))


@strict
def premium_movement(
    before: tuple[Book, Plan],
    after: tuple[Book, Plan],
    *,
    groups: Sequence[Group] | None = None,
    key: str | None = None,
    lang: Lang = "en",
) -> Movement:
    """Split the change of premium between two years.

    Parameters
    ----------
    before, after : a book and the plan that prices it; both books carry the credit code
    groups : sequence of Group, optional
        Default: those of this year's `registers.toml`. The one that names ``plan`` moves the edition; the one that
        names ``*`` every column that no other names.
    key : str, optional
        The credit code of the one enterprise to compare, in a moment; `accounts` is empty then.

    Returns
    -------
    Movement

    Raises
    ------
    BookError
        RM301 a book without credit codes, RM252 no enterprise stands in both, RM321 not the one that was asked for.
    ModelError
        RM251 no group, or more than eight.

    Formula
    -------
    v(S) = premium with the groups of S as this year and the others as last year; part of a group = Shapley value of v.
    """
    chosen = tuple(load_rules(after[1]).groups if groups is None else groups)
    if not 1 <= len(chosen) <= MOST:
        raise ModelError(problem("RM251", count=len(chosen), most=MOST))
    fates = _matched(before[0], after[0])
    old, new = (np.flatnonzero(fate == COMPARED) for fate in fates)
    old = old[join(after[0].table[KEY].take(pa.array(new)), before[0].table[KEY].take(pa.array(old))).place()]
    if key is not None:
        codes = whole(after[0].table[KEY].take(pa.array(new))).to_pylist()
        if key not in codes:
            raise BookError(_not_compared(key, codes))
        old, new = (rows[[codes.index(key)]] for rows in (old, new))
    sides = [_columns(book, plan, rows) for (book, plan), rows in ((before, old), (after, new))]
    owner = _owners(chosen, {*sides[0], *sides[1]})
    rated_books = tuple(
        rate(book, plan, lang=lang, trace=()) for book, plan in (before, after)
    )  # a mixture knows no cells
    premiums, priced = [], is_priced(rated_books[0])[old] & is_priced(rated_books[1])[new]
    for moved in range(2 ** len(chosen)):
        plan = (before, after)[moved >> owner[PLAN_ITSELF] & 1 if PLAN_ITSELF in owner else 1][1]
        columns = {}
        for name, place in owner.items():
            side = sides[moved >> place & 1]
            if name in side and name in plan.columns:
                columns[name] = side[name]
        rated = rate(Book(pa.table(columns)), plan, lang=lang, trace=())
        priced &= is_priced(rated)
        premiums.append(rated.outputs.premium_fen.astype(np.int64))
    values = np.stack(premiums)
    values[:, ~priced] = 0
    return Movement(
        keys=tuple(after[0].table[KEY].take(pa.array(new)).to_pylist()),
        plan=after[1],
        groups=chosen,
        before_fen=values[0],
        after_fen=values[-1],
        parts_fen=shapley_fen(values),
        priced=priced,
        accounts=() if key is not None else _accounts(fates, (old, new), priced, rated_books),
        books=rated_books,
    )


def _matched(before: Book, after: Book) -> tuple[Texts, Texts]:
    """Return whether each row of both books can be compared, by `FATES`; what has no premium is not told from it yet.

    Raises
    ------
    BookError
        RM301, RM252: see `premium_movement`.
    """
    lacking = [
        problem("RM301", file=book.file, column=KEY, label="统一社会信用代码")
        for book in (before, after)
        if KEY not in book.table.column_names
    ]
    if lacking:
        raise BookError(lacking)
    codes = [keys(whole(book.table[KEY])) for book in (before, after)]
    twice = pa.concat_arrays([own.filter(pa.array(repeats(own))) for own in codes])
    fates = []
    for own, other in (codes, codes[::-1]):
        known, again = (pc.is_in(own, value_set=said, skip_nulls=True) for said in (other, twice))
        places = np.select(
            [~truths(own.is_valid()), truths(again), ~truths(known)], [UNIDENTIFIED, REPEATED, ALONE], COMPARED
        )
        fates.append(places)
    if not (fates[1] == COMPARED).any():
        raise BookError(problem("RM252"))
    return fates[0], fates[1]


def _accounts(
    fates: tuple[Texts, Texts], compared: Sequence[Any], priced: npt.NDArray[np.bool_], books: Sequence[Rated]
) -> tuple[Account, ...]:
    """Return the rows and the money of both books by what became of them."""
    for fate, rows in zip(fates, compared):
        fate[rows[~priced]] = UNPRICED
    money = [np.where(is_priced(rated), rated.outputs.premium_fen, 0) for rated in books]
    return tuple(
        Account(
            fate=name,
            rows=(int((fates[0] == name).sum()), int((fates[1] == name).sum())),
            fen=(int(money[0][fates[0] == name].sum()), int(money[1][fates[1] == name].sum())),
        )
        for name in FATES
    )


def _columns(book: Book, plan: Plan, rows: Any) -> dict[str, pa.Array]:
    """Return the plan's columns of some rows, with level codes for labels, so that years can be mixed."""
    chosen = pa.array(rows)
    return {
        name: arrow_column(column, coded_column(book, plan, name)).take(chosen)
        for name, column in plan.columns.items()
        if name in book.table.column_names or column.optional
    }


def _owners(groups: Sequence[Group], columns: set[str]) -> dict[str, int]:
    """Return which group moves each column and the plan; a name that no group has moves with ``*``."""
    owner = {name: place for place, group in enumerate(groups) for name in group.columns if name != EVERYTHING_ELSE}
    rest = next((place for place, group in enumerate(groups) if EVERYTHING_ELSE in group.columns), 0)
    return {name: rest for name in sorted(columns) if name not in owner} | owner
