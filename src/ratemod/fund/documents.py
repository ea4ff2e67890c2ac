"""The papers behind a fund ledger: services, contracts, payments and budgets, checked against each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ratemod.errors import BookError, Problem, nearest, problem
from ratemod.fund.catalogue import Catalogue
from ratemod.fund.events import (
    Events,
    alike,
    meeting,
    numbers_left_out,
    of_policies,
    read_events,
    read_policies,
    term_end,
)
from ratemod.fund.fund_table import NO_DAY, Bools, Columns, Ints, read_columns
from ratemod.fund.journal import unknown_insurers
from ratemod.money import yuan_text
from ratemod.reading.join import join

SERVICE = ("service_no", "policy_no", "insurer", "service_type", "provider", "planned_date")
POLICY_MORE = ("credit_code", "start_date", "end_date", "cancelled_date")
PAYMENT = ("date", "insurer", "amount_fen")
PAYMENT_MORE = ("payment_no", "entry_no", "kind", "service_no", "policy_no", "provider", "purpose", "invoice_no")


@dataclass(frozen=True, eq=False, slots=True)
class Papers:
    """Services and payments of a fund, as known on one day.

    Attributes
    ----------
    services : Columns
        Those of `SERVICE`, delivered_date, cost_fen, contract_fen (what the contract or the catalogue says, 0 where
        nothing), outside (delivered outside the term of the policy), price_fen (what the catalogue says, -1 where
        nothing), credit_code of the insured ("" where unknown).
    payments : Columns
        payment_no, date, insurer, amount_fen, service (row of `services`, -1 where none is named or known),
        service_no, provider, purpose, invoice_no.
    refused : tuple of Problem, rows left out, repeated or set aside
    paid : Events, the payments as read, and what became of the other rows
    """

    services: Columns
    payments: Columns
    refused: tuple[Problem, ...]
    paid: Events


def read_papers(
    policies: Any,
    services: Any,
    payments: Any,
    contracts: Any,
    catalogue: Catalogue,
    insurers: Sequence[str],
    today: int,
) -> Papers:
    """Return services and payments up to a day.

    Raises
    ------
    BookError
        RM950, RM730 an unknown insurer.
    """
    book = read_policies(policies, ("policy_no", "size_class", "division_code"), POLICY_MORE)
    planned = read_events(services, "services", SERVICE, ("delivered_date", "cost_fen", "credit_code"), SERVICE[:1])
    given = read_events(payments, "fund_payments", PAYMENT, PAYMENT_MORE, ("service_no", "payment_no"))
    wrong = unknown_insurers(planned.rows, insurers, "services")
    if "kind" in given.rows:
        given = given.without(given.rows["kind"] != "payment", "other", None)
    if wrong := wrong + unknown_insurers(given.rows, insurers, "payments"):
        raise BookError(wrong)
    planned = of_policies(alike(planned, "service_no"), book, numbers_left_out(book))
    done, place, refused = _delivered(planned.rows, planned.place, today)
    price = _price(done, book.take(place), catalogue)
    bound, signed = _contracts(done, contracts, price)
    done = _with(done, price_fen=price, contract_fen=bound, outside=_outside(done, book.take(place)))
    refused += _told_outside(done)
    if "credit_code" not in done:
        codes = book["credit_code"][place] if "credit_code" in book else np.full(len(done), "", dtype=object)
        done = _with(done, credit_code=codes)
    given = given.without(given.rows["date"] > today, "later", None)
    return Papers(done, _paid(given.rows, done), (*book.refused, *planned.told, *signed, *given.told, *refused), given)


def _with(columns: Columns, **more: Any) -> Columns:
    return replace(columns, values={**columns.values, **more})


def _delivered(done: Columns, place: Ints, today: int) -> tuple[Columns, Ints, list[Problem]]:
    """Leave out services planned later or without a cost, and deliveries that are not known yet."""
    n = len(done)
    day = done["delivered_date"] if "delivered_date" in done else np.full(n, NO_DAY)
    cost = done["cost_fen"] if "cost_fen" in done else np.zeros(n, dtype=np.int64)
    day = np.where(day > today, NO_DAY, day)
    bare = (day != NO_DAY) & (cost <= 0)
    refused = []
    if bare.any():
        number = str(done["service_no"][int(np.argmax(bare))])
        refused.append(problem("RM734", **done.first(bare, "services"), service=number))
    kept = np.flatnonzero(~bare & (done["planned_date"] <= today))
    found = _with(done, delivered_date=day, cost_fen=np.where(day == NO_DAY, 0, cost))
    return found.take(kept), place[kept], refused


def _outside(done: Columns, book: Columns) -> Bools:
    """Return which services were delivered on a day outside the term of their policy, (n,) bool."""
    day = done["delivered_date"]
    out = np.zeros(len(done), dtype=bool)
    if "start_date" in book:
        out |= (day != NO_DAY) & (book["start_date"] != NO_DAY) & (day < book["start_date"])
    if "end_date" in book:
        end = term_end(book)
        out |= (day != NO_DAY) & (end != NO_DAY) & (day >= end)
    return out


def _told_outside(done: Columns) -> list[Problem]:
    """Return RM770 where services outside the term of their policy use the fund, paid or not: how many, how much."""
    rows = np.flatnonzero(done["outside"])
    if not len(rows):
        return []
    fen, number = int(done["cost_fen"][rows].sum()), str(done["service_no"][rows[0]])
    return [problem("RM770", **done.first(rows, "services"), service=number, yuan=yuan_text(fen))]


def _price(done: Columns, book: Columns, catalogue: Catalogue) -> Ints:
    """Return the catalogue price of each service, (n,) int64 fen, -1 where there is none."""
    price = np.full(len(done), -1, dtype=np.int64)
    for item in catalogue.items:
        mine = np.flatnonzero(done["service_type"] == item.name)
        price[mine] = catalogue.cost_fen(item, book["size_class"][mine], book["division_code"][mine])
    return price


def _contracts(done: Columns, contracts: Any, price: Ints) -> tuple[Ints, tuple[Problem, ...]]:
    """Return the contract sum of each service: of the contract, else of the catalogue, else 0 (nothing is bound)."""
    signed = read_events(contracts, "contracts", ("service_no", "amount_fen"), ("contract_no",), ("service_no",))
    none = signed.rows["amount_fen"] <= 0
    if none.any():
        at = int(np.argmax(none))
        value = int(signed.rows["amount_fen"][at])
        told = problem("RM724", **signed.first(none), name=str(signed.rows["service_no"][at]), value=value)
        signed = signed.without(none, "aside", told)
    signed = meeting(signed, done["service_no"], "services", "service_no")
    amount = np.maximum(price, 0)
    amount[signed.place] = signed.rows["amount_fen"]
    return amount, signed.told


def _paid(paid: Columns, done: Columns) -> Columns:
    n = len(paid)
    blank = np.full(n, "", dtype=object)
    number = next((paid[name] for name in ("payment_no", "entry_no") if name in paid), None)
    if number is None:
        number = np.array([f"P{at + 1:09d}" for at in range(n)], dtype=object)
    named = paid.get("service_no", blank)
    service = join(named, done["service_no"]).place()
    provider = paid.get("provider", blank)
    own = service >= 0
    provider = np.where(own & (provider == ""), done["provider"][service], provider) if len(done) else provider
    texts = {name: paid.get(name, blank) for name in ("purpose", "invoice_no", "policy_no")}
    return replace(
        paid,
        values={
            "payment_no": number,
            "date": paid["date"],
            "insurer": paid["insurer"],
            "amount_fen": paid["amount_fen"],
            "service": service,
            "service_no": named,
            "provider": provider,
            **texts,
        },
    )


def read_yearly(budgets: Any, insurers: Sequence[str]) -> dict[tuple[str, int], int]:
    """Return budgets by insurer and fund year, fen.

    Raises
    ------
    BookError
        RM950, RM724 a negative amount, RM730 an unknown insurer, RM737 a budget that stands twice.
    """
    read = read_columns(budgets, "budgets", ("insurer", "fund_year", "amount_fen"))
    if read.refused:
        raise BookError(read.refused)
    wrong = unknown_insurers(read, insurers, "budgets")
    found: dict[tuple[str, int], int] = {}
    for name, year, fen in zip(*(read[key].tolist() for key in ("insurer", "fund_year", "amount_fen"))):
        if fen < 0:
            wrong.append(problem("RM724", name=f"{name}, {year}", value=fen))
        if (name, year) in found:
            wrong.append(problem("RM737", file="budgets", insurer=name, year=year))
        found[name, year] = fen
    if wrong:
        raise BookError(wrong)
    return found


def known_insurers(insurers: Any, there: Sequence[str]) -> tuple[str, ...]:
    """Return the names that may occur: of the table given, else those of the levy.

    Raises
    ------
    BookError
        RM730 the levy holds an insurer that the table does not.
    """
    if insurers is None:
        return tuple(there)
    if isinstance(insurers, list | tuple | set | frozenset):
        known = sorted(map(str, insurers))
    else:
        known = sorted(set(read_columns(insurers, "insurers", ("insurer",))["insurer"].tolist()))
    if lost := [name for name in there if name not in known]:
        raise BookError(
            problem("RM730", file="policies", name=name, count=1, nearest=nearest(name, known)) for name in lost
        )
    return tuple(known)
