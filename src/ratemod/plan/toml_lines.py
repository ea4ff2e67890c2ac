"""Where each key of a TOML file stands, so that a problem can name its line (tomllib does not say)."""

from __future__ import annotations

import re
from collections.abc import Mapping

Place = tuple[str | int, ...]

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"^\s*([A-Za-z0-9_\-.\"']+)\s*=")


def lines_of(text: str) -> Mapping[Place, int]:
    """Return the line of every section and key.

    Examples
    --------
    >>> lines_of('[plan]\\nkey = 1\\n[[step]]\\nop = "sum"')[("step", 0, "op")]
    4
    """
    found: dict[Place, int] = {}
    counts: dict[str, int] = {}
    section: Place = ()
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.match(line)
        if header:
            path = tuple(part.strip().strip("\"'") for part in header[2].split("."))
            if header[1] == "[[":
                index = counts.get(path[0], -1) + 1
                counts[path[0]] = index
                section = (path[0], index)
            elif path[0] in counts:
                section = (path[0], counts[path[0]], *path[1:])
            else:
                section = path
            for depth in range(1, len(section) + 1):
                found.setdefault(section[:depth], number)
            continue
        key = _KEY.match(line)
        if key:
            found.setdefault((*section, key[1].strip("\"'")), number)
    return found


def line_of(lines: Mapping[Place, int], *place: str | int) -> int | None:
    """Return the line of a place, or of the nearest section that holds it."""
    at = tuple(place)
    while at:
        if at in lines:
            return lines[at]
        at = at[:-1]
    return None
