"""The catalogue of service items: what a visit costs by size and place, and how much of the losses it prevents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from ratemod.errors import BookError, Problem, problem
from ratemod.fund.fund_table import Ints, Texts, check_keys, codes_of, toml_rows
from ratemod.money import to_fen
from ratemod.vocabulary.codes.size_class import SIZES

SERVICE = ("service_type", "cost_yuan", "most", "rate", "most_visits", "source")
PLACE = ("division_code", "travel_yuan", "source")


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


def read_catalogue(source: str | Path | None = None) -> Catalogue:
    """Return the catalogue of a TOML file (``[[service]]``, ``[[place]]``); without one the shipped, illustrative.

    Raises
    ------
    BookError
        RM702 unreadable, RM703 unknown key, RM704 missing key, RM706 a value that is not allowed.

    Examples
    --------
    >>> [item.name for item in read_catalogue().items][:2]
    ['training', 'risk_assessment']
    """
    if source is None:
        with resources.as_file(resources.files("ratemod") / "fund" / "data" / "service_catalogue.toml") as shipped:
            return read_catalogue(shipped)
    services, places = toml_rows(source, "service"), toml_rows(source, "place")
    wrong: list[Problem] = []
    items: list[ServiceItem] = []
    travel: dict[str, int] = {}
    for known, rows in ((SERVICE, services), (PLACE, places)):
        for at, row in enumerate(rows, start=1):
            faults = check_keys(row, known, known, str(source), at)
            if not faults:
                try:
                    if known is SERVICE:
                        items.append(_item(row))
                    else:
                        travel[str(row["division_code"])] = to_fen(Decimal(row["travel_yuan"]))
                except (ValueError, TypeError, AttributeError, InvalidOperation) as error:
                    faults = [problem("RM706", file=str(source), rule=str(row[known[0]]), why=str(error))]
            wrong += faults
    if sum(item.most for item in items) > 1:
        wrong.append(problem("RM706", file=str(source), rule="most", why="sum > 1"))
    if wrong:
        raise BookError(wrong)
    return Catalogue(tuple(items), travel)


def _item(row: Mapping[str, Any]) -> ServiceItem:
    cost = {str(size): to_fen(Decimal(value)) for size, value in row["cost_yuan"].items()}
    item = ServiceItem(
        str(row["service_type"]),
        cost,
        float(row["most"]),
        float(row["rate"]),
        int(row["most_visits"]),
        str(row["source"]),
    )
    if set(cost) - set(SIZES) or min(cost.values()) <= 0:
        raise ValueError(f"cost_yuan: {', '.join(SIZES)}; > 0")
    if not 0 < item.most <= 1 or item.rate <= 0 or item.most_visits < 1:
        raise ValueError("0 < most <= 1, rate > 0, most_visits >= 1")
    return item
