"""Grids and sweeps: many scenarios of one book, each exact, with what it took to price it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ratemod.document.html import card
from ratemod.document.model import Document
from ratemod.errors import Lang, ModelError, default_language, problem
from ratemod.plan.model import Plan
from ratemod.rating.summary import codes_by
from ratemod.rules.options import strict
from ratemod.whatif.engine import ALL, CELLS, NONE, TOUCHED, Engine, engine
from ratemod.whatif.scenario import Scenario, apply, scenario
from ratemod.whatif.tally import tally
from ratemod.whatif.view import NAMELESS

if TYPE_CHECKING:
    import pandas as pd

Fen = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Sweep:
    """Scenarios of a book.

    Attributes
    ----------
    base : Engine
    scenarios : s of them
    total_fen : (s,) int64; dearer, cheaper, above_25 : (s,) int64 policies; largest_rise : (s,) float64
    segment_fen : (s, g) int64 by segment; segments : their names; by : the columns
    how : (s,) "all rows", "touched rows", "rating cells" or "no row"; rows : (s,) rows (or cells) it touches
    """

    base: Engine
    scenarios: tuple[Scenario, ...]
    total_fen: Fen
    dearer: Fen
    cheaper: Fen
    above_25: Fen
    largest_rise: npt.NDArray[np.float64]
    segment_fen: Fen
    segments: tuple[str, ...]
    by: tuple[str, ...]
    how: tuple[str, ...]
    rows: Fen

    def frame(self) -> pd.DataFrame:
        """Return one row a scenario: its changes, totals, movers, and how it was priced."""
        import pandas as pd

        paths = list(dict.fromkeys(path for item in self.scenarios for path, _ in item.changes))
        table: dict[str, Any] = {"scenario": [item.name for item in self.scenarios]}
        table |= {path: [dict(item.changes).get(path, "") for item in self.scenarios] for path in paths}
        base = int(self.base.premium_fen.sum())
        table |= {
            "premium_fen": self.total_fen,
            "change": self.total_fen / max(base, 1) - 1,
            "dearer": self.dearer,
            "cheaper": self.cheaper,
            "above_25_percent": self.above_25,
            "largest_rise": self.largest_rise,
            "rows_priced": self.rows,
            "how": self.how,
        }
        return pd.DataFrame(table)

    def by_segment(self) -> pd.DataFrame:
        """Return premium by scenario and segment, in fen."""
        import pandas as pd

        return pd.DataFrame(
            self.segment_fen,
            columns=list(self.segments),
            index=pd.Index([item.name for item in self.scenarios], name="scenario"),
        )

    @strict
    def document(self, lang: Lang | None = None) -> Document:
        """Return the scenarios."""
        from ratemod.whatif.display import sweep_document

        return sweep_document(self, lang or default_language())

    @strict
    def html(self, lang: Lang | None = None) -> str:
        """Return the same as HTML that fits a screen."""
        return card(self.document(lang))

    def _repr_html_(self) -> str:
        return self.html()

    def __repr__(self) -> str:
        money = self.base.plan.money
        least, most = money.said(int(self.total_fen.min())), money.named(int(self.total_fen.max()))
        return f"<Sweep of {len(self.scenarios)} scenarios: premium {least} to {most}>"


def grid_of(grid: Mapping[str, Sequence[Any]]) -> tuple[Scenario, ...]:
    """Return every combination of the values of some paths.

    Examples
    --------
    >>> [item.name for item in grid_of({"constants.a": [1, 2], "constants.b": [3]})]
    ['constants.a=1, constants.b=3', 'constants.a=2, constants.b=3']
    """
    made = []
    for values in product(*grid.values()):
        pairs = dict(zip(grid, values))
        made.append(scenario(", ".join(f"{path}={value}" for path, value in pairs.items()), pairs))
    return tuple(made)


@strict
def what_if(
    book: Any,
    plan: Plan,
    scenarios: Sequence[Scenario | Mapping[str, Any]] = (),
    *,
    grid: Mapping[str, Sequence[Any]] | None = None,
    by: Sequence[str] = (),
    base: Engine | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Sweep:
    """Price a book under many scenarios, each exactly as a full re-rate would.

    Parameters
    ----------
    book : whatever `rate` takes; plan : Plan
    scenarios : scenarios or mappings of changes; grid : path -> values, every combination
    by : columns of the book to sum premiums by
    base : an engine of the same book and plan, to save its making
    progress : called with scenarios done and in all

    Returns
    -------
    Sweep

    Raises
    ------
    PlanError
        For changes that cannot be, before anything is priced.
    ModelError
        RM846 without any scenario.

    Examples
    --------
    >>> import ratemod as rm
    >>> plan = rm.load_plan("jilin-spli/2025-04")
    >>> book = rm.synthesize(enterprises=300, years=2, seed=4).renewals
    >>> found = what_if(book, plan, grid={"tables.hazard_loading[open, ..].value": ["1.05", "1.10"]})
    >>> (found.total_fen[1] >= found.total_fen[0]).item()
    True
    """
    wanted = [
        item if isinstance(item, Scenario) else scenario(f"scenario {at + 1}", item)
        for at, item in enumerate(scenarios)
    ]
    wanted += grid_of(grid or {}) if grid else ()
    if not wanted:
        raise ModelError(problem("RM846"))
    for item in wanted:
        scenario(item.name, dict(item.changes), on=item.on, plan=plan)
    made = base or engine(book, plan)
    index, labels = codes_by(made.rated, by) if by else (np.zeros(made.inputs.n, np.int64), [("all",)])
    there, index = np.unique(index, return_inverse=True)  # only segments that the book has
    every = [" · ".join(name or NAMELESS for name in part) for part in product(*labels)]
    names = [every[at] for at in there.tolist()]
    standing = tally(made, index, len(names), ())
    found: list[dict[str, Any]] = [{} for _ in wanted]
    for done, at in enumerate(_order(made, wanted), 1):
        changed = apply(plan, wanted[at])
        touched = made.touched(changed)
        if wanted[at].on:  # policies wait one by one: counted by rows, and the book's own count stays where it is
            outcome = made.price(wanted[at])
            counted = tally(replace(made, cells=None), index, len(names), ())
            counted.update(outcome.whole(made), None)
        else:
            counted = standing
            counted.follow(made, changed)
        how = ALL if touched is None else TOUCHED if len(touched) else NONE
        found[at] = {
            "total": counted.counts.total_fen,
            "dearer": counted.counts.dearer,
            "cheaper": counted.counts.cheaper,
            "above": counted.counts.above_25,
            "largest": counted.largest_rise,
            "segments": counted.counts.segment_fen,
            "how": CELLS if made.cells is not None and how != NONE else how,
            "rows": made.n if touched is None else len(touched),
        }
        if progress:
            progress(done, len(wanted))
    columns = {key: np.array([item[key] for item in found]) for key in found[0]}
    return Sweep(
        base=made,
        scenarios=tuple(wanted),
        total_fen=columns["total"],
        dearer=columns["dearer"],
        cheaper=columns["cheaper"],
        above_25=columns["above"],
        largest_rise=columns["largest"],
        segment_fen=columns["segments"],
        segments=tuple(names),
        by=tuple(by),
        how=tuple(item["how"] for item in found),
        rows=columns["rows"],
    )


def _order(base: Engine, scenarios: Sequence[Scenario]) -> list[int]:
    """Return the order in which the book moves least: what touches most rows changes least often."""
    cost: dict[str, int] = {}
    for item in scenarios:
        for path, value in item.changes:
            if path not in cost:
                rows = base.touched(apply(base.plan, {path: value}))
                cost[path] = base.n if rows is None else len(rows)
    dear = sorted(cost, key=lambda path: (-cost[path], path))
    values = [dict(item.changes) for item in scenarios]
    return sorted(range(len(scenarios)), key=lambda at: ([values[at].get(path, "") for path in dear], at))
