"""What a levy leaves out: policies that were refused or set aside, by whose levy is therefore not the whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratemod.fund.events import Events
from ratemod.fund.fund_table import NO_DAY, Columns, year_of
from ratemod.reading.join import join


@dataclass(frozen=True, slots=True)
class Lack:
    """Policies that a levy leaves out: the first year that they begin in (0 where unknown), how many, their premium."""

    year: int
    policies: int
    premium_fen: int


def lacking(given: Columns, kept: Columns, shares: Events | None) -> dict[str, Lack]:
    """Return what a levy leaves out of the policies given, by insurer, co-insurers too."""
    gone = join(given["policy_no"], kept["policy_no"]).unmet()
    columns = [
        np.concatenate([given[name][gone], given.left_out.get(name, given[name][:0])])
        for name in ("policy_no", "insurer", "start_date", "premium_fen")
    ]
    begun = np.where(columns[2] == NO_DAY, 0, year_of(columns[2]))
    numbers, whose, years, fen = (column.tolist() for column in (*columns[:2], begun, columns[3]))
    others: dict[str, set[str]] = {}
    if shares is not None:
        for number, name in zip(shares.rows["policy_no"].tolist(), shares.rows["insurer"].tolist()):
            others.setdefault(number, set()).add(name)
    found: dict[str, Lack] = {}
    for number, insurer, year, premium in zip(numbers, whose, years, fen):
        for name in {insurer, *others.get(number, ())}:
            was = found.get(name, Lack(year, 0, 0))
            found[name] = Lack(min(was.year, year), was.policies + 1, was.premium_fen + premium)
    return dict(sorted(found.items()))
