"""Two years of small provinces, all subjects and the fund: an attacker who holds every file finds nothing.

The attacker writes down the unknown enterprises, not our relations: how many of each kind there are, by sector,
division, insurer and state, is unknown; the files say sums of it.
"""

from __future__ import annotations

import datetime as dt
import itertools
import random

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

import ratemod as rm
from ratemod.errors import ModelError

SECTORS, PLACES = ("mining", "construction", "transport", "fishery"), ("220100", "220200", "222400")
INSURERS = ("yun", "he", "xin")
YEARS = (2024, 2025)


def province(seed, sizes=(9, 15, 25)):
    """Firms with a policy a year, from January or May to December; xin has one client in 2024, many in 2025."""
    rnd = random.Random(seed)
    firms = [
        (f"F{sector}{place}{at}", sector, place, rnd.choice(INSURERS[:2]), 10 ** rnd.uniform(5.5, 7))
        for sector in SECTORS
        for place in PLACES
        for at in range(rnd.choice(sizes))
    ]
    lone = rnd.randrange(len(firms))
    rows, served = [], []
    for year in YEARS:
        for at, (firm, sector, place, insurer, premium) in enumerate(firms):
            state = rnd.choices(("insured", "gap", "uninsured"), (20, 5, 4 if sector != "fishery" else 0.6))[0]
            if at == lone:
                insurer, state = "xin", "insured"
            elif year == 2025 and rnd.random() < 0.2:
                insurer = "xin"
            if state != "uninsured":
                month = 1 if state == "insured" else 5
                rows.append(
                    (
                        f"{year}{firm}",
                        firm,
                        insurer,
                        place,
                        sector,
                        dt.date(year, month, 1),
                        dt.date(year + 1, 1, 1),
                        rnd.randint(5, 90),
                        int(premium * rnd.uniform(0.9, 1.1)),
                    )
                )
                served.append((rnd.random() < 0.7) & (at != lone))
    names = [
        "policy_no",
        "credit_code",
        "insurer",
        "division_code",
        "sector",
        "start_date",
        "end_date",
        "heads",
        "premium_fen",
    ]
    policies = pd.DataFrame(rows, columns=names)
    ours = policies[np.array(served)]
    day = [dt.date(start.year, 8, 1) for start in ours.start_date]
    services = pd.DataFrame(
        {
            "policy_no": ours.policy_no,
            "insurer": ours.insurer,
            "planned_date": day,
            "delivered_date": day,
            "cost_fen": ours.premium_fen // 20,
        }
    )
    hit = policies[::2]
    claims = pd.DataFrame(
        {
            "claim_no": "C" + hit.policy_no,
            "policy_no": hit.policy_no,
            "cause": "falls",
            "deaths": 0,
            "event_date": [dt.date(start.year, 9, 1) for start in hit.start_date],
            "serious_injuries": 0,
            "paid_fen": hit.heads * 5000,
            "case_reserve_fen": 0,
        }
    )
    accrued = pd.DataFrame(
        {
            "date": policies.start_date,
            "kind": "accrual",
            "insurer": policies.insurer,
            "policy_no": policies.policy_no,
            "amount_fen": policies.premium_fen * 15 // 100,
        }
    )
    paid = pd.DataFrame(
        {
            "date": day,
            "kind": "payment",
            "insurer": ours.insurer,
            "policy_no": ours.policy_no,
            "amount_fen": ours.premium_fen // 20,
        }
    )
    people = pd.DataFrame(
        [(*firm[:3], 5) for firm in firms], columns=["credit_code", "sector", "division_code", "staff"]
    )
    return {
        "policies": policies,
        "claims": claims,
        "services": services,
        "ledger": pd.concat([accrued, paid]),
        "enterprises": people,
    }


def read(told, folder):
    told.write(folder)
    files = [folder / f"{name}.csv" for name in ("figures", "fund")]
    return [pd.read_csv(file, encoding="utf-8-sig", dtype={"division": str}) for file in files]


def ends_of(aim, rows, low, high, floor):
    matrix, rest = np.concatenate([rows, -rows]), np.concatenate([high, -low])
    found = [linprog(sign * aim, A_ub=matrix, b_ub=rest, bounds=[(least, None) for least in floor]) for sign in (1, -1)]
    assert all(item.status in (0, 3) for item in found), "the files contradict each other"
    return [sign * item.fun if item.status == 0 else sign * -np.inf for sign, item in zip((1, -1), found, strict=True)]


