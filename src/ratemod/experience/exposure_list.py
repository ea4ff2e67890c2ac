"""Firms and what was expected of them, as a list of exposure gives them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ratemod.errors import Problem, problem
from ratemod.experience.losses import Booleans, Dates, Floats

PER_FIRM = ("last_mod", "premium_yuan", "latest_premium_yuan", "average_premium_yuan")


@dataclass(frozen=True, eq=False, slots=True)
class ExposureList:
    """Firms and what was expected of them, n rows.

    Attributes
    ----------
    firms : names; expected_yuan, expected_primary_yuan : (n,) float64, NaN where missing
    effective : (n,) datetime64[D]; last_mod, premium_yuan : (n,) float64, NaN where not given
    exposed : (n, y) bool or None; years : y calendar years; exposed_back : the same by years back from the window's end
    latest_premium_yuan, average_premium_yuan : (n,) float64, NaN where not given: what eligibility goes by
    states : names; shares : (n, s) float64, the share of each state in the expected losses, or None
    outside : payroll rows of years that are not in the window, left out
    group : names of groups of common ownership that are rated together, null for a firm of its own, or None
    problem_of, problems : which reason refuses a firm, 0 for none
    """

    firms: pa.Array
    expected_yuan: Floats
    expected_primary_yuan: Floats
    effective: Dates
    last_mod: Floats
    premium_yuan: Floats
    exposed: Booleans | None
    years: tuple[str, ...]
    problem_of: npt.NDArray[np.int32]
    problems: tuple[Problem, ...]
    exposed_back: Booleans | None = None
    latest_premium_yuan: Floats | None = None
    average_premium_yuan: Floats | None = None
    states: tuple[str, ...] = ()
    shares: Floats | None = None
    outside: int = 0
    group: pa.Array | None = None


def mark(found: npt.NDArray[np.int32], problems: list[Problem], code: str, wrong: Booleans, **args: Any) -> None:
    """Refuse rows that are wrong and not refused yet, with one more problem."""
    hit = wrong & (found == 0)
    if hit.any():
        problems.append(problem(code, **args))
        found[hit] = len(problems)
