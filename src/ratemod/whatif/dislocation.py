"""Who moves, by how much: a book priced twice, before and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from ratemod.document.html import card
from ratemod.document.model import Document
from ratemod.errors import BookError, Lang, problem
from ratemod.plan.edit import differences
from ratemod.plan.model import Plan
from ratemod.plan.op.limits import Cap
from ratemod.rating.encode import identifiers
from ratemod.rating.rated import Rated
from ratemod.rating.summary import codes_by
from ratemod.reading.checks import repeats
from ratemod.rules.options import strict
from ratemod.whatif.tally import sums
from ratemod.whatif.waiting import applies_from, start_column, waiting_for

if TYPE_CHECKING:
    import pandas as pd

Fen = npt.NDArray[np.int64]
By = Literal["money", "share"]
EDGES = (-0.5, -0.25, -0.1, -0.05, -0.005, 0.005, 0.05, 0.1, 0.25, 0.5)


@dataclass(frozen=True, eq=False)
class Dislocation:
    """A book priced twice.

    Attributes
    ----------
    before, after : Rated, rows of the same policies
    both : (n,) bool, priced in both; lost, gained : (n,) bool, priced in one only
    uncapped_yuan : (n,) float64 before caps, before and after the changes, or None
    waiting : (n,) bool, policies that start before the new numbers apply and keep the old, or None
    """

    before: Rated
    after: Rated
    both: npt.NDArray[np.bool_]
    lost: npt.NDArray[np.bool_]
    gained: npt.NDArray[np.bool_]
    uncapped_yuan: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]] | None = None
    waiting: npt.NDArray[np.bool_] | None = None

    @cached_property
    def change(self) -> npt.NDArray[np.float64]:
        """Relative change of premium of the rows priced in both, (m,) float64."""
        old, new = self._fen()
        return np.asarray(new / np.maximum(old, 1) - 1.0)

    def _fen(self) -> tuple[Fen, Fen]:
        old, new = self.before.outputs.premium_fen[self.both], self.after.outputs.premium_fen[self.both]
        return old, new if self.waiting is None else np.where(self.waiting[self.both], old, new)

    @cached_property
    def uncapped_change(self) -> npt.NDArray[np.float64]:
        """Relative change before caps of the rows priced in both, (m,) float64; NaN where it is not known."""
        if self.uncapped_yuan is None:
            return np.full(int(self.both.sum()), np.nan)
        old, new = (values[self.both] for values in self.uncapped_yuan)
        with np.errstate(divide="ignore", invalid="ignore"):
            change = np.where(old > 0, new / old - 1, np.nan)
        return change if self.waiting is None else np.where(self.waiting[self.both], 0.0, change)

    @cached_property
    def totals(self) -> dict[str, Any]:
        """Premium before and after, winners, losers, the largest moves, rows priced in one only."""
        old, new = self._fen()
        return {
            "policies": int(self.both.sum()),
            "premium_before_fen": int(old.sum()),
            "premium_after_fen": int(new.sum()),
            "change": float(new.sum() / max(int(old.sum()), 1) - 1),
            "cheaper": int((new < old).sum()),
            "dearer": int((new > old).sum()),
            "unchanged": int((new == old).sum()),
            "largest_rise": float(self.change.max(initial=0.0)),
            "largest_fall": float(self.change.min(initial=0.0)),
            "above_25_percent": int((self.change > 0.25).sum()),
            "only_before": int(self.lost.sum()),
            "only_after": int(self.gained.sum()),
        } | self._uncapped_totals()

    def _uncapped_totals(self) -> dict[str, Any]:
        if self.uncapped_yuan is None:
            return {}
        change = self.uncapped_change
        known = change[np.isfinite(change)]
        return {
            "above_25_percent_uncapped": int((known > 0.25).sum()),
            "largest_rise_uncapped": float(known.max(initial=0.0)),
            "largest_fall_uncapped": float(known.min(initial=0.0)),
        }

    @strict
    def bands(self, edges: Sequence[float] = EDGES) -> pd.DataFrame:
        """Return policies and premium by band of relative change; a band is [from, below)."""
        import pandas as pd

        old, new = self._fen()
        place = np.searchsorted(np.asarray(edges), self.change, side="right")
        size = len(edges) + 1
        frame = pd.DataFrame(
            {
                "change_from": [-np.inf, *edges],
                "change_below": [*edges, np.inf],
                "policies": np.bincount(place, minlength=size),
                "premium_before_fen": sums(old, place, size),
                "premium_after_fen": sums(new, place, size),
            }
        )
        if self.uncapped_yuan is not None:
            free = self.uncapped_change
            spot = np.searchsorted(np.asarray(edges), free[np.isfinite(free)], side="right")
            frame["policies_uncapped"] = np.bincount(spot, minlength=size)
        return frame

    def by(self, *names: str) -> pd.DataFrame:
        """Return premium before and after by columns of the book, with winners and losers.

        Raises
        ------
        BookError
            RM322 for a column the book does not have.
        """
        import pandas as pd

        index, labels = codes_by(self.before, names)
        index = index[self.both]
        size = int(np.prod([len(part) for part in labels], dtype=np.int64))
        old, new = self._fen()
        frame = pd.DataFrame(
            {
                "policies": np.bincount(index, minlength=size),
                "premium_before_fen": sums(old, index, size),
                "premium_after_fen": sums(new, index, size),
                "cheaper": np.bincount(index[new < old], minlength=size),
                "dearer": np.bincount(index[new > old], minlength=size),
                "above_25_percent": np.bincount(index[self.change > 0.25], minlength=size),
            }
        )
        frame["change"] = frame.premium_after_fen / frame.premium_before_fen.where(frame.premium_before_fen > 0) - 1
        if self.uncapped_yuan is not None:
            free = self.uncapped_change
            frame["above_25_percent_uncapped"] = np.bincount(index[free > 0.25], minlength=size)
        places = np.unravel_index(np.arange(size), [len(part) for part in labels])
        for at, (name, part, place) in enumerate(zip(names, labels, places)):
            frame.insert(at, name, np.array(part, dtype=object)[place])
        return frame[frame.policies > 0].reset_index(drop=True)

    def bands_by(self, name: str, edges: Sequence[float] = EDGES) -> pd.DataFrame:
        """Return policies by band of relative change (rows) and by the values of one column (columns)."""
        import pandas as pd

        index, (labels,) = codes_by(self.before, [name])
        size = len(edges) + 1
        place = np.searchsorted(np.asarray(edges), self.change, side="right")
        counts = np.bincount(place * len(labels) + index[self.both], minlength=size * len(labels))
        frame = pd.DataFrame(counts.reshape(size, len(labels)), columns=list(labels))
        frame = frame.loc[:, frame.sum() > 0]
        frame.insert(0, "change_from", [-np.inf, *edges])
        frame.insert(1, "change_below", [*edges, np.inf])
        return frame

    @strict
    def movers(self, most: int = 20, *, by: By = "money") -> pd.DataFrame:
        """Return the policies that move most, in money or as a share of the premium; ties in the order of the book."""
        import pandas as pd

        rows = np.flatnonzero(self.both)
        old, new = self._fen()
        size = np.abs(new - old) if by == "money" else np.abs(self.change)
        first = np.argsort(-size, kind="stable")[:most]
        key = self.before.plan.key
        names = self.before.book.table[key].take(rows[first]).to_pylist() if key else (rows[first] + 1).tolist()
        return pd.DataFrame(
            {
                key or "row": names,
                "premium_before_fen": old[first],
                "premium_after_fen": new[first],
                "change_fen": (new - old)[first],
                "change": self.change[first],
            }
        )

    def bounds(self) -> pd.DataFrame:
        """Return how many policies each bound holds, before and after."""
        import pandas as pd

        names = [
            f"{step.name}:{end}" for step in self.before.plan.steps if step.operation.binds for end in ("low", "high")
        ]
        after = [
            f"{step.name}:{end}" for step in self.after.plan.steps if step.operation.binds for end in ("low", "high")
        ]
        counts = {}
        for label, rated, listed in (("before", self.before, names), ("after", self.after, after)):
            bits = rated.outputs.bits[rated.verdict.status < 2]
            counts[label] = {name: int((bits >> at & 1).sum()) for at, name in enumerate(listed)}
        every = list(dict.fromkeys([*names, *after]))
        return pd.DataFrame(
            {
                "bound": every,
                "before": [counts["before"].get(name, 0) for name in every],
                "after": [counts["after"].get(name, 0) for name in every],
            }
        )

    @strict
    def differences(self, lang: Lang = "en") -> list[str]:
        """Return what differs between the two plans, in words."""
        return differences(self.before.plan, self.after.plan, lang)

    @strict
    def document(self, lang: Lang | None = None) -> Document:
        """Return the whole; default language that of the book's pricing."""
        from ratemod.whatif.display import dislocation_document

        return dislocation_document(self, lang or self.before.lang)

    @strict
    def html(self, lang: Lang | None = None) -> str:
        """Return the same as HTML that fits a screen."""
        return card(self.document(lang))

    def _repr_html_(self) -> str:
        return self.html()

    def __repr__(self) -> str:
        facts = self.totals
        return (
            f"<Dislocation {self.before.plan.id} → {self.after.plan.id}: {facts['policies']:,} policies, "
            f"{facts['change']:+.2%}; {facts['dearer']:,} dearer, {facts['cheaper']:,} cheaper, "
            f"{facts['above_25_percent']:,} above +25 %>"
        )


