"""The fund's ledger: levy, budgets, contracts, deliveries, payments, carry-over and forfeits as double entries."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ratemod.errors import Lang, ModelError, Problem, once, problem
from ratemod.fund import journal as book
from ratemod.fund.catalogue import Catalogue, read_catalogue
from ratemod.fund.closing import Grid, open_contracts
from ratemod.fund.documents import Papers, known_insurers, read_papers, read_yearly, use_year
from ratemod.fund.entries import budgets_beyond_cap, levy_lacking, postings, without_budget
from ratemod.fund.events import Events, tally_table
from ratemod.fund.flags import find_flags
from ratemod.fund.fund_table import NO_DAY, Bools, Ints, day_number, labelled, to_frame, year_of
from ratemod.fund.journal import Journal, journal_of, read_journal
from ratemod.fund.levy import Levy
from ratemod.fund.proof import Check, prove
from ratemod.fund.use_rule import UseRules, read_use_rules
from ratemod.rules.options import strict

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, slots=True)
class FundLedger:
    """A fund's ledger and what was found in it.

    Attributes
    ----------
    journal : Journal, every line
    levied : Levy
    papers : Papers, services and payments as known on the day
    years : fund years, in order
    budget_fen : (insurers, years) int64 fen, -1 where none is known
    flags : pyarrow.Table
        One row a rule broken: rule, check, insurer, fund_year, payment_no, service_no, provider, amount_fen,
        other (the payment, budget, cost or identity it was held against), apart_fen.
    looked : mapping of rule to (payments,) bool, which payments it could look at
    kept : Journal or None, the ledger as the insurers keep it
    as_of : int, day
    """

    journal: Journal
    levied: Levy
    papers: Papers
    years: tuple[int, ...]
    budget_fen: Ints
    flags: pa.Table
    looked: Mapping[str, Bools]
    rules: UseRules
    as_of: int
    kept: Journal | None = None
    budgets: Events | None = None
    refused: tuple[Problem, ...] = ()

    @property
    def events(self) -> tuple[Events, ...]:
        """The papers as read, and what became of their other rows."""
        return (*self.papers.events, *(() if self.budgets is None else (self.budgets,)))

    def tally_table(self) -> pa.Table:
        """Return what became of the rows and money of every list, as `ratemod.fund.events.tally_table`."""
        return tally_table([*self.levied.rows, *(found.tally for found in self.events)])

    @property
    def insurers(self) -> tuple[str, ...]:
        """Names of the insurers."""
        return self.journal.insurers

    @property
    def table(self) -> pa.Table:
        """One row a line of the journal."""
        return self.journal.table

    @strict
    def frame(self, lang: Lang | None = None) -> pd.DataFrame:
        """Return `table` as pandas, with labels of a language where one is given."""
        return to_frame(self.table if lang is None else labelled(self.table, lang))

    def _lines(self, account: int, kinds: tuple[int, ...]) -> Ints:
        """Return credit less debit of an account by insurer and year, (insurers, years) fen."""
        line = self.journal
        own = np.flatnonzero((line.account == account) & np.isin(line.kind, kinds) & (line.year <= self.years[-1]))
        amount = (line.credit_fen - line.debit_fen)[own]
        return Grid(len(self.insurers), self.years).sums(line.insurer[own], line.year[own], amount)

    def _paid_of(self) -> Ints:
        """Return payments by insurer and by the year whose use they pay, (insurers, years) fen."""
        paid = self.papers.payments
        code = {name: at for at, name in enumerate(self.insurers)}
        insurer = np.array([code[name] for name in paid["insurer"].tolist()], dtype=np.int64)
        year = use_year(paid, self.papers.services)
        return Grid(len(self.insurers), self.years).sums(insurer, year, paid["amount_fen"])

    def statement_table(self) -> pa.Table:
        """Return by insurer and fund year what the journal says: ``closing = opening + accrued - released - used -
        forfeited``; the budget, contracts, payments; payments for the year's use beyond it; what is owed; the use rate,
        used over accrued less released.
        """
        fund, whole, side = book.FUND, tuple(range(len(book.ENTRIES))), self._lines
        moved = (book.DELIVERY, book.PAYMENT)
        accrued, released = side(fund, (book.ACCRUAL,)), -side(fund, (book.RELEASE,))
        used, forfeited = -side(fund, moved), -side(fund, (book.FORFEIT,))
        own = accrued - released - used - forfeited
        closing = np.cumsum(own, axis=1)
        columns = {
            "opening_fen": closing - own,
            "accrued_fen": accrued,
            "released_fen": released,
            "used_fen": used,
            "forfeited_fen": forfeited,
            "closing_fen": closing,
            "budget_fen": side(book.OPEN, (book.BUDGET,)),
            "contracted_fen": side(book.CONTRACTED, (book.CONTRACT,)),
            "lapsed_fen": -side(book.CONTRACTED, (book.LAPSE,)),
            "paid_fen": side(book.BANK, (book.PAYMENT,)),
            "beyond_fen": np.maximum(self._paid_of() - self.budget_fen, 0),
            "payable_fen": np.cumsum(side(book.PAYABLE, whole), axis=1),
        }
        rate = np.divide(used, accrued - released, out=np.full(used.shape, np.nan), where=accrued > released)
        many = len(self.years)
        return pa.table(
            {
                "insurer": pa.array(np.repeat(np.array(self.insurers, dtype=object), many), pa.string()),
                "fund_year": pa.array(np.tile(np.array(self.years, dtype=np.int64), len(self.insurers))),
            }
            | {
                name: pa.array(
                    np.ascontiguousarray(column).ravel(),
                    mask=(self.budget_fen < 0).ravel() if name in ("budget_fen", "beyond_fen") else None,
                )
                for name, column in columns.items()
            }
            | {"use_rate": pa.array(rate.ravel(), mask=np.isnan(rate).ravel())}
        )

    def delivered_fen(self, year: int) -> dict[str, int]:
        """Return the cost of services delivered in a fund year by insurer, fen; 0 in a year before the first paper."""
        if year not in self.years:
            return dict.fromkeys(self.insurers, 0)
        cost = -self._lines(book.FUND, (book.DELIVERY,))[:, self.years.index(year)]
        return dict(zip(self.insurers, cost.tolist()))

    @strict
    def statement(self, lang: Lang | None = None) -> pd.DataFrame:
        """Return `statement_table` as pandas, with labels of a language where one is given."""
        table = self.statement_table()
        return to_frame(table if lang is None else labelled(table, lang))

    def flags_of(self, year: int | None = None, insurer: str = "") -> pa.Table:
        """Return the flags of payments of a calendar year (None: of all) and of an insurer ("": of all)."""
        rows = zip(self.flags["fund_year"].to_pylist(), self.flags["insurer"].to_pylist())
        return self.flags.filter(
            pa.array([year in (None, own) and insurer in ("", who) for own, who in rows], pa.bool_())
        )

    def flag_counts(self, year: int | None = None, insurer: str = "") -> pa.Table:
        """Return how many payments each rule could look at, how many it flags, and their amount, as `flags_of`.

        A rule of purposes sees payments that say one, one of services those that name one, one of related parties those
        to a provider in the list of parties: where a list is not given, nothing was looked at.
        """
        paid = self.papers.payments
        kept = np.ones(len(paid), dtype=bool) if year is None else year_of(paid["date"]) == year
        kept &= (paid["insurer"] == insurer) | (insurer == "")
        flags = self.flags_of(year, insurer)
        names = [rule.name for rule in self.rules.uses]
        hit = np.array([names.index(name) for name in flags["rule"].to_pylist()], dtype=np.int64)
        amount = np.zeros(len(names), dtype=np.int64)
        np.add.at(amount, hit, flags["amount_fen"].to_numpy())
        return pa.table(
            {
                "rule": names,
                "looked_at": [int((self.looked[name] & kept).sum()) for name in names],
                "flags": np.bincount(hit, minlength=len(names)),
                "amount_fen": amount,
                "source": [rule.source for rule in self.rules.uses],
                "source_zh": [rule.source_zh or rule.source for rule in self.rules.uses],
            }
        )

    def reconcile(self) -> int:
        """Prove the ledger: every entry, insurer and the whole balance; levy = accruals by policy; documents = lines;
        every year's end is the next one's beginning; and the ledger as kept, where one was given.

        Raises
        ------
        ModelError
            RM705 for every sum that fails.
        """
        checks = [
            *(check for found in self.events for check in found.checks()),
            *self.journal.checks(),
            *self._levy_checks(),
            *self._paper_checks(),
        ]
        return prove([*checks, *self._kept_checks()])

    def _levy_checks(self) -> list[Check]:
        line, levied = self.journal, self.levied
        own = (line.account == book.FUND) & np.isin(line.kind, (book.ACCRUAL, book.RELEASE))
        by: dict[str, int] = dict.fromkeys(levied.policy_no.tolist(), 0)
        for name, fen in zip(line.policy_no[own].tolist(), (line.credit_fen - line.debit_fen)[own].tolist()):
            by[name] = by.get(name, 0) + fen
        apart = [
            Check("accruals_policy", str(name), fen, by[name])
            for name, fen in zip(levied.policy_no.tolist(), levied.levy_fen.tolist())
            if by[name] != fen
        ]
        found = [*apart, Check("accruals", "all", levied.total_fen, sum(by.values()))]
        for at, name in enumerate(self.insurers):
            mine = own & (line.insurer == at)
            ledger = int((line.credit_fen - line.debit_fen)[mine].sum())
            borne = int(levied.shares.levy_fen[levied.shares.insurer == name].sum())
            found.append(Check("accruals", name, borne, ledger))
        return found

    def _paper_checks(self) -> list[Check]:
        done, paid, line = self.papers.services, self.papers.payments, self.journal
        state = self.statement_table()
        found: list[Check] = []
        for at, name in enumerate(self.insurers):
            rows = [row for row in state.to_pylist() if row["insurer"] == name]
            cost = int(done["cost_fen"][done["insurer"] == name].sum())
            whose = paid["insurer"] == name
            direct = int(paid["amount_fen"][whose & (paid["service"] < 0)].sum())
            out = int(paid["amount_fen"][whose].sum())
            balance = int(line.credit(book.FUND)[at])
            bound = int(line.credit(book.CONTRACTED)[at])
            found += [
                Check("used", name, cost + direct, sum(r["used_fen"] for r in rows)),
                Check("bank", name, out, sum(r["paid_fen"] for r in rows)),
                Check("payable", name, cost - (out - direct), rows[-1]["payable_fen"]),
                Check("closing_balance", name, rows[-1]["closing_fen"], balance),
                Check("open_contracts", name, bound, int(self._open_fen(name))),
            ]
            found += [
                Check(
                    "closing_year",
                    name,
                    row["opening_fen"]
                    + row["accrued_fen"]
                    - row["released_fen"]
                    - row["used_fen"]
                    - row["forfeited_fen"],
                    row["closing_fen"],
                    of={"year": str(row["fund_year"])},
                )
                for row in rows
            ]
            found += self._carried(at, name)
        return found

    def _carried(self, at: int, name: str) -> list[Check]:
        """Return that what a year hands on (credit less debit of its own lines) is nothing once it is closed."""
        last = int(year_of(np.array([self.as_of + 1]))[0])  # a year is closed when its 31 December has come
        return [
            Check(
                "left_after_closing", name, int(self.journal.credit(book.FUND, [year])[at]), 0, of={"year": str(year)}
            )
            for year in self.years
            if year < last
        ]

    def _open_fen(self, name: str) -> int:
        done = self.papers.services
        still = open_contracts(done, self.rules.closing, self.as_of) & (done["insurer"] == name)
        return int(done["contract_fen"][still].sum())

    def _kept_checks(self) -> list[Check]:
        """Return that the fund as kept is ours: with what is owed to providers and what was forfeited, on both."""
        if self.kept is None:
            return []
        kept = self.kept
        theirs = dict(zip(kept.insurers, kept.credit(book.FUND).tolist()))
        for also in (book.PAYABLE, book.FORFEITED):
            more = dict(zip(kept.insurers, kept.credit(also).tolist()))
            theirs = {name: fen + more[name] for name, fen in theirs.items()}
        ours = self.journal.credit(book.FUND) + self.journal.credit(book.PAYABLE)
        forfeited = self.journal.credit(book.FORFEITED)
        return [
            *kept.checks(),
            *(
                Check(
                    "kept",
                    name,
                    theirs.get(name, 0),
                    int(ours[at] + forfeited[at]),
                )
                for at, name in enumerate(self.insurers)
            ),
        ]


@strict
def fund_ledger(
    levied: Levy,
    policies: Any,
    services: Any,
    payments: Any,
    as_of: datetime.date,
    *,
    budgets: Any = None,
    contracts: Any = None,
    insurers: Any = None,
    parties: Any = None,
    bodies: Any = None,
    kept: Any = None,
    catalogue: Catalogue | None = None,
    rules: UseRules | str | Path | None = None,
) -> FundLedger:
    """Keep the ledger of a fund from its papers.

    Parameters
    ----------
    levied : Levy
        What was taken of premiums, with its movements; none later than `as_of`.
    policies : path or frame
        policy_no, size_class, division_code; optionally credit_code, start_date, end_date, cancelled_date.
    services : path or frame
        service_no, policy_no, insurer, service_type, provider, planned_date; delivered_date and cost_fen where done.
        None: nothing was planned yet.
    payments : path or frame
        date, insurer, amount_fen; service_no, payment_no (or entry_no), provider, purpose, invoice_no where known. Of
        a ledger (a column `kind`) the payments are taken.
    as_of : date
        Nothing later counts. Years whose 31 December has come are closed.
    budgets : path or frame, optional
        insurer, fund_year, amount_fen. Without them a year's budget is what the fund brings into it, plus its levy.
    contracts : path or frame, optional
        service_no, amount_fen. A service without one is bound at the catalogue's price; where
        there is none either, nothing is bound, and its payment is flagged.
    insurers : path, frame or names, optional
        Who may occur; without it, whoever is in the levy.
    parties : path or frame, optional
        party (insurer, provider or credit code), role, and credit_code, legal_representative, shareholder,
        bank_account, phone, address as far as known: for related-party patterns.
    bodies : path or frame, optional
        provider and qualification of the service bodies: who is paid must be among them, with a qualification.
    kept : path or frame, optional
        The ledger as the insurers keep it (`read_journal`); it must balance, and its fund must be ours.
    catalogue : Catalogue, optional
    rules : UseRules, path of a TOML file, or None (the shipped ones)

    Returns
    -------
    FundLedger
        Accrual: expense to fund, on the day of each movement; a refund releases. Budget, contract and lapse move
        within memorandum accounts. Delivery: the contract is released, the actual cost uses the budget, and the fund
        owes it to the provider. Payment: to the provider for a service, else straight from the fund, and flagged.
        31 December: old contracts lapse, old money is forfeited where a rule says so, the rest is carried over.

    Raises
    ------
    BookError
        RM950, RM730 to RM733.
    ModelError
        RM736 the levy knows more than `as_of`.

    Source
    ------
    应急〔2025〕27号: special budget, dedicated ledger, actual cost (digests). Closing rules: illustrative conventions.
    """
    given = rules if isinstance(rules, UseRules) else read_use_rules(rules)
    today = int(day_number(as_of) or 0)
    if len(levied.movements.day) and int(levied.movements.day.max()) > today:
        raise ModelError(problem("RM736", day=as_of.isoformat(), count=int((levied.movements.day > today).sum())))
    names = known_insurers(insurers, sorted({*levied.insurer.tolist(), *levied.shares.insurer.tolist()}))
    prices = read_catalogue() if catalogue is None else catalogue
    papers = read_papers(policies, services, payments, contracts, prices, names, today, levied.bearers())
    approved, listed = (None, None) if budgets is None else read_yearly(budgets, names, as_of.year)
    years = _years(levied, papers, today, approved or {})
    other = None if kept is None else read_journal(kept, names).until(today)
    posted, budget = postings(levied, papers, names, years, given, today, approved)
    journal = journal_of(posted, names)
    flags, looked = find_flags(papers, names, years, budget, given, parties, bodies)
    told = [*levied.refused, *papers.refused]
    if listed is not None:
        told += [*listed.told, *budgets_beyond_cap(levied, names, years, budget)]
        told += without_budget(names, years, budget, papers.payments)
    else:
        told += levy_lacking(levied, names, years, papers.payments)
    return FundLedger(
        journal=journal,
        levied=levied,
        papers=papers,
        years=years,
        budget_fen=budget,
        flags=flags,
        looked=looked,
        rules=given,
        as_of=today,
        kept=other,
        budgets=listed,
        refused=once(told),
    )


def _years(levied: Levy, papers: Papers, today: int, budgets: Mapping[tuple[str, int], int]) -> tuple[int, ...]:
    done = papers.services["delivered_date"]
    days = [levied.movements.day, papers.services["bound_date"], done[done != NO_DAY], papers.payments["date"]]
    first = int(year_of(np.array([min(int(day.min()) for day in (*days, np.array([today])) if len(day))]))[0])
    first = min([first, *(year for _, year in budgets)])
    return tuple(range(first, int(year_of(np.array([today]))[0]) + 1))
