"""The incentive view: what a firm's own action saves in premium, by sector and size, and whether that covers its cost.

Savings are re-ratings under the same plan (`ratemod.registers.controllable`): caps, minimums and rounding are in.
Costs are assumptions given as data
and labelled so; nothing here says what firms will do unless an elasticity is stated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ratemod.document.html import card
from ratemod.document.model import Document
from ratemod.errors import Lang, ModelError, default_language, nearest, problem
from ratemod.plan.model import Plan
from ratemod.rating.rate import rate
from ratemod.rating.summary import codes_by
from ratemod.reading.book import Book
from ratemod.reading.read import read_book
from ratemod.registers.controllable import Controllable, controllable_premium
from ratemod.rules.options import strict
from ratemod.rules.within import Finite

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Incentive:
    """What actions save.

    Attributes
    ----------
    found : Controllable; costs_yuan : action -> assumed yearly cost, yuan
    table : one row a segment and action; plan
    """

    found: Controllable
    costs_yuan: Mapping[str, float]
    table: pd.DataFrame
    plan: Plan

    @strict
    def document(self, lang: Lang | None = None) -> Document:
        """Return the table, costs named as the assumptions they are."""
        from ratemod.whatif.display import incentive_document

        return incentive_document(self, lang or default_language())

    @strict
    def html(self, lang: Lang | None = None) -> str:
        """Return the same as HTML that fits a screen."""
        return card(self.document(lang))

    def _repr_html_(self) -> str:
        return self.html()


def incentive(
    book: Any,
    plan: Plan,
    *,
    by: Sequence[str] = ("sector", "size_class"),
    costs_yuan: Mapping[str, float] | None = None,
) -> Incentive:
    """Return what each action saves, by segment, and how many firms it pays for.

    Parameters
    ----------
    book : whatever `rate` takes; plan : Plan whose folder names actions (`registers.toml`)
    by : columns of the book
    costs_yuan : action -> cost of a year; an assumption of the one who asks, printed as such

    Returns
    -------
    Incentive; columns of the table: segment, action, firms that save, saving, mean saving, and where a cost is given
    ``cost_yuan_assumed`` and ``pays_for``, the firms whose saving covers it

    Raises
    ------
    ModelError
        RM853 a cost for no action of the plan.
    """
    import pandas as pd

    read = book if isinstance(book, Book) else read_book(book, plan.columns)
    found = controllable_premium(read, plan)
    names = [action.name for action in found.actions]
    costs = dict(costs_yuan or {})
    wrong = [problem("RM853", name=name, nearest=nearest(name, names)) for name in costs if name not in names]
    if wrong:
        raise ModelError(wrong)
    index, labels = codes_by(rate(read, plan, trace=(), lang="en"), by)
    size = int(np.prod([len(part) for part in labels], dtype=np.int64))
    places = np.unravel_index(np.arange(size), [len(part) for part in labels])
    firms = np.bincount(index[found.priced], minlength=size)
    rows = []
    for name, saving in zip(names, found.saving_fen):
        saves = found.priced & (saving > 0)
        total = np.bincount(index[saves], saving[saves].astype(np.float64), minlength=size)
        count = np.bincount(index[saves], minlength=size)
        pays = np.bincount(index[saves & (saving >= 100 * costs.get(name, 0))], minlength=size)
        for at in np.flatnonzero(firms):
            row = {key: labels[k][places[k][at]] for k, key in enumerate(by)}
            row |= {
                "action": name,
                "firms": int(firms[at]),
                "firms_that_save": int(count[at]),
                "saving_fen": int(total[at]),
                "mean_saving_fen": int(total[at] / max(count[at], 1)),
            }
            rows.append(row | ({"cost_yuan_assumed": costs[name], "pays_for": int(pays[at])} if name in costs else {}))
    return Incentive(found, costs, pd.DataFrame(rows), plan)


@strict
def retained(change: Any, elasticity: Finite) -> Any:
    """Return the share of firms assumed to renew after a relative change of premium: exp(elasticity·change), at most 1.

    Parameters
    ----------
    change : (n,) float64; elasticity : float <= 0, an assumption of the one who asks

    Examples
    --------
    >>> retained([0.10, -0.10], -0.5).round(4).tolist()
    [0.9512, 1.0]
    """
    if not elasticity <= 0:
        raise ModelError(problem("RM854", value=elasticity))
    return np.minimum(1.0, np.exp(elasticity * np.asarray(change, dtype=np.float64)))
