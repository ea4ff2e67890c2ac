"""A split plan from a TOML file: any bureau's, without touching code.

A parameter is a number or a table that says on what it depends:

    { upper = [..], values = [..] }                 steps by expected losses; upper_inclusive = true: ends belong below
    { at = [..], values = [..] }                    linear between points by expected losses
    { base = 1.10, per_expected = 0.00004 }         a line, between `least` and `most`
    { from = ["2013-04-01", ..], values = [..] }    by the day the mod applies from; each value a parameter again
    { by_state = { IL = .., WI = .. }, other = .. } by state; firms of several states get the weighted mean
    { file = "w.csv" }                              a list with expected_from and value; interpolate = true: a curve
    { plus = 50000, over = 450000 }                 (E + plus)/(E + over), for W beside a ballast of `plus`
    { formula = "ncci_weight", average_cost_per_case = 11.9 }
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ratemod.errors import ModelError, nearest, problem
from ratemod.experience.bands import Bands
from ratemod.experience.class_rates import CLASS_RATES, rates_from
from ratemod.experience.parameter import ByState, Curve, Dated, Line, Parameter, Share
from ratemod.experience.split import Kind, SmoothSplit, SplitRule
from ratemod.experience.split_rules import RULES, ncci_ballast, ncci_weight
from ratemod.rules.edit import toml_text
from ratemod.rules.lines import Place
from ratemod.rules.read import NOTHING, TomlFile, read_toml
from ratemod.rules.shape import Key, Keys, Kinds, keys_of, list_of, table_of
from ratemod.vocabulary.table import pick, table

Formula = Literal["ncci_weight", "ncci_ballast"]
SHIPPED = re.compile(r"(?P<form>\w+)\s*(?:\((?P<numbers>.*)\))?")  # ncci(split=18500, average_cost_per_case=11.9)

PARAMETERS = (
    "split", "excess_credibility", "primary_credibility", "ballast", "claim_limit", "accident_limit",
    "accident_primary_limit", "medical_only_share", "medical_only_deduction", "deduction", "least", "most",
    "claim_free", "eligible_latest_premium", "eligible_average_premium", "d_ratio", "expected_share",
    "loss_factor", "off_balance", "debit_share", "credit_share",
)  # fmt: skip
KEYS = keys_of(
    SplitRule,
    **{name: Key("parameter", name == "split") for name in PARAMETERS},
    most_by_claims=Key(list_of("parameter")),
    kinds=Key(table_of("kind")),
    class_rates=Key("class_rates"),
    years=Key(int, low=1),
    lag_months=Key(int, low=0),
    valuation_months=Key(int, low=0),
    year_weights=Key(tuple[float, ...], low=0),
)
KIND = keys_of(Kind, **{name: Key("parameter") for name in Kind.__dataclass_fields__ if name != "lost_time"})
NUMBERS = list_of("extended")


def _bands(upper: tuple[float, ...], values: tuple[float, ...], upper_inclusive: bool = False) -> Bands:
    """Return steps as a file states them: an end belongs to the band above it unless told."""
    return Bands(upper, values, upper_inclusive)


SHAPES: tuple[tuple[Any, Keys], ...] = (
    (_bands, {"upper": Key(NUMBERS, True), "values": Key(NUMBERS, True), "upper_inclusive": Key(bool)}),
    (Curve, {"at": Key(NUMBERS, True), "values": Key(NUMBERS, True)}),
    (Line, keys_of(Line)),
    (Share, keys_of(Share)),
    (ByState, {"by_state": Key(table_of("parameter"), True, field="parameters"), "other": Key("parameter")}),
    (SmoothSplit, keys_of(SmoothSplit)),
)
SIZES = pick("parameters_by_size", (), table("parameters_by_size").fields())


def read_rule(path: Path) -> SplitRule:
    """Return the plan of a TOML file; paths in it are beside it.

    Raises
    ------
    PlanError
        What is wrong, all at once, with file and line.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> words = 'name = "x"\\nsource = "y"\\nsplit = { from = ["2012-01-01", "2013-01-01"], values = [5000, 10000] }\\n'
    >>> _ = (folder / "x.toml").write_text(words + "places = 2\\n[kinds.disease]\\nshare = 0.5\\n")
    >>> rule = read_rule(folder / "x.toml")
    >>> rule.split.parameters, rule.kinds["disease"].share
    ((5000.0, 10000.0), 0.5)
    """
    kinds: Kinds = {
        "parameter": partial(_parameter, path.parent),
        "extended": _extended,
        "kind": lambda file, given, place: file.record(Kind, given, KIND, *place) or NOTHING,
        "class_rates": partial(_class_rates, path.parent),
    }
    file = read_toml(path, kinds=kinds)
    rule = file.record(_rule, file.data, KEYS)
    file.settle()
    assert rule is not None
    return rule


def _rule(**given: Any) -> SplitRule:
    """Return the plan; years by the number of their weights where only those are said."""
    weights = given.get("year_weights", ())
    if weights:
        given.setdefault("years", len(weights))
    smooth = [name for name, value in given.items() if isinstance(value, SmoothSplit) and name != "split"]
    wrong = [problem("RM604", name=name, why="full_below, most, turn: split only") for name in smooth]
    if weights and len(weights) != given["years"]:
        wrong.append(problem("RM604", name="year_weights", why=f"{len(weights)} x, years = {given['years']}"))
    if wrong:
        raise ModelError(wrong)
    return SplitRule(**given)


def _extended(file: TomlFile, given: Any, place: Place) -> Any:
    """Return a number, or infinity: no split, no limit."""
    infinite = isinstance(given, Decimal) and given.is_infinite()
    return float(given) if infinite else file.fit(given, float, *place)


def _parameter(folder: Path, file: TomlFile, given: Any, place: Place) -> Any:
    """Return a parameter from its TOML value; see the head of this file."""
    if not isinstance(given, Mapping):
        return _extended(file, given, place)
    shapes = (
        *SHAPES,
        (_dated, {"from": Key(list_of(date), True, filled=True), "values": Key(list_of("parameter"), True)}),
        (partial(_sized, folder=folder), {"file": Key(str, True), "interpolate": Key(bool)}),
        (_formula, {"formula": Key(Formula, True), "average_cost_per_case": Key(float, True, low=0)}),
    )
    likely = max(shapes, key=lambda shape: len(set(shape[1]) & set(given)) - len(set(given) - set(shape[1])))
    if not set(likely[1]) & set(given):
        return file.unfit(given, "parameter", *place)
    made = file.record(likely[0], given, likely[1], *place)
    return NOTHING if made is None else made


def _dated(values: tuple[Parameter, ...], **given: Any) -> Dated:
    return Dated(tuple(day.isoformat() for day in given["from"]), values)


def _class_rates(folder: Path, file: TomlFile, given: Any, place: Place) -> Any:
    """Return the expected losses by class of work, from rows written out and a file."""
    made = file.record(partial(rates_from, folder=folder), given, CLASS_RATES, *place)
    return NOTHING if made is None else made


def _formula(formula: Formula, average_cost_per_case: float) -> Parameter:
    return {"ncci_weight": ncci_weight, "ncci_ballast": ncci_ballast}[formula](average_cost_per_case)


def _sized(file: str, folder: Path, interpolate: bool = False) -> Parameter:
    """Return a parameter from a list by expected losses, each value from its row's size on."""
    from ratemod.reading.convert import convert
    from ratemod.reading.read import read_book

    book = read_book(folder / file, SIZES)
    lacking = [name for name in SIZES if name not in book.table.column_names]
    if lacking:
        raise ModelError(problem("RM619", name=name, label=SIZES[name].label_zh) for name in lacking)
    coded = {name: convert(book.table[name], SIZES[name], book.conversions.get(name)) for name in SIZES}
    wrong = [item for part in coded.values() for item in part.problems]
    if wrong:
        raise ModelError(wrong)
    size, value = (tuple(np.asarray(coded[name].values, dtype=np.float64).tolist()) for name in SIZES)
    if interpolate:
        return Curve(size, value)
    return Bands(size[1:], value, False)


