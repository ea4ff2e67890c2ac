"""Compare premiums with another system's, and say what most likely differs, with the rows that show it.

The most telling guess is the one whose plan agrees with the other system in the most further rows; it is then taken as
true and the search goes on among what is left, so that several causes at once are told apart.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ratemod.document.terminal import table_text
from ratemod.errors import BookError, Lang, Problem, nearest, problem, text
from ratemod.money import rounded
from ratemod.plan.path_labels import path_labels
from ratemod.plan.said import plan_text
from ratemod.printed import clean
from ratemod.secondopinion.guess import SOME_ROWS, Guess
from ratemod.secondopinion.likely_causes import cell_guesses, guesses

if TYPE_CHECKING:
    from ratemod.plan.model import Plan
    from ratemod.rating.inputs import Inputs
    from ratemod.rating.rated import Rated
    from ratemod.vocabulary.column import Column

MOST_ROWS, MOST_CAUSES, SHOWN = 20_000, 8, 3
Fen = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class Cause:
    """One likely cause.

    Attributes
    ----------
    guess : Guess
    rows : (k,) int64
        Positions in the book of the rows that agree with the other system once this is assumed, largest
        difference first.
    broken : int
        Rows that agreed before and no longer do.
    partly : bool
        The other system does so in some rows only.
    """

    guess: Guess
    rows: Fen
    broken: int
    partly: bool = False

    def words(self, plan: Plan, lang: Lang) -> str:
        """Return the cause in a sentence."""
        where, detail, kind = self.guess.where, self.guess.detail, self.guess.kind
        label = plan.label(where.partition(".")[0] if kind == "edge" else where, lang)
        if kind == "rounding" and not detail[0].isdigit():
            detail = text(f"UI_mode_{detail}", lang)
        elif kind in ("bound", "pro_rata", "months"):
            detail = text(f"UI_{ {'bound': 'end', 'pro_rata': 'term', 'months': 'months'}[kind] }_{detail}", lang)
        elif kind in ("cell", "swapped_cells"):
            labels = path_labels(plan, lang)
            label, detail = labels.get(where, where), labels.get(detail, detail)
        elif kind in ("condition", "never", "swapped_columns"):
            detail = ", ".join(plan.label(name, lang) for name in detail.split(", "))
        said = text(f"UI_cause_{kind}", lang, label=label, where=where, detail=detail)
        return said + text("UI_cause_partly", lang) if self.partly else said


@dataclass(frozen=True, eq=False, slots=True)
class SecondOpinion:
    """A comparison with another system.

    Attributes
    ----------
    rated : Rated
    other_fen : (n,) int64
        The other system's premiums; 0 where `given` is False.
    given : (n,) bool
        The other system has a premium.
    differs : (n,) bool
        Both have a premium, and they are not the same fen.
    causes : tuple of Cause
        Most rows explained first.
    unexplained : (k,) int64
        Positions of rows that differ for no cause found.
    sampled : bool
        The causes were sought in a sample of the rows.
    unread : tuple of Problem
        Cells of the other system's column that are no amounts; their rows are not compared.
    """

    rated: Rated
    other_fen: Fen
    given: npt.NDArray[np.bool_]
    differs: npt.NDArray[np.bool_]
    causes: tuple[Cause, ...]
    unexplained: Fen
    sampled: bool
    unread: tuple[Problem, ...] = ()

    @property
    def agrees(self) -> npt.NDArray[np.bool_]:
        """Both have a premium, and it is the same fen: (n,) bool."""
        held: npt.NDArray[np.bool_] = (self.rated.verdict.status < 2) & self.given & ~self.differs
        return held

    def text(self, lang: Lang = "en") -> str:
        """Return the comparison as a terminal shows it."""
        priced = self.rated.verdict.status < 2
        both = priced & self.given
        alone = {"ours": priced & ~self.given, "theirs": self.given & ~priced}
        neither = int((~priced & ~self.given).sum())
        ours = self.rated.outputs.premium_fen
        lines = [
            text("UI_opinion_rows", lang, both=int(both.sum()), same=int(self.agrees.sum()),
                 differ=int(self.differs.sum())),
            self.rated.plan.text(
                "UI_opinion_alone", lang, ours=int(alone["ours"].sum()), theirs=int(alone["theirs"].sum()),
                ours_money=self.rated.plan.money.shown(int(ours[alone["ours"]].sum())),
                theirs_money=self.rated.plan.money.shown(int(self.other_fen[alone["theirs"]].sum())),
                neither=neither),
            self.rated.plan.text("UI_opinion_money", lang, ours=self.rated.plan.money.shown(int(ours[both].sum())),
                 theirs=self.rated.plan.money.shown(int(self.other_fen[both].sum()))),
        ]  # fmt: skip
        lines += [item.line(lang) for item in self.unread]
        if self.sampled:
            lines.append(text("UI_opinion_sampled", lang, rows=MOST_ROWS))
        parts = [plan_text(self.rated.plan, lang), "\n".join(lines)]
        if self.causes:
            parts.append(text("UI_opinion_causes", lang) + "\n" + self._causes(lang))
        if len(self.unexplained):
            head = text("UI_opinion_unexplained", lang, rows=len(self.unexplained))
            parts.append(head + "\n" + self._rows(self.unexplained[:SHOWN], lang))
        return "\n\n".join(parts)

    def _causes(self, lang: Lang) -> str:
        said = []
        for at, cause in enumerate(self.causes, 1):
            counts = text("UI_opinion_counts", lang, rows=len(cause.rows), broken=cause.broken)
            said.append(f"{at}. {clean(cause.words(self.rated.plan, lang))}  ({counts})")
            said.append(self._rows(cause.rows[:SHOWN], lang))
        return "\n".join(said)

    def _rows(self, rows: Fen, lang: Lang) -> str:
        keys, ours = keys_of(self.rated), self.rated.outputs.premium_fen
        body = [
            [keys[at], self.rated.plan.money.shown(int(ours[at])), self.rated.plan.money.shown(int(self.other_fen[at])),
             self.rated.plan.money.shown(int(self.other_fen[at] - ours[at]))]
            for at in rows.tolist()
        ]  # fmt: skip
        heads = [self.rated.plan.text(f"UI_opinion_{name}", lang) for name in ("key", "ours", "theirs", "apart")]
        return table_text(heads, body, [False, True, True, True])

    def cause_of(self) -> npt.NDArray[np.int64]:
        """Return for every row the number of the cause that explains it: (n,), 0 for none."""
        found = np.zeros(len(self.differs), dtype=np.int64)
        for at, cause in reversed(list(enumerate(self.causes, 1))):
            found[cause.rows] = at
        return found


def second_opinion(rated: Rated, premium: str | npt.ArrayLike) -> SecondOpinion:
    """Compare a rated book with another system's premiums and rank the likely causes of differences.

    Parameters
    ----------
    rated : Rated
    premium : str or (n,) float
        Header of a column of the book, in yuan or the unit that it names, or the premiums in yuan, NaN where there is
        none. A cell that is no amount is no premium: its row is named and not compared.

    Returns
    -------
    SecondOpinion

    Raises
    ------
    BookError
        RM891 no such column (with the nearest), RM892 none of its cells is an amount, RM264 a unit that is not clear,
        RM893 another number of rows.
    """
    n = rated.coding.n
    unread: tuple[Problem, ...] = ()
    if isinstance(premium, str):
        yuan, unread = _column(rated, premium)
    else:
        yuan = np.asarray(premium, float)
    if yuan.shape != (n,):
        raise BookError(problem("RM893", found=yuan.size, wanted=n))
    given = ~np.isnan(yuan)
    other = rounded(np.where(given, yuan, 0) * rated.plan.money.per_unit, 0).astype(np.int64)
    ours, priced = rated.outputs.premium_fen, rated.verdict.status < 2
    differs = priced & given & (ours != other)
    chosen = _sample(rated, differs, priced & given)
    causes, left = _search(rated, chosen, ours[chosen], other[chosen]) if differs.any() else ([], chosen[:0])
    size = np.abs(other - ours)
    left = left[np.argsort(-size[left], kind="stable")]
    causes = [replace(c, rows=c.rows[np.argsort(-size[c.rows], kind="stable")]) for c in causes]
    sampled = len(chosen) < int((priced & given).sum())
    return SecondOpinion(rated, other, given, differs, tuple(causes), left, sampled, unread)


def _sample(rated: Rated, differs: npt.NDArray[np.bool_], both: npt.NDArray[np.bool_]) -> Fen:
    """Return the rows to search: all, or the first of those that differ and of those that agree; policies whole."""
    rows = np.flatnonzero(both)
    if len(rows) <= MOST_ROWS or rated.plan.groups:
        return rows
    odd, even = np.flatnonzero(differs)[: MOST_ROWS // 2], np.flatnonzero(both & ~differs)
    return np.sort(np.concatenate([odd, even[: MOST_ROWS - len(odd)]]))


def _search(rated: Rated, rows: Fen, ours: Fen, theirs: Fen) -> tuple[list[Cause], Fen]:
    """Return the causes found one after another, and the rows left over."""
    from ratemod.rating.rational import from_floats
    from ratemod.rating.working import Exact

    inputs, plan = rated.coding.part(rows), rated.plan
    causes: list[Cause] = []
    least = 2 if int((ours != theirs).sum()) > 4 else 1  # a cell can be made to fit any single row
    while len(causes) < MOST_CAUSES and (ours != theirs).any():
        steps = _run(plan, inputs, plan.step_names)
        state = Exact(inputs)
        for name, column in plan.columns.items():
            if name in inputs.numbers:
                state.values[name] = from_floats(np.asarray(inputs.numbers[name], float), column.decimals)
        for name, values in steps.items():
            state.values[name] = from_floats(values, 9)
        whole: tuple[int, Guess, Fen] | None = None
        some: tuple[int, Guess, Fen] | None = None
        for guess in [*guesses(plan), *cell_guesses(plan, state, ours, theirs)]:
            found = _premium(guess.plan, inputs)
            if found is None:
                continue
            now = (ours != theirs) & (found == theirs)
            fixed, gain = int(now.sum()), int((found == theirs).sum()) - int((ours == theirs).sum())
            if gain >= least and (whole is None or gain > whole[0]):
                whole = (gain, guess, found)
            if guess.kind in SOME_ROWS and fixed >= least and (some is None or fixed > some[0]):
                some = (fixed, guess, found)
        # What holds for every row is told from what holds for some; the latter only where it explains many more.
        partly = some is not None and (whole is None or some[0] >= 2 * whole[0])
        best = some if partly else whole
        if best is None:
            break
        _, guess, found = best
        now = (ours != theirs) & (found == theirs)
        broken = 0 if partly else int(((ours == theirs) & (found != theirs)).sum())
        causes.append(Cause(guess, rows[now], broken, partly))
        plan, ours = (plan, np.where(now, found, ours)) if partly else (guess.plan, found)
    order = sorted(causes, key=lambda cause: -len(cause.rows))
    return order, rows[ours != theirs]


def _premium(plan: Plan, inputs: Inputs) -> Fen | None:
    from ratemod.rating.fast import compile_plan
    from ratemod.rating.run import run

    try:
        out = run(compile_plan(plan), inputs, ())
    except (AssertionError, ArithmeticError, KeyError, ValueError):  # a guess that is no plan
        return None
    return np.where(out.priced, out.premium_fen, -1)


def _run(plan: Plan, inputs: Inputs, names: tuple[str, ...]) -> dict[str, npt.NDArray[np.float64]]:
    from ratemod.rating.fast import compile_plan
    from ratemod.rating.run import run

    return run(compile_plan(plan), inputs, names).steps


def premium_column(header: str) -> Column:
    """Return the column of another system's premiums under a header, its unit left aside."""
    from decimal import Decimal

    from ratemod.vocabulary.column import Column

    name = re.sub(r"[(\[【（].*$", "", header).strip() or header
    return Column(name, "number", unit="yuan", decimals=2, low=Decimal(0), high=Decimal(10) ** 13, optional=True)


