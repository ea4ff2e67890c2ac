"""Merit schemes: claim-free years, accidents by grade, loss-ratio bands, Japan's merit system, Germany's rebates.

A scheme is data: bands and factors with where they come from. The functions only look up, over arrays. No national
table of float factors has been published for work-safety liability: the factors named `ILLUSTRATIVE_...` are
examples.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, problem
from ratemod.experience.bands import Bands
from ratemod.experience.panel import Floats, Integers, numbers, same_shape, whole
from ratemod.rules.floats import go_together
from ratemod.rules.options import strict


@dataclass(frozen=True, slots=True)
class AccidentRecord:
    """Factors by accident record: the worst grade of the window, further accidents, and clean years.

    Attributes
    ----------
    by_grade : factor of the worst grade, in the order of `ratemod.vocabulary.codes.accident.GRADES`
    each_further : added to the factor for every accident after the first
    most : largest factor
    clean : factor after 0, 1, 2, ... clean years, the last for that many or more; used where the window has no accident
    source : as of `Bands`
    """

    by_grade: tuple[float, float, float, float]
    each_further: float
    most: float
    clean: tuple[float, ...]
    source: str = "illustrative"


ILLUSTRATIVE_LOSS_RATIO = Bands((0.0, 0.3, 0.5, 0.7, 1.0), (0.80, 0.90, 1.00, 1.10, 1.20, 1.30), source="illustrative")
ILLUSTRATIVE_ACCIDENTS = AccidentRecord((1.10, 1.20, 1.30, 1.50), 0.05, 1.50, (1.00, 0.95, 0.90, 0.85))

# Annex table 3 of the rules under the act on collecting labour insurance premiums: percent by benefit ratio in percent.
JAPAN_SOURCE = "労働保険徴収法施行規則 別表第三; band edges of pm35 and pm30 read once"
_FIVES = (10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 75.0, 85.0, 90.0, 100.0, 110.0, 120.0, 130.0, 140.0, 150.0)
JapanScheme = Literal["pm45", "pm40", "pm35", "pm30"]
JAPAN: Mapping[JapanScheme, Bands] = {
    "pm45": Bands((5.0, *_FIVES, 160.0), tuple(float(x) for x in range(-45, 50, 5)), True, JAPAN_SOURCE),
    "pm40": Bands(_FIVES, tuple(float(x) for x in range(-40, 45, 5)), True, JAPAN_SOURCE),
    "pm35": Bands(
        (10.0, 20.0, 30.0, 40.0, 50.0, 70.0, 75.0, 85.0, 90.0, 110.0, 120.0, 130.0, 140.0, 150.0),
        tuple(float(x) for x in range(-35, 40, 5)),
        True,
        JAPAN_SOURCE,
    ),
    "pm30": Bands(
        (10.0, 20.0, 30.0, 50.0, 70.0, 75.0, 85.0, 90.0, 110.0, 130.0, 140.0, 150.0),
        tuple(float(x) for x in range(-30, 35, 5)),
        True,
        JAPAN_SOURCE,
    ),
}
JAPAN_NON_OCCUPATIONAL_PER_MILLE = 0.6


def claim_free_years(claims: npt.ArrayLike) -> Integers:
    """Return how many of the latest years, without a gap, are free of claims.

    Parameters
    ----------
    claims : (firms, years) whole numbers, oldest first; -1 for a year that was not insured, which ends the count

    Returns
    -------
    (firms,) int64

    Examples
    --------
    >>> claim_free_years([[0, 0, 0], [1, 0, 0], [0, 0, 2], [0, -1, 0]]).tolist()
    [3, 2, 0, 1]
    """
    count = whole("claims", claims, low=-1, high=2**31)
    if count.ndim != 2:
        raise ModelError(problem("RM834", shapes=f"claims {count.shape}"))
    free: Integers = np.cumprod(count[:, ::-1] == 0, axis=1).sum(axis=1).astype(np.int64)
    return free


def accident_factor(
    worst_grade: npt.ArrayLike,
    accidents: npt.ArrayLike,
    clean_years: npt.ArrayLike,
    scheme: AccidentRecord = ILLUSTRATIVE_ACCIDENTS,
) -> Floats:
    """Return the accident-record factor of each firm.

    Parameters
    ----------
    worst_grade : (n,) index into `ratemod.vocabulary.codes.accident.GRADES`; -1 where the window has no accident
    accidents : (n,) accidents of the window; 0 exactly where worst_grade is -1
    clean_years : (n,) years since the last accident
    scheme : AccidentRecord

    Returns
    -------
    (n,) float64

    Raises
    ------
    ModelError
        RM640, RM642, RM655; RM661 when a count and a grade contradict each other.

    Examples
    --------
    >>> accident_factor([-1, -1, 0, 2], [0, 0, 3, 1], [0, 5, 0, 1]).round(2).tolist()
    [1.0, 0.85, 1.2, 1.3]
    """
    grade = whole("worst_grade", worst_grade, low=-1, high=3)
    count = whole("accidents", accidents, low=0, high=2**31)
    clean = whole("clean_years", clean_years, low=0, high=2**31)
    same_shape(worst_grade=grade, accidents=count, clean_years=clean)
    wrong = (grade < 0) != (count == 0)
    if wrong.any():
        raise ModelError(problem("RM661", wrong=int(wrong.sum()), firm=int(np.flatnonzero(wrong)[0])))
    loaded = np.array(scheme.by_grade)[np.maximum(grade, 0)] + scheme.each_further * np.maximum(count - 1, 0)
    free = np.array(scheme.clean)[np.minimum(clean, len(scheme.clean) - 1)]
    return np.where(count > 0, np.minimum(loaded, scheme.most), free)


@strict
def japan_rate(rate_per_mille: npt.ArrayLike, ratio_percent: npt.ArrayLike, scheme: JapanScheme = "pm40") -> Floats:
    """Return Japan's merit rate, (r − 0.6)(1 + x) + 0.6 per mille: the non-occupational 0.6 is not moved.

    Parameters
    ----------
    rate_per_mille : (n,) float64, the class rate r, at least 0.6
    ratio_percent : (n,) float64, benefits over adjusted premium of three years, percent
    scheme : "pm45", "pm40", "pm35" or "pm30": the largest movement in percent; upper band edges are included

    Returns
    -------
    (n,) float64, per mille

    Raises
    ------
    ModelError
        RM641, RM642.

    Source
    ------
    Rules under the act on collecting labour insurance premiums, annex table 3.

    Examples
    --------
    >>> japan_rate([60.0, 60.0, 12.0], [10.0, 10.01, 80.0]).round(2).tolist()
    [36.24, 39.21, 12.0]
    """
    bands = JAPAN[scheme]
    rate = numbers("rate_per_mille", rate_per_mille, low=JAPAN_NON_OCCUPATIONAL_PER_MILLE)
    ratio = numbers("ratio_percent", ratio_percent, low=0)
    go_together(rate_per_mille=rate, ratio_percent=ratio)
    move = bands.of(ratio)
    return (rate - JAPAN_NON_OCCUPATIONAL_PER_MILLE) * (1 + move / 100) + JAPAN_NON_OCCUPATIONAL_PER_MILLE


def japan_ratio_percent(benefits: npt.ArrayLike, premium: npt.ArrayLike, adjustment: npt.ArrayLike) -> Floats:
    """Return Japan's benefit ratio, percent: benefits / (premium × adjustment rate), all of three years.

    Parameters
    ----------
    benefits, premium : (n,) float64, one currency; the non-occupational part left out of both
    adjustment : the first adjustment rate of the kind of business (by period; a table of the user's)

    Examples
    --------
    >>> japan_ratio_percent([40.0], [100.0], 0.67).round(2).tolist()
    [59.7]
    """
    least = float(np.nextafter(0, 1))
    below = numbers("premium", premium, low=least) * numbers("adjustment", adjustment, low=least)
    return 100 * numbers("benefits", benefits, low=0) / below


def german_rebate_cent(
    contribution_cent: npt.ArrayLike,
    burden_now_cent: npt.ArrayLike,
    burden_before_cent: npt.ArrayLike,
    rate_percent: npt.ArrayLike = 18,
) -> Integers:
    """Return the rebate of a German accident fund: a share of the contribution less the firm's own burden, not below 0.

    Parameters
    ----------
    contribution_cent : (n,) int64, cent
    burden_now_cent, burden_before_cent : (n,) int64, cent: own accident cost of this year (counts whole) and of
        the year before (counts half, half a cent rounded up)
    rate_percent : (n,) whole per cent; BG ETEM: 18, new members 6, 12, 18 in their first three years

    Returns
    -------
    (n,) int64, cent, half a cent rounded up

    Source
    ------
    BG ETEM, rebate procedure (Beitragsnachlassverfahren).

    Examples
    --------
    >>> german_rebate_cent([1_373_768], [52_989], [0]).tolist()
    [194289]
    """
    due = whole("contribution_cent", contribution_cent, low=0, high=2**50)
    now = whole("burden_now_cent", burden_now_cent, low=0, high=2**50)
    before = whole("burden_before_cent", burden_before_cent, low=0, high=2**50)
    share = whole("rate_percent", rate_percent, low=0, high=100)
    go_together(contribution_cent=due, burden_now_cent=now, burden_before_cent=before, rate_percent=share)
    rebate: Integers = np.maximum((due * share + 50) // 100 - now - (before + 1) // 2, 0)
    return rebate


def german_supplement(own_burden: npt.ArrayLike, contribution: npt.ArrayLike, bands: Bands) -> Floats:
    """Return the supplement or rebate of a German fund as a factor of the contribution, by the firm's burden index.

    The index is the firm's burden per contribution as a percentage of that of all firms: 100 is the average.

    Parameters
    ----------
    own_burden : (n,) float64, new accident burden of each firm, at least 0
    contribution : (n,) float64, positive
    bands : Bands over the index, values such as −0.10 (rebate) or +0.30 (supplement); the fund's statute gives them

    Returns
    -------
    (n,) float64

    Raises
    ------
    ModelError
        RM640, RM641, RM642; RM652 when no firm has any burden.

    Examples
    --------
    >>> german_supplement([0.0, 10.0, 50.0], [100.0, 100.0, 100.0], Bands((50.0, 150.0), (-0.1, 0.0, 0.3))).tolist()
    [-0.1, -0.1, 0.3]
    """
    burden = numbers("own_burden", own_burden, low=0)
    due = numbers("contribution", contribution, low=float(np.nextafter(0, 1)))
    same_shape(own_burden=burden, contribution=due)
    if not burden.any():
        raise ModelError(problem("RM652"))
    return bands.of(100 * (burden / due) / (burden.sum() / due.sum()))
