"""Accident grades of State Council order 493 (2007), article 3: the worst criterion wins."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

GRADES = ("general", "larger", "major", "extraordinary")
# Lower bounds of larger, major, extraordinary; "以上" includes the number, "以下" does not.
DEATHS = (3, 10, 30)
SERIOUS_INJURIES = (10, 50, 100)
DIRECT_LOSS_YUAN = (10_000_000, 50_000_000, 100_000_000)


def accident_grade(
    deaths: npt.ArrayLike,
    serious_injuries: npt.ArrayLike,
    direct_loss_yuan: npt.ArrayLike,
) -> npt.NDArray[np.int8]:
    """Return the grade of each accident.

    Parameters
    ----------
    deaths, serious_injuries : (n,) counts
    direct_loss_yuan : (n,) yuan

    Returns
    -------
    (n,) int8
        Index into `GRADES`; -1 where a number is missing or negative.

    Source
    ------
    State Council order 493, article 3.

    Examples
    --------
    >>> [GRADES[at] for at in accident_grade([2, 3, 0], [0, 0, 50], [0, 0, 1e6])]
    ['general', 'larger', 'major']
    """
    worst: npt.NDArray[np.int8] = np.zeros(np.shape(deaths), dtype=np.int8)
    valid: npt.NDArray[np.bool_] = np.ones(np.shape(deaths), dtype=bool)
    for given, bounds in ((deaths, DEATHS), (serious_injuries, SERIOUS_INJURIES), (direct_loss_yuan, DIRECT_LOSS_YUAN)):
        values = np.asarray(given, dtype=np.float64)
        worst = np.maximum(worst, np.searchsorted(bounds, values, side="right").astype(np.int8))
        valid = valid & (values >= 0)
    return np.where(valid, worst, -1).astype(np.int8)
