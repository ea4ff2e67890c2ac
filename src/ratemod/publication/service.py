"""How each insurer serves: what was due in the year and delivered, how soon, how it was scored, what it found."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

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
        return Block(
            year=self.year,
            subject="service",
            keys=keys,
            values=values,
            contributors=self.contributors,
            unsafe=self.few < least,
            lone=self.lone,
            fixed=none,
            hidden=none,
        )

    def shown(self, hidden: Mask, least: int) -> tuple[ServiceLine, ...]:
        """Return the lines with those left out as such, and the line of all unless a line stays out."""
        lines = tuple(replace(line, hidden=bool(out)) for line, out in zip(self.lines, hidden, strict=True))
        return lines if hidden.any() or not lines or self.total_few < least else (*lines, self.total)


@dataclass(frozen=True, eq=False, slots=True)
class _Due:
    """Services due in a year and policies begun in it.

    Attributes
    ----------
    planned, done : (services,) bool, due, and those of them delivered
    firm : (services,) int64, the enterprise of each
    means : mapping of what a mean is of to its values and where there is one, (services,) each
    begun, reached : (policies,) bool, begun in the year, and served at any time
    policy_firm : (policies,) int64
    """

    planned: Mask
    done: Mask
    firm: Ints
    means: Mapping[str, tuple[npt.NDArray[Any], Mask]]
    begun: Mask
    reached: Mask
    policy_firm: Ints

    def line(self, name: str, mine: Mask, policies: Mask) -> ServiceLine:
        """Return the indicators of some services and policies."""
        ours, planned, asked = self.done & mine, int((self.planned & mine).sum()), self.begun & policies

        def mean(of: str) -> float | None:
            values, given = self.means[of]
            chosen = values[ours & given]
            return float(rounded(chosen.mean(), 2)) if len(chosen) else None

        return ServiceLine(
            insurer=name,
            planned=planned,
            delivered_share=float(rounded(int(ours.sum()) / planned, 4)),
            served_share=float(rounded(self.reached[asked].mean(), 4)) if asked.any() else 0.0,
            days_late=mean("days_late"),
            score=mean("score"),
            hazards_found=mean("hazards_found"),
        )

    def fewest(self, mine: Mask, policies: Mask) -> int:
        """Return the fewest enterprises behind any number of that line."""
        ours, asked = self.done & mine, self.begun & policies
        behind = [
            self.firm[rows] for rows in (self.planned & mine, *(ours & given for _, given in self.means.values()))
        ]
        behind += [self.policy_firm[asked], self.policy_firm[asked & self.reached]]
        return min((many for firms in behind if (many := len(np.unique(firms)))), default=0)


def _due(facts: Facts) -> _Due | None:
    """Return what was due in the year; None without planned days or without a service due."""
    table, place = facts.tables["services"], facts.place["services"]
    if "planned_date" not in table:
        return None
    delivered, last = delivered_days(table), int(day_number(dt.date(facts.year, 12, 31)) or 0)
    state = completion(np.asarray(table["planned_date"], np.int64), delivered, last)
    planned = (state.delivered | state.missing) & (state.year == facts.year)
    if not planned.any():
        return None
    all_of = np.ones(len(table), bool)
    means = {"days_late": (np.maximum(delivered - table["planned_date"], 0), all_of)}
    means |= {of: (table.number(of), ~table.empty.get(of, all_of)) for of in ("score", "hazards_found")}
    reached = np.zeros(len(facts.firm), bool)
    reached[place[delivered != MISSING_DATE]] = True
    return _Due(
        planned=planned,
        done=planned & state.delivered,
        firm=facts.firm[place],
        means=means,
        begun=facts.within(facts.tables["policies"]["start_date"]),
        reached=reached,
        policy_firm=facts.firm,
    )


def service_year(facts: Facts) -> ServiceYear | None:
    """Return how each insurer serves; None without planned days or without a service due in the year."""
    due = _due(facts)
    if due is None:
        return None
    own = insurer_places(facts.tables["services"]["insurer"], facts.insurers)
    parts = {name: (own == at, facts.insurer == at) for at, name in enumerate(facts.insurers)}
    parts = {name: (mine, policies) for name, (mine, policies) in parts.items() if (due.planned & mine).any()}
    everything = np.ones(len(own), bool), np.ones(len(facts.firm), bool)
    behind = [np.unique(due.firm[due.planned & mine]) for mine, _ in parts.values()]
    return ServiceYear(
        year=facts.year,
        lines=tuple(due.line(name, *part) for name, part in parts.items()),
        total=due.line("", *everything),
        delivered=np.array([int((due.done & mine).sum()) for mine, _ in parts.values()], np.int64),
        contributors=np.array([len(firms) for firms in behind], np.int64),
        few=np.array([due.fewest(*part) for part in parts.values()], np.int64),
        total_few=due.fewest(*everything),
        lone=np.array([int(firms[0]) if len(firms) == 1 else -1 for firms in behind], np.int64),
    )
