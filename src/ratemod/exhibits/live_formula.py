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

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from ratemod.errors import PlanError, problem
from ratemod.exhibits.live_tables import DAY_ZERO, TableSheet, axis_headers, axis_test, look_up
from ratemod.plan.model import ANY, NOTHING, Combination, Condition, Operand, Plan, Step, Test
from ratemod.plan.ranges import Range, operand_range, snap_places
from ratemod.plan.slices import along

ROW = "\ue000"  # stands for the row number in a formula that is made once and used for every row
LEAST_GUARD = 2.0**-46
MOST_GUARD = 2.0**-40
MOST_SLACK = 1e-6


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
        """Return whether a name is a date column, whose cells count days as Excel does."""
        return name in self.plan.columns and self.plan.columns[name].kind == "date"

    def number(self, operand: Operand) -> str:
        """Return an operand as a number: #N/A where it has none; dates as days since 1970-01-01."""
        if isinstance(operand, Decimal):
            said = format(operand, "f")
            return f"({said})" if operand < 0 else said
        cell = self.cell(operand)
        said = f"({cell}-{DAY_ZERO})" if self.is_date(operand) else cell
        return f"IF(ISNUMBER({cell}),{said},NA())" if operand in self.empty else said

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
    said = _operation(step, sheet)
    places = snap_places(step, sheet.plan, sheet.known)
    if places is not None:  # a sum that cancels is put back on its grid, as the fast path does
        said = f"ROUND({said},{places})"
    if step.when is None:
        return said
    if step.otherwise is None:
        other = sheet.number(step.of[0])
    else:
        other = '""' if step.otherwise == NOTHING else sheet.number(step.otherwise)
    return f"IF({condition(step.when, sheet)},{said},{other})"


def _operation(step: Step, sheet: Sheet) -> str:
    of = [sheet.number(operand) for operand in step.of] if step.op not in ("days", "months") else []
    match step.op:
        case "judgement" if not step.table:
            ends = [sheet.number(end or Decimal(0)) for end in (step.low, step.high)]
            return _judged(step, sheet, of[0], ends[0], ends[1])
        case "lookup" | "classify" | "interpolate" | "judgement":
            return _table(step, sheet)
        case "progressive":
            return _progressive(step, sheet)
        case "product":
            return "*".join(of)
        case "sum":
            return "+".join(of)
        case "difference":
            return "-".join(of)
        case "add_percentages":
            return "1" + "".join(f"+({item}-1)" for item in of)
        case "ratio":
            return f"{of[0]}/{of[1]}"
        case "largest" | "smallest":
            return f"{'MAX' if step.op == 'largest' else 'MIN'}({','.join(of)})"
        case "bound":
            return _bound(step, sheet, of[0])
        case "cap":
            return _cap(step, sheet, of[0])
        case "round":
            return rounded(of[0], step.quantum or Decimal(1), step.mode, sheet.range_of(step.of[0]))
        case "power":
            exponent = sheet.number(step.exponent or Decimal(0))
            raised = rounded(f"{of[0]}^{exponent}", step.quantum or Decimal(1), "half_up", Range(rel=LEAST_GUARD))
            return f"IF({of[0]}>0,{raised},NA())"
        case "days" | "months":
            return _dates(step, sheet)
        case "rollup":
            return _rollup(step, sheet)
        case "share_out":
            return _share(step, sheet)
    raise AssertionError(step.op)


def _bound(step: Step, sheet: Sheet, value: str) -> str:
    said = value if step.low is None else f"MAX({value},{sheet.number(step.low)})"
    return said if step.high is None else f"MIN({said},{sheet.number(step.high)})"


def _cap(step: Step, sheet: Sheet, value: str) -> str:
    """Return a cap: rows without the amount to compare with, or without an end, pass."""
    against, said = sheet.cell(step.against), value
    for end, how in ((step.low, "MAX"), (step.high, "MIN")):
        if end is not None:
            kept = f"{how}({said},{sheet.number(end)}*{against})"
            said = f"IFERROR({kept},{said})" if end in sheet.empty else kept
    return f"IF(ISNUMBER({against}),{said},{value})"


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
    plain = quantum.normalize()
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


