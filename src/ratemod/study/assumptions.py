"""Every judgement of a rate study, in one frozen value that is written down with the result and can be run again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from types import MappingProxyType
from typing import Any, Literal

from ratemod.errors import ModelError, nearest, problem
from ratemod.rules.options import strict
from ratemod.rules.read import TomlFile
from ratemod.rules.shape import keys_of

Direction = Literal["increasing", "decreasing"]


@strict
@dataclass(frozen=True, slots=True)
class Assumptions:
    """What the analyst decides; everything else follows from the history.

    Attributes
    ----------
    new_from : date
        First day of the new edition.
    rates_years : float
        How long the new rates will be used, years; losses are trended to the middle of what they will cover.
    tables : names of the plan's tables to derive; empty: the first table that holds rates (per mille or per cent)
    exposure_step : name of the step that is proportional to those tables; empty: the furthest one the history can rate
    controls : rating variables beside the tables' axes that the model must know, so that rates are like for like
        ("*" alone: every level and flag column that the history has)
    amount : column that mid-term endorsements change (heads, payroll)
    large_loss_yuan : ultimate, trended loss of one claim above which the excess is spread
    catastrophe_policies : an event that strikes at least so many policies is loaded apart
    catastrophe_prior, catastrophe_prior_years : long-run cost of such events as a share of the capped losses, and how
        many years of this book that knowledge is worth. Default 0.001: 0.041 % of China's fatal accidents of 2024 were
        major or extraordinary, with some 13 deaths each, and deaths are about a fifth of the losses (illustrative)
    development : average of the link ratios, or "none" where losses are already ultimate
    tail : curve by which factors go on beyond the triangle
    frequency_trend, severity_trend : yearly rate, or None: fitted beside the rating factors and drawn to the prior
    trend_prior, trend_spread : yearly rate of the pure premium expected before any claim is seen, and how far from it a
        trend may well be (standard deviation)
    trend_index : year -> level of an external index of the pure premium, whose growth is then the prior
    model : Poisson frequency (overdispersed) × gamma severity, or Tweedie pure premium
    tweedie_power : variance power of the Tweedie
    least_claims : a level with fewer claims is merged into the level whose current rate is nearest
    least_firms : so is a level with fewer enterprises
    monotone : factor -> "increasing" or "decreasing" over the plan's order of levels
    complement : what thin levels lean on: the current table, or nothing
    expenses : name -> share of premium; the plan's own commission and fund constants come in by themselves
    profit : share of premium
    fixed_expense_share : fixed expenses as a share of the required premium
    caps : "apart": the rates meet the target for whoever no cap on renewals protects, and what caps withhold is shown
        with its recovery; "in_rates": this year's caps are made up for by everybody's rates
    interval_level : of the intervals stated for the change, the loss ratio and the held-out year
    accept : name of a bound of plausibility -> why it may be passed; see `ratemod.study.bounds`
    decimals : places of the new rates; None: one more than the current table has
    reasons : assumption -> why, for the record
    """

    new_from: date
    rates_years: float = 1.0
    tables: tuple[str, ...] = ()
    exposure_step: str = ""
    controls: tuple[str, ...] = ("*",)
    amount: str = "heads"
    large_loss_yuan: float = 600_000.0
    catastrophe_policies: int = 3
    catastrophe_prior: float = 0.001
    catastrophe_prior_years: float = 50.0
    development: Literal["volume", "simple", "medial", "geometric", "none"] = "volume"
    tail: Literal["none", "exponential", "inverse_power"] = "none"
    frequency_trend: float | None = None
    severity_trend: float | None = None
    trend_prior: float = 0.0
    trend_spread: float = 0.04
    trend_index: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    model: Literal["frequency_severity", "tweedie"] = "frequency_severity"
    tweedie_power: float = 1.6
    least_claims: int = 5
    least_firms: int = 3
    monotone: Mapping[str, Direction] = field(default_factory=lambda: MappingProxyType({}))
    complement: Literal["current", "none"] = "current"
    expenses: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({"administration": 0.12}))
    profit: float = 0.05
    fixed_expense_share: float = 0.0
    caps: Literal["apart", "in_rates"] = "apart"
    interval_level: float = 0.90
    accept: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    decimals: int | None = None
    reasons: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        """Check that every reason is one of an assumption."""
        names = [item.name for item in fields(self)]
        odd = [name for name in self.reasons if name not in names]
        if odd:
            raise ModelError(problem("RM570", name=name, nearest=nearest(name, names)) for name in odd)

    def plain(self) -> dict[str, Any]:
        """Return the assumptions as JSON-ready data."""
        shown = {item.name: getattr(self, item.name) for item in fields(self)}
        return {name: _plain(value) for name, value in shown.items()}


MAY_FALL = ("frequency_trend", "severity_trend", "trend_prior")
KEYS = {name: key if name in MAY_FALL else replace(key, low=0) for name, key in keys_of(Assumptions).items()}


def read_assumptions(given: Mapping[str, Any]) -> Assumptions:
    """Return assumptions from a mapping, as a TOML file or the record of an earlier study holds them.

    Raises
    ------
    ModelError
        Unknown names and missing ones, values of another type or outside their range, words that are not permitted,
        with the nearest. All at once.

    Examples
    --------
    >>> read_assumptions({"new_from": "2026-01-01", "profit": 0.04}).profit
    0.04
    """
    file = TomlFile("", given)
    made = file.record(Assumptions, given, KEYS)
    file.settle(ModelError)
    assert made is not None
    return made


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value
