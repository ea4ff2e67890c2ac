"""A line of business whose losses are known by arithmetic: two trades, one rate, no caps, no noise."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd

PAYROLL = 20_000_000
TRADES = ("quarry", "kiosk")
HEAD = """
[plan]
scheme = "SCHEME"
edition = "1"
title_en = "Invented"
title_zh = "虚构"
standing = "example"
status = "draft"
new_from = 2020-01-01
key = "policy_no"
premium = "premium"
warning_en = "Invented."
warning_zh = "虚构。"
[source.own]
title = "invented for a test"
confidence = "illustrative"
[column.policy_no]
kind = "text"
"""
TAIL = """
[[step]]
name = "premium"
op = "round"
of = "charged"
unit = "0.01"
"""
PLAN = """
[column.trade]
kind = "level"
levels = [{ code = "quarry" }, { code = "kiosk" }]
[column.payroll]
kind = "number"
unit = "yuan"
min = 0
max = 100000000000
[[step]]
name = "rate"
op = "lookup"
table = "rate"
unit = "per_mille"
[[step]]
name = "charged"
op = "product"
of = ["payroll", "rate", "0.001"]
source = "own"
"""
PLAIN = {"development": "none", "profit": 0.0, "expenses": {"all": 0.40}, "amount": "payroll", "catastrophe_prior": 0.0}
FLAT = {"frequency_trend": 0.0, "severity_trend": 0.0}


def plan_written(folder: Path, scheme: str, middle: str, tables: dict[str, str]) -> Path:
    """Write a plan of columns and steps between `HEAD` and `TAIL`, and return its folder."""
    edition = folder / scheme / "1"
    (edition / "tables").mkdir(parents=True)
    (edition / "plan.toml").write_text(HEAD.replace("SCHEME", scheme) + middle + TAIL, encoding="utf-8")
    for name, text in tables.items():
        (edition / "tables" / f"{name}.csv").write_text(text, encoding="utf-8")
    return edition


def plan_folder(folder: Path, rate: str = "20") -> Path:
    """Write the plan, one rate for both trades, and return its folder."""
    rows = "".join(f"{name},{rate},own\n" for name in TRADES)
    return plan_written(folder, "trades", PLAN, {"rate": "trade,value,source\n" + rows})


def history(counts: list[int], first: int, mean: list[float] | float = 10_000.0, firms: int = 30) -> dict:
    """Firms insured for each calendar year; claims a year spread evenly over firms and months.

    Amounts alternate between 0.7 and 1.3 of the year's mean. The last claim of a year falls on 31 December.
    """
    last = first + len(counts) - 1
    means = mean if isinstance(mean, list) else [mean] * len(counts)
    policies = pd.DataFrame(
        [
            {
                "policy_no": f"{year}/{i}",
                "credit_code": f"FIRM{i}",
                "start_date": dt.date(year, 1, 1),
                "end_date": dt.date(year + 1, 1, 1),
                "trade": TRADES[i % 2],
                "payroll": PAYROLL,
            }
            for year in range(first, last + 2)
            for i in range(firms)
        ]
    )
    claims = pd.DataFrame(
        [
            {
                "claim_no": f"C{year}/{k}",
                "policy_no": f"{year}/{k % firms}",
                "event_date": dt.date(year, 12, 31) if k == n - 1 else dt.date(year, 1 + k % 12, 1 + k % 28),
                "paid_yuan": round(average * (0.7, 1.3)[(k // firms) % 2], 2),
                "case_reserve_yuan": 0.0,
            }
            for year, n, average in zip(range(first, last + 1), counts, means)
            for k in range(n)
        ]
    )
    renewed = policies.start_date == dt.date(last + 1, 1, 1)
    return {"policies": policies[~renewed], "claims": claims, "renewals": policies[renewed]}


def known_at(past: dict, days: list[dt.date], late: float = 0.0) -> dict:
    """Return what is known on the last of these days, valued on each; a share of the claims is reported a year late.

    The same share of the firms' claims of every month comes late, by the golden ratio's order.
    """
    claims = past["claims"].sort_values(["event_date", "claim_no"]).reset_index(drop=True)
    slow = (np.arange(len(claims)) * 0.6180339887) % 1 < late
    reported = [day + dt.timedelta(days=365 * bool(wait)) for day, wait in zip(claims.event_date, slow)]
    known = pd.Series(reported)
    valued = [
        claims.loc[known <= day, ["claim_no", "paid_yuan", "case_reserve_yuan"]].assign(valuation_date=day)
        for day in days
    ]
    return past | {"claims": claims[known <= max(days)], "valuations": pd.concat(valued)}


def with_valuations(past: dict, late: float) -> dict:
    """Return what is known at the last year's end when a share of each year's claims is reported a year late."""
    claims = past["claims"]
    year = claims.event_date.map(lambda day: day.year)
    order = claims.groupby(year).cumcount()
    known = year + (np.floor((order + 1) * late) > np.floor(order * late)).astype(int)
    last = int(year.max())
    valued = pd.concat(
        [
            claims.loc[known <= at, ["claim_no", "paid_yuan", "case_reserve_yuan"]].assign(
                valuation_date=dt.date(at, 12, 31)
            )
            for at in range(int(year.min()), last + 1)
        ]
    )
    return past | {"claims": claims[known <= last], "valuations": valued}
