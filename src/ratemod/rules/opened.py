"""The one way in for a file that a plan or another file of rules names: ordinary, bounded, and where it may be."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ratemod.errors import PlanError, cause, problem

MOST_BYTES = 64 * 2**20


def opened(path: Path, shown: str, within: Path | None = None) -> str:
    """Return the text of a file.

    Parameters
    ----------
    path : Path
    shown : str
        How it is called in messages.
    within : Path, optional
        The folder in which it must lie, links followed.

    Raises
    ------
    PlanError
        RM017 there is none, or it cannot be opened; RM018 it is no ordinary file (a folder, a pipe, a device); RM019 it
        is larger than `MOST_BYTES`; RM020 it lies elsewhere; RM022 it is not UTF-8.
    """
    try:
        real = path.resolve(strict=True)
        if within is not None and not real.is_relative_to(within.resolve()):
            raise PlanError(problem("RM020", file=shown, folder=within.name))
        found = real.stat()
        if not stat.S_ISREG(found.st_mode):
            raise PlanError(problem("RM018", file=shown))
        if found.st_size > MOST_BYTES:
            raise PlanError(problem("RM019", file=shown, size=found.st_size, most=MOST_BYTES))
        with open(real, encoding="utf-8-sig", newline="") as file:
            return file.read(MOST_BYTES)
    except FileNotFoundError as error:
        if within is not None and not _inside(path, within):
            raise PlanError(problem("RM020", file=shown, folder=within.name)) from None
        raise PlanError(problem("RM017", file=shown, why=cause(error))) from None
    except UnicodeDecodeError as error:
        raise PlanError(problem("RM022", file=shown, at=error.start + 1)) from None
    except (OSError, ValueError, RuntimeError) as error:  # a name too long, a link to itself, no rights
        raise PlanError(problem("RM017", file=shown, why=cause(error))) from None


def _inside(path: Path, within: Path) -> bool:
    return Path(os.path.abspath(path)).is_relative_to(within.resolve())
