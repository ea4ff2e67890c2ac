"""How well services were done: delivered, in time, hazards found and rectified, satisfaction; by whoever did them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from ratemod.fund.events import Events, read_events
from ratemod.fund.fund_table import FAR, NO_DAY, Bools, Columns, Floats, Ints, Texts, codes_of, year_of
from ratemod.fund.proof import Check
from ratemod.reading.join import join
from ratemod.registers.as_of import in_force

POLICY = ("policy_no", "credit_code", "insurer", "sector", "start_date", "end_date")
BY = ("insurer", "provider", "sector", "service_type")
COUNTS = ("planned", "delivered", "missing", "pending", "in_time", "hazards_found", "cost_fen")
HAZARD_COUNTS = ("found", "rectified_in_time", "rectified_late", "refused", "overdue", "open")
HAZARD_BY = ("insurer", "sector")
HAZARD_MORE = ("extended_due_date", "rectified_date", "refused_date", "due_date")
IN_TIME_DAYS, MISSING_DAYS = 15, 30  # both illustrative: no source found states a day
NORMAL = 1.959963984540054


@dataclass(frozen=True, eq=False, slots=True)
class Quality:
    """Tables of quality.

    Attributes
    ----------
    by : mapping of `BY` to pyarrow.Table
        The group, `COUNTS`, delivered_share and in_time_share with 95 % intervals (Wilson), hazards_per_service,
        score_mean with its interval, cost_per_service_fen.
    hazards : mapping of `HAZARD_BY` to pyarrow.Table
        The group, `HAZARD_COUNTS`, rectified_share (in time, of those that fell due) with its interval; empty without a
        register.
    total, hazard_total : mapping of count to int, of all rows at once
    delivered_fen : mapping of insurer to int fen
    in_time_days : int
    """

    by: Mapping[str, pa.Table]
    hazards: Mapping[str, pa.Table]
    total: Mapping[str, int]
    hazard_total: Mapping[str, int]
    delivered_fen: Mapping[str, int]
    in_time_days: int

    def checks(self) -> list[Check]:
        """Return that every table adds up to the whole, and every service and hazard has one state."""
        found = [
            Check(
                "services_by",
                "all",
                sum(table[name].to_pylist()),
                self.total[name],
                of={"column": by, "state": name},
                unit="fen" if name.endswith("_fen") else "count",
            )
            for by, table in self.by.items()
            for name in COUNTS
        ]
        found += [
            Check(
                "hazards_by",
                "all",
                sum(table[name].to_pylist()),
                self.hazard_total[name],
                of={"column": by, "state": name},
                unit="count",
            )
            for by, table in self.hazards.items()
            for name in HAZARD_COUNTS
        ]
        total, hazard = self.total, self.hazard_total
        states = total["delivered"] + total["missing"] + total["pending"]
        found.append(Check("planned_states", "all", total["planned"], states, unit="count"))
        found.append(Check("cost_insurers", "all", sum(self.delivered_fen.values()), total["cost_fen"]))
        if hazard:
            found.append(
                Check("hazard_states", "all", hazard["found"], sum(hazard[n] for n in HAZARD_COUNTS[1:]), unit="count")
            )
        return found


def measure_quality(
    services: Events,
    book: Columns,
    hazards: Columns | None,
    year: int | None,
    today: int,
    in_time_days: int = IN_TIME_DAYS,
    *,
    insurer: str = "",
) -> Quality:
    """Return the tables of one fund year (None: of all).

    Parameters
    ----------
    services : Events, with the place of their policy
        service_no, policy_no, insurer, service_type, provider, planned_date, delivered_date, cost_fen; score and
        hazards_found where known. A service belongs to the year of its delivery, else to that of its plan.
    book : Columns
        `POLICY`.
    hazards : Columns or None
        As `read_hazards`: those found in the year.
    in_time_days : int
        From plan to delivery; an undelivered service is missing after as many, or `MISSING_DAYS` if those are more.
    insurer : str
        Whose services, and hazards of whose policies; "" of all.
    """
    rows = services.rows
    done = replace(rows, values={**rows.values, "sector": book["sector"][services.place]})
    year_of_each = completion(done["planned_date"], done["delivered_date"], today, in_time_days).year
    kept = np.ones(len(done), bool) if year is None else year_of_each == year
    done = done.take(np.flatnonzero(kept & ((done["insurer"] == insurer) | (insurer == ""))))
    counts = _counts(done, today, in_time_days)
    tables = {name: _by(name, done[name], counts, done) for name in BY}
    names, (whose,) = codes_of(done["insurer"])
    own: dict[str, int] = dict(zip(names, _sums(whose, counts["cost_fen"], len(names)).tolist()))
    total = {name: int(column.sum()) for name, column in counts.items()}
    register, whole = ({}, {}) if hazards is None else _hazards(hazards, book, year, today, insurer)
    return Quality(
        by=tables, hazards=register, total=total, hazard_total=whole, delivered_fen=own, in_time_days=in_time_days
    )


@dataclass(frozen=True, eq=False, slots=True)
class Completion:
    """The state of services on a day, each (n,): the year it belongs to, whether delivered, whether missing.

    What is neither is pending; the share completed (完成率) is delivered / (delivered + missing), wherever it is shown.
    """

    year: Ints
    delivered: Bools
    missing: Bools


def completion(planned: Ints, delivered: Ints, today: int, days: int = MISSING_DAYS) -> Completion:
    """Return the state of services on a day; deliveries after it are not known yet.

    A service belongs to the year of its delivery, else to that of its plan; undelivered it is missing `MISSING_DAYS`
    after its plan, or `days` if those are more.

    Examples
    --------
    >>> day = np.array([20000, 20000, 20090])
    >>> state = completion(day, np.array([20010, NO_DAY, NO_DAY]), 20100)
    >>> state.delivered.tolist(), state.missing.tolist(), state.year.tolist()
    ([True, False, False], [False, True, False], [2024, 2024, 2025])
    """
    there = (delivered != NO_DAY) & (delivered <= today)
    old = planned + max(days, MISSING_DAYS) < today
    return Completion(year_of(np.where(there, delivered, planned)), there, ~there & old)


def _counts(done: Columns, today: int, days: int) -> dict[str, Ints]:
    state = completion(done["planned_date"], done["delivered_date"], today, days)
    there, old = state.delivered, state.missing
    zero = np.zeros(len(done), dtype=np.int64)
    return {
        "planned": zero + 1,
        "delivered": there.astype(np.int64),
        "missing": old.astype(np.int64),
        "pending": (~there & ~old).astype(np.int64),
        "in_time": (there & (done["delivered_date"] - done["planned_date"] <= days)).astype(np.int64),
        "hazards_found": np.where(there, done.get("hazards_found", zero), 0),
        "cost_fen": np.where(there, done["cost_fen"], 0),
    }


def _by(key: str, group: Texts, counts: Mapping[str, Ints], done: Columns) -> pa.Table:
    names, (code,) = codes_of(group)
    sums = {name: _sums(code, column, len(names)) for name, column in counts.items()}
    due = sums["delivered"] + sums["missing"]
    score = done.get("score", np.full(len(done), np.nan))
    given = (counts["delivered"] > 0) & ~np.isnan(score)
    many = np.bincount(code[given], minlength=len(names))
    mean = np.divide(
        np.bincount(code[given], score[given], len(names)), many, where=many > 0, out=np.full(len(names), np.nan)
    )
    square = np.bincount(code[given], (score[given] - mean[code[given]]) ** 2, len(names))
    error = np.sqrt(np.divide(square, many * (many - 1.0), where=many > 1, out=np.full(len(names), np.nan)))
    delivered = np.maximum(sums["delivered"], 1)
    return pa.table(
        {key: pa.array(list(names), pa.string())}
        | {name: pa.array(sums[name]) for name in COUNTS}
        | _share("delivered_share", sums["delivered"], due)
        | _share("in_time_share", sums["in_time"], due)
        | {
            "hazards_per_service": pa.array(sums["hazards_found"] / delivered),
            "score_mean": _floats(mean),
            "score_low": _floats(mean - NORMAL * error),
            "score_high": _floats(mean + NORMAL * error),
            "cost_per_service_fen": pa.array(sums["cost_fen"] // delivered),
        }
    )


def wilson(hits: Ints, of: Ints) -> tuple[Floats, Floats, Floats]:
    """Return shares with Wilson's 95 % interval; NaN where there is nothing.

    Source
    ------
    E. B. Wilson, JASA 22 (1927).

    Examples
    --------
    >>> [round(float(part[0]), 4) for part in wilson(np.array([8]), np.array([10]))]
    [0.8, 0.4902, 0.9433]
    """
    n = np.where(of > 0, of, np.nan).astype(np.float64)
    share, z2 = hits / n, NORMAL**2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = NORMAL / (1 + z2 / n) * np.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return share, middle - half, middle + half


def _share(name: str, hits: Ints, of: Ints) -> dict[str, pa.Array]:
    stem = name.removesuffix("_share")
    return dict(zip((name, f"{stem}_low", f"{stem}_high"), map(_floats, wilson(hits, of))))


def _floats(values: Floats) -> pa.Array:
    return pa.array(values, mask=np.isnan(values))


def read_hazards(source: Any) -> Columns:
    """Return the register, each hazard once: credit_code and found_date, and of `HAZARD_MORE` what is known."""
    found = read_events(source, "hazards", ("credit_code", "found_date"), HAZARD_MORE, ("hazard_id",))
    return replace(found.rows, refused=found.told)


def _hazards(
    seen: Columns, book: Columns, year: int | None, today: int, insurer: str
) -> tuple[dict[str, pa.Table], dict[str, int]]:
    """Return rectification by insurer and sector of the policy in force when a hazard was found.

    One of which no day is known by which it was to be rectified (it was not notified yet) is open, unless refused.
    """
    kept = (seen["found_date"] <= today) & ((year_of(seen["found_date"]) == year) | (year is None))
    row = policy_on(seen, book)
    if insurer:
        kept &= (row >= 0) & (book["insurer"][row] == insurer)
    seen, row = seen.take(np.flatnonzero(kept)), row[kept]
    nothing = np.full(len(seen), NO_DAY)
    later, done, refused, due = (seen.get(name, nothing) for name in HAZARD_MORE)
    later, done, refused = (_until(days, today) for days in (later, done, refused))
    due = np.where(later != NO_DAY, later, due)
    done = np.where(due == NO_DAY, NO_DAY, done)
    due = np.where(due == NO_DAY, FAR, due)
    state = {
        "rectified_in_time": (done != NO_DAY) & (done <= due),
        "rectified_late": (done != NO_DAY) & (done > due),
        "refused": (done == NO_DAY) & (refused != NO_DAY),
    }
    rest = ~np.logical_or.reduce(list(state.values()))
    state |= {"overdue": rest & (due < today), "open": rest & (due >= today)}
    counts = {"found": np.ones(len(seen), dtype=np.int64)} | {n: flag.astype(np.int64) for n, flag in state.items()}
    tables = {}
    for key in HAZARD_BY:
        names, (code,) = codes_of(np.where(row >= 0, book[key][row], ""))
        sums = {name: _sums(code, column, len(names)) for name, column in counts.items()}
        fell_due = sums["found"] - sums["open"]
        tables[key] = pa.table(
            {key: pa.array([name or None for name in names], pa.string())}
            | {name: pa.array(sums[name]) for name in HAZARD_COUNTS}
            | _share("rectified_share", sums["rectified_in_time"], fell_due)
        )
    return tables, {name: int(column.sum()) for name, column in counts.items()}


def _until(day: Ints, today: int) -> Ints:
    return np.where(day > today, NO_DAY, day)


def policy_on(seen: Columns, book: Columns) -> Ints:
    """Return the policy of the firm in force on the day, (n,) int64, -1 where none."""
    met = join(seen["credit_code"], book["credit_code"])
    return in_force(met.there, book["start_date"], book["end_date"], met.asked, seen["found_date"], met.count)


def _sums(group: Ints, amount: Ints, size: int) -> Ints:
    total = np.zeros(size, dtype=np.int64)
    np.add.at(total, group, amount)
    return total
