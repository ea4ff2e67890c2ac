"""Every public function refuses a word outside a closed set of its hints, whatever the function."""

from __future__ import annotations

import datetime
import importlib
import inspect
import pkgutil
import re
import types
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Literal, get_args, get_origin

import numpy as np
import pandas as pd
import pytest

import ratemod as rm
from ratemod.errors import ModelError, text
from ratemod.rules.options import day_of, hint_of, strict
from ratemod.rules.within import Within

BOGUS = "no_such_word"
PRIVATE = (
    "document", "charts", "publication", "formulas", "secondopinion", "report", "commands", "web", "cli", "errors",
    "rules", "__main__", "plan.model", "plan.keys",
)  # fmt: skip
CLOSED = re.compile(r"\bLiteral\[|\bLang\b")


def public():
    """Every function and method that a user can reach, with its name: those of `rm`, and of all working packages."""
    found = {}
    for part in pkgutil.walk_packages(rm.__path__, "ratemod."):
        if part.name.removeprefix("ratemod.").startswith(PRIVATE):
            continue
        module = importlib.import_module(part.name)
        own = {name: thing for name, thing in vars(module).items() if getattr(thing, "__module__", "") == part.name}
        for name, thing in own.items():
            if not name.startswith("_"):
                found |= parts_of(f"{part.name}.{name}", thing)
    for name in set(rm.__all__) - {"Problem"}:  # below all; see the test of the language
        found |= parts_of(f"rm.{name}", getattr(rm, name))
    return found


def parts_of(name, thing):
    if inspect.isfunction(thing):
        return {name: thing}
    if not inspect.isclass(thing) or issubclass(thing, Exception):
        return {}
    methods = {part: getattr(value, "__func__", value) for part, value in vars(thing).items() if part[0] != "_"}
    return {f"{name}.{part}": value for part, value in methods.items() if inspect.isfunction(value)}


def words_of(hint):
    """The permitted words of a hint; nothing where it is open."""
    if get_origin(hint) is Literal:
        return set(get_args(hint))
    return set().union(*map(words_of, get_args(hint))) if get_args(hint) else set()


def closed_arguments():
    found = []
    for name, function in sorted(public().items()):
        inner = inspect.unwrap(function)
        for argument, parameter in inspect.signature(inner).parameters.items():
            if words_of(hint_of(inner, parameter)):
                found.append(pytest.param(function, argument, id=f"{name}({argument})"))
    return found


@pytest.mark.parametrize("function, argument", closed_arguments())
def test_a_word_outside_the_closed_set_is_refused(function, argument):
    signature = inspect.signature(function)
    needed = [name for name, p in signature.parameters.items() if p.default is p.empty and p.kind not in (2, 4)]
    many = signature.parameters[argument].kind is inspect.Parameter.VAR_POSITIONAL
    given = dict.fromkeys(needed) | {argument: (BOGUS,) if many else BOGUS}
    if many:
        given = {name: given[name] for name in signature.parameters if name in given}
    call = inspect.BoundArguments(signature, given)
    with pytest.raises(rm.RatemodError, match=BOGUS) as refusal:
        function(*call.args, **call.kwargs)
    (wrong,) = [problem for problem in refusal.value.problems if problem.args["name"] == argument]
    assert wrong.args["known"] in wrong.what("en") and wrong.args["known"] in wrong.what("zh")


def ranges_of(hint):
    """The ranges of numbers that a hint permits, where it permits numbers only."""
    if get_origin(hint) is Annotated:
        return [part for part in get_args(hint) if isinstance(part, Within)]
    return [one for part in get_args(hint) for one in ranges_of(part)] if isinstance(hint, types.UnionType) else []


def numbers():
    found = []
    for name, function in sorted(public().items()):
        inner = inspect.unwrap(function)
        for argument, parameter in inspect.signature(inner).parameters.items():
            if ranges := ranges_of(hint_of(inner, parameter)):
                found.append(pytest.param(function, argument, ranges[0], id=f"{name}({argument})"))
    return found


@pytest.mark.parametrize("function, argument, within", numbers())
def test_a_number_outside_its_range_is_refused(function, argument, within):
    needed = [name for name, p in inspect.signature(function).parameters.items() if p.default is p.empty]
    wrong = [np.nan, Decimal("NaN"), "1", True, *([np.inf] if within.finite else []), *([0.5] if within.whole else [])]
    wrong += [within.low - 1] if within.low > -np.inf else []
    wrong += [within.low] if within.open_low else []
    wrong += [within.high] if within.open_high else []
    for value in wrong:
        with pytest.raises(ModelError, match="RM676") as refusal:
            function(**dict.fromkeys(needed) | {argument: value})
        (told,) = [problem for problem in refusal.value.problems if problem.args["name"] == argument]
        assert str(within) in told.what("en") and str(within) in told.what("zh")


