"""The subjects of a yearly disclosure as linked tables: insurance, claims, casualties, services, participation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ratemod.confidentiality.linked_tables import Face, LinkedTables, tabulate
from ratemod.fund.co_insurance import co_insure
from ratemod.fund.fund_table import day_column
from ratemod.fund.proof import Check, prove
from ratemod.publication.columns import CAUSES, ENTRIES
from ratemod.publication.data import TOLD, Ints, Mask, Shared, check_insurers, nothing_of, read_disclosed, with_place
from ratemod.reading.convert import MISSING_DATE
from ratemod.vocabulary.codes.division import division_names, prefecture_of
from ratemod.vocabulary.codes.industry import SECTORS

ELSEWHERE = "other"
STATES = ("insured", "gap", "uninsured")
BY_PLACE: Face = ("sector", "division")
BY_INSURER: Face = ("sector", "insurer")
BY_CAUSE: Face = ("sector", "cause")
INJURIES = ("deaths", "serious_injuries")
BY_STATE: tuple[Face, ...] = (("state", "sector"), ("state", "division"))


@dataclass(frozen=True, eq=False, slots=True)
class Facts:
    """A year of a province, read: each table's usable rows, and where every policy stands.

    Attributes
    ----------
    year : int
    first, after : int, days since 1970-01-01, the year's first day and the day after its last
    tables : mapping of noun to Shared
    place : mapping of noun to (n,) int64, row of the policy of each row
    firm, sector, division, insurer : (policies,) int64, places in the lists below
    firms : (firms,) Arrow strings, credit codes
    divisions, insurers : tuple of str
    shares : path or frame of co-insurance shares, or None
    absent : tuple of nouns, the lists that were not given: nothing of them is published
    """

    year: int
    first: int
    after: int
    tables: Mapping[str, Shared]
    place: Mapping[str, Ints]
    firm: Ints
    sector: Ints
    division: Ints
    insurer: Ints
    firms: pa.Array
    divisions: tuple[str, ...]
    insurers: tuple[str, ...]
    shares: Any
    absent: tuple[str, ...] = ()

    def of_year(self, year: int) -> Facts:
        """Return the same tables for another year."""
        first, after = _ends(year)
        return replace(self, year=year, first=first, after=after)

    def within(self, days: Ints) -> Mask:
        """Return which days lie in the year."""
        return np.asarray((days >= self.first) & (days < self.after), bool)


def read_facts(given: Mapping[str, Any], year: int) -> Facts:
    """Read the tables of a year.

    Raises
    ------
    BookError
        Those of `read_disclosed` and `check_insurers`.
    """
    first, after = _ends(year)
    nouns = [noun for noun in ("policies", "endorsements", "claims", "services", "ledger") if noun in given]
    tables = {noun: read_disclosed(given[noun], noun) for noun in nouns}
    absent = tuple(noun for noun in TOLD if noun not in given)
    tables |= {noun: nothing_of(noun) for noun in absent}
    policies = tables["policies"]
    place: dict[str, Ints] = {}
    for noun in (*nouns[1:], *absent):
        tables[noun], place[noun] = with_place(tables[noun], "policy_no", policies)
    if "payments" in given and "claims" in given:
        tables["payments"], place["payments"] = with_place(
            read_disclosed(given["payments"], "payments"), "claim_no", tables["claims"]
        )
    divisions, division = divisions_of(policies["division_code"])
    named = {noun: tables[noun]["insurer"] for noun in ("policies", "services", "ledger")}
    shares = given.get("coinsurance")
    if shares is not None:
        from ratemod.fund.fund_table import read_columns

        named["coinsurance"] = pa.array(read_columns(shares, "coinsurance", ("insurer",))["insurer"], pa.string())
    if "insurers" in given:
        check_insurers(named, given["insurers"])
    insurers = tuple(sorted(set(pa.concat_arrays(list(named.values())).to_pylist())))
    named_firms = policies["credit_code"].dictionary_encode()
    firm = named_firms.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return Facts(
        year=year,
        first=first,
        after=after,
        tables=tables,
        place=place,
        firm=firm,
        sector=policies["sector"],
        division=division,
        insurer=insurer_places(policies["insurer"], insurers),
        firms=named_firms.dictionary,
        divisions=divisions,
        insurers=insurers,
        shares=shares,
        absent=absent,
    )


def _ends(year: int) -> tuple[int, int]:
    """Return a year's first day and the day after its last, days since 1970-01-01."""
    first, after = (int(np.datetime64(f"{at}-01-01", "D").astype(np.int64)) for at in (year, year + 1))
    return first, after


