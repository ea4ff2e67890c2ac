"""Problems and the few exceptions: the one place where messages are built.

A `Problem` is a code plus arguments. Its text lives in `messages/*.toml`, in English and in Chinese, so that the
same problem reads the same in a terminal, a refused sheet and a report. Problems are collected, not raised one by
one: an exception carries all of them, grouped and capped when printed.
"""

from __future__ import annotations

import difflib
import errno
import functools
import locale
import os
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Literal, get_args

from ratemod.catalogue import catalogue_of

Lang = Literal["zh", "en"]
LANGUAGES = get_args(Lang)
MOST_COMPARED = 200  # names that a word is held against; of more those next to it in order
NEIGHBOURS = 25


@functools.cache
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Every message by code: ``{"RM101": {"en": ..., "zh": ..., "fix_en": ..., "fix_zh": ...}}``.

    Raises
    ------
    ValueError
        When two catalogue files define the same code.
    """
    folder = resources.files("ratemod") / "messages"
    files = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".toml")), key=lambda entry: entry.name)
    return catalogue_of((entry.name, entry.read_text(encoding="utf-8")) for entry in files)


def default_language() -> Lang:
    """Return ``"zh"`` in a Chinese locale, else ``"en"``."""
    name = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG")
    if not name:
        name = locale.getlocale()[0] or ""
    return "zh" if name.lower().startswith(("zh", "chinese")) else "en"


def text(code: str, lang: Lang, **args: Any) -> str:
    """Return the catalogue text of `code` in `lang` with its arguments filled in.

    Raises
    ------
    KeyError
        When the catalogue has no such code.
    ModelError
        RM012 a language that is neither.

    Examples
    --------
    >>> text("RM001", "en", value="mime", nearest="mine")
    "did you mean 'mine'?"
    """
    _known(lang)
    return _filled(catalogue()[code][lang], lang, args)


def _filled(template: str, lang: Lang, args: Mapping[str, Any]) -> str:
    """Return a text with its arguments, each in the language."""
    return template.format_map(
        {name: value.said(lang) if hasattr(value, "said") else value for name, value in args.items()}
    )


@dataclass(frozen=True, slots=True)
class Words:
    """A text of the catalogue inside a message.

    Attributes
    ----------
    code : str
    args : tuple of (name, value)
    """

    code: str
    args: tuple[tuple[str, Any], ...] = ()

    def said(self, lang: Lang) -> str:
        """Return the text in a language."""
        return text(self.code, lang, **dict(self.args))

    def __str__(self) -> str:
        return self.said("en")


def cause(error: Exception) -> Words:
    """Return what the operating system refused: in our words, or in its own where there are none of ours."""
    name = f"UI_system_{errno.errorcode.get(getattr(error, 'errno', None) or 0, '')}"
    words = getattr(error, "strerror", None) or str(error)
    return Words(name) if name in catalogue() else Words("UI_system_other", (("words", words),))


def _known(lang: str) -> None:
    if lang not in LANGUAGES:
        near, known = nearest(str(lang), LANGUAGES), ", ".join(LANGUAGES)
        raise ModelError(problem("RM012", function="text", name="lang", value=lang, known=known, nearest=near))


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: what, where, why and how to mend it.

    Attributes
    ----------
    code : str
        Catalogue code, such as ``RM203``. The same kind of problem always has the same code.
    args : mapping
        What the message text needs (column, value, bounds, nearest match ...).
    file, sheet : str or None
        Where it was found.
    row : int or None
        Line of a text file, or 1-based row of a sheet, as an editor or Excel counts.
    count : int
        How many rows share this very problem.
    """

    code: str
    args: Mapping[str, Any] = field(default_factory=dict)
    file: str | None = None
    sheet: str | None = None
    row: int | None = None
    count: int = 1

    def where(self) -> str:
        """Return ``file:row`` (with the sheet, if any), or an empty string."""
        place = self.file or ""
        if self.sheet:
            place += f"[{self.sheet}]"
        return f"{place}:{self.row}" if self.row is not None else place

    def what(self, lang: Lang = "en") -> str:
        """Return what is wrong and why, with the nearest match where there is one."""
        said = text(self.code, lang, **{"count": self.count, **self.args})
        near = self.args.get("nearest")
        return f"{said}; {text('RM001', lang, nearest=near)}" if near else said

    def fix(self, lang: Lang = "en") -> str:
        """Return how to mend it, or an empty string where the message says it all."""
        _known(lang)
        return _filled(catalogue()[self.code].get(f"fix_{lang}", ""), lang, {"count": self.count, **self.args})

    def line(self, lang: Lang = "en") -> str:
        """Return the whole problem as one line: code, place, what, fix."""
        parts = [self.code, self.where(), self.what(lang)]
        said = " ".join(part for part in parts if part)
        if self.count > 1:
            said += f" (×{self.count:,})"
        mend = self.fix(lang)
        stop = "" if said.endswith(("?", "？")) else "."
        return f"{said}{stop} {mend}" if mend else said


def problem(
    code: str, *, file: str | None = None, sheet: str | None = None, row: int | None = None, count: int = 1, **args: Any
) -> Problem:
    """Build a `Problem`; keyword arguments other than the place become message arguments."""
    return Problem(code, args, file, sheet, row, count)


_NUMERALS = {char: str(at) for at, char in enumerate("〇一二三四五六七八九十")}
_ROMAN = {name: str(at) for at, name in enumerate(("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x"), 1)}
_NOT = frozenset("不未无非没免")


