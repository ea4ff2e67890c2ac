"""How fund years end: contracts lapse or are carried, old money is forfeited, the balance goes into the next year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ratemod.fund import journal as book
from ratemod.fund.fund_table import FAR, NO_DAY, Bools, Columns, Ints, year_of
from ratemod.fund.journal import Posting
from ratemod.fund.use_rule import Closing


@dataclass(frozen=True, slots=True)
class Grid:
    """Sums by insurer and fund year."""

    insurers: int
    years: tuple[int, ...]

    def sums(self, insurer: Ints, year: Ints, amount: Ints) -> Ints:
        """Return exact sums, (insurers, years) int64."""
        total = np.zeros((self.insurers, len(self.years)), dtype=np.int64)
        np.add.at(total, (insurer, year - self.years[0]), amount)
        return total


def last_day(year: int) -> int:
    """Return 31 December as days since 1970-01-01.

    Examples
    --------
    >>> last_day(1970)
    364
    """
    return int(np.datetime64(f"{year}-12-31", "D").astype(np.int64))


def postings_of_contracts(done: Columns, code: Mapping[str, int], closing: Closing, today: int) -> list[Posting]:
    """Return what contracts do to the budget: bound when planned, released when delivered, lapsed or carried at years'
    ends.
    """
    insurer = np.array([code[name] for name in done["insurer"].tolist()], dtype=np.int64)
    planned, amount = done["bound_date"], done["contract_fen"]
    delivered = np.where(done["delivered_date"] == NO_DAY, FAR, done["delivered_date"])
    year, ended = year_of(planned), np.zeros(len(done), dtype=bool)

    def post(kind: int, debit: int, credit: int, rows: Bools, day: Ints, left: Ints, right: Ints) -> Posting:
        at = np.flatnonzero(rows)
        return Posting(
            kind=kind,
            debit=debit,
            credit=credit,
            day=day[at],
            insurer=insurer[at],
            debit_year=left[at],
            credit_year=right[at],
            amount_fen=amount[at],
            policy_no=done["policy_no"][at],
            service_no=done["service_no"][at],
            provider=done["provider"][at],
        )

    found = [post(book.CONTRACT, book.OPEN, book.CONTRACTED, amount > 0, planned, year, year)]
    now = year.copy()
    if not len(done):
        return found
    for at in range(int(year.min()), int(year_of(np.array([today + 1]))[0])):
        day = np.full(len(done), last_day(at))
        still = (now == at) & ~ended & (delivered > day)
        lapsed = still & (planned + closing.lapse_days <= day)
        found.append(post(book.LAPSE, book.CONTRACTED, book.OPEN, lapsed, day, now, now))
        ended |= lapsed
        moved = still & ~lapsed
        found.append(post(book.CARRY, book.CONTRACTED, book.OPEN, moved, day, now, now))
        now = np.where(moved, at + 1, now)
        found.append(post(book.CARRY, book.OPEN, book.CONTRACTED, moved, day, now, now))
    released = ~ended & (delivered <= today)
    found.append(post(book.DELIVERY, book.CONTRACTED, book.OPEN, released, delivered, now, now))
    return found


def open_contracts(done: Columns, closing: Closing, today: int) -> Bools:
    """Return which contracts still bind the budget on a day: neither delivered nor lapsed at a year's end."""
    old = year_of(done["bound_date"] + closing.lapse_days)
    lapse = np.array([last_day(int(year)) for year in old], dtype=np.int64)  # the first 31 December old enough
    delivered = np.where(done["delivered_date"] == NO_DAY, FAR, done["delivered_date"])
    still: Bools = (delivered > today) & (lapse > today)
    return still


def close_fund(flow: Ints, used: Ints, grid: Grid, closing: Closing, today: int) -> tuple[list[Posting], Ints]:
    """Return forfeits and carry-overs, and what each year starts with.

    Parameters
    ----------
    flow : (insurers, years) int64 fen, accruals less releases
    used : (insurers, years) int64 fen, delivered or paid without a service

    Returns
    -------
    list of Posting
    opening : (insurers, years) int64 fen

    Notes
    -----
    Money is used oldest first. A deficit is carried too, and the next levy fills it.
    """
    opening = np.zeros_like(flow)
    rows: dict[int, list[tuple[int, int, int]]] = {book.FORFEIT: [], book.CARRY: []}
    for at in range(grid.insurers):
        held: list[list[int]] = []  # [year of accrual, fen], oldest first
        deficit = 0
        for place, year in enumerate(grid.years):
            opening[at, place] = sum(fen for _, fen in held) - deficit
            held, deficit = _spend(held, year, int(flow[at, place]), int(used[at, place]) + deficit)
            if last_day(year) > today:
                break
            if closing.forfeit_after_years is not None:
                old = [item for item in held if item[0] + closing.forfeit_after_years <= year]
                held = held[len(old) :]
                rows[book.FORFEIT].append((at, year, sum(fen for _, fen in old)))
            rows[book.CARRY].append((at, year, sum(fen for _, fen in held) - deficit))
    found = []
    for kind, other in ((book.FORFEIT, book.FORFEITED), (book.CARRY, book.FUND)):
        given = np.array(rows[kind], dtype=np.int64).reshape(-1, 3)
        for sign in (1, -1):
            at, year, fen = given[given[:, 2] * sign > 0].T
            day = np.array([last_day(int(one)) for one in year], dtype=np.int64)
            next_year = year + (kind == book.CARRY)
            left, right = (year, next_year) if sign > 0 else (next_year, year)
            debit, credit = (book.FUND, other) if sign > 0 else (other, book.FUND)
            found.append(
                Posting(
                    kind=kind,
                    debit=debit,
                    credit=credit,
                    day=day,
                    insurer=at,
                    debit_year=left,
                    credit_year=right,
                    amount_fen=np.abs(fen),
                )
            )
    return found, opening


def _spend(held: list[list[int]], year: int, flow: int, used: int) -> tuple[list[list[int]], int]:
    """Return what is left of each year's money after a year, oldest first, and the deficit."""
    purse = [*held, [year, max(flow, 0)]]
    need = used - min(flow, 0)
    if need < 0:  # more came back from payments than went out
        purse[-1][1] -= need
        need = 0
    for item in purse:
        taken = min(item[1], need)
        item[1] -= taken
        need -= taken
    return [item for item in purse if item[1]], need
