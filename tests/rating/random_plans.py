"""Random plans and random coded books, to hold the fast path against the definition."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache
from types import MappingProxyType

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from ratemod.plan.model import (
    ANY,
    Axis,
    Band,
    Check,
    Combination,
    Constant,
    Legal,
    LegalException,
    Plan,
    Row,
    Rule,
    Source,
    Step,
    Table,
    Test,
)
from ratemod.plan.operand import Day
from ratemod.rating.groups import together
from ratemod.rating.inputs import Inputs
from ratemod.vocabulary.column import FLAG_LEVELS, Column, Level
from tests.rating.steps import step_of

COLUMNS = {
    "sector": Column("sector", "level", levels=tuple(Level(code) for code in "abcd")),
    "grade": Column("grade", "level", levels=tuple(Level(code) for code in "cab"), optional=True),
    "listed": Column("listed", "flag", levels=FLAG_LEVELS),
    "heads": Column("heads", "number", decimals=0, low=Decimal(0), high=Decimal(5000)),
    "limit_yuan": Column("limit_yuan", "number", decimals=2, low=Decimal(0), high=Decimal(2_000_000)),
    "ratio_in": Column("ratio_in", "number", decimals=4, low=Decimal(-3), high=Decimal(3)),
    "prior": Column("prior", "number", decimals=2, low=Decimal(0), high=Decimal(10**8), optional=True),
    "chosen": Column("chosen", "number", decimals=3, low=Decimal(0), high=Decimal(3), optional=True),
    "why": Column("why", "text", optional=True),
    "start": Column("start", "date"),
    "end": Column("end", "date"),
    "id": Column("id", "text"),
    "policy": Column("policy", "text"),
    "location": Column("location", "text", optional=True),
    "weight": Column("weight", "number", decimals=0, low=Decimal(0), high=Decimal(9)),
}

DATES = ("start", "end")


@cache
def decimals(low: str, high: str, places: int) -> st.SearchStrategy[Decimal]:
    """Exact decimals with at most `places` places; low ends of few digits make ties likely."""
    scale = 10**places
    return st.integers(int(Decimal(low) * scale), int(Decimal(high) * scale)).map(lambda n: Decimal(n) / scale)


@st.composite
def tables(draw: st.DrawFn) -> dict[str, Table]:
    factor = decimals("0.5", "2", draw(st.integers(1, 4)))
    rows = tuple(Row((code,), (draw(factor),), "s") for code in draw(st.sets(st.sampled_from("abcd"), min_size=2)))
    if draw(st.booleans()):
        rows += (Row((ANY,), (draw(factor),), "s"),)
    edges = sorted(draw(st.sets(st.integers(1, 5000), min_size=1, max_size=4)))
    ends = [None, *map(Decimal, edges), None]
    bands = tuple(Row((Band(a, b),), (draw(factor),), "s") for a, b in itertools.pairwise(ends))
    fine = sorted(draw(st.sets(decimals("-3", "3", 2), min_size=1, max_size=4)))
    fine_ends = [None, *fine, None]
    fine_bands = tuple(Row((Band(a, b),), (draw(factor),), "s") for a, b in itertools.pairwise(fine_ends))
    points = sorted(draw(st.sets(decimals("-3", "3", 1), min_size=2, max_size=5)))
    line = tuple(Row((point,), (draw(factor),), "s") for point in points)
    across = sorted(draw(st.sets(decimals("-3", "3", 1), min_size=1, max_size=3)))
    plane = [
        Row((x, code, y), (draw(factor),), "s") for code in "abc" for x, y in itertools.product(points[:3], across)
    ]
    if draw(st.booleans()):  # a point that is not offered
        at = draw(st.integers(0, len(plane) - 1))
        plane[at] = replace(plane[at], values=(None,), offered=False)
    days = sorted(draw(st.sets(st.integers(19000, 22000).map(Decimal), min_size=1, max_size=3)))
    by_day = tuple(Row((Band(a, b),), (draw(factor),), "s") for a, b in itertools.pairwise([None, *days, None]))
    judged = tuple(Row((code,), (Decimal("0.9"), Decimal("1"), Decimal("1.1")), "s") for code in "abcd")
    closed = draw(st.sampled_from(["low", "high"]))
    cuts = sorted(draw(st.sets(decimals("-1", "3000", 1), min_size=1, max_size=4)))
    tops = [*cuts, draw(st.sampled_from([None, Decimal(4000)]))]
    sliced = tuple(
        Row((code, Band(a, b)), (draw(decimals("-0.5", "2", 3)),), "s")
        for code in ("a", "b", "c")
        for a, b in itertools.pairwise(tops)
    )
    return {
        "by_sector": Table("by_sector", (Axis("sector", "level"),), ("value",), rows),
        "by_heads": Table("by_heads", (Axis("heads", "band", closed),), ("value",), bands),
        "by_any": Table("by_any", (Axis("x", "band", closed),), ("value",), fine_bands),
        "by_day": Table("by_day", (Axis("day", "band", closed, is_date=True),), ("value",), by_day),
        "line": Table("line", (Axis("x", "point"),), ("value",), line),
        "plane": Table(
            "plane", (Axis("x", "point"), Axis("sector", "level"), Axis("y", "point")), ("value",), tuple(plane)
        ),
        "sliced": Table("sliced", (Axis("sector", "level"), Axis("x", "band", closed)), ("value",), sliced),
        "judged": Table("judged", (Axis("sector", "level"),), ("low", "value", "high"), judged),
    }


@st.composite
def conditions(draw: st.DrawFn, names: list[str]) -> Test | Combination:
    test = draw(
        st.sampled_from(
            [
                Test("sector", is_=("a", "b")),
                Test("sector", is_not=("c",)),
                Test("listed", is_=("yes",)),
                Test("prior", missing=False),
                Test("heads", at_least=Decimal(100)),
                Test("heads", below=Decimal(2500)),
                Test("end", above="start"),
                Test("sector", first="b"),
                Test("sector", first="a", last="c"),
                Test("sector", begins=("b", "d")),
                Test("sector", **{draw(st.sampled_from(["at_least", "above", "at_most", "below"])): "grade"}),
                Test("sector", at_least="grade", at_most="grade"),
                Test("start", at_most=Day.of(date(2026, 7, 1))),
                Test(draw(st.sampled_from(names)), above=draw(decimals("0", "2", 1))),
                Test(draw(st.sampled_from(names)), at_most=draw(st.sampled_from(names))),
            ]
        )
    )
    if draw(st.booleans()):
        return test
    return Combination(draw(st.sampled_from(["all", "any", "none"])), (test, Test("heads", above=Decimal(10))))


@st.composite
def rules(draw: st.DrawFn, names: list[str]) -> Rule:
    """A rule of any action; some look at nothing but the constant that no step reads."""
    when = draw(st.one_of(conditions(names), st.just(Test("heads", above="most"))))
    action = draw(st.sampled_from(["refuse", "decline", "refer", "label"]))
    return Rule(f"rule_{draw(st.integers(0, 99))}", when, action, "caught", "触及", "s")


@st.composite
def legal_ranges(draw: st.DrawFn, names: list[str], name: str) -> Legal:
    """A range of a column, a constant or a step; its ends may be names, and it may have an exception."""
    low = draw(st.one_of(st.none(), decimals("-1", "1", 2), st.sampled_from(["k", "s0"])))
    high = draw(st.one_of(decimals("1", "3000", 1), st.sampled_from(["most", "limit_yuan"])))
    excepted = LegalException(draw(conditions(names)), "allowed", "许可", "s") if draw(st.booleans()) else None
    return Legal(name, draw(st.sampled_from(names)), "s", low, high, excepted)


@st.composite
def funds(draw: st.DrawFn, names: list[str]) -> tuple[Step, ...]:
    """No fund, a share of the premium, an amount beyond all belief, or one that hangs on something else."""
    of = draw(
        st.sampled_from(
            [None, ("premium", "share"), ("premium", Decimal(10) ** 6), (names[-1], "most"), ("premium", names[-1])]
        )
    )
    if of is None:
        return ()
    return step_of("fund_raw", "product", of=of), step_of("fund", "round", of=("fund_raw",), unit=Decimal("0.01"))


CHECKS = (
    Check("one_id", "unique", "id", "twice", "重复", "s"),
    Check("one_listing", "same", "listed", "two answers", "不一致", "s", "policy"),
)


def plan_of(steps: tuple[Step, ...], tables: dict[str, Table] | None = None, k: Decimal = Decimal("0.07")) -> Plan:
    """A plan over `COLUMNS` with the given steps; it ends in the premium, and in a fund if one is among them."""
    return Plan(
        "random",
        "1",
        "",
        "",
        "example",
        "draft",
        date(2026, 1, 1),
        date(2026, 1, 1),
        None,
        None,
        "premium",
        "fund" if any(step.name == "fund" for step in steps) else None,
        "",
        "",
        MappingProxyType({"s": Source("s", "s", "illustrative")}),
        MappingProxyType(COLUMNS),
        MappingProxyType(
            {
                "k": Constant("k", k, "s"),
                "most": Constant("most", Decimal(1000), "s"),
                "share": Constant("share", Decimal("0.15"), "s"),
            }
        ),
        MappingProxyType(tables or {}),
        steps,
    )


@st.composite
def roll_ups(draw: st.DrawFn, names: list[str]) -> list[Step]:
    """What a policy's lines come to, and what its locations do: nested, so that each counts once."""
    how = st.sampled_from(["sum", "mean", "max", "min", "count"])
    found, of = [], draw(st.sampled_from(["heads", *names]))
    for name, by, each in (
        ("lines", draw(st.sampled_from(["policy", ("policy", "location"), ("policy", "sector")])), ()),
        ("parts", "policy", draw(st.sampled_from([(), ("location",), ("sector",), ("location", "sector")]))),
    ):
        kind = draw(how)
        found.append(step_of(name, "rollup", of=() if kind == "count" else (of,), by=by, each=each, how=kind))
        of = draw(st.sampled_from(["lines", "lines", of]))
    by = draw(st.sampled_from(["policy", ("policy", "sector")]))
    order, which = draw(st.sampled_from(["largest", "smallest"])), draw(st.integers(1, 3))
    return [
        *found,
        step_of("place", "rank", of=(draw(st.sampled_from(["heads", *names])),), by=by, first=order),
        step_of("taken", "take", of=(draw(st.sampled_from(["heads", *names])),), by=by, rank="place", which=which),
        step_of("governing", "take_level", by=by, rank="place", levels=COLUMNS["sector"].levels, **{"of": "sector"}),
        step_of("governed", "lookup", table="by_sector", by=(("sector", "governing"),)),
    ]


