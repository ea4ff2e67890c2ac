"""The same plan in DuckDB SQL, polars and pandas, generated from its steps as their own users would write them.

Levels are joined or mapped, bands become CASE / when-then / searchsorted, everything else is column arithmetic.
Money is rounded with a hair (1e-7) above one half, which is how a careful user of floats gets ties right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ratemod.plan.grid import grid
from ratemod.plan.model import Combination, Condition, Plan, Step, Table, Test
from ratemod.plan.operand import NOTHING
from ratemod.rating.working import Exact

HAIR = 1e-7
__all__ = ["Exact", "Peer", "duckdb_sql", "pandas_rater", "polars_rater"]


@dataclass(frozen=True)
class Peer:
    """One way to rate: a name and a function from a frame to (premium_fen, fund_fen) columns."""

    name: str
    run: Callable[[Any], Any]


def flat_cells(
    plan: Plan, step: Step, column: str
) -> tuple[list[str], list[list[Any]], list[float | None], list[list[float]]]:
    """Return axis names, per axis the codes, the dense values in row-major order, and per axis the band edges."""
    table: Table = plan.tables[step.operation.table]
    found = grid(table, step.operation.by, plan.columns)
    assert found is not None
    values = found.values(table.column(column))
    names, codes, edges = [], [], []
    keep = []
    for axis in found.axes:
        names.append(axis.bound)
        if axis.axis.kind == "level":
            codes.append(list(axis.marks))
            edges.append([])
            keep.append(slice(0, axis.size - 1))
        else:
            codes.append(list(range(axis.size - 1)))
            edges.append([float(mark) for mark in axis.marks])
            keep.append(slice(0, axis.size - 1))
    dense = values[tuple(keep)].ravel().tolist()
    return names, codes, [None if value != value else value for value in dense], edges


def side_of(plan: Plan, step: Step, name: str) -> str:
    """Return whether a band holds its lower end ("low") or its upper end ("high")."""
    bound = dict(step.operation.by)
    return next(
        axis.closed for axis in plan.tables[step.operation.table].axes if bound.get(axis.name, axis.name) == name
    )


def _verdicts(plan: Plan) -> list[tuple[str, list[Condition]]]:
    """Return the statuses that rules give, worst first, and the conditions of each."""
    actions = {"refuse": "refused", "decline": "declined", "refer": "referred", "label": "labelled"}
    found = [
        (status, [rule.when for rule in plan.rules if rule.action == action]) for action, status in actions.items()
    ]
    return [(status, conditions) for status, conditions in found if conditions]


# ---------------------------------------------------------------- DuckDB


def duckdb_sql(plan: Plan, source: str, keys: tuple[str, ...] = ()) -> tuple[list[str], str]:
    """Return set-up statements (small tables) and one SELECT that prices every row of `source`."""
    setup: list[str] = []
    query = f"SELECT * FROM {source}"
    for number, step in enumerate(plan.steps):
        expression, join = _sql_step(plan, step, number, setup)
        if step.when is not None:
            other = "NULL" if step.otherwise == NOTHING else _sql(plan, step.other)
            expression = f"CASE WHEN {_sql_condition(plan, step.when)} THEN {expression} ELSE {other} END"
        query = f'SELECT s.*, {expression} AS "{step.name}" FROM ({query}) s{join}'
    fund = f', CAST(round("{plan.fund}" * 100) AS BIGINT) AS fund_fen' if plan.fund else ""
    head = "".join(f"{key}, " for key in keys)
    cases = "".join(
        f"WHEN {' OR '.join(_sql_condition(plan, when) for when in found)} THEN '{status}' "
        for status, found in _verdicts(plan)
    )
    query = f"SELECT s.*, CASE {cases}ELSE 'rated' END AS status FROM ({query}) s"
    return (
        setup,
        f'SELECT {head}CAST(round("{plan.premium}" * 100) AS BIGINT) AS premium_fen{fund}, status FROM ({query})',
    )


def _sql(plan: Plan, operand: str | Decimal) -> str:
    if isinstance(operand, Decimal):
        return f"{float(operand)!r}::DOUBLE"
    if operand in plan.constants:
        return f"{float(plan.constants[operand].value)!r}::DOUBLE"
    return f's."{operand}"'


def _sql_band(plan: Plan, step: Step, name: str, edges: list[float]) -> str:
    below = "<" if side_of(plan, step, name) == "low" else "<="
    cases = " ".join(f"WHEN {_sql(plan, name)} {below} {edge!r} THEN {at}" for at, edge in enumerate(edges))
    return f"(CASE {cases} ELSE {len(edges)} END)" if edges else "0"


def _sql_look_up(plan: Plan, step: Step, number: int, setup: list[str], column: str) -> tuple[str, str]:
    names, codes, dense, edges = flat_cells(plan, step, column)
    if len(names) == 1 and edges[0]:
        below = "<" if side_of(plan, step, names[0]) == "low" else "<="
        cases = " ".join(
            f"WHEN {_sql(plan, names[0])} {below} {edge!r} THEN {value!r}"
            for edge, value in zip(edges[0], dense)
            if value is not None
        )
        return f"(CASE WHEN {_sql(plan, names[0])} IS NULL THEN NULL {cases} ELSE {dense[-1]!r} END)", ""
    if len(names) == 1 and len(dense) <= 16:
        cases = " ".join(f"WHEN '{code}' THEN {value!r}" for code, value in zip(codes[0], dense) if value is not None)
        return f'(CASE s."{names[0]}" {cases} END)', ""
    import itertools

    alias = f"t{number}{column[0]}"
    rows = [(*key, value) for key, value in zip(itertools.product(*codes), dense) if value is not None]
    kinds = ", ".join(f"k{at} {'INTEGER' if edges[at] else 'VARCHAR'}" for at in range(len(names)))
    setup.append(f"CREATE OR REPLACE TEMP TABLE {alias} ({kinds}, v DOUBLE)")
    setup.append(
        f"INSERT INTO {alias} VALUES " + ", ".join("(" + ", ".join(repr(cell) for cell in row) + ")" for row in rows)
    )
    on = " AND ".join(
        f"{alias}.k{at} = {_sql_band(plan, step, name, edges[at]) if edges[at] else _sql(plan, name)}"
        for at, name in enumerate(names)
    )
    return f"{alias}.v", f" LEFT JOIN {alias} ON {on}"


def _sql_step(plan: Plan, step: Step, number: int, setup: list[str]) -> tuple[str, str]:
    of = [_sql(plan, operand) for operand in step.operation.of]
    match step.operation.op:
        case "lookup":
            return _sql_look_up(plan, step, number, setup, step.operation.column)
        case "judgement":
            value, join = _sql_look_up(plan, step, number, setup, "value")
            return f'coalesce(s."{step.operation.chosen}", {value})', join
        case "product" | "sum" | "difference":
            return "(" + {"product": " * ", "sum": " + ", "difference": " - "}[step.operation.op].join(of) + ")", ""
        case "add_percentages":
            return f"({1 - len(of)} + {' + '.join(of)})", ""
        case "ratio":
            return f"({of[0]} / nullif({of[1]}, 0))", ""
        case "largest" | "smallest":
            return f"{'greatest' if step.operation.op == 'largest' else 'least'}({', '.join(of)})", ""
        case "bound" | "cap":
            found = of[0]
            for end, name in ((step.operation.low, "greatest"), (step.operation.high, "least")):
                if end is not None:
                    limit = (
                        _sql(plan, end)
                        if step.operation.op == "bound"
                        else f'{_sql(plan, end)} * s."{step.operation.against}"'
                    )
                    found = f"{name}({found}, {limit})"
            return found, ""
        case "round":
            unit = float(step.operation.unit or 1)
            scaled = f"{of[0]} * {1 / unit!r}" if unit < 1 else f"{of[0]} / {unit!r}"
            whole = {
                "half_up": f"floor({scaled} + {0.5 + HAIR!r})",
                "up": f"ceil({scaled} - {HAIR!r})",
                "down": f"floor({scaled} + {HAIR!r})",
            }[step.operation.mode]
            return f"{whole} / {1 / unit!r}" if unit < 1 else f"{whole} * {unit!r}", ""
        case "days":
            return f"date_diff('day', {of[0]}, {of[1]}){' + 1' if step.operation.inclusive else ''}", ""
        case "months":
            end = f"({of[1]} + INTERVAL 1 DAY)" if step.operation.inclusive else of[1]
            complete = f"datesub('month', {of[0]}, {end})"
            if step.operation.count == "complete":
                return complete, ""
            return f"({complete} + CASE WHEN {of[0]} + to_months({complete}::INTEGER) < {end} THEN 1 ELSE 0 END)", ""
    raise NotImplementedError(step.operation.op)


def _sql_condition(plan: Plan, condition: Condition) -> str:
    if isinstance(condition, Combination):
        parts = [_sql_condition(plan, part) for part in condition.parts]
        joined = "(" + (" AND " if condition.how == "all" else " OR ").join(parts) + ")"
        return f"NOT coalesce({joined}, false)" if condition.how == "none" else joined
    tests = list(_sql_tests(plan, condition))
    return "coalesce(" + " AND ".join(tests) + ", false)"


def _sql_literal(plan: Plan, test: Test, operand: str | Decimal) -> str:
    column = plan.columns.get(test.of)
    if isinstance(operand, Decimal) and column is not None and column.kind == "date":
        return f"(DATE '1970-01-01' + {int(operand)})"
    return _sql(plan, operand)


def _sql_tests(plan: Plan, test: Test) -> Iterator[str]:
    name = _sql(plan, test.of)
    if test.is_:
        yield f"{name} IN ({', '.join(repr(value) for value in test.is_)})"
    if test.is_not:
        yield f"{name} NOT IN ({', '.join(repr(value) for value in test.is_not)})"
    for operand, sign in ((test.at_least, ">="), (test.above, ">"), (test.at_most, "<="), (test.below, "<")):
        if operand is not None:
            yield f"{name} {sign} {_sql_literal(plan, test, operand)}"
    if test.missing is not None:
        yield f"{name} IS {'' if test.missing else 'NOT '}NULL"


# ---------------------------------------------------------------- polars


def polars_rater(plan: Plan) -> Callable[[Any], Any]:
    """Return a function from a polars (lazy) frame to a lazy frame with every step and the fen."""
    import itertools

    import polars as pl

    def col(operand: str | Decimal) -> Any:
        if isinstance(operand, Decimal):
            return pl.lit(float(operand))
        return pl.lit(float(plan.constants[operand].value)) if operand in plan.constants else pl.col(operand)

    def band(step: Step, name: str, edges: list[float]) -> Any:
        code = pl.lit(0, pl.Int32)
        for edge in edges:
            past = col(name) >= edge if side_of(plan, step, name) == "low" else col(name) > edge
            code = code + past.cast(pl.Int32)
        return code

    def look_up(frame: Any, step: Step, column: str, out: str) -> Any:
        names, codes, dense, edges = flat_cells(plan, step, column)
        if len(names) == 1:
            key = band(step, names[0], edges[0]) if edges[0] else pl.col(names[0]).cast(pl.String)
            known = [(code, value) for code, value in zip(codes[0], dense) if value is not None]
            value = key.replace_strict(
                [code for code, _ in known], [value for _, value in known], default=None, return_dtype=pl.Float64
            )
            return frame.with_columns(value.alias(out))
        rows = [(*key, value) for key, value in zip(itertools.product(*codes), dense) if value is not None]
        keys = [f"_{out}_{at}" for at in range(len(names))]
        cells = pl.DataFrame(rows, schema=[*keys, out], orient="row").with_columns(
            [pl.col(key).cast(pl.Int32) for at, key in enumerate(keys) if edges[at]]
        )
        made = [
            (band(step, name, edges[at]) if edges[at] else pl.col(name).cast(pl.String)).alias(keys[at])
            for at, name in enumerate(names)
        ]
        return frame.with_columns(made).join(cells.lazy(), on=keys, how="left", maintain_order="left").drop(keys)

    def condition(given: Condition) -> Any:
        if isinstance(given, Combination):
            parts = [condition(part) for part in given.parts]
            found = pl.all_horizontal(parts) if given.how == "all" else pl.any_horizontal(parts)
            return ~found if given.how == "none" else found
        tests = []
        name = pl.col(given.of)
        if given.is_:
            tests.append(name.cast(pl.String).is_in(list(given.is_)))
        if given.is_not:
            tests.append(~name.cast(pl.String).is_in(list(given.is_not)))
        dated = given.of in plan.columns and plan.columns[given.of].kind == "date"
        for operand, sign in ((given.at_least, "ge"), (given.above, "gt"), (given.at_most, "le"), (given.below, "lt")):
            if operand is not None:
                limit = pl.lit(int(operand)).cast(pl.Date) if dated and isinstance(operand, Decimal) else col(operand)
                tests.append(getattr(name, sign)(limit))
        if given.missing is not None:
            tests.append(name.is_null() if given.missing else name.is_not_null())
        return pl.all_horizontal(tests).fill_null(False)

    def value(step: Step) -> Any:
        of = [col(operand) for operand in step.operation.of]
        found = of[0] if of else None
        match step.operation.op:
            case "product" | "sum" | "difference":
                for item in of[1:]:
                    found = {"product": found * item, "sum": found + item, "difference": found - item}[
                        step.operation.op
                    ]
                return found
            case "add_percentages":
                return sum(of[1:], of[0]) + (1 - len(of))
            case "ratio":
                return pl.when(of[1] != 0).then(of[0] / of[1])
            case "largest":
                return pl.max_horizontal(of)
            case "smallest":
                return pl.min_horizontal(of)
            case "bound" | "cap":
                for end, pick in ((step.operation.low, pl.max_horizontal), (step.operation.high, pl.min_horizontal)):
                    if end is not None:
                        found = pick(
                            found,
                            col(end) if step.operation.op == "bound" else col(end) * pl.col(step.operation.against),
                        )
                return found
            case "round":
                unit = float(step.operation.unit or 1)
                scaled = found * (1 / unit)
                whole = {
                    "half_up": lambda: (scaled + (0.5 + HAIR)).floor(),
                    "up": lambda: (scaled - HAIR).ceil(),
                    "down": lambda: (scaled + HAIR).floor(),
                }[step.operation.mode]()
                return whole / (1 / unit)
            case "days":
                return (of[1] - of[0]).dt.total_days() + int(step.operation.inclusive)
            case "months":
                end = of[1].dt.offset_by("1d") if step.operation.inclusive else of[1]
                complete = (
                    (end.dt.year() - of[0].dt.year()) * 12
                    + (end.dt.month() - of[0].dt.month())
                    - (end.dt.day() < of[0].dt.day()).cast(pl.Int32)
                )
                return (
                    complete
                    if step.operation.count == "complete"
                    else complete + (end.dt.day() != of[0].dt.day()).cast(pl.Int32)
                )
        raise NotImplementedError(step.operation.op)

    def rate(frame: Any) -> Any:
        lazy = frame.lazy()
        for step in plan.steps:
            if step.operation.op in ("lookup", "judgement"):
                lazy = look_up(lazy, step, step.operation.column, step.name)
                found = (
                    pl.coalesce(pl.col(step.operation.chosen), pl.col(step.name))
                    if step.operation.op == "judgement"
                    else pl.col(step.name)
                )
            else:
                found = value(step)
            if step.when is not None:
                other = pl.lit(None, pl.Float64) if step.otherwise == NOTHING else col(step.other)
                found = pl.when(condition(step.when)).then(found).otherwise(other)
            lazy = lazy.with_columns(found.alias(step.name))
        fen = [(pl.col(plan.premium) * 100).round().cast(pl.Int64).alias("premium_fen")]
        if plan.fund:
            fen.append((pl.col(plan.fund) * 100).round().cast(pl.Int64).alias("fund_fen"))
        status = pl.lit("rated")
        for name, conditions in reversed(_verdicts(plan)):
            caught = pl.any_horizontal([condition(when) for when in conditions])
            status = pl.when(caught).then(pl.lit(name)).otherwise(status)
        return lazy.with_columns(*fen, status.alias("status"))

    return rate


# ---------------------------------------------------------------- pandas


def pandas_rater(plan: Plan) -> Callable[[Any], Any]:
    """Return a function from a pandas frame to a frame with every step and the fen."""
    import itertools

    import numpy as np
    import pandas as pd

    def rate(frame: Any) -> Any:
        out = frame.copy(deep=False)

        def col(operand: str | Decimal) -> Any:
            if isinstance(operand, Decimal):
                return float(operand)
            return float(plan.constants[operand].value) if operand in plan.constants else out[operand]

        def look_up(step: Step) -> Any:
            names, codes, dense, edges = flat_cells(plan, step, step.operation.column)
            keys = [
                np.searchsorted(edges[at], col(name), side="right" if side_of(plan, step, name) == "low" else "left")
                if edges[at]
                else out[name]
                for at, name in enumerate(names)
            ]
            if len(names) == 1 and not edges[0]:
                return keys[0].map(dict(zip(codes[0], dense))).astype(float)
            if len(names) == 1:
                return pd.Series(np.array([np.nan if v is None else v for v in dense])[keys[0]], index=out.index)
            cells = pd.DataFrame(
                [(*key, cell) for key, cell in zip(itertools.product(*codes), dense)],
                columns=[*(f"k{at}" for at in range(len(names))), "v"],
            )
            left = pd.DataFrame({f"k{at}": np.asarray(key) for at, key in enumerate(keys)})
            merged = left.merge(cells, on=list(left.columns), how="left")
            return pd.Series(merged["v"].to_numpy(), index=out.index)

        def condition(given: Condition) -> Any:
            if isinstance(given, Combination):
                parts = [condition(part) for part in given.parts]
                found = np.logical_and.reduce(parts) if given.how == "all" else np.logical_or.reduce(parts)
                return ~found if given.how == "none" else found
            mask = np.ones(len(out), dtype=bool)
            series = out[given.of]
            if given.is_:
                mask &= series.isin(given.is_).to_numpy()
            if given.is_not:
                mask &= ~series.isin(given.is_not).to_numpy()
            dated = given.of in plan.columns and plan.columns[given.of].kind == "date"
            for operand, sign in (
                (given.at_least, "ge"),
                (given.above, "gt"),
                (given.at_most, "le"),
                (given.below, "lt"),
            ):
                if operand is not None:
                    limit = (
                        pd.Timestamp(int(operand), unit="D") if dated and isinstance(operand, Decimal) else col(operand)
                    )
                    mask &= getattr(series, sign)(limit).to_numpy()
            if given.missing is not None:
                mask &= (series.isna() == given.missing).to_numpy()
            return mask

        def months(step: Step) -> Any:
            start, end = (out[str(name)] for name in step.operation.of)
            end = end + pd.Timedelta(days=1) if step.operation.inclusive else end
            complete = (end.dt.year - start.dt.year) * 12 + end.dt.month - start.dt.month - (end.dt.day < start.dt.day)
            return complete if step.operation.count == "complete" else complete + (end.dt.day != start.dt.day)

        def value(step: Step) -> Any:
            of = [col(operand) for operand in step.operation.of] if step.operation.op not in ("days", "months") else []
            found = of[0] if of else None
            match step.operation.op:
                case "lookup":
                    return look_up(step)
                case "judgement":
                    return out[step.operation.chosen].fillna(look_up(step))
                case "product" | "sum" | "difference":
                    for item in of[1:]:
                        found = {
                            "product": lambda a, b: a * b,
                            "sum": lambda a, b: a + b,
                            "difference": lambda a, b: a - b,
                        }[step.operation.op](found, item)
                    return found
                case "add_percentages":
                    return sum(of[1:], of[0]) + (1 - len(of))
                case "ratio":
                    return of[0] / of[1].where(of[1] != 0)
                case "largest" | "smallest":
                    pick = np.fmax if step.operation.op == "largest" else np.fmin
                    for item in of[1:]:
                        found = pick(found, item)
                    return found
                case "bound" | "cap":
                    for end, pick in ((step.operation.low, np.fmax), (step.operation.high, np.fmin)):
                        if end is not None:
                            found = pick(
                                found,
                                col(end) if step.operation.op == "bound" else col(end) * out[step.operation.against],
                            )
                    return found
                case "round":
                    unit = float(step.operation.unit or 1)
                    scaled = found * (1 / unit)
                    whole = {
                        "half_up": lambda: np.floor(scaled + (0.5 + HAIR)),
                        "up": lambda: np.ceil(scaled - HAIR),
                        "down": lambda: np.floor(scaled + HAIR),
                    }[step.operation.mode]()
                    return whole / (1 / unit)
                case "days":
                    return (out[str(step.operation.of[1])] - out[str(step.operation.of[0])]).dt.days + int(
                        step.operation.inclusive
                    )
                case "months":
                    return months(step)
            raise NotImplementedError(step.operation.op)

        for step in plan.steps:
            found = value(step)
            if step.when is not None:
                other = np.nan if step.otherwise == NOTHING else col(step.other)
                found = np.where(condition(step.when), found, other)
            out[step.name] = found
        out["premium_fen"] = np.rint(out[plan.premium] * 100)
        if plan.fund:
            out["fund_fen"] = np.rint(out[plan.fund] * 100)
        verdicts = [
            (name, np.logical_or.reduce([condition(when) for when in found])) for name, found in _verdicts(plan)
        ]
        out["status"] = np.select([mask for _, mask in verdicts], [name for name, _ in verdicts], "rated")
        return out

    return rate
