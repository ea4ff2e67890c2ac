"""Which cells of a whole publication to leave out, so that no unsafe one can be computed from all of it together.

Unsafe cells are left out first. Then each of their figures is attacked with everything published, all subjects and
earlier years at once: linear programmes give the least and the greatest value it can have. Where that interval is too
narrow, another programme moves the figure by what is needed with the least loss of published enterprises; whatever
moves along is left out too. An enterprise alone in its cells knows their figures, so those beside are attacked again
with these known. Last, whatever is left out only to protect others must not be known exactly either.

Figures that nobody publishes, and that a reader could work out (cells of a breakdown that was given up), are attacked
in the same way.

Source: Hundepool et al., *Statistical Disclosure Control*, 2012, sections 4.4.2 (audit) and 4.4.4 (secondary
suppression by linear programmes, after Kelly, Golden & Assad, Networks 22, 1992), 4.2.1 (singletons).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from ratemod.confidentiality.figures import Figure, is_money
from ratemod.confidentiality.system import Floats, Ints, Mask, System, contradiction, extreme, parts_of
from ratemod.confidentiality.unsafe import LEAST_UNITS, PROTECTION
from ratemod.rules.options import strict
from ratemod.rules.within import Amount, Count

NOBODY = -1
SLACK = 1e-6
ROUNDING_FEN = 10_000  # amounts are published in hundreds of yuan


@dataclass(frozen=True, eq=False, slots=True)
class Pattern:
    """What stays out of a publication.

    Attributes
    ----------
    hidden : (cells,) bool
    stuck : Figure or None
        An unsafe figure that nothing left could protect; the pattern then protects nothing.
    """

    hidden: Mask
    stuck: Figure | None = None


@dataclass(eq=False, slots=True)
class _Search:
    """A search under way: what is hidden, and the least and greatest values that attacks have found so far.

    Hiding more only widens what is possible, so values once seen to fit stay possible: for everybody, and for an
    enterprise where its own figures are the true ones.
    """

    system: System
    least_units: int
    protection: float
    hidden: Mask
    weight: Floats
    seen: list[Floats] = field(default_factory=list)
    low: dict[int, Floats] = field(default_factory=dict)
    high: dict[int, Floats] = field(default_factory=dict)
    parts: dict[int, Ints] = field(default_factory=dict)


@strict
def protect(system: System, *, least_units: Count = LEAST_UNITS, protection: Amount = PROTECTION) -> Pattern:
    """Return which cells of a publication to leave out.

    Parameters
    ----------
    system : System
    least_units : int
        A count left out must keep so many possible values.
    protection : float
        Every value v left out must possibly be as low as v(1 - protection) and as high as v(1 + protection).

    Raises
    ------
    ModelError
        RM898 the figures contradict each other, which would be a fault of this project.
    """
    search = _Search(system, least_units, protection, system.unsafe | system.hidden, _weights(system))
    if (system.unsafe & system.fixed & ~system.hidden).any():
        worst = int(np.argmax(system.unsafe & system.fixed & ~system.hidden))
        return Pattern(search.hidden, system.figures[int(np.argmax(system.cell == worst))])
    for firm, at in _attacks(system):
        down, up = needed(system, at, least_units, protection)
        wide = _reaches(search, firm, at, down, up)
        if not wide and not all(_hide_more(search, firm, at, amount) for amount in (-down, up) if amount):
            return Pattern(search.hidden, system.figures[at])
    _no_figure_exact(search)
    return Pattern(search.hidden)


@strict
def exposed(
    system: System, hidden: Mask, *, least_units: Count = LEAST_UNITS, protection: Amount = PROTECTION
) -> list[tuple[Figure, float, float]]:
    """Attack a finished pattern afresh; return each unsafe figure that is told too closely, with its interval.

    Nothing of the search that made the pattern is used.
    """
    found = []
    search = _Search(system, least_units, protection, hidden, _weights(system))
    for at in _figures_of(system, system.unsafe):
        if not _reaches(search, NOBODY, at, *needed(system, at, least_units, protection)):
            ends = [_extreme(search, NOBODY, at, sign)[at] for sign in (1, -1)]
            found.append((system.figures[at], float(ends[0]), float(ends[1])))
    return found


def bounds_of(system: System, hidden: Mask, at: int, firm: int = NOBODY) -> tuple[float, float]:
    """Return the least and greatest value that a figure can have, from everything that is published.

    Parameters
    ----------
    system : System
    hidden : (cells,) bool
    at : int, the figure
    firm : int
        An attacker who knows the cells that it is alone in; -1 for anybody.

    Raises
    ------
    ModelError
        RM898.
    """
    search = _Search(system, LEAST_UNITS, PROTECTION, np.asarray(hidden, bool), np.zeros(len(hidden)))
    ends = [_extreme(search, firm, at, sign)[at] for sign in (1, -1)]
    return float(ends[0]), float(ends[1])


def needed(system: System, at: int, least_units: int, protection: float) -> tuple[float, float]:
    """Return how far down and how far up from the value an interval must reach; whole numbers for counts.

    Of a figure that is not published at all, the interval must be as wide, wherever it lies (sliding protection).
    """
    value, floor = float(system.value[at]), float(system.floor[at])
    much = protection * abs(value)
    if system.derived[system.cell[at]]:
        width = 2 * much if is_money(system.figures[at].measure) else max(float(np.ceil(2 * much)), least_units - 1)
        down = min(width, value - floor)
        return down, width - down
    if is_money(system.figures[at].measure):
        return min(much, value - floor), much
    down = min(float(np.ceil(much - SLACK)), value - floor)
    return down, max(float(np.ceil(much - SLACK)), least_units - 1 - down)


def _weights(system: System) -> Floats:
    """Return what it costs to leave out a cell: its enterprises; totals are missed more than cells."""
    many = np.bincount(system.cell, ~system.auxiliary, len(system.hidden))
    depth = np.ones(len(system.hidden))
    deepest: dict[str, int] = {}
    for figure in system.figures:
        deepest[figure.subject] = max(deepest.get(figure.subject, 0), len(figure.key))
    for at, figure in enumerate(system.figures):
        depth[system.cell[at]] = 20.0 if len(figure.key) == 1 and deepest[figure.subject] > 1 else 1.0
    return np.asarray(np.maximum(system.contributors, 1) * depth * np.sqrt(many), float)


def _figures_of(system: System, cells: Mask) -> list[int]:
    chosen = np.flatnonzero(cells[system.cell] & ~system.auxiliary & (system.value != 0))
    found: list[int] = chosen[np.lexsort((chosen, system.cell[chosen]))].tolist()
    return found


def _attacks(system: System) -> Iterator[tuple[int, int]]:
    """Return who attacks what: everybody every unsafe figure, then lone enterprises those beside theirs."""
    targets = _figures_of(system, system.unsafe)
    for at in targets:
        yield NOBODY, at
    unsafe = np.zeros(len(system.figures), bool)
    unsafe[targets] = True
    beside: set[tuple[int, int]] = set()
    ends = system.matrix.indptr
    for row in range(system.matrix.shape[0]):
        line = system.matrix.indices[ends[row] : ends[row + 1]]
        line = line[unsafe[line]]
        cells = system.cell[line]
        firms = system.lone[cells]
        alone = set(firms[(firms >= 0) & ~system.derived[cells]].tolist())
        beside |= {(int(firm), int(at)) for firm in alone for at in line[firms != firm].tolist()}
    yield from sorted(beside)


def _part(search: _Search, firm: int, at: int) -> Mask:
    label = search.parts.get(firm)
    if label is None:
        label = search.parts[firm] = parts_of(search.system.matrix, ~search.system.known(search.hidden, firm))
    return np.asarray(label == label[at])


def _extreme(search: _Search, firm: int, at: int, sign: int) -> Floats:
    system = search.system
    known = system.known(search.hidden, firm)
    if known[at]:
        return system.value
    lower, upper = np.where(known, system.value, system.floor), np.where(known, system.value, np.inf)
    scale = max(1.0, abs(float(system.value[at])))
    part = _part(search, firm, at)
    found = extreme(system.matrix, system.rest, (lower, upper), part, at, sign, scale)
    if found is None:
        raise contradiction(system.figures[at])
    return np.where(known, system.value, np.where(part, found, system.value))


def _reaches(search: _Search, firm: int, at: int, down: float, up: float) -> bool:
    """Attack one figure; return whether its interval is wide enough."""
    system = search.system
    value = float(system.value[at])
    if firm not in search.low:
        search.low[firm], search.high[firm] = _seen_by(search, firm)
    low, high = search.low[firm], search.high[firm]
    slack = SLACK * max(1.0, abs(value))
    for sign in (1, -1):
        seen = low[at] <= value - down + slack if sign == 1 else high[at] >= value + up - slack
        if not seen:
            _keep(search, firm, at, _extreme(search, firm, at, sign))
    return bool(low[at] <= value - down + slack and high[at] >= value + up - slack)


def _keep(search: _Search, firm: int, at: int, found: Floats) -> None:
    """Remember values that fit everything this reader knows."""
    value = search.system.value
    # What a programme solved at one size says of much smaller figures is not exact enough to keep.
    exact = np.abs(value) >= 1e-3 * max(1.0, abs(float(value[at])))
    exact[at] = True
    kept = np.where(exact, found, value)
    search.seen.append(kept)
    for reader in {firm, NOBODY} & search.low.keys():
        np.minimum(search.low[reader], kept, out=search.low[reader])
        np.maximum(search.high[reader], kept, out=search.high[reader])


def _seen_by(search: _Search, firm: int) -> tuple[Floats, Floats]:
    """Return the least and greatest values seen so far that leave an enterprise's own figures as they are."""
    value = search.system.value
    own = np.flatnonzero((search.system.lone == firm)[search.system.cell]) if firm >= 0 else np.array([], np.int64)
    slack = SLACK * np.maximum(1.0, np.abs(value[own]))
    fit = [item for item in search.seen if (np.abs(item[own] - value[own]) <= slack).all()]
    return np.minimum.reduce([value, *fit]), np.maximum.reduce([value, *fit])


