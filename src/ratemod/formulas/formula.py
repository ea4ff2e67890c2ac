r"""A plan's steps as Excel formulas: the same `Step`s that the engine runs, one cell each.

Excel computes in float64 as the fast path does, so every float lies within ``rel·|v| + abs`` of the exact value, with
the bounds of `plan/ranges.py`. Where something hangs on the last bit, the formula allows for that:

- rounding: half-up rounds ``v + sign(v)·(rel·|v| + abs)``. An exact tie can only have become smaller by less than that,
  so it goes up, as by definition; what lies below a tie by more than twice that stays below. Up and down the same way.
- comparisons of computed values, and bands on them, count values within that distance as equal.

What is within twice that distance of a tie without being one (about 10⁻⁸ fen for a premium of 10,000 yuan) could be
rounded differently, and above 10⁸ yuan for one policy a float no longer tells every fen; the workbook therefore stands
beside the engine's own figures and counts the differences.

A missing value is an empty cell or empty text; a formula that needs it gives #N/A, never a number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from types import MappingProxyType
from typing import Any

from ratemod.errors import PlanError, problem
from ratemod.formulas.tables import DAY_ZERO, TableSheet, axis_headers, axis_test, look_up, neighbours
from ratemod.plan.interval import DATES, Range, operand_range
from ratemod.plan.model import ANY, Combination, Condition, Plan, Step, Test
from ratemod.plan.op.arithmetic import AddPercentages, Difference, Largest, Product, Ratio, Smallest, Sum
from ratemod.plan.op.base import Operation, TableOperation
from ratemod.plan.op.dates import LENGTHS, AddMonths, DatePart, Days, Earliest, Latest, Months, Term, Years
from ratemod.plan.op.judgement import Judgement
from ratemod.plan.op.level import FirstLevel, LastLevel, LevelExtreme, OneLevel
from ratemod.plan.op.limits import Bound, Cap
from ratemod.plan.op.lines import Rollup, ShareOut
from ratemod.plan.op.logarithm import Exponential, Logarithm
from ratemod.plan.op.look_up import Classify, Interpolate, Lookup
from ratemod.plan.op.part import Part
from ratemod.plan.op.progressive import Progressive
from ratemod.plan.op.ranked import Rank, Take, TakeLevel, Taken
from ratemod.plan.op.rounding import Power, Round
from ratemod.plan.operand import NOTHING, Operand
from ratemod.plan.ranges import snap_places
from ratemod.plan.reads import kind_of
from ratemod.plan.slices import along
from ratemod.rules.number import normal

ROW = "\ue000"  # stands for the row number in a formula that is made once and used for every row
LEAST_GUARD = 2.0**-46
MOST_GUARD = 2.0**-40
MOST_SLACK = 1e-6
MOST_NAMED = 100  # levels that one formula names
SIGNS = {"at_least": ">=", "above": ">", "at_most": "<=", "below": "<"}
ROLLED = {
    "sum": "SUMIFS", "mean": "AVERAGEIFS", "max": "_xlfn.MAXIFS", "min": "_xlfn.MINIFS", "count": "COUNTIFS"
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sheet:
    """Where everything stands that a formula may name.

    Attributes
    ----------
    plan : Plan
    known : mapping of Range
        `plan.ranges.ranges` of the plan.
    letter : mapping of name to letter
        Columns, steps, and helpers (``step:group``, ``step:fen`` ...) of the policies' sheet.
    constants : mapping of name to absolute reference
    tables : mapping of name to TableSheet
    empty : frozenset of str
        Names that may be without a value in a cell that is no error.
    first, last : int
        Rows of the policies.
    """

    plan: Plan
    known: Mapping[str, Range]
    letter: Mapping[str, str]
    constants: Mapping[str, str]
    tables: Mapping[str, TableSheet]
    empty: frozenset[str]
    first: int
    last: int

    def cell(self, name: str) -> str:
        """Return the cell of a name in the row of the formula."""
        return self.constants[name] if name in self.constants else f"${self.letter[name]}{ROW}"

    def whole(self, name: str) -> str:
        """Return a whole column of the policies as an absolute reference."""
        return f"${self.letter[name]}${self.first}:${self.letter[name]}${self.last}"

    def is_date(self, name: str) -> bool:
        """Return whether a name is a date, whose cells count days as Excel does; a constant's count from 1970."""
        return name not in self.constants and kind_of(name, self.plan) == "date"

    def number(self, operand: Operand) -> str:
        """Return an operand as a number: #N/A where it has none; dates as days since 1970-01-01."""
        if isinstance(operand, Decimal):
            said = format(operand, "f")
            return f"({said})" if operand < 0 else said
        cell = self.cell(operand)
        said = f"({cell}-{DAY_ZERO})" if self.is_date(operand) else cell
        return f"IF(ISNUMBER({cell}),{said},NA())" if operand in self.empty else said

    def day(self, operand: Operand) -> str:
        """Return a date as Excel counts its days."""
        if isinstance(operand, str) and self.is_date(operand):
            return self.cell(operand)
        return f"({self.number(operand)}+{DAY_ZERO})"

    def range_of(self, operand: Operand) -> Range:
        """Return what is known of an operand."""
        return operand_range(operand, self.known)


