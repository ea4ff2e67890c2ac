"""A fund's papers as postings: what accrues, what a budget allows, what is delivered and paid."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from ratemod.errors import Problem, Words, problem
from ratemod.fund import journal as book
from ratemod.fund.closing import Grid, close_fund, last_day, postings_of_contracts
from ratemod.fund.documents import Papers
from ratemod.fund.fund_table import NO_DAY, Bools, Columns, Ints, Texts, year_of
from ratemod.fund.journal import Posting
from ratemod.fund.levy import Levy
from ratemod.fund.use_rule import UseRules
from ratemod.money import yuan_text


def postings(
    levied: Levy,
    papers: Papers,
    names: tuple[str, ...],
    years: tuple[int, ...],
    rules: UseRules,
    today: int,
    budgets: Mapping[tuple[str, int], int] | None,
) -> tuple[list[Posting], Ints]:
    """Return all postings, and the budget by insurer and year, -1 where none is known."""
    code = {name: at for at, name in enumerate(names)}
    grid = Grid(len(names), years)
    accruals, flow = _levy_postings(levied, code, grid)
    services, used = _delivery_postings(papers, code, grid)
    paid, direct = _payment_postings(papers, code, grid)
    closings, opening = close_fund(flow, used + direct, grid, rules.closing, today)
    if budgets is None:
        budget = np.maximum(opening + flow, 0)
        budget[_lacking(levied, names, years)] = -1
    else:
        budget = np.array([[budgets.get((name, year), -1) for year in years] for name in names], dtype=np.int64)
    at, year = np.divmod(np.arange(budget.size), len(years))
    year = np.array(years, dtype=np.int64)[year]
    start = np.array([last_day(one - 1) + 1 for one in year.tolist()], dtype=np.int64)
    allowed = Posting(
        kind=book.BUDGET,
        debit=book.CONTROL,
        credit=book.OPEN,
        day=start,
        insurer=at,
        debit_year=year,
        credit_year=year,
        amount_fen=np.maximum(budget, 0).ravel(),
    )
    contracts = postings_of_contracts(papers.services, code, rules.closing, today)
    return [*accruals, allowed, *contracts, *services, *paid, *closings], budget


def _levy_postings(levied: Levy, code: dict[str, int], grid: Grid) -> tuple[list[Posting], Ints]:
    moved, shares = levied.movements, levied.shares
    insurer = np.array([code[name] for name in shares.insurer.tolist()], dtype=np.int64)
    day, amount = moved.day[shares.movement], shares.levy_fen
    year, number = year_of(day), levied.policy_no[moved.policy[shares.movement]]
    found = []
    for kind, debit, credit, rows in (
        (book.ACCRUAL, book.EXPENSE, book.FUND, np.flatnonzero(amount > 0)),
        (book.RELEASE, book.FUND, book.EXPENSE, np.flatnonzero(amount < 0)),
    ):
        found.append(
            Posting(
                kind=kind,
                debit=debit,
                credit=credit,
                day=day[rows],
                insurer=insurer[rows],
                debit_year=year[rows],
                credit_year=year[rows],
                amount_fen=np.abs(amount[rows]),
                policy_no=number[rows],
            )
        )
    return found, grid.sums(insurer, year, amount)


def _delivery_postings(papers: Papers, code: dict[str, int], grid: Grid) -> tuple[list[Posting], Ints]:
    done = papers.services.take(np.flatnonzero(papers.services["delivered_date"] != NO_DAY))
    insurer = np.array([code[name] for name in done["insurer"].tolist()], dtype=np.int64)
    day, cost = done["delivered_date"], done["cost_fen"]
    year = year_of(day)
    found = [
        Posting(
            kind=book.DELIVERY,
            debit=debit,
            credit=credit,
            day=day,
            insurer=insurer,
            debit_year=year,
            credit_year=year,
            amount_fen=cost,
            policy_no=done["policy_no"],
            service_no=done["service_no"],
            provider=done["provider"],
        )
        for debit, credit in ((book.OPEN, book.USED), (book.FUND, book.PAYABLE))
    ]
    return found, grid.sums(insurer, year, cost)


def _payment_postings(papers: Papers, code: dict[str, int], grid: Grid) -> tuple[list[Posting], Ints]:
    paid = papers.payments
    insurer = np.array([code[name] for name in paid["insurer"].tolist()], dtype=np.int64)
    year, amount, day = year_of(paid["date"]), paid["amount_fen"], paid["date"]
    named = paid["service"] >= 0
    found = []
    for rows, pairs in (
        (np.flatnonzero(named), ((book.PAYABLE, book.BANK),)),
        (np.flatnonzero(~named), ((book.FUND, book.BANK), (book.OPEN, book.USED))),
    ):
        for debit, credit in pairs:
            for sign, (left, right) in ((1, (debit, credit)), (-1, (credit, debit))):
                own = rows[amount[rows] * sign > 0]
                found.append(
                    Posting(
                        kind=book.PAYMENT,
                        debit=left,
                        credit=right,
                        day=day[own],
                        insurer=insurer[own],
                        debit_year=year[own],
                        credit_year=year[own],
                        amount_fen=np.abs(amount[own]),
                        policy_no=paid["policy_no"][own],
                        service_no=_document(paid, own),
                        provider=paid["provider"][own],
                    )
                )
    return found, grid.sums(insurer[~named], year[~named], amount[~named])


def _document(paid: Any, rows: Ints) -> Texts:
    """Return the service a payment names, else the number of the payment."""
    text: Texts = np.where(paid["service_no"][rows] != "", paid["service_no"][rows], paid["payment_no"][rows])
    return text


def budgets_beyond_cap(
    levied: Levy, names: tuple[str, ...], years: tuple[int, ...], budget: Ints
) -> tuple[Problem, ...]:
    """Return RM757 for every budget that is more than the cap of its insurer's premium of the year.

    The premium of a year is every movement of the base (written, received or earned) of that year that the insurer
    bears, under the rule of its policy. Of premium under a rule without a cap the whole is allowed.

    Source
    ------
    应急〔2025〕27号: the budget is at most 21 % of premium received (from digests).
    """
    moved, shares, grid = levied.movements, levied.shares, Grid(len(names), years)
    code = {name: at for at, name in enumerate(names)}
    insurer = np.array([code[name] for name in shares.insurer.tolist()], dtype=np.int64)
    year, whose = year_of(moved.day[shares.movement]), levied.rule[moved.policy[shares.movement]]
    premium = np.zeros(budget.shape, dtype=np.int64)
    most = np.full(budget.shape, Fraction(0), dtype=object)
    for at, rule in enumerate(levied.rules):
        own = whose == at
        part = grid.sums(insurer[own], year[own], shares.amount_fen[own])
        premium += part
        most += part.astype(object) * Fraction(1 if rule.cap is None else rule.cap)
    found = []
    for who, when in zip(*np.nonzero(budget > 0)):
        bound = premium[who, when] > 0 or all(rule.cap is not None for rule in levied.rules)
        if bound and budget[who, when] > most[who, when]:
            found.append(
                problem(
                    "RM757",
                    insurer=names[who],
                    year=years[when],
                    budget=yuan_text(int(budget[who, when])),
                    premium=yuan_text(int(premium[who, when])),
                    most=yuan_text(int(most[who, when].__floor__())),
                )
            )
    return tuple(found)


def _lacking(levied: Levy, names: tuple[str, ...], years: tuple[int, ...]) -> Bools:
    """Return of which insurers and years the levy lacks policies, (insurers, years) bool."""
    found = np.zeros((len(names), len(years)), dtype=bool)
    for insurer, lack in levied.lacking.items():
        found[[insurer in ("", name) for name in names]] |= np.array(years) >= lack.year
    return found


def levy_lacking(levied: Levy, names: tuple[str, ...], years: tuple[int, ...], paid: Columns) -> tuple[Problem, ...]:
    """Return RM772 for every insurer whose levy lacks policies, where it paid: what it may spend is not known."""
    found = []
    for insurer, lack in levied.lacking.items():
        own = np.isin(paid["insurer"].astype(str), [name for name in names if insurer in ("", name)])
        if (own & (year_of(paid["date"]) >= lack.year)).any():
            said = insurer or Words("UI_fund_of_unknown")
            yuan = yuan_text(lack.premium_fen)
            found.append(
                problem("RM772", policies=lack.policies, insurer=said, year=max(lack.year, years[0]), yuan=yuan)
            )
    return tuple(found)


def without_budget(names: tuple[str, ...], years: tuple[int, ...], budget: Ints, paid: Columns) -> tuple[Problem, ...]:
    """Return RM964 for every insurer and year that paid and of which no budget is known."""
    code = {name: at for at, name in enumerate(names)}
    insurer = np.array([code[name] for name in paid["insurer"].tolist()], dtype=np.int64)
    out = Grid(len(names), years).sums(insurer, year_of(paid["date"]), paid["amount_fen"])
    return tuple(
        problem("RM964", insurer=names[who], year=years[when], yuan=yuan_text(int(out[who, when])))
        for who, when in zip(*np.nonzero((budget < 0) & (out != 0)))
    )
