"""A panel that prices as it is moved: any number of sliders on a book of any size, every answer exact.

What does not rest on the moved slider is not computed again (`ratemod.whatif.position`), and only moved rows are
counted again (`ratemod.whatif.tally`). In Jupyter the panel shows itself with sliders (the extra `notebook`);
without it, `Live.move` is the same thing by hand. `Live.page` writes the sliders as a page that needs no Python.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ratemod.document.html import card
from ratemod.document.model import Document
from ratemod.errors import Lang, ModelError, nearest, problem
from ratemod.plan.model import Plan
from ratemod.rules.options import strict
from ratemod.rules.within import Count
from ratemod.whatif.engine import Engine, engine
from ratemod.whatif.panel import Panel, panel
from ratemod.whatif.scenario import apply, numbers_of
from ratemod.whatif.sliders import MOST, labels_of, positions, start_of, thinned
from ratemod.whatif.view import View, Watch, watch

MOST_RUNGS = 1000


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
    watched: Watch
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
        return self.watched.look(apply(self.base.plan, self.at), self.at)

    @strict
    def page(self, *, most: Count = MOST) -> Panel:
        """Return the sliders as a page that needs no Python: every combination priced, thinned to `most` positions.

        The plan's own values, and those where the panel stands, stay.
        """
        values = thinned(self.base.plan, self.sliders, self.at, most)
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

    def document(self) -> Document:
        """Return what the panel shows now."""
        from ratemod.whatif.display import live_document

        return live_document(self)

    def _repr_html_(self) -> str:
        return card(self.document())

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
    by: str | None = None,
    lang: Lang = "en",
    labels: Mapping[str, str] | None = None,
    base: Engine | None = None,
) -> Live:
    """Return a panel that prices as it is moved.

    Parameters
    ----------
    book : whatever `rate` takes; plan : Plan
    sliders : path -> values in order, as in a scenario (``"*1.05"`` multiplies); see `ladder`
    by : column whose levels are the segments (default: the sector, else the first column of levels, else none)
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
    values = positions(plan, sliders)
    made = base or engine(book, plan)
    shown = labels_of(plan, values, labels, lang)
    watched = watch(made, by, lang)
    return Live(made, values, watched.by, lang, shown, start_of(plan, values), watched)


@strict
def ladder(low: Any, high: Any, step: Any, *, times: bool = False) -> tuple[str, ...]:
    """Return exact decimals from low to high, both included, as the values of a slider.

    Parameters
    ----------
    times : as multiples of what the plan has, ``"*1.05"``

    Raises
    ------
    ModelError
        RM383 no number, RM861 no rungs, or more than a slider should have.

    Examples
    --------
    >>> ladder("0.9", "1.1", "0.1", times=True)
    ('*0.9', '*1.0', '*1.1')
    """
    first, last, by = numbers_of({"low": low, "high": high, "step": step})
    count = int((last - first) / by) + 1 if by > 0 and last > first else 0
    if not 2 <= count <= MOST_RUNGS:
        raise ModelError(problem("RM861", low=low, high=high, step=step, most=MOST_RUNGS))
    return tuple(("*" if times else "") + f"{first + by * at:f}" for at in range(count))
