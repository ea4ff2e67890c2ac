"""A payroll list by class of work to each firm's expected losses: what a bureau's worksheet starts from."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ratemod.errors import ModelError, Problem, nearest, problem
from ratemod.experience.class_rates import expected_by_row
from ratemod.experience.exposure_list import PER_FIRM, ExposureList, mark
from ratemod.experience.losses import Floats, Integers, Window
from ratemod.experience.split import SplitRule


def by_class(
    columns: dict[str, Any], effective: Any, rule: SplitRule, found: npt.NDArray[np.int32], problems: list[Problem]
) -> ExposureList:
    """Return the exposure list of payroll rows; a firm with a row that cannot be used is refused with the reason.

    Parameters
    ----------
    columns : converted columns, m rows: credit_code, class_code, payroll_yuan; year, state, start_date where given
    effective : day the mods apply from, where the list has none
    rule : SplitRule with `class_rates`
    found, problems : which problem refuses each row, and the problems, as `mod_lists` found them

    Raises
    ------
    ModelError
        RM619 no day the mods apply from.
    """
    rates = rule.class_rates
    assert rates is not None
    coded = columns["credit_code"].dictionary_encode()
    place = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    mark(found, problems, "RM627", place < 0, column="credit_code")
    n, firm = len(coded.dictionary), np.maximum(place, 0)
    day = _day(columns, effective, place)
    amount = columns["payroll_yuan"]
    mark(found, problems, "RM617", ~(amount >= 0))
    year = _years(columns, found, problems)
    back, inside = _back(rule, year, day)
    code = [name or "" for name in columns["class_code"].to_pylist()]
    state = [name or "" for name in columns["state"].to_pylist()] if "state" in columns else None
    e, ep, unknown = expected_by_row(
        rates, code, np.nan_to_num(amount) * inside, firm, day, state=state, year=None if year is None else year
    )
    for name in dict.fromkeys(code[int(at)] for at in np.flatnonzero(unknown & inside)):
        wrong = unknown & inside & np.array([one == name for one in code])
        mark(found, problems, "RM626", wrong, name=name, nearest=nearest(name, rates.codes))
    weight = np.ones(len(e)) if back is None or not rule.year_weights else np.array([*rule.year_weights, 0.0])[back]
    expected, primary = (
        np.bincount(firm, np.nan_to_num(part) * weight, minlength=n).astype(np.float64) for part in (e, ep)
    )
    per_firm = {name: _one(columns[name], firm, n, found, problems, name) for name in PER_FIRM if name in columns}
    problem_of = _of_firms(found, place, n)
    mark(problem_of, problems, "RM617", ~(expected > 0 if rule.new_firm_mod is None else expected >= 0))
    first_row = np.zeros(n, dtype=np.int64)
    first_row[firm[::-1]] = np.arange(len(firm))[::-1]
    blank = np.full(n, np.nan)
    states, shares = _shares(state, firm, np.nan_to_num(e) * weight, n)
    return ExposureList(
        coded.dictionary,
        expected,
        primary,
        day[first_row],
        per_firm.get("last_mod", blank),
        per_firm.get("premium_yuan", blank),
        None,
        (),
        problem_of,
        tuple(problems),
        None if back is None else _exposed(back, firm, amount > 0, n, rule.years),
        per_firm.get("latest_premium_yuan"),
        per_firm.get("average_premium_yuan"),
        states,
        shares,
        int(np.count_nonzero(~inside)),
        columns["group"].take(pa.array(first_row)) if "group" in columns else None,
    )


def _day(columns: dict[str, Any], effective: Any, place: Integers) -> npt.NDArray[np.datetime64]:
    """Return the day the mod applies from, each row."""
    if "start_date" in columns:
        return np.asarray(columns["start_date"])
    if effective is None:
        raise ModelError(problem("RM619", name="start_date", label="保险起期"))
    return np.full(len(place), np.datetime64(effective, "D"))


def _years(columns: dict[str, Any], found: npt.NDArray[np.int32], problems: list[Problem]) -> Integers | None:
    if "year" not in columns:
        return None
    year = columns["year"]
    mark(found, problems, "RM627", np.isnan(year), column="year")
    return np.asarray(np.nan_to_num(year), dtype=np.int64)


def _back(
    rule: SplitRule, year: Integers | None, day: npt.NDArray[np.datetime64]
) -> tuple[Integers | None, npt.NDArray[np.bool_]]:
    """Return how many policy years before the last of the window each row lies, and which lie in the window."""
    if year is None:
        return None, np.ones(len(day), dtype=bool)
    _, after = Window(rule.years, rule.lag_months).of(day)
    last = (after - np.timedelta64(1, "D")).astype("datetime64[D]")
    end = last.astype("datetime64[Y]").astype(np.int64) + 1970
    new_year = after == after.astype("datetime64[Y]").astype("datetime64[D]")
    back = np.where(new_year | (rule.years_named_by == "end"), end, end - 1) - year
    inside = (back >= 0) & (back < rule.years)
    return np.where(inside, back, rule.years), inside


def _one(
    values: Floats, firm: Integers, n: int, found: npt.NDArray[np.int32], problems: list[Problem], name: str
) -> Floats:
    """Return what all rows of a firm say, NaN where none says anything; rows that differ refuse the firm."""
    given = np.flatnonzero(~np.isnan(values))
    made = np.full(n, np.nan)
    made[firm[given]] = values[given]
    differ = np.zeros(len(values), dtype=bool)
    differ[given] = values[given] != made[firm[given]]
    mark(found, problems, "RM628", differ, column=name)
    return made


def _of_firms(found: npt.NDArray[np.int32], place: Integers, n: int) -> npt.NDArray[np.int32]:
    """Return the problem of each firm, the first of its rows'."""
    made = np.zeros(n, dtype=np.int32)
    for at in np.flatnonzero((found > 0) & (place >= 0))[::-1]:
        made[place[at]] = found[at]
    return made


def _shares(state: list[str] | None, firm: Integers, e: Floats, n: int) -> tuple[tuple[str, ...], Floats | None]:
    """Return the states and each firm's share of expected losses in each."""
    if state is None:
        return (), None
    coded = pa.array(state).dictionary_encode()
    names = tuple(coded.dictionary.to_pylist())
    at = coded.indices.to_numpy()
    sums = np.zeros((n, len(names)))
    np.add.at(sums, (firm, at), e)
    total = sums.sum(axis=1, keepdims=True)
    return names, np.divide(sums, total, out=np.zeros_like(sums), where=total > 0)


def _exposed(back: Integers, firm: Integers, used: npt.NDArray[np.bool_], n: int, years: int) -> npt.NDArray[np.bool_]:
    """Return in which years back each firm has payroll, (n, years)."""
    made = np.zeros((n, years + 1), dtype=bool)
    made[firm[used], back[used]] = True
    return made[:, :years]