def _column(rated: Rated, header: str) -> tuple[npt.NDArray[np.float64], tuple[Problem, ...]]:
    """Return another system's premiums in yuan, NaN where there is none, and what cells cannot be read."""
    from ratemod.reading.convert import convert
    from ratemod.reading.header import fold, lexicon, meaning

    book, column = rated.book, premium_column(header)
    names = {fold(name): name for name in book.table.column_names}
    names |= {fold(text): name for name, text in book.headers.items()}
    name = names.get(fold(header)) or names.get(fold(column.name))
    if name is None:
        headers = list(book.table.column_names)
        raise BookError(problem("RM891", column=header, nearest=nearest(header, headers)))
    size = book.conversions.get(name)
    if name not in book.headers:  # read as a column of no meaning: its header alone says in what
        unit = meaning(name, "", lexicon({column.name: column}))[1]
        if unit is not None and unit.size is None:
            raise BookError(problem("RM264", text=unit.text, columns=name, columns_zh=name))
        size = None if unit is None else unit.size
    coded = convert(book.table[name], column, size)
    values = np.asarray(coded.values, float)
    unread = book.placed(coded.problem_of, coded.problems)
    if coded.problem_of is None or not unread:
        return values, ()
    if np.isnan(values).all():
        raise BookError([problem("RM892", column=header, rows=sum(item.count for item in unread)), *unread])
    return np.where(coded.problem_of > 0, np.nan, values), unread


def keys_of(rated: Rated) -> list[str]:
    """Return the key of every row, or its position."""
    table, key = rated.book.table, rated.plan.key
    if key not in table.column_names:
        return [str(at) for at in range(rated.coding.n)]
    return ["" if value is None else str(value) for value in table[key].to_pylist()]