def formula(step: Step, sheet: Sheet) -> str:
    """Return the formula of a step, with `ROW` for the row number.

    Raises
    ------
    PlanError
        RM881 shares by weights that need not be decimals.
    """
    said = FORMULAS[type(step.operation)](step.operation, step.name, sheet)
    places = snap_places(step, sheet.plan, sheet.known)
    if places is not None:  # a sum that cancels is put back on its grid, as the fast path does
        said = f"ROUND({said},{places})"
    if step.when is None:
        return said
    assert step.other is not None
    gives_date = step.operation.gives == "date"
    other = '""' if step.other == NOTHING else sheet.day(step.other) if gives_date else sheet.number(step.other)
    return f"IF({condition(step.when, sheet)},{said},{other})"


def _numbers(operation: Operation, sheet: Sheet) -> list[str]:
    return [sheet.number(operand) for operand in operation.of]


def _joined(operation: Operation, name: str, sheet: Sheet, sign: str) -> str:
    return sign.join(_numbers(operation, sheet))


def _percentages(operation: AddPercentages, name: str, sheet: Sheet) -> str:
    return "1" + "".join(f"+({item}-1)" for item in _numbers(operation, sheet))


def _level(operation: OneLevel, name: str, sheet: Sheet) -> str:
    return _text(operation.code)


def _level_extreme(operation: LevelExtreme, name: str, sheet: Sheet) -> str:
    listed = _levels_listed(sheet.plan, name)
    places = ",".join(f"MATCH({sheet.cell(str(of))},{listed},0)" for of in operation.of)
    return f"INDEX({listed},{'MAX' if isinstance(operation, LastLevel) else 'MIN'}({places}))"


def _extreme(operation: Largest | Smallest, name: str, sheet: Sheet) -> str:
    said = f"{'MAX' if isinstance(operation, Largest) else 'MIN'}({','.join(_numbers(operation, sheet))})"
    return f"{said}+{DAY_ZERO}" if operation.gives == "date" else said


def _bound(operation: Bound, name: str, sheet: Sheet) -> str:
    said = sheet.number(operation.of[0])
    said = said if operation.low is None else f"MAX({said},{sheet.number(operation.low)})"
    return said if operation.high is None else f"MIN({said},{sheet.number(operation.high)})"


def _cap(operation: Cap, name: str, sheet: Sheet) -> str:
    """Return a cap: rows without the amount to compare with, or without an end, pass."""
    value = sheet.number(operation.of[0])
    against, said = sheet.cell(operation.against), value
    for end, how in ((operation.low, "MAX"), (operation.high, "MIN")):
        if end is not None:
            kept = f"{how}({said},{sheet.number(end)}*{against})"
            said = f"IFERROR({kept},{said})" if end in sheet.empty else kept
    return f"IF(ISNUMBER({against}),{said},{value})"


def _round(operation: Round, name: str, sheet: Sheet) -> str:
    of = operation.of[0]
    return rounded(sheet.number(of), operation.unit, operation.mode, sheet.range_of(of))


def _power(operation: Power, name: str, sheet: Sheet) -> str:
    of, exponent = sheet.number(operation.of[0]), sheet.number(operation.exponent)
    raised = rounded(f"{of}^{exponent}", operation.unit, "half_up", Range(rel=LEAST_GUARD))
    return f"IF({of}>0,{raised},NA())"


def _exponential(operation: Exponential, name: str, sheet: Sheet) -> str:
    return rounded(f"EXP({sheet.number(operation.of[0])})", operation.unit, "half_up", Range(rel=LEAST_GUARD))


def _logarithm(operation: Logarithm, name: str, sheet: Sheet) -> str:
    of = sheet.number(operation.of[0])
    return f"IF({of}>0,{rounded(f'LN({of})', operation.unit, 'half_up', Range(rel=LEAST_GUARD))},NA())"