def test_the_day_to_day_functions_hold_their_numbers():
    """A function of `rm` that takes a number takes it through `strict`."""
    open_ones = []
    for name, function in public().items():
        kinds = [str(p.annotation) for p in inspect.signature(inspect.unwrap(function)).parameters.values()]
        plain = any(kind.removesuffix(" | None") in ("int", "float", "Decimal") for kind in kinds)
        if name.startswith("rm.") and name.count(".") == 1 and plain and not hasattr(function, "__wrapped__"):
            open_ones.append(name)
    assert not open_ones


@pytest.mark.parametrize(
    "within, inside, outside",
    [
        (Within(0, 1), [0, 1, 0.5, Decimal("0.5"), np.float64(1)], [-1e-9, 1 + 1e-9, None, Decimal("sNaN")]),
        (Within(0, 1, open_low=True, open_high=True), [1e-300, 0.5], [0, 1, np.False_]),
        (Within(1, whole=True), [1, np.int32(7)], [0, 1.0, Decimal(1)]),
        (Within(0, open_low=True, finite=False), [np.inf, 1e-300], [0, -np.inf]),
        (Within(0, 1, exact=True), [0, 1, Decimal("0.1")], [0.1, Decimal("1.1"), Decimal("Infinity")]),
        (Within(), [-1e308], [np.inf, -np.inf, 1j]),
    ],
)
def test_a_range(within, inside, outside):
    assert [within.holds(value) for value in inside] == [True] * len(inside)
    assert [within.holds(value) for value in outside] == [False] * len(outside)


def test_no_hint_of_a_closed_set_goes_unread():
    """A hint that cannot be evaluated (a name for type checkers only) would be skipped in silence."""
    unread = []
    for name, function in public().items():
        inner = inspect.unwrap(function)
        for argument, parameter in inspect.signature(inner).parameters.items():
            if CLOSED.search(str(parameter.annotation)) and hint_of(inner, parameter) is None:
                unread.append(f"{name}({argument})")
    assert not unread


@pytest.mark.parametrize("said", [lambda p: p.what("ZH"), lambda p: p.fix("ZH"), lambda p: text("RM001", "ZH")])
def test_a_language_is_one_of_two(said):
    with pytest.raises(ModelError, match=r"RM012.*'ZH'.*did you mean 'zh'"):
        said(rm.Problem("RM014", {"function": "f", "name": "on", "value": "x"}))


@strict
def asked(
    way: Literal["left", "right"] | None = None,
    ways: Sequence[Literal["left", "right"]] = (),
    names: tuple[str, ...] = (),
    by_way: Mapping[Literal["left", "right"], int] | None = None,
    on: datetime.date | str | None = None,
    sure: bool = False,
    factor: Literal["own"] | float = 1.0,
    many: int | None = None,
    ratio: float = 1.0,
):
    return way, ways, names, on


@pytest.mark.parametrize(
    "given, code",
    [
        ({"way": "lefft"}, "RM012"),
        ({"way": 3}, "RM012"),
        ({"way": ["left"]}, "RM012"),
        ({"ways": ["left", "up"]}, "RM012"),
        ({"ways": "up"}, "RM012"),
        ({"by_way": {"up": 1}}, "RM012"),
        ({"by_way": "left"}, "RM015"),
        ({"on": "2026-02-30"}, "RM014"),
        ({"on": 20260101}, "RM014"),
        ({"on": pd.NaT}, "RM014"),
        ({"sure": "no"}, "RM013"),
        ({"sure": 1}, "RM013"),
        ({"factor": "theirs"}, "RM012"),
        ({"factor": np.nan}, "RM676"),
        ({"many": 2.0}, "RM676"),
        ({"ratio": None}, "RM676"),
        ({"many": "2"}, "RM676"),
        ({"many": True}, "RM676"),
        ({"by_way": {"left": "much"}}, "RM676"),
    ],
)
def test_what_is_refused(given, code):
    with pytest.raises(ModelError, match=code):
        asked(**given)


def test_all_faults_of_a_call_come_at_once():
    with pytest.raises(ModelError) as refusal:
        asked("up", sure="yes", on="tomorrow")
    assert [problem.code for problem in refusal.value.problems] == ["RM012", "RM013", "RM014"]


def test_what_is_understood():
    assert asked("left", ["right"], ("a",), sure=np.True_, factor=2.0)[:2] == ("left", ["right"])
    assert asked(names="sector")[2] == ("sector",), "one name is not cut into its letters"


@pytest.mark.parametrize(
    "value",
    [
        datetime.datetime(2026, 1, 5, 9, 30),
        pd.Timestamp("2026-01-05 23:59"),
        np.datetime64("2026-01-05T10:00"),
        "2026-01-05",
        "2026-1-5",
        "2026/1/5",
        "2026.01.05",
        "20260105",
        "2026年1月5日",
        " 2026-01-05 ",
        "2026-01-05T08:00:00+08:00",
    ],
)
def test_a_day_is_understood_whatever_the_clock(value):
    assert day_of(value) == datetime.date(2026, 1, 5)
    assert type(day_of(value)) is datetime.date