@st.composite
def dates(draw: st.DrawFn) -> list[Step]:
    """Dates that steps work out, and a level of the plan's own; their names ``later``, ``split``."""
    months = st.one_of(st.sampled_from(["heads", "ratio_in", "k", "s0"]), st.integers(-900, 900).map(Decimal))
    pick = st.sampled_from(["start", "end", "later", Day.of(date(2026, 7, 1))])
    return [
        step_of("later", "add_months", of=("start",), months=draw(months), days=draw(months)),
        step_of("split", draw(st.sampled_from(["earliest", "latest"])), of=tuple(draw(st.lists(pick, min_size=1)))),
        step_of("by_day", "lookup", table="by_day", by=(("day", draw(st.sampled_from(["start", "later", "split"]))),)),
        step_of("month_of", "date_part", of=("split",), which=draw(st.sampled_from(["year", "month", "day"]))),
        step_of("own", "level", **{"is": draw(st.sampled_from("abcd"))}, levels=COLUMNS["sector"].levels),
        step_of(
            "worse",
            draw(st.sampled_from(["first_level", "last_level"])),
            of=("sector", "own"),
            levels=COLUMNS["sector"].levels,
        ),
        step_of("only", "lookup", table="by_sector", by=(("sector", draw(st.sampled_from(["own", "worse"]))),)),
    ]


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """A plan of random steps that ends in a premium rounded to the fen."""
    found = draw(tables())
    names = ["heads", "limit_yuan", "ratio_in", "k"]
    steps = [step_of("s0", "lookup", table="by_sector"), step_of("s1", "lookup", table="by_heads")]
    names += ["s0", "s1"]
    if draw(st.booleans()):
        steps += draw(dates())
        names += ["by_day", "month_of", "only"]
    grouped = draw(st.integers(0, 3)) == 0
    if grouped:
        steps += draw(roll_ups(names))
        names += ["lines", "parts", "place", "taken", "governed"]
    for at in range(2, draw(st.integers(4, 12))):
        name = f"s{at}"
        step = draw(_step(name, names))
        if step.operation.op not in ("days", "months", "years") and draw(st.integers(0, 3)) == 0:
            otherwise = draw(st.sampled_from([Decimal("1.05"), names[-1], "none"]))
            step = replace(step, when=draw(conditions(names)), otherwise=otherwise)
        steps.append(step)
        names.append(name)
    steps.append(
        step_of("big", "product", of=("limit_yuan", "heads", *draw(st.lists(st.sampled_from(names[4:]), max_size=3))))
    )
    steps.append(step_of("capped", "cap", of=("big",), against="prior", low=Decimal("0.75"), high=Decimal("1.25")))
    steps.append(step_of("least", "bound", of=("capped",), low=Decimal("100.005")))
    mode = draw(st.sampled_from(["half_up", "half_up", "up", "down", "half_even"]))
    of = draw(st.sampled_from(["least", names[-1], "capped"]))
    if grouped and draw(st.booleans()):
        steps.append(step_of("sane", "bound", of=(of,), low=Decimal(-(10**8)), high=Decimal(10**8)))
        steps.append(step_of("whole", "round", of=("sane",), unit=Decimal("0.01"), mode=mode))
        steps.append(step_of("total", "rollup", of=("whole",), by="policy", how="sum"))
        steps.append(step_of("premium", "share_out", of=("total",), by="policy", weights="weight"))
    else:
        steps.append(step_of("premium", "round", of=(of,), unit=Decimal("0.01"), mode=mode))
    steps += draw(funds(names))
    names.append("premium")
    made = plan_of(tuple(steps), found, draw(decimals("0.01", "3", 2)))
    return replace(
        made,
        key="id",
        steps=tuple(replace(step, headline=draw(st.booleans())) for step in made.steps),
        rules=tuple(draw(st.lists(rules(names), max_size=3, unique_by=lambda rule: rule.name))),
        checks=tuple(draw(st.lists(st.sampled_from(CHECKS), max_size=2, unique=True))),
        legal=tuple(draw(legal_ranges(names, f"legal_{at}")) for at in range(draw(st.integers(0, 2)))),
    )


