"""Which change moved whom: a change of premium split among the changed numbers, exactly to the fen.

The book is priced with every set of the changes in force; each change gets its Shapley value, the average of what it
adds over all orders,
in whole fen by largest remainder. So the parts add up for every policy, and do not depend on the order in which
changes are listed. What bounds, caps
and rounding do to a change is in its part; `held_back_fen` shows what they took from all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ratemod.document.html import card
from ratemod.document.model import Document
from ratemod.errors import Lang, ModelError, default_language, problem
from ratemod.plan.model import Plan
from ratemod.rating.summary import codes_by
from ratemod.registers.shapley import MOST, shapley_fen
from ratemod.rules.options import strict
from ratemod.whatif.engine import Engine, engine
from ratemod.whatif.scenario import Scenario
from ratemod.whatif.tally import sums

if TYPE_CHECKING:
    import pandas as pd

Fen = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Attribution:
    """A change of premium by cause.

    Attributes
    ----------
    base : Engine; causes : k names
    parts_fen : (k, n) int64; each column adds up to that row's change
    change_fen : (n,) int64; rows that are not priced both before and after have none
    """

    base: Engine
    causes: tuple[str, ...]
    parts_fen: Fen
    change_fen: Fen

    @strict
    def document(self, lang: Lang | None = None) -> Document:
        """Return the causes and their parts."""
        from ratemod.whatif.display import attribution_document

        return attribution_document(self, lang or default_language())

    @strict
    def html(self, lang: Lang | None = None) -> str:
        """Return the same as HTML that fits a screen."""
        return card(self.document(lang))

    def _repr_html_(self) -> str:
        return self.html()

    def __repr__(self) -> str:
        money = self.base.plan.money
        said = ", ".join(f"{c} {money.moved(p)}" for c, p in zip(self.causes, self.parts_fen.sum(axis=1).tolist()))
        return f"<Attribution of {money.moved(int(self.change_fen.sum()))} {money.name_en}: {said}>"

    def totals(self) -> pd.DataFrame:
        """Return each cause's part of the book's change."""
        import pandas as pd

        return pd.DataFrame(
            {
                "cause": self.causes,
                "change_fen": self.parts_fen.sum(axis=1),
                "policies": (self.parts_fen != 0).sum(axis=1),
            }
        )

    def by(self, *names: str) -> pd.DataFrame:
        """Return each cause's part by columns of the book."""
        import pandas as pd

        index, labels = codes_by(self.base.rated, names)
        size = int(np.prod([len(part) for part in labels], dtype=np.int64))
        frame = pd.DataFrame({cause: sums(part, index, size) for cause, part in zip(self.causes, self.parts_fen)})
        frame["change_fen"] = sums(self.change_fen, index, size)
        places = np.unravel_index(np.arange(size), [len(part) for part in labels])
        for at, (name, part, place) in enumerate(zip(names, labels, places)):
            frame.insert(at, name, np.array(part, dtype=object)[place])
        return frame[np.bincount(index, minlength=size) > 0].reset_index(drop=True)


def attribute(
    book: Any, plan: Plan, changes: Scenario | Mapping[str, Any] | Sequence[Scenario], *, base: Engine | None = None
) -> Attribution:
    """Split a change of premium among its causes.

    Parameters
    ----------
    book : whatever `rate` takes; plan : Plan
    changes : a scenario or mapping (each table, constant or step it touches is a cause), or scenarios (each is a cause)
    base : an engine of the same book and plan, to save its making

    Raises
    ------
    ModelError
        RM845 more causes than can be priced in every combination, or none.
    """
    causes = _causes(changes)
    if not 1 <= len(causes) <= MOST:
        raise ModelError(problem("RM845", causes=len(causes), most=MOST))
    made = base or engine(book, plan)
    values = np.empty((2 ** len(causes), made.inputs.n), dtype=np.int64)
    priced = np.ones(made.inputs.n, dtype=bool)
    for chosen in range(len(values)):
        merged: dict[str, str] = {}
        for at, (_, part) in enumerate(causes):
            if chosen >> at & 1:
                merged |= part
        outcome = made.price(merged)
        values[chosen] = outcome.whole(made)
        priced &= values[chosen] > 0
    values[:, ~priced] = 0
    parts = shapley_fen(values)
    return Attribution(made, tuple(name for name, _ in causes), parts, values[-1] - values[0])


def _causes(changes: Scenario | Mapping[str, Any] | Sequence[Scenario]) -> list[tuple[str, dict[str, str]]]:
    """Return named groups of changes: one for each scenario, or for each table, constant or step of a single one."""
    if not isinstance(changes, Scenario | Mapping):
        return [(item.name, dict(item.changes)) for item in changes]
    pairs = changes.changes if isinstance(changes, Scenario) else [(p, str(v)) for p, v in changes.items()]
    found: dict[str, dict[str, str]] = {}
    for path, value in pairs:
        name = path.split("[")[0] if path.startswith("tables.") else path
        found.setdefault(name, {})[path] = value
    return list(found.items())
