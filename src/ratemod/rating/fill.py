"""What each operation writes into a block of floats, with the rows that floats cannot decide marked `suspect`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.money import apportion
from ratemod.plan.interval import UNIT, Range, extreme_range, operand_range
from ratemod.plan.op.arithmetic import AddPercentages, Arithmetic, Difference, Largest, Product, Ratio, Smallest, Sum
from ratemod.plan.op.base import Operation
from ratemod.plan.op.dates import LENGTHS, AddMonths, DatePart, Days, Earliest, Latest, Months, Term, Years
from ratemod.plan.op.judgement import Judgement
from ratemod.plan.op.level import FirstLevel, LastLevel, LevelExtreme, OneLevel, places
from ratemod.plan.op.limits import Bound, Cap
from ratemod.plan.op.lines import Rollup, ShareOut
from ratemod.plan.op.logarithm import Exponential, Logarithm
from ratemod.plan.op.look_up import Classify, Interpolate, Lookup
from ratemod.plan.op.part import Part
from ratemod.plan.op.progressive import Progressive
from ratemod.plan.op.ranked import Rank, Take, TakeLevel
from ratemod.plan.op.rounding import Power, Round
from ratemod.plan.operand import Operand
from ratemod.plan.ranges import snap_places
from ratemod.plan.slices import slices
from ratemod.rating.block import Block, Floats, Mask, largest
from ratemod.rating.calendar import months_of, months_on, packed, part_of
from ratemod.rating.compiling import Compiling, Run
from ratemod.rating.conditions import comparison
from ratemod.rating.groups import ranked, rollup, share_out, taken
from ratemod.rating.look_up import fill_interpolate, fill_judgement, fill_look_up, slot_finder
from ratemod.rating.rounding import fill_rounded

MOST_WHOLE = 2.0**50  # a number whose float tells it from the next half
MOST_SUM = 2.0**62  # of lines, as whole numbers of their last decimal


def _chain(ufunc: np.ufunc) -> Fill:
    """Return what fills a step with its values joined one after another."""

    def compile_(operation: Arithmetic, compiling: Compiling) -> Run:
        (first, *rest), constants = operation.of, compiling.floats

        def chain(block: Block) -> None:
            out = block.buffer(compiling.name)
            if not rest:
                out[:] = block.get(first, constants)
                return
            ufunc(block.get(first, constants), block.get(rest[0], constants), out=out)
            for operand in rest[1:]:
                ufunc(out, block.get(operand, constants), out=out)

        return _snapped(compiling, chain)

    return compile_


def _percentages(operation: AddPercentages, compiling: Compiling) -> Run:
    def add(block: Block) -> None:
        out = block.buffer(compiling.name)
        out[:] = 1.0 - len(operation.of)
        for operand in operation.of:
            np.add(out, block.get(operand, compiling.floats), out=out)

    return _snapped(compiling, add)


def _snapped(compiling: Compiling, run: Run) -> Run:
    """Put sums that may cancel back on their grid, where `ranges` counts on it: the float nearest to the decimal."""
    assert compiling.step is not None
    places, name = snap_places(compiling.step, compiling.plan, compiling.known), compiling.name
    if places is None:
        return run
    scale = 10.0**places

    def snapped(block: Block) -> None:
        run(block)
        out = block.buffer(name)
        np.multiply(out, scale, out=out)
        np.rint(out, out=out)
        np.divide(out, scale, out=out)

    return snapped


def _level(operation: OneLevel, compiling: Compiling) -> Run:
    return lambda block: block.buffer(compiling.name).fill(operation.place)


def _level_extreme(operation: LevelExtreme, compiling: Compiling) -> Run:
    columns = [compiling.plan.level_columns[str(name)] for name in operation.of]
    places = [np.array(operation.places(column.codes()), dtype=np.float64) for column in columns]
    pick = np.maximum if isinstance(operation, LastLevel) else np.minimum

    def extreme(block: Block) -> None:
        out, missing = block.buffer(compiling.name), np.zeros(block.inputs.n, dtype=bool)
        for at, (column, place) in enumerate(zip(columns, places)):
            found = place[block.codes_of(column.name, column.code_type)]
            missing |= found < 0
            out[:] = pick(out, found) if at else found
        out[missing] = np.nan

    return extreme


def _ratio(operation: Ratio, compiling: Compiling) -> Run:
    top, below = operation.of

    def divide(block: Block) -> None:
        out = block.buffer(compiling.name)
        divisor = block.get(below, compiling.floats)
        np.divide(block.get(top, compiling.floats), divisor, out=out)
        zero = np.equal(divisor, 0)
        if np.any(zero):
            np.copyto(out, np.nan, where=zero)

    return divide


def _limit(operation: Bound | Cap, compiling: Compiling) -> Run:
    of, constants = operation.of[0], compiling.floats
    place = 2 * compiling.bounding.index(compiling.name)
    against = operation.against if isinstance(operation, Cap) else ""
    keep = (np.fmax, np.fmin) if against else (np.maximum, np.minimum)  # a cap against nothing lets the row pass
    known_of = operand_range(of, compiling.known)
    ends: list[tuple[Operand, Callable[..., Mask], int]] = []
    for end, reach, sign in zip(operation.ends.values(), operation.end_ranges(compiling.known), (-1, 1)):
        if end is None or reach is None:
            continue
        ends.append((end, comparison(*((reach, known_of) if sign < 0 else (known_of, reach)), or_equal=False), sign))
        known_of = extreme_range([known_of, reach])  # whichever it was: where a limit is missing, not the larger

    def limit_(block: Block) -> None:
        out, found = block.buffer(compiling.name), block.get(of, constants)
        empty = np.isnan(found) if against else None
        lows: Mask | None = None
        for end, exceeds, sign in ends:
            limit = block.get(end, constants)
            if against:
                limit = np.multiply(limit, block.get(against, constants), out=block.scratch(float))
            if sign < 0:
                lows = held = exceeds(block, limit, found)
            else:
                held = exceeds(block, found, limit)
            if not isinstance(limit, float) or held.any():
                keep[sign > 0](found, limit, out=out)
                found = out
                _mark(block, held, lows, place, sign)
        if found is not out:
            np.copyto(out, found)
        if empty is not None and np.any(empty):
            out[empty] = np.nan

    return limit_


def _mark(block: Block, held: Mask, lows: Mask | None, place: int, sign: int) -> None:
    """Note where an end holds."""
    kind = block.bits.dtype.type
    if sign > 0 and lows is not None and (lows & held).any():  # the last end that holds is the one that counts
        block.bits &= ~(held * kind(1 << place))
    block.bits |= held * kind(1 << place + (sign > 0))


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


def _add_months(operation: AddMonths, compiling: Compiling) -> Run:
    more = [_whole(operand, compiling) for operand in (operation.months, operation.days)]

    def added(block: Block) -> None:
        out = block.buffer(compiling.name)
        day = np.broadcast_to(block.get(operation.of[0], compiling.floats), block.inputs.n)
        ok, counts = ~np.isnan(day), []
        for part in more:
            if part is None:
                _leave(block, compiling.name)
                return
            places, whole = part
            values, there = whole(block)
            ok &= there & (values % 10**places == 0)
            counts.append(values // 10**places)
        found, fine = months_on(np.where(ok, day, 0).astype(np.int64), counts[0], counts[1])
        out[:] = np.where(ok & fine, found, np.nan)

    return added


def _date_part(operation: DatePart, compiling: Compiling) -> Run:
    def parted(block: Block) -> None:
        day = np.broadcast_to(block.get(operation.of[0], compiling.floats), block.inputs.n)
        ok = ~np.isnan(day)
        found = part_of(np.where(ok, day, 0).astype(np.int64), operation.which)
        block.buffer(compiling.name)[:] = np.where(ok, found, np.nan)

    return parted


def _transcendental(operation: Exponential | Logarithm, compiling: Compiling) -> Run:
    """Fill a step with e^x or ln x, rounded half-up; what lies within its float error of a tie is left open.

    e^x moves by e^x times the error of x, ln x by the error of x over x.
    """
    of, constants, unit = operation.of[0], compiling.floats, float(operation.unit)
    numerator, denominator = operation.unit.as_integer_ratio()
    known, raises = operand_range(of, compiling.known), isinstance(operation, Exponential)

    def filled(block: Block) -> None:
        out = block.buffer(compiling.name)
        x = np.broadcast_to(block.get(of, constants), block.inputs.n)
        error = known.rel * np.abs(x) + known.abs
        with np.errstate(all="ignore"):
            if raises:
                raw = np.exp(x)
                spread = raw * (error + 8 * UNIT)
            else:
                raw = np.log(np.where(x > 0, x, np.nan))
                spread = np.abs(raw) * 8 * UNIT + 2 * error / x
                block.suspect |= np.abs(x) <= error
            raw, spread = raw / unit, spread / unit + 4 * UNIT * np.abs(raw / unit)
            count = np.floor(np.abs(raw) + 0.5)
            near = np.abs(np.abs(raw) + 0.5 - np.rint(np.abs(raw) + 0.5)) > spread
            block.suspect |= ~(near & (spread < 0.25)) & ~np.isnan(raw)
            np.copyto(out, np.copysign(count, raw) * numerator / denominator)

    return filled


def _whole(
    operand: Operand, compiling: Compiling
) -> tuple[int, Callable[[Block], tuple[npt.NDArray[np.int64], Mask]]] | None:
    """Return the decimals of an operand, and what gives it as whole numbers of its last one; None if floats cannot."""
    known = operand_range(operand, compiling.known)
    places = known.places
    if places is None or not known.on_grid:
        return None

    def whole(block: Block) -> tuple[npt.NDArray[np.int64], Mask]:
        values = np.broadcast_to(block.get(operand, compiling.floats), block.inputs.n)
        valid = ~np.isnan(values)
        return np.rint(np.where(valid, values, 0) * 10.0**places).astype(np.int64), valid

    return places, whole


def _rollup(operation: Rollup, compiling: Compiling) -> Run:
    of = _whole(operation.of[0] if operation.of else Decimal(1), compiling)

    def rolled(block: Block) -> None:
        if of is None:  # no decimals that a float holds: only exact arithmetic can join them
            _leave(block, compiling.name)
            return
        places, whole = of
        values, valid = whole(block)
        lines = {part: block.inputs.groups[names] for part, names in operation.groups.items()}
        if operation.how in ("sum", "mean") and np.abs(values, dtype=np.float64).sum() >= MOST_SUM:
            block.suspect[:] = True
        found, parts, ok = rollup(values, valid, how=operation.how, **lines)
        block.buffer(compiling.name)[:] = np.where(ok, found / 10.0**places / parts, np.nan)

    return rolled


def _rank(operation: Rank, compiling: Compiling) -> Run:
    of = _whole(operation.of[0], compiling)

    def rank(block: Block) -> None:
        if of is None:
            _leave(block, compiling.name)
            return
        values, valid = of[1](block)
        ranks = np.arange(block.inputs.n) if block.inputs.ranks is None else block.inputs.ranks
        group = block.inputs.groups[operation.group]
        found, ok = ranked(values, valid, group, ranks, operation.first == "largest")
        block.buffer(compiling.name)[:] = np.where(ok, found, np.nan)

    return rank


def _take(operation: Take | TakeLevel, compiling: Compiling) -> Run:
    ordered = np.zeros(0)
    if isinstance(operation, TakeLevel):
        column = compiling.plan.level_columns[operation.level]
        ordered = np.array(places(operation.levels, column.codes()), dtype=np.float64)
        ordered[ordered < 0] = np.nan

    def take(block: Block) -> None:
        rank = block.get(operation.rank, compiling.floats)
        place = np.where(np.isnan(rank), 0, rank).astype(np.int64)
        row = taken(place, ~np.isnan(rank), block.inputs.groups[operation.group], operation.which)
        if isinstance(operation, TakeLevel):
            values = ordered[block.codes_of(operation.level, column.code_type)]
        else:
            values = np.broadcast_to(block.get(operation.of[0], compiling.floats), block.inputs.n)
        block.buffer(compiling.name)[:] = np.where(row >= 0, values[row], np.nan)

    return take


def _share_out(operation: ShareOut, compiling: Compiling) -> Run:
    of, by = _whole(operation.of[0], compiling), _whole(operation.weights, compiling)

    money = compiling.plan.money

    def shared(block: Block) -> None:
        if of is None or by is None:
            _leave(block, compiling.name)
            return
        (places, whole), (_, weigh) = of, by
        (values, valid), (weights, weighed) = whole(block), weigh(block)
        ranks = np.arange(block.inputs.n) if block.inputs.ranks is None else block.inputs.ranks
        groups = block.inputs.groups[operation.group]
        found, ok = share_out(in_smallest(values, places, money.decimals), weights, valid & weighed, groups, ranks)
        block.buffer(compiling.name)[:] = np.where(ok, found / money.per_unit, np.nan)

    return shared


def _part(operation: Part, compiling: Compiling) -> Run:
    of, weights = operation.of[0], [_whole(weight, compiling) for weight in operation.among]
    known = operand_range(of, compiling.known)
    places, found = known.places, [weight for weight in weights if weight is not None]
    most, money = max((weight[0] for weight in found), default=0), compiling.plan.money

    def parted(block: Block) -> None:
        if places is None or len(found) < len(weights):
            _leave(block, compiling.name)
            return
        amount = np.broadcast_to(block.get(of, compiling.floats), block.inputs.n)
        size = np.abs(amount) * 10.0**places
        doubtful = (size >= MOST_WHOLE) | ((known.rel * np.abs(amount) + known.abs) * 10.0**places >= 0.05)
        valid = ~np.isnan(amount)
        block.suspect |= doubtful & valid
        whole = np.rint(np.where(valid & ~doubtful, amount, 0) * 10.0**places).astype(np.int64)
        shares = np.empty((block.inputs.n, len(found)), dtype=np.int64)
        for at, (finest, weigh) in enumerate(found):
            shares[:, at], there = weigh(block)
            shares[:, at] *= 10 ** (most - finest)
            valid = valid & there & (shares[:, at] >= 0)
        valid = valid & (shares.sum(axis=1) > 0)
        shares[~valid] = 1
        part = apportion(in_smallest(whole, places, money.decimals), shares)[:, operation.which - 1]
        block.buffer(compiling.name)[:] = np.where(valid, part / money.per_unit, np.nan)

    return parted


def _leave(block: Block, name: str) -> None:
    """Leave every row of a block to exact arithmetic."""
    block.buffer(name)[:] = np.nan
    block.suspect[:] = True


def in_smallest(values: npt.NDArray[np.int64], places: int, decimals: int = 2) -> npt.NDArray[np.int64]:
    """Return amounts, given as whole numbers of 10^-places, in smallest units: rounded half-up, away from zero.

    Examples
    --------
    >>> in_smallest(np.array([125, 124, -125]), 3).tolist()
    [13, 12, -13]
    """
    unit = 10 ** max(places - decimals, 0)
    count: npt.NDArray[np.int64] = np.sign(values) * ((2 * np.abs(values) + unit) // (2 * unit))
    return count * np.int64(10 ** max(decimals - places, 0))


def _progressive(operation: Progressive, compiling: Compiling) -> Run:
    """Return the function that fills a `progressive` step: base of the slice + rate × (x - its start).

    The sum is continuous, so a float that falls on the wrong side of an edge between two slices is no further from the
    truth than its own error; only where a line of slices begins or ends must the side be sure.
    """
    plan, known, constants = compiling.plan, compiling.known, compiling.floats
    found = slices(operation, plan.tables[operation.table], plan.level_columns)
    *others, axis = found.grid.axes
    finders = [slot_finder(plan, other, known, constants) for other in others]
    shape = found.grid.row_of.shape
    strides = [int(np.prod(shape[at + 1 :], dtype=np.int64)) for at in range(len(finders))]
    marks = np.array([float(mark) for mark in found.marks])
    start, base, rate = (found.floats(part) for part in ("start", "base", "rate"))
    rated, last = ~np.isnan(rate), axis.size - 1
    reach = known.get(axis.bound, Range())
    scale = 10.0 ** (reach.places or 0) if reach.on_grid and not reach.raw else None

    def cells(block: Block, x: Floats, missing: npt.NDArray[np.bool_], side: str) -> npt.NDArray[np.intp]:
        index = np.searchsorted(marks, x, side=side)  # type: ignore[call-overload]
        index = np.where(missing, last, index)
        for finder, stride in zip(finders, strides):
            index = index + finder(block) * stride
        return index

    def progressive(block: Block) -> None:
        out, x = block.buffer(compiling.name), block.column(axis.bound, constants)
        if scale is not None:
            x = np.rint(x * scale) / scale
        missing = np.isnan(x)
        index = cells(block, x, missing, "right")
        lost = ~rated[index] & ~missing
        if lost.any():  # the upper end of a line belongs to its last slice
            index = np.where(lost, cells(block, x, missing, "left"), index)
        if not reach.raw and scale is None:
            slack = reach.error_at(largest(x, reach.low >= 0))
            sides = [rated[cells(block, x + off, missing, side)] for off, side in ((-slack, "left"), (slack, "right"))]
            block.suspect |= ((sides[0] != sides[1]) | (rated[index] != sides[0])) & ~missing
        np.copyto(out, base[index] + rate[index] * (x - start[index]))

    return progressive


Fill = Callable[[Any, Compiling], Run]
FILL: Mapping[type[Operation], Fill] = MappingProxyType(
    {
        Lookup: fill_look_up,
        Classify: fill_look_up,
        OneLevel: _level,
        FirstLevel: _level_extreme,
        LastLevel: _level_extreme,
        Interpolate: fill_interpolate,
        Progressive: _progressive,
        Judgement: fill_judgement,
        Product: _chain(np.multiply),
        Sum: _chain(np.add),
        Difference: _chain(np.subtract),
        Ratio: _ratio,
        Largest: _chain(np.maximum),
        Smallest: _chain(np.minimum),
        Latest: _chain(np.maximum),
        Earliest: _chain(np.minimum),
        AddPercentages: _percentages,
        Bound: _limit,
        Cap: _limit,
        Round: fill_rounded,
        Power: fill_rounded,
        Exponential: _transcendental,
        Logarithm: _transcendental,
        Days: _term(_days),
        Months: _term(_months),
        Years: _term(_years),
        AddMonths: _add_months,
        DatePart: _date_part,
        Rollup: _rollup,
        Rank: _rank,
        Take: _take,
        TakeLevel: _take,
        ShareOut: _share_out,
        Part: _part,
    }
)
