"""How each insurer serves: what it planned for the year and delivered, how soon, how it was scored, what it found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ratemod.exhibits.disclosure_fund import leaves_out
from ratemod.exhibits.disclosure_subjects import Facts, delivered_days, insurer_places
from ratemod.reading.convert import MISSING_DATE

if TYPE_CHECKING:
    from ratemod.exhibits.disclosure import Subject


@dataclass(frozen=True, slots=True)
class ServiceLine:
    """Simple indicators of one insurer; `insurer` is empty for all. A hidden line is published without figures.

    Attributes
    ----------
    planned : int
        Services planned for days of the year.
    delivered_share, served_share : float
        Of those planned, and of the insurer's policies that began in the year (at least one service delivered).
    days_late, score, hazards_found : float or None
        Means over the planned services that were delivered: days after the planned day, score, hazards found a service.
    """

    insurer: str
    planned: int
    delivered_share: float
    served_share: float
    days_late: float | None
    score: float | None
    hazards_found: float | None
    hidden: bool = False


def service_lines(facts: Facts, served: Subject | None, least: int) -> tuple[ServiceLine, ...]:
    """Return a line for each insurer that planned services, and one for all unless a line stays out.

    A line stays out where the tables of services leave the insurer out, or fewer than `least` enterprises stand behind.
    """
    table, place = facts.tables["services"], facts.place["services"]
    if "planned_date" not in table:
        return ()
    own = insurer_places(table["insurer"], facts.insurers)
    planned = facts.within(table["planned_date"])
    done = planned & (delivered_days(table) != MISSING_DATE)
    late = np.maximum(delivered_days(table) - table["planned_date"], 0)
    begun = facts.within(facts.tables["policies"]["start_date"])
    reached = np.zeros(len(begun), bool)
    reached[place[delivered_days(table) != MISSING_DATE]] = True

    def line(
        name: str, mine: np.ndarray[tuple[int], np.dtype[np.bool_]], policies: object, hidden: bool
    ) -> ServiceLine:
        ours = done & mine
        many = int((planned & mine).sum())

        def mean(values: object, given: object = True) -> float | None:
            chosen = np.asarray(values)[ours & np.asarray(given)]
            return round(float(chosen.mean()), 2) if len(chosen) else None

        asked = begun & np.asarray(policies)
        return ServiceLine(
            name,
            many,
            round(int(ours.sum()) / many, 4),
            round(float(reached[asked].mean()), 4) if asked.any() else 0.0,
            mean(late),
            mean(table.number("score"), ~table.empty.get("score", np.ones(len(table), bool))),
            mean(table.number("hazards_found"), ~table.empty.get("hazards_found", np.ones(len(table), bool))),
            hidden,
        )

    lines = []
    for at, name in enumerate(facts.insurers):
        mine = own == at
        if not (planned & mine).any():
            continue
        firms = len(np.unique(facts.firm[place[planned & mine]]))
        out = firms < least or leaves_out(served, at)
        lines.append(line(name, mine, facts.insurer == at, out))
    if lines and not any(item.hidden for item in lines):
        everyone = np.ones(len(table), bool)
        lines.append(line("", everyone, np.ones(len(begun), bool), False))
    return tuple(lines)
