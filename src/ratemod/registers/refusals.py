"""Major hazards that enterprises refuse to rectify, with the dates that prove it: what goes to both departments."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa

from ratemod.registers.as_of import timeline
from ratemod.registers.authority_report import DATES, date_column
from ratemod.registers.columns import HAZARD_GRADES
from ratemod.registers.days import NEVER, as_days
from ratemod.registers.hazards import HazardRule
from ratemod.registers.participation import text_of
from ratemod.registers.register import Register
from ratemod.rules.options import strict


@strict
def refusals(
    enterprises: Register, policies: Register, hazards: Register, day: dt.date, *, rule: HazardRule | None = None
) -> pa.Table:
    """Return every hazard refused and not verified on a day.

    Returns
    -------
    pyarrow.Table
        ``division_code``, ``sector`` (null where the enterprise is in no list), ``credit_code``, ``name``, ``phone``,
        ``insurer``, ``policy_no`` of its last policy begun by the day, ``hazard_id``, the dates, ``overdue_days``,
        ``register_row``; by division, sector and enterprise.

    Source
    ------
    吉应急规划财务联〔2020〕282号, part 3 (2): who refuses to rectify a major hazard is reported to the local emergency
    department and the industry regulator.
    """
    grades = [level.code for level in HAZARD_GRADES]
    counted = np.isin(hazards.values["grade"], [grades.index(grade) for grade in (rule or HazardRule()).grades])
    on = int(as_days(np.datetime64(day, "D")))
    held = counted & (hazards.dates("found_date") <= on) & (hazards.dates("refused_date") <= on)
    event = np.flatnonzero(held & (hazards.dates("verified_date") > on))
    keys = hazards.keys.take(pa.array(event))
    row = enterprises.met(keys).place()
    own = policies.met(keys)
    policy = timeline(own.there, policies.dates("start_date")).last(own.asked, np.full(len(event), on))
    due = np.where(hazards.dates("extended_due_date") < NEVER, hazards.dates("extended_due_date"),
                   hazards.dates("due_date"))[event]  # fmt: skip
    place = pa.array(np.maximum(row, 0), mask=row < 0)
    found = pa.table(
        {
            "division_code": enterprises.values["division_code"].take(place),
            "sector": enterprises.codes("sector").take(place),
            "credit_code": keys,
            "name": text_of(enterprises, "name", row),
            "phone": text_of(enterprises, "phone", row),
            "insurer": text_of(policies, "insurer", policy),
            "policy_no": text_of(policies, "policy_no", policy),
            "hazard_id": text_of(hazards, "hazard_id", event),
        }
        | {name: date_column(hazards.dates(name)[event]) for name in DATES}
        | {
            "overdue_days": pa.array(np.where(due < NEVER, np.maximum(on - due, 0), 0)),
            "register_row": pa.array(hazards.rows[event]),
        }
    )
    return found.sort_by([(name, "ascending") for name in ("division_code", "sector", "credit_code", "register_row")])
