"""Insurers that are alike, assessed: ``python -m benchmarks.alike_insurers [deals]``.

Firms are dealt at random to eight insurers, 6 to 15 to each. All firms are of one kind: three in four are served, in
all of their six services or in none, late or in time as one; each scores its services alike. What the assessment then
says of the insurers is chance. Printed: how many pairs it calls surely above and below (which it may of 5 % of those
that are so, one side each), and how many ranks stand.
"""

from __future__ import annotations

import argparse
import datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa

from ratemod.fund.score_rule import Indicator
from ratemod.fund.scorecard import scorecard

SEED, INSURERS, SERVICES = 20_261_130, 8, 6
DAY, LAST = datetime.date(2025, 5, 1), datetime.date(2025, 12, 31)
CARD = (
    Indicator("delivered", "delivered", Decimal("0.5"), 0.0, 1.0, "benchmark"),
    Indicator("in_time", "in_time", Decimal("0.25"), 0.0, 1.0, "benchmark"),
    Indicator("satisfaction", "satisfaction", Decimal("0.25"), 0.0, 100.0, "benchmark"),
)


def deal(draw: np.random.Generator) -> tuple[pa.Table, pa.Table]:
    """Return policies and services of one deal."""
    firms = [(at, f"{at}-{turn}") for at in range(INSURERS) for turn in range(int(draw.integers(6, 16)))]
    policies = pa.table(
        {
            "policy_no": [f"P{key}" for _, key in firms],
            "credit_code": [f"C{key}" for _, key in firms],
            "insurer": [f"i{at}" for at, _ in firms],
            "start_date": [datetime.date(2025, 1, 1)] * len(firms),
            "end_date": [datetime.date(2026, 1, 1)] * len(firms),
        }
    )
    served, late = draw.random(len(firms)) < 0.75, draw.random(len(firms)) < 0.3
    score = draw.uniform(60, 100, len(firms)).round(1)
    row = np.repeat(np.arange(len(firms)), SERVICES)
    days = [DAY + datetime.timedelta(days=40 if late[at] else 2) if served[at] else None for at in row]
    services = pa.table(
        {
            "service_no": [f"S{number}" for number in range(len(row))],
            "policy_no": [f"P{firms[at][1]}" for at in row],
            "insurer": [f"i{firms[at][0]}" for at in row],
            "service_type": ["training"] * len(row),
            "provider": ["p"] * len(row),
            "planned_date": [DAY] * len(row),
            "delivered_date": pa.array(days, pa.date32()),
            "cost_fen": [1] * len(row),
            "score": [float(score[at]) if served[at] else None for at in row],
        }
    )
    return policies, services


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("deals", nargs="?", type=int, default=200)
    deals, draw = parser.parse_args().deals, np.random.default_rng(SEED)
    pairs = stand = first = 0
    for _ in range(deals):
        policies, services = deal(draw)
        found = scorecard(policies, LAST, services=services, indicators=CARD, years=[2025], draws=2000)
        rows = found.table.to_pylist()
        pairs += sum(row["rank_from"] - 1 for row in rows)
        stand += sum(row["rank_from"] == row["rank_to"] for row in rows)
        first += sum(row["rank_from"] == row["rank_to"] == 1 for row in rows)
    whole = deals * INSURERS * (INSURERS - 1) // 2
    said, kept = f"{pairs} of {whole:,} pairs ({pairs / whole:.2%})", f"{stand} of {deals * INSURERS:,} ranks"
    print(f"{deals} deals of {INSURERS} insurers that are alike: {said} surely above and below")
    print(f"{kept} stand ({stand / deals / INSURERS:.2%}), {first} of them the first")


if __name__ == "__main__":
    main()