def participants(figures, table):
    """Attack who does not insure: unknown are enterprises by sector, division, insurer (or none) and state."""
    kinds = [
        (*place, *kind)
        for place in itertools.product(SECTORS, PLACES)
        for kind in [*itertools.product(INSURERS, ("insured", "gap")), (None, "uninsured")]
    ]

    def row(item):
        told = [getattr(item, dim) for dim in ("sector", "division", "insurer", "state")]
        fits = [all(pd.isna(want) or want == have for want, have in zip(told, kind, strict=True)) for kind in kinds]
        return np.array(
            [
                fit and (item.subject == "participation" or kind[3] != "uninsured")
                for fit, kind in zip(fits, kinds, strict=True)
            ],
            float,
        )

    ours = figures[(figures.measure == "enterprises")]
    known = ours[ours.status != "suppressed"]
    values = known.value.astype(float).to_numpy()
    lines = np.array([row(item) for item in known.itertuples()])
    for item in ours[(ours.status == "suppressed") & (ours.subject == "participation")].itertuples():
        low, high = ends_of(row(item), lines, values, values, np.zeros(len(kinds)))
        truth = table[tuple("" if pd.isna(level) else level for level in (item.state, item.sector, item.division))]
        assert high - low >= 1 - 1e-6, item
        if truth < 3:
            assert low <= truth <= high and np.floor(high + 1e-6) - max(np.ceil(low - 1e-6), 1) >= 2, (item, low, high)
            yield item


def funds(years):
    """Attack the fund of both years: unknown is every figure of every insurer; xin's first client is told by none."""
    names = ("opening", "accrued", "released", "used", "closing")
    place = {key: at for at, key in enumerate(itertools.product(YEARS, (*INSURERS, "total"), names))}
    rows, low, high = [], [], []

    def add(parts, least, most):
        line = np.zeros(len(place))
        for key, sign in parts:
            line[place[key]] += sign
        rows.append(line), low.append(least), high.append(most)

    for year, fund in years.items():
        for item in fund.to_dict("records"):
            for name in names:
                value = item[f"{name}_10000_yuan"]
                if not pd.isna(value):
                    add([((year, item["insurer"], name), 1)], value - 0.005, value + 0.005)
        for who in (*INSURERS, "total"):
            signs = zip(names, (1, 1, -1, -1, -1), strict=True)
            add([((year, who, name), sign) for name, sign in signs], 0, 0)
        for name in names:
            add([*(((year, who, name), 1) for who in INSURERS), ((year, "total", name), -1)], 0, 0)
    for who in INSURERS:
        add([((2024, who, "closing"), 1), ((2025, who, "opening"), -1)], 0, 0)
    aim = np.zeros(len(place))
    aim[place[2024, "xin", "accrued"]] = 1
    return ends_of(aim, np.array(rows), np.array(low), np.array(high), np.zeros(len(place)))


@pytest.mark.parametrize("seed", [2, 5])
def test_nothing_is_told_by_two_years_of_all_subjects(seed, tmp_path):
    tables = province(seed)
    policies = tables["policies"]
    years, attacked = {}, 0
    for year in YEARS:
        figures, years[year] = read(rm.disclosure(tables, year), tmp_path / str(year))
        own = policies[policies.policy_no.str.startswith(str(year))].set_index("credit_code").start_date
        month = {firm: start.month for firm, start in own.items()}
        states = [
            ({1: "insured", 5: "gap"}.get(month.get(item.credit_code), "uninsured"), item.sector, item.division_code)
            for item in tables["enterprises"].itertuples()
        ]
        table: dict[tuple[str, str, str], int] = {}
        for key in states:
            for chosen in itertools.product(*((level, "") for level in key)):
                table[chosen] = table.get(chosen, 0) + 1
        attacked += len(list(participants(figures, table)))
    assert attacked, "there is somebody to protect"
    first = policies[(policies.insurer == "xin") & (policies.start_date < dt.date(2025, 1, 1))]
    truth = first.premium_fen.sum() * 0.15 / 1e6
    low, high = funds(years)
    assert low <= 0.8 * truth + 0.01 and high >= 1.2 * truth - 0.01


def test_an_interval_of_a_figure_that_is_not_there_is_refused():
    told = rm.disclosure(province(2), 2025)
    assert told.bounds("insurance", "enterprises") == (told.subjects["insurance"].tables.values["enterprises"][-1],) * 2
    with pytest.raises(ModelError) as caught:
        told.bounds("insurance", "enterprises", sector="mines")
    assert caught.value.problems[0].code == "RM423"
