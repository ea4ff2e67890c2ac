"""Why a derived column has its value: which row of which register, and the dates that stand there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ratemod.errors import Lang, text
from ratemod.registers.as_of import Ints
from ratemod.registers.days import NEVER
from ratemod.registers.register import Register
from ratemod.rules.options import strict
from ratemod.vocabulary.column import Column
from ratemod.vocabulary.table import table


@dataclass(frozen=True, eq=False, slots=True)
class Evidence:
    """The evidence of one derived column.

    Attributes
    ----------
    column : Column of the plan
    register : Register
    values : (n,) what was derived: level codes (int16), numbers or days
    valid : (n,) bool, whether there is a value
    event : (n,) int64, place of the deciding row in the register, -1 where no row decides
    doubt : (n,) bool, the register contradicts itself about the enterprise
    differs : (n,) bool, the book said something else
    said : (n,) what the book said, or None where it had no such column
    besides : a second register and its deciding rows, or None: the accident that took a certificate down
    """

    column: Column
    register: Register
    values: npt.NDArray[Any]
    valid: npt.NDArray[np.bool_]
    event: Ints
    doubt: npt.NDArray[np.bool_]
    differs: npt.NDArray[np.bool_]
    said: npt.NDArray[Any] | None = None
    besides: tuple[Register, Ints] | None = None

    def row(self, at: int) -> int | None:
        """Return the row of the register file that decides, as an editor or Excel counts; None where none does."""
        place = int(self.event[at])
        return int(self.register.rows[place]) if place >= 0 else None

    @strict
    def dates(self, at: int, lang: Lang = "en") -> dict[str, str]:
        """Return the dates of the deciding row by label, as ISO text."""
        return dates_of(self.register, int(self.event[at]), lang)

    @strict
    def words(self, at: int, lang: Lang = "en") -> str:
        """Return the value and its evidence in one line."""
        value = shown_value(self.column, self.values[at], lang) if self.valid[at] else "—"
        noun = text(f"UI_register_{self.register.noun}", lang)
        if self.doubt[at]:
            why = text("UI_evidence_unsure", lang, register=noun)
        elif self.event[at] < 0:
            why = text("UI_evidence_none", lang, register=noun)
        else:
            why = _row_words(self.register, int(self.event[at]), lang)
        if self.besides is not None and self.besides[1][at] >= 0:
            accident = _row_words(self.besides[0], int(self.besides[1][at]), lang)
            why += text("UI_evidence_besides", lang, why=accident)
        line = text("UI_evidence", lang, label=self.column.label(lang), value=value, why=why)
        if self.differs[at] and self.said is not None:
            line += text("UI_evidence_differs", lang, said=shown_value(self.column, self.said[at], lang))
        return line


@strict
def dates_of(register: Register, place: int, lang: Lang) -> dict[str, str]:
    """Return the dates that stand in one row of a register, by label, as ISO text; none for place -1."""
    if place < 0:
        return {}
    found = {}
    for name, column in table(register.noun).columns.items():
        if column.kind == "date" and register.has(name) and (day := int(register.values[name][place])) < NEVER:
            found[column.label(lang)] = shown_day(day)
    return found


def _row_words(register: Register, place: int, lang: Lang) -> str:
    dates = text("UI_register_comma", lang).join(
        f"{label} {day}" for label, day in dates_of(register, place, lang).items()
    )
    noun = text(f"UI_register_{register.noun}", lang)
    return text("UI_evidence_row", lang, register=noun, row=int(register.rows[place]), dates=dates)


def shown_day(day: int) -> str:
    """Return a day as ISO text."""
    return str(np.datetime64(day, "D"))


@strict
def shown_value(column: Column, value: Any, lang: Lang) -> str:
    """Return a coded value as people read it."""
    if column.kind in ("level", "flag"):
        if int(value) < 0:
            return "—"
        return column.levels[int(value)].label(lang)
    if column.kind == "date":
        return "—" if int(value) >= NEVER or int(value) <= -(2**30) else shown_day(int(value))
    return "—" if value != value else f"{float(value):.12g}"


@strict
def evidence_text(evidence: Mapping[str, Evidence], at: int, lang: Lang) -> str:
    """Return the evidence of one row of the book, one line a column, under a heading."""
    lines = [item.words(at, lang) for item in evidence.values()]
    return "\n".join([text("UI_evidence_head", lang), *(f"  {line}" for line in lines)]) if lines else ""
