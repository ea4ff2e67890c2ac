"""Whose record goes to whom: mergers, splits and successions carry claims and expectations with the same accounts.

    of a successor: its own + Σ share × what it takes over;   of a firm that hands over: (1 − Σ shares) × its own
to the last fen. A claim counts for everyone who takes a part of it: nobody is free of claims who took one over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, Problem, problem
from ratemod.experience.panel import numbers, same_shape, whole
from ratemod.money import rounded
from ratemod.rules.floats import in_a_row, whole_numbers

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Successions:
    """Parts of records that are handed over, m of them.

    Attributes
    ----------
    old, new : (m,) int64, places of the firm that hands over and of its successor
    share : (m,) float64 in 0..1
    """

    old: Integers
    new: Integers
    share: Floats

    def amounts(self, fen: Integers) -> Integers:
        """Return amounts, (n,) int64 fen, after all parts are handed over; see `carried`."""
        return carried(fen, self.old, self.new, self.share)

    def kept(self, n: int) -> Floats:
        """Return the share of its record that each of n firms keeps, (n,) float64."""
        left = 1 - np.bincount(self.old, self.share, minlength=n)
        return np.where(np.abs(left) < 1e-9, 0.0, left)

    def counts(self, number: Integers) -> Integers:
        """Return counts, (n,) int64: each counts where its firm keeps a part, and with everyone who takes one over.

        Examples
        --------
        >>> over = Successions(old=np.array([0]), new=np.array([1]), share=np.array([1.0]))
        >>> over.counts(np.array([2, 1])).tolist()
        [0, 3]
        """
        made = np.where(self.kept(len(number)) > 0, number, 0)
        taken = self.share > 0
        np.add.at(made, self.new[taken], number[self.old[taken]])
        return made

    def used(self, fine: Booleans) -> Booleans:
        """Return whose record modifies some firm, its own or a successor, (n,) bool; `fine` : firms that are rated."""
        made = fine & (self.kept(len(fine)) > 0)
        np.logical_or.at(made, self.old, fine[self.new] & (self.share > 0))
        return made

    def parts_of(self, firms: Integers, n: int) -> Floats:
        """Return which share of the record of each of n firms is in the record of some firms, (n,) float64."""
        made = np.zeros(n)
        made[firms] = self.kept(n)[firms]
        taken = np.isin(self.new, firms)
        np.add.at(made, self.old[taken], self.share[taken])
        return made


def faults(old: Integers, new: Integers, share: Floats, called: Callable[[int], str]) -> list[Problem]:
    """Return RM614 and RM615 of every firm whose shares or successions cannot be, by the name of its place."""
    beyond = np.unique(np.concatenate([old[share < 0], np.flatnonzero(np.bincount(old, share) > 1 + 1e-12)]))
    shares = {at: ", ".join(f"{part:g}" for part in share[old == at].tolist()) for at in beyond.tolist()}
    return [
        *(problem("RM614", firm=called(at), shares=said) for at, said in shares.items()),
        *(problem("RM615", firm=called(at)) for at in np.intersect1d(new, old).tolist()),
    ]


def carried(amount_fen: npt.ArrayLike, firm: npt.ArrayLike, successor: npt.ArrayLike, share: npt.ArrayLike) -> Integers:
    """Return amounts after mergers and splits: what a firm had goes to its successors by share, to the last fen.

    Parameters
    ----------
    amount_fen : (n,) int64; firm, successor : (m,) int64 places, one row for each part handed over
    share : (m,) float64 in 0..1; those of one firm add up to at most 1, the rest stays

    Raises
    ------
    ModelError
        RM614 shares that exceed 1 or are negative, RM615 a firm that succeeds itself or hands on what it took over,
        RM682 one part twice; RM640..RM642, RM655, RM833, RM837 for arrays that are none of this kind.

    Examples
    --------
    >>> carried([100, 0, 7], [0, 0], [1, 2], [0.5, 0.25]).tolist()
    [25, 50, 32]
    """
    amount = whole_numbers("amount_fen", amount_fen)
    in_a_row(amount_fen=amount)
    last = len(amount) - 1
    old, new = whole("firm", firm, low=0, high=last), whole("successor", successor, low=0, high=last)
    part = numbers("share", share)
    in_a_row(firm=old)
    same_shape(firm=old, successor=new, share=part)
    if wrong := faults(old, new, part, str):
        raise ModelError(wrong)
    order = np.lexsort((new, old))
    old, new, part = old[order], new[order], part[order]
    again = (np.diff(old) == 0) & (np.diff(new) == 0)
    if again.any():
        raise ModelError(problem("RM682", n=int(again.sum())))
    before = np.cumsum(part) - part
    start = before[np.searchsorted(old, old)]  # cumulative shares within a firm, so that rounded parts add up
    low, high = (rounded(share * amount[old], 0) for share in (before - start, before - start + part))
    moved = (high - low).astype(np.int64)
    made = amount.copy()
    np.subtract.at(made, old, moved)
    np.add.at(made, new, moved)
    return made
