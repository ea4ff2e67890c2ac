"""The catalogue of service items: what a visit costs by size and place, and how much of the losses it prevents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from ratemod.fund.fund_table import Ints, Texts, codes_of
from ratemod.money import to_fen
from ratemod.rules.read import read_rules
from ratemod.rules.shape import Key, Keys
from ratemod.vocabulary.codes.size_class import SIZES


@dataclass(frozen=True, slots=True)
class ServiceItem:
    """One kind of service.

    Attributes
    ----------
    cost_fen : mapping of size class to int fen, one visit without travel
    most : float
        Share of expected losses that any number of visits can prevent.
    rate : float
        Share prevented by x visits: ``most x (1 - exp(-rate x))``.
    most_visits : int
        Visits a year to one insured.
    """

    name: str
    cost_fen: Mapping[str, int]
    most: float
    rate: float
    most_visits: int
    source: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Service items, and travel by place (``*`` for all other places), fen a visit."""

    items: tuple[ServiceItem, ...]
    travel_fen: Mapping[str, int]

    def unit_fen(self, size: Texts, division: Texts) -> Ints:
        """Return the cost of one visit of every item to each insured, (n, items) int64 fen, -1 where no price."""
        sizes, (own,) = codes_of(size)
        places, (place,) = codes_of(division)
        cost = np.array([[item.cost_fen.get(name, -1) for item in self.items] for name in sizes], dtype=np.int64)
        other = self.travel_fen.get("*", -1)
        travel = np.array([self.travel_fen.get(name, other) for name in places], dtype=np.int64)
        able = (cost[:, None, :] >= 0) & (travel[None, :, None] >= 0)
        table = np.where(able, cost[:, None, :] + travel[None, :, None], -1)
        found: Ints = table.reshape(-1, len(self.items))[own * len(places) + place]
        return found

    def cost_fen(self, item: ServiceItem, size: Texts, division: Texts) -> Ints:
        """Return the cost of one visit to each insured, (n,) int64 fen, -1 where the size or place has no price."""
        found = np.full(len(size), -1, dtype=np.int64)
        for name, cost in item.cost_fen.items():
            found[size == name] = cost
        other = self.travel_fen.get("*", -1)
        travel = np.full(len(size), other, dtype=np.int64)
        for place, cost in self.travel_fen.items():
            if place != "*":
                travel[division == place] = cost
        priced: Ints = np.where((found >= 0) & (travel >= 0), found + travel, -1)
        return priced


SERVICE: Keys = {
    "service_type": Key(str, True, field="name"),
    "cost_yuan": Key(Mapping[str, Decimal], True),
    "most": Key(float, True, low=0, high=1),
    "rate": Key(float, True, low=0),
    "most_visits": Key(int, True, low=1),
    "source": Key(str, True),
}
PLACE: Keys = {
    "division_code": Key(str, True),
    "travel_yuan": Key(Decimal, True, low=0),
    "source": Key(str, True),
}


def read_catalogue(source: str | Path | None = None) -> Catalogue:
    """Return the catalogue of a TOML file (``[[service]]``, ``[[place]]``); without one the shipped, illustrative.

    Raises
    ------
    PlanError
        What is wrong with the file, all at once: unknown and missing keys, values of another type or out of range.

    Examples
    --------
    >>> [item.name for item in read_catalogue().items][:2]
    ['training', 'risk_assessment']
    """
    file = read_rules(source, "fund/data/service_catalogue.toml")
    file.sections(("service", "place"))
    items = file.records(_item, "service", SERVICE, least=1, faults=_faults)
    places: tuple[dict[str, Any], ...] = file.records(dict, "place", PLACE, least=1)
    if sum(item.most for item in items) > 1:
        file.note("RM025", "service", name="most", why="sum > 1")
    file.settle()
    return Catalogue(items, {place["division_code"]: to_fen(place["travel_yuan"]) for place in places})


def _item(cost_yuan: Mapping[str, Decimal], **given: Any) -> ServiceItem:
    return ServiceItem(cost_fen={size: to_fen(value) for size, value in cost_yuan.items()}, **given)


def _faults(item: ServiceItem) -> list[str]:
    found = [f"cost_yuan: {size}? ({', '.join(SIZES)})" for size in item.cost_fen if size not in SIZES]
    if not item.cost_fen or min(item.cost_fen.values()) <= 0:
        found.append("cost_yuan > 0")
    return [*found, "most > 0, rate > 0"] if item.most <= 0 or item.rate <= 0 else found
