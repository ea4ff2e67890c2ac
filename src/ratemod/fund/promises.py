"""What contracts promise, held against what is owed by rule: how many services a year, and of which kinds."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ratemod.errors import Problem, problem
from ratemod.fund.fund_table import Bools, Columns, Ints, Texts
from ratemod.vocabulary.spelling import same_level
from ratemod.vocabulary.table import table

BETWEEN = re.compile(r"[、，,；;/／|\n]+")


@dataclass(frozen=True, eq=False, slots=True)
class Promises:
    """What the contracts of policies say.

    Attributes
    ----------
    frequency : (policies,) int64, services a year; -1 where the list does not say
    items : (policies,) texts, the kinds as listed, "" where it does not say
    counts : (policies,) bool, one of the kinds named counts towards the duty
    unclear : (policies,) bool, one of the kinds named is not understood
    told : tuple of Problem, RM776
    """

    frequency: Ints
    items: Texts
    counts: Bools
    unclear: Bools
    told: tuple[Problem, ...]

    def findings(self, owed: Ints) -> Mapping[str, Bools]:
        """Return which policies, of those owed services by rule, (policies,) bool each."""
        law, named = owed > 0, self.items != ""
        return {
            "fewer": law & (self.frequency >= 0) & (self.frequency < owed),
            "no_item": law & named & ~self.counts & ~self.unclear,
            "not_understood": law & named & ~self.counts & self.unclear,
            "no_frequency": law & (self.frequency < 0),
            "no_items": law & ~named,
        }


def read_promises(book: Columns, accepted: Sequence[frozenset[str]], rule: Ints) -> Promises:
    """Return what the contracts of a book say.

    Parameters
    ----------
    book : Columns of policies; services_per_year and service_items where there are any
    accepted : kinds of service that count, by rule
    rule : (policies,) int64, which rule owes, -1 where none
    """
    n = len(book)
    frequency = book.get("services_per_year", np.full(n, -1, dtype=np.int64)).copy()
    frequency[book.empty("services_per_year")] = -1
    items = book.get("service_items", np.full(n, "", dtype=object))
    counts, unclear = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    column, odd = table("services").columns["service_type"], ""
    for at in np.flatnonzero(items != "").tolist():
        named = [word.strip() for word in BETWEEN.split(items[at]) if word.strip()]
        places = [column.spellings.get(same_level(word)) for word in named]
        kinds = [None if place is None else column.codes()[place] for place in places]
        counts[at] = rule[at] >= 0 and bool(accepted[rule[at]] & set(kinds))
        unclear[at] = None in kinds
        odd = odd or next((word for word, kind in zip(named, kinds) if kind is None), "")
    told = []
    if unclear.any():
        policy, levels = str(book["policy_no"][int(np.argmax(unclear))]), " / ".join(column.level_labels("zh").values())
        told.append(problem("RM776", **book.first(unclear, "policies"), value=odd, policy=policy, levels=levels))
    return Promises(frequency, items, counts, unclear, tuple(told))
