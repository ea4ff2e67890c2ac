"""The figures of publications and what every reader knows of them: which add up, which are the same thing twice.

A figure is named by year, subject, measure and the level of each dimension it is broken down by. Its relations follow
from the names alone, so that whoever holds published tables can write down the same ones as the publisher:

- cells add up to their totals, in every breakdown of every subject;
- opening + accrued - released - used = closing, and a year opens as the year before closed;
- assessed = paid + open, and nothing open is negative;
- paid in the year = paid in it on accidents of the year + on those of earlier years; paid on accidents of the year =
  paid in the year + paid later: what one total leaves of the other is the few claims that were paid late;
- insured in full + insured with a gap = insured enterprises; accruals and payments of the tables = those of the fund;
  services delivered of those due in the year = services delivered in the year.

The last of these hold only nearly where a year's policies run on into the next. A reader who takes them as exact need
not be sure to be right. They therefore count as known, with their true difference, wherever that is within the
protection.

Source: Hundepool et al., *Statistical Disclosure Control*, 2012, section 4.1 (linked tables).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

Levels = tuple[tuple[str, str], ...]  # (dimension, level code); () is the grand total


class Figure(NamedTuple):
    """The name of a published figure."""

    year: int
    subject: str
    measure: str
    key: Levels


class Relation(NamedTuple):
    """Figures that add up, with their signs, to nothing; `nearly` where that need not be exact."""

    places: tuple[int, ...]
    signs: tuple[int, ...]
    nearly: bool


OPEN = "open_fen"  # never published: assessed less paid
BALANCE = {"opening_fen": 1, "accrued_fen": 1, "released_fen": -1, "used_fen": -1, "closing_fen": -1}
PAID, SOON, LATE, OLD = "paid_in_year_fen", "of_the_year_fen", "later_fen", "of_earlier_fen"
# Sums over figures of the same levels: what is the sum of what, and whether nearly.
SUMS = (
    (("claims", "assessed_fen"), (("claims", "paid_fen"), ("claims", OPEN)), False),
    (("payments", PAID), (("payments", SOON), ("payments", OLD)), False),
    (("claims", "paid_fen"), (("payments", SOON), ("payments", LATE)), True),
    (("insurance", "accrued_fen"), (("fund", "accrued_fen"),), True),
    (("services", "used_fen"), (("fund", "used_fen"),), True),
    (("services", "services"), (("service", "delivered"),), True),
)


def is_money(measure: str) -> bool:
    """Return whether a measure is an amount in fen; else it is a count."""
    return measure.endswith("_fen")


def relations_of(figures: Sequence[Figure]) -> list[Relation]:
    """Return every relation among figures that their names imply.

    Examples
    --------
    >>> whole, one, two = ((), (("sector", "a"),), (("sector", "b"),))
    >>> relations_of([Figure(2025, "claims", "claims", key) for key in (whole, one, two)])
    [Relation(places=(0, 1, 2), signs=(-1, 1, 1), nearly=False)]
    """
    place = {figure: at for at, figure in enumerate(figures)}
    return [*_margins(figures, place), *_named(figures, place)]


def _margins(figures: Sequence[Figure], place: dict[Figure, int]) -> Iterator[Relation]:
    cells: dict[tuple[int, tuple[str, ...]], list[int]] = {}
    for at, figure in enumerate(figures):
        dims = tuple(dim for dim, _ in figure.key)
        for less in range(len(dims)):
            total = place.get(figure._replace(key=figure.key[:less] + figure.key[less + 1 :]))
            if total is not None:
                cells.setdefault((total, dims), []).append(at)
    for (total, _), parts in cells.items():
        yield Relation((total, *parts), (-1, *[1] * len(parts)), False)


def _named(figures: Sequence[Figure], place: dict[Figure, int]) -> Iterator[Relation]:
    def all_of(names: Sequence[Figure], signs: Sequence[int], nearly: bool) -> Iterator[Relation]:
        if all(name in place for name in names):
            yield Relation(tuple(place[name] for name in names), tuple(signs), nearly)

    for figure in figures:
        year, subject, measure, key = figure
        if (subject, measure) == ("fund", "closing_fen"):
            yield from all_of([figure._replace(measure=name) for name in BALANCE], list(BALANCE.values()), False)
            yield from all_of([figure, Figure(year + 1, "fund", "opening_fen", key)], (1, -1), True)
        if (subject, measure) == ("insurance", "enterprises"):
            states = [Figure(year, "participation", measure, _with_state(key, state)) for state in ("insured", "gap")]
            yield from all_of([*states, figure], (1, 1, -1), True)
        for whole, others, nearly in SUMS:
            if (subject, measure) == whole:
                sums = [Figure(year, *other, key) for other in others]
                yield from all_of([figure, *sums], (1, *[-1] * len(sums)), nearly)


def _with_state(key: Levels, state: str) -> Levels:
    return (("state", state), *key)
