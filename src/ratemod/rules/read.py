"""The one reader of TOML: a file of a declared shape, all faults at once with file and line, decimals exact.

>>> import tempfile
>>> from pathlib import Path
>>> path = Path(tempfile.mkdtemp()) / "own.toml"
>>> _ = path.write_text('shre = 0.1\\nkind = ["a"]\\n')
>>> file = read_toml(path)
>>> _ = file.take(file.data, {"share": Key(float, True), "kind": Key(str)})
>>> for problem in file.problems:
...     print(problem.code, problem.row, problem.what("en"))
RM101 1 unknown key 'shre'; did you mean 'share'?
RM103 2 'kind' must be a text, not a list
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from importlib import resources
from pathlib import Path
from types import FunctionType, MappingProxyType
from typing import Any, Literal, TypeVar, get_args, get_origin

from ratemod.errors import PlanError, Problem, RatemodError, catalogue, nearest, problem, text
from ratemod.rules.lines import Place, line_of, lines_of
from ratemod.rules.number import exact_number, written_float
from ratemod.rules.opened import opened
from ratemod.rules.shape import Key, Keys, Kinds, keys_of, optional

MOST_DEPTH = 60
NOTHING = object()
Made = TypeVar("Made")


@dataclass
class TomlFile:
    """One file being read: its data, the line of each key, and the problems found so far.

    Attributes
    ----------
    shown : how the file is called in messages
    data : what it holds
    content : its text, "" where the data did not come from a file
    kinds : what a key's kind means, where it is a name
    """

    shown: str
    data: Mapping[str, Any]
    content: str = ""
    kinds: Kinds = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @cached_property
    def lines(self) -> Mapping[Place, int]:
        """The line of every key; found when the first problem asks for it."""
        return lines_of(self.content)

    def line(self, *place: str | int) -> int | None:
        """Return the line of a place."""
        return line_of(self.lines, *place) if self.content else None

    def note(self, code: str, *place: str | int, **args: Any) -> None:
        """Record a problem at a place of the file."""
        self.problems.append(problem(code, file=self.shown or None, row=self.line(*place), **args))

    def settle(self, error: type[RatemodError] = PlanError) -> None:
        """Raise what was found, if anything was."""
        if self.problems:
            raise error(self.problems)

    def take(self, given: object, allowed: Keys, *place: str | int) -> dict[str, Any]:
        """Return the values of one table, converted; unknown, missing and unfit keys are recorded and left out."""
        if not isinstance(given, Mapping):
            self.unfit(given, "table", *place)
            return {}
        taken: dict[str, Any] = {}
        meant: set[str | None] = set()
        for name, value in given.items():
            if name not in allowed:
                near = nearest(name, allowed)
                meant.add(near)
                self.note("RM101", *place, name, key=name, **_within(place), nearest=near)
                continue
            found = self.value(value, allowed[name], *place, name)
            if found is not NOTHING:
                taken[name] = found
        for name, key in allowed.items():
            if key.required and name not in given and name not in meant:  # a misspelt one is told once
                self.note("RM102", *place, key=name, **_within(place))
        return taken

    def record(
        self, shape: Callable[..., Made], given: object, allowed: Keys, *place: str | int, **fixed: Any
    ) -> Made | None:
        """Return one table as a dataclass; None, with its problems recorded, where anything in it is wrong."""
        before = len(self.problems)
        taken = self.take(given, allowed, *place)
        if len(self.problems) > before:
            return None
        try:
            return shape(**{allowed[name].field or name: value for name, value in taken.items()}, **fixed)
        except RatemodError as error:  # what the record itself says of its parts
            row = self.line(*place)
            for item in error.problems:
                placed = item if item.file else dataclasses.replace(item, file=self.shown or None, row=row)
                self.problems.append(placed)
            return None

    def records(
        self,
        shape: Callable[..., Made],
        name: str,
        allowed: Keys,
        least: int = 0,
        faults: Callable[[Made], Iterable[str]] = lambda made: (),
    ) -> tuple[Made, ...]:
        """Return the tables ``[[name]]`` as records, those that are in order; what `faults` says of one is recorded."""
        found = []
        for at, part in enumerate(self.tables(name, least)):
            made = self.record(shape, part, allowed, name, at)
            for why in () if made is None else faults(made):
                self.note("RM025", name, at, name=getattr(made, "name", f"{name} {at + 1}"), why=why)
            found += [] if made is None else [made]
        return tuple(found)

    def tables(self, name: str, least: int = 0) -> Sequence[Any]:
        """Return the list of tables ``[[name]]``; anything else is recorded."""
        parts = self.data.get(name, [])
        if not isinstance(parts, list):
            self.unfit(parts, "tables", name)
            return ()
        if len(parts) < least:
            self.note("RM102", key=f"[[{name}]]", **_within(()))
        return parts

    def named(self, name: str) -> Mapping[str, Any]:
        """Return the tables ``[name.X]`` by X; anything else is recorded."""
        parts = self.data.get(name, {})
        if not isinstance(parts, Mapping):
            self.unfit(parts, "table", name)
            return {}
        return parts

    def sections(self, allowed: Iterable[str]) -> None:
        """Record the names at the top of the file that are not among those allowed."""
        known = tuple(allowed)
        for name in self.data:
            if name not in known:
                self.note("RM101", name, key=name, **_within(()), nearest=nearest(name, known))

    def value(self, value: Any, key: Key, *place: str | int) -> Any:
        """Return one value as its key wants it; `NOTHING` where it is unfit, which is recorded."""
        before = len(self.problems)
        found = self.fit(value, key.kind, *place)
        if found is NOTHING or len(self.problems) > before:
            return NOTHING
        for part in found if isinstance(found, tuple) else (found,):
            if key.choices and part not in key.choices:
                self._not_one_of(part, key.choices, *place)
                return NOTHING
            if not _inside(part, key):
                ends = [f"{sign} {end}" for sign, end in ((">=", key.low), ("<=", key.high)) if end is not None]
                self.note("RM021", *place, key=_shown(place), value=part, bounds=" ".join(ends))
                return NOTHING
        if key.filled and (not found or (isinstance(found, tuple) and "" in found)):
            self.note("RM023", *place, key=_shown(place))
            return NOTHING
        return found

    def fit(self, value: Any, kind: Any, *place: str | int) -> Any:
        """Return a value as a kind, see `ratemod.rules.shape`; `NOTHING` where it is unfit, which is recorded."""
        kind = self.kinds.get(kind, kind) if isinstance(kind, str) else kind
        if isinstance(kind, FunctionType):  # most keys of a plan: nothing to take apart
            return kind(self, value, place)
        kind, may_lack = optional(kind)
        if value is None and may_lack:
            return None
        if kind in _SCALARS:
            return _SCALARS[kind](self, value, place)
        origin = get_origin(kind)
        if origin is Literal:
            if value in get_args(kind) and isinstance(value, str):
                return value
            return self._not_one_of(value, tuple(map(str, get_args(kind))), *place)
        if origin is tuple:
            return self._listed(value, get_args(kind)[0], place)
        if origin is not None and issubclass(origin, Mapping):
            return self._mapped(value, get_args(kind), place)
        if dataclasses.is_dataclass(kind):
            made = self.record(kind, value, keys_of(kind), *place)  # type: ignore[arg-type]
            return NOTHING if made is None else made
        return kind(self, value, place)

    def unfit(self, value: Any, wanted: str, *place: str | int) -> Any:
        """Record that a value is not of the kind wanted (see the messages ``UI_rules_…``)."""
        words = {f"wanted_{lang}": text(f"UI_rules_{wanted}", lang) for lang in ("en", "zh")}
        given = {f"given_{lang}": _said(value, lang) for lang in ("en", "zh")}
        self.note("RM103", *place, key=_shown(place), **words, **given)
        return NOTHING

    def _not_one_of(self, value: Any, choices: Sequence[str], *place: str | int) -> Any:
        if not isinstance(value, str):
            return self.unfit(value, "text", *place)
        near = nearest(value, choices)
        self.note("RM104", *place, key=_shown(place), value=value, choices=", ".join(choices), nearest=near)
        return NOTHING

    def _listed(self, value: Any, kind: Any, place: Place) -> Any:
        if isinstance(value, str) and (kind is str or get_origin(kind) is Literal):
            value = [value]  # one name, never its letters
        if not isinstance(value, list | tuple):
            return self.unfit(value, "list", *place)
        parts = [self.fit(part, kind, *place, at) for at, part in enumerate(value)]
        return NOTHING if NOTHING in parts else tuple(parts)

    def _mapped(self, value: Any, kinds: tuple[Any, ...], place: Place) -> Any:
        if not isinstance(value, Mapping):
            return self.unfit(value, "table", *place)
        parts = {self.fit(name, kinds[0], *place, name): self.fit(part, kinds[1], *place, name)
                 for name, part in value.items()}  # fmt: skip
        return NOTHING if NOTHING in (*parts, *parts.values()) else MappingProxyType(parts)


def read_toml(path: Path, shown: str = "", kinds: Kinds = MappingProxyType({}), within: Path | None = None) -> TomlFile:
    """Return a TOML file, decimals exact.

    Raises
    ------
    PlanError
        RM107 when it is not TOML; RM017 to RM022 when it cannot be opened.
    """
    shown = shown or str(path)
    content = opened(path, shown, within)
    return TomlFile(shown, parsed(content, shown), content, kinds)


def read_rules(source: str | Path | None, shipped: str) -> TomlFile:
    """Return a file of rules, or without one what ships: a path inside the package."""
    if source is not None:
        return read_toml(Path(source))
    with resources.as_file(resources.files("ratemod").joinpath(*shipped.split("/"))) as path:
        return read_toml(path, path.name)


def parsed(content: str, shown: str) -> dict[str, Any]:
    """Return the data of a TOML text.

    Raises
    ------
    PlanError
        RM107 when it is not TOML, RM024 when its brackets stand one in another without end.
    """
    try:
        data = tomllib.loads(content, parse_float=written_float)
        deepest = _depth(data)
    except (tomllib.TOMLDecodeError, ValueError) as error:
        raise PlanError(_no_toml(shown, str(error))) from None
    except RecursionError:
        deepest = MOST_DEPTH + 1
    if deepest > MOST_DEPTH:
        raise PlanError(problem("RM024", file=shown, most=MOST_DEPTH))
    return data


def _depth(value: Any) -> int:
    parts: Iterable[Any] = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, parts), default=0)


def _inside(value: Any, key: Key) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return True
    return (key.low is None or value >= key.low) and (key.high is None or value <= key.high)


def _number(file: TomlFile, value: Any, place: Place) -> Any:
    try:
        return exact_number(value)
    except OverflowError:
        file.note("RM016", *place, key=_shown(place))
        return NOTHING
    except ValueError:
        return file.unfit(value, "number", *place)


def _float(file: TomlFile, value: Any, place: Place) -> Any:
    found = _number(file, value, place)
    return found if found is NOTHING else float(found)


def _integer(file: TomlFile, value: Any, place: Place) -> Any:
    if isinstance(value, bool) or not isinstance(value, int):
        return file.unfit(value, "integer", *place)
    return value if _number(file, value, place) is not NOTHING else NOTHING


def _flag(file: TomlFile, value: Any, place: Place) -> Any:
    return value if isinstance(value, bool) else file.unfit(value, "flag", *place)


def _text(file: TomlFile, value: Any, place: Place) -> Any:
    return value if isinstance(value, str) else file.unfit(value, "text", *place)


def _date(file: TomlFile, value: Any, place: Place) -> Any:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        return file.unfit(value, "date", *place)


_SCALARS: Mapping[Any, Any] = {
    str: _text, bool: _flag, int: _integer, float: _float, Decimal: _number, date: _date,
}  # fmt: skip


def _within(place: Place) -> dict[str, str]:
    """Return where a key stands, in words of both languages; nothing at the top of a file."""
    shown = _shown(place)
    return {"section": f" in [{shown}]" if shown else "", "section_zh": f"[{shown}]中" if shown else ""}


def _shown(place: Sequence[str | int]) -> str:
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in place)


def _said(value: Any, lang: Literal["en", "zh"]) -> str:
    """Return a value as a message may show it: short ones as they are, the others by their kind."""
    if isinstance(value, Mapping | list | tuple):
        return text("UI_rules_table" if isinstance(value, Mapping) else "UI_rules_list", lang)
    if isinstance(value, str):
        return f"'{value}'" if len(value) <= 40 else f"'{value[:40]}…'"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if not isinstance(value, int) or abs(value) < 10**40 else text("UI_rules_number", lang)


# How the parser begins what it says, and what it means to the writer of the file.
_FAULTS = (
    ("Expected '='", "equals"),
    ("Invalid value", "value"),
    ("Invalid date", "date"),
    ("Invalid statement", "statement"),
    ("Cannot overwrite", "twice"),
    ("Cannot declare", "twice"),
    ("Cannot mutate", "twice"),
    ("Illegal character '\\n'", "open"),
    ("Unterminated", "open"),
    ("Unclosed", "open"),
    ("Expected newline", "rest"),
    ('Expected "]"', "open"),
    ("Expected ']'", "open"),
)


def _no_toml(shown: str, said: str) -> Problem:
    """Return the problem of a text that is no TOML, with its line, in words of both languages."""
    line = re.search(r"at line (\d+)", said)
    kind = next((name for begins, name in _FAULTS if said.startswith(begins)), "other")
    names = catalogue()[f"UI_toml_{kind}"]
    row = int(line[1]) if line else None
    return problem("RM107", file=shown, row=row, why=names["en"], why_zh=names["zh"])
