"""Where a result may be written: checked before any long work starts; the writing itself is `ratemod.whole_file`."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from ratemod.errors import BookError, nearest, problem
from ratemod.rating.manifest import manifest_path
from ratemod.whole_file import refuse_special, whole_file, write_problem

__all__ = ["check_target", "refused_path", "whole_file", "write_problem"]

SUFFIXES = (".xlsx", ".csv", ".parquet")
MOST_NAME = 80  # characters
_UNFIT = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f]')


def refused_path(path: Path) -> Path:
    """Return where the refused rows of a CSV go: beside it, as ``<name>-refused.csv``.

    Examples
    --------
    >>> refused_path(Path("out/priced.csv")).name
    'priced-refused.csv'
    """
    return path.with_name(f"{path.stem}-refused{path.suffix}")


def check_target(path: str | Path, inputs: Sequence[str | Path] = (), suffixes: Sequence[str] = SUFFIXES) -> Path:
    """Return the output path when it can be written, before any long work starts.

    Parameters
    ----------
    path : str or Path
        Where the result goes; ``.xlsx``, ``.csv`` or ``.parquet``.
    inputs : sequence of str or Path
        Files that are read, and so must not be overwritten.
    suffixes : sequence of str
        Endings that can be written.

    Raises
    ------
    BookError
        RM800 unknown ending, RM801 no such folder, RM802 may not write there, RM803 the file is an input, RM804 the
        path is a folder; RM390 it is a pipe, a device or the like.
    """
    target = Path(path)
    suffix = target.suffix.lower()
    if suffix not in suffixes:
        raise BookError(
            problem("RM800", path=str(path), suffixes=" ".join(suffixes), nearest=nearest(suffix, suffixes))
        )
    written = [target, refused_path(target)] if suffix == ".csv" else [target]
    if suffix in (".csv", ".parquet"):
        written.append(manifest_path(target))
    for file in written:
        _check_one(file, inputs)
    return target


def check_folder(path: str | Path) -> Path:
    """Return the folder that is to be written to: one that stands, or a new one in a folder that does.

    Raises
    ------
    BookError
        RM922 it is a file, RM801 the folder that it would stand in does not exist.
    """
    target = Path(path)
    if target.exists() and not target.is_dir():
        raise BookError(problem("RM922", path=str(target)))
    if not target.exists() and not target.parent.is_dir():
        raise BookError(problem("RM801", folder=str(target.parent)))
    return target


def check_new_folder(path: str | Path) -> Path:
    """Return the folder that is to be written as a whole: a new one, or one that stands and is empty.

    Raises
    ------
    BookError
        Those of `check_folder`; RM816 it has something in it.
    """
    target = check_folder(path)
    if target.exists() and any(target.iterdir()):
        raise BookError(problem("RM816", file=str(target)))
    return target


def file_name(said: str, taken: set[str]) -> str:
    """Return a name that every system takes and that no other of its folder has; it is noted in `taken`.

    Examples
    --------
    >>> taken = set()
    >>> file_name("P1 a/b", taken), file_name("P1 A:B", taken)
    ('P1 a_b', 'P1 A_B 2')
    """
    plain = _UNFIT.sub("_", said).strip(" .")[:MOST_NAME] or "_"
    name, at = plain, 1
    while name.casefold() in taken:
        at += 1
        name = f"{plain} {at}"
    taken.add(name.casefold())
    return name


def _check_one(file: Path, inputs: Sequence[str | Path]) -> None:
    folder = file.parent
    if not folder.is_dir():
        raise BookError(problem("RM801", folder=str(folder)))
    if file.is_dir():
        raise BookError(problem("RM804", path=str(file)))
    refuse_special(file, str(file))
    if not os.access(folder, os.W_OK) or (file.exists() and not os.access(file, os.W_OK)):
        raise BookError(problem("RM802", path=str(file)))
    if any(_same(file, Path(given)) for given in inputs):
        raise BookError(problem("RM803", path=str(file)))


def _same(one: Path, other: Path) -> bool:
    if one.exists() and other.exists():
        return one.samefile(other)
    return os.path.realpath(one) == os.path.realpath(other)