def insurer_places(column: pa.Array, insurers: Sequence[str]) -> Ints:
    """Return the place of each insurer in the list, (n,) int64."""
    import pyarrow.compute as pc

    found: Ints = (
        pc.index_in(column, value_set=pa.array(list(insurers))).to_numpy(zero_copy_only=False).astype(np.int64)
    )
    return found


def divisions_of(codes: pa.Array) -> tuple[tuple[str, ...], Ints]:
    """Return the divisions that occur, in the order of the code table, and the place of each code.

    Counties go to their prefecture; the divisions that the notice lists apart stay apart; places outside Jilin are one.
    """
    known = list(division_names())
    coded = codes.dictionary_encode()
    names = coded.dictionary.to_pylist()
    up = prefecture_of(names)
    own = [name if name in known else str(top) or ELSEWHERE for name, top in zip(names, up, strict=True)]
    used = tuple(code for code in (*known, ELSEWHERE) if code in own)
    places = np.array([used.index(code) for code in own], np.int64)
    return used, places[coded.indices.to_numpy(zero_copy_only=False)]


def _shared_out(
    facts: Facts, policy: Ints, amounts: Mapping[str, Ints], holder: pa.Array | None = None
) -> tuple[Ints, Ints, dict[str, Ints]]:
    """Return amounts divided among co-insurers by largest remainder: row, insurer, parts.

    What is not shared stays with `holder`, by default the policy's insurer.
    """
    table = facts.tables["policies"]
    own = table["insurer"].take(pa.array(policy)) if holder is None else holder
    if facts.shares is None or not len(policy):
        return np.arange(len(policy)), insurer_places(own, facts.insurers), dict(amounts)
    # `co_insure` divides whatever stands under these names, all by the same shares.
    names = dict(zip(amounts, ("premium_fen", "levy_fen"), strict=False))
    numbers = table["policy_no"].take(pa.array(policy))
    moved = pa.table(
        {
            "policy_no": numbers,
            "insurer": own,
            "date": day_column(table["start_date"][policy]),
        }
        | {name: pa.array(amounts[amount]) for amount, name in names.items()}
    )
    parts = co_insure(moved, facts.shares, facts.insurers)
    insurer = insurer_places(pa.array(parts.insurer, pa.string()), facts.insurers)
    return parts.movement, insurer, {amount: parts.amounts[name] for amount, name in names.items()}


def _joined(
    facts: Facts,
    name: str,
    faces: Sequence[Face],
    parts: Sequence[tuple[Ints, Ints, Mapping[str, Ints]]],
    least: int,
    own: Mapping[str, tuple[Ints, Sequence[str]]] = MappingProxyType({}),
) -> LinkedTables:
    """Return tables of several kinds of records: each part is policy rows, insurers and measures.

    Dimensions of its `own` that a subject has are places and levels over all records.
    """
    policy = np.concatenate([part[0] for part in parts])
    measures = dict.fromkeys(measure for part in parts for measure in part[2])
    values = {
        measure: np.concatenate([part[2].get(measure, np.zeros(len(part[0]), np.int64)) for part in parts])
        for measure in measures
    }
    dimensions: dict[str, tuple[npt.ArrayLike, Sequence[str]]] = {
        "sector": (facts.sector[policy], SECTORS),
        "division": (facts.division[policy], facts.divisions),
        "insurer": (np.concatenate([part[1] for part in parts]), facts.insurers),
    } | dict(own)
    wanted = {dim for face in faces for dim in face}
    dimensions = {dim: column for dim, column in dimensions.items() if dim in wanted}
    return tabulate(name, dimensions, faces, facts.firm[policy], values, least_units=least)