def guard(value: str, of: Range, sign: str = "+") -> str:
    """Return a value moved away from zero (``+``) or towards it (``-``) by as much as a float can be wrong."""
    said = f"{value}*(1{sign}{_rel(of):.3G})"
    return said if of.abs in (0.0, float("inf")) else f"({said}{sign}SIGN({value})*{of.abs:.3G})"


def _rel(of: Range) -> float:
    """Return the relative float error, with one more for Excel's own multiplication; a usual one where none is known.

    A bound wider than that of a long product is one for the largest value there can be, and says nothing of this row.
    """
    return of.rel + 2.0**-51 if of.rel < MOST_GUARD else LEAST_GUARD


def rounded(value: str, quantum: Decimal, mode: str, of: Range) -> str:
    """Return a value rounded to a multiple of a unit by one of the four modes."""
    if of.abs > 0.01 * float(quantum):  # a bound for the largest value of all would move the others across ties
        of = Range(of.low, of.high, None, of.rel)
    plain = normal(quantum)
    power = plain.as_tuple().digits == (1,)
    digits = -int(plain.as_tuple().exponent) if power else 0
    scaled = value if power else f"({value})/{quantum:f}"
    if mode == "half_even":
        scaled, digits, power = f"(({value})/{quantum:f})", 0, False
        away = f"ROUND({guard(scaled, _in_units(of, quantum))},0)"
        slack = _slack(scaled, _in_units(of, quantum))
        said = f"IF(ABS(ABS({scaled})-INT(ABS({scaled}))-0.5)<={slack},2*ROUND({scaled}/2,0),{away})"
    else:
        function = {"half_up": "ROUND", "up": "ROUNDUP", "down": "ROUNDDOWN"}[mode]
        unit = Decimal(1) if power else quantum
        said = f"{function}({guard(f'({scaled})', _in_units(of, unit), '-' if mode == 'up' else '+')},{digits})"
    return said if power else f"{said}*{quantum:f}"


def _in_units(of: Range, quantum: Decimal) -> Range:
    return Range(of.low, of.high, None, of.rel, of.abs / float(quantum))


def _slack(value: str, of: Range) -> str:
    """Return how far a float may be from its exact value, as a formula."""
    said = f"ABS({value})*{_rel(of):.3G}"
    return said if of.abs == 0 or of.abs > MOST_SLACK else f"({said}+{of.abs:.3G})"


def _term(operation: Term, sheet: Sheet) -> tuple[str, str, str]:
    """Return the start, the end, and what is to be met before anything is counted between them."""
    start, end = (sheet.day(operand) for operand in operation.of)
    dates = [sheet.cell(operand) for operand in operation.of if isinstance(operand, str)]
    return start, f"({end}+1)" if operation.inclusive else end, ",".join(f"ISNUMBER({cell})" for cell in dates) or "1"


def _days(operation: Days, name: str, sheet: Sheet) -> str:
    start, end, there = _term(operation, sheet)
    return f"IF(AND({there}),{end}-{start},NA())"


def _months(operation: Months, name: str, sheet: Sheet) -> str:
    start, end, there = _term(operation, sheet)
    whole = f"(YEAR({end})-YEAR({start}))*12+MONTH({end})-MONTH({start})"
    anniversary = f"MIN(DAY({start}),DAY(EOMONTH({end},0)))"
    said = f"{whole}-(DAY({end})<{anniversary})"
    if operation.count == "started":
        said += f"+(DAY({end})<>{anniversary})"
    return f"IF(AND({there}),{said},NA())"


def _years(operation: Years, name: str, sheet: Sheet) -> str:
    start, end, there = _term(operation, sheet)
    parts = [
        f"YEAR({day})*{LENGTHS}+({day}-DATE(YEAR({day}),1,1))*{LENGTHS}/(DATE(YEAR({day})+1,1,1)-DATE(YEAR({day}),1,1))"
        for day in (end, start)
    ]
    return f"IF(AND({there}),({parts[0]}-({parts[1]}))/{LENGTHS},NA())"


def _add_months(operation: AddMonths, name: str, sheet: Sheet) -> str:
    months, days = sheet.number(operation.months), sheet.number(operation.days)
    later = f"EDATE({sheet.day(operation.of[0])},{months})+{days}"
    first, last = (int(end) + DAY_ZERO for end in DATES)
    return f"IF(AND(INT({months})={months},INT({days})={days},{later}>={first},{later}<={last}),{later},NA())"


