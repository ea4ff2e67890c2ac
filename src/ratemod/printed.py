"""The one cleaner of what is printed: no text, whoever wrote it, steers a terminal.

Names of files, cells, levels and options are others' text and come back in tables and messages. Both streams of the
command line pass through `Cleaned`; what draws with control characters of its own writes to the stream beneath.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

HIDDEN = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")
LAID_OUT = frozenset("\n\t")


def clean(said: str) -> str:
    """Return a line of text without the control characters that could steer a terminal.

    Examples
    --------
    >>> clean("a\\x1b[31mb")
    'a�[31mb'
    """
    if said.isascii() and said.isprintable():
        return said
    return "".join("\ufffd" if char in HIDDEN or unicodedata.category(char) == "Cc" else char for char in said)


def clean_lines(said: str) -> str:
    """Return text of several lines, tabs kept, each without control characters."""
    return "".join(char if char in LAID_OUT else clean(char) for char in said)


class Cleaned:
    """A stream of text that cleans what is written to it; all else is the stream beneath."""

    def __init__(self, beneath: TextIO) -> None:
        self.beneath = beneath

    def write(self, said: str) -> int:
        """Write text without control characters."""
        self.beneath.write(said if said.isprintable() else clean_lines(said))
        return len(said)

    def writelines(self, lines: Any) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.beneath, name)


def beneath(stream: Any) -> TextIO:
    """Return the stream itself, for what draws with control characters of its own."""
    found: TextIO = stream.beneath if isinstance(stream, Cleaned) else stream
    return found


@contextmanager
def cleaned() -> Iterator[None]:
    """Clean both streams while the block runs."""
    out, err = sys.stdout, sys.stderr
    if out is not None and not isinstance(out, Cleaned):
        sys.stdout = Cleaned(out)
    if err is not None and not isinstance(err, Cleaned):
        sys.stderr = Cleaned(err)
    try:
        yield
    finally:
        if isinstance(sys.stdout, Cleaned):
            sys.stdout = out
        if isinstance(sys.stderr, Cleaned):
            sys.stderr = err
