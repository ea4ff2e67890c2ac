"""What looks wrong in a ledger: every payment held against the rules of use, each finding with its rule and rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from ratemod.fund.documents import Papers, use_year
from ratemod.fund.fund_table import NO_DAY, Bools, Columns, Ints, Texts, codes_of, read_columns, year_of
from ratemod.fund.identity import canonical
from ratemod.fund.use_rule import FIELDS, UseRule, UseRules
from ratemod.fund.visits import spent_within
from ratemod.money import yuan_text


@dataclass(frozen=True, eq=False, slots=True)
class Found:
    """Payments that break one rule: rows, what each was held against, and by how much they differ."""

    rows: Ints
    other: Sequence[str]
    apart_fen: Ints


@dataclass(frozen=True, eq=False, slots=True)
class Evidence:
    """All that a rule may look at."""

    papers: Papers
    insurer: Ints
    year: Ints
    budget_fen: Ints
    years: tuple[int, ...]
    parties: Columns | None
    bodies: Columns | None = None

    @property
    def paid(self) -> Columns:
        """The payments."""
        return self.papers.payments

    def budget_of_use(self) -> Ints:
        """Return the budget of the insurer and year that each payment uses, (payments,) int64 fen, -1 where unknown."""
        year = use_year(self.paid, self.papers.services) - self.years[0]
        found: Ints = self.budget_fen[self.insurer, year]
        return found

    def of_service(self, name: str, rows: Ints) -> Any:
        """Return a column of the services that payments name (rows that name one)."""
        return self.papers.services[name][self.paid["service"][rows]]


def find_flags(
    papers: Papers,
    insurers: Sequence[str],
    years: tuple[int, ...],
    budget_fen: Ints,
    rules: UseRules,
    parties: Any = None,
    bodies: Any = None,
) -> tuple[pa.Table, Mapping[str, Bools]]:
    """Return one row for every payment and rule it breaks, in the order of rules and payments.

    Returns
    -------
    pyarrow.Table
        rule, check, insurer, fund_year, payment_no, service_no, provider, amount_fen, other (the text, payment,
        budget, price or identity that it was held against), apart_fen (how far, where amounts are compared).
    mapping of rule to (payments,) bool
        Which payments the rule could look at: those that hold, and of which the lists given hold, what it compares.
    """
    paid = papers.payments
    code = {name: at for at, name in enumerate(insurers)}
    seen = Evidence(
        papers=papers,
        insurer=np.array([code[name] for name in paid["insurer"].tolist()], dtype=np.int64),
        year=year_of(paid["date"]),
        budget_fen=budget_fen,
        years=years,
        parties=None if parties is None else read_columns(parties, "parties", ("party",), ("role", *FIELDS)),
        bodies=None if bodies is None else read_columns(bodies, "service_bodies", ("provider",), ("qualification",)),
    )
    parts = [(rule, SEARCH[rule.check].find(seen, rule)) for rule in rules.uses]
    looked = {rule.name: SEARCH[rule.check].looks_at(seen) for rule in rules.uses}
    for rule, found in parts:
        looked[rule.name][found.rows] = True
    rows = np.concatenate([found.rows for _, found in parts]).astype(np.int64)
    many = [len(found.rows) for _, found in parts]
    names = np.repeat(np.array([rule.name for rule, _ in parts], dtype=object), many)
    checks = np.repeat(np.array([rule.check for rule, _ in parts], dtype=object), many)
    table = pa.table(
        {
            "rule": pa.array(names, pa.string()),
            "check": pa.array(checks, pa.string()),
            "insurer": pa.array(paid["insurer"][rows], pa.string()),
            "fund_year": pa.array(seen.year[rows]),
            "payment_no": pa.array(paid["payment_no"][rows], pa.string()),
            "service_no": pa.array(paid["service_no"][rows], pa.string()),
            "provider": pa.array(paid["provider"][rows], pa.string()),
            "amount_fen": pa.array(paid["amount_fen"][rows]),
            "other": pa.array([text for _, found in parts for text in found.other], pa.string()),
            "apart_fen": pa.array(np.concatenate([found.apart_fen for _, found in parts]).astype(np.int64)),
        }
    )
    return table, looked


def _any(seen: Evidence) -> Bools:
    return np.ones(len(seen.paid), dtype=bool)


def _says_purpose(seen: Evidence) -> Bools:
    return np.asarray(seen.paid["purpose"] != "", dtype=bool)


def _names_service(seen: Evidence) -> Bools:
    return np.asarray(seen.paid["service"] >= 0, dtype=bool)


def _names_provider(seen: Evidence) -> Bools:
    return np.asarray(seen.paid["provider"] != "", dtype=bool)


def _names_priced(seen: Evidence) -> Bools:
    """Payments for a service that has a price in the catalogue."""
    named = _names_service(seen)
    named[named] = seen.of_service("price_fen", np.flatnonzero(named)) > 0
    return named


def _has_budget(seen: Evidence) -> Bools:
    return seen.budget_of_use() >= 0


def _names_party(seen: Evidence) -> Bools:
    """Payments to a provider that the list of parties holds."""
    return _listed(seen.paid["provider"], None if seen.parties is None else seen.parties["party"])


def _bodies_known(seen: Evidence) -> Bools:
    """Payments to a provider, where a list says which bodies have a qualification."""
    known = seen.bodies is not None and "qualification" in seen.bodies
    return _names_provider(seen) & known


def _listed(names: Texts, known: Texts | None) -> Bools:
    """Return which names stand in a list, however they are written, (n,) bool."""
    there = set() if known is None else {canonical(name) for name in known.tolist()}
    same = {name: name != "" and canonical(name) in there for name in set(names.tolist())}
    return np.array([same[name] for name in names.tolist()], dtype=bool)


def _found(which: Bools, other: Sequence[str] | None = None, apart: Ints | None = None) -> Found:
    """Return findings; without words of their own they say nothing, without amounts 0."""
    rows = np.flatnonzero(which)
    return Found(
        rows,
        [""] * len(rows) if other is None else other,
        np.zeros(len(rows), dtype=np.int64) if apart is None else apart,
    )


def _purpose(seen: Evidence, rule: UseRule) -> Found:
    said = [canonical(text) for text in seen.paid["purpose"].tolist()]
    words = [canonical(word) for word in rule.words]
    which = np.array([any(word in text for word in words) for text in said], dtype=bool)
    return _found(which, seen.paid["purpose"][which].tolist())


def _permitted(seen: Evidence, rule: UseRule) -> Found:
    """Payments that say what they are for, and it is none of the permitted uses."""
    said = [canonical(text) for text in seen.paid["purpose"].tolist()]
    words = [canonical(word) for word in rule.words]
    which = np.array([text != "" and not any(word in text for word in words) for text in said], dtype=bool)
    return _found(which, seen.paid["purpose"][which].tolist())


def _service(seen: Evidence, rule: UseRule) -> Found:
    which = (seen.paid["service"] < 0) & ~seen.paid["service_aside"]
    return _found(which, seen.paid["purpose"][which].tolist())


def _contract(seen: Evidence, rule: UseRule) -> Found:
    named = np.flatnonzero(seen.paid["service"] >= 0)
    rows = named[seen.of_service("contract_fen", named) == 0]
    return Found(rows, seen.of_service("service_type", rows).tolist(), np.zeros(len(rows), dtype=np.int64))


def _delivery(seen: Evidence, rule: UseRule) -> Found:
    named = np.flatnonzero(seen.paid["service"] >= 0)
    day = seen.of_service("delivered_date", named)
    late = (day == NO_DAY) | (day > seen.paid["date"][named])
    which = np.zeros(len(seen.paid), dtype=bool)
    which[named[late]] = True
    return _found(which, ["" if one == NO_DAY else str(np.datetime64(int(one), "D")) for one in day[late]])


def _term(seen: Evidence, rule: UseRule) -> Found:
    """Payments for services outside the term of their policy: nobody was insured, and nobody was to be served."""
    named = np.flatnonzero(seen.paid["service"] >= 0)
    rows = named[seen.of_service("outside", named)]
    day = seen.of_service("delivered_date", rows)
    return Found(rows, [str(np.datetime64(int(one), "D")) for one in day], np.zeros(len(rows), dtype=np.int64))


def _net(seen: Evidence) -> Ints:
    """Return what was paid for each service in all, less what came back, (services,) int64 fen."""
    total = np.zeros(len(seen.papers.services), dtype=np.int64)
    named = seen.paid["service"] >= 0
    np.add.at(total, seen.paid["service"][named], seen.paid["amount_fen"][named])
    return total


def _by_day(seen: Evidence) -> Ints:
    """Return the payments that name a service, by service, day and number."""
    named = np.flatnonzero(seen.paid["service"] >= 0)
    number, day = seen.paid["payment_no"][named].astype(str), seen.paid["date"][named]
    return named[np.lexsort((number, day, seen.paid["service"][named]))]


def _last_of(seen: Evidence) -> Ints:
    """Return the last payment of each service that was paid."""
    rows = _by_day(seen)
    service = seen.paid["service"][rows]
    return rows[np.append(service[1:] != service[:-1], True)] if len(rows) else rows


def _cost(seen: Evidence, rule: UseRule) -> Found:
    """All payments of a service together, refunds taken off, against its cost.

    Of what is above the cost, the payments after it was reached are named; of what is below it, the last one.
    """
    rows = _by_day(seen)
    service, amount = seen.paid["service"][rows], seen.paid["amount_fen"][rows]
    cost, net = seen.papers.services["cost_fen"][service], _net(seen)[service]
    done = seen.of_service("delivered_date", rows) != NO_DAY
    running = spent_within(service, amount)
    last = np.append(service[1:] != service[:-1], True) if len(rows) else np.zeros(0, dtype=bool)
    slack = cost * float(rule.most_percent) / 100
    above = done & (net > cost + slack) & (running > cost + slack) & (amount > 0)
    below = done & (net < cost - slack) & last
    return _in_order(rows, above | below, cost, running - cost)


def _in_order(rows: Ints, which: Bools, held: Ints, apart: Ints) -> Found:
    """Return findings in the order of the payments, each with the amount it was held against."""
    kept = np.flatnonzero(which)
    kept = kept[np.argsort(rows[kept], kind="stable")]
    return Found(rows[kept], [yuan_text(fen) for fen in held[kept].tolist()], apart[kept])


def _price(seen: Evidence, rule: UseRule) -> Found:
    """The whole of a service, what it cost or what was paid for it if that is more, against the catalogue."""
    rows = _last_of(seen)
    price = seen.of_service("price_fen", rows)
    whole = np.maximum(seen.of_service("cost_fen", rows), _net(seen)[seen.paid["service"][rows]])
    times = float(rule.most_times)
    odd = (price > 0) & ((whole > price * times) | (whole * times < price))
    return _in_order(rows, odd, price, whole - price)


def _budget(seen: Evidence, rule: UseRule) -> Found:
    """Payments, by day and number, from the one that passes the budget of its insurer and year, where one is known.

    A payment uses the budget of the year in which the service was delivered, whenever it is paid.
    """
    paid = seen.paid
    order = np.lexsort((paid["payment_no"].astype(str), paid["date"]))
    used = use_year(paid, seen.papers.services)
    group = (seen.insurer * len(seen.years) + used - seen.years[0])[order]
    running = spent_within(group, paid["amount_fen"][order])
    limit = seen.budget_of_use()[order]
    kept = np.flatnonzero((limit >= 0) & (running > limit) & (paid["amount_fen"][order] > 0))
    rows = order[kept]
    again = np.argsort(rows, kind="stable")
    return Found(rows[again], [yuan_text(fen) for fen in limit[kept][again].tolist()], (running - limit)[kept][again])


def _duplicate(seen: Evidence, rule: UseRule) -> Found:
    """The second and every further payment of one number, of one invoice, or of one service and amount.

    Payments of one service that together are no more than its cost (its contract, before it is delivered) are
    instalments, and what was paid back may be paid again.
    """
    paid, done = seen.paid, seen.papers.services
    bound = np.where(done["delivered_date"] == NO_DAY, done["contract_fen"], done["cost_fen"])
    over = (_net(seen) > bound).tolist()
    first: dict[tuple[str, ...], tuple[str, int]] = {}
    rows, other = [], []
    columns = [paid[name].tolist() for name in ("insurer", "provider", "invoice_no", "service_no", "payment_no")]
    for at, (insurer, provider, invoice, name, number, service, fen, day) in enumerate(
        zip(*columns, paid["service"].tolist(), paid["amount_fen"].tolist(), paid["date"].tolist())
    ):
        if fen <= 0:
            continue
        keys: list[tuple[str, ...]] = [("number", insurer, number)]
        if invoice:
            keys.append(("invoice", provider, invoice))
        keys.append(("service", insurer, name, str(fen)) if name else ("alike", insurer, provider, str(fen), str(day)))
        instalment = service >= 0 and not over[service]
        for key in keys:
            if key in first and not (instalment and first[key][1] == service and key[0] != "number"):
                rows.append(at)
                other.append(first[key][0])
                break
        for key in keys:
            first.setdefault(key, (number, service))
    return Found(np.array(rows, dtype=np.int64), other, np.zeros(len(rows), dtype=np.int64))


def _related(seen: Evidence, rule: UseRule) -> Found:
    """Payments whose provider shares an identity with the insurer or with the insured that it serves."""
    paid, known = seen.paid, seen.parties
    insured = np.full(len(paid), "", dtype=object)
    named = np.flatnonzero(paid["service"] >= 0)
    insured[named] = seen.of_service("credit_code", named)
    identity: dict[str, set[tuple[str, str]]] = {}
    if known is not None:
        for name in rule.share_fields:
            if name in known:
                for party, value in zip(known["party"].tolist(), known[name].tolist()):
                    if value:
                        identity.setdefault(canonical(party), set()).add((name, canonical(value)))
    rows, other = [], []
    shared: dict[tuple[str, str], str] = {}
    for at, trio in enumerate(zip(paid["provider"].tolist(), paid["insurer"].tolist(), insured.tolist())):
        provider, *others = trio
        for party in others:
            if (provider, party) not in shared:
                name = canonical(party)
                both = identity.get(canonical(provider), set()) & (
                    identity.get(name, set()) | ({("credit_code", name)} if name else set())
                )
                same = name != "" and canonical(provider) == name
                shared[provider, party] = (
                    (f"{party}: " + ", ".join(f"{name}={value}" for name, value in sorted(both)) if both else party)
                    if both or same
                    else ""
                )
            if shared[provider, party]:
                rows.append(at)
                other.append(shared[provider, party])
                break
    return Found(np.array(rows, dtype=np.int64), other, np.zeros(len(rows), dtype=np.int64))


def _qualified(seen: Evidence, rule: UseRule) -> Found:
    """Payments to service bodies that the list of them does not hold, or holds without a qualification.

    Whether a qualification fits the service is not told: the list holds it in the body's own words.
    """
    which, known, provider = _bodies_known(seen), seen.bodies, seen.paid["provider"]
    if known is not None and which.any():
        which &= ~_listed(provider, known["provider"][known["qualification"] != ""])
    return _found(which, provider[which].tolist())


def _concentration(seen: Evidence, rule: UseRule) -> Found:
    """One finding for an insurer, year and provider: the largest payment, with the provider's share of the year."""
    paid = seen.paid
    if not len(paid):
        return _found(np.zeros(0, dtype=bool))
    names, (provider,) = codes_of(paid["provider"])
    group = seen.insurer * len(seen.years) + seen.year - seen.years[0]
    pair = group * len(names) + provider
    total = np.bincount(group, paid["amount_fen"], seen.budget_fen.size)
    many = np.bincount(group, minlength=seen.budget_fen.size)
    own = np.bincount(pair, paid["amount_fen"], seen.budget_fen.size * len(names))
    order = np.lexsort((paid["payment_no"].astype(str), -paid["amount_fen"], pair))
    first = order[np.unique(pair[order], return_index=True)[1]]
    share = own[pair[first]] / np.maximum(total[group[first]], 1)
    hit = (share * 100 > float(rule.most_percent)) & (many[group[first]] >= rule.least_payments)
    hit &= paid["provider"][first] != ""
    rows = first[hit]
    return Found(rows, [f"{part:.1%}" for part in share[hit]], np.zeros(len(rows), dtype=np.int64))


@dataclass(frozen=True, slots=True)
class Search:
    """How a rule is held against payments: which break it, and of which the lists given can tell anything."""

    find: Callable[[Evidence, UseRule], Found]
    looks_at: Callable[[Evidence], Bools]


SEARCH: Mapping[str, Search] = {
    "purpose": Search(_purpose, _says_purpose),
    "permitted": Search(_permitted, _says_purpose),
    "service": Search(_service, _any),
    "contract": Search(_contract, _names_service),
    "delivery": Search(_delivery, _names_service),
    "term": Search(_term, _names_service),
    "cost": Search(_cost, _names_service),
    "price": Search(_price, _names_priced),
    "budget": Search(_budget, _has_budget),
    "duplicate": Search(_duplicate, _any),
    "related": Search(_related, _names_party),
    "qualified": Search(_qualified, _bodies_known),
    "concentration": Search(_concentration, _names_provider),
}
