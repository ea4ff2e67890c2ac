"""The prevention fund of each insurer over a year: brought forward, accrued, released, used, carried forward.

Every figure is a cell of the publication: it tells about enterprises as the tables do, by their part in a flow or in a
balance, and it chains the years, as a year opens as the year before closed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ratemod.confidentiality.system import Block
from ratemod.confidentiality.unsafe import dominated
from ratemod.fund.proof import Check, prove
from ratemod.publication.columns import ENTRIES
from ratemod.publication.data import Ints, Mask
from ratemod.publication.subjects import Facts, insurer_places

FUND_MEASURES = ("opening_fen", "accrued_fen", "released_fen", "used_fen", "closing_fen")


@dataclass(frozen=True, slots=True)
class FundLine:
    """One insurer's fund, fen; `insurer` is empty for all together. `left_out` names what is not published of it."""

    insurer: str
    opening_fen: int
    accrued_fen: int
    released_fen: int
    used_fen: int
    closing_fen: int
    left_out: frozenset[str] = frozenset()

    def published(self, measure: str) -> int | None:
        """Return an amount in fen, None where it stays out."""
        found: int = getattr(self, measure)
        return None if measure in self.left_out else found


@dataclass(frozen=True, eq=False, slots=True)
class FundYear:
    """The fund's figures of a year, fen: insurers, then all together; and which tell about single enterprises.

    Attributes
    ----------
    year : int
    insurers : tuple of str
    amounts : mapping of measure to (insurers + 1,) int64
    contributors, unsafe, lone : mapping of measure to (insurers + 1,)
    """

    year: int
    insurers: tuple[str, ...]
    amounts: dict[str, Ints]
    contributors: dict[str, Ints]
    unsafe: dict[str, Mask]
    lone: dict[str, Ints]

    def blocks(self, published: Callable[[str, str], bool] | None = None) -> list[Block]:
        """Return the year's figures as cells of a publication, one block a measure.

        Parameters
        ----------
        published : function of (measure, insurer), optional
            Of an earlier year: what was published of it, which stands; without it the year is this one.
        """
        keys = (*(((("insurer", name),)) for name in self.insurers), ())
        found = []
        for measure, amount in self.amounts.items():
            fixed = self.contributors[measure] == 0
            hidden = np.zeros(len(keys), bool)
            if published is not None:
                fixed = np.ones(len(keys), bool)
                hidden = np.array([not published(measure, name) for name in (*self.insurers, "")], bool)
            unsafe = self.unsafe[measure] & (hidden if published is not None else True)
            found.append(
                Block(
                    year=self.year,
                    subject="fund",
                    keys=keys,
                    values={measure: amount},
                    contributors=self.contributors[measure],
                    unsafe=unsafe,
                    lone=self.lone[measure],
                    fixed=fixed,
                    hidden=hidden,
                )
            )
        return found

    def unsaid(self) -> list[Block]:
        """Return the year's figures as cells that are not published: the tables beside them may still tell them."""
        return [replace(block, hidden=~block.fixed, derived=True) for block in self.blocks()]

    def lines(self, hidden: dict[str, Mask]) -> tuple[FundLine, ...]:
        """Return a line for each insurer and one for all, without what is hidden."""
        return tuple(
            FundLine(
                insurer=name,
                **{measure: int(self.amounts[measure][at]) for measure in FUND_MEASURES},
                left_out=frozenset(measure for measure in FUND_MEASURES if hidden[measure][at]),
            )
            for at, name in enumerate((*self.insurers, ""))
        )


def fund_year(facts: Facts, least: int) -> FundYear:
    """Return the figures of the fund of a year.

    Raises
    ------
    ModelError
        RM705 when opening + accrued - released - used is not closing.
    """
    table = facts.tables["ledger"]
    own, amount = insurer_places(table["insurer"], facts.insurers), table.amount("amount")
    firm = facts.firm[facts.place["ledger"]]
    signed = np.array([1, -1, -1])[table["kind"]] * amount
    within = facts.within(table["date"])
    parts = {
        "opening_fen": np.where(table["date"] < facts.first, signed, 0),
        "accrued_fen": np.where(within & (table["kind"] == ENTRIES.index("accrual")), amount, 0),
        "released_fen": np.where(within & (table["kind"] == ENTRIES.index("release")), amount, 0),
        "used_fen": np.where(within & (table["kind"] == ENTRIES.index("payment")), amount, 0),
        "closing_fen": np.where(table["date"] < facts.after, signed, 0),
    }
    told = {measure: by_level(own, firm, values, len(facts.insurers), least) for measure, values in parts.items()}
    amounts = {name: item.amount for name, item in told.items()}
    names = (*facts.insurers, "all")
    lines = zip(names, *(amounts[measure].tolist() for measure in FUND_MEASURES), strict=True)
    prove(Check("fund_closing", name, a + b - c - d, e) for name, a, b, c, d, e in lines)
    return FundYear(
        year=facts.year,
        insurers=facts.insurers,
        amounts=amounts,
        contributors={name: item.contributors for name, item in told.items()},
        unsafe={name: item.unsafe for name, item in told.items()},
        lone={name: item.lone for name, item in told.items()},
    )


class ByLevel(NamedTuple):
    """Amounts of some levels and of all, (levels + 1,) each: who stands behind them, which are unsafe, who is alone."""

    amount: Ints
    contributors: Ints
    unsafe: Mask
    lone: Ints


def by_level(own: Ints, firm: Ints, values: Ints, many: int, least: int) -> ByLevel:
    """Return amounts, negative ones too, by their level and in all."""
    some = values != 0
    own, firm, values = own[some], firm[some], values[some]
    found: list[tuple[int, int, bool, int]] = []
    for at in range(many + 1):
        mine = own == at if at < many else np.ones(len(own), bool)
        firms, place = np.unique(firm[mine], return_inverse=True)
        each = np.zeros(len(firms), np.int64)
        np.add.at(each, place, values[mine])
        part: npt.NDArray[np.int64] = np.sort(np.abs(each))[::-1]
        first, second = ([*part.tolist(), 0, 0])[:2]
        few = 0 < len(firms) < least or bool(dominated(int(part.sum()), first, second))
        found.append((int(each.sum()), len(firms), few, int(firms[0]) if len(firms) == 1 else -1))
    amount, count, few_, lone = zip(*found, strict=True)
    return ByLevel(
        amount=np.array(amount, np.int64),
        contributors=np.array(count, np.int64),
        unsafe=np.array(few_, bool),
        lone=np.array(lone, np.int64),
    )
