"""Participation of a year as linked tables: obliged enterprises by state, sector and division."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ratemod.confidentiality.linked_tables import Face, LinkedTables, tabulate
from ratemod.publication.subjects import STATES, Facts, divisions_of
from ratemod.reading.join import join
from ratemod.registers.participation import coverage
from ratemod.registers.register import Register, read_register
from ratemod.registers.rules import ParticipationRule
from ratemod.vocabulary.codes.industry import SECTORS


@dataclass(frozen=True, eq=False, slots=True)
class Registers:
    """Who could be obliged, and what insures them; read once for all years."""

    enterprises: Register
    policies: Register
    endorsements: Register | None


def read_registers(given: Mapping[str, Any]) -> Registers | None:
    """Return the registers of participation; None without a list of enterprises."""
    if "enterprises" not in given:
        return None
    changes = read_register(given["endorsements"], "endorsements") if "endorsements" in given else None
    return Registers(
        read_register(given["enterprises"], "enterprises"), read_register(given["policies"], "policies"), changes
    )


def participation(
    facts: Facts, registers: Registers, rule: ParticipationRule | None, least: int
) -> Callable[[tuple[Face, ...]], LinkedTables] | None:
    """Return what makes the tables of enterprises obliged on at least a day of the year; None where nobody is."""
    enterprises = registers.enterprises
    chosen = ParticipationRule(sectors=SECTORS) if rule is None else rule
    period = (f"{facts.year}-01-01", f"{facts.year + 1}-01-01")
    found = coverage(enterprises, registers.policies, period, chosen, endorsements=registers.endorsements)
    rows = np.flatnonzero(found.judged)
    if not len(rows):
        return None
    state = np.select([found.in_full, found.uninsured], [0, 2], 1)[rows]
    place = enterprises.codes("sector").take(rows)
    sector = np.array([SECTORS.index(name) for name in place.to_pylist()], np.int64)
    divisions, division = divisions_of(enterprises.values["division_code"].take(rows))
    dimensions = {"state": (state, STATES), "sector": (sector, SECTORS), "division": (division, divisions)}
    # One number an enterprise in all subjects: who is alone in a cell here may be alone in one of insurance.
    same = join(enterprises.keys.take(rows), facts.firms).place()
    firm = np.where(same >= 0, same, len(facts.firms) + enterprises.firm[rows])
    one = {"enterprises": np.ones(len(rows), np.int64)}

    def make(faces: tuple[Face, ...]) -> LinkedTables:
        kept = {dim: column for dim, column in dimensions.items() if any(dim in face for face in faces)}
        return tabulate("participation", kept, faces, firm, one, least_units=least)

    return make
