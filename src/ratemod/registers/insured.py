"""Proof of insurance: whether an enterprise is insured on a day, by which policy."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from ratemod.errors import BookError, nearest, problem
from ratemod.registers.as_of import in_force
from ratemod.registers.authority_report import date_column
from ratemod.registers.days import as_days
from ratemod.registers.participation import text_of
from ratemod.registers.register import Register
from ratemod.rules.options import strict


@strict
def insured_on(
    enterprises: Register, policies: Register, day: dt.date, *, codes: Sequence[str] | None = None
) -> pa.Table:
    """Return the state of every enterprise on a day, or of those named: a condition of licences and of grades.

    Parameters
    ----------
    enterprises : Register of ``enterprises``
    policies : Register of ``policies``
    day : date
    codes : sequence of credit codes, optional

    Returns
    -------
    pyarrow.Table
        ``credit_code``, ``name``, ``division_code``, ``sector``, ``on`` (the day), ``insured``: ``insured``,
        ``not_insured``, or ``not_known`` where a row of its policies cannot be used; then ``insurer``, ``policy_no``,
        ``start_date``, ``end_date`` of the policy in force that began last.

    Raises
    ------
    BookError
        RM765 a code that is in no list of enterprises.

    Source
    ------
    吉应急规划财务联〔2020〕282号, part 3 (1): being insured is a condition of standardisation and integrity grades, and
    a reference for safety licences.

    Examples
    --------
    >>> from ratemod.registers.register import read_register
    >>> firms = read_register({"信用代码": ["A", "B"], "行政区划代码": ["220100"] * 2, "行业领域": ["矿山"] * 2,
    ...                        "从业人数": [9, 9]}, "enterprises")
    >>> held = read_register({"信用代码": ["A"], "起保日期": ["2025-01-01"], "终保日期": ["2026-01-01"]}, "policies")
    >>> insured_on(firms, held, dt.date(2025, 12, 31))["insured"].to_pylist()
    ['insured', 'not_insured']
    >>> insured_on(firms, held, dt.date(2026, 1, 1), codes=["A"])["insured"].to_pylist()
    ['not_insured']
    """
    keys = enterprises.keys.to_pylist()
    rows = np.arange(len(keys))
    if codes is not None:
        place = {key: at for at, key in enumerate(keys)}
        if wrong := [code for code in codes if code not in place]:
            raise BookError(problem("RM765", value=code, nearest=nearest(code, keys)) for code in wrong)
        rows = np.array([place[code] for code in codes], np.int64)
    met = policies.met(enterprises.keys.take(pa.array(rows)))
    on = np.full(len(rows), int(as_days(np.datetime64(day, "D"))))
    end = np.minimum(policies.dates("end_date"), policies.dates("cancelled_date"))
    held = in_force(met.there, policies.dates("start_date"), end, met.asked, on, met.count)
    unknown = set(policies.doubtful.to_pylist())
    state = [
        "insured" if at >= 0 else "not_known" if keys[row] in unknown else "not_insured"
        for row, at in zip(rows, held, strict=True)
    ]
    none, at = held < 0, np.maximum(held, 0)
    dates = {
        name: date_column(np.where(none, np.iinfo(np.int64).max, policies.dates(name)[at]))
        if len(policies)
        else pa.nulls(len(rows), pa.date32())
        for name in ("start_date", "end_date")
    }
    return pa.table(
        {
            "credit_code": enterprises.keys.take(pa.array(rows)),
            "name": text_of(enterprises, "name", rows),
            "division_code": enterprises.values["division_code"].take(pa.array(rows)),
            "sector": enterprises.codes("sector").take(pa.array(rows)),
            "on": pa.array([day] * len(rows), pa.date32()),
            "insured": pa.array(state, pa.string()),
            "insurer": text_of(policies, "insurer", held),
            "policy_no": text_of(policies, "policy_no", held),
        }
        | dates
    )