def before_caps(plan: Plan) -> str | None:
    """Return the step that the plan's last cap acts on, None without a cap.

    Examples
    --------
    >>> import ratemod as rm
    >>> before_caps(rm.load_plan("jilin-spli/2025-04"))
    'annual_premium'
    """
    found = [step.operation.of[0] for step in plan.steps if isinstance(step.operation, Cap)]
    return str(found[-1]) if found else None


def compare(before: Rated, after: Rated, *, uncapped: str | None = None, start: str | None = None) -> Dislocation:
    """Compare a book priced twice.

    Parameters
    ----------
    before, after : Rated, of the same rows in the same order
    uncapped : name of the step before caps that both kept (`trace`), to see what the caps hold back; by default the
        step that the plan's cap acts on, where both kept it
    start : column of the day a policy starts. Where it is given, a policy that starts before the new plan applies to
        its business (new or renewal) keeps its old premium and counts as waiting. A plan changed by a scenario with a
        day is always compared so, by ``start_date``

    Returns
    -------
    Dislocation

    Raises
    ------
    BookError
        RM843 when the two do not hold the same rows, RM291 when keys repeat in two lists that differ, RM844 when a step
        was not kept, RM322 for no such column.

    Examples
    --------
    >>> import ratemod as rm
    >>> plan = rm.load_plan("jilin-spli/2025-04")
    >>> province = rm.synthesize(enterprises=200, years=2, seed=1)
    >>> old = rm.rate(province.renewals, plan, lang="en")
    >>> new = rm.rate(province.renewals, plan.replace({"constants.no_certificate": "1.20"}), lang="en")
    >>> compare(old, new).totals["cheaper"]
    0
    """
    before, after = before.one_edition(), after.one_edition()
    same = before.coding.n == after.coding.n
    key = before.plan.key
    if same and key and key in after.book.table.column_names and before.book is not after.book:
        old, new = (identifiers(rated.book.table[key]) for rated in (before, after))
        same = old.equals(new)
        twice = repeats(old)
        if same and twice.any() and not before.book.table.equals(after.book.table):
            raise BookError(problem("RM291", key=old[int(np.argmax(twice))].as_py()))
    if not same:
        raise BookError(problem("RM843", before=before.coding.n, after=after.coding.n))
    free = None
    kept = before_caps(before.plan)
    if uncapped is None and all(kept in rated.outputs.steps for rated in (before, after)):
        uncapped = kept
    if uncapped is not None:
        missing = [rated.plan.id for rated in (before, after) if uncapped not in rated.outputs.steps]
        if missing:
            raise BookError(problem("RM844", step=uncapped, plans=", ".join(missing)))
        free = (before.outputs.steps[uncapped], after.outputs.steps[uncapped])
    old, new = before.verdict.status < 2, after.verdict.status < 2
    if start is None and applies_from(after.plan):
        start = start_column(after.plan)
    waiting = None if start is None else waiting_for(before, after.plan, start)
    return Dislocation(before, after, old & new, old & ~new, new & ~old, free, waiting)
