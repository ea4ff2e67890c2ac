"""An attack on tables that somebody published: what their files tell of each figure that they leave out.

The files are those of a yearly disclosure (``figures``, ``fund``, ``service``) of one year or several, read as anybody
reads them: amounts are rounded to 100 yuan, empty cells are zero, a count left out is at least 1, the share of services
delivered is a whole number of those planned, and the relations of `ratemod.confidentiality.figures` hold, those that
hold nearly too where the published figures allow it. Counts by two levels that no file has are attacked as well: who
subtracts one subject from another finds them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ratemod.confidentiality.figures import BALANCE, OPEN, Figure, Relation, is_money, relations_of
from ratemod.confidentiality.protection import ROUNDING_FEN
from ratemod.confidentiality.system import extreme, matrix_of, parts_of
from ratemod.confidentiality.unsafe import LEAST_UNITS, PROTECTION
from ratemod.errors import BookError, ModelError, problem

DIMENSIONS = ("sector", "division", "insurer", "cause", "state", "injury")
FILES = ("figures", "fund", "service")
HALF_FEN = ROUNDING_FEN / 2
FEN = 1_000_000  # of 10,000 yuan


@dataclass(frozen=True, slots=True)
class Told:
    """A figure left out, or that no file lists, and its least and greatest value; fen or a count."""

    figure: Figure
    low: float
    high: float

    @property
    def exact(self) -> bool:
        """Whether the figure is known to its rounding."""
        return self.high - self.low <= (2.5 * ROUNDING_FEN if is_money(self.figure.measure) else 0.5)

    @property
    def narrow(self) -> bool:
        """Whether it is known more closely than an unsafe figure may be, whatever its true value is."""
        if not is_money(self.figure.measure):
            return bool(np.floor(self.high + 1e-6) - np.ceil(self.low - 1e-6) < LEAST_UNITS - 1)
        return bool(self.high * (1 - PROTECTION) < self.low * (1 + PROTECTION))


def attack_files(paths: Sequence[str | Path]) -> list[Told]:
    """Return what files tell of each figure that they leave out, the narrowest first.

    Of counts that no file lists only those are told that are known exactly and stand for one or two.

    Parameters
    ----------
    paths : sequence of files ``figures.csv``, ``fund.csv``, ``service.csv`` (or Parquet), or folders that hold them

    Raises
    ------
    BookError
        RM428 a file is no table of a disclosure.
    ModelError
        RM429 the published figures contradict each other.
    """
    ends: dict[Figure, tuple[float, float]] = {}
    for path in _files(paths):
        for figure, low, high in _rows(path):
            before = ends.get(figure, (-np.inf, np.inf))
            ends[figure] = (max(low, before[0]), min(high, before[1]))
    for figure in [figure for figure in ends if (figure.subject, figure.measure) == ("claims", "assessed_fen")]:
        ends[figure._replace(measure=OPEN)] = (0.0, np.inf)
    unlisted = _crossed(ends)
    ends |= dict.fromkeys(unlisted, (0.0, np.inf))
    figures = list(ends)
    lower, upper = (np.array([end[at] for end in ends.values()]) for at in (0, 1))
    relations = [item for item in relations_of(figures) if not item.nearly or _fits(item, lower, upper)]
    matrix = matrix_of(relations, len(figures))
    part, rest = parts_of(matrix, upper > lower), np.zeros(len(relations))
    found = []
    for at, figure in enumerate(figures):
        if np.isinf(upper[at]) and figure.measure != OPEN:
            told = [
                extreme(
                    matrix, rest, (lower, upper), part == part[at], at, sign, FEN if is_money(figure.measure) else 1
                )
                for sign in (1, -1)
            ]
            if told[0] is None or told[1] is None:
                raise ModelError(problem("RM429", year=figure.year, subject=figure.subject, measure=figure.measure))
            item = Told(figure, float(told[0][at]), float(told[1][at]))
            if figure not in unlisted or (item.exact and 0.5 < item.low < LEAST_UNITS - 0.5):
                found.append(item)
    return sorted(found, key=lambda item: (not item.exact, item.high - item.low, item.figure))


def _crossed(ends: Mapping[Figure, tuple[float, float]]) -> set[Figure]:
    """Return the counts by sector, or state, and another dimension that a subject's files do not list."""
    levels: dict[tuple[int, str, str], dict[str, dict[str, None]]] = {}
    for figure in ends:
        if figure.subject not in ("fund", "service") and not is_money(figure.measure):
            dims = levels.setdefault(figure[:3], {})
            for dim, level in figure.key:
                dims.setdefault(dim, {})[level] = None
    found = set()
    for subject, dims in levels.items():
        first = "state" if "state" in dims else "sector"
        for other in [dim for dim in dims if dim != first and first in dims]:
            pairs = [((first, one), (other, two)) for one in dims[first] for two in dims[other]]
            figures = {Figure(*subject, pair) for pair in pairs}
            found |= figures if not figures & ends.keys() else set()
    return found


