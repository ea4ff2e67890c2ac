"""A year published again: what readers of its earlier editions hold, they hold.

A figure that was published, and has hardly changed since, is known whether the new edition leaves it out or not; one
that was left out stays out. So both editions side by side tell no more than the new one alone; and where a total has
changed by one or two, their difference would be the records of those enterprises, so the new edition is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ratemod.confidentiality.figures import Figure, is_money
from ratemod.confidentiality.linked_tables import Face
from ratemod.confidentiality.system import Block
from ratemod.confidentiality.unsafe import LEAST_UNITS, PROTECTION
from ratemod.errors import ModelError, problem

MOST_NAMED = 20


def beside(
    blocks: Sequence[Block], published: Mapping[Figure, int | None], least_units: int = LEAST_UNITS
) -> list[Block]:
    """Return a year's cells beside its earlier editions: what was published stands, what was left out stays out.

    Raises
    ------
    ModelError
        RM420 for each unsafe figure that an earlier edition told to within the protection; RM768 for each total that
        has changed by fewer than `least_units` since.
    """
    if not published:
        return list(blocks)
    found, told, apart = [], [], []
    for block in blocks:
        fixed, hidden = block.fixed.copy(), block.hidden.copy()
        for at, key in enumerate(block.keys):
            for measure, values in block.values.items():
                figure, value = Figure(block.year, block.subject, measure, key), int(values[at])
                before = published.get(figure)
                if not (key or before is None or is_money(measure)) and 0 < abs(value - before) < least_units:
                    apart.append((figure, before, value))
                if figure in published and before is None:
                    hidden[at] |= bool(block.contributors[at])
                elif before is not None and value and abs(value - before) <= PROTECTION * abs(value):
                    fixed[at] = True
                    if block.unsafe[at]:
                        told.append((figure, before))
        found.append(replace(block, fixed=fixed, hidden=hidden))
    if apart:
        raise ModelError(
            problem("RM768", year=figure.year, before=f"{before:,}", value=f"{value:,}", **words_of(figure))
            for figure, before, value in apart[:MOST_NAMED]
        )
    if told:
        raise ModelError(
            problem("RM420", year=figure.year, value=f"{before:,}", **words_of(figure))
            for figure, before in told[:MOST_NAMED]
        )
    return found


def needed_faces(published: Mapping[Figure, int | None], subject: str) -> frozenset[Face]:
    """Return the breakdowns of a subject that readers hold."""
    dims = {tuple(dim for dim, _ in figure.key) for figure in published if figure.subject == subject}
    return frozenset(dims)


def words_of(figure: Figure) -> dict[str, Any]:
    """Return the parts of a figure's name as a message says them."""
    levels = " ".join(level for _, level in figure.key) or "all"
    return {"subject": figure.subject, "measure": figure.measure, "levels": levels}
