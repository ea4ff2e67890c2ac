"""An attack on the yearly disclosure: ``python -m benchmarks.disclosure_attack [provinces] [first seed]``.

Provinces are made up here, two years each, with insurers that join and leave, insurers of a single client, services
that are missing, claims that are paid late. The attacker holds everything that the two years publish. He writes down
the unknown microdata (how much of each figure belongs to each sector, division, insurer, cause and state), not our
relations; which figures are unsafe is worked out from the records by pandas. Breakdowns that were not published at all
are attacked too. Nothing of `ratemod.confidentiality` is used.
"""

from __future__ import annotations

import argparse
import datetime as dt
import itertools
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import linprog
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

import ratemod as rm
from ratemod.errors import ModelError

SECTORS = ("mining", "hazardous_chemicals", "transport", "construction", "metal_smelting", "fishery")
PLACES = ("220100", "220200", "220300", "222400", "220800")
CAUSES = ("falls", "electricity", "machinery", "vehicle", "collapse")
INJURIES = ("deaths", "serious_injuries")
STATES = ("insured", "gap", "uninsured")
YEARS = (2024, 2025)
LEAST, SHARE, WIDTH = 3, 0.10, 0.20
Tables = dict[str, pd.DataFrame]
Cell = tuple[str, ...]


def province(seed: int) -> Tables:
    """Return two years of a small province."""
    draw = np.random.default_rng(seed)
    insurers = ["yun", "he", "shan", "xin", "lao"][: int(draw.integers(3, 6))]
    sector_size = draw.choice([1, 3, 8, 20, 40], len(SECTORS)) * draw.choice([0.3, 1.0])
    firms = []
    for sector, size in zip(SECTORS, sector_size, strict=True):
        for place in PLACES:
            for _ in range(int(draw.poisson(size * draw.choice([0.1, 0.6, 1.5])))):
                firms.append((sector, place, str(draw.choice(insurers[:2])), 10 ** draw.uniform(5.2, 7)))
    while len(firms) < 40:
        firms.append(("construction", str(draw.choice(PLACES)), insurers[0], 10 ** draw.uniform(5.2, 7)))
    first_client, last_client = draw.choice(len(firms), 2, replace=False)
    rows: list[dict[str, Any]] = []
    for year in YEARS:
        for at, (sector, place, insurer, premium) in enumerate(firms):
            state = str(draw.choice(STATES, p=(0.74, 0.16, 0.10)))
            holder = insurer
            if len(insurers) > 3 and draw.random() < 0.25:
                holder = "shan"
            if "xin" in insurers and (at == first_client or (year == YEARS[1] and draw.random() < 0.2)):
                holder, state = "xin", "insured" if at == first_client else state
            if "lao" in insurers and (at == last_client or (year == YEARS[0] and draw.random() < 0.15)):
                holder, state = "lao", "insured" if at == last_client else state
            if state == "uninsured":
                continue
            start = dt.date(year, 1, 1) if state == "insured" else dt.date(year, int(draw.integers(3, 11)), 9)
            end = dt.date(year + 1, 1, 1) if draw.random() < 0.8 else start + dt.timedelta(365)
            rows.append(
                {
                    "policy_no": f"P{year}{at:05d}", "credit_code": f"F{at:05d}", "insurer": holder,
                    "division_code": place, "sector": sector, "start_date": start, "end_date": end,
                    "heads": int(draw.integers(5, 200)), "premium_fen": int(premium * draw.uniform(0.9, 1.1)),
                }
            )  # fmt: skip
    policies = pd.DataFrame(rows)
    many = len(policies)
    lag = [dt.timedelta(int(days)) for days in draw.integers(20, 150, many)]
    planned = [start + days for start, days in zip(policies.start_date, lag, strict=True)]
    late = [dt.timedelta(int(days)) for days in draw.integers(0, 40, many)]
    done = draw.random(many) < policies.insurer.map(dict(zip(insurers, draw.uniform(0.05, 0.95, 9)))).to_numpy()
    services = pd.DataFrame(
        {
            "service_no": "S" + policies.policy_no, "policy_no": policies.policy_no, "insurer": policies.insurer,
            "planned_date": planned,
            "delivered_date": [day + more if ok else None for day, more, ok in zip(planned, late, done, strict=True)],
            "cost_fen": policies.premium_fen // 18, "score": draw.integers(60, 100, many).astype(float),
            "hazards_found": draw.integers(0, 9, many),
        }
    )[draw.random(many) < 0.8]  # fmt: skip
    hit = policies[draw.random(many) < 0.35].reset_index(drop=True)
    size = 10 ** draw.uniform(4.5, 7.5, len(hit))
    event = [start + dt.timedelta(int(days)) for start, days in zip(hit.start_date, draw.integers(1, 60, len(hit)))]
    claims = pd.DataFrame(
        {
            "claim_no": "C" + hit.policy_no, "policy_no": hit.policy_no, "event_date": event,
            "cause": [str(draw.choice(CAUSES[: 1 + SECTORS.index(sector)])) for sector in hit.sector],
            "deaths": draw.poisson(0.12, len(hit)), "serious_injuries": draw.poisson(0.15, len(hit)),
            "paid_fen": size.astype(int),
            "case_reserve_fen": np.where(draw.random(len(hit)) < 0.3, size * 0.4, 0).astype(int),
        }
    )  # fmt: skip
    on_time = draw.random(len(hit)) < 0.97
    payments = pd.DataFrame(
        {
            "claim_no": claims.claim_no, "amount_fen": claims.paid_fen,
            "payment_date": [
                dt.date(day.year, 12, 30) if soon else dt.date(day.year + 1, 2, 1)
                for day, soon in zip(event, on_time, strict=True)
            ],
        }
    )  # fmt: skip
    entries = [
        pd.DataFrame({"policy_no": policies.policy_no, "insurer": policies.insurer, "date": policies.start_date,
                      "kind": "accrual", "amount_fen": policies.premium_fen * 15 // 100})
    ]  # fmt: skip
    ours = services[services.delivered_date.notna()]
    entries.append(pd.DataFrame({"policy_no": ours.policy_no, "insurer": ours.insurer, "date": ours.delivered_date,
                                 "kind": "payment", "amount_fen": ours.cost_fen}))  # fmt: skip
    back = policies[draw.random(many) < 0.06]
    entries.append(pd.DataFrame({"policy_no": back.policy_no, "insurer": back.insurer, "kind": "release",
                                 "date": [dt.date(start.year, 12, 31) for start in back.start_date],
                                 "amount_fen": back.premium_fen // 50}))  # fmt: skip
    people = pd.DataFrame(
        [(f"F{at:05d}", sector, place, 5) for at, (sector, place, *_) in enumerate(firms)],
        columns=["credit_code", "sector", "division_code", "staff"],
    )
    ledger = pd.concat(entries, ignore_index=True)
    ledger.insert(0, "entry_no", [f"E{at}" for at in range(len(ledger))])
    return {"policies": policies, "claims": claims, "payments": payments, "services": services, "ledger": ledger,
            "enterprises": people}  # fmt: skip


def records(tables: Tables, year: int) -> dict[tuple[str, str], pd.DataFrame]:
    """Return the records behind each (subject, measure): firm, levels, value."""
    policies = tables["policies"]
    of = policies.set_index("policy_no")[["credit_code", "sector", "division_code", "insurer"]]
    of = of.rename(columns={"credit_code": "firm", "division_code": "division"})

    def told(rows: pd.DataFrame, value: Any, holder: str | None = None) -> pd.DataFrame:
        found = of.loc[rows.policy_no].reset_index(drop=True)
        if holder:
            found["insurer"] = rows[holder].to_numpy()
        if "cause" in rows:
            found["cause"] = rows.cause.to_numpy()
        return found.assign(value=np.asarray(value))

    def when(days: pd.Series) -> Any:
        return days.map(lambda day: isinstance(day, dt.date) and day == day and day.year == year).to_numpy(bool)

    begun = policies[when(policies.start_date)]
    ledger = tables["ledger"]
    booked = {
        kind: ledger[when(ledger.date) & (ledger.kind == kind).to_numpy()] for kind in ("accrual", "payment", "release")
    }
    hit = tables["claims"][when(tables["claims"].event_date)]
    done = tables["services"][when(tables["services"].delivered_date)]
    found = {
        ("insurance", "enterprises"): told(begun, 1),
        ("insurance", "heads"): told(begun, begun.heads),
        ("insurance", "premium"): told(begun, begun.premium_fen),
        ("insurance", "accrued"): told(booked["accrual"], booked["accrual"].amount_fen, "insurer"),
        ("claims", "claims"): told(hit, 1),
        ("claims", "paid"): told(hit, hit.paid_fen),
        ("claims", "assessed"): told(hit, hit.paid_fen + hit.case_reserve_fen),
        ("casualties", "casualties"): pd.concat(
            told(some, some[name]).assign(injury=name) for name in INJURIES for some in [hit[hit[name] > 0]]
        ),
        ("services", "services"): told(done, 1, "insurer"),
        ("services", "cost"): told(done, done.cost_fen, "insurer"),
        ("services", "used"): told(booked["payment"], booked["payment"].amount_fen, "insurer"),
    }
    first, after = dt.date(year, 1, 1), dt.date(year + 1, 1, 1)
    state = {}
    for firm, own in policies.groupby("credit_code"):
        days: set[int] = set()
        for start, end in zip(own.start_date, own.end_date, strict=True):
            days |= set(range(max(start, first).toordinal(), min(end, after).toordinal()))
        state[firm] = "insured" if len(days) == (after - first).days else "gap" if days else "uninsured"
    people = tables["enterprises"]
    found["participation", "enterprises"] = pd.DataFrame(
        {"firm": people.credit_code, "sector": people.sector, "division": people.division_code,
         "state": [state.get(firm, "uninsured") for firm in people.credit_code], "value": 1}
    )  # fmt: skip
    sign = ledger.kind.map({"accrual": 1, "payment": -1, "release": -1}).to_numpy()
    before, past = ((ledger.date < end).to_numpy(bool) for end in (first, after))
    for name, rows, amount in (
        ("opening", ledger[before], (sign * ledger.amount_fen)[before]),
        ("accrued", booked["accrual"], booked["accrual"].amount_fen),
        ("released", booked["release"], booked["release"].amount_fen),
        ("used", booked["payment"], booked["payment"].amount_fen),
        ("closing", ledger[past], (sign * ledger.amount_fen)[past]),
    ):
        found["fund", name] = told(rows, amount, "insurer")
    return found


DIMS = {
    "insurance": ("sector", "division", "insurer"), "claims": ("sector", "division", "insurer", "cause"),
    "casualties": ("sector", "cause", "injury"), "services": ("sector", "division", "insurer"),
    "participation": ("state", "sector", "division"), "fund": ("insurer",),
}  # fmt: skip
FACES = {
    "insurance": ("sector division", "sector insurer"), "claims": ("sector division", "sector insurer", "sector cause"),
    "services": ("sector division", "sector insurer"), "participation": ("state sector", "state division"),
}  # fmt: skip
MONEY = ("premium", "accrued", "paid", "assessed", "cost", "used", "opening", "released", "closing")


class Attack:
    """Everything published as bounds on sums of unknown microdata."""

    def __init__(self, tables: Tables, folders: dict[int, Path], told: dict[int, Any]):
        self.place: dict[tuple[Any, ...], int] = {}
        self.low: list[float] = []
        self.rows: list[tuple[dict[int, float], float, float]] = []
        self.truth = {year: records(tables, year) for year in folders}
        self.hidden: list[tuple[int, str, str, dict[str, str]]] = []
        self.published: list[tuple[int, str, str, dict[str, str]]] = []
        insurers = sorted(set(tables["policies"].insurer))
        self.levels = {
            "sector": SECTORS,
            "division": PLACES,
            "insurer": insurers,
            "cause": CAUSES,
            "state": STATES,
            "injury": INJURIES,
        }
        for year, folder in folders.items():
            self._read(year, folder, told[year])
        for who in (*insurers, ""):
            one, other = (("fund", YEARS[0], "closing", who), ("fund", YEARS[1], "opening", who))
            if one in self.place and other in self.place:
                self.rows.append(({self.place[one]: 1.0, self.place[other]: -1.0}, 0.0, 0.0))
        self._solve_ready()

    def var(self, name: tuple[Any, ...], low: float = 0.0) -> int:
        if name not in self.place:
            self.place[name] = len(self.low)
            self.low.append(low)
        return self.place[name]

    def cells(self, year: int, subject: str, measure: str, levels: dict[str, str]) -> dict[int, float]:
        """Return the unknowns that a figure is the sum of."""
        if subject == "fund":
            return {
                self.var(
                    ("fund", year, measure, levels.get("insurer", "")),
                    -np.inf if measure in ("opening", "closing") else 0,
                ): 1.0
            }
        names = [(levels[dim],) if dim in levels else self.levels[dim] for dim in DIMS[subject]]
        parts = ["paid", "open"] if measure == "assessed" else [measure]
        return {self.var((subject, year, part, *at)): 1.0 for part in parts for at in itertools.product(*names)}

    def value(self, year: int, subject: str, measure: str, levels: dict[str, str]) -> float:
        own = self.truth[year][subject, measure]
        for dim, level in levels.items():
            own = own[own[dim] == level]
        return float(own.value.sum())

    def unsafe(self, year: int, subject: str, levels: dict[str, str]) -> bool:
        """Return whether a cell tells about single enterprises: few stand behind it, or one dominates an amount."""
        firms: set[str] = set()
        for (name, measure), own in self.truth[year].items():
            if name != subject:
                continue
            for dim, level in levels.items():
                own = own[own[dim] == level]
            firms |= set(own.firm)
            if measure in MONEY and len(own):
                each = np.sort(own.groupby("firm").value.sum().abs().to_numpy())[::-1]
                if each.sum() > 0 and each.sum() - each[:2].sum() < SHARE * each[0]:
                    return True
        return 0 < len(firms) < LEAST

    def unsafe_fund(self, year: int, measure: str, levels: dict[str, str]) -> bool:
        own = self.truth[year]["fund", measure]
        if levels:
            own = own[own.insurer == levels["insurer"]]
        own = own[own.value != 0]
        each = np.sort(own.groupby("firm").value.sum().abs().to_numpy())[::-1]
        return bool(0 < len(each) < LEAST or (each.sum() > 0 and each.sum() - each[:2].sum() < SHARE * each[0]))

    def _read(self, year: int, folder: Path, told: Any) -> None:
        figures = pd.read_csv(folder / "figures.csv", encoding="utf-8-sig", dtype=str)
        claims_by_cause: dict[tuple[str, str], str] = {}
        for row in figures.to_dict("records"):
            levels = {
                dim: row[dim]
                for dim in ("sector", "division", "insurer", "cause", "state", "injury")
                if isinstance(row[dim], str)
            }
            subject, measure = row["subject"], row["measure"]
            cells = self.cells(year, subject, measure, levels)
            if row["status"] == "suppressed":
                self.hidden.append((year, subject, measure, levels))
                if measure not in MONEY:
                    self.rows.append((cells, 1.0, np.inf))
                continue
            self.published.append((year, subject, measure, levels))
            value, half = float(row["value"]), 0.0
            if measure in MONEY:
                value, half = value * 1e6, 5000.0 if row["status"] == "published" else 0.0
            self.rows.append((cells, max(value - half, 0.0), value + half))
            if subject == "claims" and measure == "claims" and set(levels) == {"sector", "cause"} and value == 0:
                claims_by_cause[levels["sector"], levels["cause"]] = "none"
        if any(name == "casualties" for _, name, *_ in (*self.hidden, *self.published)):
            for sector, cause in claims_by_cause:  # no claims, so nobody was hurt
                self.rows.append(
                    (self.cells(year, "casualties", "casualties", {"sector": sector, "cause": cause}), 0.0, 0.0)
                )
        fund = pd.read_csv(folder / "fund.csv", encoding="utf-8-sig")
        names = ("opening", "accrued", "released", "used", "closing")
        signs = dict(zip(names, (1.0, 1.0, -1.0, -1.0, -1.0), strict=True))
        shown = list(fund.to_dict("records"))
        for item in shown:
            levels = {} if item["insurer"] == "total" else {"insurer": item["insurer"]}
            for name in names:
                cells, value = self.cells(year, "fund", name, levels), item[f"{name}_10000_yuan"]
                if pd.isna(value):
                    self.hidden.append((year, "fund", name, levels))
                else:
                    self.published.append((year, "fund", name, levels))
                    self.rows.append((cells, value * 1e6 - 5000, value * 1e6 + 5000))
            total: dict[int, float] = {}
            for name in names:
                total |= dict.fromkeys(self.cells(year, "fund", name, levels), signs[name])
            self.rows.append((total, 0.0, 0.0))
        for name in names:
            parts = {
                at: 1.0 for who in self.levels["insurer"] for at in self.cells(year, "fund", name, {"insurer": who})
            }
            self.rows.append((parts | dict.fromkeys(self.cells(year, "fund", name, {}), -1.0), 0.0, 0.0))
        for who in (*self.levels["insurer"], None):
            levels = {} if who is None else {"insurer": str(who)}
            for one, other in (
                (("insurance", "accrued"), ("fund", "accrued")),
                (("services", "used"), ("fund", "used")),
            ):
                self.same(year, [(one, levels)], [(other, levels)])
        for levels in [{}, *({"sector": name} for name in SECTORS), *({"division": name} for name in PLACES)]:
            parts = [(("participation", "enterprises"), {"state": state} | levels) for state in ("insured", "gap")]
            self.same(year, parts, [(("insurance", "enterprises"), levels)])
        self._services(year, folder, told)
        self.key = getattr(self, "key", {}) | {year: (told.deaths, told.paid_in_year_fen)}

    def same(self, year: int, one: list[Any], other: list[Any]) -> None:
        """Take two sums as the same thing, with their true difference, where it is within the protection."""
        values = [sum(self.value(year, *what, levels) for what, levels in side) for side in (one, other)]
        if abs(values[0] - values[1]) > WIDTH * max(values):
            return
        line: dict[int, float] = {}
        for sign, side in ((1.0, one), (-1.0, other)):
            for what, levels in side:
                line |= dict.fromkeys(self.cells(year, *what, levels), sign)
        self.rows.append((line, values[0] - values[1], values[0] - values[1]))

    def _services(self, year: int, folder: Path, told: Any) -> None:
        """Indicators of insurers: shares and means tell the numbers that they are made of."""
        self.lines = getattr(self, "lines", {})
        if not (folder / "service.csv").exists():
            return
        for item in pd.read_csv(folder / "service.csv", encoding="utf-8-sig").to_dict("records"):
            if item["status"] == "suppressed":
                continue
            who, planned = str(item["insurer"]), item["planned"]
            self.lines[year, who] = item
            if who != "total":
                delivered = round(planned * item["delivered_share"])
                if abs(delivered - self.value(year, "services", "services", {"insurer": who})) <= WIDTH * max(
                    delivered, 1e-9
                ):
                    cells = self.cells(year, "services", "services", {"insurer": who})
                    true = self.value(year, "services", "services", {"insurer": who})
                    self.rows.append((cells, true, true))

    def _solve_ready(self) -> None:
        many = len(self.low)
        places = [(row, at, sign) for row, (cells, *_) in enumerate(self.rows) for at, sign in cells.items()]
        row, column, sign = (np.array(part) for part in zip(*places, strict=True))
        self.matrix = csr_array((sign, (row, column)), shape=(len(self.rows), many))
        pattern = abs(self.matrix)
        _, self.part = connected_components(pattern.T @ pattern, directed=False)
        self.row_part = np.array([self.part[next(iter(cells))] for cells, *_ in self.rows])

    def ends(self, year: int, subject: str, measure: str, levels: dict[str, str]) -> tuple[float, float]:
        """Return the least and the greatest value that a figure can have."""
        cells = self.cells(year, subject, measure, levels)
        part = {int(self.part[at]) for at in cells}
        columns = np.flatnonzero(np.isin(self.part, list(part)))
        rows = np.flatnonzero(np.isin(self.row_part, list(part)))
        scale = 1e4 if measure in MONEY else 1.0
        matrix = self.matrix[rows][:, columns]
        low = np.array([self.rows[at][1] for at in rows]) / scale
        high = np.array([self.rows[at][2] for at in rows]) / scale
        aim = np.zeros(len(columns))
        aim[np.searchsorted(columns, list(cells))] = 1
        equal = low == high
        top, bottom = np.isfinite(high) & ~equal, np.isfinite(low) & ~equal
        from scipy.sparse import vstack

        above = vstack([matrix[top], -matrix[bottom]]) if (top | bottom).any() else None
        rest = np.concatenate([high[top], -low[bottom]])
        found = []
        for side in (1.0, -1.0):
            solved = linprog(
                side * aim, A_ub=above, b_ub=rest if above is not None else None,
                A_eq=matrix[equal] if equal.any() else None, b_eq=low[equal] if equal.any() else None,
                bounds=[(self.low[at], None) for at in columns], method="highs",
            )  # fmt: skip
            if solved.status == 3:
                found.append(-side * np.inf)
            elif solved.status == 0:
                found.append(side * solved.fun * scale)
            else:
                raise RuntimeError(f"{year} {subject} {measure} {levels}: {solved.message}")
        return found[0], found[1]

    def faults(self) -> Iterator[str]:
        """Return what is told of single enterprises."""
        unsafe: dict[Any, bool] = {}

        def is_unsafe(year: int, subject: str, measure: str, levels: dict[str, str]) -> bool:
            key = (year, subject, measure if subject == "fund" else "", tuple(levels.items()))
            if key not in unsafe:
                unsafe[key] = (
                    self.unsafe_fund(year, measure, levels) if subject == "fund" else self.unsafe(year, subject, levels)
                )
            return unsafe[key]

        for figure in self.published:
            if is_unsafe(*figure) and self.value(*figure):
                yield f"published {figure} = {self.value(*figure)}"
        self.attacked = 0
        for figure in self.hidden:
            value = self.value(*figure)
            if not value:
                continue
            low, high = self.ends(*figure)
            slack = 10_000 if figure[2] in MONEY else 1e-4
            if not low - slack <= value <= high + slack:
                yield f"wrong {figure} {low} {value} {high}"
            if high - low <= (20_000 if figure[2] in MONEY else 0.5):
                if is_unsafe(*figure):
                    yield f"exact {figure} {low} {value} {high}"
            elif is_unsafe(*figure):
                self.attacked += 1
                wide = low <= value * (1 - WIDTH) + slack and high >= value * (1 + WIDTH) - slack
                if figure[2] not in MONEY:
                    wide = high >= value * (1 + WIDTH) - slack and np.floor(high + slack) - np.ceil(low - slack) >= 2
                if not wide:
                    yield f"narrow {figure} {low} {value} {high}"
        yield from self.unlisted_faults(is_unsafe)
        yield from self.key_faults()
        yield from self.line_faults()

    def unlisted_faults(self, is_unsafe: Any) -> Iterator[str]:
        """Cells of breakdowns that were not published at all."""
        listed = {(year, name, tuple(levels.items())) for year, name, _, levels in (*self.hidden, *self.published)}
        for (year, subject), measures in {
            (year, subject): [item[2] for item in self.published if item[:2] == (year, subject) and not item[3]]
            for year, subject, *_ in self.published
        }.items():
            for face in FACES.get(subject, ()):
                one, other = face.split()
                for pair in itertools.product(self.levels[one], self.levels[other]):
                    levels = dict(zip((one, other), pair, strict=True))
                    turned = tuple(levels.items())[::-1]
                    if {(year, subject, tuple(levels.items())), (year, subject, turned)} & listed:
                        break
                    for measure in measures:
                        value = self.value(year, subject, measure, levels)
                        if value and is_unsafe(year, subject, "", levels):
                            self.attacked += 1
                            low, high = self.ends(year, subject, measure, levels)
                            slack, least = (10_000, 20_000) if measure in MONEY else (1e-4, 2 - 1e-4)
                            if high - low < max(2 * WIDTH * value - slack, least):
                                yield f"unlisted {year} {subject} {measure} {levels} {low} {value} {high}"

    def key_faults(self) -> Iterator[str]:
        """Totals beside the tables: what payments of the year leave of its claims."""
        tables = self.tables
        firm = tables["policies"].set_index("policy_no").credit_code
        old = tables["payments"].merge(tables["claims"], on="claim_no")
        paid_in, event = years_of(old.payment_date), years_of(old.event_date)
        for year, (_, paid) in self.key.items():
            if paid is not None and (year, "claims", "paid", {}) in self.published:
                late, later = old[(paid_in == year) & (event < year)], old[(paid_in > year) & (event == year)]
                for what, rows, others in (("late", late, later), ("not yet", later, late)):
                    own = rows.groupby(firm[rows.policy_no].to_numpy()).amount_fen.sum()
                    if 0 < len(own) < LEAST and others.amount_fen.sum() <= WIDTH * own.sum():
                        yield f"key {year} paid {what}: {own.sum()} of {len(own)} firms"

    def line_faults(self) -> Iterator[str]:
        """Means and shares of one or two enterprises."""
        firm = self.tables["policies"].set_index("policy_no").credit_code
        for (year, who), item in self.lines.items():
            rows, begun = self.tables["services"], self.tables["policies"]
            if who != "total":
                rows, begun = rows[rows.insurer == who], begun[begun.insurer == who]
            due = rows[years_of(rows.planned_date) == year]
            begun = begun[years_of(begun.start_date) == year]
            parts = {
                "planned": due.policy_no,
                "delivered": due[years_of(due.delivered_date) == year].policy_no,
                "policies": begun.policy_no,
                "served": begun[begun.policy_no.isin(rows[rows.delivered_date.notna()].policy_no)].policy_no,
            }
            for name, part in parts.items():
                if 0 < firm[part].nunique() < LEAST:
                    yield f"line {year} {who} {name}: {firm[part].nunique()} firms, score {item['score']}"


def years_of(days: pd.Series) -> Any:
    """Return the year of each day, 0 where there is none."""
    return pd.to_datetime(days).dt.year.fillna(0).astype(int).to_numpy()


def attack(seed: int, folder: Path) -> tuple[list[str], int]:
    """Return the faults found in two years of a province, and how many unsafe figures were attacked."""
    tables = province(seed)
    told, folders = {}, {}
    for year in YEARS:
        told[year] = rm.disclosure(tables, year)
        folders[year] = folder / f"{seed}-{year}"
        told[year].write(folders[year])
    found = Attack.__new__(Attack)
    found.tables = tables
    found.__init__(tables, folders, told)
    return list(found.faults()), found.attacked


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("provinces", nargs="?", type=int, default=20)
    parser.add_argument("first", nargs="?", type=int, default=100)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        for seed in range(args.first, args.first + args.provinces):
            start = time.process_time()
            try:
                faults, attacked = attack(seed, Path(place))
            except ModelError as error:
                print(f"seed {seed}: not published: {error.problems[0].code} {error}"[:160], flush=True)
                continue
            print(
                f"seed {seed}: {attacked} unsafe figures attacked, {len(faults)} faults,"
                f" {time.process_time() - start:.0f} s",
                flush=True,
            )
            for fault in faults:
                print("   ", fault)


if __name__ == "__main__":
    main()
