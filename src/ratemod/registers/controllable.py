"""The controllable premium: the least that an enterprise can reach by its own action, and what each action is worth.

The book is priced again with every set of actions taken, under the same plan: caps, minimum premiums and rounding are
all in. What a set of actions can save is the best over the sets inside it, since nobody need do what does not pay;
the saving of all actions together is split by the Shapley value, exactly to the fen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ratemod.errors import BookError, Lang, ModelError, nearest, problem, text
from ratemod.plan.model import Plan
from ratemod.rating.rate import rate
from ratemod.rating.rated import Rated
from ratemod.reading.book import Book
from ratemod.reading.convert import MISSING_DATE
from ratemod.registers.coded_book import as_priced, with_columns
from ratemod.registers.days import add_years
from ratemod.registers.rules import Action, Change, load_rules
from ratemod.registers.shapley import MOST, Fen, shapley_fen
from ratemod.rules.options import strict


@dataclass(frozen=True, eq=False, slots=True)
class Controllable:
    """What enterprises can reach.

    Attributes
    ----------
    plan : Plan
    keys : tuple of str, the plan's key of each row
    actions : tuple of Action
    premium_fen : (n,) int64, as things are
    least_fen : (n,) int64, the least that actions can reach
    saving_fen : (k, n) int64, by action; ``premium_fen - saving_fen.sum(axis=0) == least_fen``
    priced : (n,) bool; False where the row, or one of its counterfactuals, has no premium: then all figures are 0
    rated : Rated, the book as things are: why a row has no premium
    """

    plan: Plan
    keys: tuple[str, ...]
    actions: tuple[Action, ...]
    premium_fen: Fen
    least_fen: Fen
    saving_fen: Fen
    priced: npt.NDArray[np.bool_]
    rated: Rated

    def table(self) -> pa.Table:
        """Return key, premium, least premium and the saving of each action, in fen; null where not priced."""
        mask = ~self.priced
        figures = {"premium_fen": self.premium_fen, "least_fen": self.least_fen}
        figures |= {f"{action.name}_fen": saving for action, saving in zip(self.actions, self.saving_fen)}
        columns = {self.plan.key or "row": pa.array(self.keys, pa.string())}
        return pa.table(columns | {name: pa.array(values, mask=mask) for name, values in figures.items()})

    @strict
    def words(self, key: str, lang: Lang = "en") -> str:
        """Return what one enterprise can do about its premium, in words.

        Raises
        ------
        BookError
            RM321 no such row; RM250 it has no premium to compare.
        """
        if key not in self.keys:
            raise BookError(problem("RM321", key=key, nearest=nearest(key, self.keys[:100_000])))
        at = self.keys.index(key)
        if not self.priced[at]:
            raise BookError(problem("RM250", key=key))
        now, least = int(self.premium_fen[at]), int(self.least_fen[at])
        shown = self.plan.money.shown
        said = self.plan.text(
            "UI_controllable_head", lang, key=key, premium=shown(now), least=shown(least), saving=shown(now - least)
        )
        lines = [
            self.plan.text("UI_controllable_action", lang, action=action.label(lang), saving=shown(int(saving[at])))
            for action, saving in zip(self.actions, self.saving_fen)
            if saving[at]
        ]
        return "\n".join([said, *(lines or [text("UI_controllable_none", lang)])])


@strict
def controllable_premium(
    book: Book, plan: Plan, *, actions: Sequence[Action] | None = None, lang: Lang = "en"
) -> Controllable:
    """Return the least premium that each enterprise can reach by its own action.

    Parameters
    ----------
    book : Book read with the plan's columns
    plan : Plan
    actions : sequence of Action, optional
        Default: those of the plan's `registers.toml`.

    Returns
    -------
    Controllable

    Raises
    ------
    ModelError
        RM251 no action, or more than eight.

    Formula
    -------
    v(S) = P(no action) - min of P(T) over sets T inside S; saving of action i = Shapley value of v.
    """
    chosen = tuple(load_rules(plan).actions if actions is None else actions)
    if not 1 <= len(chosen) <= MOST:
        raise ModelError(problem("RM251", count=len(chosen), most=MOST))
    as_is = rate(book, plan, lang=lang, trace=())
    moved = [_moved(as_is, action) for action in chosen]
    premiums, priced = [as_is.outputs.premium_fen.astype(np.int64)], is_priced(as_is)
    for taken in range(1, 2 ** len(chosen)):
        columns: dict[str, Any] = {}
        for place, edit in enumerate(moved):
            if taken >> place & 1:
                columns |= edit
        rated = rate(with_columns(book, plan, columns), plan, lang=lang, trace=())
        priced = priced & is_priced(rated)
        premiums.append(rated.outputs.premium_fen.astype(np.int64))
    least = np.stack(premiums)
    least[:, ~priced] = 0
    now = least[0].copy()
    for taken in range(len(least)):
        for place in range(len(chosen)):
            if taken >> place & 1:
                least[taken] = np.minimum(least[taken], least[taken ^ 1 << place])
    saving = -shapley_fen(least)
    return Controllable(
        plan=plan,
        keys=row_keys(book, plan),
        actions=chosen,
        premium_fen=now,
        least_fen=least[-1],
        saving_fen=saving,
        priced=priced,
        rated=as_is,
    )


def is_priced(rated: Rated) -> npt.NDArray[np.bool_]:
    """Return which rows have a premium, (n,) bool."""
    held: npt.NDArray[np.bool_] = rated.verdict.status < 2
    return held


def row_keys(book: Book, plan: Plan) -> tuple[str, ...]:
    """Return the key of each row as text; its place, counted from 1, where the plan or book has no key."""
    if plan.key in book.table.column_names:
        return tuple("" if value is None else str(value) for value in book.table[plan.key].to_pylist())
    return tuple(str(at + 1) for at in range(book.table.num_rows))


def _moved(rated: Rated, action: Action) -> dict[str, Any]:
    """Return the columns of an action at their best, coded; rows that are as good already keep their values."""
    return {change.column: _changed(rated, change) for change in action.changes if change.column in rated.plan.columns}


def _changed(rated: Rated, change: Change) -> Any:
    values = as_priced(rated, change.column)
    column = rated.plan.columns[change.column]
    if change.to is not None:
        codes = column.codes()
        worse = np.isin(values, [codes.index(level) for level in change.from_])
        return np.where(worse, np.int16(codes.index(change.to)), values)
    if change.years_after is not None:
        start = as_priced(rated, change.years_after)
        known = start != MISSING_DATE
        until = np.where(known, add_years(np.where(known, start, 0), change.years), MISSING_DATE)
        return np.where(values == MISSING_DATE, until, np.maximum(values, until)).astype(np.int32)
    bounded = np.asarray(values, dtype=np.float64)
    if change.at_most is not None:
        bounded = np.where(bounded > change.at_most, change.at_most, bounded)
    if change.at_least is not None:
        bounded = np.where(bounded < change.at_least, change.at_least, bounded)
    return bounded
