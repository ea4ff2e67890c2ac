"""The prevention fund of each insurer over a year: brought forward, accrued, released, used, carried forward."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ratemod.exhibits.disclosure_subjects import ENTRIES, Facts, insurer_places
from ratemod.fund.proof import Check, prove

if TYPE_CHECKING:
    from ratemod.exhibits.disclosure import Subject


@dataclass(frozen=True, slots=True)
class FundLine:
    """One insurer's fund, fen; `insurer` is empty for all together. A hidden line is published without figures."""

    insurer: str
    opening_fen: int
    accrued_fen: int
    released_fen: int
    used_fen: int
    closing_fen: int
    hidden: bool = False


def fund_lines(facts: Facts, insured: Subject, served: Subject | None) -> tuple[FundLine, ...]:
    """Return a line for each insurer and one for all.

    A line stays out where a table of the year leaves out the insurer's accruals or payments, which balances would tell.

    Raises
    ------
    ModelError
        RM705 when opening + accrued - released - used is not closing.
    """
    table = facts.tables["ledger"]
    own, amount = insurer_places(table["insurer"], facts.insurers), table.amount("amount")
    sign = np.array([1, -1, -1])[table["kind"]]
    before, within = table["date"] < facts.first, facts.within(table["date"])
    until = table["date"] < facts.after

    def by_insurer(values: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[int]:
        found = np.zeros(len(facts.insurers), np.int64)
        np.add.at(found, own, values)
        return [*found.tolist(), int(found.sum())]

    flows = [by_insurer(np.where(within & (table["kind"] == at), amount, 0)) for at in range(len(ENTRIES))]
    opening, closing = (by_insurer(np.where(mask, sign * amount, 0)) for mask in (before, until))
    names = (*facts.insurers, "")
    prove(
        Check("opening + accrued - released - used = closing", name or "all", a + b - c - d, e)
        for name, a, b, c, d, e in zip(names, opening, *flows, closing, strict=True)
    )
    hidden = [leaves_out(insured, at) or leaves_out(served, at) for at in range(len(facts.insurers))]
    none = served is None and flows[ENTRIES.index("payment")][-1] > 0  # payments for too few enterprises
    return tuple(
        FundLine(name, a, b, c, d, e, none or out)
        for name, a, b, c, d, e, out in zip(names, opening, *flows, closing, [*hidden, False], strict=True)
    )


def leaves_out(subject: Subject | None, insurer: int) -> bool:
    """Return whether a subject leaves out an insurer's total, alone or with the whole list of insurers."""
    if subject is None:
        return False
    keys = subject.tables.keys
    return (("insurer", insurer),) not in keys or bool(subject.hidden[keys.index((("insurer", insurer),))])
