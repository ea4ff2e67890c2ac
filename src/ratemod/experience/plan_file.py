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

import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import numpy as np

from ratemod.errors import ModelError, nearest, problem
from ratemod.experience.bands import Bands
from ratemod.experience.class_rates import rates_from
from ratemod.experience.parameter import ByState, Curve, Dated, Line, Parameter, Share
from ratemod.experience.split import Kind, SmoothSplit, SplitRule, Stage
from ratemod.money import RoundingMode
from ratemod.vocabulary.table import pick, table

PARAMETERS = (
    "split", "excess_credibility", "primary_credibility", "ballast", "claim_limit", "accident_limit",
    "accident_primary_limit", "medical_only_share", "medical_only_deduction", "deduction", "least", "most",
    "claim_free", "eligible_latest_premium", "eligible_average_premium", "d_ratio", "expected_share",
    "loss_factor", "off_balance", "debit_share", "credit_share",
)  # fmt: skip
NUMBERS = ("swing", "swing_up", "swing_down", "eligible_from", "new_firm_mod")
WHOLE = ("places", "years", "lag_months", "valuation_months")
OTHERS = (
    "name", "source", "mode", "most_by_claims", "claim_free_despite_medical_only", "rounding", "kinds", "year_weights",
    "class_rates", "years_named_by",
)  # fmt: skip
KEYS = frozenset((*PARAMETERS, *NUMBERS, *WHOLE, *OTHERS))
SHAPES: tuple[tuple[set[str], set[str]], ...] = (
    ({"upper", "values"}, {"upper_inclusive"}),
    ({"at", "values"}, set()),
    ({"base", "per_expected"}, {"least", "most"}),
    ({"plus", "over"}, set()),
    ({"from", "values"}, set()),
    ({"by_state"}, {"other"}),
    ({"file"}, {"interpolate"}),
    ({"formula", "average_cost_per_case"}, set()),
    ({"full_below", "most", "turn"}, {"largest"}),
)
SIZES = pick("parameters_by_size", (), table("parameters_by_size").fields())


