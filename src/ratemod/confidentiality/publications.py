"""The register of publications: what was published, when, from which data, so that what comes later does not undo it.

One JSON file. It holds what readers hold, no figure that was left out, and a digest of the figures of each publication.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from ratemod.confidentiality.figures import Figure, is_money
from ratemod.confidentiality.protection import ROUNDING_FEN
from ratemod.confidentiality.system import Mask, System
from ratemod.errors import BookError, PlanError, problem
from ratemod.money import to_unit
from ratemod.rules.json_file import read_json
from ratemod.whole_file import whole_file


@dataclass(frozen=True, eq=False, slots=True)
class Published:
    """One publication.

    Attributes
    ----------
    year : int
    day : str, ISO date of publication
    sources : mapping of table to SHA-256
    figures : mapping of Figure to value, fen rounded as published; None where it was left out
    """

    year: int
    day: str
    sources: Mapping[str, str]
    figures: Mapping[Figure, int | None]

    @property
    def digest(self) -> str:
        """SHA-256 of year and figures."""
        return hashlib.sha256(json.dumps([self.year, _rows(self.figures)], ensure_ascii=False).encode()).hexdigest()


def published_of(system: System, hidden: Mask, year: int, day: str | dt.date, sources: Mapping[str, str]) -> Published:
    """Return what a protected publication tells of its year.

    Raises
    ------
    BookError
        RM426 the day of publication is no ISO date.
    """
    try:
        when = day if isinstance(day, dt.date) else dt.date.fromisoformat(day)
    except ValueError:
        raise BookError(problem("RM426", value=str(day))) from None
    figures: dict[Figure, int | None] = {}
    for at, figure in enumerate(system.figures):
        if figure.year == year and not system.auxiliary[at] and not system.derived[system.cell[at]]:
            value = int(system.value[at])
            whole = int(to_unit(Decimal(value), Decimal(ROUNDING_FEN))) if is_money(figure.measure) else value
            figures[figure] = None if hidden[system.cell[at]] else whole
    return Published(year, when.isoformat(), dict(sources), figures)


def editions(publications: Iterable[Published], year: int) -> dict[Figure, int | None]:
    """Return what readers of all editions of a year hold: the last value published of each figure, None where never."""
    found: dict[Figure, int | None] = {}
    for item in publications:
        if item.year == year:
            for figure, value in item.figures.items():
                found[figure] = found.get(figure) if value is None else value
    return found


def read_publications(path: str | Path) -> tuple[Published, ...]:
    """Return the publications of a register, in their order; none where there is no file yet.

    Raises
    ------
    BookError
        RM424 the file is no such register, RM425 a publication was altered since.
    """
    place = Path(path)
    if not place.exists():
        return ()
    try:
        found = tuple(_publication(item) for item in read_json(place)["publications"])
    except (PlanError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise BookError(problem("RM424", file=str(path), why=f"{type(error).__name__} {error}"[:80])) from None
    altered = [item for item, digest in found if item.digest != digest]
    if altered:
        raise BookError(problem("RM425", file=str(path), year=item.year, day=item.day) for item in altered)
    return tuple(item for item, _ in found)


def write_publications(path: str | Path, publications: Sequence[Published]) -> Path:
    """Write a register, whole or not at all.

    Raises
    ------
    BookError
        Those of `whole_file`.
    """
    items = [
        {
            "year": item.year,
            "published": item.day,
            "digest": item.digest,
            "sources": dict(item.sources),
            "figures": _rows(item.figures),
        }
        for item in publications
    ]
    with whole_file(path) as part:
        part.write_text(json.dumps({"publications": items}, ensure_ascii=False, indent=1), encoding="utf-8")
    return Path(path)


def _rows(figures: Mapping[Figure, int | None]) -> list[list[Any]]:
    return [
        [figure.subject, figure.measure, [list(level) for level in figure.key], value]
        for figure, value in figures.items()
    ]


def _publication(item: Mapping[str, Any]) -> tuple[Published, str]:
    year = int(item["year"])
    figures: dict[Figure, int | None] = {}
    for subject, measure, key, value in item["figures"]:
        levels = tuple((str(dim), str(level)) for dim, level in key)
        figures[Figure(year, str(subject), str(measure), levels)] = None if value is None else int(value)
    return Published(year, str(item["published"]), dict(item["sources"]), figures), str(item["digest"])
