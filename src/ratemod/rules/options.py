"""Arguments of a closed set: `strict` holds what a function is given against its own type hints.

A word outside its ``Literal``, a text where yes or no is meant, a day that is none, a number outside its range
(`ratemod.rules.within`), or no number: a refusal that names the function, the argument, what was given and what is
permitted, all of a call at once. Days come as `datetime.date` to the function, whatever the caller's clock; a text
where a list of names is meant is the one name, never its letters. What else a hint says (arrays, frames) is the
function's own affair.
"""

from __future__ import annotations

import collections.abc
import functools
import inspect
import re
import types
import typing
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from ratemod.errors import ModelError, Problem, nearest, problem
from ratemod.rules.within import WIDEST, Within

Thing = TypeVar("Thing", bound=Callable[..., Any])
Rule = Callable[[str, Any, list[Problem]], Any]  # name, value, faults so far -> the value to go on with

_DAY = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})|(\d{4})年(\d{1,2})月(\d{1,2})日|(\d{4})(\d\d)(\d\d)")
_LISTS = (tuple, list, frozenset, set, collections.abc.Sequence, collections.abc.Iterable, collections.abc.Collection)
_MAPPINGS = (dict, collections.abc.Mapping)


def strict(thing: Thing) -> Thing:
    """Return a function, or a dataclass, that refuses arguments outside the closed sets of its hints.

    Raises
    ------
    ModelError
        By what is returned: RM012 a word that is not permitted (with the nearest), RM013 neither true nor false, RM014
        no day, RM015 no list, RM676 no number, or none that is permitted.

    Examples
    --------
    >>> @strict
    ... def turn(way: Literal["left", "right"]) -> str:
    ...     return way
    >>> turn("rihgt")
    Traceback (most recent call last):
    ratemod.errors.ModelError: RM012 turn: 'rihgt' is no way; permitted: left, right; did you mean 'right'?
    """
    if isinstance(thing, type):
        thing.__init__ = _guarded(thing.__init__, thing.__name__)  # type: ignore[misc]
        return thing
    return typing.cast(Thing, _guarded(thing, thing.__qualname__))


def _guarded(function: Callable[..., Any], called: str) -> Callable[..., Any]:
    @functools.wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        rules, (first, many) = rules_of(function), _positions(function)
        wrong: list[Problem] = []
        positions = (*first, *[many] * (len(args) - len(first))) if many else first
        given = [rules[name](name, value, wrong) if name in rules else value for name, value in zip(positions, args)]
        named = {name: rules[name](name, value, wrong) if name in rules else value for name, value in kwargs.items()}
        if wrong:
            raise ModelError(problem(item.code, **{**item.args, "function": called}) for item in wrong)
        return function(*given, *args[len(given) :], **named)

    return guarded


@functools.cache
def _positions(function: Callable[..., Any]) -> tuple[tuple[str, ...], str]:
    """Return the names of arguments by position, and of what takes all further ones, "" where nothing does."""
    parameters = inspect.signature(function).parameters
    many = next((name for name, parameter in parameters.items() if parameter.kind is parameter.VAR_POSITIONAL), "")
    return tuple(parameters)[: tuple(parameters).index(many) if many else None], many


@functools.cache
def rules_of(function: Callable[..., Any]) -> Mapping[str, Rule]:
    """Return the rule of every argument whose hint is a closed set."""
    found = {}
    for name, parameter in inspect.signature(function).parameters.items():
        hint = hint_of(function, parameter)
        rule = None if hint is None or parameter.kind in (parameter.VAR_KEYWORD,) else _rule(hint, parameter.default)
        if rule is not None:
            found[name] = rule
    return found


def hint_of(function: Callable[..., Any], parameter: inspect.Parameter) -> Any:
    """Return the hint of one argument; None where it has none, or names what is imported for type checkers only."""
    if parameter.annotation is parameter.empty:
        return None
    holder = types.SimpleNamespace(__annotations__={"it": parameter.annotation})
    spaces = getattr(function, "__globals__", {})
    try:
        return typing.get_type_hints(holder, globalns=spaces, include_extras=True)["it"]
    except (NameError, AttributeError, TypeError):
        return None


def _rule(hint: Any, default: Any = inspect.Parameter.empty) -> Rule | None:
    """Return how an argument of this hint is held against it, None where it is free."""
    members = _members(hint)
    free = [kind for kind in members if kind is not type(None)]
    words = tuple(word for kind in free if get_origin(kind) is Literal for word in get_args(kind))
    others = [kind for kind in free if get_origin(kind) is not Literal]
    numbers = [one for kind in others if (one := _range(kind))]
    if words:
        inner = functools.partial(_number, numbers, True) if others and len(numbers) == len(others) else _listed(others)
        return functools.partial(_word, words, bool(others), inner) if str not in others else None
    if free == [bool]:
        return _flag
    if others and len(numbers) == len(others):
        return functools.partial(_number, numbers, len(free) < len(members))
    if date in free and not set(free) - {date, datetime, str}:
        return _day
    return None if str in free else _listed(free)