def _meaning(folded: str) -> str:
    """Return a folded word with its numerals as digits: 一级, Ⅰ级, I级 and 1级 mean the same."""
    word = re.sub(r"[a-z]+", lambda found: _ROMAN.get(found[0], found[0]), folded)
    return "".join(_NUMERALS.get(char, char) for char in word)


def _apart(one: str, other: str) -> bool:
    """Return whether two words of nearly the same letters mean different things: other numerals or grades, a not.

    Of identifiers, which hold longer numbers, any digit may be the slip.
    """
    grades = [re.findall(r"[0-9]+|(?<![a-z])[a-z](?![a-z])", word) for word in (one, other)]
    short = all(len(grade) <= 2 for found in grades for grade in found)
    return (short and grades[0] != grades[1]) or bool(_NOT & set(one)) != bool(_NOT & set(other))


def nearest_of(known: Iterable[str]) -> Callable[[str], str | None]:
    """Return `nearest` among some names, asked for many words; of many names those that begin or end much as the word.

    Examples
    --------
    >>> near = nearest_of(f"class {at:05d}" for at in range(60_000))
    >>> near("class 12345z"), near("clas 12345")
    ('class 12345', 'class 12345')
    """
    names = list(known)
    if len(names) <= MOST_COMPARED:
        return lambda value: nearest(value, names)
    orders = sorted(names), sorted(name[::-1] for name in names)

    def among(value: str) -> str | None:
        beside = []
        for order, word in zip(orders, (value, value[::-1])):
            at = bisect_left(order, word)
            beside.append(order[max(at - NEIGHBOURS, 0) : at + NEIGHBOURS])
        return nearest(value, [*beside[0], *(name[::-1] for name in beside[1])])

    return among


def once(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return problems in their order without those that say again what an earlier one says of the same place.

    Examples
    --------
    >>> told = [problem("RM816", file="a"), problem("RM816", file="b"), problem("RM816", file="a")]
    >>> [item.file for item in once(told)]
    ['a', 'b']
    """
    said: dict[tuple[str, str, str], Problem] = {}
    for item in problems:
        said.setdefault((item.code, item.where(), item.what()), item)
    return tuple(said.values())


def nearest(value: str, known: Iterable[str]) -> str | None:
    """Return the known name that a word means or is a slip of, or None where that is not clear.

    Numerals and grades are compared by what they mean, and a word that says "not" is no slip of one that does not; of
    several names that are equally near none is.

    Examples
    --------
    >>> nearest("constuction", ["mine", "construction"])
    'construction'
    >>> nearest("Ⅰ级", ["一级", "二级"]), nearest("四级", ["一级", "二级"])
    ('一级', None)
    """
    names = list(known)
    if value in names:
        return value
    meant: dict[str, str] = {}
    for name in names:
        meant.setdefault(_meaning(_key(name)), name)
    key = _meaning(_key(value))
    if key in meant:
        return meant[key]
    cutoff = 0.5 if len(key) <= 3 else 0.6  # one character of two differs: 矿上, 矿山
    match = [near for near in difflib.get_close_matches(key, meant, n=3, cutoff=cutoff) if not _apart(key, near)]
    ratios = [difflib.SequenceMatcher(None, near, key).ratio() for near in match]
    if match and len(key) <= 3 and ratios.count(ratios[0]) > 1 and len({meant[near] for near in match}) > 1:
        placed = [sum(a == b for a, b in zip(near, key)) for near in match]  # 矿上 is 矿山 before it is 煤矿
        if placed.count(max(placed)) > 1:
            return None
        match = [match[placed.index(max(placed))]]
    if match:
        return meant[match[0]]
    inside = [name for name in names if value and (value in name or name in value)]
    inside = [name for name in inside if not _apart(key, _meaning(_key(name)))]
    return inside[0] if len(inside) == 1 else None


def _key(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold().strip().replace("_", "").replace("-", "")


def of_each(ordered: Sequence[Problem], most: int) -> list[Problem]:
    """Return at most so many problems, in their order: one of every code before a second of any.

    Examples
    --------
    >>> [item.code for item in of_each([problem("RM201"), problem("RM201"), problem("RM202")], 2)]
    ['RM201', 'RM202']
    """
    first = {item.code: at for at, item in reversed([*enumerate(ordered)])}
    places = sorted(range(len(ordered)), key=lambda at: (first[ordered[at].code] != at, at))
    return [ordered[at] for at in sorted(places[:most])]


def render(problems: Sequence[Problem], lang: Lang = "en", limit: int = 20) -> str:
    """Return the problems as text, grouped by code, at most `limit` lines and then a count."""
    lines = [item.line(lang) for item in of_each(sorted(problems, key=lambda item: item.code), limit)]
    if len(problems) > limit:
        lines.append(text("RM002", lang, more=len(problems) - limit))
    return "\n".join(lines)


class RatemodError(Exception):
    """What the engine raises: carries every `Problem` found, not only the first.

    Attributes
    ----------
    problems : tuple of Problem
    """

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return render(self.problems, default_language())


class PlanError(RatemodError):
    """A plan, a scenario or an edit of a plan cannot be used."""


class BookError(RatemodError):
    """A book, a register or a file of data cannot be used at all (single bad rows never raise)."""


class ModelError(RatemodError):
    """A calculation asked for cannot be done honestly on this input (too thin, not converged, contradictory)."""