def read_rule(path: Path) -> SplitRule:
    """Return the plan of a TOML file; paths in it are beside it.

    Raises
    ------
    ModelError
        RM604 what is wrong, with the nearest known key.

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
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        return rule_of(given, path.parent)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelError(problem("RM604", path=str(path), why=_why(error))) from None


def _why(error: Exception) -> str:
    return f"no key {error}" if isinstance(error, KeyError) else str(error)


def rule_of(given: dict[str, Any], folder: Path) -> SplitRule:
    """Return the plan that a parsed file describes.

    Raises
    ------
    ValueError, TypeError, KeyError
        What is wrong, for `read_rule` to say.
    """
    _known(given, KEYS)
    values: dict[str, Any] = {key: float(given[key]) for key in NUMBERS if key in given}
    values |= {key: int(given[key]) for key in WHOLE if key in given}
    values |= {key: parameter_of(given[key], folder) for key in PARAMETERS if key in given}
    if any(isinstance(value, SmoothSplit) for key, value in values.items() if key != "split"):
        raise ValueError("full_below, most and turn describe a split only")
    if "split" not in values:
        raise KeyError("split")
    values["most_by_claims"] = tuple(parameter_of(part, folder) for part in given.get("most_by_claims", ()))
    values["year_weights"] = tuple(map(float, given.get("year_weights", ())))
    if values["year_weights"] and len(values["year_weights"]) != values.setdefault(
        "years", len(values["year_weights"])
    ):
        raise ValueError(f"year_weights: {len(values['year_weights'])} weights for {values['years']} years")
    stages = given.get("rounding", {})
    values["rounding"] = {_one_of(key, get_args(Stage)): int(places) for key, places in stages.items()}
    values["mode"] = _one_of(given.get("mode", "half_up"), get_args(RoundingMode))
    values["years_named_by"] = _one_of(given.get("years_named_by", "start"), ("start", "end"))
    values["claim_free_despite_medical_only"] = bool(given.get("claim_free_despite_medical_only", False))
    values["kinds"] = {name: _kind(part, folder) for name, part in given.get("kinds", {}).items()}
    if "class_rates" in given:
        _known(given["class_rates"], {"file", "class", "unit", "places"})
        values["class_rates"] = rates_from(given["class_rates"], folder)
    return SplitRule(str(given["name"]), str(given["source"]), **values)


def _kind(given: dict[str, Any], folder: Path) -> Kind:
    names = {item.name for item in fields(Kind)}
    _known(given, names)
    made: dict[str, Any] = {
        key: part if key == "lost_time" else parameter_of(part, folder) for key, part in given.items()
    }
    return Kind(**made)


def parameter_of(given: Any, folder: Path) -> Any:
    """Return a parameter from its TOML value; see the head of this file.

    Examples
    --------
    >>> parameter_of({"by_state": {"IL": 5000}, "other": 10000}, Path(".")).other
    10000.0
    """
    if not isinstance(given, dict):
        if isinstance(given, bool) or not isinstance(given, int | float):
            raise ValueError(f"{given!r} is no number")
        return float(given)
    shape = next((needed for needed, more in SHAPES if needed <= set(given) <= needed | more), None)
    if shape is None:
        raise ValueError(f"{{{', '.join(given)}}}? ({'; '.join(', '.join(sorted(a)) for a, _ in SHAPES)})")
    if "turn" in shape:
        return SmoothSplit(**{key: float(value) for key, value in given.items()})
    if "formula" in shape:
        return _formula(str(given["formula"]), float(given["average_cost_per_case"]))
    if "file" in shape:
        return _sized(folder / str(given["file"]), bool(given.get("interpolate", False)))
    if "by_state" in shape:
        other = None if "other" not in given else parameter_of(given["other"], folder)
        return ByState({name: parameter_of(part, folder) for name, part in given["by_state"].items()}, other)
    if "from" in shape:
        return Dated(tuple(map(str, given["from"])), tuple(parameter_of(part, folder) for part in given["values"]))
    if "plus" in shape:
        return Share(**{key: float(value) for key, value in given.items()})
    if "base" in shape:
        return Line(**{key: float(value) for key, value in given.items()})
    values = tuple(map(float, given["values"]))
    if "at" in shape:
        return Curve(tuple(map(float, given["at"])), values)
    return Bands(tuple(map(float, given["upper"])), values, bool(given.get("upper_inclusive", False)))


def _formula(name: str, g: float) -> Parameter:
    from ratemod.experience.split_rules import ncci_ballast, ncci_weight

    return {"ncci_weight": ncci_weight, "ncci_ballast": ncci_ballast}[_one_of(name, ("ncci_weight", "ncci_ballast"))](g)


def _sized(path: Path, interpolate: bool) -> Parameter:
    """Return a parameter from a list by expected losses, each value from its row's size on."""
    from ratemod.reading.convert import convert
    from ratemod.reading.read import read_book

    book = read_book(path, SIZES)
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


def _known(given: dict[str, Any], known: Any) -> None:
    for key in given:
        _one_of(key, sorted(known))


def _one_of(name: str, known: Any) -> str:
    if name not in known:
        raise ValueError(f"{name}? ({nearest(name, known) or ', '.join(known)})")
    return name


def plan_text(name: str, source: str, values: dict[str, float]) -> str:
    """Return a calibrated split plan as a file: split, d_ratio, k_primary, k_excess, off_balance, least, most.

    Examples
    --------
    >>> fitted = {"split": 3e4, "d_ratio": 0.25, "k_primary": 4e4, "k_excess": 7e5, "off_balance": 0.98}
    >>> import tomllib
    >>> tomllib.loads(plan_text("own", "a history", fitted | {"least": 0.6, "most": 2.0}))["ballast"]
    40000.0
    """
    lines = [
        f"name = {_quoted(name)}",
        f"source = {_quoted(source)}",
        f"split = {values['split']!r}",
        f"d_ratio = {values['d_ratio']!r}",
        f"ballast = {values['k_primary']!r}",
        f"excess_credibility = {{ plus = {values['k_primary']!r}, over = {values['k_excess']!r} }}",
        *(f"{key} = {values[key]!r}" for key in ("claim_limit", "off_balance", "least", "most") if key in values),
    ]
    return "\n".join(lines) + "\n"


def _quoted(words: str) -> str:
    import json

    return json.dumps(words, ensure_ascii=False)