def insurance(facts: Facts, faces: Sequence[Face], least: int) -> LinkedTables:
    """Return insured enterprises, heads, premium of the policies that began in the year, and the fund accrued.

    An enterprise and its heads count where its last policy of the year stands, at the leading insurer; premium is each
    insurer's own share, with all endorsements so far; accruals of the year are divided by the same shares, so that the
    two columns compare (the ledger of a fund shows them where they were booked).
    """
    table = facts.tables["policies"]
    begun = np.flatnonzero(facts.within(table["start_date"]))
    order = begun[np.lexsort((begun, table["start_date"][begun], facts.firm[begun]))]
    last = order[np.append(facts.firm[order][1:] != facts.firm[order][:-1], True)] if len(order) else order
    premium = table.amount("premium").copy()
    if "endorsements" in facts.tables:
        np.add.at(premium, facts.place["endorsements"], facts.tables["endorsements"].amount("premium_change"))
    row, insurer, parts = _shared_out(facts, begun, {"premium_fen": premium[begun]})
    prove([Check("premium_policies", "all", int(parts["premium_fen"].sum()), int(premium[begun].sum()))])
    ledger, at = facts.tables["ledger"], facts.place["ledger"]
    booked = np.flatnonzero(facts.within(ledger["date"]) & (ledger["kind"] == ENTRIES.index("accrual")))
    entry, holder, accrued = _shared_out(
        facts, at[booked], {"accrued_fen": ledger.amount("amount")[booked]}, ledger["insurer"].take(pa.array(booked))
    )
    counted = {"enterprises": np.ones(len(last), np.int64), "heads": table.number("heads")[last]}
    told = [(last, facts.insurer[last], counted), (begun[row], insurer, parts)]
    if "ledger" not in facts.absent:
        told.append((at[booked][entry], holder, accrued))
    return _joined(facts, "insurance", faces, told, least)


def claims(facts: Facts, faces: Sequence[Face], least: int) -> LinkedTables:
    """Return claims of accidents of the year: number, paid so far, assessed (paid and still open), by shares."""
    table, at = facts.tables["claims"], facts.place["claims"]
    rows = np.flatnonzero(facts.within(table["event_date"]))
    paid = table.amount("paid")[rows]
    row, insurer, parts = _shared_out(
        facts, at[rows], {"paid_fen": paid, "assessed_fen": paid + table.amount("case_reserve")[rows]}
    )
    count = {"claims": np.ones(len(rows), np.int64)}
    cause = np.concatenate([table["cause"][rows], table["cause"][rows][row]])
    return _joined(
        facts,
        "claims",
        faces,
        [(at[rows], facts.insurer[at[rows]], count), (at[rows][row], insurer, parts)],
        least,
        {"cause": (cause, CAUSES)},
    )


def casualties(facts: Facts, faces: Sequence[Face], least: int) -> LinkedTables:
    """Return persons killed or seriously injured in the accidents of the year; deaths alone are too few for tables."""
    table, at = facts.tables["claims"], facts.place["claims"]
    persons = np.concatenate([table.number(name) for name in INJURIES])
    rows, injury = np.tile(np.arange(len(table)), 2), np.repeat([0, 1], len(table))
    some = facts.within(table["event_date"])[rows] & (persons > 0)
    rows, injury, persons = rows[some], injury[some], persons[some]
    part = (at[rows], facts.insurer[at[rows]], {"casualties": persons})
    own = {"cause": (table["cause"][rows], CAUSES), "injury": (injury, INJURIES)}
    return _joined(facts, "casualties", faces, [part], least, own)


def services(facts: Facts, faces: Sequence[Face], least: int) -> LinkedTables:
    """Return services delivered in the year, what they cost, and what the fund paid in the year."""
    table, at = facts.tables["services"], facts.place["services"]
    done = np.flatnonzero(facts.within(delivered_days(table)))
    ledger, booked_at = facts.tables["ledger"], facts.place["ledger"]
    paid = np.flatnonzero(facts.within(ledger["date"]) & (ledger["kind"] == ENTRIES.index("payment")))
    cost = {"services": np.ones(len(done), np.int64), "cost_fen": table.amount("cost")[done]}
    told = [(at[done], insurer_places(table["insurer"], facts.insurers)[done], cost)]
    if "ledger" not in facts.absent:
        payer = insurer_places(ledger["insurer"], facts.insurers)[paid]
        told.append((booked_at[paid], payer, {"used_fen": ledger.amount("amount")[paid]}))
    return _joined(facts, "services", faces, told, least)


def delivered_days(table: Shared) -> Ints:
    """Return the day each service was delivered; `MISSING_DATE` where it was not."""
    none = np.full(len(table), MISSING_DATE, np.int64)
    return np.asarray(table.values.get("delivered_date", none), np.int64)
