"""The same choice of visits as a mixed-integer programme, for small books: the check that the greedy plan is good."""

from __future__ import annotations

import numpy as np

from ratemod.errors import ModelError, problem
from ratemod.fund.fund_table import Bools, Floats, Ints
from ratemod.fund.visits import Items

LARGEST = 20_000


def best_visits(
    items: Items, money_fen: Ints, room: Ints, capacity: Ints | None = None, *, whole: bool = True
) -> tuple[float, Bools | Floats]:
    """Return the most that budgets can prevent, by HiGHS, and which items do it.

    Parameters
    ----------
    items : Items
    money_fen : (budgets,) int64 fen
    room : (firms,) int64 visits
    capacity : (places,) int64 visits, optional
    whole : bool
        False: the linear relaxation.

    Returns
    -------
    float, yuan prevented; (n,) bool (float64 for the relaxation)
        Maximise ``sum gain x`` with ``sum cost x <= B`` by budget, ``sum x <= room`` by insured and ``<= capacity`` by
        place, x in {0, 1}. Visits of one option need no order: the earlier ones prevent more at the same cost.

    Raises
    ------
    ModelError
        RM727 when there are more than 20,000 items or HiGHS finds no optimum.

    Source
    ------
    Q. Huangfu, J. A. J. Hall, *Parallelizing the dual revised simplex method* (2018): HiGHS, through scipy.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array, vstack

    n = len(items)
    if n > LARGEST:
        raise ModelError(problem("RM727", why=f"{n} > {LARGEST}"))
    groups: list[tuple[Ints, Ints, Ints]] = [
        (items.budget, items.cost_fen, money_fen),
        (items.firm, np.ones(n, dtype=np.int64), room),
    ]
    if capacity is not None:
        groups.append((items.place, np.ones(n, dtype=np.int64), capacity))
    rows = vstack(
        [csr_array((size / 1.0, (whose, np.arange(n))), shape=(len(most), n)) for whose, size, most in groups]
    )
    most = np.concatenate([limit for *_, limit in groups])
    found = milp(
        -items.gain,
        constraints=LinearConstraint(rows, -np.inf, most),
        integrality=np.full(n, int(whole)),
        bounds=Bounds(0, 1),
        options={"mip_rel_gap": 0.0},
    )
    if found.x is None:
        raise ModelError(problem("RM727", why=str(found.message)))
    return float(-found.fun), (found.x > 0.5) if whole else found.x
