"""The messages as they are written in TOML, each read when it is asked for: all take longer than a small list.

A file holds one ``[CODE]`` after another at the beginning of a line, and beneath it the texts by language.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, eq=False)
class Catalogue(Mapping[str, Mapping[str, str]]):
    """The texts of every message by its code.

    Attributes
    ----------
    written : mapping of code to TOML
    read : dict of code to texts
        Those that were asked for.
    """

    written: Mapping[str, str]
    read: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def __getitem__(self, code: str) -> Mapping[str, str]:
        if code not in self.read:
            self.read[code] = tomllib.loads(self.written[code])
        return self.read[code]

    def __iter__(self) -> Iterator[str]:
        return iter(self.written)

    def __len__(self) -> int:
        return len(self.written)

    def __contains__(self, code: object) -> bool:
        return code in self.written


def catalogue_of(files: Iterable[tuple[str, str]]) -> Catalogue:
    """Return the messages of files, each its name and its text.

    Raises
    ------
    ValueError
        When two messages have the same code.

    Examples
    --------
    >>> catalogue_of([("one.toml", '[RM101]\\nen = "no"\\n'), ("two.toml", '[RM102]\\nen = "yes"\\n')])["RM102"]
    {'en': 'yes'}
    """
    written: dict[str, str] = {}
    for name, said in files:
        _, *parts = re.split(r"^\[(\w+)\]\n", said, flags=re.MULTILINE)
        for code, texts in zip(parts[::2], parts[1::2]):
            if code in written:
                raise ValueError(f"message {code} is defined twice, again in {name}")
            written[code] = texts
    return Catalogue(written)