@st.composite
def _step(draw: st.DrawFn, name: str, names: list[str]) -> Step:
    op = draw(
        st.sampled_from(
            [
                "product",
                "sum",
                "difference",
                "ratio",
                "largest",
                "smallest",
                "add_percentages",
                "bound",
                "round",
                "interpolate",
                "lookup",
                "judgement",
                "judged_between",
                "progressive",
                "days",
                "months",
                "years",
                "power",
                "exp",
                "part",
                "ln",
            ]
        )
    )
    pick = st.sampled_from(names)
    operand = st.one_of(pick, decimals("0.2", "2", 3))
    match op:
        case "ratio":
            return step_of(name, op, of=(draw(pick), draw(operand)))
        case "bound":
            low = draw(st.one_of(st.none(), decimals("0", "1", 2)))
            return step_of(name, op, of=(draw(pick),), low=low, high=draw(st.one_of(pick, decimals("1", "2", 2))))
        case "round":
            unit = draw(st.sampled_from(["0.01", "0.05", "1", "10", "0.0001", "0.25"]))
            return step_of(
                name,
                op,
                of=(draw(pick),),
                unit=Decimal(unit),
                mode=draw(st.sampled_from(["half_up", "up", "down", "half_even"])),
            )
        case "interpolate":
            by = draw(st.sampled_from([(("x", draw(pick)),), (("x", draw(pick)), ("y", draw(pick)))]))
            beyond = draw(st.sampled_from(["flat", "refuse", "extend"]))
            return step_of(name, op, table="line" if len(by) == 1 else "plane", by=by, beyond=beyond)
        case "lookup":
            return step_of(name, op, table="by_any", by=(("x", draw(pick)),))
        case "judgement":
            return step_of(name, op, table="judged", chosen="chosen", reason=draw(st.sampled_from(["", "why"])))
        case "judged_between":
            low, high = draw(st.one_of(pick, decimals("0", "1", 2))), draw(st.one_of(pick, decimals("1", "2", 2)))
            of, reason = draw(operand), draw(st.sampled_from(["", "why"]))
            return step_of(name, "judgement", of=(of,), low=low, high=high, chosen="chosen", reason=reason)
        case "progressive":
            return step_of(name, op, table="sliced", by=(("x", draw(pick)),))
        case "days" | "months" | "years":
            more = {"count": draw(st.sampled_from(["started", "complete"]))} if op == "months" else {}
            return step_of(name, op, of=("start", "end"), inclusive=draw(st.booleans()), **more)
        case "part":
            among = tuple(draw(st.lists(st.one_of(operand, st.just("weight")), min_size=1, max_size=4)))
            return step_of(name, op, of=(draw(pick),), among=among, which=draw(st.integers(1, len(among))))
        case "exp" | "ln":  # e to the 2,000,000th has 870,000 digits: seldom
            of = draw(st.one_of(*[st.sampled_from(["ratio_in", "k", "s0", "s1"])] * 3, pick) if op == "exp" else pick)
            return step_of(name, op, of=(of,), unit=Decimal(draw(st.sampled_from(["0.001", "0.05", "1"]))))
        case "power":
            return step_of(
                name,
                op,
                of=(draw(pick),),
                exponent=draw(st.sampled_from([Decimal("0.5"), Decimal("0.8"), Decimal("-1.5"), "k", "ratio_in"])),
                unit=Decimal("0.001"),
            )
    return step_of(name, op, of=tuple(draw(st.lists(operand, min_size=1, max_size=3))))


