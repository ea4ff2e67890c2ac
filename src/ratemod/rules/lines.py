"""Where each key of a TOML file stands, in whatever spelling, so that a problem can name its line.

`tomllib` does not say. The text has been read by it before, so that this walk may take its grammar for granted: it only
steps over strings, comments and brackets, and notes the line of every key and of every part of a list.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

Place = tuple[str | int, ...]

_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_STRING = re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'', re.DOTALL)
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}\n#]+")


def lines_of(text: str) -> Mapping[Place, int]:
    """Return the line of every section, key and part of a list.

    Examples
    --------
    >>> lines_of('[plan]\\nkey = 1\\n[[step]]\\nop = "sum"')[("step", 0, "op")]
    4
    >>> lines_of('[a]\\nb = { c = 1 }\\nx.y = [\\n 1,\\n {z = 2}]')[("a", "x", "y", 1, "z")]
    5
    """
    walk = _Walk(text)
    walk.document()
    return walk.found


class _Walk:
    """A position in the text, and the lines found so far."""

    def __init__(self, text: str) -> None:
        self.text, self.at, self.line, self.seen = text, 0, 1, 0
        self.found: dict[Place, int] = {}
        self.lists: dict[Place, int] = {}  # [[name]] -> place of the last one

    def document(self) -> None:
        section: Place = ()
        while self.space() < len(self.text):
            many = self.text.startswith("[[", self.at)
            if many or self.text[self.at] == "[":
                self.at += 1 + many
                section = self.header(self.key(), many)
                self.at += 1 + many
            else:
                self.pair(section)

    def header(self, path: Place, many: bool) -> Place:
        """Return the place that a header opens; names of lists on the way mean their last part."""
        place: Place = ()
        for depth, name in enumerate(path, 1):
            place = (*place, name)
            self.note(place)
            if place in self.lists and not (many and depth == len(path)):
                place = (*place, self.lists[place])
        if many:
            self.lists[place] = self.lists.get(place, -1) + 1
            place = (*place, self.lists[place])
        self.note(place)
        return place

    def pair(self, section: Place) -> None:
        place = section
        for name in self.key():
            place = (*place, name)
            self.note(place)
        self.space()
        self.at += 1  # =
        self.value(place)

    def key(self) -> Place:
        """Step over a key, dotted or not."""
        names: list[str] = []
        while True:
            self.space()
            if (quoted := _STRING.match(self.text, self.at)) is not None:
                names.append(_unquoted(quoted[0]))
                self.at = quoted.end()
            elif (bare := _BARE_KEY.match(self.text, self.at)) is not None:
                names.append(bare[0])
                self.at = bare.end()
            self.space()
            if not self.text.startswith(".", self.at):
                return tuple(names)
            self.at += 1

    def value(self, place: Place) -> None:
        """Step over a value."""
        self.space()
        if (string := _STRING.match(self.text, self.at)) is not None:
            self.at = string.end()
        elif self.text.startswith("[", self.at):
            self.parts(place, "]")
        elif self.text.startswith("{", self.at):
            self.parts(place, "}")
        elif (scalar := _SCALAR.match(self.text, self.at)) is not None:
            self.at = scalar.end()

    def parts(self, place: Place, end: str) -> None:
        """Step over a list or an inline table."""
        self.at += 1
        count = 0
        while self.space() < len(self.text) and self.text[self.at] != end:
            if self.text[self.at] == ",":
                self.at += 1
            elif end == "}":
                self.pair(place)
            else:
                self.note((*place, count))
                self.value((*place, count))
                count += 1
        self.at += 1

    def space(self) -> int:
        """Step over space and comments; return the position."""
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return self.at

    def note(self, place: Place) -> None:
        self.line += self.text.count("\n", self.seen, self.at)
        self.seen = self.at
        self.found.setdefault(place, self.line)


def _unquoted(text: str) -> str:
    import tomllib

    name: Any = next(iter(tomllib.loads(f"{text} = 0")))
    return str(name)


def line_of(lines: Mapping[Place, int], *place: str | int) -> int | None:
    """Return the line of a place, or of the nearest section that holds it."""
    at = tuple(place)
    while at:
        if at in lines:
            return lines[at]
        at = at[:-1]
    return None
