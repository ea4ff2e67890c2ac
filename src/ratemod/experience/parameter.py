"""A parameter of a rating plan: a number, or one that depends on a firm's size, on the date, or on where it works.

Bureaus change split points by year and state, credibilities by expected losses, and caps by all three. A parameter says
on what it depends; `value_of` looks it up for whole arrays of firms or claims at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ratemod.errors import ModelError, problem
from ratemod.experience.bands import Bands
from ratemod.rules.floats import floats

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Dates = npt.NDArray[np.datetime64]


@dataclass(frozen=True, eq=False, slots=True)
class Setting:
    """What parameters may depend on, m firms or claims.

    Attributes
    ----------
    expected : (m,) float64, expected losses of the firm, yuan
    day : (m,) datetime64[D], the day the mod applies from; None where no parameter depends on it
    states : names of states; state : (m,) int64 place among them; shares : (m, s) float64, the share of each state in
        a firm's expected losses. Claims have one state, firms have shares.
    """

    expected: Floats
    day: Dates | None = None
    states: tuple[str, ...] = ()
    state: Integers | None = None
    shares: Floats | None = None

    def take(self, rows: npt.ArrayLike) -> Setting:
        """Return the setting of some rows."""
        at = np.asarray(rows)
        day, state, shares = (None if part is None else part[at] for part in (self.day, self.state, self.shares))
        return replace(self, expected=self.expected[at], day=day, state=state, shares=shares)


@dataclass(frozen=True, slots=True)
class Curve:
    """A parameter by expected losses, linear between points and flat beyond them.

    Examples
    --------
    >>> value_of(Curve((0.0, 100_000.0), (0.0, 0.5)), np.array([20_000.0, 1e6])).tolist()
    [0.1, 0.5]
    """

    at: tuple[float, ...]
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        """Check that points ascend and each has a value."""
        if len(self.at) != len(self.values) or not self.at or any(a >= b for a, b in zip(self.at, self.at[1:])):
            raise ModelError(problem("RM601", ends=len(self.at), values=len(self.values)))


@dataclass(frozen=True, slots=True)
class Line:
    """A parameter that grows with expected losses: base + per_expected · E, within bounds.

    Examples
    --------
    >>> value_of(Line(1.10, 0.0004 / 9.95), np.array([2_500.0])).round(4).tolist()
    [1.2005]
    """

    base: float
    per_expected: float
    least: float = -np.inf
    most: float = np.inf


@dataclass(frozen=True, slots=True)
class Share:
    """A parameter that grows with expected losses towards 1: (E + plus)/(E + over).

    With B = plus this is a W for which primary losses have the credibility E/(E + plus) and excess ones E/(E + over).

    Examples
    --------
    >>> value_of(Share(50_000.0, 450_000.0), np.array([50_000.0, 350_000.0])).tolist()
    [0.2, 0.5]
    """

    plus: float
    over: float


@dataclass(frozen=True, slots=True)
class Dated:
    """A parameter by date: `parameters[i]` holds for mods that apply from `first_days[i]` on.

    Examples
    --------
    >>> split = Dated(("2013-04-01", "2014-04-01"), (10_000.0, 13_500.0))
    >>> day = np.array(["2013-12-31", "2014-04-01"], "datetime64[D]")
    >>> value_of(split, Setting(np.zeros(2), day)).tolist()
    [10000.0, 13500.0]
    """

    first_days: tuple[str, ...]
    parameters: tuple[Parameter, ...]

    def __post_init__(self) -> None:
        """Check that dates ascend and each has a parameter."""
        days = np.array(self.first_days, "datetime64[D]")
        if len(days) != len(self.parameters) or not len(days) or (np.diff(days) <= np.timedelta64(0, "D")).any():
            raise ModelError(problem("RM601", ends=len(self.first_days), values=len(self.parameters)))


@dataclass(frozen=True, eq=False, slots=True)
class ByState:
    """A parameter by state; a firm of several states has the mean, weighted by its expected losses in each.

    Source: NCCI's rule for the weighting value and ballast of interstate risks as recalled, not read in print: check it
    against the manual before use.

    Examples
    --------
    >>> ballast = ByState({"IL": 52_800.0, "WI": 60_000.0})
    >>> value_of(ballast, Setting(np.array([1e5]), states=("IL", "WI"), shares=np.array([[0.75, 0.25]]))).tolist()
    [54600.0]
    """

    parameters: Mapping[str, Parameter]
    other: Parameter | None = None


Parameter = float | Bands | Curve | Line | Share | Dated | ByState | Callable[[Floats], Floats]


def value_of(parameter: Parameter, where: Setting | Floats) -> Floats:
    """Return a parameter for each firm or claim, (m,) float64; NaN where the plan says nothing.

    Parameters
    ----------
    parameter : Parameter
    where : Setting, or (m,) float64 expected losses alone

    Raises
    ------
    ModelError
        RM619 a parameter that depends on a date or a state where none was given.

    Examples
    --------
    >>> value_of(Bands((10_000.0,), (0.05, 0.10)), np.array([5_000.0, 20_000.0])).tolist()
    [0.05, 0.1]
    """
    setting = where if isinstance(where, Setting) else Setting(floats("where", where))
    e = setting.expected
    if isinstance(parameter, Bands):
        return parameter.of(e)
    if isinstance(parameter, Curve):
        return np.asarray(np.interp(e, parameter.at, parameter.values), dtype=np.float64)
    if isinstance(parameter, Line):
        return np.clip(parameter.base + parameter.per_expected * e, parameter.least, parameter.most)
    if isinstance(parameter, Share):
        return np.asarray((e + parameter.plus) / (e + parameter.over), dtype=np.float64)
    if isinstance(parameter, Dated):
        return _dated(parameter, setting)
    if isinstance(parameter, ByState):
        return _by_state(parameter, setting)
    if callable(parameter):
        return np.asarray(parameter(e), dtype=np.float64)
    return np.broadcast_to(np.float64(parameter), e.shape)


def _dated(parameter: Dated, setting: Setting) -> Floats:
    if setting.day is None:
        raise ModelError(problem("RM619", name="start_date", label="保险起期"))
    place = np.searchsorted(np.array(parameter.first_days, "datetime64[D]"), setting.day, "right") - 1
    made = np.full(len(setting.expected), np.nan)
    for at in np.unique(place[place >= 0]):
        rows = np.flatnonzero(place == at)
        made[rows] = value_of(parameter.parameters[int(at)], setting.take(rows))
    return made


def _by_state(parameter: ByState, setting: Setting) -> Floats:
    if setting.state is None and setting.shares is None:
        raise ModelError(problem("RM619", name="state", label="地区"))
    made = np.zeros(len(setting.expected))
    known = np.zeros(len(made))
    for at, name in enumerate(setting.states):
        shares = np.asarray(setting.state == at, dtype=np.float64)
        if setting.shares is not None:
            shares = setting.shares[:, at]
        rows = np.flatnonzero(shares > 0)
        own = parameter.parameters.get(name, parameter.other)
        if own is not None and len(rows):
            made[rows] += shares[rows] * value_of(own, setting.take(rows))
            known[rows] += shares[rows]
    return np.where(known > 1 - 1e-9, made, np.nan)


def parts_of(parameter: object) -> tuple[object, ...]:
    """Return a parameter and all it is made of: what it can depend on is seen without values.

    Examples
    --------
    >>> len(parts_of(Dated(("2020-01-01",), (ByState({"IL": 1.0}),))))
    3
    """
    inner: tuple[object, ...] = ()
    if isinstance(parameter, Dated):
        inner = parameter.parameters
    elif isinstance(parameter, ByState):
        inner = (*parameter.parameters.values(), *(() if parameter.other is None else (parameter.other,)))
    return (parameter, *(deep for part in inner for deep in parts_of(part)))
