"""The papers behind a fund ledger: services, contracts, payments and budgets, checked against each other."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from ratemod.errors import BookError, Problem, nearest, problem
from ratemod.fund.catalogue import Catalogue
from ratemod.fund.corrections import MORE as CORRECTION
from ratemod.fund.corrections import corrected
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
from ratemod.fund.fund_table import FAR, NO_DAY, Bools, Columns, Ints, Texts, read_columns, year_of
from ratemod.fund.journal import unknown_insurers
from ratemod.money import yuan_text
from ratemod.reading.join import join

SERVICE = ("service_no", "policy_no", "insurer", "service_type", "provider", "planned_date")
POLICY_MORE = ("credit_code", "start_date", "end_date", "cancelled_date")
SERVICE_MORE = ("delivered_date", "cost_fen", "credit_code")
PAYMENT = ("date", "insurer", "amount_fen")
PAYMENT_MORE = (
    *("payment_no", "entry_no", "kind", "service_no", "policy_no", "provider", "purpose", "invoice_no"),
    *CORRECTION,
)


@dataclass(frozen=True, eq=False, slots=True)
class Papers:
    """Services and payments of a fund, as known on one day.

    Attributes
    ----------
    services : Columns
        Those of `SERVICE`, delivered_date, bound_date, cost_fen (0 before delivery), contract_fen (what the contract or
        the catalogue says, 0 where nothing), outside (delivered outside the term of the policy), price_fen (what the
        catalogue says, -1 where nothing), credit_code of the insured ("" where unknown).
    payments : Columns
        payment_no, date, insurer, amount_fen, service (row of `services`, -1 where none is named or known),
        service_no, service_aside (it is listed and does not count), provider, purpose, invoice_no.
    refused : tuple of Problem, rows left out, repeated or set aside
    events : tuple of Events, services, payments and contracts as read, and what became of the other rows
    corrections : pyarrow.Table, the payments that later rows correct (`ratemod.fund.corrections`)
    """

    services: Columns
    payments: Columns
    refused: tuple[Problem, ...]
    events: tuple[Events, Events, Events]
    corrections: pa.Table


def use_year(paid: Columns, done: Columns) -> Ints:
    """Return the fund year that a payment uses, (n,) int64: that of the delivery it pays, else that of its own day."""
    day = paid["date"].copy()
    named = np.flatnonzero(paid["service"] >= 0)
    delivered = done["delivered_date"][paid["service"][named]]
    day[named] = np.where(delivered == NO_DAY, day[named], delivered)
    return year_of(day)


def read_papers(
    policies: Any,
    services: Any,
    payments: Any,
    contracts: Any,
    catalogue: Catalogue,
    insurers: Sequence[str],
    today: int,
    bearers: Mapping[str, Collection[str]],
) -> Papers:
    """Return services and payments up to a day.

    Parameters
    ----------
    bearers : mapping of policy to who bears its levy

    Raises
    ------
    BookError
        RM950.
    """
    book = read_policies(policies, ("policy_no", "size_class", "division_code"), POLICY_MORE)
    planned = read_events(services, "services", SERVICE, SERVICE_MORE, SERVICE[:1])
    given = read_events(payments, "fund_payments", PAYMENT, PAYMENT_MORE, ("service_no", "payment_no"), ("kind",))
    if "kind" in given.rows:
        given = given.without(given.rows["kind"] != "payment", "other", None)
    listed = np.append(
        planned.rows["service_no"], planned.rows.left_out.get("service_no", planned.rows["service_no"][:0])
    )
    given, trail = corrected(of_insurers(given, insurers), today)
    done = _costed(of_book(planned, book, insurers, today))
    price = _price(done.rows, book.take(done.place), catalogue)
    bound, signed = _contracts(done.rows, contracts, price, listed)
    cost = done.rows.get("cost_fen", np.zeros(len(done.rows), dtype=np.int64))
    rows = _with(
        done.rows,
        cost_fen=np.where(done.rows["delivered_date"] == NO_DAY, 0, cost),
        price_fen=price,
        contract_fen=bound,
        outside=_outside(done.rows, book.take(done.place)),
    )
    if "credit_code" not in rows:
        codes = book["credit_code"][done.place] if "credit_code" in book else np.full(len(rows), "", dtype=object)
        rows = _with(rows, credit_code=codes)
    given = given.without(given.rows["date"] > today, "later", None)
    paid = _paid(given.rows, rows, listed)
    told = (*_told_outside(rows), *_told_others(rows, bearers), *_told_payers(paid, rows), *_told_aside(paid))
    return Papers(
        services=rows,
        payments=paid,
        refused=(*book.refused, *done.told, *signed.told, *given.told, *told),
        events=(done, given, signed),
        corrections=trail,
    )


def _with(columns: Columns, **more: Any) -> Columns:
    return replace(columns, values={**columns.values, **more})


def of_book(found: Events, book: Columns, insurers: Sequence[str] | None, today: int) -> Events:
    """Return the services of the policies of a book, of known insurers, as known on a day: planned or delivered by it.

    A contract binds from the day it is planned for, or of the delivery where that is earlier (`bound_date`). The others
    are set aside by name; planned and delivered later is later.
    """
    found = found if insurers is None else of_insurers(found, insurers)
    found = of_policies(alike(found, "service_no"), book, numbers_left_out(book))
    rows = found.rows
    day = rows.get("delivered_date", np.full(len(rows), NO_DAY))
    day = np.where(day > today, NO_DAY, day)
    bound = np.minimum(rows["planned_date"], np.where(day == NO_DAY, FAR, day))
    found = replace(found, rows=_with(rows, delivered_date=day, bound_date=bound))
    return found.without(bound > today, "later", None)


def _costed(found: Events) -> Events:
    """Return the services without those that were delivered at no cost: RM734."""
    rows = found.rows
    cost = rows.get("cost_fen", np.zeros(len(rows), dtype=np.int64))
    bare = (rows["delivered_date"] != NO_DAY) & (cost <= 0)
    if not bare.any():
        return found
    number = str(rows["service_no"][int(np.argmax(bare))])
    return found.without(bare, "aside", problem("RM734", **rows.first(bare, "services"), service=number))


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


def of_insurers(found: Events, known: Sequence[str]) -> Events:
    """Return the events of known insurers; those of others are set aside with RM730."""
    for item in unknown_insurers(found.rows, known, found.tally.table):
        found = found.without(found.rows["insurer"] == item.args["name"], "aside", item)
    return found


def _told_others(done: Columns, bearers: Mapping[str, Collection[str]]) -> list[Problem]:
    """Return RM961 where an insurer served a policy of which it bears nothing, by insurer: how many, how much."""
    pairs = zip(done["policy_no"].tolist(), done["insurer"].tolist())
    odd = np.array([policy in bearers and name not in bearers[policy] for policy, name in pairs], dtype=bool)
    found = []
    for name in sorted(set(done["insurer"][odd].tolist())):
        rows = np.flatnonzero(odd & (done["insurer"] == name))
        first, fen = int(rows[0]), int(done["cost_fen"][rows].sum())
        said: dict[str, Any] = {"service": str(done["service_no"][first]), "policy": str(done["policy_no"][first])}
        other = ", ".join(sorted(bearers[said["policy"]]))
        found.append(
            problem("RM961", **done.first(rows, "services"), insurer=name, other=other, yuan=yuan_text(fen), **said)
        )
    return found


def _told_payers(paid: Columns, done: Columns) -> list[Problem]:
    """Return RM962 where an insurer paid for a service of another, by insurer: how many, how much."""
    named = paid["service"] >= 0
    owner = np.full(len(paid), "", dtype=object)
    owner[named] = done["insurer"][paid["service"][named]]
    odd = named & (owner != paid["insurer"])
    found = []
    for name in sorted(set(paid["insurer"][odd].tolist())):
        rows = np.flatnonzero(odd & (paid["insurer"] == name))
        said: dict[str, Any] = {
            "payment": str(paid["payment_no"][rows[0]]),
            "service": str(paid["service_no"][rows[0]]),
        }
        fen = yuan_text(int(paid["amount_fen"][rows].sum()))
        other = str(owner[rows[0]])
        found.append(problem("RM962", **paid.first(rows, "fund_payments"), insurer=name, other=other, yuan=fen, **said))
    return found


def _told_aside(paid: Columns) -> list[Problem]:
    """Return RM963 where payments name services that are listed and do not count: how many, how much."""
    rows = np.flatnonzero(paid["service_aside"])
    if not len(rows):
        return []
    fen, service = yuan_text(int(paid["amount_fen"][rows].sum())), str(paid["service_no"][rows[0]])
    return [problem("RM963", **paid.first(rows, "fund_payments"), service=service, yuan=fen)]


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


def _contracts(done: Columns, contracts: Any, price: Ints, listed: Texts) -> tuple[Ints, Events]:
    """Return the contract sum of each service: of the contract, else of the catalogue, else 0 (nothing is bound).

    A contract of a service that is listed and does not count (not yet, or was set aside) does not count either.
    """
    signed = read_events(contracts, "contracts", ("service_no", "amount_fen"), ("contract_no",), ("service_no",))
    none = signed.rows["amount_fen"] <= 0
    if none.any():
        at = int(np.argmax(none))
        value = yuan_text(int(signed.rows["amount_fen"][at]))
        told = problem("RM724", **signed.first(none), name=str(signed.rows["service_no"][at]), value=value)
        signed = signed.without(none, "aside", told)
    signed = meeting(signed, np.unique(listed.astype(str)), "services", "service_no")
    signed = signed.without(join(signed.rows["service_no"], done["service_no"]).unmet(), "other", None)
    signed = meeting(signed, done["service_no"], "services", "service_no")
    amount = np.maximum(price, 0)
    amount[signed.place] = signed.rows["amount_fen"]
    return amount, signed


def _paid(paid: Columns, done: Columns, listed: Texts) -> Columns:
    n = len(paid)
    blank = np.full(n, "", dtype=object)
    number = next((paid[name] for name in ("payment_no", "entry_no") if name in paid), None)
    if number is None:
        number = np.array([f"P{at + 1:09d}" for at in range(n)], dtype=object)
    named = paid.get("service_no", blank)
    service = join(named, done["service_no"]).place()
    aside = (service < 0) & ~join(named, listed).unmet()
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
            "service_aside": aside,
            "service_no": named,
            "provider": provider,
            **texts,
        },
    )


def read_yearly(budgets: Any, insurers: Sequence[str], last: int) -> tuple[dict[tuple[str, int], int], Events]:
    """Return budgets by insurer and fund year, fen, and what became of the other rows.

    Those of a year after the last are later.
    Set aside: RM724 a negative amount, RM730 an unknown insurer, RM751 two amounts of one insurer and year.
    """
    read = of_insurers(
        read_events(budgets, "budgets", ("insurer", "fund_year", "amount_fen"), (), ("fund_year", "insurer")), insurers
    )
    if (below := read.rows["amount_fen"] < 0).any():
        at = int(np.argmax(below))
        name, value = f"{read.rows['insurer'][at]}, {read.rows['fund_year'][at]}", int(read.rows["amount_fen"][at])
        read = read.without(below, "aside", problem("RM724", **read.first(below), name=name, value=yuan_text(value)))
    read = read.without(read.rows["fund_year"] > last, "later", None)
    keys = zip(read.rows["insurer"].tolist(), read.rows["fund_year"].tolist())
    return dict(zip(keys, read.rows["amount_fen"].tolist())), read


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
