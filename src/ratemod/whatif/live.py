"""A panel that prices as it is moved: any number of sliders on a book of any size, every answer exact.

What does not rest on the moved slider is not computed again (`ratemod.whatif.position`), and only moved rows are
counted again (`ratemod.whatif.tally`). In Jupyter the panel shows itself with sliders (the extra `notebook`);
without it, `Live.move` is the same thing by hand. `Live.page` writes the sliders as a page that needs no Python.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ratemod.errors import Lang, ModelError, nearest, problem
from ratemod.plan.model import Plan
from ratemod.rating.summary import codes_by
from ratemod.rules.options import strict
from ratemod.whatif.engine import ALL, CELLS, NONE, TOUCHED, Engine, engine
from ratemod.whatif.panel import MOST, Panel, level_words, panel, start_of
from ratemod.whatif.scenario import apply
from ratemod.whatif.tally import EDGES, Tally, tally

if TYPE_CHECKING:
    import pandas as pd

MOST_RUNGS = 1000
MOVERS = 8


@dataclass(frozen=True, eq=False)
class View:
    """What a panel shows at one position of its sliders.

    Attributes
    ----------
    plan : Plan at that position; at : path -> value
    base_fen, total_fen : premium of the book under the plan's own numbers, and now
    policies : priced before and after; dearer, cheaper, above_25 : of them; largest_rise : relative
    segments : DataFrame of segment, premium_before_fen, premium_after_fen, change
    bands : DataFrame of change_from, change_below, policies; a band is [from, below)
    movers : DataFrame of the key, premium_before_fen, premium_after_fen, change_fen, change
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
    segments: pd.DataFrame
    bands: pd.DataFrame
    movers: pd.DataFrame
    how: str
    rows: int

    @property
    def change(self) -> float:
        """Relative change of the book's premium."""
        return self.total_fen / max(self.base_fen, 1) - 1


