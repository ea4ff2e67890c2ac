"""Sliders in a page: every position priced beforehand, exactly, so that the page needs neither Python nor a network.

The page holds, for every combination of the sliders' values, the book's premium in fen, premium by segment, the
dislocation by band and the
largest movers. Moving a slider looks one up: at once, and always the number that a full re-rate gives. In a notebook
the panel shows itself; for
a meeting it is one file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from ratemod.errors import Lang, ModelError, problem, text
from ratemod.plan.model import Plan
from ratemod.rating.summary import codes_by
from ratemod.rules.options import strict
from ratemod.whatif.engine import Engine, engine
from ratemod.whatif.scenario import current_values
from ratemod.whatif.sweep import grid_of
from ratemod.whatif.tally import EDGES, sums
from ratemod.whole_file import whole_file

MOST = 4096
MOVERS = 8


@dataclass(frozen=True, eq=False)
class Panel:
    """A page with sliders.

    Attributes
    ----------
    base : Engine; sliders : path -> values; by : column of the segments
    data : what the page holds, JSON-ready
    """

    base: Engine
    sliders: Mapping[str, tuple[str, ...]]
    by: str
    data: Mapping[str, Any]
    lang: Lang

    def html(self) -> str:
        """Return the page, self-contained; the same panel gives the same bytes."""
        return page(self.data, self.lang)

    def save(self, path: str | Path) -> Path:
        """Write the page, whole or not at all."""
        with whole_file(path) as part:
            part.write_text(self.html(), encoding="utf-8")
        return Path(path)

    def _repr_html_(self) -> str:
        return f'<iframe style="width:100%;height:640px;border:0" srcdoc="{escape(self.html())}"></iframe>'


@strict
def panel(
    book: Any,
    plan: Plan,
    sliders: Mapping[str, Sequence[Any]],
    *,
    by: str = "sector",
    lang: Lang = "en",
    labels: Mapping[str, str] | None = None,
    base: Engine | None = None,
) -> Panel:
    """Price every combination of some numbers and return a page to move them.

    Parameters
    ----------
    book : whatever `rate` takes; plan : Plan
    sliders : path -> values in order, as in a scenario (``"*1.05"`` multiplies)
    by : column whose levels are the segments
    labels : path -> what the slider is called
    base : an engine of the same book and plan

    Returns
    -------
    Panel

    Raises
    ------
    ModelError
        RM856 more combinations than a page should hold, or none.
    PlanError
        For changes that cannot be.
    """
    values = {path: tuple(str(value) for value in given) for path, given in sliders.items()}
    size = int(np.prod([len(given) for given in values.values()], dtype=np.int64)) if values else 0
    if not 1 <= size <= MOST:
        raise ModelError(problem("RM856", positions=size, most=MOST))
    made = base or engine(book, plan)
    index, (names,) = codes_by(made.rated, [by])
    key = plan.key
    keys = made.rated.book.table[key].to_pylist() if key else [str(i + 1) for i in range(made.inputs.n)]
    old = made.premium_fen
    start = sums(old, index, len(names))
    positions = []
    for item in grid_of(values):
        outcome = made.price(item)
        rows, new, was = outcome.rows, outcome.premium_fen, old[outcome.rows]
        both = (was > 0) & (new > 0)
        change = new[both] / was[both] - 1
        bands = np.bincount(np.searchsorted(EDGES, change, side="right"), minlength=len(EDGES) + 1)
        bands[len(EDGES) // 2] += int((old > 0).sum()) - int((was > 0).sum())
        top = np.argsort(-np.abs(new - was), kind="stable")[:MOVERS]
        positions.append(
            {
                "total": str(outcome.total_fen),
                "bands": bands.tolist(),
                "segments": [
                    str(v) for v in start + sums(new, index[rows], len(names)) - sums(was, index[rows], len(names))
                ],
                "movers": [
                    [str(keys[int(rows[i])]), str(int(was[i])), str(int(new[i]))] for i in top if new[i] != was[i]
                ],
            }
        )
    shown, start_at = labels or {}, start_of(plan, values)
    words = level_words(plan, by, lang)
    data = {
        "plan": plan.id,
        "standing": plan.standing,
        "warning": plan.warning(lang),
        "base": str(int(old.sum())),
        "sliders": [
            {"label": shown.get(path, path), "path": path, "values": list(given), "at": given.index(start_at[path])}
            for path, given in values.items()
        ],
        "segments": [words.get(name, name) for name in names],
        "start": [str(value) for value in start],
        "edges": [f"{edge:+.1%}" for edge in EDGES],
        "positions": positions,
        "words": {
            name: text(f"UI_panel_{name}", lang)
            for name in ("premium", "change", "segments", "bands", "movers", "before", "after", "exact")
        },
    }
    return Panel(made, values, by, data, lang)


def start_of(plan: Plan, sliders: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return where every slider starts: at the plan's own number, where it has it, else at its first value."""
    now = current_values(plan)

    def own(path: str, value: str) -> bool:
        if value.startswith("*"):
            return Decimal(value[1:]) == 1
        if path.endswith(".on"):
            return value == "true"
        return path in now and now[path] == Decimal(value)

    return {path: next((value for value in given if own(path, value)), given[0]) for path, given in sliders.items()}


@strict
def level_words(plan: Plan, name: str, lang: Lang) -> dict[str, str]:
    """Return what the levels of a column are called."""
    column = plan.columns.get(name)
    return {level.code: getattr(level, f"label_{lang}") or level.code for level in column.levels} if column else {}


@strict
def page(data: Mapping[str, Any], lang: Lang) -> str:
    """Return the page of some panel data: data, style and a script, nothing from elsewhere."""
    held = json.dumps(data, ensure_ascii=False, sort_keys=True).replace("<", "\\u003c")
    from importlib import resources

    source = resources.files("ratemod.whatif").joinpath("panel.html").read_text(encoding="utf-8")
    title = escape(str(data["plan"]))
    return source.replace("@LANG@", lang).replace("@TITLE@", title).replace("@DATA@", held)