def _members(hint: Any) -> tuple[Any, ...]:
    return tuple(part for kind in get_args(hint) for part in _members(kind)) if _is_union(hint) else (hint,)


def _range(kind: Any) -> Within | None:
    """Return which numbers a kind stands for, None where it is no kind of number."""
    if get_origin(kind) is Annotated:
        return next((part for part in get_args(kind) if isinstance(part, Within)), None)
    return WIDEST.get(kind) if isinstance(kind, type) else None


def _is_union(hint: Any) -> bool:
    return get_origin(hint) in (Union, types.UnionType)


def _listed(kinds: list[Any]) -> Rule | None:
    """Return how lists and mappings among the kinds are held against their parts."""
    for kind in kinds:
        parts = tuple(part for part in get_args(kind) if part is not Ellipsis)
        if get_origin(kind) in _LISTS and parts and (parts[0] is str or get_origin(parts[0]) is Literal):
            inner = functools.partial(_names, _rule(parts[0]))
            return inner if len(kinds) > 1 else functools.partial(_several, inner)
        if get_origin(kind) in _LISTS and len(kinds) == 1:
            return functools.partial(_several, None)
    mappings = [get_args(kind) for kind in kinds if get_origin(kind) in _MAPPINGS]
    rules = [_part(Union[parts]) for parts in zip(*mappings)]  # of several each key and value may be of any  # noqa: UP007
    if rules and rules != [None, None]:
        return functools.partial(_mapping, rules, len(kinds) > len(mappings))
    return None


def _part(hint: Any) -> Rule | None:
    """Return how a key or a value of a mapping is held; that it is a list at all is for whoever knows its name."""
    rule = _rule(hint)
    return None if isinstance(rule, functools.partial) and rule.func is _several and rule.args == (None,) else rule


def _word(
    words: tuple[Any, ...], or_other: bool, inner: Rule | None, name: str, value: Any, wrong: list[Problem]
) -> Any:
    if value is None or (isinstance(value, collections.abc.Hashable) and value in words):
        return value
    if or_other and not isinstance(value, str):
        return inner(name, value, wrong) if inner else value
    known = [str(word) for word in words]
    near = nearest(value, known) if isinstance(value, str) else None
    wrong.append(problem("RM012", name=name, value=value, known=", ".join(known), nearest=near))
    return value


def _number(ranges: list[Within], or_none: bool, name: str, value: Any, wrong: list[Problem]) -> Any:
    if not (value is None and or_none) and not any(one.holds(value) for one in ranges):
        wrong.append(problem("RM676", name=name, value=value, known=" / ".join(map(str, ranges))))
    return value


def _flag(name: str, value: Any, wrong: list[Problem]) -> Any:
    if value is not None and not isinstance(value, bool) and type(value).__name__ not in ("bool_", "bool"):
        wrong.append(problem("RM013", name=name, value=value))
    return value


def _day(name: str, value: Any, wrong: list[Problem]) -> Any:
    try:
        return None if value is None else day_of(value)
    except ValueError:
        wrong.append(problem("RM014", name=name, value=value))
        return value


def _several(inner: Rule | None, name: str, value: Any, wrong: list[Problem]) -> Any:
    try:
        iter(() if value is None else value)
    except TypeError:
        wrong.append(problem("RM837", name=name, shape="()"))
        return value
    return inner(name, value, wrong) if inner else value


def _names(rule: Rule | None, name: str, value: Any, wrong: list[Problem]) -> Any:
    value = (value,) if isinstance(value, str) else value
    if rule is not None and isinstance(value, collections.abc.Collection):
        for part in value:
            rule(name, part, wrong)
    return value


def _mapping(rules: list[Rule | None], or_other: bool, name: str, value: Any, wrong: list[Problem]) -> Any:
    if isinstance(value, Mapping):
        for key, part in value.items():
            for rule, one in zip(rules, (key, part)):
                if rule is not None:
                    rule(name, one, wrong)
    elif value is not None and not or_other:
        wrong.append(problem("RM015", name=name, value=value))
    return value


def day_of(value: Any) -> date:
    """Return a day from a date, a moment of any clock, or a text; ValueError where it is none.

    Examples
    --------
    >>> day_of("2026/1/1"), day_of("20260101") == day_of(datetime(2026, 1, 1, 9, 30))
    (datetime.date(2026, 1, 1), True)
    """
    if isinstance(value, datetime):
        if value != value:  # a moment that is missing
            raise ValueError(value)
        return value.date()
    if isinstance(value, date):
        return value
    if type(value).__name__ == "datetime64":
        return day_of(value.astype("datetime64[D]").item())
    found = _DAY.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        try:
            return datetime.fromisoformat(value).date()  # a moment as text
        except TypeError:
            raise ValueError(value) from None
    year, month, day = (int(part) for part in found.groups() if part and part.isdigit())
    return date(year, month, day)
