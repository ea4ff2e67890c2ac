"""A folder of tables, each file found by its name in Chinese or English: one's own, or a synthetic province."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ratemod.errors import BookError, problem
from ratemod.reading.header import fold
from ratemod.vocabulary.table import table, tables

SUFFIXES = (".parquet", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".csv", ".tsv", ".txt")


@dataclass(frozen=True, slots=True)
class Folder:
    """The tables of a folder.

    Attributes
    ----------
    path : Path
    files : mapping of table to file
    """

    path: Path
    files: Mapping[str, Path]

    def __contains__(self, name: str) -> bool:
        return name in self.files

    def table(self, name: str) -> Path:
        """Return the file of a table.

        Raises
        ------
        BookError
            RM954 the folder has none.
        """
        if name not in self.files:
            label = table(name).label_zh
            raise BookError(problem("RM954", path=str(self.path), name=name, label=label))
        return self.files[name]

    def get(self, name: str) -> Path | None:
        """Return the file of a table, None where there is none."""
        return self.files.get(name)


def open_folder(path: str | os.PathLike[str]) -> Folder:
    """Open a folder of tables.

    Raises
    ------
    BookError
        RM916 no such folder, RM955 several files are one table.
    """
    place = Path(path)
    if not place.is_dir():
        raise BookError(problem("RM916", path=str(place)))
    return Folder(place, found_in(place))


def meant_by(stem: str) -> str | None:
    """Return which table the name of a file means, None where it means none.

    Examples
    --------
    >>> meant_by("保单清单"), meant_by("Policies"), meant_by("misc")
    ('policies', 'policies', None)
    """
    return next((one.name for one in tables().values() if fold(stem) in map(fold, one.names())), None)


def found_in(place: Path) -> dict[str, Path]:
    """Return table -> file of the files of a folder whose names mean a table; others are let be.

    Raises
    ------
    BookError
        RM955 several files are one table.
    """
    found: dict[str, list[Path]] = {}
    for file in sorted(place.iterdir()):
        noun = meant_by(file.stem)
        if noun is not None and file.suffix.lower() in SUFFIXES and not file.name.startswith("~$"):
            found.setdefault(noun, []).append(file)
    wrong = [
        problem("RM955", name=name, label=table(name).label_zh, files=", ".join(file.name for file in files))
        for name, files in found.items()
        if len(files) > 1
    ]
    if wrong:
        raise BookError(wrong)
    return {name: files[0] for name, files in found.items()}
