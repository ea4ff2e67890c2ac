"""Random plans as an author writes them: a plan.toml that draws on the whole format, tables, files of levels, lists.

What is drawn is data, `Written`: `files` puts it into a folder, for the reader; `by_hand` works it out without any of
the project's code.

=============  =====================================================================================================
section        what is drawn of it
=============  =====================================================================================================
plan           with and without a key and a fund
money          yuan, or a money of its own of 0 to 4 decimals; premium, fund, parts and shares to its smallest unit
unit           a unit of the plan's own
constant       decimals, fractions, per cent of a share, dates
column         level (its own levels, a file of them, a default), number (a default), flag, date, text, one derived
table          levels, flags, numbers, `*`, `none`; bands closed below and above of columns, steps and dates; points of
               numbers, of two axes and of dates; several value columns; two banded axes to sum along one
list, over     one list, two, `{name}` in the list of a later step, under a condition
step           every operation with every key and choice; under conditions: a number, a name, a level, `none` or
               nothing otherwise; headline or not
condition      every test of levels, texts, numbers and dates, of columns, constants and steps; all, any, none, nested
rule           the four actions
check          same and unique
legal          low ends, high ends, both: numbers, constants, steps; with and without an exception
=============  =====================================================================================================

Not drawn, as nothing that a row comes to hangs on it: labels, notes, aliases, urls, dates and standing of an edition,
the limits of a table's values, a table's file elsewhere, words of units, levels in the vocabulary (`from`, `only`).
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import assume
from hypothesis import strategies as st

from ratemod.errors import PlanError
from ratemod.plan.editions import load_plan
from ratemod.plan.model import Plan

SECTORS, GRADES, PERILS, CLASSES = "abcd", "ABCD", ("fire", "flood", "theft"), ("low", "mid", "high")
ZONES = ("north", "south")
TRADES = tuple(f"{letter}{number:02d}" for letter in "KLM" for number in range(15))  # a level file: 45 codes
TABLES = ("by_trade", "by_class")
MODES = ("half_up", "half_up", "up", "down", "half_even")


@dataclass(frozen=True)
class Written:
    """A plan as it is written.

    Attributes
    ----------
    said : the sections of plan.toml
    tables : by name, the header and the lines of each table, as text
    levels : the codes of the file of levels
    """

    said: Mapping[str, Any]
    tables: Mapping[str, tuple[list[str], list[list[str]]]]
    levels: tuple[str, ...] = TRADES

    def files(self, folder: Path) -> Path:
        """Write the plan under a folder; returns its own."""
        place = folder / "drawn" / "1"
        (place / "tables").mkdir(parents=True)
        (place / "levels").mkdir()
        lines = []
        for section, held in self.said.items():
            if isinstance(held, list):
                lines += [f"[[{section}]]\n{_lines(item)}" for item in held]
            else:
                lines.append(f"[{section}]\n{_lines(held)}")
        (place / "plan.toml").write_text("\n".join(lines), encoding="utf-8")
        for name, (header, rows) in self.tables.items():
            text = "\n".join(",".join(row) for row in ([*header, "source"], *([*row, "s"] for row in rows)))
            (place / "tables" / f"{name}.csv").write_text(text + "\n", encoding="utf-8")
        codes = "\n".join(f"{code},Trade {code},行当{code},{code}x; {code}y" for code in self.levels)
        (place / "levels" / "trade.csv").write_text("code,label_en,label_zh,aliases\n" + codes + "\n", encoding="utf-8")
        return place


def _lines(held: Mapping[str, Any]) -> str:
    return "".join(f"{key} = {_toml(value)}\n" for key, value in held.items())


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(part)}" for key, part in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, str | Decimal):
        return json.dumps(str(value), ensure_ascii=False)
    return str(value)


@cache
def decimals(low: str, high: str, places: int) -> st.SearchStrategy[Decimal]:
    scale = 10**places
    return st.integers(int(Decimal(low) * scale), int(Decimal(high) * scale)).map(lambda n: Decimal(n) / scale)


def days(low: date = date(2025, 1, 1), high: date = date(2028, 1, 1)) -> st.SearchStrategy[date]:
    return st.dates(low, high)


FACTOR = decimals("0.5", "2", 3)


def _ends(name: str, edges: list[str], closed: str) -> tuple[list[str], list[list[str]]]:
    """The two columns of a banded axis, and what they hold."""
    header = [f"{name}_from", f"{name}_below"] if closed == "low" else [f"{name}_above", f"{name}_to"]
    return header, [list(pair) for pair in itertools.pairwise(["", *edges, ""])]


@st.composite
def tables(draw: st.DrawFn) -> dict[str, tuple[list[str], list[list[str]]]]:
    def value() -> str:
        return str(draw(FACTOR))

    some = draw(st.lists(st.sampled_from(SECTORS), min_size=2, unique=True))
    found = {"by_sector": (["sector", "value"], [[code, value()] for code in some])}
    if draw(st.booleans()):
        found["by_sector"][1].append(["*", value()])
    listed = [["*", "*", value()], ["a", "*", value()], ["*", "yes", value()], ["a", "yes", value()]]
    found["by_both"] = (
        ["sector", "listed", "value"],
        [listed[at] for at in draw(st.sampled_from([(0,), (0, 1), (0, 2), (0, 1, 2, 3)]))],
    )
    found["by_peril"] = (
        ["peril", "sector", "value"],
        [[peril, code, value()] for peril in PERILS for code in SECTORS]
        if draw(st.booleans())
        else [[peril, "*", value()] for peril in PERILS],
    )
    trades = draw(st.lists(st.sampled_from(TRADES), min_size=20, unique=True))
    found["by_trade"] = (["trade", "value"], [[code, draw(st.sampled_from([value(), "none"]))] for code in trades])
    found["class_of"] = (
        ["trade", "value"],
        [[code, risk] for code, risk in zip(trades, [*draw(st.permutations(CLASSES)), *CLASSES * 3])]
        + [["*", draw(st.sampled_from(CLASSES))]],
    )
    found["by_class"] = (["risk", "value"], [[code, value()] for code in CLASSES])
    for name, edges, axis in (
        ("by_heads", [str(n) for n in sorted(draw(st.sets(st.integers(1, 4000), min_size=1, max_size=4)))], "heads"),
        ("by_any", [str(n) for n in sorted(draw(st.sets(decimals("-2", "3", 2), min_size=1, max_size=4)))], "x"),
        ("by_day", [str(n) for n in sorted(draw(st.sets(days(), min_size=1, max_size=3)))], "day"),
    ):
        header, bands = _ends(axis, edges, draw(st.sampled_from(["low", "high"])))
        found[name] = ([*header, "value"], [[*band, value()] for band in bands])
    numbers = draw(st.lists(st.integers(0, 12), min_size=3, max_size=8, unique=True))
    found["by_number"] = (["n", "value"], [[str(n), value()] for n in numbers])
    if draw(st.booleans()):
        found["by_number"][1].append(["*", value()])
    points = sorted(draw(st.sets(decimals("-2", "3", 1), min_size=2, max_size=4)))
    across = sorted(draw(st.sets(decimals("-2", "3", 1), min_size=1, max_size=3)))
    found["line"] = (["x_at", "value"], [[str(x), value()] for x in points])
    plane = [[str(x), code, str(y), value()] for code in SECTORS for x, y in itertools.product(points, across)]
    if draw(st.booleans()):
        plane[draw(st.integers(0, len(plane) - 1))][-1] = "none"
    found["plane"] = (["x_at", "sector", "y_at", "value"], plane)
    cuts = [0, *sorted(draw(st.sets(st.integers(1, 3000), max_size=3)))]
    tops = [*map(str, cuts), draw(st.sampled_from(["", "5000"]))]
    found["sliced"] = (
        ["sector", "x_from", "x_below", "value"],
        [[code, a, b, str(draw(decimals("-0.5", "2", 3)))] for code in SECTORS for a, b in itertools.pairwise(tops)],
    )
    stood = draw(st.booleans())
    found["judged"] = (
        ["sector", "low", *(["value"] if stood else []), "high"],
        [[code, "0.9", *(["1"] if stood else []), "1.1"] for code in SECTORS],
    )
    found["printed"] = (["sector", "value"], [[code, draw(st.sampled_from(PRINTED))] for code in SECTORS])
    found["several"] = (["sector", "value", "second"], [[code, value(), value()] for code in SECTORS])
    found["by_zone"] = (["peril", "zone", "value"], [[peril, zone, value()] for peril in PERILS for zone in ZONES])
    dated = sorted(draw(st.sets(days(), min_size=2, max_size=4)))
    found["over_time"] = (["day_at", "value"], [[str(day), value()] for day in dated])
    found["steps_of"] = (
        ["heads_from", "heads_below", "x_above", "x_to", "value"],
        [
            [*heads, *edges, value()]
            for heads in (("", "20"), ("20", ""))
            for edges in itertools.pairwise(["0", *map(str, cuts[1:]), draw(st.sampled_from(["", "6000"]))])
        ],
    )
    return found


PRINTED = ("5%", "12.5%", "2.5‰", "3/8", "0.07", "40 %")
COLUMNS: dict[str, dict[str, Any]] = {
    "id": {"kind": "text"},
    "policy": {"kind": "text"},
    "location": {"kind": "text", "optional": True},
    "sector": {"kind": "level", "levels": list(SECTORS)},
    "grade": {"kind": "level", "levels": list(GRADES), "optional": True},
    "least": {"kind": "level", "levels": list(reversed(GRADES))},
    "trade": {"kind": "level", "levels_file": "levels/trade.csv"},
    "listed": {"kind": "flag"},
    "heads": {"kind": "number", "unit": "persons", "decimals": 0, "min": 0, "max": 5000},
    "limit": {"kind": "number", "unit": "money", "decimals": 2, "min": 0, "max": 2000000},
    "ratio": {"kind": "number", "decimals": 4, "min": -3, "max": 3},
    "prior": {"kind": "number", "unit": "money", "decimals": 2, "min": 0, "max": "1e8", "optional": True},
    "chosen": {"kind": "number", "decimals": 3, "min": 0, "max": 3, "optional": True},
    "why": {"kind": "text", "optional": True},
    "weight": {"kind": "number", "decimals": 0, "min": 0, "max": 9},
    "start": {"kind": "date"},
    "end": {"kind": "date"},
    "band": {"kind": "level", "levels": list(CLASSES), "default": "mid", "default_source": "s"},
    "extra": {"kind": "number", "decimals": 1, "min": 0, "max": 9, "default": "1.5", "default_source": "s"},
    "insured": {"kind": "text", "optional": True},
    "contract": {"kind": "text", "optional": True},
    "start_date": {"kind": "date"},
    "end_date": {"kind": "date"},
    "term_days": {"kind": "number", "decimals": 0, "min": 1, "max": 9999, "derive": "term_days"},
}


@dataclass
class Names:
    """What steps may read so far, by kind."""

    numbers: list[str]
    dates: list[str]
    sectors: list[str]  # what has the levels of sector
    conditional: bool = True


@st.composite
def conditions(draw: st.DrawFn, names: Names, deep: int = 1) -> dict[str, Any]:
    number = st.sampled_from(names.numbers)
    end = st.one_of(number, decimals("0", "2", 1))
    tests: list[Callable[[], dict[str, Any]]] = [
        lambda: {"of": draw(st.sampled_from(names.sectors)), draw(st.sampled_from(["is", "is_not"])): ["a", "b"]},
        lambda: {"of": "listed", "is": "yes"},
        lambda: {"of": "trade", "begins": draw(st.sampled_from(["K", ["L0", "M1"], "M14"]))},
        lambda: {"of": "trade", "from": "K05", "to": draw(st.sampled_from(["K05", "L03", "M14"]))},
        lambda: {"of": "grade", draw(st.sampled_from(["from", "to"])): "B"},
        lambda: {"of": "grade", draw(st.sampled_from(["at_least", "above", "at_most", "below", "equals"])): "least"},
        lambda: {"of": "why", "begins": "re"},
        lambda: {"of": "why", draw(st.sampled_from(["is", "is_not"])): ["reason"]},
        lambda: {"of": "band", "from": "mid"},
        lambda: {"of": draw(st.sampled_from(names.sectors)), "equals": draw(st.sampled_from(names.sectors))},
        lambda: {"of": draw(st.sampled_from(["prior", "grade", "why"])), "missing": draw(st.booleans())},
        lambda: {
            "of": draw(number),
            draw(st.sampled_from(["above", "at_least", "below", "at_most", "equals"])): draw(end),
        },
        lambda: {"of": draw(number), "at_least": draw(decimals("-1", "1", 2)), "below": draw(end)},
        lambda: {
            "of": draw(st.sampled_from(names.dates)),
            draw(st.sampled_from(["above", "at_least", "below", "at_most"])): draw(
                st.one_of(days(), st.sampled_from([*names.dates, "day_one"]))
            ),
        },
    ]
    if "risk" in names.sectors:
        tests.append(lambda: {"of": "risk", "from": "mid"})
    if deep and draw(st.integers(0, 2)) == 0:
        how = draw(st.sampled_from(["all", "any", "none"]))
        return {how: [draw(conditions(names, deep - 1)) for _ in range(draw(st.integers(1, 3)))]}
    return draw(st.sampled_from(tests))()


@st.composite
def steps(draw: st.DrawFn, at: int, names: Names) -> list[dict[str, Any]]:
    """One step, or the few that belong together; what later steps may read is added to the names."""
    name = f"s{at}"
    number = st.sampled_from(names.numbers)
    operand = st.one_of(number, FACTOR)
    axis = st.sampled_from([*names.numbers[-4:], "ratio"])
    sector = st.sampled_from(names.sectors)
    day = st.one_of(st.sampled_from([*names.dates, "day_one"]), days())
    gives = "number"
    kind = draw(st.sampled_from(OPERATIONS))
    made: list[dict[str, Any]]

    def by(**axes: Any) -> dict[str, Any]:
        return {"by": {key: value for key, value in axes.items() if key != value}}

    if kind == "lookup":
        table = draw(st.sampled_from(["by_sector", "by_both", "by_trade", "by_heads", "by_any", "by_day", "by_number"]))
        own: dict[str, Any] = {}
        if table in ("by_sector", "by_both"):
            own = by(sector=draw(sector))
        elif table == "by_heads":
            own = by(heads=draw(st.sampled_from(["heads", "limit", *names.numbers[-2:]])))
        elif table == "by_any":
            own = by(x=draw(axis))
        elif table == "by_day":
            own = by(day=draw(st.sampled_from(names.dates)))
        elif table == "by_number":
            own = by(
                n=draw(
                    st.sampled_from(["heads", "weight", "month"] if "month" in names.numbers else ["heads", "weight"])
                )
            )
        made = [{"op": "lookup", "table": table, **own}]
    elif kind == "pinned":
        table, own = draw(
            st.sampled_from(
                [
                    ("by_sector", {"sector": {"is": "b"}}),
                    ("by_heads", {"heads": 250}),
                    ("by_any", {"x": "0.25"}),
                    ("by_both", {"listed": {"is": "yes"}}),
                    ("by_peril", {"peril": {"is": "flood"}}),
                ]
            )
        )
        made = [{"op": "lookup", "table": table, "by": own}]
        if table == "by_sector":  # what stands in `by` must stand in the table
            made = [{"op": "lookup", "table": "by_peril", "by": {"peril": {"is": "theft"}, "sector": {"is": "c"}}}]
        if table == "by_any":
            made[0]["by"] = {"x": Decimal("0.25")}
    elif kind == "printed":
        made = [{"op": "lookup", "table": "printed", **by(sector=draw(sector))}]
    elif kind == "several":
        column = draw(st.sampled_from([{}, {"column": "value"}, {"column": "second"}]))
        made = [{"op": "lookup", "table": "several", **by(sector=draw(sector)), **column}]
    elif kind == "defaulted":
        made = [{"op": "lookup", "table": "by_class", "by": {"risk": "band"}}]
        if draw(st.booleans()):
            made = [{"op": "sum", "of": ["extra", draw(st.one_of(operand, st.just("term_days")))]}]
    elif kind == "over two":
        made = [
            {
                "name": "{peril}_{zone}_" + name,
                "over": ["peril", "zone"],
                "op": "lookup",
                "table": "by_zone",
                "by": {"peril": {"is": "{peril}"}, "zone": {"is": "{zone}"}},
                **({"when": draw(conditions(names)), "otherwise": draw(operand)} if names.conditional else {}),
            },
            {
                "name": "{peril}_z_" + name,
                "over": "peril",
                "op": "sum",
                "of": ["{peril}_{zone}_" + name, draw(operand)],
            },
            {"op": "largest", "of": ["{peril}_z_" + name]},
        ]
    elif kind == "over":
        of = ["{peril}_" + name, draw(operand)]
        made = [
            {
                "name": "{peril}_" + name,
                "over": "peril",
                "op": "lookup",
                "table": "by_peril",
                "by": {"peril": {"is": "{peril}"}},
            },
            {
                "name": "{peril}_x_" + name,
                "over": ["peril"],
                "op": draw(st.sampled_from(["product", "largest"])),
                "of": of,
            },
            {"op": draw(st.sampled_from(["sum", "product", "largest", "smallest"])), "of": ["{peril}_x_" + name, "k"]},
        ]
        names.numbers += [f"{peril}_{name}" for peril in PERILS]
    elif kind == "choose":
        cases = [{"when": draw(conditions(names)), "then": draw(operand)} for _ in range(draw(st.integers(1, 4)))]
        made = [{"op": "choose", "cases": cases, "otherwise": draw(st.one_of(operand, st.just("none")))}]
    elif kind == "class":
        stated = {"levels": list(draw(st.permutations(CLASSES)))} if draw(st.booleans()) else {}
        made = [
            {"name": f"class_{name}", "op": "classify", "table": "class_of", **stated},
            {"op": "lookup", "table": "by_class", "by": {"risk": f"class_{name}"}},
        ]
        if names.conditional and draw(st.booleans()):
            other = draw(st.sampled_from(["none", "mid", "band"] if stated else ["none", "band"]))
            made[0] |= {"when": draw(conditions(names)), "otherwise": other}
    elif kind == "graded":
        made = [
            {"name": f"own_{name}", "op": "level", "is": draw(st.sampled_from(SECTORS)), "levels": list(SECTORS)},
            {
                "name": f"worse_{name}",
                "op": draw(st.sampled_from(["first_level", "last_level"])),
                "of": [draw(sector), f"own_{name}"],
            },
            {"op": "lookup", "table": "by_sector", "by": {"sector": f"worse_{name}"}},
        ]
        if names.conditional and draw(st.booleans()):
            made[1] |= {"when": draw(conditions(names)), "otherwise": draw(st.one_of(sector, st.just("none")))}
        names.sectors.append(f"worse_{name}")
    elif kind == "interpolate":
        beyond = {"beyond": draw(st.sampled_from(["refuse", "flat", "extend"]))}
        made = [{"op": "interpolate", "table": "line", "by": {"x": draw(axis)}, **beyond}]
        table = draw(st.sampled_from(["line", "plane", "over_time"]))
        if table == "over_time":
            made = [{"op": "interpolate", "table": table, "by": {"day": draw(st.sampled_from(names.dates))}, **beyond}]
        elif table == "plane":
            made = [
                {
                    "op": "interpolate",
                    "table": "plane",
                    **by(x=draw(axis), y=draw(axis), sector=draw(sector)),
                    **beyond,
                }
            ]
    elif kind == "progressive":
        x = draw(st.sampled_from(["heads", *names.numbers[-3:]]))
        made = [{"op": "progressive", "table": "sliced", **by(x=x)}]
        if draw(st.booleans()):
            made = [{"op": "progressive", "table": "steps_of", "along": "x", **by(x=x)}]
    elif kind == "judgement":
        reason = draw(st.sampled_from([{}, {"reason": "why"}]))
        if draw(st.booleans()):
            made = [{"op": "judgement", "table": "judged", "chosen": "chosen", **reason}]
        else:
            of = draw(st.sampled_from([{}, {"of": "1"}, {"of": draw(number)}]))
            high = draw(st.one_of(number, decimals("1", "2", 3)))
            made = [{"op": "judgement", "chosen": "chosen", "low": "0.8", "high": high, **of, **reason}]
    elif kind == "term":
        made = [{"op": draw(st.sampled_from(["days", "years"])), "of": ["start", draw(st.one_of(st.just("end"), day))]}]
        if draw(st.booleans()):
            made = [{"op": "months", "of": ["start", "end"], "count": draw(st.sampled_from(["started", "complete"]))}]
        made[0]["inclusive"] = draw(st.booleans())
    elif kind == "date":
        months = draw(st.one_of(st.integers(-40, 40), st.sampled_from(["heads", "weight", "ratio"])))
        op = draw(st.sampled_from(["add_months", "earliest", "latest"]))
        made = [{"op": op, "of": [draw(day), draw(st.sampled_from(names.dates))]}]
        if op == "add_months":
            made = [{"op": op, "of": draw(day), "months": months, "days": draw(st.sampled_from([0, -1, 20, "weight"]))}]
        gives = "date"
    elif kind == "date_part":
        made = [
            {
                "op": "date_part",
                "of": draw(st.sampled_from(names.dates)),
                "which": draw(st.sampled_from(["year", "month", "day"])),
            }
        ]
    elif kind == "experience":
        method, keys = draw(st.sampled_from(list(EXPERIENCE.items())))
        made = [{"op": "experience", "method": method, **{key: draw(operand) for key in keys}}]
    elif kind == "part":
        among = [draw(st.one_of(operand, st.just("weight"))) for _ in range(draw(st.integers(1, 4)))]
        made = [{"op": "part", "of": draw(number), "among": among, "which": draw(st.integers(1, len(among)))}]
    elif kind == "bound":
        low = draw(st.sampled_from([{}, {"low": "0.75"}, {"low": draw(number)}]))
        made = [{"op": "bound", "of": draw(number), **low, "high": draw(st.one_of(number, st.just("1.25")))}]
    elif kind == "cap":
        high = st.one_of(number, decimals("0.75", "2", 2))  # one below the low end is refused
        made = [{"op": "cap", "of": draw(number), "against": "prior", "low": "0.75", "high": draw(high)}]
    elif kind == "round":
        unit = draw(st.sampled_from(["0.01", "0.05", "1", "10", "0.0001", "0.25"]))
        made = [{"op": "round", "of": draw(number), "unit": unit, "mode": draw(st.sampled_from(MODES))}]
    elif kind == "power":
        unit = draw(st.sampled_from(["0.001", "0.05"]))
        made = [{"op": draw(st.sampled_from(["exp", "ln"])), "of": draw(number), "unit": unit}]
        if draw(st.booleans()):
            exponent = draw(st.sampled_from([Decimal("0.5"), Decimal("-1.5"), "k", "ratio"]))
            made = [{"op": "power", "of": draw(number), "exponent": exponent, "unit": unit}]
    elif kind == "ratio":
        made = [{"op": "ratio", "of": [draw(number), draw(operand)]}]
    else:
        made = [{"op": kind, "of": draw(st.lists(operand, min_size=1, max_size=3))}]
    last = made[-1]
    last["name"] = name
    if kind not in ("choose", "over", "over two") and names.conditional and draw(st.integers(0, 3)) == 0:
        other = draw(st.one_of(st.just("none"), day)) if gives == "date" else draw(st.one_of(operand, st.just("none")))
        last["when"] = draw(conditions(names, draw(st.sampled_from([1, 1, 2]))))
        if kind not in ("bound", "cap", "round") or draw(st.booleans()):  # these may let their value pass
            last["otherwise"] = other
    if gives == "date":
        names.dates.append(name)
    else:
        names.numbers.append(name)
    return made


EXPERIENCE = {
    "split": ("actual_primary", "actual_excess", "expected", "expected_excess", "weight", "ballast"),
    "credibility": ("actual", "expected", "credibility"),
    "buhlmann": ("actual", "expected", "exposure", "k"),
    "poisson_gamma": ("claims", "expected", "shape"),
}
OPERATIONS = (
    *("lookup", "lookup", "lookup", "pinned", "printed", "over", "choose", "choose", "class", "class", "graded"),
    *("several", "defaulted", "over two"),
    *("interpolate", "progressive", "judgement", "term", "date", "date", "date_part", "experience", "part", "bound"),
    *("cap", "round", "power", "ratio", "product", "sum", "difference", "largest", "smallest", "add_percentages"),
)


@st.composite
def lines_of_policies(draw: st.DrawFn, names: Names) -> list[dict[str, Any]]:
    """Roll-ups, nested or not, places of lines, what a line at a place has."""
    how = st.sampled_from(["sum", "mean", "max", "min", "count"])
    number = st.sampled_from(["heads", *names.numbers])
    made: list[dict[str, Any]] = []
    of = draw(number)
    for name, by, each in (
        ("lines", draw(st.sampled_from(["policy", ["policy", "location"], ["policy", "sector"]])), []),
        ("parts", "policy", draw(st.sampled_from([[], "location", ["sector"], ["location", "sector"]]))),
    ):
        kind = draw(how)
        made.append({"name": name, "op": "rollup", "by": by, "how": kind})
        made[-1] |= {} if kind == "count" else {"of": of}
        made[-1] |= {"each": each} if each else {}
        of = draw(st.sampled_from(["lines", "lines", of]))
    by = draw(st.sampled_from(["policy", ["policy", "sector"]]))
    made += [
        {
            "name": "place",
            "op": "rank",
            "of": draw(number),
            "by": by,
            "first": draw(st.sampled_from(["largest", "smallest"])),
        },
        {
            "name": "taken",
            "op": "take",
            "of": draw(number),
            "by": by,
            "rank": "place",
            "which": draw(st.integers(1, 3)),
        },
        {
            "name": "governing",
            "op": "take_level",
            "of": "sector",
            "by": by,
            "rank": "place",
            "which": draw(st.integers(1, 2)),
        },
        {"name": "governed", "op": "lookup", "table": "by_sector", "by": {"sector": "governing"}},
    ]
    for step in made:
        if step["op"] in ("rollup", "take", "lookup") and draw(st.integers(0, 5)) == 0:
            step |= {"when": draw(conditions(names)), "otherwise": draw(st.sampled_from(["none", "1.25", "k"]))}
        elif step["op"] == "take_level" and draw(st.booleans()):
            step["levels"] = list(draw(st.permutations(SECTORS)))
    names.numbers += ["lines", "parts", "place", "taken", "governed"]
    names.sectors.append("governing")
    return made


@st.composite
def written_plans(draw: st.DrawFn) -> Written:
    """A plan that `ratemod check` finds in order, of steps of every operation, with rules and law."""
    found = draw(tables())
    names = Names(["heads", "limit", "ratio", "k"], ["start", "end"], ["sector"])
    made: list[dict[str, Any]] = [{"name": "base", "op": "lookup", "table": "by_sector"}]
    names.numbers.append("base")
    grouped = draw(st.integers(0, 3)) == 0
    for at in range(draw(st.integers(2, 9))):
        made += draw(steps(at, names))
        if grouped and at == 1:
            made += draw(lines_of_policies(names))
    factors = draw(st.lists(st.sampled_from(names.numbers[3:]), max_size=3))
    made.append({"name": "big", "op": "product", "of": ["limit", "heads", *factors]})
    made.append({"name": "capped", "op": "cap", "of": "big", "against": "prior", "low": "0.75", "high": "1.25"})
    made.append({"name": "least_of", "op": "bound", "of": "capped", "low": "100.005"})
    of = draw(st.sampled_from(["least_of", names.numbers[-1], names.numbers[-1], "capped"]))
    money = draw(st.sampled_from([None, None, 2, 0, 3, 4]))
    unit = "0.01" if money is None else str(Decimal(1).scaleb(-money))
    made.append({"name": "sane", "op": "bound", "of": of, "low": "-1e8", "high": "1e8"})
    last = {"op": "round", "of": "sane", "unit": unit, "mode": draw(st.sampled_from(MODES))}
    if grouped and draw(st.booleans()):
        made.append({"name": "whole", **last})
        made.append({"name": "total", "op": "rollup", "of": "whole", "by": "policy", "how": "sum"})
        last = {"op": "share_out", "of": "total", "by": "policy", "weights": "weight"}
    made.append({"name": "premium", **last})
    said: dict[str, Any] = {"plan": dict(PLAN), "source": {"s": {"title": "drawn", "confidence": "illustrative"}}}
    if draw(st.integers(0, 3)) == 0:
        del said["plan"]["key"]
    if money is not None:
        said["money"] = {"name_en": "crown", "name_zh": "克朗", "decimals": money}
    if draw(st.booleans()):
        said["plan"]["fund"] = "fund"
        made.append({"name": "fund_raw", "op": "product", "of": ["premium", draw(st.sampled_from(["k", "0.15"]))]})
        made.append({"name": "fund", "op": "round", "of": "fund_raw", "unit": unit})
    for step in made:
        step["source"] = "s"
        step["headline"] = draw(st.booleans())
    said["constant"] = {
        "k": {
            "value": draw(st.one_of(decimals("0.01", "3", 2), st.sampled_from(["3/8", "7/4", "35%"]))),
            "unit": "share",
            "source": "s",
        },
        "most": {"value": "1000", "source": "s", "unit": "drum"},
        "day_one": {"value": draw(days()), "source": "s"},
    }
    said["list"] = {"peril": {"values": list(PERILS)}, "zone": {"values": list(ZONES)}}
    said["column"] = COLUMNS
    said["step"] = made
    names.numbers.append("premium")
    rules = draw(st.lists(st.sampled_from(["refuse", "decline", "refer", "label"]), max_size=2))
    said["rule"] = [
        {
            "name": f"rule_{at}",
            "when": draw(st.one_of(conditions(names), st.just({"of": "heads", "above": "most"}))),
            "action": action,
            "message_en": "caught",
            "message_zh": "触及",
            "source": "s",
        }
        for at, action in enumerate(rules)
    ]
    said["check"] = [
        {"name": f"check_{at}", **check, "message_en": "across", "message_zh": "跨行", "source": "s"}
        for at, check in enumerate(draw(st.lists(checks(), max_size=2)) if draw(st.booleans()) else [])
    ]
    said["legal"] = [draw(laws(f"law_{at}", names)) for at in range(draw(st.sampled_from([0, 0, 1, 2])))]
    asked = {name: table for name, table in found.items() if name in {step.get("table") for step in made}}
    about = {"printed": {"unit": "factor"}, "several": {"values": ["value", "second"]}}
    said["table"] = {name: one for name, one in about.items() if name in asked}
    steps_read = [[value for key, value in step.items() if key != "op"] for step in made]
    of_rows = [  # an axis that `by` names otherwise, or pins, is not read from the row
        [name for name in asked[step["table"]][0] if not set(step.get("by", ())) & {name, name.rpartition("_")[0]}]
        for step in made
        if "table" in step
    ]
    read = json.dumps([said["plan"], steps_read, said["rule"], said["check"], said["legal"], of_rows], default=str)
    read += '"start_date", "end_date"' if '"term_days"' in read else ""
    for section in ("column", "constant"):  # what nothing reads is refused
        held = COLUMNS if section == "column" else said[section]
        said[section] = {
            name: one for name, one in held.items() if re.search(f'"{name}(_from|_above|_at)?"(?!:)', read)
        }
    said["unit"] = {"drum": {"label_en": "drums", "label_zh": "桶"}} if "most" in said["constant"] else {}
    return Written(said, asked)


@st.composite
def checks(draw: st.DrawFn) -> dict[str, Any]:
    """A check across rows: mostly one that few rows break."""
    if draw(st.booleans()):
        return {"kind": "unique", "of": draw(st.sampled_from(["contract", "contract", "id", "limit"]))}
    of = draw(st.sampled_from(["insured", "insured", "insured", "listed", "limit", "chosen", "start", "sector"]))
    return {"kind": "same", "of": of, "by": draw(st.sampled_from(["policy", "contract"]))}


@st.composite
def laws(draw: st.DrawFn, name: str, names: Names) -> dict[str, Any]:
    """A legal range; what it is of may be anything that is a number."""
    item: dict[str, Any] = {"name": name, "of": draw(st.sampled_from([*names.numbers[-3:], *names.numbers]))}
    ends = draw(st.sampled_from([("low",), ("high",), ("low", "high"), ("high",)]))
    for end in ends:
        stated = decimals("-1", "1", 2) if end == "low" else decimals("1", "3000", 1)
        item[end] = draw(st.one_of(stated, st.sampled_from(["k", "base"] if end == "low" else ["most", "base"])))
    if draw(st.booleans()):
        item["exception"] = {
            "when": draw(conditions(names)),
            "label_en": "allowed",
            "label_zh": "许可",
            "source": "s",
        }
    return {**item, "source": "s"}


PLAN = {
    "scheme": "drawn",
    "edition": "1",
    "title_en": "Drawn",
    "title_zh": "抽取",
    "standing": "example",
    "status": "draft",
    "new_from": date(2026, 1, 1),
    "warning_en": "drawn",
    "warning_zh": "抽取",
    "key": "id",
    "premium": "premium",
}


def rows(seed: int, n: int) -> list[dict[str, Any]]:
    """A list of policies as cells: a code, a number, a day, a text, or None."""
    rng = np.random.default_rng(seed)

    def some(values: Sequence[Any], missing: float = 0.0) -> Any:
        return None if rng.random() < missing else values[int(rng.integers(0, len(values)))]

    found = []
    for at in range(n):
        start = date(2026, 1, 1) + timedelta(int(rng.integers(0, 700)))
        policy = int(rng.integers(0, max(n // 3, 1)))
        end = start + timedelta(int(some([1, 28, 31, 59, 181, 364, 365, 366, 730])))
        found.append(
            {
                "id": f"P{at:04d}",
                "policy": f"G{policy:03d}",
                "location": some(["L1", "L2", "L3"], 0.03),
                "sector": some(SECTORS),
                "grade": some(GRADES, 0.2),
                "least": some(GRADES),
                "trade": some(TRADES),
                "listed": some(["yes", "no"]),
                "heads": some([0, 1, 2, 5, 20, 100, 999, 1000, 5000, *range(1, 40)]),
                "limit": some([Decimal(300000), Decimal(500000), Decimal("0.01"), Decimal("12345.67")]),
                "ratio": Decimal(int(rng.integers(-30000, 30001))) / 10000 if rng.random() < 0.7 else some(ROUND),
                "prior": None if rng.random() < 0.3 else Decimal(int(rng.integers(0, 10**9))) / 100,
                "chosen": None if rng.random() < 0.6 else Decimal(int(rng.integers(800, 1200))) / 1000,
                "why": some(["reason", "other", "re"], 0.3),
                "weight": int(rng.integers(0, 10)),
                "start": start,
                "end": end,
                "band": some(CLASSES, 0.3),
                "extra": some([Decimal(0), Decimal("2.5"), Decimal(9)], 0.3),
                "insured": some([f"U{policy}"] * 12 + ["U0"], 0.1),
                "contract": some([f"C{at}"] * 12 + ["C1"], 0.1),
                "start_date": start,
                "end_date": end,
                "term_days": None,
            }
        )
    return found


ROUND = [Decimal(n) / 10 for n in range(-20, 31, 5)]


def frame(cells: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The same list as a frame: numbers as floats, days as timestamps."""
    held = pd.DataFrame(cells).drop(columns="term_days")
    for name, column in COLUMNS.items():
        if column["kind"] == "number" and "derive" not in column:
            held[name] = held[name].astype(float)
        elif column["kind"] == "date":
            held[name] = pd.to_datetime(held[name])
    return held


def read(written: Written) -> Plan:
    """What the reader makes of it; a plan whose numbers happen to leave nothing to price is not drawn."""
    with TemporaryDirectory() as folder:
        try:
            return load_plan(written.files(Path(folder)))
        except PlanError as error:
            assume({problem.code for problem in error.problems} - BY_CHANCE)
            raise


# A band without a rate below the first slice; a value that can never be lawful; a constant that is not.
BY_CHANCE = {"RM134", "RM161", "RM146"}