def _fits(relation: Relation, lower: Any, upper: Any) -> bool:
    """Return whether a relation that holds nearly can hold exactly, as far as its own figures go."""
    places, signs = np.array(relation.places), np.array(relation.signs)
    least = np.where(signs > 0, lower[places], -upper[places]).sum()
    most = np.where(signs > 0, upper[places], -lower[places]).sum()
    return bool(least <= 0 <= most)


def _files(paths: Sequence[str | Path]) -> list[Path]:
    found = []
    for path in map(Path, paths):
        found += [path / f"{name}.csv" for name in FILES if (path / f"{name}.csv").exists()] or [path]
    return found


def _rows(path: Path) -> list[tuple[Figure, float, float]]:
    """Return the figures of a file with what it says of each: least and greatest value."""
    import pyarrow.csv as csv
    import pyarrow.parquet as parquet

    try:
        if path.suffix == ".parquet":
            rows = parquet.read_table(path).to_pylist()
        else:
            names = dict.fromkeys((*DIMENSIONS, "subject", "measure", "status"), "string")
            rows = csv.read_csv(path, convert_options=csv.ConvertOptions(column_types=names)).to_pylist()
        rows = [{name.removeprefix("\ufeff"): value for name, value in row.items()} for row in rows]
        return [item for row in rows for item in _of_row(row)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BookError(problem("RM428", file=str(path), why=f"{type(error).__name__} {error}"[:80])) from None


def _of_row(row: dict[str, Any]) -> list[tuple[Figure, float, float]]:
    if "subject" in row:
        return _of_figures(row)
    return _of_service(row) if "delivered_share" in row else _of_fund(row)


def _of_service(row: dict[str, Any]) -> list[tuple[Figure, float, float]]:
    if row["insurer"] == "total":
        return []
    name = Figure(int(row["year"]), "service", "planned", (("insurer", str(row["insurer"])),))
    done = name._replace(measure="delivered")
    if row["status"] == "suppressed":
        return [(name, 1.0, np.inf), (done, 0.0, np.inf)]
    planned = float(row["planned"])
    share = float(row["delivered_share"]) * planned
    half = planned * 5e-5  # shares have four decimals
    return [(name, planned, planned), (done, float(np.ceil(share - half)), float(np.floor(share + half)))]


def _of_figures(row: dict[str, Any]) -> list[tuple[Figure, float, float]]:
    money = row["unit"] != "count"
    key = tuple((dim, str(row[dim])) for dim in DIMENSIONS if row[dim])
    figure = Figure(int(row["year"]), row["subject"], row["measure"] + "_fen" * money, _ordered(row["subject"], key))
    if row["status"] == "suppressed":
        return [(figure, 0.0 if money else 1.0, np.inf)]
    value = float(row["value"] or 0) * (FEN if money else 1)
    half = HALF_FEN if money and row["status"] == "published" else 0.0
    return [(figure, max(value - half, 0.0), value + half)]


def _ordered(subject: str, key: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(key, key=lambda level: level[0] != "state")) if subject == "participation" else key


def _of_fund(row: dict[str, Any]) -> list[tuple[Figure, float, float]]:
    who = row["insurer"]
    key = () if who == "total" else (("insurer", str(who)),)
    found = []
    for measure in BALANCE:
        value = row[measure.replace("_fen", "_10000_yuan")]
        figure = Figure(int(row["year"]), "fund", measure, key)
        if value is None:
            least = -np.inf if measure in ("opening_fen", "closing_fen") else 0.0
            found.append((figure, least, np.inf))
        else:
            found.append((figure, float(value) * FEN - HALF_FEN, float(value) * FEN + HALF_FEN))
    return found
