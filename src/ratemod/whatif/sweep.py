"""Grids and sweeps: many scenarios of one book, each exact, with what it took to price it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, problem
from ratemod.plan.model import Plan
from ratemod.rating.summary import codes_by
from ratemod.whatif.engine import Engine, engine
from ratemod.whatif.scenario import Scenario, scenario

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
    how : (s,) "all rows", "touched rows" or "no row"; rows : (s,) priced again
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

    def _repr_html_(self) -> str:
        return str(self.frame().head(30).to_html(index=False))


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
        scenario(item.name, dict(item.changes), plan=plan)
    made = base or engine(book, plan)
    index, labels = codes_by(made.rated, by) if by else (np.zeros(made.inputs.n, np.int64), [("all",)])
    names = [" · ".join(part) for part in product(*labels)]
    start = _sums(made.premium_fen, index, len(names))
    found: list[dict[str, Any]] = []
    for at, item in enumerate(wanted):
        outcome = made.price(item)
        old, new, rows = made.premium_fen[outcome.rows], outcome.premium_fen, outcome.rows
        both = (old > 0) & (new > 0)
        rise = new[both] / old[both] - 1
        place = index[rows]
        found.append(
            {
                "total": outcome.total_fen,
                "dearer": int((new > old)[both].sum()),
                "cheaper": int((new < old)[both].sum()),
                "above": int((rise > 0.25).sum()),
                "largest": float(rise.max(initial=0.0)),
                "segments": start + _sums(new, place, len(names)) - _sums(old, place, len(names)),
                "how": outcome.how,
                "rows": len(rows),
            }
        )
        if progress:
            progress(at + 1, len(wanted))
    columns = {key: np.array([item[key] for item in found]) for key in found[0]}
    return Sweep(
        made,
        tuple(wanted),
        columns["total"],
        columns["dearer"],
        columns["cheaper"],
        columns["above"],
        columns["largest"],
        columns["segments"],
        tuple(names),
        tuple(by),
        tuple(item["how"] for item in found),
        columns["rows"],
    )


def _sums(fen: Fen, place: npt.NDArray[np.int64], size: int) -> Fen:
    low = np.bincount(place, (fen & 0x7FFFFFFF).astype(np.float64), minlength=size)
    high = np.bincount(place, (fen >> 31).astype(np.float64), minlength=size)
    return high.astype(np.int64) * 2**31 + low.astype(np.int64)
