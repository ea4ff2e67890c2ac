"""Sums that are proved, not promised: every check is a pair of whole numbers and the relation that must hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ratemod.errors import Lang, ModelError, Words, problem, text
from ratemod.money import yuan_text
from ratemod.vocabulary.labels import table_label

Relation = Literal["=", "<=", ">="]
Unit = Literal["fen", "count"]


@dataclass(frozen=True, slots=True)
class Check:
    """One sum that must hold.

    Attributes
    ----------
    what : str
        What is compared, as the catalogue calls it: ``levy_floor`` is ``UI_sum_levy_floor``.
    where : str
        Insurer, policy or month; ``all`` for the whole.
    left, right : int
    relation : "=", "<=" or ">="
    of : mapping of what the name holds (``column``, ``table``, ``state``, ``year`` ...) to its name in tables
    unit : "fen" or "count"
    """

    what: str
    where: str
    left: int
    right: int
    relation: Relation = "="
    of: Mapping[str, str] = field(default_factory=dict)
    unit: Unit = "fen"

    @property
    def holds(self) -> bool:
        """Whether the relation holds."""
        if self.relation == "=":
            return self.left == self.right
        return self.left <= self.right if self.relation == "<=" else self.left >= self.right

    def failed(self) -> dict[str, Any]:
        """Return what is compared, where, both sides and the difference, each to be said in a language."""
        sides = {"left": self.left, "right": self.right, "apart": self.left - self.right}
        amounts = {name: Words("UI_sum_yuan", (("amount", yuan_text(fen)),)) for name, fen in sides.items()}
        args = tuple((part, _Name(part, name)) for part, name in self.of.items())
        return {
            "what": Words(f"UI_sum_{self.what}", args),
            "where": Words("UI_sum_all") if self.where == "all" else self.where,
            "relation": self.relation,
            **(amounts if self.unit == "fen" else sides),
        }


@dataclass(frozen=True, slots=True)
class _Name:
    """What a sum is of, by its name in tables."""

    part: str
    name: str

    def said(self, lang: Lang) -> str:
        """Return its label where it has one."""
        from ratemod.fund.fund_document import shown_label, value_label

        if self.part == "subject":
            return text(f"UI_disclosure_{self.name}", lang)
        if self.part == "measure":
            return text(f"UI_measure_{self.name}", lang)
        if self.part == "table":
            return table_label(self.name, lang)
        if self.part in ("column", "state"):
            return shown_label(self.name, lang)
        return value_label(self.name, lang) if self.part == "indicator" else self.name


def prove(checks: Iterable[Check]) -> int:
    """Return how many checks hold when all do.

    Raises
    ------
    ModelError
        RM705 for every check that fails: what, where, both sides and the difference.

    Examples
    --------
    >>> prove([Check("pool_parts", "all", 3, 3), Check("levy_floor", "all", 5, 4, ">=")])
    2
    """
    all_of = list(checks)
    if wrong := [check for check in all_of if not check.holds]:
        raise ModelError(problem("RM705", **check.failed()) for check in wrong)
    return len(all_of)
