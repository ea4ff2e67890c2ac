"""What a book comes to at one position of some sliders: one tally behind the live panel, its widget and its page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ratemod.errors import Lang
from ratemod.plan.model import Plan
from ratemod.rating.summary import codes_by, default_by
from ratemod.rules.options import strict
from ratemod.whatif.engine import ALL, CELLS, NONE, TOUCHED, Engine
from ratemod.whatif.tally import EDGES, Counts, Tally, tally

if TYPE_CHECKING:
    import pandas as pd

MOVERS = 8
NAMELESS = "–"  # rows whose cell is empty
Fen = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class View:
    """What a panel shows at one position of its sliders.

    Attributes
    ----------
    plan : Plan at that position; at : path -> value
    base_fen, total_fen : premium of the book under the plan's own numbers, and now
    policies : priced before and after; dearer, cheaper, above_25 : of them; largest_rise : relative
    by, names : column and names of the segments; start_fen, segment_fen : (g,) int64, their premium before and now
    band_policies : (b,) int64, policies by band of relative change
    key, movers_key : column of the policies' keys, and the keys of those that move most; old_fen, new_fen : theirs
    how : "all rows", "touched rows", "rating cells" or "no row"; rows : rows (or cells) priced again by this move
    """

    plan: Plan
    at: Mapping[str, str]
    base_fen: int
    total_fen: int
    policies: int
    dearer: int
    cheaper: int
    above_25: int
    largest_rise: float
    by: str
    names: tuple[str, ...]
    start_fen: Fen
    segment_fen: Fen
    band_policies: Fen
    key: str
    movers_key: tuple[str | int, ...]
    old_fen: Fen
    new_fen: Fen
    how: str
    rows: int

    @property
    def change(self) -> float:
        """Relative change of the book's premium."""
        return self.total_fen / max(self.base_fen, 1) - 1

    @cached_property
    def segments(self) -> pd.DataFrame:
        """Segment, premium_before_fen, premium_after_fen, change."""
        import pandas as pd

        with np.errstate(divide="ignore", invalid="ignore"):
            change = np.where(self.start_fen > 0, self.segment_fen / self.start_fen - 1, np.nan)
        return pd.DataFrame(
            {
                self.by: list(self.names),
                "premium_before_fen": self.start_fen,
                "premium_after_fen": self.segment_fen,
                "change": change,
            }
        )

    @cached_property
    def bands(self) -> pd.DataFrame:
        """change_from, change_below, policies; a band is [from, below)."""
        import pandas as pd

        ends = {"change_from": [-np.inf, *EDGES], "change_below": [*EDGES, np.inf]}
        return pd.DataFrame({**ends, "policies": self.band_policies})

    @cached_property
    def movers(self) -> pd.DataFrame:
        """The key, premium_before_fen, premium_after_fen, change_fen, change, of those that move most in money."""
        import pandas as pd

        return pd.DataFrame(
            {
                self.key: list(self.movers_key),
                "premium_before_fen": self.old_fen,
                "premium_after_fen": self.new_fen,
                "change_fen": self.new_fen - self.old_fen,
                "change": self.new_fen / self.old_fen - 1,
            }
        )


@dataclass(frozen=True, eq=False)
class Watch:
    """A book whose premiums are counted as it moves.

    Attributes
    ----------
    base : Engine; by : column of the segments; names : what they are called; tally : how the book stands now
    """

    base: Engine
    by: str
    names: tuple[str, ...]
    tally: Tally
    start_fen: Fen

    def look(self, plan: Plan, at: Mapping[str, str]) -> View:
        """Move the book to a plan and return what it comes to."""
        base, counted = self.base, self.tally
        rows = counted.follow(base, plan)
        touched = base.touched(plan)
        size = base.n if base.cells is None else len(base.cells.first)
        how = ALL if touched is None else TOUCHED if len(touched) else NONE
        counts: Counts = counted.counts
        units = counted.movers(MOVERS, touched)
        units = units[counted.now_fen[units] != counted.base_fen[units]]
        key, keys = self._keys(units)
        return View(
            plan=plan,
            at=dict(at),
            base_fen=base.total_fen,
            total_fen=counts.total_fen,
            policies=counted.policies,
            dearer=counts.dearer,
            cheaper=counts.cheaper,
            above_25=counts.above_25,
            largest_rise=counted.largest_rise,
            by=self.by,
            names=self.names,
            start_fen=self.start_fen,
            segment_fen=counts.segment_fen,
            band_policies=counts.bands,
            key=key,
            movers_key=keys,
            old_fen=counted.base_fen[units],
            new_fen=counted.now_fen[units],
            how=CELLS if base.cells is not None and how != NONE else how,
            rows=size if rows is None else len(rows),
        )

    def _keys(self, units: npt.NDArray[np.intp]) -> tuple[str, tuple[str | int, ...]]:
        """Return the column that names policies, and the names of some; of a collapsed book, each cell's first."""
        base, rows = self.base, units
        if self.tally.unit_cell is not None:
            assert base.cells is not None
            rows = base.cells.first[self.tally.unit_cell[units]]
        key, table = base.plan.key, base.rated.book.table
        if key is None or key not in table.column_names:
            return "row", tuple(int(at) + 1 for at in rows)
        return key, tuple(str(table[key][int(at)]) for at in rows)


@strict
def watch(base: Engine, by: str | None, lang: Lang) -> Watch:
    """Return the count of a book as it stands under its own plan, by the segments that it has.

    Parameters
    ----------
    by : column whose levels are the segments; only those that occur are shown, an empty cell under a dash
        (None: the sector, or else the first column of levels; of a plan without one the whole book is a segment)
    """
    by = by or (*default_by(base.plan), "plan")[0]
    index, (names,) = codes_by(base.rated, [by])
    there, segment = np.unique(index, return_inverse=True)
    words = base.plan.level_labels(by, lang)
    counted = tally(base, segment.astype(np.int64), len(there), EDGES)
    shown = tuple(words.get(names[at], names[at]) or NAMELESS for at in there.tolist())
    return Watch(base, by, shown, counted, counted.counts.segment_fen.copy())
