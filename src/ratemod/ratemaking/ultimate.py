"""Ultimate losses: chain ladder, Bornhuetter–Ferguson, Benktander and Cape Cod.

With C the latest amount, p = 1/CDF the share reported and A the prior ultimate (premium × expected loss ratio, or
exposure × expected loss cost):
    chain ladder U = C/p,   BF U = C + (1−p)·A,   Benktander: BF with A replaced n−1 times by its own result,
    Cape Cod: BF with A = exposure × ELR, ELR_i = Σ_j C_j t^(i−j) d^|i−j| / Σ_j exposure_j·p_j·d^|i−j|.
Source: Bornhuetter & Ferguson, PCAS 59 (1972); Benktander (1976) and Mack, ASTIN 30 (2000); Gluck, PCAS 84 (1997).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, problem
from ratemod.ratemaking.arrays import Floats, finite, fractions, non_negative, positive, same_length
from ratemod.ratemaking.labels import Labels, by_origin, names, of_origins
from ratemod.rules.floats import go_together
from ratemod.rules.options import strict
from ratemod.rules.within import Count, Rate, Share

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, kw_only=True, slots=True, repr=False)
class Ultimate:
    """Ultimate losses by origin.

    Attributes
    ----------
    ultimate, unreported : (..., origins) float64; unreported = ultimate − latest
    expected_ratio : (..., origins) float64, expected losses per unit of exposure behind it (NaN for chain ladder)
    origins : their names, where the latest amounts came as a series with an index
    """

    ultimate: Floats
    unreported: Floats
    expected_ratio: Floats
    origins: tuple[str, ...] = ()

    def frame(self) -> pd.DataFrame:
        """Return one row an origin: latest, ultimate, unreported, expected_ratio; segment where there are several.

        Examples
        --------
        >>> import pandas as pd
        >>> chain_ladder(pd.Series([100.0], index=[2023]), [1.5]).frame().to_dict("records")
        [{'origin': '2023', 'latest': 100.0, 'ultimate': 150.0, 'unreported': 50.0, 'expected_ratio': nan}]
        """
        return by_origin(
            Labels(origins=self.origins),
            latest=self.ultimate - self.unreported,
            ultimate=self.ultimate,
            unreported=self.unreported,
            expected_ratio=self.expected_ratio,
        )

    def __repr__(self) -> str:
        sums = f"{self.ultimate.sum():,.8g}, of it unreported {self.unreported.sum():,.8g}"
        return f"Ultimate({of_origins(self.ultimate)}; {sums})"


def chain_ladder(latest: npt.ArrayLike, factor_to_ultimate: npt.ArrayLike) -> Ultimate:
    """Return latest × factor to ultimate.

    Parameters
    ----------
    latest : (..., origins) float64; factor_to_ultimate : (..., origins) float64, of each origin's present age

    Examples
    --------
    >>> chain_ladder([100.0], [1.5]).unreported.tolist()
    [50.0]
    """
    known, factor = finite("latest", latest), positive("factor_to_ultimate", factor_to_ultimate)
    go_together(latest=known, factor_to_ultimate=factor)
    ultimate: Floats = known * factor
    none = np.full(ultimate.shape, np.nan)
    return Ultimate(ultimate=ultimate, unreported=ultimate - known, expected_ratio=none, origins=_origins(latest))


@strict
def bornhuetter_ferguson(
    latest: npt.ArrayLike,
    factor_to_ultimate: npt.ArrayLike,
    exposure: npt.ArrayLike,
    expected_ratio: npt.ArrayLike,
    *,
    iterations: Count = 1,
) -> Ultimate:
    """Return the latest plus the unreported share of the expected losses (iterations > 1: Benktander).

    Parameters
    ----------
    latest, factor_to_ultimate, exposure : (..., origins) float64
    expected_ratio : expected losses per unit of exposure (loss ratio to premium, loss cost per head), broadcast
    iterations : 1 for Bornhuetter–Ferguson, 2 for Gunnar Benktander; the limit is chain ladder

    Raises
    ------
    ModelError
        RM500, RM501, RM502 for impossible inputs.

    Examples
    --------
    >>> bornhuetter_ferguson([100.0], [2.0], [400.0], 0.6).ultimate.tolist()
    [220.0]
    """
    known = finite("latest", latest)
    unreported = 1 - 1 / positive("factor_to_ultimate", factor_to_ultimate)
    base, ratio = non_negative("exposure", exposure), non_negative("expected_ratio", expected_ratio)
    go_together(latest=known, factor_to_ultimate=unreported, exposure=base, expected_ratio=ratio)
    ultimate: Floats = base * ratio
    for _ in range(iterations):
        ultimate = known + unreported * ultimate
    each = np.broadcast_to(ratio, ultimate.shape)
    return Ultimate(ultimate=ultimate, unreported=ultimate - known, expected_ratio=each, origins=_origins(latest))


@strict
def benktander(
    latest: npt.ArrayLike,
    factor_to_ultimate: npt.ArrayLike,
    exposure: npt.ArrayLike,
    expected_ratio: npt.ArrayLike,
    *,
    iterations: Count = 2,
) -> Ultimate:
    """Return `bornhuetter_ferguson` repeated on its own result; see there.

    Examples
    --------
    >>> benktander([100.0], [2.0], [400.0], 0.6).ultimate.tolist()
    [210.0]
    """
    return bornhuetter_ferguson(latest, factor_to_ultimate, exposure, expected_ratio, iterations=iterations)


@strict
def cape_cod(
    latest: npt.ArrayLike,
    factor_to_ultimate: npt.ArrayLike,
    exposure: npt.ArrayLike,
    *,
    decay: Share = 1.0,
    trend: Rate = 0.0,
) -> Ultimate:
    """Return Bornhuetter–Ferguson with the expected ratio taken from the triangle itself.

    Parameters
    ----------
    latest, factor_to_ultimate, exposure : (..., origins) float64; exposure at a common rate level
    decay : weight d^|i−j| that origin i gives to origin j; 1 is Stanard–Bühlmann, 0 is chain ladder
    trend : change of the loss ratio from one origin to the next (+0.03 for +3 %)

    Raises
    ------
    ModelError
        RM504 for a decay outside 0..1; RM500..RM502; RM523 when no exposure has been used up.

    Examples
    --------
    >>> cape_cod([100.0, 40.0], [1.0, 2.0], [200.0, 200.0]).expected_ratio.round(4).tolist()
    [0.4667, 0.4667]
    """
    known, base = np.atleast_1d(finite("latest", latest)), np.atleast_1d(non_negative("exposure", exposure))
    reported = np.atleast_1d(1 / positive("factor_to_ultimate", factor_to_ultimate))
    origins = {"latest": known, "factor_to_ultimate": reported, "exposure": base}
    same_length(**{name: np.arange(one.shape[-1]) for name, one in origins.items()})
    go_together(**origins)
    fractions("decay", [decay])
    positive("1 + trend", [1 + trend])
    apart = np.arange(known.shape[-1])[:, None] - np.arange(known.shape[-1])
    weight = np.where(apart == 0, 1.0, float(decay) ** np.abs(apart))
    used = (base * reported) @ weight
    if (used <= 0).any():
        raise ModelError(problem("RM523"))
    ratio = np.einsum("...j,ij->...i", known, weight * (1 + trend) ** apart) / used
    return replace(bornhuetter_ferguson(known, 1 / reported, base, ratio), origins=_origins(latest))


def _origins(latest: Any) -> tuple[str, ...]:
    return names(latest.index) if hasattr(latest, "iloc") else ()
