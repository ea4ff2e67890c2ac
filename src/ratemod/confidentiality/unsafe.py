"""Which figures tell about single enterprises: too few stand behind them, or one of them dominates (the p % rule).

Source: Hundepool et al., *Statistical Disclosure Control*, 2012, sections 4.2.1 and 4.2.2.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ratemod.rules.options import strict
from ratemod.rules.within import Share

LEAST_UNITS, DOMINANCE, PROTECTION = 3, 0.10, 0.20


@strict
def dominated(
    total: npt.ArrayLike, largest: npt.ArrayLike, second: npt.ArrayLike, share: Share = DOMINANCE
) -> npt.NDArray[np.bool_]:
    """Return which cells the second largest unit could use to estimate the largest within `share` (the p % rule).

    Unsafe where ``total - largest - second < share · largest``.

    Parameters
    ----------
    total, largest, second : arrays of one shape, same unit

    Examples
    --------
    >>> dominated([100, 100], [90, 40], [8, 30]).tolist()
    [True, False]
    """
    whole, first = np.asarray(total, float), np.asarray(largest, float)
    return np.asarray((whole > 0) & (whole - first - np.asarray(second, float) < share * first))
