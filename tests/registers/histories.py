"""Random registers, and plain per-row readings of them: dates as `datetime.date`, one row at a time."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from ratemod.registers.register import Register, read_register

# Around a leap day, so that every boundary is met often.
FIRST, LAST = date(2023, 12, 1), date(2026, 4, 30)
FIRMS = ("A", "B", "C")
days = st.dates(FIRST, LAST)
codes = st.sampled_from(FIRMS)


def register(noun: str, rows: list[dict[str, Any]]) -> Register:
    """Return rows as a register; an empty list as a register without rows."""
    if rows:
        return read_register(pa.Table.from_pylist(rows), noun)
    made = read_register(pa.Table.from_pylist([FULL[noun]]), noun)
    values = {name: array[:0] for name, array in made.values.items()}
    return Register(noun, None, made.rows[:0], made.names, made.firm[:0], values, (), made.doubtful)


FULL: dict[str, dict[str, Any]] = {
    "hazards": {"credit_code": "A", "grade": "major", "found_date": FIRST},
    "certificates": {"credit_code": "A", "standardisation": "level_3", "issue_date": FIRST, "expiry_date": LAST},
    "integrity": {"credit_code": "A", "effective_date": FIRST, "integrity_grade": "A"},
    "blacklist": {"credit_code": "A", "listed_date": FIRST},
    "claims": {"credit_code": "A", "event_date": FIRST, "deaths": 0, "serious_injuries": 0},
    "policies": {"credit_code": "A", "start_date": FIRST, "end_date": LAST},
}


@st.composite
def hazard_rows(draw: Any) -> list[dict[str, Any]]:
    """Hazards whose dates do not contradict each other."""
    rows = []
    for _ in range(draw(st.integers(1, 6))):
        found = draw(days)
        step = st.integers(0, 120)
        row: dict[str, Any] = {
            "credit_code": draw(codes),
            "grade": draw(st.sampled_from(("major", "major", "general"))),
            "found_date": found,
            "notified_date": None,
            "due_date": None,
            "extension_granted_date": None,
            "extended_due_date": None,
            "rectified_date": None,
            "verified_date": None,
            "refused_date": None,
        }
        if draw(st.booleans()):
            row["notified_date"] = found + timedelta(draw(step))
            if draw(st.booleans()):
                row["due_date"] = row["notified_date"] + timedelta(draw(step))
                if draw(st.booleans()):
                    row["extended_due_date"] = row["due_date"] + timedelta(draw(step))
                    if draw(st.booleans()):
                        row["extension_granted_date"] = row["notified_date"] + timedelta(draw(step))
            if draw(st.booleans()):
                row["refused_date"] = row["notified_date"] + timedelta(draw(step))
        if draw(st.booleans()):
            row["rectified_date"] = found + timedelta(draw(step))
        if draw(st.booleans()):
            row["verified_date"] = (row["rectified_date"] or found) + timedelta(draw(step))
        rows.append(row)
    return rows


def years_before(day: date, years: int) -> date:
    """The same day some years earlier; 28 February where there is no 29th."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def one_hazard(row: dict[str, Any], on: date, counts: int = 365) -> tuple[str, int]:
    """The state of one hazard on a day, and its days overdue."""

    def by(name: str) -> bool:
        return row[name] is not None and row[name] <= on

    if row["grade"] != "major" or row["found_date"] > on:
        return "none", 0
    if by("verified_date"):
        return ("verified" if (on - row["verified_date"]).days <= counts else "none"), 0
    due = row["due_date"] if by("notified_date") else None
    if due is not None and row["extended_due_date"] is not None:
        granted = row["extension_granted_date"]
        if granted is None or granted <= on:
            due = max(due, row["extended_due_date"])
    overdue = (on - due).days if due is not None and not by("rectified_date") and on > due else 0
    if by("refused_date"):
        return "refused", overdue
    return ("overdue", overdue) if overdue else ("open", 0)


def hazards_of(rows: list[dict[str, Any]], firm: str, on: date) -> tuple[str, int, int, int]:
    """State, days overdue, pending hazards and hazards found in three years, one row after the other."""
    worst, longest, pending, repeats = "none", 0, 0, 0
    order = ("none", "verified", "open", "overdue", "refused")
    for row in rows:
        if row["credit_code"] != firm:
            continue
        state, overdue = one_hazard(row, on)
        worst = max(worst, state, key=order.index)
        longest = max(longest, overdue)
        pending += state in ("open", "overdue", "refused")
        repeats += row["grade"] == "major" and years_before(on, 3) < row["found_date"] <= on
    return worst, longest, pending, repeats


def as_array(asked: list[tuple[str, date]]) -> tuple[list[str], np.ndarray]:
    """Questions as credit codes and days."""
    return [firm for firm, _ in asked], np.array([day for _, day in asked], dtype="datetime64[D]")