def _hide_more(search: _Search, firm: int, at: int, amount: float) -> bool:
    """Leave out what must move when a figure moves by an amount; False when nothing can move along."""
    moved = _cheapest_move(search, firm, at, amount)
    if moved is None:
        return False
    changed = np.abs(moved - search.system.value) > 1e-9 * abs(amount)
    cells = np.unique(search.system.cell[changed & ~search.system.auxiliary])
    if not search.hidden[cells].all():
        search.hidden[cells] = True
        search.parts.clear()
    _keep(search, firm, at, moved)
    return True


def _cheapest_move(search: _Search, firm: int, at: int, amount: float) -> Floats | None:
    """Return the values after the cheapest change of one figure by `amount` that keeps every relation."""
    from scipy.optimize import linprog
    from scipy.sparse import hstack

    system, need = search.system, abs(amount)
    own = system.lone == firm if firm >= 0 else np.zeros(len(system.lone), bool)
    still = (((system.fixed & ~search.hidden) | own)[system.cell]) & ~system.auxiliary
    part = parts_of(system.matrix, ~still)
    places = np.flatnonzero(part == part[at]) if part[at] >= 0 else np.array([], np.int64)
    if not len(places):
        return None
    target = int(np.searchsorted(places, at))
    value, cell = system.value[places], system.cell[places]
    cost = search.weight[cell] / np.clip(np.abs(value), 1e-3 * need, need)
    cost = np.where(search.hidden[cell] | system.auxiliary[places], 1e-6, cost)
    columns = system.matrix[:, places]
    rows = np.unique(columns.nonzero()[0])
    lines = columns[rows]
    room = value - system.floor[places]
    for cap in (np.maximum(np.abs(value), 0.0), np.full(len(places), np.inf)):
        up, fall = cap / need, room / need
        up[target], fall[target] = (1.0, 0.0) if amount > 0 else (0.0, 1.0)
        low = np.zeros(2 * len(places))
        low[target if amount > 0 else len(places) + target] = 1.0
        solved = linprog(
            np.concatenate([cost, cost]),
            A_eq=hstack([lines, -lines], format="csc"),
            b_eq=np.zeros(len(rows)),
            bounds=np.stack([low, np.concatenate([up, fall])], axis=1),
            method="highs",
        )
        if solved.status == 0:
            change = np.asarray(solved.x[: len(places)]) - np.asarray(solved.x[len(places) :])
            moved = system.value.copy()
            moved[places] += np.where(np.abs(change) > 1e-9, change, 0.0) * need
            return moved
    return None


def _no_figure_exact(search: _Search) -> None:
    """Leave out more until no figure that is left out is known exactly, where that is possible."""
    system = search.system
    while True:
        before = search.hidden.copy()
        for at in _figures_of(system, search.hidden & ~system.unsafe & ~system.derived):
            width = 3.0 * ROUNDING_FEN if is_money(system.figures[at].measure) else 1.0
            if not (_reaches(search, NOBODY, at, -np.inf, width) or _reaches(search, NOBODY, at, width, -np.inf)):
                width = max(width, float(np.ceil(0.01 * abs(system.value[at]))))
                _ = _hide_more(search, NOBODY, at, width) or _hide_more(search, NOBODY, at, -width)
        if (search.hidden == before).all():
            return