def _date_part(operation: DatePart, name: str, sheet: Sheet) -> str:
    day = operation.of[0]
    said = f"{operation.which.upper()}({sheet.day(day)})"
    return f"IF(ISNUMBER({sheet.cell(day)}),{said},NA())" if isinstance(day, str) else said


def _table(operation: TableOperation, name: str, sheet: Sheet) -> str:
    table, bound = sheet.tables[operation.table], operation.bound(sheet.tables[operation.table].table)
    cells, needed = {}, []
    for axis in table.table.axes:
        read = bound[axis.name]
        cell = sheet.cell(read)
        if axis.kind == "level":
            needed += [f'{cell}<>""'] if read in sheet.empty else []
        else:
            needed += [f"ISNUMBER({cell})"] if read in sheet.empty else []
            cell = cell if axis.is_date else _settled(sheet, read, cell, axis.kind, axis.closed)
            cell = f"({cell}+{DAY_ZERO})" if axis.is_date and not sheet.is_date(read) else cell
        cells[axis.name] = cell
    said = _answer(operation, table, cells, sheet)
    return f"IF(AND({','.join(needed)}),{said},NA())" if needed else said


def _answer(operation: TableOperation, table: TableSheet, cells: Mapping[str, str], sheet: Sheet) -> str:
    """Return what a table answers to the cells on its axes."""
    if isinstance(operation, Interpolate):
        return _interpolate(operation, table, cells, sheet.plan)
    if not isinstance(operation, Judgement):
        return look_up(table, operation, operation.column, cells, sheet.plan)
    low, high = (look_up(table, operation, end, cells, sheet.plan) for end in ("low", "high"))
    stands = operation.column in table.table.value_names
    value = look_up(table, operation, operation.column, cells, sheet.plan) if stands else "NA()"
    return _judged(operation, sheet, value, low, high)


def _judgement(operation: Judgement, name: str, sheet: Sheet) -> str:
    if operation.table:
        return _table(operation, name, sheet)
    low, high = (sheet.number(end) for end in (operation.low, operation.high) if end is not None)
    return _judged(operation, sheet, sheet.number(operation.of[0]) if operation.of else "NA()", low, high)


def _judged(operation: Judgement, sheet: Sheet, value: str, low: str, high: str) -> str:
    """Return what was chosen within its ends, or the value where nothing was; computed ends are met within a hair."""
    chosen = sheet.cell(operation.chosen)
    tests = [f'{sheet.cell(operation.reason)}<>""'] if operation.reason else []
    for end, sign, operand in ((low, ">=", operation.low), (high, "<=", operation.high)):
        computed = isinstance(operand, str) and not sheet.range_of(operand).raw
        slack = f"{'-' if sign == '>=' else '+'}{_slack(end, sheet.range_of(operand))}" if computed and operand else ""
        tests.append(f"{chosen}{sign}{end}{slack}")
    return f"IF(ISNUMBER({chosen}),IF(AND({','.join(tests)}),{chosen},NA()),{value})"


def _progressive(operation: Progressive, name: str, sheet: Sheet) -> str:
    """Return rate × width summed over the slices that x reaches; #N/A where no slice holds x."""
    table = sheet.tables[operation.table]
    bound, at = operation.bound(table.table), along(operation.along, table.table)
    assert at is not None
    if any(key is ANY for row in table.rows for key in row.keys):
        raise PlanError(problem("RM880", table=operation.table))
    axis = table.table.axes[at]
    name = bound[axis.name]
    x, slack, needed, tests = sheet.cell(name), "0", [f"ISNUMBER({sheet.cell(name)})"], ["1"]
    if name in sheet.plan.step_names:
        of = sheet.range_of(name)
        x, slack = (f"ROUND({x},{of.places})", "0") if of.on_grid else (x, _slack(x, of))
    for place, other in enumerate(table.table.axes):
        if place != at:
            own = bound[other.name]
            needed += [f'{sheet.cell(own)}<>""'] if own in sheet.empty else []
            cell = sheet.cell(own) if other.kind == "level" or other.is_date else _settled(
                sheet, own, sheet.cell(own), other.kind, other.closed
            )  # fmt: skip
            tests.append(axis_test(table, place, other, cell, sheet.plan, bound))
    low, high = (table.range(header) for header in axis_headers(axis))
    there = f'SUMPRODUCT({"*".join(tests)}*({low}<={x}+{slack})*((({high}="")+({x}-{slack}<={high}))>0))>0'
    width = f'({x}-({high}<>"")*({x}>{high})*({x}-{high})-{low})'
    said = f"SUMPRODUCT({'*'.join(tests)}*({low}<{x})*{table.range(operation.column)}*{width})"
    return f"IF(AND({','.join(needed)}),IF({there},{said},NA()),NA())"