def plan_text(name: str, source: str, values: dict[str, float]) -> str:
    """Return a calibrated split plan as a file: split, d_ratio, k_primary, k_excess, off_balance, least, most.

    Examples
    --------
    >>> fitted = {"split": 3e4, "d_ratio": 0.25, "k_primary": 4e4, "k_excess": 7e5, "off_balance": 0.98}
    >>> import tomllib
    >>> tomllib.loads(plan_text("own", "a history", fitted | {"least": 0.6, "most": 2.0}))["ballast"]
    40000.0
    """
    said: dict[str, Any] = {
        "name": name,
        "source": source,
        "split": values["split"],
        "d_ratio": values["d_ratio"],
        "ballast": values["k_primary"],
        "excess_credibility": {"plus": values["k_primary"], "over": values["k_excess"]},
    }
    said |= {key: values[key] for key in ("claim_limit", "off_balance", "least", "most") if key in values}
    return toml_text(said)


def rule_named(name: str | Path) -> SplitRule:
    """Return a shipped rule, one of a shipped form with its numbers, or one from a TOML file.

    Parameters
    ----------
    name : "illustrative", "FORM(name=number, …)" of ncci, california, washington or delaware, or a path

    Raises
    ------
    ModelError
        RM603 no such rule, RM690 a form without the numbers that it needs, RM604 a file that cannot be used.

    Examples
    --------
    >>> rule_named("illustrative").places, rule_named("ncci(split=18500, average_cost_per_case=11.9)").split
    (3, 18500.0)
    """
    said = SHIPPED.fullmatch(str(name).strip())
    if said and said["form"] in RULES:
        return _shipped(said["form"], said["numbers"] or "")
    path = Path(name)
    if path.suffix != ".toml":
        form = said["form"] if said else str(name)
        raise ModelError(problem("RM603", name=str(name), known=", ".join(RULES), nearest=nearest(form, RULES)))
    return read_rule(path)


def _shipped(form: str, said: str) -> SplitRule:
    """Return a rule of a shipped form with numbers as they were written, "name=number, …"."""
    takes = inspect.signature(RULES[form]).parameters
    needs = [name for name, one in takes.items() if one.default is one.empty]
    parts = [part.partition("=") for part in said.replace("，", ",").split(",") if part.strip()]
    given: dict[str, float] = {}
    for name, _, number in parts:
        try:
            given[name.strip()] = float(number)
        except ValueError:
            given[name.strip()] = float("nan")
    odd = [name for name, value in given.items() if name not in takes or value != value]
    lacking = [name for name in needs if name not in given]
    if odd or lacking or len(given) < len(parts):
        raise ModelError(
            problem("RM690", rule=form, takes=", ".join(takes) or "-", needs=", ".join(needs) or "-", said=said or "-")
        )
    return RULES[form](**given)
