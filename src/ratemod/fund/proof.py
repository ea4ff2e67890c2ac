"""Sums that are proved, not promised: every check is a pair of whole numbers and the relation that must hold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ratemod.errors import ModelError, problem

Relation = Literal["=", "<=", ">="]


@dataclass(frozen=True, slots=True)
class Check:
    """One sum that must hold.

    Attributes
    ----------
    what : str
        What is compared, such as ``levy of movements = levy of policies``.
    where : str
        Insurer, policy or month; ``all`` for the whole.
    left_fen, right_fen : int, fen (or whole counts)
    relation : "=", "<=" or ">="
    """

    what: str
    where: str
    left_fen: int
    right_fen: int
    relation: Relation = "="

    @property
    def holds(self) -> bool:
        """Whether the relation holds."""
        if self.relation == "=":
            return self.left_fen == self.right_fen
        return self.left_fen <= self.right_fen if self.relation == "<=" else self.left_fen >= self.right_fen


def prove(checks: Iterable[Check]) -> int:
    """Return how many checks hold when all do.

    Raises
    ------
    ModelError
        RM705 for every check that fails: what, where, both sides and the difference.

    Examples
    --------
    >>> prove([Check("parts = whole", "all", 3, 3), Check("levy >= floor", "all", 5, 4, ">=")])
    2
    """
    all_of = list(checks)
    if wrong := [check for check in all_of if not check.holds]:
        raise ModelError(
            problem(
                "RM705",
                what=check.what,
                where=check.where,
                left=check.left_fen,
                relation=check.relation,
                right=check.right_fen,
                apart=check.left_fen - check.right_fen,
            )
            for check in wrong
        )
    return len(all_of)
