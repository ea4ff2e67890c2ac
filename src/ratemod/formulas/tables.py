"""A plan's tables and constants on sheets, and the formulas that look them up.

The rule of `plan/grid.py` is kept: of the rows that answer a cell the one with fewer ``*`` wins. Rows are therefore
written with most ``*`` first, and ``LOOKUP(2, 1/(conditions), values)`` takes the last row that meets all conditions.
That form needs no array entry and works in every Excel and in LibreOffice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ratemod.errors import PlanError, problem
from ratemod.plan.model import ANY, Axis, AxisKey, Band, Plan, Row, Table
from ratemod.plan.op.base import TableOperation

DAY_ZERO = 25569  # Excel's number of 1970-01-01
FIRST = 4  # first row of a table on its sheet: title, unit, headers stand above
_WILD = frozenset("*?~")


@dataclass(frozen=True, slots=True)
class TableSheet:
    """Where a table stands.

    Attributes
    ----------
    table : Table
    sheet : str
        Name of the sheet.
    rows : tuple of Row
        As written: most ``*`` first.
    columns : mapping of header to letter
        Axis columns (``x`` or ``x_from`` and so on), value columns, and for each axis of points its neighbours.
    """

    table: Table
    sheet: str
    rows: tuple[Row, ...]
    columns: Mapping[str, str]

    def range(self, header: str) -> str:
        """Return the cells of a column as an absolute reference."""
        letter, last = self.columns[header], FIRST + len(self.rows) - 1
        return f"{quoted(self.sheet)}!${letter}${FIRST}:${letter}${last}"


def letters(at: int) -> str:
    """Return the letters of a column counted from 0.

    Examples
    --------
    >>> letters(0), letters(25), letters(26), letters(701), letters(702)
    ('A', 'Z', 'AA', 'ZZ', 'AAA')
    """
    said = ""
    at += 1
    while at:
        at, rest = divmod(at - 1, 26)
        said = chr(65 + rest) + said
    return said


def quoted(sheet: str) -> str:
    """Return a sheet's name as it stands in a formula."""
    return "'" + sheet.replace("'", "''") + "'"


def sheet_names(names: Sequence[str], taken: Sequence[str]) -> dict[str, str]:
    """Return a sheet name for every table: at most 31 characters, none twice whatever the case.

    Examples
    --------
    >>> sheet_names(["base_rate", "x" * 40, "x" * 41], ["Base_Rate"])["base_rate"]
    'base_rate 2'
    """
    used, found = {name.casefold() for name in taken}, {}
    for name in names:
        plain, number = name[:27], 1
        while (said := plain if number == 1 else f"{plain} {number}").casefold() in used:
            number += 1
        used.add(said.casefold())
        found[name] = said
    return found


def axis_headers(axis: Axis) -> tuple[str, ...]:
    """Return the headers of an axis as in a plan's CSV files."""
    if axis.kind == "band":
        ends = ("from", "below") if axis.closed == "low" else ("above", "to")
        return tuple(f"{axis.name}_{end}" for end in ends)
    return (f"{axis.name}_at",) if axis.kind == "point" else (axis.name,)


def key_cells(axis: Axis, key: AxisKey) -> tuple[str | Decimal | None, ...]:
    """Return what stands in the cells of one key: text, number (dates as Excel counts days) or nothing."""
    shift = DAY_ZERO if axis.is_date else 0
    if key is ANY:
        return ("*", "*") if axis.kind == "band" else ("*",)
    if isinstance(key, Band):
        return tuple(None if end is None else end + shift for end in (key.low, key.high))
    return (key + shift,) if isinstance(key, Decimal) else (str(key),)