def _settled(sheet: Sheet, name: str, cell: str, kind: str, closed: str) -> str:
    """Return a computed value so that it falls into the band, or meets the number, of its exact value."""
    if name in sheet.plan.columns or name in sheet.constants:
        return cell
    of = sheet.range_of(name)
    if of.on_grid:
        return f"ROUND({cell},{of.places})"
    if kind != "band":
        return cell
    sign = "+" if closed == "low" else "-"
    return f"({cell}{sign}{_slack(cell, of)})"


def _interpolate(operation: Interpolate, table: TableSheet, cells: Mapping[str, str], plan: Plan) -> str:
    """Return the sum of the values at the points, each by its weight, which is above zero of those beside x alone.

    Of a point between p and n the weight is (x - p)/(x_at - p) up to the point and (n - x)/(n - x_at) from it on.
    """
    bound, weights, inside = operation.bound(table.table), [], []
    for at, axis in enumerate(table.table.axes):
        if axis.kind != "point":
            weights.append(axis_test(table, at, axis, cells[axis.name], plan, bound))
            continue
        own, before, after = (table.range(header) for header in (*axis_headers(axis), *neighbours(axis)))
        x, first, last = cells[axis.name], f"MIN({own})", f"MAX({own})"
        many = len({row.keys[at] for row in table.rows}) > 1
        if operation.beyond == "extend" and many:  # on the line between the last two points, however far
            between = f"MIN(MAX({x},{first}),LARGE({own},1+COUNTIF({own},{last})))"
        else:
            inside += [f"{x}>={first}", f"{x}<={last}"] if operation.beyond == "refuse" else []
            x = between = f"MIN(MAX({x},{first}),{last})"
        rising = f"({before}<={between})*({between}<{own})*({x}-{before})/({own}-{before})"
        falling = f"({own}<={between})*({between}<{after})*({after}-{x})/({after}-{own})"
        weights.append(f"({rising}+{falling})")
    values, weight = table.range(operation.column), "*".join(weights)
    whole = f"ABS(SUMPRODUCT({weight}*ISNUMBER({values}))-1)<1E-9"  # no point of weight is lacking, or not offered
    return f"IF(AND({','.join([*inside, whole])}),SUMPRODUCT({weight},{values}),NA())"


def _rollup(operation: Rollup, name: str, sheet: Sheet) -> str:
    """Return what a policy's lines come to; #N/A where a line has no value, or no policy (whose number is then -1)."""
    own = sheet.cell(f"{name}:group")
    lines = f"{sheet.whole(f'{name}:group')},{own}"
    counted = f"{lines},{sheet.whole(f'{name}:first')},1" if operation.each else lines
    whole = [f'{sheet.whole(f"{name}:{part}")},">-1E300"' for part in _rollup_parts(operation)]
    every = f"{own}>=0,COUNTIFS({lines})=COUNTIFS({','.join([lines, *whole])})"
    of = f"{sheet.whole(f'{name}:of')}," if operation.of else ""
    return f"IF(AND({every}),{ROLLED[operation.how]}({of}{counted}),NA())"


def _rollup_parts(operation: Rollup) -> Sequence[str]:
    return [*(["of"] if operation.of else []), *(["first"] if operation.each else [])]


def _rollup_helpers(operation: Rollup, name: str, sheet: Sheet) -> dict[str, str]:
    """Return the column that is rolled up, and the one that marks one line of each part with 1, the others with 0.

    It is #N/A where lines of one part differ, or nothing says which part a line is of.
    """
    found = {f"{name}:of": sheet.number(of) for of in operation.of}
    if operation.each:
        whole, own = sheet.whole(f"{name}:each"), sheet.cell(f"{name}:each")
        fits = [f"{own}>=0"]
        if operation.of:
            alike = f"COUNTIFS({whole},{own},{sheet.whole(f'{name}:of')},{sheet.cell(f'{name}:of')})"
            fits.append(f"COUNTIFS({whole},{own})={alike}")
        first = f"COUNTIFS({whole.split(':')[0]}:{own},{own})=1"
        found[f"{name}:first"] = f"IF(AND({','.join(fits)}),--({first}),NA())"
    return found


def _rank_helpers(operation: Rank, name: str, sheet: Sheet) -> dict[str, str]:
    """Return the column that lines are ranked by, as whole numbers, which a criterion tells apart."""
    of = sheet.range_of(operation.of[0])
    if not of.on_grid:
        raise PlanError(problem("RM440", step=name, of=operation.of[0]))
    return {f"{name}:of": f"ROUND({sheet.number(operation.of[0])}*{10 ** (of.places or 0)},0)"}