def _dates(step: Step, sheet: Sheet) -> str:
    start, end = (sheet.cell(str(name)) for name in step.of)
    last = f"({end}+1)" if step.inclusive else end
    if step.op == "days":
        said = f"{last}-{start}"
    else:
        whole = f"(YEAR({last})-YEAR({start}))*12+MONTH({last})-MONTH({start})"
        anniversary = f"MIN(DAY({start}),DAY(EOMONTH({last},0)))"
        said = f"{whole}-(DAY({last})<{anniversary})"
        if step.count == "started":
            said += f"+(DAY({last})<>{anniversary})"
    return f"IF(AND(ISNUMBER({start}),ISNUMBER({end})),{said},NA())"


def _table(step: Step, sheet: Sheet) -> str:
    table, bound = sheet.tables[step.table], dict(step.by)
    cells, needed = {}, []
    for axis in table.table.axes:
        name = bound.get(axis.name, axis.name)
        cell = sheet.cell(name)
        if axis.kind == "level":
            needed += [f'{cell}<>""'] if name in sheet.empty else []
        else:
            needed += [f"ISNUMBER({cell})"] if name in sheet.empty else []
            cell = cell if axis.is_date else _settled(sheet, name, cell, axis.kind, axis.closed)
            cell = f"({cell}+{DAY_ZERO})" if axis.is_date and not sheet.is_date(name) else cell
        cells[axis.name] = cell
    if step.op == "interpolate":
        said = _interpolate(step, table, cells, sheet.plan)
    else:
        said = look_up(table, step, "value" if step.op == "judgement" else step.column, cells, sheet.plan)
    if step.op == "judgement":
        low, high = (look_up(table, step, end, cells, sheet.plan) for end in ("low", "high"))
        said = _judged(step, sheet, said, low, high)
    if needed:
        said = f"IF(AND({','.join(needed)}),{said},NA())"
    return said


def _judged(step: Step, sheet: Sheet, value: str, low: str, high: str) -> str:
    """Return what was chosen within its ends, or the value where nothing was; computed ends are met within a hair."""
    chosen = sheet.cell(step.chosen)
    tests = [f'{sheet.cell(step.reason)}<>""'] if step.reason else []
    for end, sign, operand in ((low, ">=", step.low), (high, "<=", step.high)):
        computed = isinstance(operand, str) and not sheet.range_of(operand).raw
        slack = f"{'-' if sign == '>=' else '+'}{_slack(end, sheet.range_of(operand))}" if computed and operand else ""
        tests.append(f"{chosen}{sign}{end}{slack}")
    return f"IF(ISNUMBER({chosen}),IF(AND({','.join(tests)}),{chosen},NA()),{value})"


def _progressive(step: Step, sheet: Sheet) -> str:
    """Return rate × width summed over the slices that x reaches; #N/A where no slice holds x."""
    table, bound = sheet.tables[step.table], dict(step.by)
    at = along(step, table.table)
    assert at is not None
    if any(key is ANY for row in table.rows for key in row.keys):
        raise PlanError(problem("RM880", table=step.table))
    axis = table.table.axes[at]
    name = bound.get(axis.name, axis.name)
    x, slack, needed, tests = sheet.cell(name), "0", [f"ISNUMBER({sheet.cell(name)})"], ["1"]
    if name in sheet.plan.step_names:
        of = sheet.range_of(name)
        x, slack = (f"ROUND({x},{of.places})", "0") if of.on_grid else (x, _slack(x, of))
    for place, other in enumerate(table.table.axes):
        if place != at:
            own = bound.get(other.name, other.name)
            needed += [f'{sheet.cell(own)}<>""'] if own in sheet.empty else []
            cell = sheet.cell(own) if other.kind == "level" or other.is_date else _settled(
                sheet, own, sheet.cell(own), other.kind, other.closed
            )  # fmt: skip
            tests.append(axis_test(table, place, other, cell, sheet.plan, bound))
    low, high = (table.range(header) for header in axis_headers(axis))
    there = f'SUMPRODUCT({"*".join(tests)}*({low}<={x}+{slack})*((({high}="")+({x}-{slack}<={high}))>0))>0'
    width = f'({x}-({high}<>"")*({x}>{high})*({x}-{high})-{low})'
    said = f"SUMPRODUCT({'*'.join(tests)}*({low}<{x})*{table.range(step.column)}*{width})"
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


