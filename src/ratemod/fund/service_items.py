"""What AQ 9010-2019 asks to be on record of every service and complaint: on record, of those of which it is due.

    plan          planned in writing by the day of the service
    notice        hazards found: told in writing
    callback      called back after the service
    satisfaction  scored
    archive       archived
    complaint_10  answered within 10 working days, of complaints answered or older than that
    complaint_30  answered within 30 working days, likewise

An item of which the lists hold nothing is not measured; it is none that is missing. The standard was read in digests.
"""

from __future__ import annotations

import datetime

import numpy as np
import pyarrow as pa

from ratemod.fund.fund_table import NO_DAY, Bools, Columns, codes_of
from ratemod.fund.quality import wilson
from ratemod.registers.complaints import MOST_DAYS, SOON_DAYS, Complaints

ITEMS = ("plan", "notice", "callback", "satisfaction", "archive", "complaint_10", "complaint_30")
DATES = ("plan_date", "notified_date", "callback_date", "archive_date")


def service_items(done: Columns, complaints: Complaints | None, as_of: datetime.date) -> pa.Table:
    """Return by insurer and item of how many it is due and of how many it is on record, with Wilson's 95 % interval.

    Parameters
    ----------
    done : Columns
        Services delivered in the year: insurer, delivered_date; `DATES`, score, hazards_found where the list has them.
    complaints : Complaints or None, of the year
    as_of : date, what is recorded later is not known yet
    """
    today = (as_of - datetime.date(1970, 1, 1)).days
    parts = [(name, done["insurer"], due, there & due) for name, due, there in _of_services(done, today)]
    if complaints is not None and complaints.table.num_rows:
        table = complaints.table
        whose = np.array(table["insurer"].to_pylist(), dtype=object)
        state = np.array(table["state"].to_pylist(), dtype=object)
        days = table["working_days"].to_numpy()
        soon, late = state == "answered", state == "answered_late"
        parts.append(("complaint_10", whose, (state != "open") | (days > SOON_DAYS), soon))
        parts.append(("complaint_30", whose, (state != "open") | (days > MOST_DAYS), soon | late))
    rows = []
    for name, whose, due, there in parts:
        names, (code,) = codes_of(whose)
        of, hits = (np.bincount(code[flag], minlength=len(names)) for flag in (due, there))
        share, low, high = wilson(hits, of)
        for at in np.flatnonzero(of).tolist():
            interval = {"done_share": share[at], "done_low": low[at], "done_high": high[at]}
            rows.append({"insurer": names[at], "item": name, "items_due": of[at], "items_done": hits[at], **interval})
    return pa.Table.from_pylist(rows, SCHEMA)


SCHEMA = pa.schema(
    [("insurer", pa.string()), ("item", pa.string()), ("items_due", pa.int64()), ("items_done", pa.int64())]
    + [(name, pa.float64()) for name in ("done_share", "done_low", "done_high")]
)


def _of_services(done: Columns, today: int) -> list[tuple[str, Bools, Bools]]:
    """Return the items that the list of services holds: name, of which services it is due, where it is on record."""
    n = len(done)
    every, found, day = np.ones(n, dtype=bool), done.get("hazards_found", np.zeros(n)) > 0, done["delivered_date"]
    on = {name: (done[name] != NO_DAY) & (done[name] <= today) for name in DATES if name in done}
    items = []
    if "plan_date" in on:
        items.append(("plan", every, on["plan_date"] & (done["plan_date"] <= day)))
    if "notified_date" in on:
        items.append(("notice", found, on["notified_date"]))
    if "callback_date" in on:
        items.append(("callback", every, on["callback_date"] & (done["callback_date"] >= day)))
    if "score" in done:
        items.append(("satisfaction", every, ~np.isnan(done["score"])))
    if "archive_date" in on:
        items.append(("archive", every, on["archive_date"]))
    return items
