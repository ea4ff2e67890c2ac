"""Sliders in a page: every position priced beforehand, exactly, so that the page needs neither Python nor a network.

The page holds, for every combination of the sliders' values, what a live panel shows there (`ratemod.whatif.view`).
Moving a slider looks one up: at once, and always the number that a full re-rate gives. In a notebook the panel shows
itself; for a meeting it is one file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import prod
from pathlib import Path
from typing import Any

from ratemod.errors import Lang, ModelError, problem
from ratemod.plan.model import Plan
from ratemod.rules.options import strict
from ratemod.whatif.engine import Engine, engine
from ratemod.whatif.scenario import apply
from ratemod.whatif.sliders import MOST, labels_of, positions, start_of
from ratemod.whatif.sweep import grid_of
from ratemod.whatif.tally import EDGES
from ratemod.whatif.view import View, watch
from ratemod.whole_file import whole_file


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
    by: str | None = None,
    lang: Lang = "en",
    labels: Mapping[str, str] | None = None,
    base: Engine | None = None,
) -> Panel:
    """Price every combination of some numbers and return a page to move them.

    Parameters
    ----------
    book : whatever `rate` takes; plan : Plan
    sliders : path -> values in order, as in a scenario (``"*1.05"`` multiplies)
    by : column whose levels are the segments (default: the sector, else the first column of levels, else none)
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
    values = positions(plan, sliders)
    size = prod(map(len, values.values()))
    if size > MOST:
        raise ModelError(problem("RM856", positions=size, most=MOST))
    watched = watch(base or engine(book, plan), by, lang)
    start_at = start_of(plan, values)
    shown = labels_of(plan, values, labels, lang)
    views = [watched.look(apply(plan, item), dict(item.changes)) for item in grid_of(values)]
    data = {
        "plan": plan.id,
        "standing": plan.standing,
        "warning": plan.warning(lang),
        "base": str(watched.base.total_fen),
        "decimals": plan.money.decimals,
        "symbol": plan.money.before,
        "sliders": [
            {"label": shown[path], "path": path, "values": list(given), "at": given.index(start_at[path])}
            for path, given in values.items()
        ],
        "segments": list(watched.names),
        "start": [str(value) for value in watched.start_fen],
        "edges": [f"{edge:+.1%}" for edge in EDGES],
        "positions": [_position(view) for view in views],
        "words": {
            name: plan.text(f"UI_panel_{name}", lang)
            for name in ("premium", "change", "segments", "bands", "movers", "before", "after", "exact")
        },
    }
    return Panel(watched.base, values, watched.by, data, lang)


def _position(view: View) -> dict[str, Any]:
    """Return a view as the page holds it, JSON-ready: fen as texts."""
    moved = zip(view.movers_key, view.old_fen.tolist(), view.new_fen.tolist())
    return {
        "total": str(view.total_fen),
        "bands": view.band_policies.tolist(),
        "segments": [str(value) for value in view.segment_fen.tolist()],
        "movers": [[str(key), str(old), str(new)] for key, old, new in moved],
    }


@strict
def page(data: Mapping[str, Any], lang: Lang) -> str:
    """Return the page of some panel data: data, style and a script, nothing from elsewhere."""
    held = json.dumps(data, ensure_ascii=False, sort_keys=True).replace("<", "\\u003c")
    from importlib import resources

    source = resources.files("ratemod.whatif").joinpath("panel.html").read_text(encoding="utf-8")
    title = escape(str(data["plan"]))
    return source.replace("@LANG@", lang).replace("@TITLE@", title).replace("@DATA@", held)
