"""How each insurer serves: what was due in the year and delivered, how soon, how it was scored, what it found."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import numpy as np

from ratemod.confidentiality.system import Block
from ratemod.fund.fund_table import day_number
from ratemod.fund.quality import completion
from ratemod.money import rounded
from ratemod.publication.data import Ints, Mask
from ratemod.publication.subjects import Facts, delivered_days, insurer_places
from ratemod.reading.convert import MISSING_DATE


@dataclass(frozen=True, slots=True)
class ServiceLine:
    """Simple indicators of one insurer; `insurer` is empty for all. A hidden line is published without figures.

    Attributes
    ----------
    planned : int
        Services of the year that are delivered or missing at its end (`ratemod.fund.quality.completion`).
    delivered_share, served_share : float
        Of those, as the evaluation and the scorecard of the year's last day have it, and of the insurer's policies that
        began in the year (at least one service delivered).
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


@dataclass(frozen=True, eq=False, slots=True)
class ServiceYear:
    """Lines of the insurers that planned services, all shown, and the line of all; who stands behind each.

    `few` is the fewest enterprises behind any number that a line tells.
    """

    year: int
    lines: tuple[ServiceLine, ...]
    total: ServiceLine
    delivered: Ints
    contributors: Ints
    few: Ints
    total_few: int
    lone: Ints

    def block(self, least: int) -> Block:
        """Return planned services and those of them delivered as cells of a publication: a line stays out as a whole.

        Its shares and means tell both numbers, so that they are figures too; and a mean or share of one or two
        enterprises tells theirs, however many services were planned.
        """
        keys = tuple((("insurer", line.insurer),) for line in self.lines)
        values = {"planned": np.array([line.planned for line in self.lines], np.int64), "delivered": self.delivered}
        none = np.zeros(len(keys), bool)
        return Block(self.year, "service", keys, values, self.contributors, self.few < least, self.lone, none, none)

    def shown(self, hidden: Mask, least: int) -> tuple[ServiceLine, ...]:
        """Return the lines with those left out as such, and the line of all unless a line stays out."""
        lines = tuple(replace(line, hidden=bool(out)) for line, out in zip(self.lines, hidden, strict=True))
        return lines if hidden.any() or not lines or self.total_few < least else (*lines, self.total)


def service_year(facts: Facts) -> ServiceYear | None:
    """Return how each insurer serves; None without planned days or without a service due in the year."""
    table, place = facts.tables["services"], facts.place["services"]
    if "planned_date" not in table:
        return None
    own = insurer_places(table["insurer"], facts.insurers)
    last = int(day_number(dt.date(facts.year, 12, 31)) or 0)
    state = completion(np.asarray(table["planned_date"], np.int64), delivered_days(table), last)
    done = state.delivered & (state.year == facts.year)
    planned = (state.delivered | state.missing) & (state.year == facts.year)
    if not planned.any():
        return None
    late = np.maximum(delivered_days(table) - table["planned_date"], 0)
    begun = facts.within(facts.tables["policies"]["start_date"])
    reached = np.zeros(len(begun), bool)
    reached[place[delivered_days(table) != MISSING_DATE]] = True

    def line(name: str, mine: Mask, policies: Mask) -> ServiceLine:
        ours = done & mine
        many = int((planned & mine).sum())

        def mean(values: object, given: object = True) -> float | None:
            chosen = np.asarray(values)[ours & np.asarray(given)]
            return float(rounded(chosen.mean(), 2)) if len(chosen) else None

        asked = begun & policies
        return ServiceLine(
            name,
            many,
            float(rounded(int(ours.sum()) / many, 4)),
            float(rounded(reached[asked].mean(), 4)) if asked.any() else 0.0,
            mean(late),
            mean(table.number("score"), ~table.empty.get("score", np.ones(len(table), bool))),
            mean(table.number("hazards_found"), ~table.empty.get("hazards_found", np.ones(len(table), bool))),
        )

    def fewest(mine: Mask, policies: Mask) -> int:
        ours, asked = done & mine, begun & policies
        given = [~table.empty.get(name, np.ones(len(table), bool)) for name in ("score", "hazards_found")]
        behind = [facts.firm[place[rows]] for rows in (planned & mine, ours, *(ours & some for some in given))]
        behind += [facts.firm[asked], facts.firm[asked & reached]]
        return min((many for firms in behind if (many := len(np.unique(firms)))), default=0)

    lines, delivered, behind, few = [], [], [], []
    for at, name in enumerate(facts.insurers):
        mine = own == at
        if (planned & mine).any():
            lines.append(line(name, mine, facts.insurer == at))
            delivered.append(int((done & mine).sum()))
            behind.append(np.unique(facts.firm[place[planned & mine]]))
            few.append(fewest(mine, facts.insurer == at))
    everything = np.ones(len(table), bool), np.ones(len(begun), bool)
    total = line("", *everything)
    return ServiceYear(
        facts.year,
        tuple(lines),
        total,
        np.array(delivered, np.int64),
        np.array([len(firms) for firms in behind], np.int64),
        np.array(few, np.int64),
        fewest(*everything),
        np.array([int(firms[0]) if len(firms) == 1 else -1 for firms in behind], np.int64),
    )