def _interpolate(step: Step, table: TableSheet, cells: Mapping[str, str], plan: Plan) -> str:
    """Return the value linear between the last point at or below x and the next one of its line."""
    axis = next(axis for axis in table.table.axes if axis.kind == "point")
    x, points = cells[axis.name], f"{axis.name}_at"
    ends = f"MIN({table.range(points)})", f"MAX({table.range(points)})"
    extend = step.beyond == "extend" and len({row.keys[table.table.axes.index(axis)] for row in table.rows}) > 1
    if extend:  # the line that ends at the last point begins at the one before
        ends = ends[0], f"LARGE({table.range(points)},1+COUNTIF({table.range(points)},{ends[1]}))"
    at = f"MIN(MAX({x},{ends[0]}),{ends[1]})"
    there = {**cells, axis.name: at}
    v0, v1, x0, x1 = (
        look_up(table, step, header, there, plan)
        for header in (step.column, f"next {step.column}", points, f"next {points}")
    )
    if extend:
        return f"{v0}+({x}-{x0})*({v1}-{v0})/({x1}-{x0})"
    said = f"IF({x0}={at},{v0},{v0}+({at}-{x0})*({v1}-{v0})/({x1}-{x0}))"
    return said if step.beyond != "refuse" else f"IF(AND({x}>={ends[0]},{x}<={ends[1]}),{said},NA())"


def _rollup(step: Step, sheet: Sheet) -> str:
    """Return the sum, largest or least of a policy's lines; #N/A where a line has no value."""
    of, group = sheet.whole(str(step.of[0])), sheet.whole(f"{step.name}:group")
    own = sheet.cell(f"{step.name}:group")
    every = f'COUNTIFS({group},{own})=COUNTIFS({group},{own},{of},">-1E300")'
    if step.how == "sum":
        said = f"SUMIFS({of},{group},{own})"
    else:
        said = f"_xlfn.{'MAXIFS' if step.how == 'max' else 'MINIFS'}({of},{group},{own})"
    return f"IF({every},{said},NA())"


def helpers(step: Step, sheet: Sheet) -> dict[str, str]:
    """Return the further columns that a step needs, as name -> formula: those of a share by largest remainder.

    ``T·w mod W`` is taken in two parts so that every product stays below 2⁵³ and is exact.
    """
    if step.op != "share_out":
        return {}
    name = step.name
    places = sheet.range_of(step.weights).places
    if places is None:
        raise PlanError(problem("RM881", step=name, weights=step.weights))
    group, own = sheet.whole(f"{name}:group"), sheet.cell(f"{name}:group")
    fen, weight, rest = (sheet.cell(f"{name}:{part}") for part in ("fen", "weight", "rest"))
    total = sheet.cell(f"{name}:total")
    hundred = f"{sheet.number(step.of[0])}*100"
    of = sheet.range_of(step.of[0])
    upper = f"MOD(INT(ABS({fen})/100000)*{weight},{total})"
    return {
        f"{name}:fen": rounded(hundred, Decimal(1), "half_up", _in_units(of, Decimal("0.01"))),
        f"{name}:weight": f"ROUND({sheet.number(step.weights)}*1{'0' * places},0)",
        f"{name}:total": f"SUMIFS({sheet.whole(f'{name}:weight')},{group},{own})",
        f"{name}:rest": f"MOD({upper}*100000+MOD(ABS({fen}),100000)*{weight},{total})",
        f"{name}:quota": f"ROUND((ABS({fen})*{weight}-{rest})/{total},0)",
    }


def _share(step: Step, sheet: Sheet) -> str:
    name = step.name
    group, own = sheet.whole(f"{name}:group"), sheet.cell(f"{name}:group")
    rests, rest = sheet.whole(f"{name}:rest"), sheet.cell(f"{name}:rest")
    fen, quota = sheet.cell(f"{name}:fen"), sheet.cell(f"{name}:quota")
    left = f"ABS({fen})-SUMIFS({sheet.whole(f'{name}:quota')},{group},{own})"
    ahead = f'COUNTIFS({group},{own},{rests},">"&{rest})'
    tied = f'COUNTIFS({group},{own},{rests},{rest},{sheet.whole("rank")},"<"&{sheet.cell("rank")})'
    return f"SIGN({fen})*({quota}+({ahead}+{tied}<{left}))/100"


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
    for end, sign in ((test.at_least, ">="), (test.above, ">"), (test.at_most, "<="), (test.below, "<")):
        if end is not None:
            found.append(_compare(test.of, end, sign, sheet))
    if test.missing is not None:
        column = sheet.plan.level_columns.get(test.of)
        is_text = column is not None and column.kind in ("level", "flag", "text")
        lacks = f'{cell}=""' if is_text else f"NOT(ISNUMBER({cell}))"
        lacks = f"IFERROR({lacks},TRUE)" if test.of in sheet.plan.step_names else lacks
        found.append(lacks if test.missing else f"NOT({lacks})")
    return found


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
