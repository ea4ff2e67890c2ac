"""Double entries of the prevention fund: lines of debit and credit, and the proof that every entry balances."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from ratemod.errors import BookError, Problem, nearest, problem
from ratemod.fund.fund_table import (
    Columns,
    Ints,
    Texts,
    codes_of,
    day_column,
    names_column,
    read_columns,
    year_of,
)
from ratemod.fund.proof import Check
from ratemod.money import yuan_text
from ratemod.vocabulary.labels import meant

# Money, then the budget as memorandum accounts: what was approved is open, bound by contracts, or used.
ACCOUNTS = (
    "prevention_expense",
    "prevention_fund",
    "payable",
    "bank",
    "forfeited",
    "budget_control",
    "budget_open",
    "budget_contracted",
    "budget_used",
)
EXPENSE, FUND, PAYABLE, BANK, FORFEITED, CONTROL, OPEN, CONTRACTED, USED = range(len(ACCOUNTS))
ENTRIES = (
    "accrual",
    "release",
    "budget",
    "contract",
    "delivery",
    "payment",
    "lapse",
    "forfeit",
    "carry_over",
)
ACCRUAL, RELEASE, BUDGET, CONTRACT, DELIVERY, PAYMENT, LAPSE, FORFEIT, CARRY = range(len(ENTRIES))
LINES = (
    "entry", "day", "year", "kind", "account", "insurer", "debit_fen", "credit_fen", "policy_no", "service_no",
    "provider",
)  # fmt: skip


# What stands for the accounts in a ledger that has none: money leaves the fund when it is paid.
OF_KIND = {
    "accrual": ("prevention_expense", "prevention_fund"),
    "release": ("prevention_fund", "prevention_expense"),
    "payment": ("prevention_fund", "bank"),
    "forfeit": ("prevention_fund", "forfeited"),
    "budget": ("budget_control", "budget_open"),
    "contract": ("budget_open", "budget_contracted"),
    "lapse": ("budget_contracted", "budget_open"),
    "delivery": ("budget_open", "budget_used"),
}
FORMS = {  # what a kept ledger needs, by how it is kept
    "lines": ("entry_no", "date", "insurer", "account"),
    "entries": ("entry_no", "date", "insurer", "debit_account", "credit_account", "amount_fen"),
    "events": ("date", "kind", "insurer", "amount_fen"),
}


@dataclass(frozen=True, eq=False, slots=True)
class Posting:
    """Amounts moved from one account to another, all of one kind; arrays are (n,), a scalar holds for all.

    Attributes
    ----------
    kind, debit, credit : int, places in `ENTRIES` and `ACCOUNTS`
    day : int64 days; insurer : int64 codes
    debit_year, credit_year : int64, fund year of each side
    amount_fen : int64 fen, > 0 (rows of 0 are left out)
    policy_no, service_no, provider : texts, "" where none
    """

    kind: int
    debit: int
    credit: int
    day: Ints
    insurer: Ints
    debit_year: Ints
    credit_year: Ints
    amount_fen: Ints
    policy_no: Texts | str = ""
    service_no: Texts | str = ""
    provider: Texts | str = ""


@dataclass(frozen=True, eq=False, slots=True)
class Journal:
    """Lines of double entries.

    Attributes
    ----------
    insurers : names behind `insurer`
    entry : (n,) int64, number of the entry, in order
    entry_no : (entries,) texts
    day, year : (n,) int64, days since 1970-01-01 and fund year
    kind, account : (n,) int64, places in `kinds` and `accounts`
    insurer : (n,) int64
    debit_fen, credit_fen : (n,) int64 fen, one of them 0
    policy_no, service_no, provider : (n,) texts
    """

    insurers: tuple[str, ...]
    entry: Ints
    entry_no: Texts
    day: Ints
    year: Ints
    kind: Ints
    account: Ints
    insurer: Ints
    debit_fen: Ints
    credit_fen: Ints
    policy_no: Texts
    service_no: Texts
    provider: Texts
    kinds: tuple[str, ...] = ENTRIES
    accounts: tuple[str, ...] = ACCOUNTS

    def __len__(self) -> int:
        return len(self.entry)

    @property
    def table(self) -> pa.Table:
        """One row a line."""
        return pa.table(
            {
                "entry_no": pa.array(self.entry_no[self.entry], pa.string()),
                "date": day_column(self.day),
                "fund_year": pa.array(self.year),
                "kind": names_column(self.kind, self.kinds),
                "insurer": names_column(self.insurer, self.insurers),
                "account": names_column(self.account, self.accounts),
                "debit_fen": pa.array(self.debit_fen),
                "credit_fen": pa.array(self.credit_fen),
                "policy_no": _texts(self.policy_no),
                "service_no": _texts(self.service_no),
                "provider": _texts(self.provider),
            }
        )

    def checks(self) -> list[Check]:
        """Return debit = credit by entry (those that fail, else all as one), by insurer, and overall."""
        debit, credit = (_sums(self.entry, side, len(self.entry_no)) for side in (self.debit_fen, self.credit_fen))
        wrong = np.flatnonzero(debit != credit)
        found = [Check("entry", str(self.entry_no[at]), int(debit[at]), int(credit[at])) for at in wrong]
        found.append(Check("entries_apart", "all", len(wrong), 0, unit="count"))
        for at, name in enumerate(self.insurers):
            mine = self.insurer == at
            found.append(Check("debit_credit", name, int(self.debit_fen[mine].sum()), int(self.credit_fen[mine].sum())))
        found.append(Check("debit_credit", "all", int(self.debit_fen.sum()), int(self.credit_fen.sum())))
        return found

    def until(self, day: int) -> Journal:
        """Return the lines up to a day."""
        kept = np.flatnonzero(self.day <= day)
        return replace(self, **{name: getattr(self, name)[kept] for name in LINES})

    def credit(self, account: int, years: Sequence[int] = ()) -> Ints:
        """Return credit less debit of an account by insurer, (insurers,) int64 fen, of some fund years or of all."""
        own = self.account == account
        if years:
            own &= np.isin(self.year, list(years))
        return _sums(self.insurer[own], (self.credit_fen - self.debit_fen)[own], len(self.insurers))


def journal_of(postings: Iterable[Posting], insurers: tuple[str, ...]) -> Journal:
    """Return the journal of postings: those of one kind, day, insurer and document are one entry.

    Entries are numbered by day, kind, insurer and document, so that the order of what was read does not matter.
    """
    given = [item for item in postings if np.size(item.amount_fen)]
    fields: dict[str, Any] = {
        name: np.concatenate([_spread(getattr(item, name), len(item.amount_fen)) for item in given])
        for name in Posting.__slots__
    }
    kept = fields["amount_fen"] != 0
    fields = {name: column[kept] for name, column in fields.items()}
    _, (policy, service) = codes_of(fields["policy_no"], fields["service_no"])
    turn = np.arange(len(policy))
    keys = (
        turn,
        fields["credit_year"],
        fields["debit_year"],
        policy,
        service,
        fields["insurer"],
        fields["kind"],
        fields["day"],
    )
    order = np.lexsort(keys)
    fields = {name: column[order] for name, column in fields.items()}
    document = np.stack([fields["day"], fields["kind"], fields["insurer"], policy[order], service[order]])
    new = np.ones(len(order), dtype=bool)
    new[1:] = (document[:, 1:] != document[:, :-1]).any(axis=0)
    # The budget's postings of one document follow each other; accruals of one day and policy stay apart.
    new |= np.isin(fields["kind"], (ACCRUAL, RELEASE, BUDGET, PAYMENT, FORFEIT))
    entry = np.cumsum(new) - 1
    return _lines(fields, entry, insurers)


def _spread(value: Any, many: int) -> Any:
    """Return a column of a posting, of a value that holds for all its rows too."""
    return np.broadcast_to(np.asarray(value, dtype=object) if isinstance(value, str) else value, many)


def _lines(fields: dict[str, Any], entry: Ints, insurers: tuple[str, ...]) -> Journal:
    many = int(entry[-1]) + 1 if len(entry) else 0
    both = np.repeat(np.arange(len(entry)), 2)
    left = np.tile(np.array([True, False]), len(entry))
    amount = fields["amount_fen"][both].astype(np.int64)
    return Journal(
        insurers=insurers,
        entry=entry[both],
        entry_no=np.array([f"FL{at + 1:010d}" for at in range(many)], dtype=object),
        day=fields["day"][both],
        year=np.where(left, fields["debit_year"][both], fields["credit_year"][both]),
        kind=fields["kind"][both],
        account=np.where(left, fields["debit"][both], fields["credit"][both]),
        insurer=fields["insurer"][both],
        debit_fen=np.where(left, amount, 0),
        credit_fen=np.where(left, 0, amount),
        policy_no=fields["policy_no"][both],
        service_no=fields["service_no"][both],
        provider=fields["provider"][both],
    )


def read_journal(source: Any, insurers: Sequence[str] | None = None, file: str = "ledger") -> Journal:
    """Return a ledger as others keep it, refused where it does not balance.

    Parameters
    ----------
    source : path or frame
        One row a line (entry_no, date, insurer, account, debit_fen, credit_fen); or one row an entry (entry_no,
        date, insurer, debit_account, credit_account, amount_fen); or, without accounts, one row an event of the fund
        (date, kind, insurer, amount_fen), of which each kind has its accounts (`OF_KIND`). Optionally kind, policy_no,
        service_no, provider.
    insurers : names that are known; None takes those of the ledger
    file : name for messages

    Raises
    ------
    BookError
        RM950 a column is missing; RM769 a carry-over without accounts; RM730 an unknown insurer; RM731 entries that do
        not balance; RM732 a line that has both sides, none, or a negative amount; RM733 an entry of several insurers;
        problems of cells.

    Examples
    --------
    >>> import pyarrow as pa, datetime
    >>> day = datetime.date(2025, 3, 1)
    >>> kept = read_journal(pa.table({"entry_no": ["1", "1"], "date": [day, day], "insurer": ["birch", "birch"],
    ...     "account": ["prevention_fund", "bank"], "debit_fen": [500, 0], "credit_fen": [0, 500]}))
    >>> int(kept.debit_fen.sum()), [check.holds for check in kept.checks()]
    (500, [True, True, True])
    """
    more = ("kind", "policy_no", "service_no", "provider")
    sides = ("debit_fen", "credit_fen")
    rows = read_columns(source, "ledger", (), ("account", "debit_account", "credit_account", "kind", *sides))
    given = {*rows.values}
    form = "lines" if given & {"account", *sides} else "entries" if given - {"kind"} or not given else "events"
    rows = read_columns(source, "ledger", FORMS[form], (*(sides if form == "lines" else ()), *more))
    if form == "events" and not rows.refused:
        rows = _of_events(rows, file)
    if form != "lines" and not rows.refused:
        rows = _as_lines(rows, file)
    if rows.refused:
        raise BookError(rows.refused)
    journal = _read_lines(rows, insurers)
    unknown = [] if insurers is None else unknown_insurers(rows, insurers, file)
    if wrong := [*unknown, *_faults(journal, rows, file)]:
        raise BookError(wrong)
    return journal


def _of_events(rows: Columns, file: str) -> Columns:
    """Return rows of events as entries, numbered where they are not; a negative amount goes the other way.

    Raises
    ------
    BookError
        RM769 a carry-over, which has no two accounts.
    """
    kind, amount = rows["kind"], rows["amount_fen"]
    if (odd := ~np.isin(kind.astype(str), tuple(OF_KIND))).any():
        raise BookError(problem("RM769", **rows.first(odd, file)))
    debit, credit = (np.array([OF_KIND[one][side] for one in kind.tolist()], dtype=object) for side in (0, 1))
    back = amount < 0
    sides = {
        "entry_no": np.array([str(at + 1) for at in range(len(rows))], dtype=object),
        "debit_account": np.where(back, credit, debit),
        "credit_account": np.where(back, debit, credit),
        "amount_fen": np.abs(amount),
    }
    return replace(rows, values={**rows.values, **sides})


def _as_lines(rows: Columns, file: str) -> Columns:
    """Return rows of whole entries as two lines each."""
    if (bad := np.flatnonzero((rows["amount_fen"] <= 0) | (rows["debit_account"] == rows["credit_account"]))).size:
        raise BookError(problem("RM732", **rows.first(bad, file), entry=rows["entry_no"][bad[0]]))
    both = np.repeat(np.arange(len(rows)), 2)
    left = np.tile(np.array([True, False]), len(rows))
    taken = rows.take(both)
    sides = {
        "account": np.where(left, taken["debit_account"], taken["credit_account"]),
        "debit_fen": np.where(left, taken["amount_fen"], 0),
        "credit_fen": np.where(left, 0, taken["amount_fen"]),
    }
    return replace(taken, values={**taken.values, **sides})


def _read_lines(rows: Columns, insurers: Sequence[str] | None) -> Journal:
    n = len(rows)
    blank = np.full(n, "", dtype=object)
    zero = np.zeros(n, dtype=np.int64)
    kinds, (kind,) = codes_of(rows.get("kind", blank))
    numbers, (entry,) = codes_of(rows["entry_no"])
    names, (_, insurer) = codes_of(np.array(insurers or [], dtype=object), rows["insurer"])
    said = [meant("account", name) for name in rows["account"].tolist()]
    accounts = (*ACCOUNTS, *sorted(set(said) - set(ACCOUNTS)))  # so that `FUND` and its like hold for every journal
    at = {name: place for place, name in enumerate(accounts)}
    account = np.array([at[name] for name in said], dtype=np.int64)
    return Journal(
        insurers=names,
        entry=entry,
        entry_no=np.array(numbers, dtype=object),
        day=rows["date"],
        year=year_of(rows["date"]),
        kind=kind,
        account=account,
        insurer=insurer,
        debit_fen=rows.get("debit_fen", zero),
        credit_fen=rows.get("credit_fen", zero),
        policy_no=rows.get("policy_no", blank),
        service_no=rows.get("service_no", blank),
        provider=rows.get("provider", blank),
        kinds=kinds,
        accounts=accounts,
    )


def unknown_insurers(rows: Columns, known: Sequence[str], table: str) -> list[Problem]:
    """Return RM730 for every insurer that is not known: where, first row, how many rows, the nearest name."""
    names = rows["insurer"]
    return [
        problem("RM730", **rows.first(names == name, table), name=name, nearest=nearest(name, known))
        for name in sorted(set(names.tolist()) - set(known))
    ]


def _faults(journal: Journal, rows: Columns, file: str) -> list[Problem]:
    """Return what is wrong with entries whose lines are these rows."""
    found = []
    odd = (journal.debit_fen < 0) | (journal.credit_fen < 0) | ((journal.debit_fen > 0) == (journal.credit_fen > 0))
    if (bad := np.flatnonzero(odd)).size:
        entry = journal.entry_no[journal.entry[bad[0]]]
        found.append(problem("RM732", **rows.first(bad, file), entry=entry))
    many = len(journal.entry_no)
    debit, credit = (_sums(journal.entry, side, many) for side in (journal.debit_fen, journal.credit_fen))
    whose = np.zeros(many, dtype=np.int64)
    whose[journal.entry] = journal.insurer
    for at in np.flatnonzero(debit != credit)[:20].tolist():
        found.append(
            problem(
                "RM731",
                **(rows.first(journal.entry == at, file) | {"count": 1}),
                entry=journal.entry_no[at],
                insurer=journal.insurers[whose[at]],
                debit=yuan_text(int(debit[at])),
                credit=yuan_text(int(credit[at])),
                apart=yuan_text(int(debit[at] - credit[at])),
            )
        )
    mixed = np.unique(journal.entry[journal.insurer != whose[journal.entry]])
    if mixed.size:
        place = rows.first(journal.entry == mixed[0], file) | {"count": len(mixed)}
        found.append(problem("RM733", **place, entry=journal.entry_no[mixed[0]]))
    return found


def _sums(group: Ints, amount: Ints, size: int) -> Ints:
    total = np.zeros(size, dtype=np.int64)
    np.add.at(total, group, amount)
    return total


def _texts(column: Texts) -> pa.Array:
    """Return texts, null where empty."""
    given = pa.array(column, pa.string())
    import pyarrow.compute as pc

    return pc.if_else(pc.equal(given, ""), pa.scalar(None, pa.string()), given)
