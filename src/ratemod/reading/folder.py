"""A folder of tables, each file found by its name in Chinese or English: one's own, or a synthetic province."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ratemod.errors import BookError, nearest, problem
from ratemod.reading.header import fold
from ratemod.reading.receipt import Receipt, listed
from ratemod.reading.told import tell
from ratemod.vocabulary.table import Table, table, tables

SUFFIXES = (".parquet", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".csv", ".tsv", ".txt")
OWN = ("truth_",)  # what `synthesize` writes beside the lists
WORDS = re.compile(r"[\s_\-—–·,，、.（）()【】\[\]]+")  # what parts the words of a file's name


Files = Path | tuple[Path, ...]  # a file, a folder of files, or several files that are one list together


@dataclass(frozen=True, slots=True)
class Folder:
    """The tables of a folder.

    Attributes
    ----------
    path : Path
    files : mapping of table to its file or files
    """

    path: Path
    files: Mapping[str, Files]

    def __contains__(self, name: str) -> bool:
        return name in self.files

    def table(self, name: str) -> Files:
        """Return the file of a table, or its files, which are read as one list.

        Raises
        ------
        BookError
            RM954 the folder has none.
        """
        if name not in self.files:
            label = table(name).label_zh
            raise BookError(problem("RM954", path=str(self.path), name=name, label=label))
        return self.files[name]

    def get(self, name: str) -> Files | None:
        """Return the file or files of a table, None where there is none."""
        return self.files.get(name)


def open_folder(path: str | os.PathLike[str]) -> Folder:
    """Open a folder of tables; lists in it that no table's name means are named in the receipt.

    Raises
    ------
    BookError
        RM916 no such folder, RM955 several files are one table.
    """
    place = Path(path)
    if not place.is_dir():
        raise BookError(problem("RM916", path=str(place)))
    found = found_in(place)
    if unread := sorted(file.name for file in _lists(place) if file.is_file() and _table_of(file) is None):
        remark = problem("RM966", file=str(place), files=listed(unread), many=len(unread))
        tell(Receipt((), (remark,)))
    return Folder(place, found)


def meant_by(stem: str) -> str | None:
    """Return which table the name of a file means, None where it means none.

    Examples
    --------
    >>> meant_by("保单清单"), meant_by("Policies"), meant_by("misc")
    ('policies', 'policies', None)
    """
    return next((one.name for one in tables().values() if fold(stem) in map(fold, one.names())), None)


def table_named(name: str) -> Table:
    """Return the table that a user names, in English or Chinese.

    Raises
    ------
    BookError
        RM952 no such table.

    Examples
    --------
    >>> table_named("保单清单").name
    'policies'
    """
    noun = meant_by(name)
    if noun is None:
        raise BookError(problem("RM952", name=name, nearest=nearest(name, names_of_tables())))
    return table(noun)


def names_of_tables() -> tuple[str, ...]:
    """Return every name that means a table."""
    return tuple(name for one in tables().values() for name in one.names())


def found_in(place: Path) -> dict[str, Files]:
    """Return table -> file of the files of a folder whose names mean a table; others are let be.

    A list may come in parts: several files whose names begin with that of the table (``保单_甲公司.xlsx``,
    ``policies-2026.csv``), or a folder of its name; they are read as one, each under its own headers and units.

    Raises
    ------
    BookError
        RM955 several files are one table, and which of them are parts of it is not said.
    """
    whole: dict[str, list[Path]] = {}
    parts: dict[str, list[Path]] = {}
    for file in _lists(place):
        noun = _table_of(file)
        if noun is not None:
            (whole if meant_by(file.stem) else parts).setdefault(noun, []).append(file)
    wrong = [
        problem("RM955", name=name, label=table(name).label_zh, files=", ".join(file.name for file in together))
        for name, files in whole.items()
        if len(together := [*files, *parts.get(name, [])]) > 1
    ]
    if wrong:
        raise BookError(wrong)
    joined: dict[str, Files] = {name: files[0] if len(files) == 1 else tuple(files) for name, files in parts.items()}
    return joined | {name: files[0] for name, files in whole.items()}


def _lists(place: Path) -> list[Path]:
    """Return the files that may be lists, and the folders, in the order of their names."""
    return [
        file
        for file in sorted(place.iterdir())
        if not file.name.startswith(("~$", ".", *OWN)) and (file.is_dir() or file.suffix.lower() in SUFFIXES)
    ]


def _table_of(file: Path) -> str | None:
    """Return which table a file or folder is, or is a part of by the first word of its name."""
    return meant_by(file.stem) or (None if file.is_dir() else meant_by(WORDS.split(file.stem.strip(), maxsplit=1)[0]))
