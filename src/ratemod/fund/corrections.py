"""Payments that correct others: the later row counts, the earlier one stays on record, with who entered what and when.

A row that names the number of an earlier payment (``corrects_no``) stands in its place from the day on which it was
entered, where that is said. A payment that was corrected may be corrected again, and the last row counts.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from ratemod.errors import problem
from ratemod.fund.events import Events
from ratemod.fund.fund_table import NO_DAY, Bools, Columns, Ints, day_column

MORE = ("corrects_no", "entered_date", "entered_by")
SHOWN = ("date", "amount_fen", "service_no", "purpose")


def corrected(found: Events, today: int) -> tuple[Events, pa.Table]:
    """Return the payments that stand on a day, and the trail of those that do not: what was, what is, since when.

    Set aside: RM780 a row that corrects itself, in a ring too, or no payment there is; RM781 a payment that several
    rows correct, with all of them.
    """
    rows = found.rows
    if "corrects_no" not in rows:
        return found, trail(rows, np.zeros((0, 2), dtype=np.int64))
    entered = rows.get("entered_date", np.full(len(rows), NO_DAY))
    found = found.without((rows["corrects_no"] != "") & (entered > today), "later", None)
    while True:
        rows = found.rows
        pairs, lost = _pairs(rows)
        if lost.any():
            number = str(rows["corrects_no"][int(np.argmax(lost))])
            found = found.without(lost, "aside", problem("RM780", **found.first(lost), number=number))
            continue
        times = np.bincount(pairs[:, 1], minlength=len(rows))
        if not (times > 1).any():
            break
        out = times > 1
        out[pairs[out[pairs[:, 1]], 0]] = True
        number = str(rows["payment_no"][int(np.argmax(times > 1))])
        found = found.without(out, "aside", problem("RM781", **found.first(out), number=number))
    table = trail(rows, pairs)
    gone = np.zeros(len(rows), dtype=bool)
    gone[pairs[:, 1]] = True
    return found.without(gone, "other", None), table


def _pairs(rows: Columns) -> tuple[Ints, Bools]:
    """Return rows that correct and the rows that each corrects, (n, 2), and which rows correct nothing there is."""
    of: dict[tuple[str, str], list[int]] = {}
    blank = np.full(len(rows), "", dtype=object)
    names = ("insurer", "payment_no", "corrects_no", "service_no")
    *columns, services = (rows.get(name, blank).tolist() for name in names)
    for at, (insurer, number) in enumerate(zip(*columns[:2])):
        of.setdefault((insurer, number), []).append(at)
    pairs, lost = [], np.zeros(len(rows), dtype=bool)
    for at, (insurer, number, other) in enumerate(zip(*columns)):
        there = of.get((insurer, other), []) if other else []
        if len(there) > 1:  # a payment for several services: the one of the same service
            there = [one for one in there if services[one] == services[at]]
        if other and (len(there) != 1 or number == other):
            lost[at] = True
        elif other:
            pairs.append((at, there[0]))
    lost |= _in_a_ring(dict(pairs), len(rows))
    return np.array(pairs, dtype=np.int64).reshape(-1, 2), lost


def _in_a_ring(corrects: Mapping[int, int], many: int) -> Bools:
    """Return which rows correct one another in a ring, so that none of them is the last."""
    found = np.zeros(many, dtype=bool)
    for begin in corrects:
        seen, at = set[int](), begin
        while at in corrects and at not in seen:
            seen.add(at)
            at = corrects[at]
        found[begin] = at == begin
    return found


def trail(rows: Columns, pairs: Ints) -> pa.Table:
    """Return one row a correction: both numbers, what was and what is, when it was entered and by whom."""
    now, was = pairs.T
    blank, never = np.full(len(rows), "", dtype=object), np.full(len(rows), NO_DAY)
    texts = {name: rows.get(name, blank) for name in ("payment_no", "corrects_no", "insurer", *SHOWN[2:], "entered_by")}
    amount, day = rows.get("amount_fen", np.zeros(len(rows), dtype=np.int64)), rows.get("date", never)
    return pa.table(
        {
            "insurer": pa.array(texts["insurer"][now], pa.string()),
            "corrects_no": pa.array(texts["corrects_no"][now], pa.string()),
            "was_date": day_column(day[was]),
            "was_fen": pa.array(amount[was]),
            "was_service_no": pa.array(texts["service_no"][was], pa.string()),
            "was_purpose": pa.array(texts["purpose"][was], pa.string()),
            "payment_no": pa.array(texts["payment_no"][now], pa.string()),
            "date": day_column(day[now]),
            "amount_fen": pa.array(amount[now]),
            "service_no": pa.array(texts["service_no"][now], pa.string()),
            "purpose": pa.array(texts["purpose"][now], pa.string()),
            "entered_date": day_column(rows.get("entered_date", never)[now]),
            "entered_by": pa.array(texts["entered_by"][now], pa.string()),
        }
    )