def _rank(operation: Rank, name: str, sheet: Sheet) -> str:
    own, of, values = sheet.cell(f"{name}:group"), sheet.cell(f"{name}:of"), sheet.whole(f"{name}:of")
    lines = f"{sheet.whole(f'{name}:group')},{own}"
    before = ">" if operation.first == "largest" else "<"
    tied = f'COUNTIFS({lines},{values},{of},{sheet.whole(":rank")},"<"&{sheet.cell(":rank")})'
    every = f'{own}>=0,COUNTIFS({lines})=COUNTIFS({lines},{values},">-1E300")'
    return f'IF(AND({every}),1+COUNTIFS({lines},{values},"{before}"&{of})+{tied},NA())'


def _line_of(operation: Taken, name: str, sheet: Sheet) -> dict[str, str]:
    return {f"{name}:line": f"ROW()-{sheet.first - 1}"}


def _take(operation: Take | TakeLevel, name: str, sheet: Sheet) -> str:
    group, own = sheet.whole(f"{name}:group"), sheet.cell(f"{name}:group")
    row = f"SUMIFS({sheet.whole(f'{name}:line')},{group},{own},{sheet.whole(operation.rank)},{operation.which})"
    of = operation.level if isinstance(operation, TakeLevel) else operation.of[0]
    if not isinstance(of, str) or of in sheet.constants:
        return f"IF(AND({own}>=0,{row}>0),{sheet.number(of)},NA())"
    cell = f"INDEX({sheet.whole(of)},{row})"
    zero = f"-{DAY_ZERO}" if sheet.is_date(of) else ""
    there = f'{cell}<>""' if isinstance(operation, TakeLevel) else f"ISNUMBER({cell})"
    return f"IF({own}<0,NA(),IF({row}=0,NA(),IF({there},{cell}{zero},NA())))"


def helpers(step: Step, sheet: Sheet) -> dict[str, str]:
    """Return the further columns that a step needs, as name -> formula."""
    found = HELPERS.get(type(step.operation))
    return {} if found is None else found[1](step.operation, step.name, sheet)


def helper_names(step: Step) -> list[str]:
    """Return the names of the further columns that a step needs, in order."""
    found = HELPERS.get(type(step.operation))
    return [] if found is None else [f"{step.name}:{part}" for part in found[0](step.operation)]


def _share_parts(operation: ShareOut) -> Sequence[str]:
    return "fen", "weight", "total", "rest", "quota"


def _remainder(fen: str, weight: str, total: str) -> str:
    """Return ``fen·weight mod total``, in two parts so that every product stays below 2⁵³ and is exact."""
    return f"MOD(MOD(INT(ABS({fen})/100000)*{weight},{total})*100000+MOD(ABS({fen}),100000)*{weight},{total})"


def _share_helpers(operation: ShareOut, name: str, sheet: Sheet) -> dict[str, str]:
    """Return the columns of a share by largest remainder."""
    places = sheet.range_of(operation.weights).places
    if places is None:
        raise PlanError(problem("RM881", step=name, weights=operation.weights))
    group, own = sheet.whole(f"{name}:group"), sheet.cell(f"{name}:group")
    fen, weight, rest = (sheet.cell(f"{name}:{part}") for part in ("fen", "weight", "rest"))
    total = sheet.cell(f"{name}:total")
    money = sheet.plan.money
    scaled = f"{sheet.number(operation.of[0])}*{money.per_unit}"
    of = sheet.range_of(operation.of[0])
    return {
        f"{name}:fen": rounded(scaled, Decimal(1), "half_up", _in_units(of, money.smallest)),
        f"{name}:weight": f"ROUND({sheet.number(operation.weights)}*1{'0' * places},0)",
        f"{name}:total": f"SUMIFS({sheet.whole(f'{name}:weight')},{group},{own})",
        f"{name}:rest": _remainder(fen, weight, total),
        f"{name}:quota": f"ROUND((ABS({fen})*{weight}-{rest})/{total},0)",
    }


