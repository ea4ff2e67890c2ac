"""Random plans and random coded books, to hold the fast path against the definition."""

from __future__ import annotations

import itertools
from datetime import date
from decimal import Decimal
from types import MappingProxyType

import numpy as np
from hypothesis import strategies as st

from ratemod.plan.model import ANY, Axis, Band, Combination, Constant, Plan, Row, Source, Step, Table, Test
from ratemod.rating.inputs import Inputs
from ratemod.vocabulary.column import FLAG_LEVELS, Column, Level

COLUMNS = {
    "sector": Column("sector", "level", levels=tuple(Level(code) for code in "abcd")),
    "listed": Column("listed", "flag", levels=FLAG_LEVELS),
    "heads": Column("heads", "number", decimals=0, low=Decimal(0), high=Decimal(5000)),
    "limit_yuan": Column("limit_yuan", "number", decimals=2, low=Decimal(0), high=Decimal(2_000_000)),
    "ratio_in": Column("ratio_in", "number", decimals=4, low=Decimal(-3), high=Decimal(3)),
    "prior": Column("prior", "number", decimals=2, low=Decimal(0), high=Decimal(10**8), optional=True),
    "chosen": Column("chosen", "number", decimals=3, low=Decimal(0), high=Decimal(3), optional=True),
    "why": Column("why", "text"),
    "start": Column("start", "date"),
    "end": Column("end", "date"),
}


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
        "line": Table("line", (Axis("x", "point"),), ("value",), line),
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
                Test(draw(st.sampled_from(names)), above=draw(decimals("0", "2", 1))),
                Test(draw(st.sampled_from(names)), at_most=draw(st.sampled_from(names))),
            ]
        )
    )
    if draw(st.booleans()):
        return test
    return Combination(draw(st.sampled_from(["all", "any", "none"])), (test, Test("heads", above=Decimal(10))))


def plan_of(steps: tuple[Step, ...], tables: dict[str, Table] | None = None, k: Decimal = Decimal("0.07")) -> Plan:
    """A plan over `COLUMNS` with the given steps, the last of which is the premium."""
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
        None,
        "",
        "",
        MappingProxyType({"s": Source("s", "s", "illustrative")}),
        MappingProxyType(COLUMNS),
        MappingProxyType({"k": Constant("k", k, "s")}),
        MappingProxyType(tables or {}),
        steps,
    )


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """A plan of random steps that ends in a premium rounded to the fen."""
    found = draw(tables())
    names = ["heads", "limit_yuan", "ratio_in", "k"]
    steps = [Step("s0", "lookup", table="by_sector"), Step("s1", "lookup", table="by_heads")]
    names += ["s0", "s1"]
    for at in range(2, draw(st.integers(4, 12))):
        name = f"s{at}"
        step = draw(_step(name, names))
        if step.op not in ("days", "months") and draw(st.integers(0, 3)) == 0:
            otherwise = draw(st.sampled_from([Decimal("1.05"), names[-1], "none"]))
            step = Step(
                **{
                    **{f: getattr(step, f) for f in Step.__slots__},
                    "when": draw(conditions(names)),
                    "otherwise": otherwise,
                }
            )
        steps.append(step)
        names.append(name)
    steps.append(
        Step("big", "product", of=("limit_yuan", "heads", *draw(st.lists(st.sampled_from(names[4:]), max_size=3))))
    )
    steps.append(Step("capped", "cap", of=("big",), against="prior", low=Decimal("0.75"), high=Decimal("1.25")))
    steps.append(Step("least", "bound", of=("capped",), low=Decimal("100.005")))
    mode = draw(st.sampled_from(["half_up", "half_up", "up", "down", "half_even"]))
    steps.append(
        Step(
            "premium",
            "round",
            of=(draw(st.sampled_from(["least", names[-1], "capped"])),),
            quantum=Decimal("0.01"),
            mode=mode,
        )
    )
    return plan_of(tuple(steps), found, draw(decimals("0.01", "3", 2)))


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
                "power",
            ]
        )
    )
    pick = st.sampled_from(names)
    operand = st.one_of(pick, decimals("0.2", "2", 3))
    match op:
        case "ratio":
            return Step(name, op, of=(draw(pick), draw(operand)))
        case "bound":
            low = draw(st.one_of(st.none(), decimals("0", "1", 2)))
            return Step(name, op, of=(draw(pick),), low=low, high=draw(st.one_of(pick, decimals("1", "2", 2))))
        case "round":
            unit = draw(st.sampled_from(["0.01", "0.05", "1", "10", "0.0001", "0.25"]))
            return Step(
                name,
                op,
                of=(draw(pick),),
                quantum=Decimal(unit),
                mode=draw(st.sampled_from(["half_up", "up", "down", "half_even"])),
            )
        case "interpolate":
            return Step(
                name,
                op,
                table="line",
                by=(("x", draw(pick)),),
                beyond=draw(st.sampled_from(["flat", "refuse", "extend"])),
            )
        case "lookup":
            return Step(name, op, table="by_any", by=(("x", draw(pick)),))
        case "judgement":
            return Step(name, op, table="judged", chosen="chosen", reason="why")
        case "judged_between":
            low, high = draw(st.one_of(pick, decimals("0", "1", 2))), draw(st.one_of(pick, decimals("1", "2", 2)))
            of, reason = draw(operand), draw(st.sampled_from(["", "why"]))
            return Step(name, "judgement", of=(of,), low=low, high=high, chosen="chosen", reason=reason)
        case "progressive":
            return Step(name, op, table="sliced", by=(("x", draw(pick)),))
        case "days" | "months":
            return Step(
                name,
                op,
                of=("start", "end"),
                inclusive=draw(st.booleans()),
                count=draw(st.sampled_from(["started", "complete"])),
            )
        case "power":
            return Step(
                name,
                op,
                of=(draw(pick),),
                exponent=draw(st.sampled_from([Decimal("0.5"), Decimal("0.8"), Decimal("-1.5"), "k", "ratio_in"])),
                quantum=Decimal("0.001"),
            )
    return Step(name, op, of=tuple(draw(st.lists(operand, min_size=1, max_size=3))))


def inputs(seed: int, n: int) -> Inputs:
    """Coded columns with missing values and many round numbers."""
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
    }
    numbers["heads"] = np.where(rng.random(n) < 0.02, np.nan, heads)
    codes = {"sector": rng.integers(-1, 4, n).astype(np.int16), "listed": rng.integers(0, 2, n).astype(np.int16)}
    filled = {"why": rng.random(n) < 0.7}
    return Inputs(n, numbers, codes, filled, {"why": np.where(filled["why"], "reason", "").astype(object)})