def table_sheet(table: Table, sheet: str) -> TableSheet:
    """Lay a table out on a sheet.

    Raises
    ------
    PlanError
        RM880 a table with points that also has ``*``: which line a cell lies on could not be one formula.
    """
    headers = [header for axis in table.axes for header in axis_headers(axis)] + list(table.value_names)
    wild = {id(row): sum(key is ANY for key in row.keys) for row in table.rows}
    rows = sorted(table.rows, key=lambda row: -wild[id(row)])
    points = [axis for axis in table.axes if axis.kind == "point"]
    if points and any(wild.values()):
        raise PlanError(problem("RM880", table=table.name))
    headers += [header for axis in points for header in neighbours(axis)]
    return TableSheet(table, sheet, tuple(rows), {header: letters(at) for at, header in enumerate(headers)})


def neighbours(axis: Axis) -> tuple[str, str]:
    """Return the headers of the columns that hold the points before and after each point of an axis."""
    return f"before {axis.name}_at", f"after {axis.name}_at"


def points_beside(table: Table) -> list[tuple[Decimal, ...]]:
    """Return, for each row of a table, the points before and after its own on each axis of points.

    Before the first and after the last stands one at a distance of 1, which no value reaches.
    """
    found: list[tuple[Decimal, ...]] = [() for _ in table.rows]
    for at, axis in enumerate(table.axes):
        if axis.kind == "point":
            shift = DAY_ZERO if axis.is_date else 0
            points = sorted({key + shift for row in table.rows if isinstance(key := row.keys[at], Decimal)})
            ends = [points[0] - 1, *points, points[-1] + 1] if points else []
            beside = {point: (ends[place], ends[place + 2]) for place, point in enumerate(points)}
            for place, row in enumerate(table.rows):
                key = row.keys[at]
                found[place] += beside[key + shift] if isinstance(key, Decimal) else ()
    return found


def look_up(sheet: TableSheet, operation: TableOperation, column: str, cells: Mapping[str, str], plan: Plan) -> str:
    """Return the formula of one cell of a table.

    Parameters
    ----------
    sheet : TableSheet
    operation : TableOperation
        The look-up.
    column : str
        Value column, or ``next`` one.
    cells : mapping of axis name to what it reads, as formula text
    plan : Plan
    """
    table, bound = sheet.table, operation.bound(sheet.table)
    if not table.axes:
        return f"INDEX({sheet.range(column)},1)"
    if len(table.axes) == 1 and table.axes[0].kind == "level":
        axis = table.axes[0]
        keys = [row.keys[0] for row in table.rows]
        if not _needs_case(plan, bound.get(axis.name, axis.name)) and not any(
            key is ANY or _WILD & set(str(key)) for key in keys
        ):
            return f"INDEX({sheet.range(column)},MATCH({cells[axis.name]},{sheet.range(axis.name)},0))"
    tests = [axis_test(sheet, at, axis, cells[axis.name], plan, bound) for at, axis in enumerate(table.axes)]
    return f"LOOKUP(2,1/({'*'.join(tests)}),{sheet.range(column)})"


def axis_test(sheet: TableSheet, at: int, axis: Axis, cell: str, plan: Plan, bound: Mapping[str, str]) -> str:
    """Return where the rows of a table answer a cell on one axis, as an array of 0 and 1."""
    ranges = [sheet.range(header) for header in axis_headers(axis)]
    wild = any(row.keys[at] is ANY for row in sheet.rows)
    if axis.kind == "band":
        low, high = ("<=", "<") if axis.closed == "low" else ("<", "<=")
        star = f'+({ranges[0]}="*")' if wild else ""
        first = f'((({ranges[0]}="")+({ranges[0]}{low}{cell}){star})>0)'
        return f'{first}*((({ranges[1]}="")+({cell}{high}{ranges[1]}){star})>0)'
    if axis.kind == "level" and _needs_case(plan, bound.get(axis.name, axis.name)):
        same = f"EXACT({ranges[0]},{cell})"
    else:
        same = f"({ranges[0]}={cell})"
    return f'(({same}+({ranges[0]}="*"))>0)' if wild else same


def _needs_case(plan: Plan, name: str) -> bool:
    """Return whether two levels of a column differ by case alone, which Excel's ``=`` does not see."""
    codes = plan.level_columns[name].codes() if name in plan.level_columns else ()
    return len({code.casefold() for code in codes}) < len(codes)