def _share(operation: ShareOut, name: str, sheet: Sheet) -> str:
    group, own = sheet.whole(f"{name}:group"), sheet.cell(f"{name}:group")
    rests, rest = sheet.whole(f"{name}:rest"), sheet.cell(f"{name}:rest")
    fen, quota = sheet.cell(f"{name}:fen"), sheet.cell(f"{name}:quota")
    left = f"ABS({fen})-SUMIFS({sheet.whole(f'{name}:quota')},{group},{own})"
    ahead = f'COUNTIFS({group},{own},{rests},">"&{rest})'
    tied = f'COUNTIFS({group},{own},{rests},{rest},{sheet.whole(":rank")},"<"&{sheet.cell(":rank")})'
    lines = f"{group},{own}"  # all of one amount
    there = f"{own}>=0,COUNTIFS({lines})=COUNTIFS({lines},{sheet.whole(f'{name}:fen')},{fen})"
    return f"IF(AND({there}),SIGN({fen})*({quota}+({ahead}+{tied}<{left}))/{sheet.plan.money.per_unit},NA())"


def _part_parts(operation: Part) -> Sequence[str]:
    parties = range(1, len(operation.among) + 1)
    return "fen", "total", *(f"{part}{at}" for part in ("weight", "rest", "quota") for at in parties)


def _part_helpers(operation: Part, name: str, sheet: Sheet) -> dict[str, str]:
    """Return the columns of a part by largest remainder: weight, remainder and whole fen of every party."""
    places = [sheet.range_of(weight).places for weight in operation.among]
    if None in places:
        raise PlanError(problem("RM881", step=name, weights=operation.among[places.index(None)]))
    scale = 10 ** max(place or 0 for place in places)
    of, fen, total = operation.of[0], sheet.cell(f"{name}:fen"), sheet.cell(f"{name}:total")
    money = sheet.plan.money
    in_smallest = _in_units(sheet.range_of(of), money.smallest)
    found = {f"{name}:fen": rounded(f"{sheet.number(of)}*{money.per_unit}", Decimal(1), "half_up", in_smallest)}
    for at, operand in enumerate(operation.among, 1):
        weight, rest = sheet.cell(f"{name}:weight{at}"), sheet.cell(f"{name}:rest{at}")
        share = sheet.number(operand)
        found[f"{name}:weight{at}"] = f"IF({share}>=0,ROUND({share}*{scale},0),NA())"
        found[f"{name}:rest{at}"] = _remainder(fen, weight, total)
        found[f"{name}:quota{at}"] = f"ROUND((ABS({fen})*{weight}-{rest})/{total},0)"
    found[f"{name}:total"] = "+".join(sheet.cell(f"{name}:weight{at + 1}") for at in range(len(places)))
    return found


def _part(operation: Part, name: str, sheet: Sheet) -> str:
    own, parties = operation.which, range(1, len(operation.among) + 1)
    quota, rest = ({at: sheet.cell(f"{name}:{part}{at}") for at in parties} for part in ("quota", "rest"))
    fen = sheet.cell(f"{name}:fen")
    ahead = "+".join(f"({rest[at]}>{'=' if at < own else ''}{rest[own]})" for at in parties if at != own) or "0"
    return f"SIGN({fen})*({quota[own]}+(({ahead})<ABS({fen})-({'+'.join(quota.values())})))/{sheet.plan.money.per_unit}"


def condition(when: Condition, sheet: Sheet) -> str:
    """Return a condition as a formula that is TRUE or FALSE, never an error."""
    if isinstance(when, Combination):
        parts = ",".join(condition(part, sheet) for part in when.parts)
        return {"all": f"AND({parts})", "any": f"OR({parts})", "none": f"NOT(OR({parts}))"}[when.how]
    tests = _tests(when, sheet)
    return tests[0] if len(tests) == 1 else f"AND({','.join(tests)})"


def _tests(test: Test, sheet: Sheet) -> list[str]:
    cell, found = sheet.cell(test.of), []
    for values, inside in ((test.is_, True), (test.is_not, False)):
        if values:
            same = ",".join(f"EXACT({cell},{_text(value)})" for value in values)
            said = f"OR({same})" if len(values) > 1 else same
            if test.of in sheet.plan.step_names:  # a level that no row gives is an error, and no level
                found.append(f"IFERROR({said if inside else f'NOT({said})'},FALSE)")
                continue
            found.append(said if inside else f'AND({cell}<>"",NOT({said}))')
    found += _between(test, cell, sheet)
    for key, end in test.compared.items():
        levels = sheet.plan.level_columns[test.of].codes() if test.of in sheet.plan.level_columns else ()
        found.append(_ordered(test.of, str(end), key, sheet) if levels else _compare(test.of, end, SIGNS[key], sheet))
    if test.missing is not None:
        column = sheet.plan.level_columns.get(test.of)
        is_text = column is not None and column.kind in ("level", "flag", "text")
        lacks = f'{cell}=""' if is_text else f"NOT(ISNUMBER({cell}))"
        lacks = f"IFERROR({lacks},TRUE)" if test.of in sheet.plan.step_names else lacks
        found.append(lacks if test.missing else f"NOT({lacks})")
    return found


