"""Split plans as bureaus publish them, as parameters of one formula. State tables are not shipped: give your own.

What each rests on is in its `source`; parameters that were not found in print are labelled derived or illustrative.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ratemod.experience.bands import Bands
from ratemod.experience.parameter import Floats, Parameter
from ratemod.experience.split import SmoothSplit, SplitRule
from ratemod.rules.options import strict
from ratemod.rules.within import Factor, Limit


@strict
def ncci_ballast(average_cost_per_case: Factor) -> Callable[[Floats], Floats]:
    """Return NCCI's ballast as a function of expected losses, G = average cost per case/1000.

    B = max(E·(0.1E + 2570G)/(E + 700G), 2500G). Derived by fitting a published table of 2015 and one worksheet; the
    constants
    were not found in print.

    Examples
    --------
    >>> ncci_ballast(11.90)(np.array([5_000.0, 1_000_000.0])).round(2).tolist()
    [29750.0, 129504.23]
    """
    g = average_cost_per_case

    def ballast(expected: Floats) -> Floats:
        return np.maximum(expected * (0.1 * expected + 2570 * g) / (expected + 700 * g), 2500 * g)

    return ballast


@strict
def ncci_weight(average_cost_per_case: Factor) -> Callable[[Floats], Floats]:
    """Return NCCI's W = (E + B)/(E + C), C = max(E·(0.375E + 150000G)/(E + 5100G), 60000G); derived, as `ncci_ballast`.

    Examples
    --------
    >>> ncci_weight(11.90)(np.array([250_000.0])).round(4).tolist()
    [0.1724]
    """
    g, ballast = average_cost_per_case, ncci_ballast(average_cost_per_case)

    def weight(expected: Floats) -> Floats:
        other = np.maximum(expected * (0.375 * expected + 150_000 * g) / (expected + 5100 * g), 60_000 * g)
        return (expected + ballast(expected)) / (expected + other)

    return weight


@strict
def ncci(
    split: Factor,
    average_cost_per_case: Factor,
    *,
    claim_limit: Limit | None = None,
    accident_limit: Limit | None = None,
    excess_credibility: Parameter | None = None,
    ballast: Parameter | None = None,
) -> SplitRule:
    """Return a plan of NCCI's form.

    Parameters
    ----------
    split : split point of the state and year
    average_cost_per_case : G, thousands
    claim_limit, accident_limit : state accident limitations for one and for several claims
    excess_credibility, ballast : the state's own W and B (numbers or Bands); default the derived closed form

    Notes
    -----
    Medical-only claims enter at 30 %; W has the 2 decimals of the states' tables of weighting values, also where it
    comes from the closed form; the mod has 2 decimals and is at most 1.10 + 0.0004·E/G.

    Examples
    --------
    >>> from ratemod.experience.parameter import value_of
    >>> value_of(ncci(10_000, 9.95).most, np.array([2_500.0])).round(4).tolist()
    [1.2005]
    """
    g = average_cost_per_case
    return SplitRule(
        "ncci",
        "NCCI Experience Rating Plan Manual; W and B by a derived closed form unless given",
        split,
        ncci_weight(g) if excess_credibility is None else excess_credibility,
        1.0,
        ncci_ballast(g) if ballast is None else ballast,
        claim_limit,
        accident_limit,
        medical_only_share=0.30,
        most=lambda e: 1.10 + 0.0004 * e / g,
        places=2,
        rounding={"credibility": 2},
    )


def california(split_by_expected: Bands) -> SplitRule:
    """Return WCIRB's simplified formula of 2019, (Ap + Ee)/E, with a split that grows with the expected losses.

    The thresholds are a table of each year: give it. The first 250 of each claim are left out (recalled, not found
    in print).
    """
    return SplitRule(
        "wcirb", "WCIRB, changes to the 2019 experience rating form", split_by_expected, deduction=250.0, places=2
    )


def washington(
    primary_credibility: Bands | float, excess_credibility: Bands | float, claim_free: Bands | None = None
) -> SplitRule:
    """Return Washington L&I's plan with the primary losses of 2013 and the firm's credibilities.

    Examples
    --------
    >>> from ratemod.experience.split import split_claims
    >>> rule = washington(0.5, 0.1)
    >>> [p.round().tolist() for p in split_claims(rule, [25_000, 2_000_000], [0, 0])]
    [[22785.0, 45163.0], [2215.0, 221078.0]]
    """
    shape = SmoothSplit(20_112, 50_280, 30_168, 266_241)
    return SplitRule(
        "washington",
        "WAC 296-17-855 to -890; primary losses of 2013",
        shape,
        excess_credibility,
        primary_credibility,
        medical_only_deduction=2_460.0,
        swing=0.25,
        claim_free=claim_free,
        claim_free_despite_medical_only=True,
        places=4,
    )


def delaware(credibility: Bands | float, split: Bands | float, average_cost_per_case: float = 12.0) -> SplitRule:
    """Return Delaware's plan, [Ap·C + E·C·L + E·(1 − C)]/E L the excess share; at most 1.10 + 0.0004·E/G.

    Examples
    --------
    >>> from ratemod.experience.split import split_mod
    >>> parts = split_mod(delaware(0.7, 50_000.0), [30_000.0], [5_000.0], [100_000.0], [40_000.0])
    >>> float(parts.mod[0]) == round((30_000 * 0.7 + 100_000 * 0.7 * 0.6 + 100_000 * 0.3) / 100_000, 3)
    True
    """
    return SplitRule(
        "delaware",
        "DCRB, Section VI",
        split,
        0.0,
        credibility,
        places=3,
        most=lambda e: 1.10 + 0.0004 * e / average_cost_per_case,
    )


def illustrative() -> SplitRule:
    """Return the plan that the synthetic province and the example plans use; every number is this project's own."""
    return SplitRule(
        "illustrative",
        "illustrative: numbers of this project",
        60_000.0,
        Bands((50_000.0, 200_000.0, 1_000_000.0), (0.05, 0.12, 0.25, 0.45), False),
        1.0,
        Bands((50_000.0, 200_000.0, 1_000_000.0), (60_000.0, 90_000.0, 160_000.0, 400_000.0), False),
        claim_limit=1_000_000.0,
        accident_limit=2_000_000.0,
        least=0.70,
        most=1.60,
        eligible_from=20_000.0,
        places=3,
    )


RULES: dict[str, Callable[..., SplitRule]] = {
    "illustrative": illustrative,
    "ncci": ncci,
    "california": california,
    "washington": washington,
    "delaware": delaware,
}
