"""The same choice of visits as a mixed-integer programme: of a small book the best plan, proved by its bound."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ratemod.errors import ModelError, problem
from ratemod.fund.fund_table import Bools, Floats, Ints
from ratemod.fund.visits import Items

LARGEST = 20_000
NODES = 500  # looked at before the best plan so far and its bound are taken: a count, so that results repeat


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
    if len(items) > LARGEST:
        raise ModelError(problem("RM727", why=f"{len(items)} > {LARGEST}"))
    one = np.ones(len(items), dtype=np.int64)
    groups: list[Group] = [(items.budget, items.cost_fen, money_fen), (items.firm, one, room)]
    if capacity is not None:
        groups.append((items.place, one, capacity))
    found = _programme(items.gain, groups, whole)
    if found.x is None:
        raise ModelError(problem("RM727", why=str(found.message)))
    return float(-found.fun), (found.x > 0.5) if whole else found.x


def proved_visits(
    items: Items, money_fen: int, reserve_fen: int, room: Ints, purse: Ints | None, capacity: Ints
) -> tuple[Bools, float] | None:
    """Return the visits of one budget that prevent most within all limits, and the bound that proves it.

    Parameters
    ----------
    items : Items of one budget
    money_fen, reserve_fen : int, fen; the reserve is kept from all but small firms
    room, purse : (firms,) int64, visits and fen left to each insured
    capacity : (places,) int64, visits left in each place

    Returns
    -------
    (n,) bool and yuan that no plan can exceed; None where none was found that holds the limits to the fen
    """
    one, other = np.ones(len(items), dtype=np.int64), np.where(items.small, 0, items.cost_fen)
    same = np.zeros(len(items), dtype=np.int64)
    groups: list[Group] = [
        (same, items.cost_fen, np.array([money_fen])),
        (same, other, np.array([max(money_fen - reserve_fen, 0)])),
        (items.firm, one, room),
        (items.place, one, capacity),
    ]
    if purse is not None:
        groups.append((items.firm, items.cost_fen, purse))
    found = _programme(items.gain, groups, True, NODES)
    if found.x is None:
        return None
    chosen = found.x > 0.5
    for whose, size, most in groups:
        used = np.zeros(len(most), dtype=np.int64)
        np.add.at(used, whose[chosen], size[chosen])
        if (used > most).any():
            return None
    return chosen, max(-float(found.mip_dual_bound), float(items.gain[chosen].sum()))


Group = tuple[Ints, Ints, Ints]  # of every item whose limit it counts against and how much of it, and the limits


def _programme(gain: Floats, groups: Sequence[Group], whole: bool, nodes: int | None = None) -> Any:
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array, vstack

    n = len(gain)
    parts = [(whose, size // unit, most // unit) for whose, size, most in groups for unit in (_unit(size),)]
    rows = vstack([csr_array((size / 1.0, (whose, np.arange(n))), shape=(len(most), n)) for whose, size, most in parts])
    most = np.concatenate([limit for *_, limit in parts])
    return milp(
        -gain,
        constraints=LinearConstraint(rows, -np.inf, most),
        integrality=np.full(n, int(whole)),
        bounds=Bounds(0, 1),
        options={"mip_rel_gap": 0.0, **({} if nodes is None else {"node_limit": nodes})},
    )


def _unit(size: Ints) -> Ints:
    """Return what all sizes are whole multiples of: small whole numbers are exact where large ones are rounded."""
    found: Ints = np.maximum(np.gcd.reduce(size), 1)
    return found