def _between(test: Test, cell: str, sheet: Sheet) -> list[str]:
    """Return the tests whether a level lies between two, and how a level or a text begins."""
    found = [f"EXACT(LEFT({cell},{len(start)}),{_text(start)})" for start in test.begins]
    found = [f"OR({','.join(found)})"] if found else []
    if test.first is not None or test.last is not None:
        place = sheet.plan.level_columns[test.of].place
        low, high = place[test.first] if test.first else 0, place[test.last] if test.last else len(place) - 1
        codes = list(place)[low : high + 1]
        if len(codes) > MOST_NAMED:
            raise PlanError(problem("RM438", name=test.of, levels=len(codes)))
        found.append(f"OR({','.join(f'EXACT({cell},{_text(code)})' for code in codes)})")
    return [f"IFERROR({said},FALSE)" if test.of in sheet.plan.step_names else said for said in found]


def _ordered(name: str, end: str, key: str, sheet: Sheet) -> str:
    """Return whether a level stands as it should beside another, in the order of its own levels."""
    places = [f"MATCH({sheet.cell(of)},{_levels_listed(sheet.plan, name)},0)" for of in (name, end)]
    return f"IFERROR({places[0]}{SIGNS[key]}{places[1]},FALSE)"


def _levels_listed(plan: Plan, name: str) -> str:
    """Return the levels of a column or step in order, as an array.

    Raises
    ------
    PlanError
        RM438 more levels than one formula names.
    """
    codes = plan.level_columns[name].codes()
    if len(codes) > MOST_NAMED:
        raise PlanError(problem("RM438", name=name, levels=len(codes)))
    return "{" + ",".join(map(_text, codes)) + "}"


def _compare(name: str, end: Operand, sign: str, sheet: Sheet) -> str:
    """Return a comparison; one with a missing value does not hold. Computed values may differ by their float error."""
    one, other = sheet.cell(name), sheet.number(end)
    value = f"({one}-{DAY_ZERO})" if sheet.is_date(name) else one
    numbers = [f"ISNUMBER({cell})" for cell in (one, *([sheet.cell(end)] if isinstance(end, str) else []))]
    computed = [item for item in (name, end) if isinstance(item, str) and item in sheet.plan.step_names]
    if computed:
        slack = "+".join(_slack(sheet.cell(item), sheet.range_of(item)) for item in computed)
        value, other = f"{value}-{other}", f"{'-' if sign in ('>=', '<') else ''}({slack})"
    return f"IFERROR(AND({','.join(numbers)},{value}{sign}{other}),FALSE)"


def _text(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


Formula = Callable[[Any, str, Sheet], str]
FORMULAS: Mapping[type[Operation], Formula] = MappingProxyType(
    {
        Lookup: _table,
        Classify: _table,
        OneLevel: _level,
        FirstLevel: _level_extreme,
        LastLevel: _level_extreme,
        Interpolate: _table,
        Progressive: _progressive,
        Judgement: _judgement,
        Product: partial(_joined, sign="*"),
        Sum: partial(_joined, sign="+"),
        Difference: partial(_joined, sign="-"),
        Ratio: partial(_joined, sign="/"),
        Largest: _extreme,
        Smallest: _extreme,
        Latest: _extreme,
        Earliest: _extreme,
        AddPercentages: _percentages,
        Bound: _bound,
        Cap: _cap,
        Round: _round,
        Power: _power,
        Exponential: _exponential,
        Logarithm: _logarithm,
        Days: _days,
        Months: _months,
        Years: _years,
        AddMonths: _add_months,
        DatePart: _date_part,
        Rollup: _rollup,
        Rank: _rank,
        Take: _take,
        TakeLevel: _take,
        ShareOut: _share,
        Part: _part,
    }
)
Helped = tuple[Callable[[Any], Sequence[str]], Callable[[Any, str, Sheet], dict[str, str]]]
HELPERS: Mapping[type[Operation], Helped] = MappingProxyType(
    {
        Rollup: (_rollup_parts, _rollup_helpers),
        Rank: (lambda operation: ["of"], _rank_helpers),
        Take: (lambda operation: ["line"], _line_of),
        TakeLevel: (lambda operation: ["line"], _line_of),
        ShareOut: (_share_parts, _share_helpers),
        Part: (_part_parts, _part_helpers),
    }
)
