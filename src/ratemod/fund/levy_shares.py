"""Whose the premium and the levy are: the insurer of the policy, or its co-insurers by their shares."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from ratemod.errors import Problem, problem
from ratemod.fund.co_insurance import co_insure, share_faults
from ratemod.fund.events import Events, of_policies, read_events
from ratemod.fund.fund_table import Bools, Columns, Ints, Texts, codes_of, day_column
from ratemod.fund.journal import unknown_insurers
from ratemod.fund.movements import Moved

SHARE = ("policy_no", "insurer", "leader", "share_percent")


@dataclass(frozen=True, eq=False, slots=True)
class Shares:
    """Movements of premium divided among those who bear them, one row a movement and insurer.

    Attributes
    ----------
    movement : (n,) int64, place in `Levy.movements`
    insurer : (n,) texts
    amount_fen, levy_fen : (n,) int64 fen; those of a movement add up to it
    """

    movement: Ints
    insurer: Texts
    amount_fen: Ints
    levy_fen: Ints

    def table(self, lead: Texts) -> pa.Table:
        """Return premium and levy by insurer: of the policies it wrote, and of its own shares.

        Parameters
        ----------
        lead : (movements,) texts, who wrote the policy
        """
        names, (own, wrote) = codes_of(self.insurer, lead[self.movement])
        columns: dict[str, Any] = {"insurer": pa.array(list(names), pa.string())}
        for kind, group in (("lead", wrote), ("share", own)):
            for name, fen in (("base_fen", self.amount_fen), ("levy_fen", self.levy_fen)):
                total = np.zeros(len(names), dtype=np.int64)
                np.add.at(total, group, fen)
                columns[f"{kind}_{name}"] = pa.array(total)
        return pa.table(columns)


def read_shares(given: Any) -> Events | None:
    """Return the rows of a list of co-insurers, each once; None without a list.

    Of a policy with a row that was refused or set aside (`rows.left_out`) nobody can say who bears what.
    """
    return None if given is None else read_events(given, "coinsurance", SHARE, (), SHARE[:2])


def torn(
    book: Columns, by_share: Bools, given: Events | None, known: Collection[str] | None
) -> tuple[Bools, list[Problem]]:
    """Return the policies borne by shares that cannot be used, (policies,) bool, and what is wrong with shares.

    Told: the faults of `share_faults`, RM730 unknown co-insurers, RM762 how many policies are left out for them. Of a
    policy that its leader bears alone the faults are told, and it stays.
    """
    if given is None:
        return np.zeros(len(book), dtype=bool), []
    unknown = [] if known is None else unknown_insurers(given.rows, sorted(known), "coinsurance")
    wrong = share_faults(book, given.rows)
    strange = np.isin(given.rows["insurer"].astype(str), [item.args["name"] for item in unknown])
    left = given.rows.left_out.get("policy_no", np.zeros(0, object))
    bad = {*left.tolist(), *given.rows["policy_no"][strange].tolist(), *(item.args["policy"] for item in wrong)}
    lost = by_share & np.array([number in bad for number in book["policy_no"].tolist()], dtype=bool)
    told = [*unknown, *wrong]
    if lost.any():
        told.append(problem("RM762", count=int(lost.sum()), policy=book["policy_no"][int(np.argmax(lost))]))
    return lost, told


def shared(
    book: Columns,
    moved: Moved,
    levy_fen: Ints,
    by_share: Bools,
    given: Events | None,
    gone: Iterable[str],
    known: Iterable[str] | None = None,
) -> tuple[Shares, Events | None]:
    """Return the movements of a book by who bears them, and what became of the rows of shares.

    Parameters
    ----------
    book : Columns of policies
    moved : policy, day, kind and amount of every movement
    levy_fen : (movements,) int64 fen
    by_share : (policies,) bool, whose levy each co-insurer sets aside for its share; else the insurer of the policy all
    given : Events of `read_shares`, or None
        A policy without shares is its insurer's alone.
    gone : numbers of policies that were left out
    known : insurers that may occur; without them, all that occur

    Raises
    ------
    BookError
        Those of `co_insure`.
    """
    lead = book["insurer"][moved[0]]
    if given is None:
        return Shares(np.arange(len(levy_fen)), lead, moved[3], levy_fen), None
    found = of_policies(given, book, gone)
    found = found.without(~by_share[found.place], "other", None)
    movements = {
        "policy_no": pa.array(book["policy_no"][moved[0]], pa.string()),
        "insurer": pa.array(lead, pa.string()),
        "date": day_column(moved[1]),
        "premium_fen": pa.array(moved[3]),
        "levy_fen": pa.array(levy_fen),
    }
    shares = pa.table({name: pa.array(found.rows[name]) for name in SHARE})
    everyone = {*book["insurer"].tolist(), *found.rows["insurer"].tolist()} if known is None else set(known)
    parts = co_insure(pa.table(movements), shares, everyone)
    return Shares(parts.movement, parts.insurer, parts.amounts["premium_fen"], parts.amounts["levy_fen"]), found