@dataclass(eq=False)
class Live:
    """Sliders over a book.

    Attributes
    ----------
    base : Engine; sliders : path -> values; by : column of the segments; lang; labels : path -> what it is called
    at : path -> the value where its slider stands
    view : what the panel shows now
    """

    base: Engine
    sliders: Mapping[str, tuple[str, ...]]
    by: str
    lang: Lang
    labels: Mapping[str, str]
    at: dict[str, str]
    tally: Tally
    names: tuple[str, ...]
    start_fen: npt.NDArray[np.int64]
    view: View = field(init=False)
    _widget: Any = field(init=False, default=None, repr=False)

    def __post_init__(self) -> None:
        self.view = self._look()

    def move(self, changes: Mapping[str, Any]) -> View:
        """Move some sliders and return what the book then comes to.

        Parameters
        ----------
        changes : path -> one of the slider's values

        Raises
        ------
        ModelError
            RM859 a path that is no slider (with the nearest), RM860 a value that the slider does not have.
        """
        wrong = []
        for path, value in changes.items():
            if path not in self.sliders:
                wrong.append(problem("RM859", path=path, nearest=nearest(path, list(self.sliders))))
            elif str(value) not in self.sliders[path]:
                values = ", ".join(self.sliders[path][:12])
                wrong.append(problem("RM860", path=path, value=value, values=values))
        if wrong:
            raise ModelError(wrong)
        self.at |= {path: str(value) for path, value in changes.items()}
        self.view = self._look()
        return self.view

    def _look(self) -> View:
        plan = apply(self.base.plan, self.at)
        base, counted = self.base, self.tally
        rows = counted.follow(base, plan)
        touched = base.touched(plan)
        size = base.n if base.cells is None else len(base.cells.first)
        moved = size if rows is None else len(rows)
        how = ALL if touched is None else TOUCHED if len(touched) else NONE
        how = CELLS if base.cells is not None and how != NONE else how
        counts = counted.counts
        return View(
            plan,
            dict(self.at),
            base.total_fen,
            counts.total_fen,
            counted.policies,
            counts.dearer,
            counts.cheaper,
            counts.above_25,
            counted.largest_rise,
            self._segments(),
            self._bands(),
            self._movers(touched),
            how,
            moved,
        )

    def _segments(self) -> pd.DataFrame:
        import pandas as pd

        now = self.tally.counts.segment_fen
        with np.errstate(divide="ignore", invalid="ignore"):
            change = np.where(self.start_fen > 0, now / self.start_fen - 1, np.nan)
        frame = pd.DataFrame(
            {
                self.by: list(self.names),
                "premium_before_fen": self.start_fen,
                "premium_after_fen": now,
                "change": change,
            }
        )
        return frame[(frame.premium_before_fen != 0) | (frame.premium_after_fen != 0)].reset_index(drop=True)

    def _bands(self) -> pd.DataFrame:
        import pandas as pd

        edges = self.tally.edges
        return pd.DataFrame(
            {
                "change_from": [-np.inf, *edges],
                "change_below": [*edges, np.inf],
                "policies": self.tally.counts.bands,
            }
        )

    def _movers(self, touched: npt.NDArray[np.intp] | None) -> pd.DataFrame:
        import pandas as pd

        counted, base = self.tally, self.base
        units = counted.movers(MOVERS, touched)
        rows = units
        if counted.unit_cell is not None:  # of a cell, its first policies in the segment
            assert base.cells is not None
            rows = base.cells.first[counted.unit_cell[units]]
        key = base.plan.key
        table = base.rated.book.table
        known = key is not None and key in table.column_names
        old, new = counted.base_fen[units], counted.now_fen[units]
        return pd.DataFrame(
            {
                key if known else "row": [str(table[key][int(at)]) if known else int(at) + 1 for at in rows],
                "premium_before_fen": old,
                "premium_after_fen": new,
                "change_fen": new - old,
                "change": counted.rise[units],
            }
        )

    def page(self, *, most: int = MOST) -> Panel:
        """Return the sliders as a page that needs no Python: every combination priced, thinned to `most` positions."""
        values = {path: list(given) for path, given in self.sliders.items()}
        while int(np.prod([len(given) for given in values.values()], dtype=np.int64)) > most:
            path = max(values, key=lambda name: len(values[name]))
            kept = values[path][::2]
            values[path] = kept if self.at[path] in kept else sorted({*kept, self.at[path]}, key=values[path].index)
            if len(values[path]) <= 2:
                break
        return panel(None, self.base.plan, values, by=self.by, lang=self.lang, labels=self.labels, base=self.base)

    def widget(self) -> Any:
        """Return the panel as a Jupyter widget; the same one every time.

        Raises
        ------
        ModelError
            RM858 ipywidgets is not installed.
        """
        if self._widget is None:
            from ratemod.whatif.widget import widget_of

            self._widget = widget_of(self)
        return self._widget

    def _repr_html_(self) -> str:
        from ratemod.exhibits.rich import view_html

        return view_html(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        bundle: dict[str, Any] = {"text/plain": repr(self), "text/html": self._repr_html_()}
        try:
            shown = self.widget()._repr_mimebundle_()
        except ModelError:
            return bundle
        return {**(shown[0] if isinstance(shown, tuple) else shown), **bundle}

    def __repr__(self) -> str:
        view = self.view
        return f"<Live {self.base.plan.id}: {len(self.sliders)} sliders, {self.base.n:,} policies, {view.change:+.2%}>"


@strict
def live(
    book: Any,
    plan: Plan,
    sliders: Mapping[str, Sequence[Any]],
    *,
    by: str = "sector",
    lang: Lang = "en",
    labels: Mapping[str, str] | None = None,
    base: Engine | None = None,
) -> Live:
    """Return a panel that prices as it is moved.

    Parameters
    ----------
    book : whatever `rate` takes; plan : Plan
    sliders : path -> values in order, as in a scenario (``"*1.05"`` multiplies); see `ladder`
    by : column whose levels are the segments
    labels : path -> what the slider is called
    base : an engine of the same book and plan, to save its making

    Returns
    -------
    Live
        Standing at the plan's own numbers, where the sliders have them, else at their first values.

    Raises
    ------
    ModelError
        RM856 without a slider.
    PlanError
        For changes that cannot be; every value is tried.

    Examples
    --------
    >>> import ratemod as rm
    >>> plan = rm.load_plan("jilin-spli/2025-04")
    >>> book = rm.synthesize(enterprises=300, years=2, seed=4).renewals
    >>> panel = live(book, plan, {"tables.base_rate": ladder("0.90", "1.10", "0.05", times=True)})
    >>> panel.move({"tables.base_rate": "*1.05"}).change > 0
    True
    """
    values = {path: tuple(str(value) for value in given) for path, given in sliders.items()}
    if not values or not all(values.values()):
        raise ModelError(problem("RM856", positions=0, most=MOST))
    for path, given in values.items():
        for value in given:
            apply(plan, {path: value})
    made = base or engine(book, plan)
    segment, (names,) = codes_by(made.rated, [by])
    counted = tally(made, segment, len(names), EDGES)
    at = start_of(plan, values)
    words = level_words(plan, by, lang)
    shown = tuple(words.get(name, name) or "–" for name in names)
    return Live(made, values, by, lang, dict(labels or {}), at, counted, shown, counted.counts.segment_fen.copy())


@strict
def ladder(low: Any, high: Any, step: Any, *, times: bool = False) -> tuple[str, ...]:
    """Return exact decimals from low to high, both included, as the values of a slider.

    Parameters
    ----------
    times : as multiples of what the plan has, ``"*1.05"``

    Raises
    ------
    ModelError
        RM861 no rungs, or more than a slider should have.

    Examples
    --------
    >>> ladder("0.9", "1.1", "0.1", times=True)
    ('*0.9', '*1.0', '*1.1')
    """
    first, last, by = Decimal(str(low)), Decimal(str(high)), Decimal(str(step))
    count = int((last - first) / by) + 1 if by > 0 and last > first else 0
    if not 2 <= count <= MOST_RUNGS:
        raise ModelError(problem("RM861", low=low, high=high, step=step, most=MOST_RUNGS))
    return tuple(("*" if times else "") + f"{first + by * at:f}" for at in range(count))
