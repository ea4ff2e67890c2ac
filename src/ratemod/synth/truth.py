"""What is true in the province: every planted parameter, its unit, and where it comes from.

A field is either an assumption of this project or rests on a published figure, named in `source`. Confidence tags:
``primary`` (an official page), ``secondary`` (a copy of one), ``derived`` (arithmetic on such figures), ``assumption``.
Nothing here is an official rate of any province.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from ratemod.synth import levels as lv

MINISTRY_2015 = "人社部发〔2015〕71号: relativities of the work-injury classes 8, 6, 5, 2 (1.9, 1.3, 1.1, 0.4)"
ASSUMED = "assumption"


def planted(
    value: Any, unit: str, note: str, axis: tuple[Any, ...] = (), source: str = ASSUMED, confidence: str = ASSUMED
) -> Any:
    """Declare a planted parameter with its unit, meaning, levels and source."""
    return field(
        default=value, metadata={"unit": unit, "note": note, "axis": axis, "source": source, "confidence": confidence}
    )


@dataclass(frozen=True, slots=True)
class Population:
    """Who is in the province."""

    sector_mix: tuple[float, ...] = planted(
        (0.10, 0.18, 0.06, 0.27, 0.24, 0.01, 0.05, 0.09), "share of enterprises", "sector mix", lv.SECTORS
    )
    division_mix: tuple[float, ...] = planted(
        (0.30, 0.17, 0.09, 0.05, 0.08, 0.07, 0.09, 0.06, 0.07, 0.02),
        "share of enterprises",
        "division mix",
        lv.DIVISIONS,
    )
    staff_log_mean: tuple[float, ...] = planted(
        (3.9, 3.3, 1.6, 3.2, 4.1, 4.4, 4.5, 2.6), "log persons", "mean of log staff", lv.SECTORS
    )
    staff_log_deviation: tuple[float, ...] = planted(
        (1.2, 1.2, 0.6, 1.15, 1.2, 0.8, 1.2, 0.9), "log persons", "spread of log staff", lv.SECTORS
    )
    staff_most: int = planted(12_000, "persons", "largest enterprise")
    staff_drift_log: tuple[float, ...] = planted(
        (-0.01, 0.01, -0.02, 0.03, -0.03, 0.0, -0.01, 0.0), "log per year", "drift of exposure", lv.SECTORS
    )
    staff_walk_log: float = planted(0.06, "log per year", "random walk of staff")
    revenue_per_head_yuan: tuple[float, ...] = planted(
        (450e3, 900e3, 500e3, 350e3, 600e3, 600e3, 1.2e6, 150e3), "yuan", "median revenue per head", lv.SECTORS
    )
    revenue_log_deviation: float = planted(0.5, "log yuan", "spread of revenue per head")
    insured_fully: float = planted(0.88, "share of enterprises", "all staff are insured, as the law demands")
    first_year_share: float = planted(0.6, "share of enterprises", "insured from the first year on")
    joining_rate: float = planted(0.35, "per year", "chance that an uninsured enterprise joins")
    closing_rate: float = planted(0.012, "per year", "chance that an enterprise closes: the only lawful cancellation")
    sited_share: float = planted(0.25, "share of enterprises", "stands on a site shared with others")
    standardisation_mix: tuple[tuple[float, ...], ...] = planted(
        ((0.80, 0.17, 0.03, 0.0), (0.45, 0.44, 0.10, 0.01), (0.15, 0.45, 0.34, 0.06), (0.05, 0.20, 0.50, 0.25)),
        "share of enterprises",
        "first certificate by size: large firms hold better ones",
        (lv.SIZES, lv.STANDARDISATION),
    )
    certificate_better: float = planted(0.15, "per certificate", "chance that the next one is a level higher")
    certificate_late: float = planted(0.20, "per certificate", "chance that the next one comes 10 to 239 days late")
    certificate_withdrawn: float = planted(0.02, "per certificate", "chance of being withdrawn")
    listed_share: float = planted(0.5, "share of the dishonest", "put on the joint-punishment list for two years")
    integrity_mix: tuple[float, ...] = planted(
        (0.12, 0.50, 0.30, 0.065, 0.015), "share of enterprises", "first integrity grade", lv.INTEGRITY
    )
    integrity_change: float = planted(0.12, "per year", "chance that the integrity grade moves one step")


@dataclass(frozen=True, slots=True)
class Frequency:
    """How often claims happen: a Poisson count whose mean is a product of these."""

    claims_per_1000_heads: tuple[float, ...] = planted(
        (4.56, 3.12, 0.96, 2.64, 3.12, 3.12, 3.12, 3.12),
        "claims per 1,000 head-years",
        "small enterprise of the first year, no certificate, no hazard, grade A, no services",
        lv.SECTORS,
        f"level: 2.5 per 1,000 heads (Qinghai pilot, weak); spread: {MINISTRY_2015}",
        "derived",
    )
    size_effect_log: tuple[float, ...] = planted((0.18, 0.0, -0.12, -0.25), "log", "size class", lv.SIZES)
    division_effect_log: tuple[float, ...] = planted(
        (-0.10, 0.0, 0.05, 0.12, 0.02, 0.15, -0.05, 0.10, 0.06, -0.15), "log", "division", lv.DIVISIONS
    )
    standardisation_effect_log: tuple[float, ...] = planted(
        (0.0, -0.10, -0.22, -0.35), "log", "certificate held at inception", lv.STANDARDISATION
    )
    integrity_effect_log: tuple[float, ...] = planted(
        (-0.10, 0.0, 0.08, 0.20, 0.35), "log", "integrity grade at inception", lv.INTEGRITY
    )
    blacklist_effect_log: float = planted(0.25, "log", "on the joint-punishment list at inception")
    hazard_effect_log: tuple[float, ...] = planted(
        (0.0, 0.20, 0.40, 0.65, 0.0), "log", "state of major hazards at inception", lv.HAZARD_STATES
    )
    trend_log: float = planted(-0.02, "log per year", "trend of frequency")
    random_effect_shape: float = planted(
        2.0, "shape of a gamma with mean 1", "persistent random effect of an enterprise (variance 1 / shape)"
    )
    service_effect_most: float = planted(
        0.35, "share", "most that services can take off: factor 1 - most * (1 - exp(-rate * services))"
    )
    service_effect_rate: float = planted(
        0.6, "per service", "how fast services work; counted: delivered in the term before"
    )


@dataclass(frozen=True, slots=True)
class Severity:
    """What one claim costs: kind of accident, victims, grade of disability, payments under the limit."""

    death_chance: tuple[float, ...] = planted(
        (0.0064, 0.0042, 0.0030, 0.0046, 0.0048, 0.0051, 0.0042, 0.0038),
        "per claim",
        "an accident kills",
        lv.SECTORS,
        "mean level 1.301 deaths per 100,000 workers (industry, mining, commerce 2020)",
        "derived",
    )
    disability_chance: tuple[float, ...] = planted(
        (0.53, 0.48, 0.38, 0.47, 0.51, 0.50, 0.51, 0.44), "per claim", "an accident disables", lv.SECTORS
    )
    size_tilt: tuple[float, ...] = planted(
        (1.10, 1.0, 0.92, 0.85), "factor", "on the chances of death and disability", lv.SIZES
    )
    grade_mix: tuple[float, ...] = planted(
        (0.006, 0.008, 0.012, 0.018, 0.026, 0.040, 0.090, 0.150, 0.260, 0.390),
        "share of disabled",
        "disability grade 1 (worst) to 10; no published distribution was found",
        tuple(range(1, 11)),
    )
    grade_share: tuple[float, ...] = planted(
        (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1), "share of the limit", "paid by grade", tuple(range(1, 11))
    )
    serious_grade: int = planted(6, "grade", "grades up to this one count as serious injuries")
    deaths_mix: tuple[float, ...] = planted(
        (0.926, 0.050, 0.013, 0.005, 0.0026, 0.0016, 0.0010, 0.0005, 0.0003),
        "share of fatal accidents",
        "deaths in one accident, 1 to 9 (from 10 heads on; below that 1)",
        tuple(range(1, 10)),
        "China 2024 and 2025: larger accidents 1.8-2.1 % of accidents with 3.7-3.9 deaths each",
        "derived",
    )
    further_disabled: float = planted(0.03, "per disabling accident", "chance of a second victim, same grade")
    further_minor: float = planted(0.10, "per minor accident", "chance of a second victim")
    medical_minor_yuan: float = planted(13_000.0, "yuan", "median medical cost, minor victim, first year")
    medical_serious_yuan: float = planted(30_000.0, "yuan", "median medical cost, disabled victim, first year")
    medical_log_deviation: float = planted(0.9, "log yuan", "spread of medical cost")
    medical_limit_share: float = planted(
        0.10,
        "share of the limit",
        "medical sub-limit per person",
        (),
        "a provincial tender of 2025: 4万 of 40万",
        "secondary",
    )
    medical_trend_log: float = planted(0.04, "log per year", "inflation of medical cost")
    enterprise_log_deviation: float = planted(0.15, "log yuan", "persistent effect of an enterprise on medical cost")
    third_party_chance: float = planted(0.015, "per claim", "third-party or rescue loss as well")
    third_party_least_yuan: float = planted(40_000.0, "yuan", "scale of the Pareto loss")
    third_party_tail: float = planted(1.4, "Pareto index", "few large losses dominate")
    third_party_cap: float = planted(5.0, "times the limit", "most paid for one such loss")
    catastrophes_per_100000_heads: float = planted(
        0.004,
        "events per 100,000 head-years on shared sites",
        "accidents that strike several policies of one site",
        (),
        "China 2024: major and extraordinary accidents 0.041 % of accidents",
        "derived",
    )
    catastrophe_deaths: float = planted(2.6, "per policy struck", "mean deaths beyond the first")
    scheduled_catastrophes: int = planted(
        1, "events", "one event is always planted, in the third year, so that small provinces have one"
    )


@dataclass(frozen=True, slots=True)
class Prevention:
    """Hazards found and services delivered."""

    hazards_per_term: tuple[float, ...] = planted((0.10, 0.18, 0.35, 0.60), "major hazards per year", "size", lv.SIZES)
    general_hazards: float = planted(1.5, "per major hazard", "general hazards found")
    hazard_standardisation_log: float = planted(-0.15, "log per level", "fewer hazards with better certificates")
    rectified_in_time: float = planted(0.66, "share of hazards", "rectified by the due date")
    rectified_late: float = planted(0.16, "share of hazards", "rectified 1 to 240 days late")
    refused: float = planted(0.06, "share of hazards", "rectification refused; the rest stays open")
    extended: float = planted(0.12, "share of hazards", "due date extended once by 30 days")
    services_per_term: tuple[float, ...] = planted(
        (0.35, 0.9, 2.0, 4.0), "services planned per year", "enterprise of average risk", lv.SIZES
    )
    service_selection: float = planted(
        1.0, "power of the random effect", "riskier enterprises get more services: the confounding"
    )
    service_programme: tuple[tuple[float, ...], ...] = planted(
        (
            (0.6, 1.0, 1.0, 1.6, 1.2),
            (0.3, 0.3, 0.8, 0.5, 1.0),
            (1.0, 1.4, 0.7, 1.4, 1.0),
            (0.2, 1.6, 1.2, 0.6, 1.5),
            (1.3, 0.5, 1.6, 1.0, 0.7),
            (0.5, 0.9, 0.4, 1.8, 1.3),
        ),
        "factor",
        "campaigns of an insurer, by year in turn",
        (lv.INSURERS, (1, 2, 3, 4, 5)),
    )
    duty_met: float = planted(0.95, "share of policies", "large and medium: at least one service is planned")
    service_delivered: float = planted(0.88, "share of planned", "delivered")
    service_cost_yuan: tuple[float, ...] = planted(
        (1800.0, 5400.0, 6500.0, 4000.0, 3000.0, 9000.0, 1500.0), "yuan", "median cost, small enterprise", lv.SERVICES
    )
    service_mix: tuple[float, ...] = planted(
        (0.24, 0.16, 0.08, 0.34, 0.11, 0.02, 0.05), "share", "kinds of service", lv.SERVICES
    )
    service_size_factor: tuple[float, ...] = planted((0.5, 1.0, 1.8, 3.0), "factor", "cost by size", lv.SIZES)
    fund_share: float = planted(
        0.15, "share of premium", "prevention fund", (), "within 10 % (Jilin 2020) and 21 % (national 2025)", ASSUMED
    )


@dataclass(frozen=True, slots=True)
class Market:
    """Insurers, premiums, reporting and reserving."""

    appetite: tuple[tuple[float, ...], ...] = planted(
        (
            (0.30, 0.10, 0.20, 0.25, 0.20, 0.10, 0.20, 0.15),
            (0.25, 0.15, 0.10, 0.15, 0.15, 0.25, 0.30, 0.05),
            (0.05, 0.30, 0.30, 0.10, 0.10, 0.30, 0.10, 0.10),
            (0.15, 0.15, 0.10, 0.30, 0.15, 0.05, 0.10, 0.35),
            (0.20, 0.10, 0.10, 0.10, 0.30, 0.20, 0.20, 0.05),
            (0.05, 0.20, 0.20, 0.10, 0.10, 0.10, 0.10, 0.30),
        ),
        "weight",
        "appetite of an insurer",
        (lv.INSURERS, lv.SECTORS),
    )
    switching_rate: float = planted(0.06, "per renewal", "chance of changing the insurer")
    insurer_factor: tuple[float, ...] = planted(
        (1.00, 0.97, 1.08, 0.94, 1.04, 1.00), "factor", "price level of an insurer", lv.INSURERS
    )
    target_loss_ratio: float = planted(
        0.58, "share of premium", "what the tariff aims at", (), "published loss ratios of 50-65 %", "derived"
    )
    tariff_modifier: float = planted(0.81, "factor", "average of the effects that the tariff does not rate")
    tariff_primary_share: float = planted(
        0.43, "share of expected losses", "below the split point", (), "measured on the province itself", "derived"
    )
    split_point_yuan: float = planted(60_000.0, "yuan", "split of a loss in its primary and excess part")
    tariff_sector_error_log: tuple[float, ...] = planted(
        (-0.08, 0.12, 0.25, 0.02, -0.10, 0.10, 0.0, 0.08), "log", "how wrong the tariff is", lv.SECTORS
    )
    tariff_size_error_log: tuple[float, ...] = planted(
        (-0.10, 0.0, 0.06, 0.12), "log", "how wrong the tariff is", lv.SIZES
    )
    rate_changes: tuple[tuple[int, int, int, float], ...] = planted(
        ((1, 7, 1, 1.06), (3, 4, 1, 0.95)),
        "(year from the first, month, day, factor)",
        "rate changes, for all insurers",
    )
    merit: tuple[float, ...] = planted((1.12, 1.0, 0.92), "factor", "merit of the tariff", lv.MERITS)
    standardisation_credit: tuple[float, ...] = planted(
        (1.0, 0.98, 0.95, 0.90), "factor", "credit of the tariff", lv.STANDARDISATION
    )
    hazard_loading: tuple[float, ...] = planted(
        (1.0, 1.05, 1.15, 1.30, 1.0), "factor", "loading of the tariff", lv.HAZARD_STATES
    )
    minimum_premium_yuan: float = planted(500.0, "yuan", "minimum premium")
    limits_yuan: tuple[int, ...] = planted(
        (300_000, 400_000, 500_000, 600_000, 800_000, 1_000_000), "yuan", "limits per person on offer"
    )
    limit_mix: tuple[tuple[float, ...], ...] = planted(
        (
            (0.30, 0.40, 0.20, 0.06, 0.03, 0.01),
            (0.18, 0.36, 0.26, 0.10, 0.08, 0.02),
            (0.05, 0.25, 0.30, 0.18, 0.17, 0.05),
            (0.0, 0.15, 0.25, 0.20, 0.28, 0.12),
        ),
        "share of enterprises",
        "limit chosen",
        (lv.SIZES, (300_000, 400_000, 500_000, 600_000, 800_000, 1_000_000)),
    )
    limit_least_from_2025_yuan: int = planted(
        400_000, "yuan", "least limit for policies from 2025-03-29", (), "应急〔2025〕27号, article 15", "secondary"
    )
    headcount_changes: float = planted(0.10, "per policy", "chance of a mid-term change of headcount")
    coinsured: tuple[float, ...] = planted((0.0, 0.01, 0.15, 0.50), "share of policies", "co-insured", lv.SIZES)
    report_lag_days: float = planted(7.0, "days", "median lag from event to report")
    report_log_deviation: float = planted(1.2, "log days", "spread of the reporting lag")
    settle_lag_days: tuple[float, ...] = planted((70.0, 240.0, 150.0), "days", "median report to settlement", lv.KINDS)
    settle_log_deviation: float = planted(0.7, "log days", "spread of the settlement lag")
    late_insurer: int = planted(1, "index of the insurer", "the insurer that reports and reserves late (redpine)")
    late_report_factor: float = planted(4.0, "factor", "on its reporting lag")
    late_settle_factor: float = planted(1.5, "factor", "on its settlement lag")
    late_reserve_share: tuple[float, ...] = planted(
        (0.35, 0.70, 0.95), "share of what is needed", "its case reserves at successive year ends", (1, 2, 3)
    )
    reserve_log_deviation: float = planted(0.25, "log", "error of a case reserve, unbiased")
    claim_expense_share: float = planted(0.2, "share of the loss", "direct loss of an accident beyond what is paid")


@dataclass(frozen=True, slots=True)
class Truth:
    """Every planted parameter of the province.

    Examples
    --------
    >>> Truth().frequency.service_effect_most
    0.35
    """

    population: Population = field(default_factory=Population)
    frequency: Frequency = field(default_factory=Frequency)
    severity: Severity = field(default_factory=Severity)
    prevention: Prevention = field(default_factory=Prevention)
    market: Market = field(default_factory=Market)


def rows(truth: Truth) -> list[dict[str, Any]]:
    """Return every planted number as a row: group, parameter, level, value, unit, note, source, confidence.

    Examples
    --------
    >>> [(row["level"], row["value"]) for row in rows(Truth()) if row["parameter"] == "size_effect_log"][:2]
    [('micro', 0.18), ('small', 0.0)]
    """
    found: list[dict[str, Any]] = []
    for group in dataclasses.fields(truth):
        part = getattr(truth, group.name)
        for item in dataclasses.fields(part):
            for level, value in _cells(getattr(part, item.name), item.metadata["axis"]):
                found.append(
                    {"group": group.name, "parameter": item.name, "level": level, "value": float(value)}
                    | {key: item.metadata[key] for key in ("unit", "note", "source", "confidence")}
                )
    return found


def _cells(value: Any, axis: tuple[Any, ...]) -> list[tuple[str, float]]:
    """Return (level, number) pairs of a scalar, a row or a grid."""
    if not isinstance(value, tuple):
        return [("", value)]
    if not isinstance(value[0], tuple):
        names = axis or tuple(range(1, len(value) + 1))
        return [(str(name), number) for name, number in zip(names, value, strict=True)]
    outer, inner = axis if axis else (range(1, len(value) + 1), range(1, len(value[0]) + 1))
    return [
        (f"{a}|{b}", number)
        for a, line in zip(outer, value, strict=True)
        for b, number in zip(inner, line, strict=True)
    ]
