"""The register of hazards of one block, and the state of an enterprise's major hazards on a day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratemod.synth.calendar import NO_DATE, Days
from ratemod.synth.enterprises import Codes, Enterprises, Flags, Ints, Window
from ratemod.synth.stream import stream
from ratemod.synth.terms import Terms
from ratemod.synth.truth import Truth

NONE, OPEN, OVERDUE, REFUSED, VERIFIED = range(5)
MAJOR = 1
VERIFIED_COUNTS_DAYS = 365


@dataclass(frozen=True, slots=True)
class Hazards:
    """Hazards found, one row each, by enterprise and day; `NO_DATE` where an event never happened.

    Attributes
    ----------
    firm : (m,) int64, place of the enterprise in the block
    grade : (m,) int8, 0 general, 1 major
    found, notified, due, extended, rectified, verified, refused : (m,) int32 days
    """

    firm: Ints
    grade: Codes
    found: Days
    notified: Days
    due: Days
    extended: Days
    rectified: Days
    verified: Days
    refused: Days


def draw(
    truth: Truth, window: Window, seed: int, block: int, firms: Enterprises, terms: Terms, certificate: Codes
) -> Hazards:
    """Draw the register: hazards are found while an enterprise is insured; better certificates mean fewer.

    Parameters
    ----------
    certificate : (t, n) int8, standardisation level at inception
    """
    random, plan = stream(seed, block, "hazard"), truth.prevention
    mean = np.array(plan.hazards_per_term)[firms.size] * np.exp(plan.hazard_standardisation_log * certificate)
    mean *= terms.active
    counts = np.stack([random.poisson(mean * plan.general_hazards), random.poisson(mean)])
    firm = np.arange(mean.size) % mean.shape[1]
    grade = np.repeat(np.array([0, MAJOR], dtype=np.int8), counts.reshape(2, -1).sum(axis=1))
    cell = np.concatenate([np.repeat(np.arange(mean.size), counts[g].ravel()) for g in range(2)])
    many = len(cell)
    start, cover = terms.start.ravel()[cell], (terms.cover_end - terms.start).ravel()[cell]
    found = start + (random.random(many) * cover).astype(np.int32)
    order = np.lexsort((found, firm[cell]))
    grade, found, firm = grade[order], found[order], firm[cell][order]
    notified = found + random.integers(0, 6, many)
    due = notified + random.choice(np.array([15, 30, 60, 90]), many)
    extended = np.where(random.random(many) < plan.extended, due + 30, NO_DATE)
    last = np.maximum(due, extended)
    fate = random.random(many)
    late = (fate >= plan.rectified_in_time) & (fate < plan.rectified_in_time + plan.rectified_late)
    in_time = fate < plan.rectified_in_time
    share = random.random(many)
    soon = notified + 1 + (share * (last - notified - 1)).astype(np.int64)
    rectified = np.where(in_time, soon, np.where(late, last + 1 + (share * 240).astype(np.int64), NO_DATE))
    verified = np.where(rectified > NO_DATE, rectified + random.integers(2, 21, many), NO_DATE)
    refused = np.where(fate >= 1 - plan.refused, due + random.integers(1, 31, many), NO_DATE)
    dates = [
        np.asarray(item, dtype=np.int32) for item in (found, notified, due, extended, rectified, verified, refused)
    ]
    return Hazards(firm, grade, *dates)


def known(register: Hazards, day: int) -> Hazards:
    """Return the register as it stands on a day: later rows are absent, later events not yet written."""
    seen = register.found <= day

    def cut(dates: Days) -> Days:
        return np.where(dates[seen] <= day, dates[seen], NO_DATE).astype(np.int32)

    # The due date is written when the unit is notified, although it lies ahead.
    notified = cut(register.notified)
    due = np.where(notified > NO_DATE, register.due[seen], NO_DATE).astype(np.int32)
    extended = np.where(register.due[seen] <= day, register.extended[seen], NO_DATE).astype(np.int32)
    return Hazards(
        register.firm[seen],
        register.grade[seen],
        register.found[seen],
        notified,
        due,
        extended,
        cut(register.rectified),
        cut(register.verified),
        cut(register.refused),
    )


def state_on(register: Hazards, on: Days) -> tuple[Codes, Ints]:
    """Return the state of each enterprise's major hazards on its day, and the days overdue.

    The worst state counts: refused, overdue, open, verified (within a year), none. A hazard stays open until its
    rectification is verified; it is overdue from the day after the (extended) due date until it is rectified.

    Parameters
    ----------
    on : (n,) int32 days

    Returns
    -------
    state : (n,) int8 index into `levels.HAZARD_STATES`
    overdue_days : (n,) int64 days past due of the longest overdue hazard, else 0
    """
    day = on[register.firm]
    here: Flags = (register.grade == MAJOR) & (register.found <= day)
    verified = (register.verified > NO_DATE) & (register.verified <= day)
    pending = here & ~verified
    rectified = (register.rectified > NO_DATE) & (register.rectified <= day)
    refused = pending & (register.refused > NO_DATE) & (register.refused <= day)
    due = np.maximum(register.due, register.extended)
    late = pending & ~rectified & (due > NO_DATE) & (due < day)
    recent = here & verified & (day - register.verified <= VERIFIED_COUNTS_DAYS)
    rank = np.zeros(len(on), dtype=np.int8)
    for place, flag in enumerate((recent, pending, late, refused), start=1):
        np.maximum.at(rank, register.firm[flag], np.int8(place))
    overdue = np.zeros(len(on), dtype=np.int64)
    np.maximum.at(overdue, register.firm[late], (day - due)[late].astype(np.int64))
    return np.array([NONE, VERIFIED, OPEN, OVERDUE, REFUSED], dtype=np.int8)[rank], overdue
