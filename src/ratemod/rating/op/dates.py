"""Days, months and years between dates, dates some months on, earlier and later dates, parts of dates."""

from __future__ import annotations

from calendar import isleap, monthrange
from collections.abc import Callable
from datetime import date
from fractions import Fraction
from functools import partial

import numpy as np
import numpy.typing as npt

from ratemod.plan.interval import DATES
from ratemod.plan.op.dates import LENGTHS, AddMonths, DatePart, Days, Earliest, Latest, Months, Term, Years
from ratemod.plan.operand import EPOCH
from ratemod.rating import rational as q
from ratemod.rating.block import Block, Floats, Mask
from ratemod.rating.calendar import days_between, months_between, months_of, months_on, packed, part_of
from ratemod.rating.compiling import Compiling, Fill, Readings, Run
from ratemod.rating.op.arithmetic import chain, exact_extreme
from ratemod.rating.rational import Rational
from ratemod.rating.whole import leave, whole
from ratemod.rating.working import Here


def _ends(operation: Term, here: Here) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Mask]:
    """Return both ends as days since 1970-01-01, and where both are known."""
    start, end = here.of(operation)
    first, last = ((day.num // day.den).astype(np.int64) for day in (start, end))
    return first, last, start.ok & end.ok


def _exact_days(operation: Days, here: Here) -> Rational:
    first, last, ok = _ends(operation, here)
    return Rational(q.integers(days_between(first, last, operation.inclusive)), 1, ok)


def _exact_months(operation: Months, here: Here) -> Rational:
    first, last, ok = _ends(operation, here)
    return Rational(q.integers(months_between(first, last, operation.count, operation.inclusive)), 1, ok)


def _exact_years(operation: Years, here: Here) -> Rational:
    first, last, ok = _ends(operation, here)
    ends = (np.where(ok, end, 0) + later for end, later in ((last, int(operation.inclusive)), (first, 0)))
    end, start = ([_year(int(day)) for day in days] for days in ends)
    found = [a - b for a, b in zip(end, start)]
    return Rational(np.array([int(one * LENGTHS) for one in found], dtype=object), LENGTHS, ok)


def _year(day: int) -> Fraction:
    """Return a day as a year with the part of it that is over, by the calendar of the standard library."""
    when = date.fromordinal(day + EPOCH)
    return when.year + Fraction(when.timetuple().tm_yday - 1, 366 if isleap(when.year) else 365)


def _exact_add_months(operation: AddMonths, here: Here) -> Rational:
    """Return each date by the calendar of the standard library, one at a time."""
    of, months, days = (here.state.get(operand) for operand in (operation.of[0], operation.months, operation.days))
    found, ok = np.zeros(here.n, dtype=object), np.zeros(here.n, dtype=bool)
    for at in range(here.n):
        given = [value.fraction(at) for value in (of, months, days)]
        later = None if None in given else _later(*(part for part in given if part is not None))
        if later is not None:
            found[at], ok[at] = later, True
    return Rational(found, 1, ok)


def _later(day: Fraction, months: Fraction, more: Fraction) -> int | None:
    """Return the day some whole months and days on; None where there is no such day."""
    if months.denominator != 1 or more.denominator != 1:
        return None
    start = date.fromordinal(int(day) + EPOCH)
    year, month = divmod(12 * start.year + start.month - 1 + int(months), 12)
    if not 1 <= year <= 9999:
        return None
    same = date(year, month + 1, min(start.day, monthrange(year, month + 1)[1])).toordinal() - EPOCH + int(more)
    return same if DATES[0] <= same <= DATES[1] else None


def _exact_date_part(operation: DatePart, here: Here) -> Rational:
    (of,) = here.of(operation)
    days = (of.num // of.den).tolist()
    parts = [getattr(date.fromordinal(int(day) + EPOCH), operation.which) for day in days]
    return Rational(np.array(parts, dtype=object), 1, of.ok)


def _term(count: Callable[..., None]) -> Fill:
    """Return what fills a step with what is counted between two dates."""

    def compile_(operation: Term, compiling: Compiling) -> Run:
        first, last = operation.of
        constants = compiling.floats

        def dates(block: Block) -> None:
            out = block.buffer(compiling.name)
            start, end = block.get(first, constants), block.get(last, constants)
            np.add(start, end, out=out)
            missing = np.isnan(out) if np.isnan(np.maximum.reduce(out, initial=0.0)) else None
            if missing is not None:
                start, end = (np.where(missing, 0, day) for day in (start, end))
            count(operation, block, start, end, out)
            if missing is not None:
                out[missing] = np.nan

        return dates

    return compile_


def _days(operation: Days, block: Block, start: Floats, end: Floats, out: Floats) -> None:
    np.subtract(end, start, out=out)
    out += int(operation.inclusive)


def _months(operation: Months, block: Block, start: Floats, end: Floats, out: Floats) -> None:
    days = block.scratch(int)
    np.copyto(days, start, casting="unsafe")
    begun = packed(days)
    np.copyto(days, end, casting="unsafe")
    np.copyto(out, months_of(begun, packed(days, int(operation.inclusive)), operation.count))


def _years(operation: Years, block: Block, start: Floats, end: Floats, out: Floats) -> None:
    """Write years as one quotient of whole numbers, which is rounded once."""
    out[:] = _in_lengths(end + int(operation.inclusive)) - _in_lengths(start)
    np.divide(out, LENGTHS, out=out)


def _in_lengths(days: Floats | float) -> npt.NDArray[np.int64]:
    """Return days as whole numbers of 1/`LENGTHS` of a year since 1970."""
    day = np.asarray(days).astype(np.int64).astype("datetime64[D]")
    year = day.astype("datetime64[Y]")
    first, following = (one.astype("datetime64[D]") for one in (year, year + 1))
    over = (day - first).astype(np.int64) * (LENGTHS // (following - first).astype(np.int64))
    found: npt.NDArray[np.int64] = year.astype(np.int64) * LENGTHS + over
    return found


def _fill_add_months(operation: AddMonths, compiling: Compiling) -> Run:
    more = [whole(operand, compiling) for operand in (operation.months, operation.days)]

    def added(block: Block) -> None:
        out = block.buffer(compiling.name)
        day = np.broadcast_to(block.get(operation.of[0], compiling.floats), block.inputs.n)
        ok, counts = ~np.isnan(day), []
        for part in more:
            if part is None:
                leave(block, compiling.name)
                return
            places, whole = part
            values, there = whole(block)
            ok &= there & (values % 10**places == 0)
            counts.append(values // 10**places)
        found, fine = months_on(np.where(ok, day, 0).astype(np.int64), counts[0], counts[1])
        out[:] = np.where(ok & fine, found, np.nan)

    return added


def _fill_date_part(operation: DatePart, compiling: Compiling) -> Run:
    def parted(block: Block) -> None:
        day = np.broadcast_to(block.get(operation.of[0], compiling.floats), block.inputs.n)
        ok = ~np.isnan(day)
        found = part_of(np.where(ok, day, 0).astype(np.int64), operation.which)
        block.buffer(compiling.name)[:] = np.where(ok, found, np.nan)

    return parted


READINGS: Readings = {
    Days: (_exact_days, _term(_days)),
    Months: (_exact_months, _term(_months)),
    Years: (_exact_years, _term(_years)),
    AddMonths: (_exact_add_months, _fill_add_months),
    Latest: (partial(exact_extreme, sign=1), chain(np.maximum)),
    Earliest: (partial(exact_extreme, sign=-1), chain(np.minimum)),
    DatePart: (_exact_date_part, _fill_date_part),
}
