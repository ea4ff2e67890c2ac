"""Integrity grades and the joint-punishment list, each in force from 00:00 of its day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.registers.as_of import Ints, in_force, timeline
from ratemod.registers.columns import INTEGRITY
from ratemod.registers.days import as_days
from ratemod.registers.register import Register

GRADES = tuple(level.code for level in INTEGRITY)


@dataclass(frozen=True, eq=False, slots=True)
class GradeStates:
    """The grade of n questions: (n,) int8 index into `GRADES` (-1 never graded), and the register place (-1 none)."""

    grade: npt.NDArray[np.int8]
    event: Ints


@dataclass(frozen=True, eq=False, slots=True)
class ListStates:
    """Whether each enterprise is on the list, (n,) bool, and the register place of the entry (-1 none)."""

    listed: npt.NDArray[np.bool_]
    event: Ints


def integrity_grade(register: Register, credit_code: Any, on: npt.ArrayLike) -> GradeStates:
    """Return the grade in force for each enterprise on its day: the last on or before it.

    Parameters
    ----------
    register : Register of ``integrity``
    credit_code : (n,) texts
    on : (n,) days or one day

    Examples
    --------
    >>> import pyarrow as pa
    >>> from ratemod.registers.register import read_register
    >>> told = read_register(pa.table({"credit_code": ["A", "A"], "integrity_grade": ["B", "AA"],
    ...     "effective_date": ["2024-01-01", "2025-03-01"]}), "integrity")
    >>> found = integrity_grade(told, ["A"] * 3, as_days(["2023-12-31", "2025-02-28", "2025-03-01"]))
    >>> [GRADES[at] if at >= 0 else None for at in found.grade]
    [None, 'B', 'AA']
    """
    met = register.met(credit_code)
    query, firm = met.asked, met.there
    event = timeline(firm, register.dates("effective_date")).last(query, as_days(on, len(query)))
    held = np.asarray(register.values["integrity_grade"])
    grade = np.where(event >= 0, held[np.maximum(event, 0)], -1) if len(held) else np.full(len(query), -1)
    return GradeStates(grade.astype(np.int8), event)


def blacklisted(register: Register, credit_code: Any, on: npt.ArrayLike) -> ListStates:
    """Return whether each enterprise is on the joint-punishment list on its day: listed <= day < removed.

    Parameters
    ----------
    register : Register of ``blacklist``
    credit_code : (n,) texts
    on : (n,) days or one day
    """
    met = register.met(credit_code)
    query, firm, count = met.asked, met.there, met.count
    day = as_days(on, len(query))
    event = in_force(firm, register.dates("listed_date"), register.dates("removed_date"), query, day, count)
    return ListStates(event >= 0, event)