def inputs(seed: int, n: int, plan: Plan | None = None) -> Inputs:
    """Coded columns with missing values and many round numbers; whole numbers and dates as floats or as integers."""
    rng = np.random.default_rng(seed)
    heads = rng.choice([0, 1, 2, 5, 20, 100, 999, 1000, 5000, *range(1, 40)], n).astype(float)
    limit = rng.choice([300000, 400000, 500000, 0.01, 12345.67, 100000.5], n)
    prior = np.where(rng.random(n) < 0.3, np.nan, rng.integers(0, 10**9, n) / 100)
    start = rng.integers(20000, 21000, n).astype(float)
    numbers = {
        "heads": heads,
        "limit_yuan": limit,
        "ratio_in": rng.integers(-30000, 30000, n) / 10000,
        "prior": prior,
        "chosen": np.where(rng.random(n) < 0.6, np.nan, rng.integers(800, 1200, n) / 1000),
        "start": start,
        "end": start + rng.integers(-5, 800, n),
        "weight": rng.integers(0, 9, n).astype(float),
    }
    numbers["heads"] = np.where(rng.random(n) < 0.02, np.nan, heads)
    if rng.random() < 0.5:
        numbers |= {"heads": heads.astype(np.int32), "start": start.astype(np.int32), "weight": rng.integers(0, 9, n)}
    grade = rng.integers(-1, 3, n).astype(np.int16)
    codes = {
        "sector": rng.integers(-1, 4, n).astype(np.int16),
        "grade": grade,
        "listed": rng.integers(0, 2, n).astype(np.int16),
    }
    filled = {"why": rng.random(n) < 0.7}
    texts = {"why": np.where(filled["why"], "reason", "").astype(object)}
    location = np.where(rng.random(n) < 0.03, -1, rng.integers(0, 3, n))
    own = {"policy": np.sort(rng.integers(0, max(n // 2, 1), n)), "location": location, "sector": codes["sector"]}
    groups = {} if plan is None else {names: together([own[name] for name in names]) for names in plan.groups}
    return Inputs(n, numbers, codes, filled, texts, groups, rng.permutation(n) if groups else None)


def frame(seed: int, n: int) -> pd.DataFrame:
    """The same as a list: with cells that cannot be read, keys that repeat and policies that contradict themselves."""
    made = inputs(seed, n)
    rng = np.random.default_rng(seed + 1)
    named = np.array(["a", "b", "c", "d", "?", None], dtype=object)  # -1, a missing level, is the last
    day = {name: np.asarray(made.numbers[name]).astype("datetime64[D]").astype("datetime64[s]") for name in DATES}
    keys = np.arange(n)
    keys[rng.random(n) < 0.03] = 0
    return pd.DataFrame(
        {
            **{name: array for name, array in made.numbers.items() if name not in day},
            **day,
            "sector": named[np.where(rng.random(n) < 0.03, 4, made.codes["sector"])],
            "grade": np.array(["c", "a", "b", None], dtype=object)[made.codes["grade"]],
            "listed": np.array(["no", "yes"], dtype=object)[made.codes["listed"]],
            "why": np.where(made.filled["why"], "reason", None),
            "id": [f"P{key:04d}" for key in keys],
            "policy": [f"G{group:04d}" for group in rng.integers(0, max(n // 2, 1), n)],
            "location": [None if code < 0 else f"L{code}" for code in rng.integers(-1, 3, n)],
        }
    )
