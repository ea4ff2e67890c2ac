"""An allocation of prevention money: who is visited how often, by insurer what it does, and the proof of its sums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ratemod.errors import Lang, Problem, problem
from ratemod.fund.fund_table import Floats, Ints, Texts, labelled, names_column, to_frame
from ratemod.fund.proof import Check, prove
from ratemod.money import yuan_text
from ratemod.rules.options import strict

if TYPE_CHECKING:
    import pandas as pd


FAR_FROM_BOUND = 0.02


@dataclass(frozen=True, eq=False, slots=True)
class ByInsurer:
    """What each insurer's money does; every array is (insurers,).

    Attributes
    ----------
    budget_fen, spent_fen : int64 fen
    duties_owed, duties_served : int64 visits
    missing_fen : int64 fen
        What more money the duties would need that were not served for want of it.
    without_capacity : int64 visits
        Duties that no provider had room for.
    duty_prevented, rest_prevented : float64 yuan
    bound : float64 yuan
        What no plan could exceed with the money left after the duties.
    proportional : float64 yuan
        What the same money prevents after the duties, within the same limits, when it is spread in proportion to
        premium.
    avoided, proportional_avoided : float64 accidents, duties included
    """

    budget_fen: Ints
    spent_fen: Ints
    duties_owed: Ints
    duties_served: Ints
    missing_fen: Ints
    without_capacity: Ints
    duty_prevented: Floats
    rest_prevented: Floats
    bound: Floats
    proportional: Floats
    avoided: Floats
    proportional_avoided: Floats


@dataclass(frozen=True, eq=False, slots=True)
class Allocation:
    """Visits to insureds within budgets.

    Attributes
    ----------
    policy_no, insurer, size_class : (n,) texts, in the order given
    owed : (n,) int64, duty visits owed
    duty : (n,) int64, duty visits paid for
    visits : (n, services) int64, all visits, duty included
    unit_fen : (n, services) int64 fen, what one visit costs
    prevented : (n,) float64, yuan of expected losses
    avoided : (n,) float64, expected accidents
    services : names of the services
    insurers : names, in the order of `by`
    by : ByInsurer
    refused : tuple of Problem
        Insureds left out and why.
    """

    policy_no: Texts
    insurer: Texts
    size_class: Texts
    owed: Ints
    duty: Ints
    visits: Ints
    unit_fen: Ints
    prevented: Floats
    avoided: Floats
    services: tuple[str, ...]
    insurers: tuple[str, ...]
    by: ByInsurer
    refused: tuple[Problem, ...] = ()

    def __repr__(self) -> str:
        return f"<Allocation to {len(self.policy_no)} insureds: {int(self.visits.sum())} visits, {self.spent_fen} fen>"

    @property
    def spent_fen(self) -> int:
        """All that is spent, fen."""
        return int(self.by.spent_fen.sum())

    @property
    def gap_yuan(self) -> float:
        """How far the rest, after the duties, may be from the optimum, yuan prevented; never more."""
        return float((self.by.bound - self.by.rest_prevented).sum())

    @property
    def gap(self) -> float:
        """The same as a share of the bound."""
        whole = float(self.by.bound.sum())
        return self.gap_yuan / whole if whole > 0 else 0.0

    def far_from_bound(self) -> tuple[Problem, ...]:
        """Return RM760 for every insurer whose plan may be more than 2 % below the best, by how much, and why."""
        by = self.by
        apart = by.bound - by.rest_prevented
        far = np.flatnonzero(apart > FAR_FROM_BOUND * by.bound)
        return tuple(
            problem(
                "RM760",
                insurer=self.insurers[at],
                percent=f"{apart[at] / by.bound[at]:.1%}",
                left=yuan_text(int(by.budget_fen[at] - by.spent_fen[at])),
                insureds=int((self.insurer == self.insurers[at]).sum()),
            )
            for at in far
        )

    @property
    def table(self) -> pa.Table:
        """One row an insured and service that is visited."""
        firm, service = np.nonzero(self.visits)
        many = self.visits[firm, service]
        return pa.table(
            {
                "policy_no": pa.array(self.policy_no[firm]),
                "insurer": pa.array(self.insurer[firm]),
                "size_class": pa.array(self.size_class[firm]),
                "service_type": names_column(service, self.services),
                "visits": pa.array(many),
                "cost_fen": pa.array(many * self.unit_fen[firm, service]),
            }
        )

    def insureds(self) -> pa.Table:
        """Return one row an insured, visited or not: duties owed and paid for, visits, cost, what they prevent."""
        return pa.table(
            {
                "policy_no": pa.array(self.policy_no),
                "insurer": pa.array(self.insurer),
                "size_class": pa.array(self.size_class),
                "duties_owed": pa.array(self.owed),
                "duty_visits": pa.array(self.duty),
                "visits": pa.array(self.visits.sum(axis=1)),
                "cost_fen": pa.array((self.visits * self.unit_fen).sum(axis=1)),
                "prevented_yuan": pa.array(self.prevented),
                "avoided": pa.array(self.avoided),
            }
        )

    @strict
    def frame(self, lang: Lang | None = None) -> pd.DataFrame:
        """Return `table` as pandas, with labels of a language where one is given."""
        return to_frame(self.table if lang is None else labelled(self.table, lang))

    @strict
    def statement(self, lang: Lang | None = None) -> pd.DataFrame:
        """Return by insurer: money, duties, what is missing, what is prevented, the bound, and money by premium."""
        table = self.statement_table()
        return to_frame(table if lang is None else labelled(table, lang))

    def statement_table(self) -> pa.Table:
        """Return the statement as Arrow, one row an insurer."""
        by, million = self.by, np.maximum(self.by.spent_fen, 1) / 1e8
        columns: dict[str, Any] = {
            "insurer": list(self.insurers),
            "budget_fen": by.budget_fen,
            "spent_fen": by.spent_fen,
            "unspent_fen": by.budget_fen - by.spent_fen,
            "duties_owed": by.duties_owed,
            "duties_served": by.duties_served,
            "duties_unserved": by.duties_owed - by.duties_served,
            "missing_fen": by.missing_fen,
            "without_capacity": by.without_capacity,
            "prevented_yuan": by.duty_prevented + by.rest_prevented,
            "bound_yuan": by.duty_prevented + by.bound,
            "gap_yuan": by.bound - by.rest_prevented,
            "proportional_yuan": by.duty_prevented + by.proportional,
            "avoided": by.avoided,
            "proportional_avoided": by.proportional_avoided,
            "avoided_per_million": by.avoided / million,
            "proportional_per_million": by.proportional_avoided / million,
        }
        return pa.table({name: pa.array(column) for name, column in columns.items()})

    def reconcile(self) -> int:
        """Prove money, visits and duties by insurer, and that the plan lies under its bound; return the count.

        Raises
        ------
        ModelError
            RM705 for every sum that fails.
        """
        cost = (self.visits * self.unit_fen).sum(axis=1)
        served = np.minimum(self.duty, self.owed)
        checks: list[Check] = [
            Check("duty_visits_planned", "all", int((self.duty > self.visits.sum(axis=1)).sum()), 0, unit="count"),
            Check("duty_visits_owed", "all", int((self.duty > self.owed).sum()), 0, unit="count"),
        ]
        for at, name in enumerate(self.insurers):
            mine, by = self.insurer == name, self.by
            checks += [
                Check("visits_spent", name, int(cost[mine].sum()), int(by.spent_fen[at])),
                Check("spent_budget", name, int(by.spent_fen[at]), int(by.budget_fen[at]), "<="),
                Check("duties_owed", name, int(self.owed[mine].sum()), int(by.duties_owed[at]), unit="count"),
                Check("duties_served", name, int(served[mine].sum()), int(by.duties_served[at]), unit="count"),
                Check(
                    "proportional_bound",
                    name,
                    int(by.proportional[at] * 100),
                    int(by.bound[at] * 100) + 1,
                    "<=",
                    unit="count",
                ),
                Check(
                    "prevented_bound",
                    name,
                    int(by.rest_prevented[at] * 100),
                    int(by.bound[at] * 100) + 1,
                    "<=",
                    unit="count",
                ),
                Check(
                    "prevented_insureds",
                    name,
                    round(float(self.prevented[mine].sum()) * 100),
                    round(float(by.duty_prevented[at] + by.rest_prevented[at]) * 100) + 1,
                    "<=",
                    unit="count",
                ),
            ]
        return prove(checks)
