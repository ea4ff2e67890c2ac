"""Expected losses from payroll by class of work: expected loss rates and D-ratios, by state, year, date and size.

    E = Σ payroll/unit · rate of the class,  Ep = Σ payroll/unit · rate · D-ratio of the class
The table is the bureau's and the user's own: none ships. A D-ratio may go by the size of the firm (California, New
York), a rate by policy year (Washington).
Source: NCCI, *ABCs of Experience Rating*; NYCIRB and WCIRB experience rating plans (D-ratios by size).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, problem
from ratemod.money import rounded
from ratemod.rules.lines import Place
from ratemod.rules.read import NOTHING, TomlFile
from ratemod.rules.shape import Key, Keys, keys_of, list_of
from ratemod.vocabulary.table import pick, table

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
COLUMNS = pick("class_rates", (), table("class_rates").fields())


@dataclass(frozen=True, slots=True)
class ClassRate:
    """One row of the table; `state`, `year` and `first_day` empty where the row holds for all."""

    code: str
    loss_rate: float
    d_ratio: float = 1.0
    state: str = ""
    year: int = 0
    first_day: str = ""
    expected_from: float = 0.0


@dataclass(frozen=True, eq=False)
class ClassRates:
    """A bureau's table.

    Attributes
    ----------
    rows : ClassRate
    unit : of payroll or hours that a rate is for, such as 100
    places : decimals of each row's expected losses, and of its primary part, rounded half-up; None: not rounded
    """

    rows: tuple[ClassRate, ...]
    unit: float = 100.0
    places: int | None = None

    @cached_property
    def editions(self) -> dict[tuple[str, str, int], list[tuple[np.datetime64, list[ClassRate]]]]:
        """Rows by (class, state, year), each a list of editions in order of their first day, each in order of size."""
        found: dict[tuple[str, str, int], dict[str, list[ClassRate]]] = {}
        for row in self.rows:
            found.setdefault((row.code, row.state, row.year), {}).setdefault(row.first_day, []).append(row)
        return {
            key: [
                (np.datetime64(day or "0001-01-01", "D"), sorted(rows, key=lambda row: row.expected_from))
                for day, rows in sorted(editions.items())
            ]
            for key, editions in found.items()
        }

    def find(self, code: str, state: str, year: int, day: np.datetime64) -> list[ClassRate]:
        """Return the rows of a class in force on a day, by size; the most special of state and year first.

        Examples
        --------
        >>> table = ClassRates((ClassRate("8810", 0.10, 0.38),))
        >>> table.find("8810", "IL", 2024, np.datetime64("2026-01-01"))[0].loss_rate
        0.1
        """
        for key in ((code, state, year), (code, state, 0), (code, "", year), (code, "", 0)):
            held = [rows for first, rows in self.editions.get(key, []) if first <= day]
            if held:
                return held[-1]
        return []

    @property
    def codes(self) -> list[str]:
        """The classes of the table, in order of appearance."""
        return list(dict.fromkeys(row.code for row in self.rows))


def expected_by_row(
    rates: ClassRates,
    code: Sequence[str],
    amount: Floats,
    firm: Integers,
    day: npt.NDArray[np.datetime64],
    *,
    state: Sequence[str] | None = None,
    year: Integers | None = None,
) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """Return expected and expected primary losses of payroll rows, and which rows the table does not know.

    Parameters
    ----------
    rates : ClassRates
    code : m class codes; amount : (m,) payroll, in the unit's currency; firm : (m,) int64 from 0
    day : (m,) datetime64[D], the day each firm's mod applies from
    state : m names of states; year : (m,) int64 policy years

    Returns
    -------
    expected, primary : (m,) float64; unknown : (m,) bool

    Examples
    --------
    >>> table = ClassRates((ClassRate("8810", 0.10, 0.38), ClassRate("8742", 0.25, 0.32)))
    >>> today = np.full(2, np.datetime64("2020-01-01"))
    >>> pay = np.array([3_750_000.0, 1_925_000.0])
    >>> e, p, _ = expected_by_row(table, ["8810", "8742"], pay, np.zeros(2, int), today)
    >>> e.tolist(), p.tolist()
    ([3750.0, 4812.5], [1425.0, 1540.0])
    """
    states = state or [""] * len(code)
    years = np.zeros(len(code), dtype=np.int64) if year is None else year
    keys: dict[tuple[str, str, int, np.datetime64], int] = {}
    place = np.array(
        [keys.setdefault(key, len(keys)) for key in zip(code, states, years.tolist(), day)], dtype=np.int64
    )
    found = [rates.find(*key) for key in keys]
    unknown = np.array([not rows for rows in found], dtype=bool)[place] if len(code) else np.zeros(0, bool)
    rate = np.array([rows[0].loss_rate if rows else np.nan for rows in found])
    expected = _rounded(amount / rates.unit * rate[place], rates.places) if len(code) else np.zeros(0)
    total = np.bincount(firm, np.nan_to_num(expected))[firm] if len(code) else np.zeros(0)
    share = np.zeros(len(code))
    for at, rows in enumerate(found):
        own = np.flatnonzero(place == at)
        if rows and len(own):
            ends = np.array([row.expected_from for row in rows[1:]])
            share[own] = np.array([row.d_ratio for row in rows])[np.searchsorted(ends, total[own], "right")]
    return expected, _rounded(expected * share, rates.places), unknown


def _rounded(values: Floats, places: int | None) -> Floats:
    return values if places is None else rounded(values, places)


def _day(file: TomlFile, given: Any, place: Place) -> Any:
    found = file.fit(given, date, *place)
    return found if found is NOTHING else found.isoformat()


def _row(file: TomlFile, given: Any, place: Place) -> Any:
    return file.record(ClassRate, given, CLASS_RATE, *place) or NOTHING


CLASS_RATE = keys_of(
    ClassRate, loss_rate=Key(float, True, low=0), d_ratio=Key(float, low=0, high=1),
    **{"from": Key(_day, field="first_day")},
)  # fmt: skip
CLASS_RATES: Keys = {
    "class": Key(list_of(_row), field="rows"),
    "file": Key(str),
    "unit": Key(float, low=1),
    "places": Key(int),
}


def rates_from(
    folder: Path, rows: tuple[ClassRate, ...] = (), file: str = "", unit: float = 100.0, places: int | None = None
) -> ClassRates:
    """Return the table of a plan file: `file`, a list beside it, and rows written out.

    Raises
    ------
    ModelError
        RM625 rows that contradict each other or cannot be read.
    """
    from ratemod.reading.read import read_book

    rows += tuple(_read(read_book(folder / file, COLUMNS))) if file else ()
    seen: set[tuple[Any, ...]] = set()
    for row in rows:
        key = (row.code, row.state, row.year, row.first_day, row.expected_from)
        if key in seen or not (row.loss_rate >= 0 and 0 <= row.d_ratio <= 1):
            raise ModelError(problem("RM625", name=row.code))
        seen.add(key)
    return ClassRates(rows, unit, places)


def _read(book: Any) -> list[ClassRate]:
    from ratemod.reading.convert import MISSING_DATE, convert

    lacking = [name for name in ("class_code", "loss_rate") if name not in book.table.column_names]
    if lacking:
        raise ModelError(problem("RM619", name=name, label=COLUMNS[name].label_zh) for name in lacking)
    cells: dict[str, Any] = {}
    for name in COLUMNS:
        if name in book.table.column_names:
            coded = convert(book.table[name], COLUMNS[name], book.conversions.get(name))
            if coded.problems:
                raise ModelError(list(coded.problems))
            cells[name] = coded.values.to_pylist() if COLUMNS[name].kind == "text" else np.asarray(coded.values)
    made = []
    for at in range(book.table.num_rows):
        if not cells["class_code"][at] or np.isnan(cells["loss_rate"][at]):
            raise ModelError(problem("RM625", name=cells["class_code"][at] or f"row {at + 1}"))
        year = cells["year"][at] if "year" in cells else np.nan
        size = cells["expected_from"][at] if "expected_from" in cells else np.nan
        share = cells["d_ratio"][at] if "d_ratio" in cells else np.nan
        day = int(cells["from"][at]) if "from" in cells else MISSING_DATE
        made.append(
            ClassRate(
                str(cells["class_code"][at]),
                float(cells["loss_rate"][at]),
                1.0 if np.isnan(share) else float(share),
                str(cells["state"][at] or "") if "state" in cells else "",
                0 if np.isnan(year) else int(year),
                "" if day == MISSING_DATE else str(np.datetime64(day, "D")),
                0.0 if np.isnan(size) else float(size),
            )
        )
    return made
