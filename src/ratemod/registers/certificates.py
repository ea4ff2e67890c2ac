"""Safety standardisation certificates: which level is in force on a day, and when an accident takes a level away.

A certificate is in force from the day of issue to the day before its expiry or withdrawal: from the day it expires it
gives no credit. Of several in force the latest issued counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.errors import BookError, problem
from ratemod.registers.as_of import Ints, in_force, timeline
from ratemod.registers.columns import STANDARDS
from ratemod.registers.days import NEVER, Days, as_days
from ratemod.registers.register import Register
from ratemod.rules.options import strict

LEVELS = tuple(level.code for level in STANDARDS)


@strict
@dataclass(frozen=True, slots=True)
class DowngradeRule:
    """When an accident takes a certificate down, as data of a plan; None leaves a criterion out.

    Attributes
    ----------
    deaths : int or None
        An accident with so many deaths counts ...
    main_responsibility : bool
        ... if the enterprise bears the main responsibility (the accident register says so).
    serious_injuries : int or None
        So does an accident with so many serious injuries, whoever is responsible.
    levels : int
        Levels taken away, once per certificate.
    """

    deaths: int | None = 1
    main_responsibility: bool = True
    serious_injuries: int | None = 2
    levels: int = 1


@dataclass(frozen=True, eq=False, slots=True)
class CertificateStates:
    """The answer to n questions.

    Attributes
    ----------
    level : (n,) int8, index into `LEVELS`; 0 where none is in force
    expiry : (n,) int64 days, `NEVER` where none is in force
    event : (n,) int64, place in the register, -1 where none is in force
    downgraded_by : (n,) int64, place of the accident in its register, -1 where the level stands
    """

    level: npt.NDArray[np.int8]
    expiry: Days
    event: Ints
    downgraded_by: Ints


def certificate_state(
    register: Register,
    credit_code: Any,
    on: npt.ArrayLike,
    *,
    accidents: Register | None = None,
    downgrade: DowngradeRule | None = None,
) -> CertificateStates:
    """Return the level in force for each enterprise on its day.

    Parameters
    ----------
    register : Register of ``certificates``
    credit_code : (n,) texts
    on : (n,) days or one day
    accidents : Register of ``claims``, optional
    downgrade : DowngradeRule, optional
        An accident after the day of issue and up to the day itself takes the level down.

    Raises
    ------
    BookError
        RM244 when the rule asks for the main responsibility and the accident register has no such column.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from ratemod.registers.register import read_register
    >>> held = read_register(pa.table({"credit_code": ["A"], "standardisation": ["level_2"],
    ...     "issue_date": ["2023-01-01"], "expiry_date": ["2026-01-01"]}), "certificates")
    >>> found = certificate_state(held, ["A", "A"], as_days(["2025-12-31", "2026-01-01"]))
    >>> [LEVELS[at] for at in found.level]
    ['level_2', 'none']
    """
    met = register.met(credit_code)
    query, firm, count = met.asked, met.there, met.count
    day = as_days(on, len(query))
    issued = register.dates("issue_date")
    end = np.minimum(register.dates("expiry_date"), register.dates("withdrawn_date"))
    event = in_force(firm, issued, end, query, day, count)
    held = event >= 0
    level = np.where(held, _of(register.values["standardisation"], event), 0).astype(np.int8)
    expiry = np.where(held, _of(register.dates("expiry_date"), event), NEVER)
    down = np.full(len(query), -1, dtype=np.int64)
    if accidents is not None and downgrade is not None:
        met = accidents.met(credit_code)
        strikes, own = met.asked, met.there
        striking = np.where(_strikes(accidents, downgrade), own, -1)
        line = timeline(striking, accidents.dates("event_date"))
        last = line.last(strikes, day)
        since = np.where(held, _of(issued, event), NEVER)
        hit = held & (last >= 0) & (_of(accidents.dates("event_date"), last) > since)
        down = np.where(hit, last, -1)
        level = np.where(hit, np.maximum(level - downgrade.levels, 0), level).astype(np.int8)
    return CertificateStates(level, expiry, event, down)


def _of(values: npt.NDArray[Any], places: Ints) -> npt.NDArray[Any]:
    """Return values at places; anything where the place is -1."""
    return values[np.maximum(places, 0)] if len(values) else np.zeros(len(places), dtype=np.int64)


def _strikes(accidents: Register, rule: DowngradeRule) -> npt.NDArray[np.bool_]:
    """Return which accidents take a level away, (m,) bool."""
    hit = np.zeros(len(accidents), dtype=bool)
    if rule.deaths is not None:
        fatal = accidents.number("deaths") >= rule.deaths
        if rule.main_responsibility:
            if not accidents.has("main_responsibility"):
                raise BookError(
                    problem(
                        "RM244",
                        file=accidents.file,
                        column="main_responsibility",
                        label="负主要责任",
                        noun=accidents.noun,
                    )
                )
            fatal &= np.asarray(accidents.values["main_responsibility"]) == 1
        hit |= fatal
    if rule.serious_injuries is not None:
        hit |= accidents.number("serious_injuries") >= rule.serious_injuries
    return hit
