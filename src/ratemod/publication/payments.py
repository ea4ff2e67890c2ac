"""What was paid in a year, whenever the accident happened; and what it tells beside the claims of the year.

Paid in the year less paid on the accidents of the year is what was paid on earlier accidents less what is paid later:
often a single claim. These parts are never published, and protected as if they were.
"""

from __future__ import annotations

import numpy as np

from ratemod.confidentiality.figures import LATE, OLD, PAID, SOON
from ratemod.confidentiality.system import Block
from ratemod.publication.fund import by_level
from ratemod.publication.subjects import Facts


def payment_year(facts: Facts, least: int) -> list[Block]:
    """Return the total paid in the year, and its parts, as cells of a publication; none without a table of payments."""
    if "payments" not in facts.tables:
        return []
    table, claim = facts.tables["payments"], facts.place["payments"]
    paid, amount = table["payment_date"], table.amount("amount")
    event = facts.tables["claims"]["event_date"][claim]
    firm = facts.firm[facts.place["claims"][claim]]
    within, of_year = facts.within(paid), facts.within(event)
    parts = {
        PAID: within,
        SOON: within & of_year,
        OLD: within & ~of_year,
        LATE: of_year & (paid >= facts.after),
    }
    found = []
    for measure, rows in parts.items():
        told = by_level(np.zeros(len(paid), np.int64), firm, np.where(rows, amount, 0), 0, least)
        none = told.contributors == 0
        derived = measure != PAID
        hidden = ~none if derived else np.zeros(1, bool)
        found.append(
            Block(
                year=facts.year,
                subject="payments",
                keys=((),),
                values={measure: told.amount},
                contributors=told.contributors,
                unsafe=told.unsafe,
                lone=told.lone,
                fixed=none,
                hidden=hidden,
                derived=derived,
            )
        )
    return found
